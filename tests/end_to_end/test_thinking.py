"""What the model thinks, as people on each platform see it while an answer is made, and no longer."""

from bot.offline import ThoughtFault
from tests.end_to_end.scenes import Scene, everywhere
from tests.support.people.seen import whole

SUMMARY = "**Weighing the *figs* <@U1>**\n\nThere are three of them, at https://example.com/figs."


@everywhere
async def test_what_the_model_thinks_is_shown_while_it_does_and_leaves_nothing_behind(scene: Scene) -> None:
    people = scene.people
    scene.model.faults.arm(ThoughtFault(SUMMARY, stalls=True))
    async with scene.clew():
        thread = (await people.says("how much are they?")).thread
        shown = await people.watches(thread, lambda words: "Weighing the figs" in words)
        before = await people.looks(thread)
        await scene.model.faults.stalled()  # the thought comes a few events before
        scene.model.faults.release()
        seen = await people.looks(thread, whole(1))
        await people.watches(thread, lambda words: words == "")

    assert "<@U1>" not in shown
    assert before.texts == []  # it is no message of its own
    assert before.is_working
    assert "how much are they?" in seen.texts[0]
    assert "figs" not in seen.texts[0]
