"""A thread of Discord."""

from collections.abc import Callable, Sequence

from adapters.discord.faces import WORKING as DISCORD_WORKING
from adapters.discord.format import OVERFLOW_NAME
from adapters.discord.history import ASIDE
from adapters.discord.places import DIRECT, DISCORD
from bot.commands import Command
from bot.messages import Thread
from tests.chaos.history import Said, Stood
from tests.chaos.places import Note, Place, joined
from tests.chaos.world import World
from tests.support.discord import Shown as DiscordShown
from tests.support.discord import made_at
from tests.support.people.seen import without_remarks


class DiscordPlace(Place):
    """A thread that the bot opens from a message in a channel, or somebody's direct line to it."""

    def __init__(
        self, world: World, number: int, *, channel: str, is_direct: bool, mentions: Callable[[], bool]
    ) -> None:
        super().__init__(world, number)
        self._discord, self._is_direct, self._mentions = world.discord, is_direct, mentions
        self._place = self._discord.direct(channel) if is_direct else self._discord.channel(channel)
        self._late: set[str] = set()

    async def is_there(self) -> None:
        here = self.thread.thread_id
        await self._discord.until(lambda: here in self._discord.world.channels or None, within=3600)

    async def _post(self, by: str, text: str, files: Sequence[Note]) -> tuple[str, float]:
        sent = [self._discord.uploads(name, data) for name, data in files]
        was_heard, faults = self._is_heard(), len(self._discord.faults.events.fired)
        id_ = await self._discord.says(
            by,
            text,
            channel=self.begun.thread_id if self.begun else self._place,
            mention=self.begun is None or self._mentions(),
            files=sent,
        )
        if not was_heard or len(self._discord.faults.events.fired) > faults:
            self._late.add(id_)
        if self.begun is None:
            installation = DIRECT if self._is_direct else self._discord.guild()
            self.begun = Thread(DISCORD, installation, self._place, self._place if self._is_direct else id_)
        return id_, self.world.at(made_at(id_))

    def _is_heard(self) -> bool:
        sockets = self._discord.sockets
        return bool(sockets) and not any(socket.is_half_open for socket in sockets)

    async def _edit(self, said: Said, text: str) -> None:
        named = f"<@{self._discord.bot_user_id}>"
        was = self._discord.message(said.id).content
        await self._discord.edits(said.id, f"{named} {text}" if named in was else text)

    async def _delete(self, said: Said) -> None:
        await self._discord.deletes(said.id)

    async def _command(self, by: str, command: Command) -> tuple[str, float, str | None]:
        id_ = await self._discord.says(by, command.value, channel=self.thread.thread_id, mention=not self._is_direct)
        return id_, self.world.at(made_at(id_)), None

    def told(self, given: str) -> tuple[str, float] | None:
        for one in self._replies():
            if one.reply_to == given and one.text.startswith(ASIDE):
                words = "\n".join(line.removeprefix(ASIDE) for line in one.text.splitlines())
                return words, self.world.at(made_at(one.id))
        return None

    def is_late(self, said: Said) -> bool:
        """What was on its way when the gateway was disturbed is told by a resume, or read later."""
        return said.id in self._late or any(-0.2 <= at - said.at <= 1.0 for at in self.world.disturbances)

    def _replies(self) -> Sequence[DiscordShown]:
        here = self.thread.thread_id
        return self._discord.replies(here) if here in self._discord.world.channels else []

    def stood(self) -> list[Stood]:
        shown = [one for one in self._replies() if not one.text.startswith(ASIDE)]
        return joined([(one.id, _text_in_discord(one), _grows_in_discord(one)) for one in shown])

    def left(self) -> list[str]:
        types = self._discord.typing(self.thread.thread_id) if self._replies() else None
        return [f"typing in {self.thread.key}"] if types is not None else []


def _text_in_discord(shown: DiscordShown) -> str:
    # What is too long for messages is read in the file under the last of them.
    files = [file.data.decode() for file in shown.files if file.name == OVERFLOW_NAME]
    return without_remarks(files[0] if files else shown.text)


def _grows_in_discord(shown: DiscordShown) -> bool:
    return shown.text == DISCORD_WORKING or "Stop" in shown.buttons
