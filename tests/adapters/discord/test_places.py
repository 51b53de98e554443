"""Which conversation a message belongs to, by where it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.payloads import id_at, sent_at
from adapters.discord.places import Kind, Where, channels_of, is_continuous, kind_of, thread_of
from bot.messages import MessageId
from tests.adapters.discord.samples import (
    DIRECT,
    FORUM,
    GENERAL,
    IN_DIRECT,
    IN_GENERAL,
    IN_NEWS,
    IN_POST,
    IN_THREAD,
    IN_VOICE,
    NEWS,
    ROOT,
    SERVER,
    TS,
    VOICE,
)


@pytest.mark.parametrize(
    ("where", "message", "key"),
    [
        pytest.param(IN_GENERAL, ROOT, f"discord:{SERVER}:{GENERAL}:{ROOT}", id="what a thread will be opened from"),
        pytest.param(IN_THREAD, TS, f"discord:{SERVER}:{GENERAL}:{ROOT}", id="what is said in that thread"),
        pytest.param(IN_NEWS, TS, f"discord:{SERVER}:{NEWS}:{TS}", id="an announcement"),
        pytest.param(IN_POST, TS, f"discord:{SERVER}:{FORUM}:{TS}", id="what a post in a forum begins with"),
        pytest.param(IN_POST, "9", f"discord:{SERVER}:{FORUM}:{TS}", id="an answer in that post"),
        pytest.param(IN_VOICE, TS, f"discord:{SERVER}:{VOICE}:{VOICE}", id="the chat of a voice channel"),
        pytest.param(IN_DIRECT, TS, f"discord:dm:{DIRECT}:{DIRECT}", id="a direct message"),
    ],
)
def test_a_message_belongs_to_the_conversation_of_its_place(where: Where, message: str, key: str) -> None:
    assert thread_of(where, message).key == key


@pytest.mark.parametrize(
    ("where", "message", "channels", "continuous"),
    [
        pytest.param(IN_GENERAL, ROOT, (GENERAL, ROOT), False, id="what a thread hangs from"),
        pytest.param(IN_THREAD, TS, (ROOT, GENERAL), False, id="what was said in a thread"),
        pytest.param(IN_VOICE, TS, (VOICE,), True, id="the chat of a voice channel"),
        pytest.param(IN_DIRECT, TS, (DIRECT,), True, id="a direct message"),
    ],
)
def test_a_message_is_looked_for_where_it_most_likely_stands(
    where: Where, message: str, channels: tuple[str, ...], continuous: bool
) -> None:
    thread = thread_of(where, message)

    assert channels_of(thread, MessageId(message)) == channels
    assert is_continuous(thread) is continuous


@pytest.mark.parametrize(
    ("channel_type", "kind"),
    [
        (0, Kind.CHANNEL),
        (5, Kind.CHANNEL),
        (10, Kind.THREAD),
        (11, Kind.THREAD),
        (12, Kind.THREAD),
        (2, Kind.ROOM),
        (13, Kind.ROOM),
        (1, Kind.DIRECT),
        (4, None),
        (15, None),
        (16, None),
        (99, None),
    ],
)
def test_the_type_of_a_channel_tells_what_can_become_of_a_conversation(channel_type: int, kind: Kind | None) -> None:
    assert kind_of(channel_type) is kind


@pytest.mark.parametrize(
    ("kind", "guild", "parent"),
    [
        pytest.param(Kind.THREAD, SERVER, None, id="a thread that hangs from nothing"),
        pytest.param(Kind.CHANNEL, SERVER, GENERAL, id="a channel that hangs from one"),
        pytest.param(Kind.ROOM, None, None, id="a room in no server"),
        pytest.param(Kind.DIRECT, SERVER, None, id="a direct message in a server"),
    ],
)
def test_a_place_that_cannot_be_is_refused(kind: Kind, guild: str | None, parent: str | None) -> None:
    with pytest.raises(ValueError, match="nothing else"):
        Where(kind, ROOT, guild, parent)


def test_an_id_tells_when_something_was_sent() -> None:
    assert sent_at(TS) == 1_700_000_123.0


@given(st.floats(1_420_070_400.001, 4_000_000_000, allow_nan=False))
def test_the_first_id_of_a_moment_is_of_that_moment(seconds: float) -> None:
    assert abs(sent_at(id_at(seconds)) - seconds) <= 0.001
    assert sent_at(str(int(id_at(seconds)) - 1)) < seconds
