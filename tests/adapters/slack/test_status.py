"""The line that says that work goes on: gone when the answer stands, whoever set it and however late."""

from adapters.slack.growing import Pace
from adapters.slack.reply import STOPPED, WAITING, WORKING
from bot.answers import Answered, Stopped
from tests.adapters.slack.replying import desk
from tests.support.slack import Slow

STATUS = "assistant.threads.setStatus"


async def test_a_status_that_is_slow_does_not_come_after_the_answer() -> None:
    async with desk() as place:
        place.slack.faults.arm(STATUS, Slow(1.0, acts_first=False))
        turn = await place.asked()
        async with place.answering(turn) as grown:
            await place.slack.until(lambda: place.slack.calls_of(STATUS))
            grown.says("Quick.")
            await grown.reply.end(Answered(grown.draft.answer))
            await place.slack.received(STATUS)
            # A process that ends here takes nothing away any more.
            assert place.slack.status("general", turn.thread.thread_id) is None


async def test_a_status_of_an_earlier_process_goes_with_the_end_of_the_answer_that_is_taken_up() -> None:
    async with desk() as place:
        turn = await place.begun(await place.asked())
        async with place.answering(turn) as grown:
            grown.says("A beginning.")
            await place.shown(turn, "A beginning.")
        channel, ts = turn.thread.channel_id, turn.thread.thread_id
        await place.calls.call(STATUS, safe=True, channel_id=channel, thread_ts=ts, status="is thinking…")

        async with place.answering(await place.again(turn)) as grown:
            grown.says("A beginning. And the end.")
            await grown.reply.end(Answered(grown.draft.answer))

        assert [one.text for one in place.replies(turn)] == ["A beginning. And the end."]
        assert place.slack.status("general", ts) is None


async def test_nothing_says_that_work_goes_on_while_somebody_is_waited_for() -> None:
    async with desk() as place:
        turn, channel = await place.asked(), place.slack.direct("ada")
        thread_ts = turn.thread.thread_id
        async with place.answering(turn) as grown:
            await place.slack.until(lambda: place.slack.status("general", thread_ts))
            grown.waits(True)
            await place.slack.until(lambda: place.slack.status("general", thread_ts) is None)
            grown.waits(False)
            await place.slack.until(lambda: place.slack.status("general", thread_ts))
            grown.says("Yes.")
            await grown.reply.end(Answered(grown.draft.answer))
        line = await place.asked(channel=channel)
        async with place.answering(line) as grown:
            await place.shown(line, WORKING, channel)
            grown.waits(True)
            await place.shown(line, WAITING, channel)
            grown.waits(False)
            await place.shown(line, WORKING, channel)
            grown.waits(True)
            await place.shown(line, WAITING, channel)
            await grown.reply.end(Stopped(grown.draft.answer))

        assert [one.text for one in place.replies(line, channel)] == [STOPPED]


async def test_nothing_is_done_over_and_over_while_somebody_is_waited_for_before_there_is_a_word() -> None:
    async with desk() as place:
        reads, channel = 0, place.slack.direct("ada")
        line = await place.asked(channel=channel)

        def clock() -> float:
            nonlocal reads
            reads += 1
            return place.slack.clock.now()

        async with place.answering(line, pace=Pace(sign=0.0), clock=clock) as grown:
            grown.waits(True)
            place.slack.faults.arm("auth.test", Slow(3.0))
            before = reads
            await place.calls.call("auth.test", safe=True)
            meanwhile = reads - before
            await grown.reply.end(Stopped(grown.draft.answer))

    assert meanwhile < 100
