"""The settings, read once, from the environment and `.env`. No other file reads the environment."""

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream
from pydantic import ValidationError

from bot.errors import SettingsError
from bot.settings import Settings

__all__ = ["VARIABLES", "Settings", "read_settings"]

_PREFIXES = {
    "gemini": "GEMINI",
    "slack": "SLACK",
    "discord": "DISCORD",
    "database": "DATABASE",
    "web": "WEB",
    "bot": "CLEW",
}

VARIABLES: Mapping[str, tuple[str, str]] = {
    f"{prefix}_{field}".upper(): (group, field)
    for group, prefix in _PREFIXES.items()
    for field in type(Settings.model_fields[group].default).model_fields
}
"""Every variable that is read, in order, with the group and the field it fills."""


def read_settings(environ: Mapping[str, str] | None = None, env_file: Path | None = Path(".env")) -> Settings:
    """Read the settings from *environ* (the process's own by default) and from *env_file*, when there is one.

    The environment wins over the file. A variable that is set to nothing counts as not set.

    Raises:
        SettingsError: something is wrong or half set; one sentence each, a line apart, that names the variable, what
            was found (never a secret) and what to do.
    """
    given = {
        name: value.strip()
        for name, value in {**_read_env_file(env_file), **(os.environ if environ is None else environ)}.items()
    }
    mistakes = list(_unknown_names(given))
    groups: dict[str, dict[str, str]] = {group: {} for group in _PREFIXES}
    for name, (group, field) in VARIABLES.items():
        if given.get(name):
            groups[group][field] = given[name]
    try:
        settings = Settings.model_validate(groups)
    except ValidationError as error:
        mistakes.extend(_sentences(error))
    if mistakes:
        # Outside the except clause on purpose: nothing of pydantic's error, which holds the values, comes along.
        raise SettingsError("\n".join(mistakes))
    return settings


def _read_env_file(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    found: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for binding in parse_stream(lines):
                if binding.error or (binding.key is not None and binding.value is None):
                    raise SettingsError(
                        f"{path}, line {binding.original.line}, is not of the form NAME=value; "
                        "mend it, or put # before it."
                    )
                if binding.key is not None and binding.value is not None:
                    found[binding.key] = binding.value
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"{path} cannot be read ({reason}); mend it, or move it away.") from None
    return found


def _unknown_names(given: Mapping[str, str]) -> Iterator[str]:
    for name in given:
        # CLEW_TEST_* belongs to the test suite, which may run in the same shell.
        if name in VARIABLES or not name.upper().startswith("CLEW_") or name.startswith("CLEW_TEST_"):
            continue
        close = difflib.get_close_matches(name.upper(), VARIABLES, n=1)
        hint = f"did you mean {close[0]}?" if close else ".env.example lists the settings there are."
        yield f"{name} is not a setting of this version; {hint}"


def _sentences(errors: ValidationError) -> Iterator[str]:
    names = {place: name for name, place in VARIABLES.items()}
    for error in errors.errors(include_url=False, include_input=False):
        context: dict[str, Any] = error.get("ctx", {})
        said = str(context.get("error", error["msg"]))
        place = tuple(str(step) for step in error["loc"][:2])
        name = names.get((place[0], place[1])) if len(place) > 1 else None
        yield f"{name} {said}." if name else said
