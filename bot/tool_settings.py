"""The settings of tools: names in a variable, and a TOML file of tools as the API takes them.

    [[everywhere]]
    type = "google_maps"

    [[channels.C0123]]
    type = "mcp_server"
    name = "tickets"
    url = "https://mcp.example.org/"
    headers = { Authorization = "Bearer ..." }

A mistake raises ValueError with the rest of a sentence that begins with the variable's name. No value is ever in it: a
header may be a secret.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.answers import Tool
from bot.spellings import found, is_channel, words
from bot.tools import BUILT_IN

NONE = "none"
_SHORTEST_SECRET = 8  # characters; blotting out a shorter one would spoil the log


@dataclass(frozen=True, slots=True)
class ToolsFile:
    """What a file of tools holds."""

    everywhere: tuple[Tool, ...] = field(default=(), repr=False)
    channels: Mapping[str, tuple[Tool, ...]] = field(default_factory=dict, repr=False)

    @property
    def secrets(self) -> Iterator[str]:
        """What must not be seen of it: the headers that servers are sent, and addresses that say more than a place."""
        for tool in (*self.everywhere, *(tool for tools in self.channels.values() for tool in tools)):
            headers, url = tool.get("headers"), tool.get("url")
            values = [*headers.values()] if isinstance(headers, Mapping) else []
            for value in values:
                yield from (part for part in (str(value), *str(value).split()) if len(part) >= _SHORTEST_SECRET)
            if isinstance(url, str) and re.search(r"[?@]", url):
                yield url


def tool_names(text: object) -> tuple[str, ...]:
    """Names of built-in tools, with commas between them; ``none`` for none."""
    listed = words(text)
    if {*listed} == {NONE}:
        return ()
    if NONE in listed:
        raise ValueError(f"holds {NONE} beside names; give {NONE} alone, or the names alone")
    for name in listed:
        if name not in BUILT_IN:
            raise ValueError(
                f"holds {found(name)}; give {', '.join(BUILT_IN)} or {NONE}, and put other tools into CLEW_TOOLS_FILE"
            )
    return tuple(dict.fromkeys(listed))


def tools_file(text: object) -> ToolsFile:
    """What the file of that name holds."""
    if isinstance(text, ToolsFile):
        return text
    path = Path(str(text))
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        # All that is safe to repeat of it: the rest may quote what stands there.
        place = re.search(r"line \d+", str(error))
        where = f" at {place[0]}" if place else ""
        raise ValueError(f"is {found(text)}, which is not TOML{where}; mend it") from None
    except FileNotFoundError:
        raise ValueError(f"is {found(text)}, and there is no such file; give the path of one") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"is {found(text)}, which cannot be read ({reason}); give the path of a TOML file") from None
    if unknown := sorted(told.keys() - {"everywhere", "channels"}):
        raise ValueError(f"has {found(unknown[0])} in its file; begin each tool with [[everywhere]] or [[channels.ID]]")
    channels = told.get("channels", {})
    if not isinstance(channels, dict):
        raise ValueError("has a wrong channels in its file; begin each tool with [[everywhere]] or [[channels.ID]]")
    for channel in channels:
        if not is_channel(channel):
            raise ValueError(
                f"has [[channels.{channel}]] in its file, which is no channel's id; give one such as "
                "C0123ABCD (Slack), 123456789012345678 (Discord) or page"
            )
    return ToolsFile(
        _tools("everywhere", told.get("everywhere", [])),
        {channel: _tools(f"channels.{channel}", tools) for channel, tools in channels.items()},
    )


def _tools(name: str, told: Any) -> tuple[Tool, ...]:
    if not isinstance(told, list) or not all(isinstance(tool, dict) for tool in told):
        raise ValueError(f"has a wrong {name} in its file; begin each tool with [[{name}]], in two brackets")
    for number, tool in enumerate(told, 1):
        _check(f"number {number} of [[{name}]]", tool)
    return tuple(told)


def _check(which: str, tool: dict[str, Any]) -> None:
    kind = tool.get("type")
    if not isinstance(kind, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", kind):
        raise ValueError(f'has a tool without a type in its file, {which}; give one such as type = "google_maps"')
    if kind == "function":
        raise ValueError(f"has a function in its file, {which}; nobody would run it, so take it out")
    if not isinstance(tool.get("name", ""), str) or not isinstance(tool.get("headers", {}), dict):
        raise ValueError(f"has a tool with a wrong name or wrong headers in its file, {which}; give a text and a table")
    try:
        json.dumps(tool, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError(
            f"has a date, or a number without end, in its file, {which}; Gemini takes neither, so put it in quotes"
        ) from None
