"""The commands as the composition root wires them, for every stage of the tests."""

import time
from collections.abc import Callable

from bot.commands import Approver, Commands, Forgetter
from bot.dispatch import Dispatcher
from bot.insight import Insight
from bot.messages import MessageId, Thread
from bot.policy import Policy
from bot.ports import Store
from bot.privacy import Privacy
from bot.reports import BEGUN
from tests.support.scripted import ScriptedModel


class OnlyBegins:
    """Says that a thread is being forgotten, and leaves it at that."""

    async def forget(self, thread: Thread, by: MessageId) -> str:
        return BEGUN


def commands_on(
    store: Store,
    model: ScriptedModel,
    dispatcher: Dispatcher,
    *,
    policy: Policy,
    forgetting: Forgetter | None = None,
    now: Callable[[], float] = time.time,
    approvals: Approver | None = None,
) -> Commands:
    """Every command there is."""
    return Commands(
        store,
        policy=policy,
        stop=dispatcher.stop,
        see_out=dispatcher.see_out,
        wake=dispatcher.wake,
        forgetting=forgetting or OnlyBegins(),
        privacy=Privacy(policy=policy, tier=None, retention_days=None, is_offline=False, keeps_text=frozenset()),
        insight=Insight(store=store, keeper=model, policy=policy, is_offline=False, now=now),
        approvals=approvals,
    )
