"""The judge of every death, whatever the story was."""

from storage.sqlite import open_store
from tests.sweep.dying import G, Stage
from tests.sweep.ground import GREETING


async def amiss(stage: Stage[G]) -> list[str]:
    """What is not as it should be, in the store, at Gemini and on the platform, once nobody lives any more."""
    ground = stage.ground
    async with open_store(stage.url, keeps_text=frozenset()) as store:
        found = [f"{turn.state} turn" for turn in await store.running()]
        found += [f"work in {thread.key}" for thread in await store.waiting()]
        found += [f"not confirmed: {one.words}" for one in await store.unconfirmed(ground.platform)]
        found += [f"not placed: {one.id}" for one in await store.parcels(ground.platform)]
        found += [f"not forgotten: {thread.key}" for thread in await store.forgetting.to_forget()]
        known = {upload.name for upload in await store.uploads(ground.thread)}
        found += [f"a file that nobody knows of: {name}" for name in stage.model.shelf.keys() - known]
        found += await ground.amiss(store)
        if stage.story.is_fetched:
            kept = {turn.interaction for turn in await store.transcript(ground.thread)}
            asked = enumerate(stage.model.asked, start=1)
            names = {f"i{number}" for number, one in asked if GREETING not in one.text}
            lost = [name for name in stage.model.relied_on if name in names and name not in kept]
            found += [f"{name} was bought again instead of fetched" for name in lost[stage.story.superseded :]]
    found += [f"{one.text[:40]!r} grows" for one in ground.shown if one.grows]
    return found
