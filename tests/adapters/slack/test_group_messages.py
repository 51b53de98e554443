"""Group direct messages: several people and the bot, who has to be mentioned there as in a channel."""

import asyncio

import pytest

from adapters.slack.manifest import COMMAND
from bot.answers import TextPiece
from bot.messages import MessageId, Thread
from tests.support.scripted import answer
from tests.support.slack import SlackServer, Twins, Variants, slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on

EVERY_ORDER = pytest.mark.parametrize("twins", [Twins.MENTION_FIRST, Twins.MESSAGE_FIRST, Twins.ONLY_MESSAGE])


def said(slack: SlackServer, group: str, ts: str | None = None) -> list[str]:
    """The first lines of what the bot said in a thread of the group, or at its top level."""
    return [one.text.partition("\n")[0] for one in slack.replies(group, ts)]


def thread(slack: SlackServer, group: str, ts: str) -> Thread:
    return Thread.from_key(f"slack:{slack.team_id}:{group}:{ts}")


@EVERY_ORDER
async def test_a_mention_is_answered_once_in_the_thread_under_it(twins: Twins) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        group = slack.group_direct("ada", "bob")
        ts = await slack.says("ada", "hello", channel=group, twins=twins)
        await slack.shown(group, ts)
        await slack.delivered()

        assert said(slack, group, ts) == ["answer 1 to hello"]
        assert said(slack, group) == [], "nothing stands at the top level"
        assert await clew.store.transcript(thread(slack, group, ts))
    assert [asked.text for asked in clew.model.asked] == ["hello"]


async def test_what_people_say_to_each_other_is_left_alone() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        group = slack.group_direct("ada", "bob")
        ts = await slack.says("ada", "lunch?", channel=group, mention=False)
        await slack.says("bob", "yes", channel=group, mention=False)
        await slack.says("bob", "where?", channel=group, thread_ts=ts, mention=False)
        word = await slack.says("bob", "reset", channel=group, thread_ts=ts, mention=False)
        await slack.delivered()

        assert said(slack, group, ts) == said(slack, group) == []
        assert slack.statuses == []
        is_new = await clew.store.reset(thread(slack, group, ts), MessageId(word))
        assert is_new, "the word alone was no command"
    assert clew.model.asked == []


async def test_a_thread_that_began_with_a_mention_goes_on_without_one() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        group = slack.group_direct("ada", "bob")
        ts = await slack.says("ada", "hello", channel=group)
        await slack.shown(group, ts)
        await slack.says("bob", "and I?", channel=group, thread_ts=ts, mention=False)
        await slack.shown(group, ts, whole=2)
        await slack.says("bob", f"<@{slack.person('ada')}> look", channel=group, thread_ts=ts, mention=False)
        other = await slack.says("bob", "at the top level", channel=group, mention=False)
        await slack.delivered()

        assert said(slack, group, ts) == ["answer 1 to hello", "answer 2 to and I?"]
        assert said(slack, group, other) == []
    assert [asked.after for asked in clew.model.asked] == [None, "i1"]


async def test_every_mention_at_the_top_level_begins_a_conversation_of_its_own() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        group = slack.group_direct("ada", "bob")
        for text in ("one", "two"):
            ts = await slack.says("ada", text, channel=group)
            await slack.shown(group, ts)

    assert [(asked.text, asked.after) for asked in clew.model.asked] == [("one", None), ("two", None)]


async def test_called_into_a_thread_it_has_read_it_and_waits_for_the_next_mention() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        group = slack.group_direct("ada", "bob")
        ts = await slack.says("ada", "lunch at noon?", channel=group, mention=False)
        await slack.says("bob", "who decides?", channel=group, thread_ts=ts)
        await slack.shown(group, ts)
        await slack.says("ada", "never mind", channel=group, thread_ts=ts, mention=False)
        await slack.delivered()

        assert len(slack.replies(group, ts)) == 1
    (asked,) = clew.model.asked
    assert "lunch at noon?" in f"{asked.history}\n{asked.text}"


@pytest.mark.parametrize("streams", [True, False])
async def test_the_answer_grows_there_as_a_stream_or_by_edits(streams: bool) -> None:
    # [12] whether Slack streams in group messages is not confirmed.
    variants = Variants(streams_in=frozenset({"channel", "mpim"} if streams else {"channel"}))
    async with slack_server(scopes=ALL_SCOPES, variants=variants) as slack, clew_on(slack) as clew:
        group, go_on = slack.group_direct("ada", "bob"), asyncio.Event()
        script = answer("i1", "Half of it")
        clew.model.will(*script[:2], go_on, TextPiece(", and the whole."), script[2])
        ts = await slack.says("ada", "hello", channel=group)
        (growing,) = await slack.shown(group, ts, lambda seen: bool(seen) and "Half" in seen[0].text)
        go_on.set()
        (whole,) = await slack.shown(group, ts, lambda seen: "Retry" in {one.text for one in seen[0].buttons})

        assert growing.is_streaming is streams
        assert whole.ts == growing.ts
        assert whole.text.startswith("Half of it, and the whole.")


async def test_commands_work_there() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        group = slack.group_direct("ada", "bob")
        ts = await slack.says("ada", "hello", channel=group)
        await slack.shown(group, ts)
        told = await slack.slash("ada", COMMAND, "reset", channel=group)
        (offer,) = slack.whispers("ada")
        assert told.error is None
        assert [button.value for button in offer.buttons] == [thread(slack, group, ts).key]

        await slack.says("bob", "reset", channel=group, thread_ts=ts)
        shown = await slack.shown(group, ts, whole=2)
        assert shown[1].text.startswith("This thread starts afresh")
        await slack.says("ada", "who am I?", channel=group, thread_ts=ts)
        await slack.shown(group, ts, whole=3)
    assert clew.model.asked[1].after is None
