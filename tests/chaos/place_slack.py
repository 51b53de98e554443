"""A thread of Slack."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from adapters.slack.manifest import COMMAND
from adapters.slack.places import SLACK, place_of
from adapters.slack.reply import WORKING as SLACK_WORKING
from bot.commands import Command
from bot.messages import Thread
from tests.chaos.history import Gave, Said, Stood
from tests.chaos.places import REPORT, Given, Note, Place, Telling, joined, with_code
from tests.chaos.researches import FILE
from tests.chaos.world import World
from tests.support.people.seen import without_remarks
from tests.support.people.slack import command_of
from tests.support.slack import Shown as SlackShown

TOLD_WITHIN = 5.0  # seconds in which people look what a button does


@dataclass(frozen=True, slots=True)
class _Whispered:
    """Whoever pressed a button, and when in Slack's time: what they alone are shown from then on is about that."""

    by: str
    at: float


class SlackPlace(Place):
    """A thread of a channel, or somebody's direct line to the bot."""

    OF_DECISIONS = frozenset(
        {
            "Approved.",
            "Declined.",
            "Only the person who asked can decide that.",
            "There is nothing left to decide here.",
        }
    )
    """What is told about approvals, and no command."""

    def __init__(
        self, world: World, number: int, *, channel: str, is_direct: bool, mentions: Callable[[], bool]
    ) -> None:
        super().__init__(world, number, mentions=mentions)
        self._slack, self.is_direct = world.slack, is_direct
        self._whispered: list[_Whispered] = []
        self._place = self._slack.direct(channel) if is_direct else self._slack.channel(channel)

    async def _post(self, by: str, text: str, files: Sequence[Note], *, names: bool) -> tuple[str, float]:
        sent = [self._slack.uploads(name, data, by=by) for name, data in files]
        ts = await self._slack.says(
            by,
            text,
            channel=self._place,
            thread_ts=place_of(self.begun)[1] if self.begun else None,
            files=sent,
            mention=names,
        )
        if self.begun is None:
            self.begun = Thread(SLACK, self._slack.team_id, self._place, self._place if self.is_direct else ts)
        return ts, self.world.at(float(ts))

    def has_to_name(self) -> bool:
        return super().has_to_name() or self.is_direct

    async def _edit(self, said: Said, text: str) -> None:
        named = f"<@{self._slack.bot_user_id}>"
        was = self._slack.find(said.id, self._place).text
        await self._slack.edits(said.id, f"{named} {text}" if named in was else text, channel=self._place)

    async def _delete(self, said: Said) -> None:
        await self._slack.deletes(said.id, channel=self._place)

    async def _command(self, by: str, command: Command) -> Given:
        place, thread_ts = place_of(self.thread)
        return Given(await self._slack.says(by, command.value, channel=place, thread_ts=thread_ts))

    async def _press(self, by: str, command: Command) -> Given | None:
        label, shown = command.capitalize(), reversed(self._slack.replies(*place_of(self.thread)))
        buttons = [button for one in shown for button in one.buttons if button.text == label]
        if not buttons:
            return None
        since = _Whispered(by, self._slack.clock.now())
        self._whispered.append(since)
        feedback = await self._slack.clicks(buttons[0], by=by)
        if feedback.error is None:
            with suppress(TimeoutError):  # whoever presses one looks what comes of it
                await self._slack.until(lambda: self.told(since), within=TOLD_WITHIN)
        return Given(since, button=f"{label} {buttons[0].value}", is_taken=feedback.error is None)

    async def _type(self, by: str, command: Command) -> Given | None:
        place, thread_ts = place_of(self.thread)
        # Slack does not tell in which thread it was typed, so people say it with a link.
        link = f" {self._slack.url}/archives/{place}/p{thread_ts.replace('.', '')}" if thread_ts else ""
        feedback = await self._slack.slash(by, COMMAND, f"{command}{link}", channel=place)
        if feedback.text is None or feedback.text.startswith("One moment"):  # then it is said later, nobody knows when
            return Given(None, is_taken=feedback.error is None and feedback.text is None)
        return Given(None, (feedback.text, self.world.now))

    def told(self, by: object) -> Sequence[Telling]:
        if isinstance(by, _Whispered):
            later = [one.at for one in self._whispered if one.at > by.at and one.by == by.by]
            until = min(later, default=float("inf"))
            place, thread_ts = place_of(self.thread)
            alone = [one for one in self._slack.whispers(by.by, place) if one.thread_ts == thread_ts]
            alone = [one for one in alone if one.text not in self.OF_DECISIONS]
            said = [one for one in alone if by.at <= float(one.ts) < until]
        else:
            said = [one for one in self._slack.replies(*place_of(self.thread)) if command_of(one) == by is not None]
        return [(one.text, self.world.at(float(one.ts))) for one in said]

    def reports(self) -> int | None:
        shown = self._slack.replies(*place_of(self.thread))
        return sum(command_of(one) is not None and one.text.startswith(REPORT) for one in shown)

    def history(self) -> tuple[list[Said], list[Gave]]:
        """Of a direct line from which nothing reached the bot nothing is told: Slack lists its lines to no bot.

        Where it is heard of by a command alone, what was given there before is not told either.
        """
        said, gave = super().history()
        if self.is_direct and not self._was_heard():
            if not self._slack.replies(*place_of(self.thread)) and all(one.told is None for one in gave):
                return [], []
            heard_of = min((one.at for one in gave if one.told is not None), default=0.0)
            gave = [one for one in gave if one.at >= heard_of]
        return said, gave

    def _was_heard(self) -> bool:
        events = (one.payload.get("event", {}) for one in self._slack.deliveries if one.is_acknowledged)
        return any(event.get("channel") == self._place for event in events)

    def is_late(self, said: Said) -> bool:
        handed = self.world.handed_over
        mine, called = handed.get(said.id), handed.get(self.said[0].id)
        if mine is None:
            return True
        if not said.is_named and (called is None or called > mine):
            return True  # it was passed over, since nobody had called the bot yet, and is read later
        later = [handed.get(one.id) for one in self.said if one.at > said.at]
        return any(other is not None and other < mine for other in later)

    def stood(self) -> list[Stood]:
        shown = [one for one in self._slack.replies(*place_of(self.thread)) if command_of(one) is None]
        words = [one for one in shown if one.text or not one.files or {file.name for file in one.files} != {FILE}]
        return joined([(one.ts, _text_in_slack(one), _grows_in_slack(one)) for one in words])

    def saved(self) -> list[str]:
        files = [file for one in self._slack.replies(*place_of(self.thread)) for file in one.files]
        return [file.data.decode() for file in files if file.name == FILE]

    def left(self) -> list[str]:
        place, thread_ts = place_of(self.thread)
        # Where the first message was deleted before there was another, there is no thread that anybody could see.
        is_seen = thread_ts is not None and self._slack.transcript(place, thread_ts)
        line = self._slack.status(place, thread_ts or "") if is_seen else None
        return [f"the line {line!r} in {self.thread.key}"] if line else []


def _text_in_slack(shown: SlackShown) -> str:
    return with_code(without_remarks(shown.text), ((file.name, file.data) for file in shown.files))


def _grows_in_slack(shown: SlackShown) -> bool:
    is_empty = shown.text in {"", SLACK_WORKING} and not shown.files  # a file may come in a message of its own
    return shown.is_streaming or is_empty or "Stop" in {one.text for one in shown.buttons}
