"""Where features meet: tools of Gemini's and functions of ours in one answer, and what goes on from research."""

from typing import Any

from tests.end_to_end.scenes import Scene, everywhere
from tests.support.functions import MODULE
from tests.support.people.seen import whole

HURRIED = {"CLEW_RESEARCH_WAIT_SECONDS": "0", "CLEW_RESEARCH_POLL_SECONDS": "0.2"}


ALL = ["function", "google_search", "url_context"]


def types_of(create: Any) -> list[str]:
    """The types of all that was offered with a question, each once."""
    return sorted({tool["type"] for tool in create.get("tools", [])})


@everywhere
async def test_one_answer_rests_on_a_search_and_on_a_function_over_a_kill_and_research_is_gone_on_from_with_both(
    scene: Scene,
) -> None:
    people, gemini = scene.people, scene.model
    scene.settings |= {"CLEW_FUNCTIONS": MODULE, "CLEW_TOOLS": "google_search,url_context", **HURRIED}
    async with scene.clew() as clew:
        thread = (await people.says('call order with {"article": "a kite"}\nand search for red kites')).thread
        await people.asked(thread)
        clew.kill()
        await clew.ended()
    async with scene.clew():
        await people.presses("Approve", thread)
        seen = await people.looks(thread, whole(1))
        await people.says("research: how red kites fly", thread=thread)
        await people.looks(thread, lambda view: "What is known" in "\n".join(view.texts) and not view.is_working)
        await people.says("search for black kites", thread=thread)
        last = await people.looks(thread, lambda view: "black kites" in view.texts[-1] and not view.is_working)

    assert "order → a kite is on its way" in seen.texts[0]
    assert seen.texts[0].count("Google suggests") == 1
    assert "https://www.google.com/search?q=red%20kites" in seen.texts[0]
    for part in ("Sources", "black kites – an example", "Google suggests"):
        assert part in last.texts[-1]
    creates: list[Any] = gemini.creates
    made = [request.interaction for request in gemini.requests if request.is_create]
    assert [types_of(create) for create in creates] == [ALL, ALL, [], ALL]
    assert [create.get("previous_interaction_id") for create in creates] == [None, *made[:3]]
