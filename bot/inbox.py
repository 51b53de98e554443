"""What arrives: addressed to us? allowed? seen before? Stored; and only then acknowledged."""

import logging
from collections.abc import Callable

from bot.errors import StoreError
from bot.messages import Address, Message, MessageId, Thread
from bot.metrics import Metrics
from bot.policy import Policy
from bot.ports import MessageStore

logger = logging.getLogger(__name__)


class Inbox:
    """Takes messages from the adapters. When one of its methods returns, what it was told is durable.

    Args:
        wake: told, after a message was stored, that its thread has work.
    """

    def __init__(
        self, store: MessageStore, *, policy: Policy, wake: Callable[[Thread], None], metrics: Metrics
    ) -> None:
        self._store, self._policy, self._wake, self._metrics = store, policy, wake, metrics

    async def receive(self, message: Message) -> bool:
        """Store a message that is to be answered; False when there is nothing (more) to do about it.

        What the policy refuses is stored without a word of it, so that its author is told. Of what is said to others
        in a thread the bot takes part in, it is noted that it was said.

        Raises:
            StoreError: it is not stored. Do not acknowledge it; the platform will send it again.
        """
        refusal = self._policy.refusal(message)
        try:
            if not await self._is_addressed(message):
                await self._store.overhear(message)
                self._count(message, "unaddressed")
                return False
            is_new = await self._store.add(message, refusal=refusal)
        except StoreError as error:
            self._count(message, "lost")
            self._metrics.failures.labels(type(error).__name__).inc()
            logger.error("message not stored", extra={"thread_key": message.thread.key, "reason": str(error)})
            raise
        self._count(message, ("refused" if refusal else "stored") if is_new else "known")
        if is_new:
            self._wake(message.thread)
        return is_new

    async def _is_addressed(self, message: Message) -> bool:
        match message.address:
            case Address.DIRECT | Address.MENTION:
                return True
            case Address.OPEN:
                note = await self._store.note(message.thread)
                # What people said among themselves before the bot was called may be told late.
                was_said_before = note.since is not None and message.sent_at < note.since
                return self._policy.follows(note) and not was_said_before
            case Address.OTHERS:
                return False

    async def edit(self, thread: Thread, message: MessageId, text: str) -> bool:
        """Replace the text of a message that is still waiting; False when it is not."""
        return await self._store.edit(thread, message, text)

    async def withdraw(self, thread: Thread, message: MessageId) -> bool:
        """Take back a message that is still waiting; False when it is not."""
        return await self._store.withdraw(thread, message)

    def _count(self, message: Message, result: str) -> None:
        self._metrics.messages.labels(message.thread.platform, result).inc()
