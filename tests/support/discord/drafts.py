"""What a message is to say, read from a request and held against Discord's limits ([5.1], [9.4])."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.support.discord.files import File
from tests.support.discord.json_types import JsonObject
from tests.support.discord.mentions import Allowed, read_allowed
from tests.support.discord.messages import NO_FLAGS, Flag, Message
from tests.support.discord.refusal import Refused, invalid

CONTENT = 2000
NONCE = 25
EMBEDS, EMBED_TITLE, EMBED_DESCRIPTION, EMBEDS_WHOLE = 10, 256, 4096, 6000
STICKERS = 3
ROWS, COMPONENTS_V2, TEXT_V2, CUSTOM_ID, LABEL, BUTTONS_IN_ROW = 5, 40, 4000, 100, 80, 5
SETTABLE = Flag.SUPPRESS_EMBEDS | Flag.SUPPRESS_NOTIFICATIONS | Flag.IS_COMPONENTS_V2 | Flag.IS_VOICE_MESSAGE
ACTION_ROW, BUTTON, TEXT_DISPLAY = 1, 2, 10


@dataclass(slots=True)
class Draft:
    """A message that keeps to the limits."""

    content: str = ""
    embeds: list[JsonObject] = field(default_factory=list)
    components: list[JsonObject] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    stickers: list[JsonObject] = field(default_factory=list)
    poll: JsonObject | None = None
    flags: Flag = NO_FLAGS
    allowed: Allowed = field(default_factory=Allowed)

    def put_into(self, message: Message) -> None:
        message.content, message.flags = self.content, self.flags
        message.embeds, message.components, message.attachments = self.embeds, self.components, self.files
        message.stickers, message.poll = self.stickers, self.poll


def read_draft(body: JsonObject, files: Sequence[File], *, before: Message | None = None, trims: bool = True) -> Draft:
    """The message a body describes.

    Args:
        files: what it has attached, after this request.
        before: the message that is edited; what the body leaves out stays.
        trims: whether blanks around the text are cut off.

    Raises:
        Refused: 50035 with the field, or 50006 for an empty message.
    """
    draft = Draft(files=list(files), allowed=read_allowed(body.get("allowed_mentions")))
    if before is not None:
        draft.content, draft.embeds, draft.components = before.content, before.embeds, before.components
        draft.stickers, draft.poll, draft.flags = before.stickers, before.poll, before.flags
    if "content" in body:
        said = str(body["content"] or "")
        draft.content = said.strip() if trims else said
    if "embeds" in body:
        draft.embeds = list(body["embeds"] or [])
    if "components" in body:
        draft.components = list(body["components"] or [])
    draft.flags = _flags(body, draft.flags)
    draft.poll = body.get("poll") or draft.poll
    draft.stickers = [{"id": id_, "name": id_, "format_type": 1} for id_ in body.get("sticker_ids") or ()]
    _check(draft)
    if not (draft.content or draft.embeds or draft.components or draft.files or draft.stickers or draft.poll):
        raise Refused(50006)
    return draft


def _flags(body: JsonObject, before: Flag) -> Flag:
    if body.get("flags") is None:
        return before
    wanted = Flag(body["flags"]) & SETTABLE
    # [4] V2 can never be taken away again; what Discord itself set stays, too
    return wanted | before & ~SETTABLE | before & Flag.IS_COMPONENTS_V2


def check_nonce(nonce: object) -> None:
    if nonce is not None and len(str(nonce)) > NONCE:
        raise _too_long("nonce", NONCE)


def _check(draft: Draft) -> None:
    is_v2 = Flag.IS_COMPONENTS_V2 in draft.flags
    if is_v2 and (draft.content or draft.embeds or draft.poll or draft.stickers):  # [4]
        field_name = "content" if draft.content else "embeds" if draft.embeds else "poll"
        message = "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
        raise invalid(field_name, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", message)
    if len(draft.content) > CONTENT:
        raise _too_long("content", CONTENT)
    if len(draft.stickers) > STICKERS:
        raise _too_long("sticker_ids", STICKERS)
    _check_embeds(draft.embeds)
    if is_v2:
        _check_layout(draft.components)
    else:
        _check_rows(draft.components)


def _check_embeds(embeds: Sequence[JsonObject]) -> None:
    if len(embeds) > EMBEDS:
        raise _too_long("embeds", EMBEDS)
    whole = 0
    for number, embed in enumerate(embeds):
        for name, most in (("title", EMBED_TITLE), ("description", EMBED_DESCRIPTION)):
            if len(embed.get(name) or "") > most:
                raise _too_long(f"embeds.{number}.{name}", most)
            whole += len(embed.get(name) or "")
        whole += sum(len(row["name"]) + len(row["value"]) for row in embed.get("fields", ()))
        whole += len((embed.get("footer") or {}).get("text", "")) + len((embed.get("author") or {}).get("name", ""))
    if whole > EMBEDS_WHOLE:
        raise invalid("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000")


def _check_rows(rows: Sequence[JsonObject]) -> None:
    if len(rows) > ROWS:
        raise _too_long("components", ROWS)
    for number, row in enumerate(rows):
        if row["type"] != ACTION_ROW:  # everything else needs V2
            raise invalid(f"components.{number}.type", "UNION_TYPE_CHOICES", 'Value of field "type" must be 1.')
        if not 1 <= len(row["components"]) <= BUTTONS_IN_ROW:
            raise invalid(
                f"components.{number}.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length."
            )
    _check_buttons(rows)


def _check_layout(components: Sequence[JsonObject]) -> None:
    every = list(walk(components))
    if len(every) > COMPONENTS_V2:
        raise _too_long("components", COMPONENTS_V2)
    if sum(len(one.get("content", "")) for one in every if one["type"] == TEXT_DISPLAY) > TEXT_V2:
        message = f"Total text content must be {TEXT_V2} or fewer in length."
        raise invalid("components", "COMPONENT_MAX_TOTAL_TEXT_LENGTH", message)
    _check_buttons(components)


def _check_buttons(components: Sequence[JsonObject]) -> None:
    known: set[str] = set()
    for one in walk(components):
        custom_id = one.get("custom_id")
        if custom_id is not None:
            if not 1 <= len(custom_id) <= CUSTOM_ID:
                message = f"Must be between 1 and {CUSTOM_ID} in length."
                raise invalid("components.0.components.0.custom_id", "BASE_TYPE_BAD_LENGTH", message)
            if custom_id in known:
                message = "Component custom id cannot be duplicated"
                raise invalid("components.0.components.0.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", message)
            known.add(custom_id)
        if one["type"] == BUTTON and len(one.get("label") or "") > LABEL:
            raise _too_long("components.0.components.0.label", LABEL)


def walk(components: Iterable[JsonObject]) -> Iterator[JsonObject]:
    """Every component, those inside others too."""
    for one in components:
        yield one
        yield from walk(one.get("components", ()))
        if isinstance(accessory := one.get("accessory"), dict):
            yield from walk([accessory])


def _too_long(name: str, most: int) -> Refused:
    return invalid(name, "BASE_TYPE_MAX_LENGTH", f"Must be {most} or fewer in length.")
