"""Bugs on purpose around what needs approval: the store in which it is noted tells or keeps something else."""

from collections.abc import Callable
from dataclasses import replace
from typing import cast

from bot.__main__ import Around
from bot.messages import Person, Thread, Turn
from bot.ports import Approval, ApprovalStore, Decided, Store


class _Exchanged:
    """Something of which a few attributes are others."""

    def __init__(self, whole: object, **instead: object) -> None:
        self._whole, self._instead = whole, instead

    def __getattr__(self, name: str) -> object:
        return self._instead.get(name) or getattr(self._whole, name)


def _around(exchange: Callable[[ApprovalStore], dict[str, object]]) -> Around:
    def wrap(store: Store) -> Store:
        approvals = _Exchanged(store.approvals, **exchange(store.approvals))
        return cast("Store", _Exchanged(store, approvals=approvals))

    return Around(store=wrap)


def approval_skipped() -> Around:
    """What needs approval counts as approved of, and nobody is asked."""

    def exchange(store: ApprovalStore) -> dict[str, object]:
        async def approval(turn: Turn, name: str) -> Approval:
            return replace(await store.approval(turn, name), approved=True)

        return {"approval": approval}

    return _around(exchange)


def approved_twice() -> Around:
    """What was about to be done when the process ended is done again after the restart."""

    def exchange(store: ApprovalStore) -> dict[str, object]:
        async def begin(turn: Turn, name: str) -> bool:
            await store.begin(turn, name)
            return True

        return {"begin": begin}

    return _around(exchange)


def anybody_approves() -> Around:
    """Whoever presses decides, whether they asked or not."""

    def exchange(store: ApprovalStore) -> dict[str, object]:
        async def decide(thread: Thread, name: str, *, approved: bool, person: Person | None = None) -> Decided:
            return await store.decide(thread, name, approved=approved)

        return {"decide": decide}

    return _around(exchange)
