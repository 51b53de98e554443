"""Edits and deletions that come before what they change. Slack promises no order (reference, sections 2 and 3)."""

import asyncio
from dataclasses import dataclass

import pytest

from bot.errors import ContextLost
from bot.messages import MessageId
from bot.policy import Follow, Policy
from tests.adapters.slack.catching import held_up
from tests.support.scripted import answer
from tests.support.slack import SlackServer, slack_server
from tests.support.slack.deliveries import Delivery
from tests.support.slack_clew import ALL_SCOPES, SlackClew, clew_on, until_logged

DAY = 86_400.0  # seconds


async def held_up_change(slack: SlackServer) -> Delivery:
    """The event of the last edit, which was not told."""
    await slack.delivered()
    return slack.deliveries[-1]


async def asked_in(clew: SlackClew, ts: str, channel: str = "general") -> list[str]:
    """The ids of the messages that are answered in a thread, or wait for it."""
    transcript = await clew.store.transcript(clew.thread(ts, channel=channel))
    return [message.id for turn in transcript for message in turn.messages]


# --- edits that come first ----------------------------------------------------------------------


@dataclass(frozen=True)
class Where:
    """A place in which something is asked."""

    is_direct: bool
    in_thread: bool


@pytest.mark.parametrize(
    "where",
    [Where(False, False), Where(False, True), Where(True, False), Where(True, True)],
    ids=["a mention in a channel", "a followed thread", "a direct message", "a thread in direct messages"],
)
async def test_a_question_edited_before_it_came_is_answered_once_in_its_new_words(where: Where) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        channel = slack.direct("ada") if where.is_direct else "general"
        root = None
        if where.in_thread:
            root = await slack.says("ada", "hello", channel=channel)
            await slack.shown(channel, None if where.is_direct else root)
        is_mention = not where.is_direct and not where.in_thread
        asked, late = await held_up(slack, "ada", "waht?", channel=channel, thread_ts=root, mention=is_mention)
        await slack.edits(asked, f"<@{slack.bot_user_id}> what?" if is_mention else "what?", channel=channel)
        await slack.delivered()
        slack.again(late)
        top = None if where.is_direct else asked
        await slack.shown(channel, root or top, lambda seen: any("to what?" in one.text for one in seen))
        await slack.delivered()

        assert (await asked_in(clew, root or top or channel, channel)).count(asked) == 1
    assert [said.text for said in clew.model.asked][-1:] == ["what?"]
    assert "waht?" not in [said.text for said in clew.model.asked]


@pytest.mark.parametrize("is_root", [False, True], ids=["a follow-up", "the first of its thread"])
async def test_a_question_that_came_late_is_told_what_overtook_it_when_gemini_has_lost_that(is_root: bool) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        if is_root:
            root, late = await held_up(slack, "ada", "first?")
        else:
            root = await slack.says("ada", "hello")
            await slack.shown("general", root)
            _, late = await held_up(slack, "ada", "first?", thread_ts=root)
        await slack.says("ada", "second?", thread_ts=root)
        before = await slack.shown("general", root, lambda seen: any("to second?" in one.text for one in seen))
        clew.model.will(ContextLost("404"))

        slack.again(late)
        await slack.shown("general", root, whole=len(before) + 1)

    assert clew.model.asked[-1].text == "first?"
    assert "]\nsecond?" in clew.model.asked[-1].history


async def test_an_edit_that_came_first_keeps_the_time_of_its_message() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, now=slack.clock.now) as clew:
        asked, _ = await held_up(slack, "ada", "waht?")
        slack.clock.advance(60)
        await slack.edits(asked, f"<@{slack.bot_user_id}> what?")
        await slack.shown("general", asked)

        assert (await clew.store.note(clew.thread(asked))).since == float(asked)


async def test_of_two_edits_the_later_one_counts_whichever_comes_first() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        go_on = asyncio.Event()
        clew.model.will(go_on, *answer("i1", "one"))
        root = await slack.says("ada", "hello")
        await clew.model.heard(1)
        asked = await slack.says("ada", "waht?", thread_ts=root)
        await slack.delivered()
        slack.faults.events.lose = 1
        await slack.edits(asked, f"<@{slack.bot_user_id}> what?")
        late = await held_up_change(slack)
        slack.clock.advance(2)
        await slack.edits(asked, f"<@{slack.bot_user_id}> what now?")
        await slack.delivered()
        slack.again(late)
        await slack.delivered()
        go_on.set()
        await slack.shown("general", root, whole=2)

    assert [said.text for said in clew.model.asked] == ["hello", "what now?"]


async def test_an_edit_that_takes_somebody_elses_name_away_does_not_make_a_question_of_it() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        root = await slack.says("ada", "hello")
        await slack.shown("general", root)
        said = await slack.says("ada", f"<@{slack.person('ben')}> can you look?", thread_ts=root, mention=False)
        await slack.delivered()
        await slack.edits(said, "Ben, can you look?")
        await slack.delivered()

        assert await asked_in(clew, root) == [root]


@pytest.mark.parametrize("follow", [Follow.SMART, Follow.ALWAYS])
async def test_what_people_said_before_the_bot_was_called_is_no_question_when_it_is_edited(follow: Follow) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, policy=Policy(follow=follow)) as clew:
        root = await slack.says("ada", "lunch?", mention=False)
        before = await slack.says("ben", "yse", thread_ts=root, mention=False)
        await slack.delivered()
        called = await slack.says("ada", "what is open?", thread_ts=root)
        await slack.shown("general", root)
        await slack.edits(before, "yes")
        await slack.edits(root, "lunch, anybody?")
        await slack.delivered()

        assert await asked_in(clew, root) == [called]


async def test_an_edit_of_what_people_say_to_each_other_leaves_nothing_behind() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, policy=Policy(follow=Follow.ALWAYS)) as clew:
        root = await slack.says("ada", "luhcn?", mention=False)
        reply = await slack.says("ben", "yse", thread_ts=root, mention=False)
        await slack.edits(root, "lunch?")
        await slack.edits(reply, "yes")
        await slack.delivered()

        assert not (await clew.store.note(clew.thread(root))).is_known


@pytest.mark.parametrize("channel", ["general", "a direct message"])
async def test_an_edit_of_what_is_too_old_is_not_answered(channel: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, now=slack.clock.now) as clew:
        place = slack.direct("ada") if channel != "general" else channel
        slack.mute_events()
        old = await slack.says("ada", "waht?", channel=place)
        slack.mute_events(False)
        slack.clock.advance(DAY + 60)
        await slack.edits(old, f"<@{slack.bot_user_id}> what?", channel=place)
        await slack.delivered()

        assert await asked_in(clew, old if channel == "general" else place, place) == []


async def test_a_mention_added_to_a_message_however_old_counts_as_a_mention() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, now=slack.clock.now) as clew:
        slack.channel("random")
        old = await slack.says("ada", "what is a clew?", channel="random", mention=False)
        await slack.says("ben", "no idea", channel="random", thread_ts=old, mention=False)
        slack.clock.advance(7 * DAY)
        await slack.edits(old, f"<@{slack.bot_user_id}> what is a clew?", channel="random")
        await slack.shown("random", old)
        await slack.delivered()

        assert await asked_in(clew, old, "random") == [old]
    assert len(clew.model.asked) == 1


@pytest.mark.parametrize("since", ["nothing", "a reset", "a retry"])
@pytest.mark.parametrize("mention", [True, False], ids=["the same mention", "a mention added"])
async def test_an_edit_of_what_was_answered_is_not_answered_again(since: str, mention: bool) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        async with until_logged("turn answered", by="bot.responder"):
            root = await slack.says("ada", "hello")
        async with until_logged("turn answered", by="bot.responder"):
            asked = await slack.says("ada", "what?", thread_ts=root, mention=mention)
        if since != "nothing":
            await slack.says("ada", since.removeprefix("a "), thread_ts=root)
            await slack.shown("general", root, whole=3)
        await slack.edits(asked, f"<@{slack.bot_user_id}> what now?")
        await slack.edits(root, f"<@{slack.bot_user_id}> hello there")
        await slack.delivered()
        last = await slack.says("ben", "and?", thread_ts=root)
        await slack.shown("general", root, lambda seen: any("to and?" in one.text for one in seen))

        assert await asked_in(clew, root) == ([last] if since == "a reset" else [root, asked, last])
    again = ["what?"] if since == "a retry" else []
    assert [said.text for said in clew.model.asked] == ["hello", "what?", *again, "and?"]


async def test_an_edit_that_comes_after_its_message_was_withdrawn_does_not_bring_it_back() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        go_on = asyncio.Event()
        clew.model.will(go_on, *answer("i1", "one"))
        root = await slack.says("ada", "hello")
        await clew.model.heard(1)
        gone = await slack.says("ada", "never mind", thread_ts=root)
        await slack.delivered()
        slack.faults.events.lose = 1
        await slack.edits(gone, f"<@{slack.bot_user_id}> never mind!")
        late = await held_up_change(slack)
        await slack.deletes(gone)
        await slack.delivered()
        slack.again(late)
        await slack.delivered()

        assert await asked_in(clew, root) == [root]
        go_on.set()


# --- deletions that come first ------------------------------------------------------------------


@pytest.mark.parametrize("where", ["a channel", "other people's thread", "a direct message"])
async def test_a_question_whose_deletion_came_first_is_not_answered(where: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        channel = slack.direct("ada") if where == "a direct message" else "general"
        root = None
        if where == "other people's thread":
            root = await slack.says("ben", "lunch?", mention=False)
        asked, late = await held_up(slack, "ada", "never mind", channel=channel, thread_ts=root)
        await slack.deletes(asked, channel=channel)
        await slack.delivered()
        slack.again(late)
        await slack.delivered()

        thread = clew.thread(channel if where == "a direct message" else root or asked, channel=channel)
        assert not (await clew.store.note(thread)).is_known
        assert late.ts == asked
    assert clew.model.asked == []


async def test_an_edit_that_comes_after_the_deletion_of_its_message_is_not_answered() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        asked = await slack.says("ada", "never mind", mention=False)
        await slack.delivered()
        slack.faults.events.lose = 1
        await slack.edits(asked, f"<@{slack.bot_user_id}> never mind")
        late = await held_up_change(slack)
        await slack.deletes(asked)
        await slack.delivered()
        slack.again(late)
        await slack.delivered()

        assert await asked_in(clew, asked) == []


async def test_a_command_whose_deletion_came_first_is_not_carried_out() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        root = await slack.says("ben", "lunch?", mention=False)
        told, late = await held_up(slack, "ada", "help", thread_ts=root)
        await slack.deletes(told)
        await slack.delivered()
        slack.again(late)
        await slack.delivered()

        assert await clew.store.unconfirmed(clew.adapter.platform) == []
        assert slack.replies("general", root) == []


async def test_what_people_delete_among_themselves_leaves_nothing_in_the_database() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        said = [await slack.says("ada", f"lunch {number}", mention=False) for number in range(5)]
        for ts in said:
            await slack.deletes(ts)
        await slack.delivered()

        for ts in said:
            assert not await clew.store.knows(clew.thread(ts), MessageId(ts))
