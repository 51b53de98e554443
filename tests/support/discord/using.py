"""What people do with the app itself: commands, menus, buttons; and files to say something with."""

from tests.support.discord.cdn import Cdn
from tests.support.discord.files import SPOILER, File, kind_of
from tests.support.discord.interactions import Button, Interaction, Interactions, Value, read_buttons
from tests.support.discord.json_types import JsonObject
from tests.support.discord.messages import Message
from tests.support.discord.world import World

BY_NAME = "by its name"
WAVEFORM = bytes(range(0, 256, 16))


class Using:
    """People are named by a name or an id, as in `Acts`."""

    def __init__(self, world: World, interactions: Interactions, cdn: Cdn) -> None:
        self._world, self._interactions, self._cdn = world, interactions, cdn

    # --- commands and buttons -------------------------------------------------------------------

    async def uses(self, user: str, command: str, /, *, in_: str = "general", **options: Value) -> Interaction:
        """Somebody gives a slash command; returns once the app has answered, or failed to for three seconds.

        Args:
            in_: the channel, thread or DM; a command may have an option `channel`.
            options: by name; a file comes from `uploads`.

        Raises:
            LookupError: nobody is offered that there: not registered, no such option, an archived thread.
        """
        channel = self._world.channel(in_)
        return await self._interactions.use(self._world.user(user), command, channel, options)

    async def picks(self, user: str, command: str, message_id: str) -> Interaction:
        """Somebody picks a command from the menu of a message."""
        return await self._interactions.pick(self._world.user(user), command, self._find(message_id))

    async def presses(self, user: str, button: Button) -> Interaction:
        """Somebody presses a button of a message; what comes back is what they see at once."""
        return await self._interactions.press(self._world.user(user), button)

    def buttons(self, message_id: str) -> list[Button]:
        """The buttons under a message, in reading order."""
        return read_buttons(self._find(message_id))

    def button(self, message_id: str, label: str) -> Button:
        """The button of that label. Raises LookupError when there is none."""
        buttons = self.buttons(message_id)
        for button in buttons:
            if button.label == label:
                return button
        raise LookupError(f"no button {label!r}, only {[button.label for button in buttons]}")

    @property
    def interactions(self) -> list[Interaction]:
        """Everything that was ever used, picked or pressed, oldest first."""
        return self._interactions.all

    @property
    def commands(self) -> list[JsonObject]:
        """The commands that are registered for all guilds and DMs."""
        return self._interactions.commands.registered()

    @property
    def command_writes(self) -> list[JsonObject]:
        """Every registration that was tried: a bot that syncs only what changed writes once."""
        return self._interactions.commands.writes

    @property
    def most_followups(self) -> int | None:
        """One more is 40094; [1] it is 5 where the app is only installed by a user, and without a limit elsewhere."""
        return self._interactions.most_followups

    @most_followups.setter
    def most_followups(self, most: int | None) -> None:
        self._interactions.most_followups = most

    # --- files ----------------------------------------------------------------------------------

    def uploads(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str | None = BY_NAME,
        size: int | None = None,
        description: str | None = None,
        spoiler: bool = False,
        voice_seconds: float | None = None,
        dimensions: tuple[int, int] | None = None,
        url: str | None = None,
    ) -> File:
        """A file to say something with, or to give to a command ([6]).

        Args:
            content_type: None is missing; anything else stands as it is, right or wrong.
            size: what the attachment claims; the bytes may be more.
            voice_seconds: makes it what a voice message carries.
            dimensions: width and height of an image.
            url: where it is said to be; `elsewhere` gives an address that is not Discord's.
        """
        width, height = dimensions or (None, None)
        is_voice = voice_seconds is not None
        return self._cdn.make(
            f"{SPOILER}{name}" if spoiler else name,
            data,
            content_type=kind_of(name) if content_type == BY_NAME else content_type,
            size=size,
            description=description,
            duration=voice_seconds,
            waveform=WAVEFORM if is_voice else None,
            width=width,
            height=height,
            url=url,
        )

    def takes_back(self, file: File) -> None:
        """A file is gone; its address answers 404."""
        file.is_gone = True

    def elsewhere(self, name: str) -> str:
        """An address on a host that is not Discord's; see `foreign_visits`."""
        return self._cdn.elsewhere(name)

    @property
    def foreign_visits(self) -> list[tuple[str, str | None]]:
        """Fetches from where other people's hosts would be: path and Authorization header."""
        return self._cdn.foreign_visits

    @property
    def cdn(self) -> Cdn:
        """For how long addresses are good (`life`), and how an old one is refused (`expired_status`)."""
        return self._cdn

    def _find(self, message_id: str) -> Message:
        for channel in self._world.channels.values():
            if message_id in channel.messages:
                return channel.messages[message_id]
            for message in channel.ephemerals:
                if message.id == message_id:
                    return message
        raise LookupError(f"no message {message_id}")
