"""What everybody expects everywhere: an answer in the thread, that remembers, over a kill, and what people press."""

from bot.commands import Command
from bot.offline import SlowFault
from tests.end_to_end.scenes import Scene, everywhere
from tests.support.people.seen import whole


@everywhere
async def test_a_thread_is_remembered_over_a_kill_in_the_middle_of_an_answer(scene: Scene) -> None:
    async with scene.clew() as clew:
        thread = (await scene.people.says("my name is Ada")).thread
        await scene.people.looks(thread, whole(1))
        scene.model.faults.arm(SlowFault(0.05))
        await scene.people.says("tell me about bees", thread=thread)
        await scene.model.streaming(pieces=3, text="bees")
        clew.kill()
        await clew.ended()
    async with scene.clew():
        await scene.people.looks(thread, whole(2))
        await scene.people.says("recall what I said", thread=thread)
        seen = await scene.people.looks(thread, whole(3))

    assert seen.texts[2].count("my name is Ada") == 1
    assert seen.texts[2].count("tell me about bees") == 1
    assert len(scene.model.creates) == 3  # the broken answer was fetched, not bought again


@everywhere
async def test_stop_keeps_what_was_said_retry_replaces_it_and_reset_forgets(scene: Scene) -> None:
    async with scene.clew():
        scene.model.faults.arm(SlowFault(0.1))
        thread = (await scene.people.says("count to 200")).thread
        await scene.model.streaming(pieces=5)
        await scene.people.presses("Stop", thread)
        stopped = await scene.people.looks(thread, whole(1))
        await scene.people.presses("Retry", thread)
        again = await scene.people.looks(thread, lambda view: whole(1)(view) and "199 200" in view.texts[0])
        confirmed = await scene.people.gives(Command.RESET, thread)
        await scene.people.says("recall what I said", thread=thread)
        seen = await scene.people.looks(
            thread, lambda view: whole(len(view.answers))(view) and "recall what I said" in view.texts[-1]
        )

    assert "199 200" not in stopped.texts[0]
    assert len(again.answers) == 1
    assert "afresh" in confirmed
    assert "count to 200" not in seen.texts[-1]
