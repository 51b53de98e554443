"""What a person would see: messages as they are shown, in reading order."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.support.discord.channels import Channel
from tests.support.discord.drafts import BUTTON, TEXT_DISPLAY, walk
from tests.support.discord.json_types import JsonObject
from tests.support.discord.messages import Flag, Message, MessageType, Reference
from tests.support.discord.world import World


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file under a message."""

    id: str
    name: str
    data: bytes = field(repr=False)
    content_type: str | None = None
    alt: str | None = None  # what it is of, for people who cannot see it


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as somebody sees it.

    Attributes:
        text: Markdown as it was sent; the text of a layout (components V2) stands below it.
        channel: the id of the channel or thread.
        buttons: the labels; `button(message_id, label)` of the server finds one to press.
        reply_to: the id of the message it replies to.
        edits: how many times it was edited after it was posted.
        previews: titles of links that are shown with a preview.
        is_loading: "Clew is thinking...".
        thread: the id of the thread that hangs on it.
    """

    id: str
    channel: str
    author: str
    text: str
    is_own: bool
    buttons: tuple[str, ...]
    files: tuple[ShownFile, ...]
    edits: int
    reply_to: str | None
    type: MessageType
    embeds: tuple[JsonObject, ...] = field(repr=False, default=())
    previews: tuple[str, ...] = ()
    is_silent: bool = False
    has_previews_suppressed: bool = False
    is_loading: bool = False
    ephemeral_for: str | None = None
    thread: str | None = None
    reactions: tuple[str, ...] = ()
    nonce: str | int | None = None


def transcript(world: World, channel: Channel) -> list[Shown]:
    """Everything in a channel or thread, oldest first; what one person sees stands where it was shown."""
    everything = [*channel.messages.values(), *channel.ephemerals]
    return [show(world, message) for message in sorted(everything, key=lambda message: int(message.id))]


def show(world: World, message: Message) -> Shown:
    layout = "\n".join(_texts(message.components))
    reply = message.reference if message.type == MessageType.REPLY else None
    is_suppressed = Flag.SUPPRESS_EMBEDS in message.flags
    return Shown(
        id=message.id,
        channel=message.channel_id,
        author=message.author.name,
        text="\n".join(part for part in (message.content, layout) if part),
        is_own=message.author.id == world.me.id,
        buttons=tuple(_labels(message.components)),
        files=tuple(
            ShownFile(file.id, file.name, file.data, file.content_type, file.description)
            for file in message.attachments
        ),
        edits=message.edits,
        reply_to=_target(reply),
        type=message.type,
        embeds=() if is_suppressed else tuple(message.embeds),
        previews=() if is_suppressed else tuple(embed.get("title", "") for embed in message.embeds),
        is_silent=Flag.SUPPRESS_NOTIFICATIONS in message.flags,
        has_previews_suppressed=is_suppressed,
        is_loading=Flag.LOADING in message.flags,
        ephemeral_for=message.ephemeral_for,
        thread=message.id if Flag.HAS_THREAD in message.flags and message.id in world.channels else None,
        reactions=tuple(emoji for emoji, users in message.reactions.items() if users),
        nonce=message.nonce,
    )


def _target(reference: Reference | None) -> str | None:
    return reference.message_id if reference else None


def _texts(components: Iterable[JsonObject]) -> Iterable[str]:
    return (one["content"] for one in walk(components) if one["type"] == TEXT_DISPLAY)


def _labels(components: Iterable[JsonObject]) -> Iterable[str]:
    buttons = (one for one in walk(components) if one["type"] == BUTTON)
    return (one.get("label") or (one.get("emoji") or {}).get("name", "") for one in buttons)
