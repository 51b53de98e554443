"""Discord's JSON, one value at a time, as what it should be. Pure; it takes anything at all and never raises."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TypeGuard

Fields = Mapping[str, object]
"""A JSON object as it came: of the gateway or of the REST API, which tell messages in the same shape."""

NOTHING: Fields = MappingProxyType({})

_ID = re.compile(r"[1-9][0-9]{0,19}")
_FIRST_MILLISECOND = 1_420_070_400_000  # of the year 2015, from which Discord's ids count


def is_id(value: object) -> TypeGuard[str]:
    """Whether something can be an id: the digits of a number of 64 bits, as text."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def sent_at(message_id: str) -> float:
    """When something was made, in seconds since the epoch; its id tells."""
    return ((int(message_id) >> 22) + _FIRST_MILLISECOND) / 1000


def id_at(seconds: float) -> str:
    """The smallest id that something made then can have."""
    return str(max(1, int(seconds * 1000) - _FIRST_MILLISECOND << 22))


def fields(value: object) -> Fields:
    return value if isinstance(value, Mapping) else NOTHING


def objects(value: object) -> list[Fields]:
    """The objects of a list."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def ids(value: object) -> list[str]:
    """The ids of a list."""
    return [item for item in value if is_id(item)] if isinstance(value, list) else []


def number(value: object) -> int | None:
    """A whole number; true and false are none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text(value: object) -> str:
    """A text; what is none counts as empty. Halves of characters, which no database takes, are replaced."""
    return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", "") if isinstance(value, str) else ""


def line(value: object) -> str:
    """A text on one line, such as a name."""
    return " ".join(text(value).split())


def moment(value: object) -> float | None:
    """A time as ISO 8601 writes it, in seconds since the epoch."""
    try:
        told = datetime.fromisoformat(text(value))
        return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
