"""The whole core, on a store in memory (or a file), with a scripted model and a scripted platform."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from bot.approvals import Approvals
from bot.attachments import ONLY_INLINE, Intake
from bot.background import Background
from bot.cancelling import open_cancelling
from bot.commands import Command, Commands
from bot.condensing import Condensing
from bot.dispatch import Dispatcher, open_dispatcher
from bot.function_runs import Functions
from bot.inbox import Inbox
from bot.limits import Limits
from bot.messages import Address, Attachment, Message, MessageId, Turn, TurnId
from bot.metrics import Metrics
from bot.places import Places
from bot.policy import Policy
from bot.ports import Store
from bot.research import Research
from bot.responder import Responder
from bot.tools import NO_TOOLS, Toolbox
from storage.sqlite import open_store
from tests.support.commanding import commands_on
from tests.support.forgetting import forgetting_on
from tests.support.scripted import TEST, ScriptedAdapter, ScriptedModel, message, thread_named

PATIENT = Limits(
    refused=20.0, silent=20.0, turn=60.0, first_pause=0.01, longest_pause=0.05, takes=5, poll=0.01, warning=0.0
)
"""Retries come at once; nothing is given up because a machine is busy, or a test holds an answer back."""


@dataclass
class Core:
    """The core and the two ends a test holds it by."""

    store: Store
    model: ScriptedModel
    adapter: ScriptedAdapter
    inbox: Inbox
    commands: Commands
    dispatcher: Dispatcher
    metrics: Metrics
    _commands_given: int = 0

    async def says(
        self,
        text: str,
        *,
        id_: str | None = None,
        thread: str = "t1",
        by: str = "ada",
        attachments: tuple[Attachment, ...] = (),
        address: Address = Address.DIRECT,
        is_root: bool = False,
        sent_at: float | None = None,
    ) -> Message:
        """Somebody says something, now unless it is told when, and it is in the inbox."""
        said = message(
            text,
            id_=id_,
            thread=thread_named(thread),
            by=by,
            attachments=attachments,
            address=address,
            is_root=is_root,
        )
        if sent_at is not None:
            said = replace(said, sent_at=sent_at)
        await self.inbox.receive(said)
        return said

    async def tells(
        self, command: Command, *, thread: str = "t1", id_: str | None = None, turn: TurnId | None = None
    ) -> str:
        """Somebody gives a command."""
        self._commands_given += 1
        return await self.commands.run(
            command, thread_named(thread), MessageId(id_ or f"command-{self._commands_given}"), turn=turn
        )

    async def ended(self, number: int, *, thread: str | None = None) -> list[Turn]:
        """The turns that have ended and not been superseded, once there are *number* of them."""
        place = thread_named(thread or "t1")
        turns: list[Turn] = []

        async def enough() -> bool:
            turns[:] = [turn for turn in await self.store.transcript(place) if turn.ended_at is not None]
            return len(turns) >= number

        await self.adapter.until(enough)
        return turns

    def shown(self, thread: str = "t1") -> list[str]:
        """What stands in a thread, in the order in which it was first shown."""
        return self.adapter.texts_in(thread_named(thread))


@asynccontextmanager
async def core(
    *,
    limits: Limits = PATIENT,
    policy: Policy | None = None,
    concurrency: int = 1000,
    drain: float = 1.0,
    inline_limit: int = 1000,
    url: str = "sqlite:///:memory:",
    model: ScriptedModel | None = None,
    keeps_text: bool = True,
    intake: Callable[[Store], Intake] = lambda store: ONLY_INLINE,
    links: bool = False,
    toolbox: Toolbox = NO_TOOLS,
    daily_research: int = 5,
    functions: Functions | None = None,
    wrap: Callable[[Store], Store] = lambda store: store,
    clock: Callable[[], float] = time.monotonic,
) -> AsyncIterator[Core]:
    """A running core. Leaving it drains it, as a shutdown would.

    Args:
        wrap: put around the store.
    """
    async with open_store(url, keeps_text=frozenset({TEST} if keeps_text else ())) as opened, AsyncExitStack() as stack:
        store = wrap(opened)
        metrics, model = Metrics(), model or ScriptedModel()
        adapter = ScriptedAdapter(store)
        policy, places = policy or Policy(), Places(concurrency, metrics=metrics)
        approvals = Approvals(store.approvals, {TEST: adapter}, parked=places.parked)
        cancelling = await stack.enter_async_context(
            open_cancelling(store=store.runs, model=model, limits=limits, metrics=metrics, pause=0.01)
        )
        background = Background(
            model=model,
            store=store.runs,
            limits=limits,
            metrics=metrics,
            left=cancelling.wake,
            parked=places.parked,
        )
        responder = Responder(
            store=store,
            model=model,
            model_name="scripted",
            image_model="painter",
            adapters={TEST: adapter},
            limits=limits,
            inline_limit=inline_limit,
            intake=intake(store),
            condensing=Condensing(model=model, keeper=model, store=store.chains, limits=limits, metrics=metrics),
            background=background,
            research=Research(
                agent="researcher",
                daily=daily_research,
                store=store.runs,
                background=background,
                limits=limits,
                metrics=metrics,
            ),
            links=links,
            toolbox=toolbox,
            functions=functions,
            approvals=approvals,
            policy=policy,
            metrics=metrics,
            clock=clock,
        )
        async with (
            open_dispatcher(
                store=store,
                responder=responder,
                policy=policy,
                metrics=metrics,
                catch_up=adapter.catch_up,
                limits=limits,
                places=places,
                drain=drain,
                pause=0.01,
                longest_pause=0.05,
            ) as dispatcher,
            forgetting_on(
                store, model, dispatcher, {TEST: adapter}, metrics, keeps_text=frozenset({TEST} if keeps_text else ())
            ) as forgetting,
        ):
            await dispatcher.take_up()
            await forgetting.take_up()
            cancelling.take_up()
            yield Core(
                store=store,
                model=model,
                adapter=adapter,
                inbox=Inbox(store, policy=policy, wake=dispatcher.wake, metrics=metrics),
                commands=commands_on(
                    store, model, dispatcher, policy=policy, forgetting=forgetting, approvals=approvals
                ),
                dispatcher=dispatcher,
                metrics=metrics,
            )
