"""Threads that are read before they are answered in: what was missed there comes first."""

import asyncio
from dataclasses import replace

import pytest

from adapters.slack.calls import RateLimited
from bot.policy import Follow
from tests.adapters.slack.catching import Bot, bot_at, hearing, reads
from tests.support.slack import Clock, DropBefore, Limits, SaysError, SlackServer, slack_server
from tests.support.slack_clew import failing

HOUR, DAY = 3600.0, 86_400.0


async def heard_and_missed(slack: SlackServer, bot: Bot, number: int) -> list[str]:
    """Threads that were begun while the bot heard it, and in which something was said when it did not."""
    async with hearing(bot):
        roots = [await slack.says("ada", f"thread {number}") for number in range(number)]
    for root in roots:
        await slack.says("ada", "missed", thread_ts=root, mention=False)
    return roots


async def test_a_thread_somebody_waits_for_is_read_before_all_others_and_only_once() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        *others, wanted = await heard_and_missed(slack, bot, 4)
        catch_up = bot.catch_up()
        await catch_up.note()

        await catch_up.hurry(bot.at.thread(ts=wanted))

        assert await bot.asked(bot.at.thread(ts=wanted)) == ["thread 3", "missed"]
        assert [name for name, _ in reads(slack)] == [wanted]
        await catch_up.run()
        assert sorted(call.text("ts") or "" for call in slack.calls_of("conversations.replies")) == [*others, wanted]


async def test_nobody_who_waits_is_held_up_by_the_pace_of_what_nobody_waits_for() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        roots = await heard_and_missed(slack, bot, 3)
        catch_up = bot.catch_up(pace=HOUR)
        await catch_up.note()

        for root in roots:
            await catch_up.hurry(bot.at.thread(ts=root))

        times = [at for _, at in reads(slack)]
        assert times[-1] - times[0] < HOUR


async def test_whoever_waits_for_the_same_thread_shares_one_reading() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        (root,) = await heard_and_missed(slack, bot, 1)
        catch_up, thread = bot.catch_up(), bot.at.thread(ts=root)
        await catch_up.note()

        await asyncio.gather(*(catch_up.hurry(thread) for _ in range(5)))

        assert await bot.asked(thread) == ["thread 0", "missed"]
        assert [name for name, _ in reads(slack)] == [root]


async def test_one_who_gives_up_waiting_leaves_the_thread_to_the_next() -> None:
    async with slack_server(clock=Clock(speed=50)) as slack, bot_at(slack) as bot:
        (root,) = await heard_and_missed(slack, bot, 1)
        catch_up, thread = bot.catch_up(), bot.at.thread(ts=root)
        await catch_up.note()
        slack.faults.arm("conversations.replies", SaysError("internal_error"), times=2)
        first = asyncio.ensure_future(catch_up.hurry(thread))
        await slack.until(lambda: reads(slack) or None)
        second = asyncio.ensure_future(catch_up.hurry(thread))
        first.cancel()

        await second

        assert first.cancelled()
        assert await bot.asked(thread) == ["thread 0", "missed"]


@pytest.mark.parametrize("is_direct", [False, True], ids=["a mention in a channel", "direct messages"])
async def test_the_first_message_is_found_with_what_follows_it(is_direct: bool) -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        channel = slack.direct("ada") if is_direct else slack.channel("general")
        async with hearing(bot):
            await slack.says("ada", "long ago", channel="general")
        root = await slack.says("ada", "first", channel=channel)
        await slack.says("ada", "second", channel=channel, thread_ts=None if is_direct else root, mention=False)
        catch_up, thread = bot.catch_up(), bot.at.thread(channel, None if is_direct else root)
        await catch_up.note()
        slack.clock.advance(HOUR)
        async with hearing(bot):
            await slack.says("ben", "third", channel=channel, thread_ts=None if is_direct else root)

        await catch_up.hurry(thread)

        assert await bot.asked(thread) == ["first", "second", "third"]


async def test_where_nothing_can_have_been_missed_nothing_is_asked() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        (moved,) = await heard_and_missed(slack, bot, 1)
        async with hearing(bot):
            quiet = await slack.says("ada", "quiet", channel=slack.channel("random"))
        catch_up = bot.catch_up()
        await catch_up.note()
        slack.clock.advance(2 * 60)
        async with hearing(bot):
            begun = await slack.says("ada", "begun since")
        elsewhere = replace(bot.at.thread(ts=moved), installation_id="T0ANOTHER0")
        never = bot.at.thread(slack.channel("never"), moved)

        for thread in (bot.at.thread(ts=begun), elsewhere, never):
            await catch_up.hurry(thread)

        assert reads(slack) == []
        await catch_up.run()
        before = len(reads(slack))
        for ts, channel in ((moved, "general"), (quiet, "random"), ("1000000000.000100", "general")):
            await catch_up.hurry(bot.at.thread(slack.channel(channel), ts))
        assert len(reads(slack)) == before


async def test_a_new_database_has_missed_nothing() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        root = await slack.says("ada", "before the first start")
        catch_up = bot.catch_up(channels=[slack.channel("general")])
        await catch_up.note()

        await catch_up.hurry(bot.at.thread(ts=root))
        await catch_up.hurry(bot.at.thread(slack.direct("ada")))

        assert reads(slack) == []


async def test_what_a_channels_top_level_tells_of_a_thread_is_not_asked_again() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        async with hearing(bot):
            old = await slack.says("ada", "older than a day")
            slack.clock.advance(30 * HOUR)
            still = await slack.says("ada", "still")
        slack.clock.advance(HOUR)
        lost = await slack.says("ben", "lost")  # what is found of it wakes its thread, which is read no further
        for text in ("lost, too", "and this"):  # what is found first wakes the thread while it is being read
            await slack.says("ada", text, thread_ts=old, mention=False)
        catch_up = bot.catch_up()
        waiting: list[asyncio.Task[None]] = []
        bot.woken = lambda thread: waiting.append(asyncio.ensure_future(catch_up.hurry(thread)))

        await catch_up.run()
        await asyncio.gather(*waiting)

        assert [call.text("ts") for call in slack.calls_of("conversations.replies")] == [old]
        assert len(waiting) == 3
        assert await bot.asked(bot.at.thread(ts=lost)) == ["lost"]
        assert await bot.asked(bot.at.thread(ts=still)) == ["still"]


@pytest.mark.parametrize("broken", [DropBefore(), SaysError("internal_error")])
async def test_a_wait_goes_on_until_slack_is_back(broken: object) -> None:
    async with slack_server(clock=Clock(speed=500)) as slack, bot_at(slack) as bot:
        (root,) = await heard_and_missed(slack, bot, 1)
        slack.faults.arm("conversations.replies", broken, times=20)  # type: ignore[arg-type]  # a fault
        catch_up = bot.catch_up()
        await catch_up.note()

        await catch_up.hurry(bot.at.thread(ts=root))

        assert await bot.asked(bot.at.thread(ts=root)) == ["thread 0", "missed"]


async def test_nobody_waits_for_what_slack_will_never_tell() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        (root,) = await heard_and_missed(slack, bot, 1)
        slack.faults.arm("conversations.replies", SaysError("is_archived"), times=1)
        catch_up, thread = bot.catch_up(), bot.at.thread(ts=root)
        await catch_up.note()

        await catch_up.hurry(thread)
        await catch_up.hurry(thread)

        assert [name for name, _ in reads(slack)] == [root]


async def test_what_cannot_be_kept_now_is_waited_for() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        (root,) = await heard_and_missed(slack, bot, 1)
        bot.refuses = 2
        catch_up = bot.catch_up()
        await catch_up.note()

        await catch_up.hurry(bot.at.thread(ts=root))

        assert await bot.asked(bot.at.thread(ts=root)) == ["thread 0", "missed"]


async def test_nothing_is_answered_before_the_store_could_say_how_far_slack_was_heard() -> None:
    async with slack_server() as slack, bot_at(slack) as bot:
        (root,) = await heard_and_missed(slack, bot, 1)
        whole, bot.store = bot.store, failing(bot.store, "places", times=3)
        catch_up = bot.catch_up()
        waiting = asyncio.ensure_future(catch_up.hurry(bot.at.thread(ts=root)))

        await asyncio.sleep(0)
        assert not waiting.done()
        await catch_up.run()
        await waiting

        bot.store = whole
        assert await bot.asked(bot.at.thread(ts=root)) == ["thread 0", "missed"]


async def test_of_a_flood_of_threads_the_first_come_first_and_others_who_ask_slack_are_not_held_up() -> None:
    """Sixty threads, of which fifty can be read in a minute."""
    async with slack_server(clock=Clock(speed=100), limits=Limits()) as slack, bot_at(slack) as bot:
        roots = await heard_and_missed(slack, bot, 60)
        catch_up = bot.catch_up()
        await catch_up.note()
        done: list[str] = []

        async def wait_for(root: str) -> None:
            await catch_up.hurry(bot.at.thread(ts=root))
            done.append(root)

        waiting = [asyncio.ensure_future(wait_for(root)) for root in roots]
        await slack.until(lambda: reads(slack) or None)
        turn = bot.at.calls.call(
            "conversations.replies", safe=True, channel=slack.channel("general"), ts=roots[-1], limit=1
        )
        assert (await turn)["messages"]
        before = len(done)
        await asyncio.gather(*waiting)

        assert before < 20
        assert {call.outcome for call in slack.calls} == {"ok"}
        first = [name for name, _ in reads(slack)]
        assert all(abs(first.index(root) - place) < 8 for place, root in enumerate(roots[:40]))
        assert await bot.asked(bot.at.thread(ts=roots[-1])) == ["thread 59", "missed"]


async def test_a_reading_that_had_to_wait_too_long_for_its_place_is_tried_again() -> None:
    async with slack_server(clock=Clock(speed=500)) as slack, bot_at(slack) as bot:
        (root,) = await heard_and_missed(slack, bot, 1)
        catch_up = bot.catch_up()
        await catch_up.note()
        bot.at.calls.budget.refused("conversations.replies", channel=None, retry_after=70.0)
        with pytest.raises(RateLimited):
            await bot.at.calls.call("conversations.replies", safe=True, within=30.0)

        await catch_up.hurry(bot.at.thread(ts=root))

        assert await bot.asked(bot.at.thread(ts=root)) == ["thread 0", "missed"]


async def test_what_was_passed_over_is_found_when_what_called_the_bot_comes_late() -> None:
    async with slack_server() as slack, bot_at(slack, follow=Follow.ALWAYS) as bot:
        async with hearing(bot):
            await slack.says("ada", "heard")
        catch_up = bot.catch_up()
        await catch_up.run()
        slack.clock.advance(DAY / 2)
        root = await slack.says("ada", "late")
        await slack.says("ada", "passed over", thread_ts=root, mention=False)
        thread, before = bot.at.thread(ts=root), len(reads(slack))
        slack.clock.advance(HOUR)

        bot.refuses = 1  # then it is still to be found
        catch_up.came_late(thread, float(root) - 1)
        await asyncio.gather(catch_up.hurry(thread), catch_up.hurry(thread))
        await catch_up.hurry(thread)

        assert await bot.asked(thread) == ["late", "passed over"]
        assert len(reads(slack)) == before + 2
