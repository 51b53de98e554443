"""Who people are, as users.info tells it."""

import asyncio

import pytest

from adapters.slack.people import standing_of
from adapters.slack.workspace import Workspace
from bot.errors import PlatformAway
from bot.messages import Standing
from tests.adapters.slack.desk import desk
from tests.support.slack import Clock, DropBefore, Hang, Limits, SaysError, TooMany, slack_server

ORGANISATION = Workspace(
    "E0CLEWORG1", "T0CLEWTEAM", "U0CLEWBOT1", "B0CLEWBOT1", "A0CLEWAPP1", "https://clew.slack.com/"
)


async def test_somebody_is_called_what_people_see_beside_the_messages() -> None:
    async with slack_server() as slack, desk(slack) as at:
        ada = slack.person("ada")

        assert at.people.known(ada) is None
        assert await at.people.name(ada) == "ada"
        assert at.people.known(ada) == "ada"


async def test_however_many_ask_for_somebody_slack_is_asked_once() -> None:
    async with slack_server() as slack, desk(slack) as at:
        ada = slack.person("ada")

        names = await asyncio.gather(*(at.people.name(ada) for _ in range(20)))
        standings = await asyncio.gather(*(at.people.standing(ada) for _ in range(20)))

        assert set(names) == {"ada"}
        assert set(standings) == {Standing.MEMBER}
        assert len(slack.calls_of("users.info")) == 1


async def test_when_who_asked_first_gives_up_the_next_one_asks() -> None:
    async with slack_server() as slack, desk(slack) as at:
        ada = slack.person("ada")
        slack.faults.arm("users.info", Hang())

        first = asyncio.ensure_future(at.people.standing(ada))
        await slack.until(lambda: slack.calls_of("users.info"))
        second = asyncio.ensure_future(at.people.standing(ada))
        await asyncio.sleep(0)  # it stands in line now
        first.cancel()

        assert await second is Standing.MEMBER
        assert first.cancelled()


async def test_a_name_that_does_not_come_in_time_is_done_without() -> None:
    async with slack_server() as slack, desk(slack) as at:
        ada, ben = slack.person("ada"), slack.person("ben")
        slack.faults.arm("users.info", Hang(), times=None, when=lambda call: call.text("user") == ada)

        assert await at.people.names([ada, ben], within=0.3) == {ben: "ben"}


async def test_somebody_is_looked_up_again_after_a_while() -> None:
    async with slack_server() as slack, desk(slack, age=600) as at:
        ada = slack.person("ada")
        await at.people.name(ada)
        slack.clock.advance(601)

        assert at.people.known(ada) is None
        assert await at.people.name(ada) == "ada"
        assert len(slack.calls_of("users.info")) == 2


async def test_of_too_many_people_those_are_forgotten_who_were_not_asked_for_the_longest() -> None:
    async with slack_server() as slack, desk(slack, most=2) as at:
        ada, ben, cid = (slack.person(name) for name in ("ada", "ben", "cid"))
        await at.people.name(ada)
        await at.people.name(ben)
        await at.people.name(ada)
        await at.people.name(cid)

        assert [at.people.known(person) for person in (ada, ben, cid)] == ["ada", None, "cid"]


@pytest.mark.parametrize(
    ("kind", "standing"),
    [
        pytest.param("member", Standing.MEMBER, id="a member"),
        pytest.param("guest", Standing.GUEST, id="a guest of several channels"),
        pytest.param("single_channel_guest", Standing.GUEST, id="a guest of one channel"),
        pytest.param("stranger", Standing.OUTSIDER, id="somebody met over Slack Connect"),
    ],
)
async def test_the_standing_is_what_slack_says(kind: str, standing: Standing) -> None:
    async with slack_server() as slack, desk(slack) as at:
        person = slack.person("kim", kind=kind)  # type: ignore[arg-type]  # one of the kinds

        assert await at.people.standing(person) is standing


async def test_whoever_slack_does_not_know_is_none_of_ours() -> None:
    async with slack_server() as slack, desk(slack) as at:
        assert await at.people.standing("U0NOBODY00") is Standing.OUTSIDER
        assert await at.people.name("U0NOBODY00") is None


async def test_nobody_is_taken_for_a_member_while_slack_cannot_tell() -> None:
    async with slack_server(clock=Clock(speed=200)) as slack, desk(slack) as at:
        kim = slack.person("kim", kind="guest")
        slack.faults.arm("users.info", DropBefore(), times=None)

        with pytest.raises(PlatformAway):
            await at.people.standing(kim)
        asked = len(slack.calls_of("users.info"))
        with pytest.raises(PlatformAway):  # and a crowd does not try one after the other
            await at.people.standing(kim)
        assert len(slack.calls_of("users.info")) == asked

        slack.faults.disarm()
        slack.clock.advance(10)
        assert await at.people.standing(kim) is Standing.GUEST


@pytest.mark.parametrize("error", ["missing_scope", "fatal_error", "something_new"])
async def test_a_refusal_is_not_taken_for_a_standing(error: str) -> None:
    async with slack_server(clock=Clock(speed=200)) as slack, desk(slack) as at:
        slack.faults.arm("users.info", SaysError(error), times=None)

        with pytest.raises(PlatformAway):
            await at.people.standing(slack.person("ada"))
        assert await at.people.name(slack.person("ada")) is None


async def test_a_rate_limit_is_waited_out() -> None:
    async with slack_server(clock=Clock(speed=100)) as slack, desk(slack) as at:
        slack.faults.arm("users.info", TooMany(2))

        assert await at.people.standing(slack.person("ada")) is Standing.MEMBER
        first, second = slack.calls_of("users.info")
        assert second.at - first.at >= 2


async def test_a_busy_channel_is_named_within_slacks_limits() -> None:
    limits = Limits(per_minute={"users.info": 10})
    async with slack_server(clock=Clock(speed=100), limits=limits) as slack, desk(slack) as at:
        people = [slack.person(f"person{number}") for number in range(80)]

        names = await at.people.names(people, within=0.5, most=40)

        assert len(slack.calls_of("users.info")) <= 40
        assert 10 <= len(names) <= 40


@pytest.mark.parametrize(
    ("person", "standing"),
    [
        pytest.param({"team_id": "T0CLEWTEAM"}, Standing.MEMBER, id="of the workspace"),
        pytest.param(
            {"team_id": "T0SISTER00", "enterprise_user": {"enterprise_id": "E0CLEWORG1", "teams": ["T0SISTER00"]}},
            Standing.MEMBER,
            id="of another workspace of the organisation",
        ),
        pytest.param(
            {"team_id": "T0SISTER00", "enterprise_user": {"enterprise_id": "E0OTHERORG", "teams": ["T0SISTER00"]}},
            Standing.OUTSIDER,
            id="of another organisation",
        ),
        pytest.param({"team_id": "T0CLEWTEAM", "is_stranger": True}, Standing.OUTSIDER, id="a stranger"),
        pytest.param({"team_id": "T0CLEWTEAM", "is_ultra_restricted": True}, Standing.GUEST, id="a guest"),
        pytest.param({}, Standing.OUTSIDER, id="of no workspace that is named"),
        pytest.param({"team_id": ["T0CLEWTEAM"], "enterprise_user": []}, Standing.OUTSIDER, id="nonsense"),
    ],
)
def test_an_organisation_has_members_in_all_its_workspaces(person: dict[str, object], standing: Standing) -> None:
    assert standing_of(person, ORGANISATION) is standing
