"""What became of commands, said once in the thread they were given in."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn, Protocol

from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import MessageId, Platform, Thread
from bot.ports import Unconfirmed

logger = logging.getLogger(__name__)

_MOST_SAID = 10_000  # commands remembered as confirmed; an event may come again for minutes
_PAUSE, _LONGEST_PAUSE = 2.0, 60.0  # seconds before what failed is tried again


def report_of(command: MessageId, begun_at: float) -> MessageId:
    """The name under which something more is said of a command, much later, and found where it was said.

    Args:
        begun_at: when it was begun to be carried out, in seconds since the epoch; nothing was said of it before.
    """
    return MessageId(f"{command}+{begun_at:.0f}")


def read_report(name: MessageId) -> tuple[MessageId, float] | None:
    """The command and the time that `report_of` named; None for the name of a command itself."""
    command, plus, begun_at = name.rpartition("+")
    return (MessageId(command), float(begun_at)) if plus and begun_at.isdigit() else None


class ConfirmingStore(Protocol):
    """As far as confirmations need one."""

    async def confirmed(self, thread: Thread, command: MessageId) -> None: ...
    async def unconfirmed(self, platform: Platform) -> Sequence[Unconfirmed]: ...


class Confirmations:
    """Says what became of commands, until it is said; each of them is a task of its own.

    Args:
        say: posts it, once, as `Adapter.confirm` does.
    """

    def __init__(
        self,
        store: ConfirmingStore,
        platform: Platform,
        say: Callable[[Thread, MessageId, str], Awaitable[None]],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store, self._platform, self._say, self._sleep = store, platform, say, sleep
        self._waiting: asyncio.Queue[Unconfirmed] = asyncio.Queue()
        self._known: OrderedDict[tuple[Thread, MessageId], bool] = OrderedDict()  # whether it was said

    def add(self, thread: Thread, command: MessageId, words: str) -> None:
        """Something is to be said; at once, and nothing the second time, since a command may come twice."""
        self._waiting.put_nowait(Unconfirmed(thread, command, words))

    async def run(self) -> NoReturn:
        """Say what an earlier process left unsaid, or an earlier run, and then what is added, until cancelled."""
        # Nobody sees to the others any more, and the store tells of them again.
        self._known = OrderedDict((key, is_said) for key, is_said in self._known.items() if is_said)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._recall())
            while True:
                one = await self._waiting.get()
                key = one.thread, one.command
                is_said = self._known.get(key)
                if is_said is None:
                    self._remember(key, is_said=False)
                    group.create_task(self._see_through(one))
                elif is_said:
                    # It was noted anew with the event that came again.
                    group.create_task(self._note(one))

    async def _recall(self) -> None:
        pause = _PAUSE
        while True:
            try:
                for one in await self._store.unconfirmed(self._platform):
                    self._waiting.put_nowait(one)
            except StoreError as error:
                logger.warning("confirmations not read", extra={"reason": str(error)})
                await self._sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                return

    async def _see_through(self, one: Unconfirmed) -> None:
        fields = {"thread_key": one.thread.key, "command": one.command}
        pause = _PAUSE
        while True:
            try:
                await self._say(one.thread, one.command, one.words)
                break
            except PlatformAway as error:
                logger.info("command not confirmed yet", extra={**fields, "reason": str(error)})
            except PlatformError as error:
                logger.warning("command not confirmed", extra={**fields, "reason": str(error)})
                break
            except Exception:
                logger.exception("confirmation failed in a way nobody foresaw", extra=fields)
                break
            await self._sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        self._remember((one.thread, one.command), is_said=True)
        await self._note(one)

    async def _note(self, one: Unconfirmed) -> None:
        try:
            await self._store.confirmed(one.thread, one.command)
        except StoreError as error:
            # The next start looks into the thread and finds it said.
            logger.warning("confirmation not noted", extra={"thread_key": one.thread.key, "reason": str(error)})

    def _remember(self, key: tuple[Thread, MessageId], *, is_said: bool) -> None:
        self._known[key] = is_said
        self._known.move_to_end(key)
        while len(self._known) > _MOST_SAID:
            self._known.popitem(last=False)
