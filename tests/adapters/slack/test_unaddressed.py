"""Channels the bot is in and was never addressed in: what was asked there while it was down is found, too."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.messages import MessageId, Thread
from bot.policy import Follow
from bot.ports import Store
from tests.adapters.slack.catching import Bot, bot_at, hearing, reads
from tests.support.slack import Clock, DropBefore, SaysError, SlackServer, slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on, interposed, until_logged

HOUR = 3600.0


@asynccontextmanager
async def bot_heard_in_general(slack: SlackServer, *, follow: Follow = Follow.SMART) -> AsyncIterator[Bot]:
    """A bot that was asked something in one channel and then went down."""
    async with bot_at(slack, follow=follow) as bot:
        async with hearing(bot):
            await slack.says("ada", "hello")
        yield bot


async def test_a_mention_in_a_channel_the_bot_was_never_addressed_in_is_found_once() -> None:
    async with slack_server() as slack, bot_heard_in_general(slack) as bot:
        random = slack.channel("random")
        lost = await slack.says("ada", "anybody?", channel=random)
        await slack.says("ben", "not for you", channel=random, mention=False)

        await bot.catch_up(channels=[random]).run()
        await bot.catch_up(channels=[random]).run()

        assert await bot.asked(bot.at.thread("random", lost)) == ["anybody?"]
        assert len(await bot.store.waiting()) == 2


async def test_whoever_invites_the_bot_while_it_is_down_is_answered_once_when_it_is_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with slack_server(scopes=ALL_SCOPES) as slack:
        async with clew_on(slack, url=url):
            ts = await slack.says("ada", "one")
            await slack.shown("general", ts)
            await slack.delivered()
        slack.mute_events()
        slack.channel("random")
        await slack.joins(slack.bot_user_id, channel="random")
        asked = await slack.says("ben", "welcome! what is a clew?", channel="random")
        slack.mute_events(False)
        for _ in range(2):
            async with clew_on(slack, url=url) as clew, until_logged("caught up"):
                await slack.shown("random", asked)

        assert len(slack.replies("random", asked)) == 1
        assert clew.model.asked == []


async def test_a_mention_in_other_peoples_thread_of_such_a_channel_is_found() -> None:
    async with slack_server() as slack, bot_heard_in_general(slack) as bot:
        random = slack.channel("random")
        moved = await slack.says("ada", "lunch?", channel=random, mention=False)
        still = await slack.says("ada", "dinner?", channel=random, mention=False)
        await slack.says("ben", "no", channel=random, thread_ts=still, mention=False)
        slack.clock.advance(HOUR)
        async with hearing(bot):
            await slack.says("ada", "hello again")
        called = await slack.says("ben", "what do you think?", channel=random, thread_ts=moved)

        await bot.catch_up(channels=[random]).run()

        assert await bot.asked(bot.at.thread("random", moved)) == ["what do you think?"]
        assert called in bot.heard
        assert {call.text("ts") for call in slack.calls_of("conversations.replies")} == {moved}


async def test_what_people_said_to_each_other_there_is_not_taken_for_questions() -> None:
    async with slack_server() as slack, bot_heard_in_general(slack, follow=Follow.ALWAYS) as bot:
        random = slack.channel("random")
        root = await slack.says("ada", "lunch?", channel=random, mention=False)
        await slack.says("ben", "yes", channel=random, thread_ts=root, mention=False)
        await slack.says("ada", "where?", channel=random, thread_ts=root, mention=False)

        await bot.catch_up(channels=[random]).run()

        assert not (await bot.store.note(bot.at.thread("random", root))).is_known
        assert len(await bot.store.waiting()) == 1


async def test_with_a_new_database_no_channel_is_read_and_no_old_mention_answered() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        general = slack.channel("general")
        await slack.says("ada", "was anybody here before me?")

        await bot.catch_up(channels=[general]).run()

        assert reads(slack) == []
        assert await bot.store.waiting() == []


async def test_what_was_asked_there_before_the_bot_was_last_heard_anywhere_is_not_looked_for() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        random, lunch = slack.channel("random"), slack.channel("lunch")
        async with hearing(bot):
            await slack.says("ada", "hello", channel=lunch)
        before = await slack.says("ada", "before", channel=random)
        slack.clock.advance(HOUR)
        async with hearing(bot):
            await slack.says("ada", "hello")
        slack.clock.advance(HOUR)
        after = await slack.says("ada", "after", channel=random)

        await bot.catch_up(channels=[random]).run()

        assert (before in bot.heard, after in bot.heard) == (False, True)


async def test_what_is_too_old_is_not_looked_for_there_either() -> None:
    async with slack_server() as slack, bot_heard_in_general(slack) as bot:
        random = slack.channel("random")
        old = await slack.says("ada", "too old", channel=random)
        slack.clock.advance(25 * HOUR)
        new = await slack.says("ada", "new enough", channel=random)

        await bot.catch_up(channels=[random]).run()

        assert (old in bot.heard, new in bot.heard) == (False, True)


async def test_a_direct_message_that_is_listed_is_read_whole() -> None:
    async with slack_server() as slack, bot_heard_in_general(slack) as bot:
        direct = slack.direct("ben")
        await slack.says("ben", "hello", channel=direct)
        await slack.says("ben", "are you there?", channel=direct)

        await bot.catch_up(channels=[direct]).run()

        assert await bot.asked(bot.at.thread(direct)) == ["hello", "are you there?"]


async def test_the_channels_and_threads_it_knows_come_first_at_the_same_pace() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        names = [slack.channel(name) for name in ("random", "lunch", "music")]
        async with hearing(bot):
            root = await slack.says("ada", "hello")
        await slack.says("ada", "more", thread_ts=root, mention=False)
        for name in names:
            await slack.says("ada", "anybody?", channel=name)

        await bot.catch_up(channels=[*names, slack.channel("general")]).run()

        assert [what for what, _ in reads(slack)] == [slack.channel("general"), root, *names]
        times = [at for _, at in reads(slack)]
        # The server notes a call a moment after it was let go.
        assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.8


@pytest.mark.parametrize("fault", [SaysError("not_in_channel"), DropBefore()])
async def test_a_channel_that_cannot_be_read_does_not_hold_up_the_others(fault: SaysError | DropBefore) -> None:
    async with slack_server(clock=Clock(speed=500)) as slack, bot_heard_in_general(slack) as bot:
        closed, random = slack.channel("closed"), slack.channel("random")
        lost = await slack.says("ada", "anybody?", channel=random)
        slack.faults.arm("conversations.history", fault, times=30, when=lambda call: call.text("channel") == closed)

        await bot.catch_up(channels=[closed, random]).run()

        assert lost in bot.heard


async def test_a_question_heard_there_after_the_start_does_not_hide_what_was_missed_from_the_next_start(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with slack_server() as slack:
        random = slack.channel("random")
        async with bot_at(slack, url=url) as bot:
            async with hearing(bot):
                await slack.says("ada", "hello")
            slack.clock.advance(HOUR)
            missed = await slack.says("ada", "missed", channel=random)
            also = await slack.says("ada", "missed, too", channel=slack.channel("lunch"))
            slack.clock.advance(HOUR)
            await bot.catch_up(channels=[random]).note()
            async with hearing(bot):
                await slack.says("ada", "heard", channel=random)
        # It died before anything was read.
        async with bot_at(slack, url=url) as bot:
            await bot.catch_up(channels=[random, slack.channel("lunch")]).run()

            assert await bot.asked(bot.at.thread("random", missed)) == ["missed"]
            assert await bot.asked(bot.at.thread("lunch", also)) == ["missed, too"]


async def test_help_that_was_given_in_such_a_channel_is_not_given_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    was_seen_to = asyncio.Event()

    def telling(store: Store) -> Store:
        async def confirmed(thread: Thread, command: MessageId) -> None:
            await store.confirmed(thread, command)
            was_seen_to.set()

        return interposed(store, confirmed=confirmed)

    async with slack_server(scopes=ALL_SCOPES) as slack:
        slack.channel("random")
        async with clew_on(slack, url=url):
            await slack.shown("general", await slack.says("ada", "one"))
            asked = await slack.says("ada", "help", channel="random")
            await slack.shown("random", asked)
            await slack.delivered()
        async with clew_on(slack, url=url, wrap=telling), asyncio.timeout(30):
            await was_seen_to.wait()

        assert len(slack.replies("random", asked)) == 1
