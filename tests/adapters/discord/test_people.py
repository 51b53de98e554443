"""What people are called."""

from typing import Any

import pytest

from adapters.discord.payloads import NOTHING
from adapters.discord.people import Nicknames, person_of
from bot.messages import Person, PersonId, Standing
from tests.adapters.discord.samples import ADA, BEN, SERVER, sample

OTHER_SERVER = "900000000000000009"


@pytest.mark.parametrize(
    ("user", "member", "known", "name"),
    [
        pytest.param({"username": "ada_1815", "global_name": "Ada"}, {"nick": "Countess"}, None, "Countess", id="nick"),
        pytest.param(
            {"username": "ada_1815", "global_name": "Ada"}, {"nick": None}, "Old", "Ada", id="no nick any more"
        ),
        pytest.param({"username": "ada_1815", "global_name": "Ada"}, {}, "Countess", "Countess", id="a nick not told"),
        pytest.param({"username": "ada_1815", "global_name": "Ada"}, {}, None, "Ada", id="a name of their choice"),
        pytest.param({"username": "ada_1815", "global_name": None}, {}, None, "ada_1815", id="a user name"),
        pytest.param({"username": "a", "global_name": " \n "}, {"nick": "x\ny"}, None, "x y", id="a name of two lines"),
        pytest.param({}, {}, None, None, id="no name at all"),
    ],
)
def test_somebody_is_called_what_stands_beside_their_messages(
    user: dict[str, Any], member: dict[str, Any], known: str | None, name: str | None
) -> None:
    assert person_of({"id": ADA, **user}, member, lambda _: known) == Person(PersonId(ADA), name, Standing.MEMBER)


def test_nobody_is_somebody_without_an_id() -> None:
    assert person_of({"username": "ada"}, NOTHING) is None


def nicknamed(name: str | None, **more: object) -> dict[str, Any]:
    body = sample("message_to_somebody_in_thread", **more)
    body["member"]["nick"] = name
    return body


def test_nicknames_are_learnt_from_what_is_heard_each_for_its_server() -> None:
    names = Nicknames()
    names.hear(nicknamed("Countess"))
    names.hear(nicknamed("Ms Lovelace", guild_id=OTHER_SERVER))

    assert names.called(SERVER, ADA) == "Countess"
    assert names.called(OTHER_SERVER, ADA) == "Ms Lovelace"
    assert names.called(SERVER, BEN) == "Benny"  # who was mentioned


def test_a_nickname_that_was_taken_back_is_forgotten() -> None:
    names = Nicknames()
    names.hear(nicknamed("Countess"))
    names.hear(nicknamed(None))

    assert names.called(SERVER, ADA) is None


def test_what_does_not_tell_nicknames_changes_none() -> None:
    names = Nicknames()
    names.hear(nicknamed("Countess"))
    names.hear({**nicknamed(None), "member": None, "mentions": [{"id": ADA}, {"id": "x", "member": {"nick": "y"}}]})

    assert names.called(SERVER, ADA) == "Countess"


def test_no_more_nicknames_are_remembered_than_there_is_room_for() -> None:
    names = Nicknames(most=2)
    for number in range(3):
        body = nicknamed(f"N{number}", mentions=[])
        body["author"]["id"] = f"{number + 1}"
        names.hear(body)
        assert names.called(SERVER, "1") == "N0"  # who is asked for stays

    assert names.called(SERVER, "2") is None
    assert names.called(SERVER, "3") == "N2"
