"""The words of a message's blocks, for posts whose `text` holds only a short form of them. Pure."""

from collections.abc import Iterator, Mapping

_DEEPEST = 20  # far deeper than Slack nests anything


def text_of(blocks: object) -> str:
    """What is to be read in blocks. Buttons and the small print of context blocks are left out."""
    return "\n\n".join(filter(None, (_block(block).strip() for block in _objects(blocks))))


def _block(block: Mapping[str, object]) -> str:
    match block.get("type"):
        case "markdown" | "header" | "section":
            fields = "\n".join(_plain(field) for field in _objects(block.get("fields")))
            return "\n".join(filter(None, [_plain(block.get("text")), fields]))
        case "rich_text":
            return "\n".join(_rich(element) for element in _objects(block.get("elements")))
        case "table":
            rows = block.get("rows")
            return "\n".join(
                " | ".join(_cell(cell) for cell in _objects(row)) for row in (rows if isinstance(rows, list) else [])
            )
        case _:
            return ""


def _cell(cell: Mapping[str, object]) -> str:
    return _rich(cell) if cell.get("type") == "rich_text" else _plain(cell.get("text"))


def _rich(element: Mapping[str, object], depth: int = 0) -> str:  # noqa: PLR0911 - a flat table
    """A piece of rich text: leaves are spelled as Slack spells them in texts."""
    match element.get("type"):
        case "text":
            return _plain(element.get("text"))
        case "link":
            url, label = _plain(element.get("url")), _plain(element.get("text"))
            return f"<{url}|{label}>" if label else f"<{url}>"
        case "user":
            return f"<@{_plain(element.get('user_id'))}>"
        case "channel":
            return f"<#{_plain(element.get('channel_id'))}>"
        case "emoji":
            return f":{_plain(element.get('name'))}:"
        case "broadcast":
            return f"@{_plain(element.get('range'))}"
        case "rich_text_list":
            return "\n".join(f"- {piece}" for piece in _pieces(element, depth))
        case "rich_text_preformatted":
            return f"```\n{''.join(_pieces(element, depth))}\n```"
        case "rich_text_quote":
            return "\n".join(f"> {line}" for line in "".join(_pieces(element, depth)).splitlines())
        case _:
            return "".join(_pieces(element, depth))


def _pieces(element: Mapping[str, object], depth: int) -> Iterator[str]:
    if depth < _DEEPEST:
        for inner in _objects(element.get("elements")):
            yield _rich(inner, depth + 1)


def _plain(text: object) -> str:
    """A text, or the text of a text object."""
    if isinstance(text, Mapping):
        text = text.get("text")
    return text if isinstance(text, str) else ""


def _objects(values: object) -> list[Mapping[str, object]]:
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []
