"""Guests and people of other organisations; and commands of people nobody has met yet."""

import asyncio
from dataclasses import dataclass

import pytest

from bot.policy import Policy
from tests.support.scripted import answer
from tests.support.slack import Hang, SlackServer, slack_server
from tests.support.slack.people import PersonKind
from tests.support.slack_clew import ALL_SCOPES, SlackClew, clew_on, until_logged

INFO = "users.info"
AFRESH = "This thread starts afresh"


# --- who is not served ------------------------------------------------------------------------


@dataclass(frozen=True)
class Kind:
    """Somebody who is not served unless a setting says so."""

    kind: PersonKind
    setting: Policy
    told: str
    shared: bool = False  # the channel is one of Slack Connect, whose posts name their author's organisation


GUEST = Kind("guest", Policy(guests=True), "I do not answer guests of this workspace, and say so only once.")
KINDS = [
    pytest.param(GUEST, id="guest"),
    pytest.param(Kind("single_channel_guest", GUEST.setting, GUEST.told), id="guest of one channel"),
    pytest.param(
        Kind("stranger", Policy(outsiders=True), "I answer members of the organisation I belong to", shared=True),
        id="outsider",
    ),
    pytest.param(
        Kind("stranger", Policy(outsiders=True), "I answer members of the organisation I belong to"),
        id="outsider whose posts do not say so",
    ),
]


async def refused(slack: SlackServer, text: str, *, thread_ts: str | None = None, mention: bool = True) -> str:
    """The visitor said something that is not answered; the ts of it."""
    async with until_logged("turn failed", by="bot.responder"):
        return await slack.says("visitor", text, channel="shared", thread_ts=thread_ts, mention=mention)


def heard_by(clew: SlackClew) -> str:
    """Everything the model was told."""
    return "\n".join(f"{asked.history}\n{asked.text}" for asked in clew.model.asked)


@pytest.mark.parametrize("who", KINDS)
async def test_whoever_is_not_served_is_told_so_once_and_nothing_of_theirs_reaches_the_model(who: Kind) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        slack.channel("shared", shared=who.shared)
        slack.person("visitor", kind=who.kind)
        ts = await refused(slack, "my secret")
        (notice,) = await slack.shown("shared", ts)
        assert notice.text.startswith(who.told)
        assert not notice.buttons

        await refused(slack, "another secret", thread_ts=ts)
        elsewhere = await refused(slack, "a third secret")
        await slack.delivered()
        assert len(slack.replies("shared", ts)) == 1
        assert slack.replies("shared", elsewhere) == []
        assert slack.status("shared", ts) is None
        assert slack.whispers("visitor") == []
        assert clew.model.asked == []

        await slack.says("ada", "what is this about?", channel="shared", thread_ts=ts)
        shown = await slack.shown("shared", ts, whole=2)
        assert "what is this about?" in shown[1].text
        assert "secret" not in heard_by(clew)


@pytest.mark.parametrize("who", KINDS)
async def test_in_a_thread_that_is_followed_they_are_told_once_and_never_heard(who: Kind) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        slack.channel("shared", shared=who.shared)
        slack.person("visitor", kind=who.kind)
        ts = await slack.says("ada", "hello", channel="shared")
        await slack.shown("shared", ts)
        for _ in range(2):
            await refused(slack, "my secret", thread_ts=ts, mention=False)
        await slack.delivered()
        await slack.says("ada", "and now?", channel="shared", thread_ts=ts, mention=False)
        shown = await slack.shown("shared", ts, whole=3)

        assert [one.text.startswith(who.told) for one in shown] == [False, True, False]
        assert clew.model.asked[1].after == "i1"
    assert [asked.text for asked in clew.model.asked] == ["hello", "and now?"]


@pytest.mark.parametrize("who", KINDS)
async def test_with_the_setting_they_are_answered(who: Kind) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, policy=who.setting) as clew:
        slack.channel("shared", shared=who.shared)
        slack.person("visitor", kind=who.kind)
        ts = await slack.says("visitor", "hello", channel="shared")
        await slack.shown("shared", ts)
        await slack.says("visitor", "and then?", channel="shared", thread_ts=ts, mention=False)
        shown = await slack.shown("shared", ts, whole=2)

        assert [one.text.partition("\n")[0] for one in shown] == ["answer 1 to hello", "answer 2 to and then?"]
    assert [asked.text for asked in clew.model.asked] == ["hello", "and then?"]


async def test_an_answer_for_an_outsider_is_streamed_to_where_they_belong() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, policy=Policy(outsiders=True)) as clew:
        slack.channel("shared", shared=True)
        eve = slack.person("eve", kind="stranger", team_id="T0ELSEWHER")
        go_on = asyncio.Event()
        script = answer("i1", "a beginning")
        clew.model.will(*script[:2], go_on, script[2])
        ts = await slack.says("eve", "hello", channel="shared")
        await slack.received("chat.startStream")
        go_on.set()
        await slack.shown("shared", ts)

        (start,) = slack.calls_of("chat.startStream")
        assert (start.args["recipient_user_id"], start.args["recipient_team_id"]) == (eve, "T0ELSEWHER")


# --- commands of people nobody has met yet ----------------------------------------------------


async def answering(slack: SlackServer, clew: SlackClew) -> str:
    """Ada asked, and the answer does not come to an end; who bob is will not be told."""
    clew.model.will(*answer("i1", "a beginning")[:2], asyncio.Event())
    ts = await slack.says("ada", "tell me everything")
    await slack.shown("general", ts, lambda seen: bool(seen) and bool(seen[0].buttons) and "begin" in seen[0].text)
    slack.faults.arm(INFO, Hang(), times=None, when=lambda call: call.text("user") == slack.person("bob"))
    return ts


@pytest.mark.parametrize("how", ["said in the thread", "pressed"])
async def test_a_stop_waits_for_nobody_to_be_looked_up(how: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await answering(slack, clew)
        async with until_logged("turn stopped", by="bot.responder"):
            if how == "pressed":
                await slack.clicks(slack.replies("general", ts)[0].button("Stop"), by="bob")
            else:
                await slack.says("bob", "stop", thread_ts=ts)
        await slack.delivered()

        assert [call for call in slack.calls_of(INFO) if call.text("user") == slack.person("bob")] == []


@pytest.mark.parametrize("how", ["said in the thread", "pressed"])
async def test_whoever_is_known_to_be_refused_stops_nothing(how: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        visited = await slack.says("visitor", "hello", kind="guest")
        await slack.shown("general", visited)
        ts = await answering(slack, clew)
        if how == "pressed":
            await slack.clicks(slack.replies("general", ts)[0].button("Stop"), by="visitor")
            (told,) = await slack.whispered("visitor")
        else:
            await slack.says("visitor", "stop", thread_ts=ts)
            told = (await slack.shown("general", ts, lambda seen: len(seen) == 2))[1]

        assert told.text.startswith(GUEST.told)
        (running,) = await clew.store.running()
        assert not running.stopping


async def test_a_reset_by_somebody_known_waits_for_no_look_up() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        slack.faults.arm(INFO, Hang(), times=None)
        asked = len(slack.calls_of(INFO))
        await slack.says("ada", "reset", thread_ts=ts)
        shown = await slack.shown("general", ts, whole=2)

        assert shown[1].text.startswith(AFRESH)
        assert len(slack.calls_of(INFO)) == asked


async def test_what_is_said_after_a_reset_by_somebody_unknown_belongs_to_the_fresh_start() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        slack.faults.arm(INFO, Hang(), times=None, when=lambda call: call.text("user") == slack.person("bob"))
        await slack.says("bob", "reset", thread_ts=ts)
        await slack.says("ada", "who am I?", thread_ts=ts)
        await slack.shown("general", ts, lambda seen: any("who am I?" in one.text for one in seen))

    assert [(asked.text, asked.after) for asked in clew.model.asked] == [("hello", None), ("who am I?", None)]
