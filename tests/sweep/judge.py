"""The judge of every death, whatever the story was."""

from bot.messages import Message, MessageId, Person, PersonId, Turn
from storage.sqlite import open_store
from tests.support.scripted import Asked
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
            kept: set[str | None] = {turn.interaction for turn in await store.transcript(ground.thread)}
            asked = {f"i{number}": one for number, one in enumerate(stage.model.asked, start=1)}
            # Where functions were called, an answer is made of several, each going on from the one before.
            for name, one in reversed(asked.items()):
                kept |= {one.after} if name in kept and isinstance(one.after, str) else set()
            names = {name for name, one in asked.items() if GREETING not in one.text}
            lost = [name for name in stage.model.relied_on if name in names and name not in kept]
            found += [f"{name} was bought again instead of fetched" for name in lost[stage.story.superseded :]]
    found += [f"{one.text[:40]!r} grows" for one in ground.shown if one.grows]
    return found


def still_asks(stage: Stage[G]) -> list[str]:
    """What could still be approved of."""
    return [f"{one.text[:40]!r} has buttons" for one in stage.ground.shown if {"Approve", "Decline"} & {*one.buttons}]


async def next_turn(stage: Stage[G]) -> Turn:
    """The turn that the next question would have."""
    thread = stage.ground.thread
    question = Message(thread, MessageId("9999999999.000100"), Person(PersonId("grace")), "and now?", 0.0)
    async with open_store(stage.url, keeps_text=frozenset()) as store:
        await store.add(question)
        claim = await store.claim(thread)
    assert claim is not None
    return claim.turn


async def remembered(stage: Stage[G]) -> list[Asked]:
    """What was told to the model in each interaction that the thread stands on in the end, oldest first."""
    asked = {f"i{number}": one for number, one in enumerate(stage.model.asked, start=1)}
    found: list[Asked] = []
    name = (await next_turn(stage)).previous
    while isinstance(name, str) and name in asked:
        found.insert(0, asked[name])
        name = found[0].after if isinstance(found[0].after, str) else None
    return found
