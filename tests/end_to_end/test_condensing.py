"""Long threads through the whole bot: condensed where nobody sees it, remembered and forgotten all the same."""

from typing import Any

from bot.commands import Command
from bot.messages import Thread
from bot.offline import SlowFault, StatusFault
from tests.end_to_end.scenes import Scene, everywhere
from tests.support.people.seen import View, whole

LIMIT = {"CLEW_CHAIN_TURNS": "2"}


def taken(scene: Scene) -> list[Any]:
    """The creates that Gemini did not refuse, in their order."""
    return [request.body for request in scene.model.requests if request.is_create and request.interaction]


def texts_of(create: Any) -> list[str]:
    """What a create said, a text for each step."""
    return ["\n".join(part["text"] for part in step["content"]) for step in create["input"]]


async def ask(scene: Scene, text: str, thread: Thread | None = None, *, number: int = 1) -> tuple[Thread, View]:
    """Ask something, and look when so many answers stand there."""
    thread = (await scene.people.says(text, thread=thread)).thread
    return thread, await scene.people.looks(thread, whole(number))


@everywhere
async def test_a_thread_is_summed_up_again_and_again_over_a_kill_and_early_facts_are_known(scene: Scene) -> None:
    facts = ["my name is Ada", *(f"fact {number:02}" for number in range(2, 7))]
    async with scene.clew(**LIMIT) as clew:
        thread, _ = await ask(scene, facts[0])
        await ask(scene, facts[1], thread, number=2)
        scene.model.faults.arm(SlowFault(0.1))
        await scene.people.says(facts[2], thread=thread)
        await scene.model.streaming(pieces=2, text="Sum up")
        clew.kill()
        await clew.ended()
    async with scene.clew(**LIMIT):
        await scene.people.looks(thread, whole(3))
        for number, fact in enumerate(facts[3:], 4):
            await ask(scene, fact, thread, number=number)
        _, seen = await ask(scene, "recall what I said", thread, number=7)
        kept = await scene.left_at_gemini()
        await scene.people.gives(Command.FORGET, thread)
        await scene.people.reads(thread, "I have forgotten this thread: 10 exchanges deleted")
        left = await scene.left_at_gemini()

    creates = taken(scene)
    begun = ["previous_interaction_id" not in create for create in creates]
    summed_up = [texts_of(create)[0].startswith("Sum up") for create in creates]
    # The summary that was being made when the process died was fetched, and not bought again.
    assert summed_up == [False, False, True, False, False, True, False, False, True, False]
    assert begun == [True, False, False, True, False, False, True, False, False, True]
    third = texts_of(creates[3])
    assert len(third) == 2
    assert "- " in third[0]
    assert facts[0] in third[0]
    assert len(texts_of(creates[4])) == 1
    assert [seen.texts[6].count(fact) for fact in facts] == [1] * 6
    assert not any("Sum up" in text or "summed" in text for text in seen.texts)
    assert (set(kept), set(left)) == ({200}, {404})


@everywhere
async def test_without_a_summary_and_with_another_model_questions_are_answered_all_the_same(scene: Scene) -> None:
    async with scene.clew(**LIMIT, GEMINI_FALLBACK_MODELS="gemini-3.8-flash"):
        scene.model.faults.arm(StatusFault(404, code="model_not_found"))
        thread, _ = await ask(scene, "my name is Ada")
        await ask(scene, "I keep bees", thread, number=2)
        scene.model.faults.arm(StatusFault(429))
        await ask(scene, "and a cat", thread, number=3)
        _, seen = await ask(scene, "recall what I said", thread, number=4)
    models = [create["model"] for create in scene.model.creates]
    log = (scene.folder / "log").read_text()

    assert models == ["gemini-3.5-flash-lite", *["gemini-3.8-flash"] * 6]
    assert "model unknown to Gemini, another one answers: set GEMINI_MODEL to one there is" in log
    assert "chain not condensed" in log
    assert "Ada" not in log
    for said in ("my name is Ada", "I keep bees", "and a cat"):
        assert seen.texts[3].count(said) == 1
    assert ["previous_interaction_id" in create for create in taken(scene)] == [False, True, True, True, False]
