"""What became of a command is said, once, whatever happens on the way."""

import asyncio
from collections.abc import Sequence

import pytest

from adapters.slack.places import SLACK
from bot.confirmations import Confirmations
from bot.errors import PlatformAway
from bot.messages import MessageId, Platform, Thread
from bot.ports import Unconfirmed

THREAD = Thread(SLACK, "T1", "C1", "1700000000.000100")
FIRST, SECOND = MessageId("1700000001.000100"), MessageId("1700000002.000100")


class Notes:
    """What is still to be said about commands, and a failure nobody foresaw."""

    def __init__(self, *commands: MessageId) -> None:
        self.unsaid = {command: Unconfirmed(THREAD, command, "Done.") for command in commands}
        self.fails_once = True
        self.is_empty = asyncio.Event()

    async def confirmed(self, thread: Thread, command: MessageId) -> None:
        if self.fails_once:
            self.fails_once = False
            raise ValueError("nobody foresaw this")
        self.unsaid.pop(command, None)
        if not self.unsaid:
            self.is_empty.set()

    async def unconfirmed(self, platform: Platform) -> Sequence[Unconfirmed]:
        return list(self.unsaid.values())


async def test_what_was_being_said_when_the_work_failed_is_said_when_it_is_begun_again() -> None:
    notes, said = Notes(FIRST, SECOND), list[MessageId]()
    is_waiting, is_back = asyncio.Event(), asyncio.Event()

    async def say(thread: Thread, command: MessageId, words: str) -> None:
        if command == SECOND:
            await is_waiting.wait()  # so that the work fails while the first is being said
        elif not is_back.is_set():
            raise PlatformAway("Slack is away")
        said.append(command)

    async def sleep(seconds: float) -> None:
        is_waiting.set()
        await is_back.wait()

    confirmations = Confirmations(notes, SLACK, say, sleep=sleep)
    with pytest.raises(ExceptionGroup):
        async with asyncio.timeout(30):
            await confirmations.run()
    is_back.set()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        again = group.create_task(confirmations.run())
        await notes.is_empty.wait()
        again.cancel()

    assert sorted(said) == [FIRST, SECOND]
