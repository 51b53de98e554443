"""A thread of Slack."""

from collections.abc import Callable, Sequence

from adapters.slack.places import SLACK, place_of
from adapters.slack.reply import WORKING as SLACK_WORKING
from bot.commands import Command
from bot.messages import Thread
from tests.chaos.history import Said, Stood
from tests.chaos.places import Note, Place, joined
from tests.chaos.world import World
from tests.support.people.seen import without_remarks
from tests.support.people.slack import command_of
from tests.support.slack import Shown as SlackShown


class SlackPlace(Place):
    """A thread of a channel, or somebody's direct line to the bot."""

    def __init__(
        self, world: World, number: int, *, channel: str, is_direct: bool, mentions: Callable[[], bool]
    ) -> None:
        super().__init__(world, number)
        self._slack, self._is_direct, self._mentions = world.slack, is_direct, mentions
        self._place = self._slack.direct(channel) if is_direct else self._slack.channel(channel)

    async def _post(self, by: str, text: str, files: Sequence[Note]) -> tuple[str, float]:
        sent = [self._slack.uploads(name, data, by=by) for name, data in files]
        ts = await self._slack.says(
            by,
            text,
            channel=self._place,
            thread_ts=place_of(self.begun)[1] if self.begun else None,
            files=sent,
            mention=self._mentions() or not self._is_followed(),
        )
        if self.begun is None:
            self.begun = Thread(SLACK, self._slack.team_id, self._place, self._place if self._is_direct else ts)
        return ts, self.world.at(float(ts))

    def _is_followed(self) -> bool:
        """Whether the bot can know that the thread began with a mention of it; until then each needs one of its own."""
        first = self.said[0].id if self.said else None
        return any(delivery.ts == first and delivery.is_acknowledged for delivery in self._slack.deliveries)

    async def _edit(self, said: Said, text: str) -> None:
        named = f"<@{self._slack.bot_user_id}>"
        was = self._slack.find(said.id, self._place).text
        await self._slack.edits(said.id, f"{named} {text}" if named in was else text, channel=self._place)

    async def _delete(self, said: Said) -> None:
        await self._slack.deletes(said.id, channel=self._place)

    async def _command(self, by: str, command: Command) -> tuple[str, float, str | None]:
        place, thread_ts = place_of(self.thread)
        ts = await self._slack.says(by, command.value, channel=place, thread_ts=thread_ts)
        return ts, self.world.at(float(ts)), None

    def told(self, given: str) -> tuple[str, float] | None:
        shown = next((one for one in self._slack.replies(*place_of(self.thread)) if command_of(one) == given), None)
        return None if shown is None else (shown.text, self.world.at(float(shown.ts)))

    def is_late(self, said: Said) -> bool:
        handed = self.world.handed_over
        mine = handed.get(said.id)
        later = [handed.get(one.id) for one in self.said if one.at > said.at]
        return mine is None or any(other is not None and other < mine for other in later)

    def stood(self) -> list[Stood]:
        shown = [one for one in self._slack.replies(*place_of(self.thread)) if command_of(one) is None]
        return joined([(one.ts, without_remarks(one.text), _grows_in_slack(one)) for one in shown])

    def left(self) -> list[str]:
        place, thread_ts = place_of(self.thread)
        line = self._slack.status(place, thread_ts) if thread_ts else None
        return [f"the line {line!r} in {self.thread.key}"] if line else []


def _grows_in_slack(shown: SlackShown) -> bool:
    return shown.is_streaming or shown.text in {"", SLACK_WORKING} or "Stop" in {one.text for one in shown.buttons}
