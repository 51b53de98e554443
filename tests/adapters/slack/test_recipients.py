"""For whom an answer is streamed, and who gets it by edits instead."""

import pytest

from adapters.slack.people import team_of
from bot.answers import Answered
from bot.messages import Person, PersonId, Standing, Turn
from tests.adapters.slack.desk import desk as people_desk
from tests.adapters.slack.replying import Desk, desk
from tests.adapters.slack.test_people import ORGANISATION
from tests.support.slack import Clock, Hang, SaysError, slack_server

START, POST, INFO = "chat.startStream", "chat.postMessage", "users.info"
ELSEWHERE = "T0ELSEWHER"


async def streamed(place: Desk, turn: Turn) -> bool:
    """Answer a turn; whether the answer grew as a stream."""
    async with place.answering(turn) as grown:
        grown.says("Hello ")
        growing = await place.shown(turn, "Hello")
        grown.says("world.")
        await place.shown(turn, "Hello world.")
        await grown.reply.end(Answered(grown.draft.answer))
    [answer] = place.replies(turn)
    assert answer.text == "Hello world."
    assert answer.ts == growing.ts
    return growing.stream is not None


@pytest.mark.parametrize("error", ["missing_recipient_team_id", "missing_recipient_user_id"])
async def test_somebody_slack_streams_nothing_to_keeps_nobody_else_from_their_streams(error: str) -> None:
    async with desk() as place:
        ben = place.slack.person("ben")
        place.slack.faults.arm(
            START, SaysError(error), times=None, when=lambda call: call.text("recipient_user_id") == ben
        )

        assert not await streamed(place, await place.asked(by="ben"))
        assert await streamed(place, await place.asked(by="ada"))
        assert not await streamed(place, await place.asked(by="ben"))
        tried = [call for call in place.slack.calls_of(START) if call.text("recipient_user_id") == ben]
        assert len(tried) == 1, "nor is it tried again for an hour"


async def test_a_thread_that_takes_no_stream_keeps_no_other_thread_from_its_own() -> None:
    async with desk() as place:
        place.slack.faults.arm(START, SaysError("invalid_thread_ts"))

        assert not await streamed(place, await place.asked())
        assert await streamed(place, await place.asked())


async def test_a_channel_without_streams_is_not_tried_again() -> None:
    async with desk() as place:
        place.slack.faults.arm(START, SaysError("channel_type_not_supported"))

        for by in ("ada", "ben"):
            assert not await streamed(place, await place.asked(by=by))
        assert len(place.slack.calls_of(START)) == 1


@pytest.mark.parametrize("standing", [None, Standing.OUTSIDER], ids=["looked up before", "told by the message"])
async def test_a_stream_for_somebody_of_another_organisation_names_theirs(standing: Standing | None) -> None:
    async with desk() as place:
        eve = place.slack.person("eve", kind="stranger", team_id=ELSEWHERE)
        if standing is None:
            assert await place.people.standing(eve) is Standing.OUTSIDER

        assert await streamed(place, await place.asked(by="eve", standing=standing))
        [start] = place.slack.calls_of(START)
        assert (start.args["recipient_user_id"], start.args["recipient_team_id"]) == (eve, ELSEWHERE)
        assert len(place.slack.calls_of(INFO)) == 1


async def test_nobody_of_ours_is_looked_up_for_a_stream() -> None:
    async with desk() as place:
        assert await streamed(place, await place.asked(by="ada"))
        assert await streamed(place, await place.asked(by="visitor", standing=Standing.GUEST))
        assert {call.args["recipient_team_id"] for call in place.slack.calls_of(START)} == {place.slack.team_id}
        assert not place.slack.calls_of(INFO)


@pytest.mark.parametrize("fault", [Hang(), SaysError("user_not_found")], ids=["no answer", "unknown to Slack"])
async def test_an_outsider_whose_workspace_cannot_be_told_gets_the_answer_by_edits(fault: Hang | SaysError) -> None:
    async with desk() as place:
        eve = place.slack.person("eve", kind="stranger")
        place.slack.faults.arm(INFO, fault, times=None, when=lambda call: call.text("user") == eve)

        assert not await streamed(place, await place.asked(by="eve", standing=Standing.OUTSIDER))
        assert not place.slack.calls_of(START)
        assert await streamed(place, await place.asked(by="ada"))


async def test_whoever_slack_does_not_know_is_not_taken_for_one_of_ours() -> None:
    async with desk() as place:
        eve = place.slack.person("eve", kind="stranger")
        place.slack.faults.arm(INFO, SaysError("user_not_found"))
        assert await place.people.standing(eve) is Standing.OUTSIDER

        assert not await streamed(place, await place.asked(by="eve"))
        assert not place.slack.calls_of(START)


async def test_what_was_looked_up_of_an_outsider_is_remembered_for_a_while() -> None:
    async with slack_server(clock=Clock(speed=100)) as slack, people_desk(slack, age=600) as at:
        eve = Person(PersonId(slack.person("eve", kind="stranger", team_id=ELSEWHERE)), standing=Standing.OUTSIDER)

        assert [await at.people.team(eve) for _ in range(3)] == [ELSEWHERE] * 3
        assert len(slack.calls_of(INFO)) == 1
        slack.clock.advance(601)
        assert await at.people.team(eve) == ELSEWHERE
        assert len(slack.calls_of(INFO)) == 2


@pytest.mark.parametrize(
    ("person", "team"),
    [
        pytest.param({"team_id": "T0CLEWTEAM"}, "T0CLEWTEAM", id="of the workspace"),
        pytest.param(
            {"team_id": "T0SISTER00", "enterprise_user": {"enterprise_id": "E0CLEWORG1", "teams": ["T0SISTER00"]}},
            "T0SISTER00",
            id="of another workspace of the organisation",
        ),
        pytest.param(
            {"team_id": "T0SISTER00", "enterprise_user": {"teams": ["T0SISTER00", "T0CLEWTEAM"]}},
            "T0CLEWTEAM",
            id="of ours among others",
        ),
        pytest.param({"team_id": ELSEWHERE, "is_stranger": True}, ELSEWHERE, id="a stranger"),
        pytest.param({"is_stranger": True}, None, id="of no workspace that is named"),
        pytest.param({"team_id": ["T0CLEWTEAM"]}, None, id="nonsense"),
    ],
)
def test_the_workspace_is_what_slack_says(person: dict[str, object], team: str | None) -> None:
    assert team_of(person, ORGANISATION) == team
