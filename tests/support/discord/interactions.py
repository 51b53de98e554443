"""Commands, message menus and buttons: what people do, and how long the app has to answer ([4])."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

from tests.support.discord.cdn import Cdn
from tests.support.discord.channels import Channel
from tests.support.discord.commands_api import CHAT_INPUT, IN_DM, IN_GUILD, MESSAGE, Commands
from tests.support.discord.events import Events
from tests.support.discord.files import FILE_LIMIT, File
from tests.support.discord.json_types import JsonObject
from tests.support.discord.messages import Flag, Message
from tests.support.discord.payloads import Payloads
from tests.support.discord.permissions import Permission
from tests.support.discord.refusal import Refused
from tests.support.discord.users import User
from tests.support.discord.world import World

ACKNOWLEDGE_WITHIN = 3.0  # [4]
TOKEN_LIFE = 900.0  # [4]
STRING, INTEGER, BOOLEAN, USER_OPTION, CHANNEL_OPTION, NUMBER, ATTACHMENT = 3, 4, 5, 6, 7, 10, 11

Value: TypeAlias = str | int | float | bool | File


class Deed(IntEnum):
    """What somebody did."""

    COMMAND = 2
    COMPONENT = 3


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press under a message."""

    label: str
    custom_id: str
    message: Message = field(repr=False, compare=False)
    is_disabled: bool = False
    style: int = 2


@dataclass(slots=True, eq=False)
class Interaction:
    """One act of a person, and what the app made of it.

    Attributes:
        token: good for 15 minutes, if the first answer came within three seconds.
        source: the message whose button was pressed, or whose menu was opened.
        answered_with: the type of the first answer: 4 a message, 5 "thinking", 6 nothing yet, 7 a changed message.
        original: what the first answer shows or will show; a pressed button's own message after 6 and 7.
        followups: further messages, oldest first.
        has_failed: nobody answered in time, and the person reads "The application did not respond".
    """

    id: str
    token: str
    kind: Deed
    name: str
    command_type: int
    person: User
    channel: Channel
    at: float
    source: Message | None = None
    answered_with: int | None = None
    original: Message | None = None
    is_original_deleted: bool = False
    followups: list[Message] = field(default_factory=list)
    has_failed: bool = False

    @property
    def is_acknowledged(self) -> bool:
        return self.answered_with is not None

    @property
    def is_thinking(self) -> bool:
        """Whether the person still reads "Clew is thinking..."."""
        return self.original is not None and Flag.LOADING in self.original.flags and not self.is_original_deleted

    @property
    def text(self) -> str:
        """What the first answer says now. Raises LookupError when there is none."""
        if self.original is None or self.is_original_deleted:
            raise LookupError(f"{self.name} has no answer")
        return self.original.content


class Interactions:
    """Builds what people do into events, and keeps what became of them.

    Attributes:
        most_followups: one more is refused with 40094; [1] it is 5 where the app is only installed by a user.
    """

    def __init__(self, world: World, payloads: Payloads, commands: Commands, cdn: Cdn, events: Events) -> None:
        self._world, self._payloads, self.commands, self._cdn, self._events = world, payloads, commands, cdn, events
        self.all: list[Interaction] = []
        self.most_followups: int | None = None

    # --- acts -----------------------------------------------------------------------------------

    async def use(self, person: User, name: str, channel: Channel, options: Mapping[str, Value]) -> Interaction:
        """Give a slash command. Raises LookupError when the client would not offer it there."""
        self._must_be_offered(person, channel)
        command = self.commands.find(name, CHAT_INPUT, channel.guild_id)
        chosen, resolved = self._chosen(command, channel, options)
        data = self._named(command) | {"options": chosen} | ({"resolved": resolved} if resolved else {})
        return await self._hand(self._new(Deed.COMMAND, name, CHAT_INPUT, person, channel), data)

    async def pick(self, person: User, name: str, message: Message) -> Interaction:
        """Pick a command from the menu of a message. Its content is told without the intent too ([4])."""
        channel = self._world.channels[message.channel_id]
        self._must_be_offered(person, channel)
        command = self.commands.find(name, MESSAGE, channel.guild_id)
        resolved = {"messages": {message.id: self._payloads.message(message)}}
        data = self._named(command) | {"target_id": message.id, "resolved": resolved}
        return await self._hand(self._new(Deed.COMMAND, name, MESSAGE, person, channel, source=message), data)

    async def press(self, person: User, button: Button) -> Interaction:
        """Press a button. Raises LookupError when it cannot be pressed any more."""
        message = button.message
        if button not in read_buttons(message):
            raise LookupError(f"the message no longer has the button {button.label!r}")
        if button.is_disabled:
            raise LookupError(f"the button {button.label!r} is disabled")
        if message.ephemeral_for not in {None, person.id}:
            raise LookupError(f"{person.name} does not see the message")
        channel = self._world.channels[message.channel_id]
        self._enter(person, channel)
        data = {"component_type": 2, "custom_id": button.custom_id, "id": 1}
        return await self._hand(self._new(Deed.COMPONENT, button.custom_id, 0, person, channel, source=message), data)

    # --- for the API ----------------------------------------------------------------------------

    def unanswered(self, id_: str, token: str) -> Interaction:
        """The interaction a first answer is for.

        Raises:
            Refused: 10062 when there is none or it is later than three seconds, 40060 when there was an answer.
        """
        interaction = next((one for one in self.all if (one.id, one.token) == (id_, token)), None)
        if interaction is None:
            raise Refused(10062)
        if interaction.is_acknowledged:
            raise Refused(40060)
        if self._world.clock.now() - interaction.at > ACKNOWLEDGE_WITHIN:
            raise Refused(10062)
        return interaction

    def answered(self, application_id: str, token: str) -> Interaction:
        """The interaction whose answers are read or written.

        Raises:
            Refused: 10015 for an unknown token or one without a first answer, 50027 after 15 minutes.
        """
        interaction = next((one for one in self.all if one.token == token), None)
        if interaction is None or application_id != self._world.install.application_id:
            raise Refused(10015)
        if self._world.clock.now() - interaction.at > TOKEN_LIFE:
            raise Refused(50027)
        if not interaction.is_acknowledged:
            raise Refused(10015)
        return interaction

    # --- building -------------------------------------------------------------------------------

    def _new(
        self, kind: Deed, name: str, command: int, person: User, channel: Channel, *, source: Message | None = None
    ) -> Interaction:
        id_, world = self._world.ids.new(), self._world
        token = f"aW50ZXJhY3Rpb246{id_}{world.random.getrandbits(64):016x}"
        interaction = Interaction(id_, token, kind, name, command, person, channel, world.clock.now(), source=source)
        if kind == Deed.COMPONENT:
            interaction.original = source
        self.all.append(interaction)
        return interaction

    async def _hand(self, interaction: Interaction, data: JsonObject) -> Interaction:
        """Tell the app, and wait until it has answered or three seconds have passed ([4])."""
        payload = self._payload(interaction) | {"data": data}
        self._events.happened("INTERACTION_CREATE", payload, guild_id=interaction.channel.guild_id)

        def fail() -> None:
            interaction.has_failed = not interaction.is_acknowledged
            self._world.bell.ring()

        timer = self._world.clock.after(ACKNOWLEDGE_WITHIN, fail)
        try:
            await self._world.bell.until(lambda: interaction.is_acknowledged or interaction.has_failed)
        finally:
            timer.cancel()
        return interaction

    def _payload(self, interaction: Interaction) -> JsonObject:
        world, channel, person = self._world, interaction.channel, interaction.person
        guild = world.guild_of(channel)
        rights = str(int(world.rights(person.id, channel)))
        payload: JsonObject = {
            "id": interaction.id,
            "application_id": world.install.application_id,
            "type": int(interaction.kind),
            "token": interaction.token,
            "version": 1,
            "channel_id": channel.id,
            "channel": self._payloads.channel(channel) | {"permissions": rights},
            "locale": "en-US",
            "app_permissions": str(int(world.rights(world.me.id, channel))),
            "attachment_size_limit": guild.upload_limit if guild else FILE_LIMIT,
            "entitlements": [],
            "authorizing_integration_owners": {"0": guild.id if guild else "0"},
            "context": IN_GUILD if guild else IN_DM,
        }
        if interaction.kind == Deed.COMPONENT and interaction.source is not None:
            payload["message"] = self._payloads.message(interaction.source)
        if guild is None:
            return payload | {"user": person.as_json()}
        member = self._payloads.member(guild.members[person.id]) | {"permissions": rights}
        told = {"id": guild.id, "locale": "en-US", "features": []}
        return payload | {"guild_id": guild.id, "guild": told, "guild_locale": "en-US", "member": member}

    def _named(self, command: JsonObject) -> JsonObject:
        named = {"id": command["id"], "name": command["name"], "type": command["type"]}
        return named | ({"guild_id": command["guild_id"]} if "guild_id" in command else {})

    def _chosen(
        self, command: JsonObject, channel: Channel, values: Mapping[str, Value]
    ) -> tuple[list[JsonObject], JsonObject]:
        """The options as the client would send them, and what they refer to."""
        known = {option["name"]: option for option in command.get("options") or []}
        missing = [name for name, option in known.items() if option.get("required") and name not in values]
        if missing or values.keys() - known.keys():
            raise LookupError(f"/{command['name']} has the options {list(known)}, not {list(values)}")
        chosen: list[JsonObject] = []
        resolved: dict[str, dict[str, JsonObject]] = {}
        for name, value in values.items():
            kind = known[name]["type"]
            said: Any = value
            if kind == ATTACHMENT:
                assert isinstance(value, File), "an attachment is a file: uploads(...)"
                # [6] what comes with a command is ephemeral: no message holds it, and nothing refreshes its address
                value.is_ephemeral, value.channel = True, channel.id
                resolved.setdefault("attachments", {})[value.id] = value.as_json(self._cdn.link)
                said = value.id
            elif kind == STRING and not _fits(str(value), known[name]):
                raise LookupError(f"the client refuses {str(value)[:40]!r} for {name}")
            elif kind == USER_OPTION:
                user = self._world.user(str(value))
                resolved.setdefault("users", {})[user.id] = user.as_json()
                said = user.id
            elif kind == CHANNEL_OPTION:
                place = self._world.channel(str(value))
                resolved.setdefault("channels", {})[place.id] = self._payloads.channel(place) | {"permissions": "0"}
                said = place.id
            chosen.append({"name": name, "type": kind, "value": said})
        return chosen, resolved

    def _enter(self, person: User, channel: Channel) -> None:
        if (guild := self._world.guild_of(channel)) is not None:
            self._world.enter(guild, person)

    def _must_be_offered(self, person: User, channel: Channel) -> None:
        self._enter(person, channel)
        if channel.thread is not None and channel.thread.is_archived:  # [4]
            raise LookupError("commands cannot be used in an archived thread")
        # Whether the bot itself sees the channel does not matter: commands work where it may not even read.
        if not self._world.may(person.id, Permission.USE_APPLICATION_COMMANDS, channel):
            raise LookupError(f"{person.name} may not use commands in #{channel.name}")


def read_buttons(message: Message) -> list[Button]:
    """The buttons under a message, links left out, in reading order."""
    found: list[Button] = []

    def read(components: list[JsonObject]) -> None:
        for component in components:
            if component.get("type") == 2 and "custom_id" in component:
                is_off, style = bool(component.get("disabled")), component.get("style", 2)
                found.append(Button(component.get("label") or "", component["custom_id"], message, is_off, style))
            read(component.get("components") or [])
            if accessory := component.get("accessory"):
                read([accessory])

    read(message.components)
    return found


def _fits(text: str, option: JsonObject) -> bool:
    choices = [choice["value"] for choice in option.get("choices") or []]
    most = min(option.get("max_length") or 6000, 6000)
    return (not choices or text in choices) and (option.get("min_length") or 0) <= len(text) <= most
