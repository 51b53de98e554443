"""Forgetting as the composition root wires it, for every stage of the tests."""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager

from bot.dispatch import Dispatcher
from bot.forgetting import Forgetting, Patience, open_forgetting
from bot.messages import Platform, Thread
from bot.metrics import Metrics
from bot.ports import Adapter, Store
from tests.support.scripted import ScriptedModel

BRISK = Patience(call=20.0, tries=3, pause=0.01, longest_pause=0.05, look=0.01)
"""Everything is tried again at once."""


def forgetting_on(
    store: Store,
    model: ScriptedModel,
    dispatcher: Dispatcher,
    adapters: Mapping[Platform, Adapter],
    metrics: Metrics,
    *,
    keeps_text: frozenset[Platform] = frozenset(),
    others: Mapping[Platform, Callable[[Thread], Awaitable[None]]] | None = None,
    now: Callable[[], float] = time.time,
) -> AbstractAsyncContextManager[Forgetting]:
    """What forgets threads, on a model that keeps both interactions and files."""
    return open_forgetting(
        store=store.forgetting,
        model=model,
        shelf=model,
        adapters=adapters,
        others=others or {},
        stop=dispatcher.stop,
        metrics=metrics,
        keeps_text=keeps_text,
        patience=BRISK,
        now=now,
    )
