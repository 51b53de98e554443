"""Values nobody sends who means well, for tests in which nothing may break; and what holds of whatever is read."""

import copy
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

often = settings(max_examples=max(300, settings.default.max_examples if settings.default else 0))
"""More cases than usual, and as many as a profile wants that wants more."""

TEXTS = st.text(max_size=20) | st.sampled_from(
    [
        *(
            "",
            "\0",
            "\ud800",
            "\udfff\ud83d",
            "\u202egnp.exe",
            "\ufeff",
            "\x1b[2J\x1b[31m",
            "a\r\nb: c",
            "a\nb",
            "../../etc",
        ),
        *("x" * 10_000, "é" * 10_000, "9" * 5_000, "-1", "1e999", "NaN", "[" * 2_000, "<" * 2_000, "`" * 2_000),
        *("<!channel>", "@everyone", "<@U0CLEWBOT1>", "<@900000000000000100>", "/reset", "javascript:alert(1)"),
        *("image/png\r\nSet-Cookie: a=b", "slack:T1:C1:1.1", "web:local:page:thread0001", "file:///etc/passwd"),
        *("https://clew.slack.com/archives/C1/p1700000000000100", "https://discord.com/channels/1/2/3", "http://[::1"),
    ]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([-1, 0, 1 << 53, 1 << 63, 1 << 64, 10**400, -(10**400), 1e308])
DEEP: st.SearchStrategy[object] = st.builds(lambda: [[[[[[[[[[{}]]]]]]]]]])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS | DEEP,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def bent(draw: st.DrawFn, sample: Any, *, most: int = 3) -> Any:
    """A copy of a payload of which a few values, anywhere in it, are lost, doubled or something else altogether."""
    body = copy.deepcopy(sample)
    for _ in range(draw(st.integers(1, most))):
        places = list(_places(body))
        if not places:
            break
        at, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["change", "change", "text", "lose", "double"])):
            case "change":
                at[key] = draw(JSON)
            case "text":
                at[key] = draw(TEXTS)
            case "lose":
                del at[key]
            case _:
                at[key] = [at[key], copy.deepcopy(at[key])]
    return body


def _places(body: Any) -> Iterator[tuple[Any, Any]]:
    """Where a value stands: in what, and under which key."""
    keys: list[Any] = list(body) if isinstance(body, dict) else list(range(len(body))) if isinstance(body, list) else []
    for key in keys:
        yield body, key
        yield from _places(body[key])


def unstorable(value: object) -> list[object]:
    """What in a value, as deep as it goes, no database takes: halves of characters, numbers of more than 64 bits."""
    return [one for one in _parts(value) if not _is_storable(one)]


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        value = list(value.items())
    if is_dataclass(value):
        value = [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, list | tuple | frozenset):
        for part in value:
            yield from _parts(part)
    else:
        yield value


def _is_storable(value: object) -> bool:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode() == value
        case int():
            return -(1 << 63) <= value < 1 << 63
        case float():
            return math.isfinite(value)
        case _:
            return value is None or isinstance(value, bytes)
