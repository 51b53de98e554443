"""The threads somebody may mean who gives a slash command: those in which they asked something lately."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from adapters.slack.places import SLACK, place_of
from adapters.slack.workspace import Workspace
from bot.commands import Command
from bot.messages import Person, Platform, Thread, Turn

_AGE = 30 * 86_400.0  # seconds
_MOST_LOOKED_AT = 50  # threads of a channel
_MOST_SHOWN = 5
_CHOICE = "clew_choose_"  # an action id, with the command's name after it
_LABELS = {Command.RESET: "Reset", Command.RETRY: "Answer again", Command.QUIET: "Be quiet"}


class RecentStore(Protocol):
    """As far as slash commands need one."""

    async def active(self, platform: Platform, *, since: float) -> Sequence[Thread]: ...
    async def transcript(self, thread: Thread) -> Sequence[Turn]: ...
    async def running(self) -> Sequence[Turn]: ...


class Recent:
    """Finds somebody's threads and turns."""

    def __init__(self, store: RecentStore, me: Workspace, *, now: Callable[[], float] = time.time) -> None:
        self._store, self._me, self._now = store, me, now

    async def threads(self, channel_id: str, person: Person) -> list[Thread]:
        """The newest threads of a channel in which somebody asked something since the last reset."""
        active = await self._store.active(SLACK, since=self._now() - _AGE)
        here = [thread for thread in active if self._is_here(thread, channel_id)]
        found: list[Thread] = []
        for thread in here[:_MOST_LOOKED_AT]:
            if await self.asked_in(thread, person):
                found.append(thread)
            if len(found) == _MOST_SHOWN:
                break
        return found

    async def asked_in(self, thread: Thread, person: Person) -> bool:
        """Whether somebody has asked something in a thread since it was last reset."""
        turns = await self._store.transcript(thread)
        return any(turn.asker.id == person.id for turn in turns)

    async def running(self, channel_id: str, person: Person) -> list[Turn]:
        """What is being answered to somebody in a channel."""
        turns = await self._store.running()
        return [turn for turn in turns if self._is_here(turn.thread, channel_id) and turn.asker.id == person.id]

    def _is_here(self, thread: Thread, channel_id: str) -> bool:
        return (thread.platform, thread.installation_id, thread.channel_id) == (
            SLACK,
            self._me.installation_id,
            channel_id,
        )


def choice(command: Command, threads: Sequence[Thread], me: Workspace) -> Iterator[dict[str, Any]]:
    """Blocks that offer threads, with a button each. A thread is named by when it began, since no text is kept."""
    yield {"type": "section", "text": {"type": "mrkdwn", "text": "Which thread do you mean?"}}
    for thread in threads:
        channel, ts = place_of(thread)
        if ts is None:
            named = "Our conversation here"
        else:
            link = f"{me.url}archives/{channel}/p{ts.replace('.', '')}"
            began = ts.partition(".")[0]
            named = f"<!date^{began}^Thread of {{date_short_pretty}}, {{time}}^{link}|Thread {ts}>"
        yield {
            "type": "section",
            "text": {"type": "mrkdwn", "text": named},
            "accessory": {
                "type": "button",
                "action_id": f"{_CHOICE}{command.value}",
                "text": {"type": "plain_text", "text": _LABELS.get(command, command.value.capitalize())},
                "value": thread.key,
            },
        }


def read_choice(action_id: str) -> Command | None:
    """The command that a button of `choice` carries out; None for any other button."""
    if not action_id.startswith(_CHOICE):
        return None
    try:
        return Command(action_id.removeprefix(_CHOICE))
    except ValueError:
        return None
