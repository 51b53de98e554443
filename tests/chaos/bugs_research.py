"""Bugs on purpose in research: it costs dollars, and each of these costs more of them."""

from dataclasses import replace

from bot.__main__ import Around
from bot.messages import InteractionId, Turn
from bot.ports import Store
from tests.chaos.interposing import forgetting, interposed


def research_begun_twice() -> Around:
    """At the start it is forgotten that research was begun for an unfinished turn."""
    return Around(store=forgetting(lambda turn: replace(turn, agent=None, interaction=None, begun_at=None)))


def cancel_forgotten() -> Around:
    """What nobody waits for any more runs on at Gemini."""

    async def cancel(interaction: InteractionId) -> None:
        return

    return Around(model=lambda model: interposed(model, cancel=cancel))


def cap_ignored() -> Around:
    """Researches are counted, and nobody looks how many there were."""

    def wrap(store: Store) -> Store:
        async def researched() -> int:
            return 0

        async def researching(turn: Turn, agent: str, *, most: int) -> bool:
            return await store.runs.researching(turn, agent, most=1_000_000)

        return interposed(store, runs=interposed(store.runs, researched=researched, researching=researching))

    return Around(store=wrap)
