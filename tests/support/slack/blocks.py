"""Block Kit as far as a conversation needs it: its text, its buttons, its limits (section 5, "Limits")."""

import re
from collections.abc import Iterable, Iterator

from tests.support.slack.json_types import JsonObject
from tests.support.slack.refusal import Refused
from tests.support.slack.variants import Variants

MOST_BLOCKS = 50
MARKDOWN = 12_000
PAYLOAD = 13_200
_HEADING = re.compile(r"#{1,6} ")
_DIVIDER = re.compile(r"(-{3,}|\*{3,}|_{3,})\s*$")


def check_blocks(blocks: object, variants: Variants, *, most: int = MOST_BLOCKS) -> list[JsonObject]:
    """The blocks of a call, if Slack takes them."""
    if not isinstance(blocks, list) or not all(isinstance(block, dict) and "type" in block for block in blocks):
        raise Refused("invalid_blocks_format")
    markdown = [block["text"] for block in blocks if block["type"] == "markdown"]
    length = sum(map(len, markdown)) if variants.markdown_blocks_together else max(map(len, markdown), default=0)
    if length > MARKDOWN:  # [5] 12,000 together; 12,001 is msg_too_long
        raise Refused("msg_too_long")
    if sum(len(text) for block in blocks for text in texts(block)) > PAYLOAD:
        raise Refused("msg_blocks_too_long")
    if sum(_weight(block) for block in blocks) > most:
        raise Refused("invalid_blocks", errors=[f"no more than {most} items allowed [json-pointer:/blocks]"])
    for index, block in enumerate(blocks):
        _check(block, f"/blocks/{index}")
    return blocks


def texts(block: JsonObject) -> Iterator[str]:  # noqa: PLR0912 - a flat match, one branch a kind of block
    """Every text in a block, in reading order; those of buttons too."""
    match block.get("type"):
        case "markdown":
            yield block["text"]
        case "section":
            yield from _objects([block.get("text"), *block.get("fields", [])])
            if "accessory" in block:
                yield from texts(block["accessory"])
        case "header" | "alert":
            yield from _objects([block.get("text")])
        case "context":
            yield from _objects(block["elements"])
        case "rich_text" | "rich_text_section" | "rich_text_list" | "rich_text_quote" | "rich_text_preformatted":
            yield _rich(block)
        case "table":
            for row in block["rows"]:
                yield " | ".join(_rich(cell) for cell in row)
        case "image":
            yield block.get("alt_text", "")
        case "actions" | "context_actions":
            for element in block["elements"]:
                yield from texts(element)
        case "button":
            yield from _objects([block["text"]])
        case "feedback_buttons":
            yield from _objects([block["positive_button"]["text"], block["negative_button"]["text"]])


def shown(blocks: Iterable[JsonObject]) -> str:
    """What a person reads in these blocks, buttons left out."""
    parts: list[str] = []
    for block in blocks:
        if block.get("type") not in {"actions", "context_actions"}:
            body = {key: value for key, value in block.items() if key != "accessory"}
            parts.extend(text for text in texts(body) if text)
    return "\n".join(parts)


def parsed(blocks: Iterable[JsonObject]) -> Iterator[str]:
    """The texts in which Slack looks for mentions: all but plain_text."""
    for block in blocks:
        kind = block.get("type")
        objects = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
        if kind in {"section", "context"}:
            yield from _objects([o for o in objects if isinstance(o, dict) and o.get("type") == "mrkdwn"])
        elif kind not in {"header", "actions", "context_actions", "image"}:
            yield from texts(block)


def elements(blocks: Iterable[JsonObject]) -> Iterator[tuple[JsonObject, JsonObject]]:
    """Every interactive element with its block."""
    for block in blocks:
        found = block.get("elements", []) if block.get("type") in {"actions", "context_actions"} else []
        for element in [*found, *([block["accessory"]] if "accessory" in block else [])]:
            if "action_id" in element:
                yield block, element


def _objects(objects: Iterable[JsonObject | None]) -> Iterator[str]:
    return (o.get("text") or o.get("alt_text") or "" for o in objects if o)


def _rich(element: JsonObject) -> str:
    match element.get("type"):
        case "user":
            return f"<@{element['user_id']}>"
        case "broadcast":
            return f"<!{element['range']}>"
        case "usergroup":
            return f"<!subteam^{element['usergroup_id']}>"
        case "link":
            return str(element.get("text") or element["url"])
        case "emoji":
            return f":{element['name']}:"
    inner = "".join(_rich(child) for child in element.get("elements", []))
    return inner or str(element.get("text", ""))


def _weight(block: JsonObject) -> int:
    """How many blocks a block counts as: Slack expands a markdown block into headers, tables, dividers, text ([5])."""
    if block["type"] != "markdown":
        return 1
    count, before, in_fence = 0, "", False
    for line in block["text"].splitlines():
        bare = line.strip()
        if bare.startswith(("```", "~~~")):
            in_fence = not in_fence
        if not in_fence and (_HEADING.match(bare) or _DIVIDER.match(bare)):
            kind = "alone"
        else:
            kind = "table" if bare.startswith("|") and not in_fence else "text" if bare else before
        if kind == "alone" or (kind != before and bare):
            count += 1
        before = kind
    return max(count, 1)


def _check(block: JsonObject, where: str) -> None:
    def at_most(length: int, most: int, what: str, error: str = "invalid_blocks") -> None:
        if length > most:
            message = f"must be less than {most + 1} characters [json-pointer:{where}/{what}]"
            raise Refused(error, errors=[message], response_metadata={"messages": [f"[ERROR] {message}"]})

    match block["type"]:
        case "section":
            at_most(len((block.get("text") or {}).get("text", "")), 3000, "text/text")
            for field in block.get("fields", []):
                at_most(len(field["text"]), 2000, "fields/text")
        case "header":
            at_most(len(block["text"]["text"]), 150, "text/text")
        case "table":
            at_most(len(block["rows"]), 100, "rows")
            at_most(max((len(row) for row in block["rows"]), default=0), 20, "rows/0")
            at_most(sum(map(len, texts(block))), 10_000, "rows")
        case "actions":
            at_most(len(block["elements"]), 25, "elements")
        case "context":
            at_most(len(block["elements"]), 10, "elements")
    for _, element in elements([block]):
        at_most(len(element.get("value", "")), 2000, "elements/value", "msg_too_large")  # [10] archestra 6000
        at_most(len(element["action_id"]), 255, "elements/action_id")
        if element["type"] == "button":
            at_most(len(element["text"]["text"]), 75, "elements/text")
