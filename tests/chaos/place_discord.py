"""A thread of Discord."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from adapters.discord.application import ASK, RESEARCH
from adapters.discord.faces import WORKING as DISCORD_WORKING
from adapters.discord.format import OVERFLOW_NAME
from adapters.discord.history import ASIDE
from adapters.discord.places import DIRECT, DISCORD
from bot.commands import Command
from bot.messages import Thread
from tests.chaos.history import Gave, Said, Stood
from tests.chaos.places import REPORT, Given, Note, Place, Telling, joined, with_code
from tests.chaos.researches import FILE
from tests.chaos.world import World
from tests.support.discord import Interaction, made_at
from tests.support.discord import Shown as DiscordShown
from tests.support.people.seen import without_remarks

_MESSAGE = 4  # the type of a first answer that says something
SHOWN_WITHIN = 10.0  # seconds in which people look whether what they typed is shown


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question by command."""

    interaction: Interaction
    by: str
    tag: str
    at: float


class DiscordPlace(Place):
    """A thread that the bot opens from a message in a channel, or somebody's direct line to it."""

    def __init__(
        self, world: World, number: int, *, channel: str, is_direct: bool, mentions: Callable[[], bool]
    ) -> None:
        super().__init__(world, number, mentions=mentions)
        self._discord, self.is_direct = world.discord, is_direct
        self._place = self._discord.direct(channel) if is_direct else self._discord.channel(channel)
        self._late: set[str] = set()
        self._asked: list[_Asked] = []

    async def is_there(self) -> None:
        here = self.thread.thread_id
        await self._discord.until(lambda: here in self._discord.world.channels or None, within=3600)

    async def _post(self, by: str, text: str, files: Sequence[Note], *, names: bool) -> tuple[str, float]:
        sent = [self._discord.uploads(name, data) for name, data in files]
        was_heard, faults = self._is_heard(), len(self._discord.faults.events.fired)
        id_ = await self._discord.says(
            by,
            text,
            channel=self.begun.thread_id if self.begun else self._place,
            mention=names,
            files=sent,
        )
        if not was_heard or len(self._discord.faults.events.fired) > faults:
            self._late.add(id_)
        if self.begun is None:
            installation = DIRECT if self.is_direct else self._discord.guild()
            self.begun = Thread(DISCORD, installation, self._place, self._place if self.is_direct else id_)
        return id_, self.world.at(made_at(id_))

    def has_to_name(self) -> bool:
        return super().has_to_name() or self.is_direct

    def _is_heard(self) -> bool:
        sockets = self._discord.sockets
        return bool(sockets) and not any(socket.is_half_open for socket in sockets)

    async def _edit(self, said: Said, text: str) -> None:
        named = f"<@{self._discord.bot_user_id}>"
        was = self._discord.message(said.id).content
        await self._discord.edits(said.id, f"{named} {text}" if named in was else text)

    async def _delete(self, said: Said) -> None:
        await self._discord.deletes(said.id)

    async def _command(self, by: str, command: Command) -> Given:
        here = self.thread.thread_id
        return Given(await self._discord.says(by, command.value, channel=here, mention=not self.is_direct))

    async def _press(self, by: str, command: Command) -> Given | None:
        label = command.capitalize()
        shown = next((one for one in reversed(self._replies()) if label in one.buttons), None)
        if shown is None:
            return None
        button = self._discord.button(shown.id, label)
        interaction = await self._discord.presses(by, button)
        return Given(interaction, button=button.custom_id, is_taken=interaction.is_acknowledged)

    async def _type(self, by: str, command: Command) -> Given | None:
        try:
            interaction = await self._discord.uses(by, command.value, in_=self.thread.thread_id)
        except LookupError:
            return None  # it is offered to nobody: there is no such command, or the thread is in the archive
        return Given(interaction, is_taken=interaction.is_acknowledged)

    def told(self, by: object) -> Sequence[Telling]:
        if isinstance(by, Interaction):
            return [*_told_alone(by, self.world), *self.told(by.id)]
        said = [one for one in self._replies() if one.reply_to == by is not None and one.text.startswith(ASIDE)]
        told = [(_large(one.text), self.world.at(made_at(one.id))) for one in said]
        # The report answers the command as well: where it came first, nothing more is said.
        return [one for one in told if not one[0].startswith(REPORT)] or told[:1]

    def reports(self) -> int | None:
        return sum(one.text.startswith(f"{ASIDE}{REPORT}") for one in self._replies())

    # --- questions by command -----------------------------------------------------------------------

    async def asks(self, by: str, tag: str, text: str, *, research: bool = False) -> bool:
        """Somebody types it after /ask or /research. False when they are shown that it got nowhere."""
        here, at = self.thread.thread_id, self.world.now
        try:
            if research:
                interaction = await self._discord.uses(by, RESEARCH, in_=here, prompt=text)
            else:
                interaction = await self._discord.uses(by, ASK, in_=here, text=text)
        except LookupError:
            return True
        asked = _Asked(interaction, by, tag, at)
        self._asked.append(asked)
        with suppress(TimeoutError):  # whoever asks so looks at it before they go on
            await self._discord.until(lambda: self._showing(asked), within=SHOWN_WITHIN)
        return interaction.is_acknowledged

    def asker_of(self, tag: str) -> str:
        return next((asked.by for asked in self._asked if asked.tag == tag), "") or super().asker_of(tag)

    def _showing(self, asked: "_Asked") -> list[DiscordShown]:
        """The messages that show a question: one when all is well."""
        return [one for one in self._replies() if one.text.startswith(ASIDE) and asked.tag in one.text]

    def history(self) -> tuple[list[Said], list[Gave]]:
        """A question by command was said where it is shown.

        Of a direct line in which the bot heard nothing at all nothing is told: Discord names its lines to no bot. Nor
        does it where one is heard of by a command alone, so what was given there before is not told either.
        """
        said, gave = super().history()
        if self.is_direct and all(one.id in self._late for one in said):
            if not self._replies():
                return [], []
            heard_of = min((one.at for one in gave if one.told is not None), default=0.0)
            gave = [one for one in gave if one.at >= heard_of]
        for asked in self._asked:
            for one in self._showing(asked)[:1]:
                at = self.world.at(made_at(one.id))
                said = [*said, Said(self.thread, one.id, asked.by, [asked.tag], at, is_late=self._was_disturbed(asked))]
        return said, gave

    def _was_disturbed(self, asked: "_Asked") -> bool:
        """Whether it may have been taken up later than it stands: when the bot died before it was shown, for one."""
        ends = [*self.world.disturbances, *(life.ended for life in self.world.lives)]
        return asked.interaction.has_failed or any(asked.at - 1.0 <= at <= asked.at + SHOWN_WITHIN for at in ends)

    # ----------------------------------------------------------------------------------------------

    def is_late(self, said: Said) -> bool:
        """What was on its way when the gateway was disturbed, or the bot died, is told by a resume, or read later."""
        ends = (life.ended for life in self.world.lives)
        disturbed = any(-0.2 <= at - said.at <= 1.0 for at in (*self.world.disturbances, *ends))
        return said.id in self._late or disturbed

    def _replies(self) -> Sequence[DiscordShown]:
        here = self.thread.thread_id
        return self._discord.replies(here) if here in self._discord.world.channels else []

    def stood(self) -> list[Stood]:
        shown = [one for one in self._replies() if not one.text.startswith(ASIDE)]
        return joined([(one.id, _text_in_discord(one), _grows_in_discord(one)) for one in shown])

    def saved(self) -> list[str]:
        return [file.data.decode() for one in self._replies() for file in one.files if file.name == FILE]

    def left(self) -> list[str]:
        types = self._discord.typing(self.thread.thread_id) if self._replies() else None
        done = [by for by, _ in self.gave if isinstance(by, Interaction)] + [one.interaction for one in self._asked]
        left = [f"{one.name} is thought about in {self.thread.key}" for one in done if one.is_thinking]
        left += [f"{one.tag} is shown twice" for one in self._asked if len(self._showing(one)) > 1]
        return left + [f"typing in {self.thread.key}"] * (types is not None)


def _told_alone(interaction: Interaction, world: World) -> Sequence[Telling]:
    """What whoever gave a command is shown of it; when is not known where they were told to wait at first."""
    shown = interaction.original
    if not interaction.is_acknowledged or shown is None or interaction.is_thinking or shown is interaction.source:
        return ()
    has_waited = interaction.answered_with != _MESSAGE
    return [(shown.content, float("inf") if has_waited else world.at(made_at(shown.id)))]


def _large(small: str) -> str:
    return "\n".join(line.removeprefix(ASIDE) for line in small.splitlines())


def _text_in_discord(shown: DiscordShown) -> str:
    # What is too long for messages is read in the file under the last of them.
    files = [file.data.decode() for file in shown.files if file.name == OVERFLOW_NAME]
    text = without_remarks(files[0] if files else shown.text)
    return with_code(text, ((file.name, file.data) for file in shown.files))


def _grows_in_discord(shown: DiscordShown) -> bool:
    return shown.text == DISCORD_WORKING or "Stop" in shown.buttons
