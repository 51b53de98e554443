"""What no event told of: messages of the time the bot was away, and those lost on the way."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.slack.catchup import CatchUp
from adapters.slack.places import SLACK
from adapters.slack.unheard import as_event
from bot.commands import Command
from bot.policy import Follow
from bot.watching import AGAIN
from tests.adapters.slack.catching import bot_at, hearing, reads
from tests.support.slack import (
    Clock,
    DropBefore,
    Limits,
    SaysError,
    SlackServer,
    TooMany,
    slack_server,
)

HOUR = 3600.0


@asynccontextmanager
async def watching(catch_up: CatchUp) -> AsyncIterator[None]:
    task = asyncio.ensure_future(catch_up.watching.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


# --- after a start ------------------------------------------------------------------------------


async def test_a_mention_of_the_time_it_was_down_is_found_once() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        async with hearing(bot):
            await slack.says("ada", "one")
        lost = await slack.says("ada", "two")
        await slack.says("ben", "not for you", mention=False)

        await bot.catch_up().run()
        await bot.catch_up().run()

        assert await bot.asked(bot.at.thread(ts=lost)) == ["two"]
        assert len(await bot.store.waiting()) == 2


async def test_what_was_said_in_direct_messages_is_found_in_its_order() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        dm = slack.direct("ada")
        async with hearing(bot):
            await slack.says("ada", "0", channel=dm)
        for number in range(1, 8):
            await slack.says("ada", str(number), channel=dm)

        await bot.catch_up().run()

        assert await bot.asked(bot.at.thread(dm)) == [str(number) for number in range(8)]


async def test_threads_that_moved_are_read_and_the_others_are_not() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        async with hearing(bot):
            moved, quiet, theirs = [await slack.says("ada", name) for name in ("moved", "quiet", "theirs")]
            chat = await slack.says("ben", "people among themselves", mention=False)
        slack.clock.advance(HOUR)
        await slack.says("ada", "more", thread_ts=moved, mention=False)
        called = await slack.says("ben", "and you?", thread_ts=chat)

        await bot.catch_up().run()

        assert await bot.asked(bot.at.thread(ts=moved)) == ["moved", "more"]
        assert await bot.asked(bot.at.thread(ts=chat)) == ["and you?"]
        assert called in bot.heard
        assert {call.text("ts") for call in slack.calls_of("conversations.replies")} == {moved, chat}
        assert not {quiet, theirs} & {name for name, _ in reads(slack)}


async def test_a_thread_that_hangs_from_an_old_post_is_read_while_it_is_active() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        async with hearing(bot):
            root = await slack.says("ada", "old")
            slack.clock.advance(30 * HOUR)
            await slack.says("ada", "today", thread_ts=root)
        slack.clock.advance(HOUR)
        await slack.says("ada", "lost", thread_ts=root, mention=False)

        await bot.catch_up().run()

        assert await bot.asked(bot.at.thread(ts=root)) == ["old", "today", "lost"]


async def test_a_reply_also_sent_to_the_channel_keeps_its_place_in_the_thread() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        async with hearing(bot):
            root = await slack.says("ada", "first")
        await slack.says("ada", "second", thread_ts=root, mention=False)
        await slack.says("ada", "third", thread_ts=root, broadcast=True)

        await bot.catch_up().run()

        assert await bot.asked(bot.at.thread(ts=root)) == ["first", "second", "third"]


async def test_what_is_too_old_is_left_unanswered() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        async with hearing(bot):
            await slack.says("ada", "heard")
        old = await slack.says("ada", "too old")
        slack.clock.advance(25 * HOUR)
        new = await slack.says("ada", "new enough")

        await bot.catch_up().run()

        assert (old in bot.heard, new in bot.heard) == (False, True)
        assert await bot.asked(bot.at.thread(ts=old)) == []


async def test_of_too_many_messages_the_newest_are_found() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        dm = slack.direct("ada")
        async with hearing(bot):
            await slack.says("ada", "heard", channel=dm)
        for number in range(700):
            await slack.says("ada", str(number), channel=dm)

        await bot.catch_up(most=20).run()

        assert await bot.asked(bot.at.thread(dm)) == ["heard", *(str(number) for number in range(680, 700))]


async def test_what_people_said_before_the_bot_was_called_is_not_taken_for_questions() -> None:
    async with slack_server() as slack, bot_at(slack, follow=Follow.ALWAYS) as bot:
        root = await slack.says("ada", "lunch?", mention=False)
        await slack.says("ben", "yes", thread_ts=root, mention=False)
        missed = await slack.says("ben", "what is open?", thread_ts=root)
        async with hearing(bot):
            await slack.says("ada", "are you there?", thread_ts=root)
        await slack.says("ada", "hello?", thread_ts=root, mention=False)

        await bot.catch_up().run()

        assert sorted(await bot.asked(bot.at.thread(ts=root))) == ["are you there?", "hello?", "what is open?"]
        assert missed in bot.heard


async def test_commands_of_the_time_it_was_down_are_carried_out() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        async with hearing(bot):
            root = await slack.says("ada", "hello")
        await slack.says("ada", "reset", thread_ts=root)

        await bot.catch_up().run()

        assert bot.commands == [Command.RESET]


async def test_what_came_in_after_the_start_does_not_hide_what_was_missed() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        async with hearing(bot):
            await slack.says("ada", "before")
        slack.clock.advance(HOUR)
        lost = await slack.says("ada", "while it was down")
        slack.clock.advance(HOUR)
        catch_up = bot.catch_up()
        await catch_up.note()
        async with hearing(bot):
            await slack.says("ben", "after the start")

        await catch_up.run()

        assert await bot.asked(bot.at.thread(ts=lost)) == ["while it was down"]


async def test_what_the_bot_and_other_bots_said_is_not_taken_for_questions() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        async with hearing(bot):
            root = await slack.says("ada", "hello")
        await bot.at.calls.call(
            "chat.postMessage", safe=False, channel=slack.channel("general"), thread_ts=root, text="my answer"
        )
        await slack.says("deploys", "done", thread_ts=root, kind="bot")
        await slack.joins("ben")

        await bot.catch_up().run()

        assert await bot.asked(bot.at.thread(ts=root)) == ["hello"]


@pytest.mark.parametrize("fault", [DropBefore(), TooMany(20), SaysError("internal_error")])
async def test_catching_up_goes_on_when_slack_is_back(fault: object) -> None:
    async with slack_server(clock=Clock(speed=500)) as slack, bot_at(slack) as bot:
        async with hearing(bot):
            root = await slack.says("ada", "heard")
        lost = await slack.says("ada", "lost")
        await slack.says("ada", "lost, too", thread_ts=root)
        slack.faults.arm("conversations.*", fault, times=40)  # type: ignore[arg-type]  # a fault

        await bot.catch_up().run()

        assert await bot.asked(bot.at.thread(ts=lost)) == ["lost"]
        assert await bot.asked(bot.at.thread(ts=root)) == ["heard", "lost, too"]


async def test_what_cannot_be_kept_now_is_found_again_later() -> None:
    async with slack_server(clock=Clock(speed=200)) as slack, bot_at(slack) as bot:
        dm = slack.direct("ada")
        async with hearing(bot):
            await slack.says("ada", "0", channel=dm)
        for number in range(1, 4):
            await slack.says("ada", str(number), channel=dm)
        bot.refuses = 2

        await bot.catch_up().run()

        assert await bot.asked(bot.at.thread(dm)) == ["0", "1", "2", "3"]


async def test_a_channel_the_bot_was_taken_out_of_does_not_hold_up_the_others() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        slack.channel("random")
        async with hearing(bot):
            await slack.says("ada", "here")
            await slack.says("ada", "there", channel="random")
        lost = await slack.says("ada", "lost")
        await slack.leaves(slack.bot_user_id, channel="random")

        await bot.catch_up().run()

        assert await bot.asked(bot.at.thread(ts=lost)) == ["lost"]
        refused = [call for call in slack.calls if call.outcome == "not_in_channel"]
        assert len(refused) <= 2  # the channel and its thread, and neither of them again


async def test_threads_of_another_installation_are_left_alone() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        ts = await slack.says("ada", "theirs")
        post = {"type": "message", "user": "U0ADA00000", "ts": ts, "text": f"<@{slack.bot_user_id}> theirs"}
        body = as_event(post, "C0ELSEWHER", bot.at.me)
        theirs = json.loads(json.dumps(body).replace(slack.team_id, "T0ANOTHER0"))
        assert await bot.accept(theirs)

        await bot.catch_up().run()

        assert [place.installation_id for place in await bot.store.places(SLACK)] == ["T0ANOTHER0"]
        assert reads(slack) == []


async def test_catching_up_asks_no_more_than_once_a_second() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        async with hearing(bot):
            roots = [await slack.says("ada", f"thread {number}") for number in range(10)]
        for root in roots:
            await slack.says("ada", "more", thread_ts=root, mention=False)

        await bot.catch_up().run()

        times = [at for _, at in reads(slack)]
        assert len(times) == 11
        # The server notes a call a moment after it was let go.
        assert min(later - earlier for earlier, later in itertools.pairwise(times)) > 0.8


async def test_catching_up_never_asks_more_than_slack_allows() -> None:
    async with slack_server(clock=Clock(speed=200), limits=Limits()) as slack, bot_at(slack) as bot:
        async with hearing(bot):
            roots = [await slack.says("ada", f"thread {number}") for number in range(70)]
        for root in roots:
            await slack.says("ada", "more", thread_ts=root, mention=False)

        await bot.catch_up(pace=0.0).run()

        assert {call.outcome for call in slack.calls} == {"ok"}
        for root in roots:
            assert len(await bot.asked(bot.at.thread(ts=root))) == 2


# --- for a while ----------------------------------------------------------------------------------


async def until_read(slack: SlackServer, number: int) -> list[float]:
    found = await slack.until(lambda: seen if len(seen := reads(slack)) >= number else None)
    return [at for _, at in found]


async def test_a_thread_just_answered_in_is_read_again_five_times() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        async with hearing(bot):
            root = await slack.says("ada", "hello")
        catch_up = bot.catch_up()
        async with watching(catch_up):
            began = slack.clock.now()
            catch_up.watching.watch(bot.at.thread(ts=root))

            times = await until_read(slack, 5)
            slack.clock.advance(HOUR)
            catch_up.watching.watch(
                bot.at.thread(ts="1.000000")
            )  # another one, so that something is read after that hour
            await slack.until(lambda: ("1.000000" in dict(reads(slack))) or None)

        assert [name for name, _ in reads(slack)][:5] == [root] * 5
        assert [name for name, _ in reads(slack)].count(root) == 5
        for at, after in zip(times, AGAIN, strict=True):
            assert 0 <= at - began - after < 5


async def test_what_is_said_meanwhile_begins_the_watch_anew() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        async with hearing(bot):
            root = await slack.says("ada", "hello")
        catch_up, thread = bot.catch_up(), bot.at.thread(ts=root)
        async with watching(catch_up):
            catch_up.watching.watch(thread)
            await until_read(slack, 2)
            again = slack.clock.now()
            catch_up.watching.watch(thread)
            times = await until_read(slack, 7)

        for at, after in zip(times[2:], AGAIN, strict=True):
            assert 0 <= at - again - after < 5


@pytest.mark.parametrize("where", ["a thread", "a direct message", "a thread of direct messages"])
async def test_an_event_that_was_lost_without_a_disconnect_is_found(where: str) -> None:
    async with slack_server() as slack, bot_at(slack) as bot, hearing(bot):
        channel = slack.channel("general") if where == "a thread" else slack.direct("ada")
        root = await slack.says("ada", "one", channel=channel)
        thread = bot.at.thread(channel, None if where == "a direct message" else root)
        inside = None if where == "a direct message" else root
        await slack.says("ada", "two", channel=channel, thread_ts=inside, mention=False)
        await slack.delivered()
        catch_up = bot.catch_up()
        async with watching(catch_up):
            catch_up.watching.watch(thread)
            slack.faults.events.lose = 1
            lost = await slack.says("ada", "lost", channel=channel, thread_ts=inside, mention=False)
            heard = await slack.says("ada", "heard", channel=channel, thread_ts=inside, mention=False)
            await bot.hears(lost)
            await bot.hears(heard)

        asked = await bot.asked(thread)
        assert sorted(asked) == sorted({"one", "two", "lost", "heard"} - ({"one"} if "of direct" in where else set()))


async def test_what_was_lost_while_the_answer_was_given_is_found_too() -> None:
    async with slack_server() as slack, bot_at(slack) as bot, hearing(bot):
        root = await slack.says("ada", "one")
        slack.faults.events.lose = 1
        lost = await slack.says("ada", "lost", thread_ts=root, mention=False)
        slack.clock.advance(120)  # the answer takes its time
        catch_up, thread = bot.catch_up(), bot.at.thread(ts=root)
        async with watching(catch_up):
            catch_up.watching.watch(thread)
            await bot.hears(lost)

        assert await bot.asked(thread) == ["one", "lost"]


async def test_many_watched_threads_share_one_request_a_second() -> None:
    async with slack_server(clock=Clock(speed=200), limits=Limits()) as slack, bot_at(slack) as bot:
        roots = [await slack.says("ada", f"thread {number}") for number in range(60)]
        catch_up = bot.catch_up()
        async with watching(catch_up):
            for root in roots:
                catch_up.watching.watch(bot.at.thread(ts=root))
            await slack.until(lambda: set(roots) <= {name for name, _ in reads(slack)} or None)

        times = [at for _, at in reads(slack)]
        assert times[-1] - times[0] >= len(times) - 2
        assert {call.outcome for call in slack.calls} <= {"ok", None}


async def test_of_too_many_threads_the_latest_are_watched() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        roots = [await slack.says("ada", f"thread {number}") for number in range(5)]
        catch_up = bot.catch_up(most_watched=2)
        async with watching(catch_up):
            for root in roots:
                catch_up.watching.watch(bot.at.thread(ts=root))
            await until_read(slack, 10)

        assert {name for name, _ in reads(slack)} == set(roots[-2:])


async def test_a_thread_is_read_again_when_slack_is_back_and_not_once_it_is_closed() -> None:
    async with slack_server(clock=Clock(speed=200)) as slack, bot_at(slack) as bot:
        async with hearing(bot):
            root, closed = [await slack.says("ada", name) for name in ("one", "two")]
        lost = await slack.says("ada", "lost", thread_ts=root, mention=False)
        slack.faults.arm("conversations.replies", SaysError("is_archived"), when=lambda call: call.text("ts") == closed)
        broken = 200  # for longer than the thread is watched
        slack.faults.arm("conversations.replies", DropBefore(), times=broken, when=lambda call: call.text("ts") == root)
        catch_up = bot.catch_up()
        async with watching(catch_up):
            catch_up.watching.watch(bot.at.thread(ts=closed))
            catch_up.watching.watch(bot.at.thread(ts=root))
            await bot.hears(lost)

        assert [name for name, _ in reads(slack)].count(closed) == 1


async def test_a_message_that_could_not_be_kept_is_looked_for_again() -> None:
    async with slack_server(clock=Clock(speed=200)) as slack, bot_at(slack) as bot:
        async with hearing(bot):
            root = await slack.says("ada", "one")
        lost = await slack.says("ada", "lost", thread_ts=root, mention=False)
        bot.refuses = 1
        catch_up = bot.catch_up()
        async with watching(catch_up):
            catch_up.watching.watch(bot.at.thread(ts=root))
            await bot.hears(lost)
