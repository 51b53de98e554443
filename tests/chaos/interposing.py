"""What bugs on purpose are made of: ends of the bot of which a part is exchanged."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

from bot.messages import Turn, TurnId
from bot.ports import Store

E = TypeVar("E")


class _Interposed:
    """An end of which some methods are exchanged."""

    def __init__(self, end: object, instead: Mapping[str, object]) -> None:
        self._end, self._instead = end, instead

    def __getattr__(self, name: str) -> object:
        return self._instead.get(name) or getattr(self._end, name)


def interposed(end: E, **instead: object) -> E:
    """*end* with something else in the place of some of its methods and parts."""
    return cast("E", _Interposed(end, instead))


def forgetting(change: Callable[[Turn], Turn]) -> Callable[[Store], Store]:
    """A store that, of the turns an earlier life left open, forgets something."""

    def wrap(store: Store) -> Store:
        left_open: set[TurnId] = set()

        async def running() -> Sequence[Turn]:
            found = [change(turn) for turn in await store.running()]
            left_open.update(turn.id for turn in found)
            return found

        async def turn(asked: Turn) -> Turn | None:
            found = await store.turn(asked)
            return change(found) if found is not None and found.id in left_open else found

        return interposed(store, running=running, turn=turn)

    return wrap
