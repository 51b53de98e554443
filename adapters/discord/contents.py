"""What a message says, all of it: what was typed, and in words what Discord shows beside it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from adapters.discord.attachments import attachments_of, forwarded
from adapters.discord.payloads import NOTHING, Fields, fields, line, number, objects, text
from adapters.discord.people import Called, Me, mentioned, name_of, unknown
from adapters.discord.reading import quoted, readable
from bot.messages import Attachment

_DEEPEST = 5  # Discord nests components three deep
_RICH = "rich"  # what an app shows; embeds of other types show what is behind a link
_TEXT_DISPLAY = 10  # the type of a component


@dataclass(frozen=True, slots=True)
class Contents:
    """What a message says.

    Attributes:
        typed: what somebody typed, and nothing else.
        text: that and everything else.
        is_bare: nothing came with what was typed, but perhaps what it replies to.
    """

    typed: str
    text: str
    attachments: tuple[Attachment, ...]
    is_bare: bool


def contents_of(body: Fields, *, me: Me | None = None, called: Called = unknown, quoting: bool = True) -> Contents:
    """What a message says.

    Args:
        me: as `readable` takes it; also to call the bot "you" where it is quoted.
        quoting: what is replied to comes with it, text and files. Where that has been told already it need not.
    """
    typed = _typed(body, me, called)
    files = attachments_of(body)
    replied_to = fields(body.get("referenced_message")) if quoting else NOTHING
    beside = list(_beside(body, typed, called))
    whole = "\n\n".join(filter(None, [typed, *beside, _quote(replied_to, me, called)]))
    return Contents(typed, whole, (*files, *attachments_of(replied_to)), is_bare=not files and not beside)


def _typed(body: Fields, me: Me | None, called: Called) -> str:
    names = mentioned(body)
    return readable(text(body.get("content")), me=me, called=lambda name: names.get(name) or called(name))


def _beside(body: Fields, typed: str, called: Called) -> Iterator[str]:
    """What is shown with what was typed."""
    for message in forwarded(body):
        yield f"Forwarded:\n{quoted(_words(message, called) or '(nothing that could be read)')}"
    yield from filter(None, (_component(component) for component in objects(body.get("components"))))
    for sticker in objects(body.get("sticker_items")) or objects(body.get("stickers")):
        yield f"[sticker: {line(sticker.get('name')) or 'without a name'}]"
    if poll := fields(body.get("poll")):
        yield _poll(poll)
    yield from filter(None, (_embed(embed, typed, called) for embed in objects(body.get("embeds"))))


def _words(body: Fields, called: Called) -> str:
    """A message that is quoted: its words, and the names of its files."""
    typed = _typed(body, None, called)
    # What is forwarded has neither an id nor a channel of its own.
    named = {"channel_id": "1", "id": "1", **body}
    files = (f"[attachment {file.name}]" for file in attachments_of(named))
    return "\n".join(filter(None, [typed, *_beside(body, typed, called), *files]))


def _quote(body: Fields, me: Me | None, called: Called) -> str:
    if not body:
        return ""
    author = fields(body.get("author"))
    is_own = me is not None and author.get("id") == me.user_id
    name = "you" if is_own else name_of(author, NOTHING, called) or "somebody"
    return f"In reply to {name}:\n{quoted(_words(body, called) or '(nothing that could be read)')}"


def _poll(poll: Fields) -> str:
    results = objects(fields(poll.get("results")).get("answer_counts"))
    counts = {number(count.get("id")): number(count.get("count")) for count in results}
    lines = [f"Poll: {line(fields(poll.get('question')).get('text'))}"]
    for answer in objects(poll.get("answers")):
        media = fields(answer.get("poll_media"))
        shown = line(media.get("text")) or line(fields(media.get("emoji")).get("name"))
        votes = counts.get(number(answer.get("answer_id")))
        lines.append(f"- {shown} ({votes} votes)" if votes else f"- {shown}")
    return "\n".join(lines)


def _embed(embed: Fields, typed: str, called: Called) -> str:
    """What an app shows in a frame, or what is behind a link; nothing where that is what was typed anyway."""
    title, description = line(embed.get("title")), readable(text(embed.get("description")), called=called)
    rows = [_row(row, called) for row in objects(embed.get("fields"))]
    words = "\n".join(part for part in [title, description, *rows] if part and part not in typed)
    if not words or embed.get("type", _RICH) == _RICH:
        return words
    address = line(embed.get("url"))
    return f"Preview of {address or 'a link'}:\n{quoted(words)}"


def _row(row: Fields, called: Called) -> str:
    return f"{line(row.get('name'))}: {readable(text(row.get('value')), called=called)}"


def _component(component: Fields, depth: int = 0) -> str:
    """The text of an app's layout. Buttons and menus are left out."""
    if component.get("type") == _TEXT_DISPLAY:
        return readable(text(component.get("content")))
    if depth == _DEEPEST:
        return ""
    inner = (_component(child, depth + 1) for child in objects(component.get("components")))
    return "\n".join(filter(None, inner))
