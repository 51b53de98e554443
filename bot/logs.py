"""What a log line looks like: a short fixed phrase and its fields, on one line, for people or for machines.

Whoever logs writes ``logger.info("reply posted", extra={"pieces": n})`` and never the text of a message.
"""

import codecs
import json
import logging
import math
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal, TextIO
from urllib.parse import quote

# Everything a record carries that nobody passed as a field.
_NOT_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_OURS = ("bot", "adapters", "storage")
codecs.lookup("unicode_escape")  # read from its file now: later there may be no descriptor left, which is to be told


def configure_logs(
    form: Literal["text", "json"],
    level: str,
    *,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
) -> None:
    """Write the log of this process to *stream* (stderr by default), from *level* up.

    Libraries are heard from ``warning`` up, whatever the level: below that some tell every request they
    make, payloads included, and a payload holds the words of people.

    Args:
        secrets: values that are blotted out wherever they turn up, in tracebacks too.
    """
    formatter: logging.Formatter = JsonLines(secrets) if form == "json" else TextLines(secrets)
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(formatter)
    number = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))
    for name in _OURS:
        logging.getLogger(name).setLevel(number)


class _Blot:
    """Replaces secrets in a text, however they were quoted on their way into it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {
            form
            for secret in secrets
            if secret
            for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1])
        }
        # The longest first: a secret may begin with another one, whose replacement would leave its rest standing.
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, "[secret]")
        return text


class _Lines(logging.Formatter):
    """What both forms share."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._blot = _Blot(secrets)

    def _fields(self, record: logging.LogRecord) -> dict[str, str | int | float | bool | None]:
        return {name: self._plain(value) for name, value in vars(record).items() if name not in _NOT_FIELDS}

    def _plain(self, value: object) -> str | int | float | bool | None:
        if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
            return value
        return self._blot(str(value))

    def _traceback(self, record: logging.LogRecord) -> str | None:
        told = [self.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
        if record.stack_info:
            told.append(self.formatStack(record.stack_info))
        return self._blot("\n".join(told)) if told else None


class JsonLines(_Lines):
    """An object a line: ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``event``, the fields, ``traceback``."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": self._blot(record.getMessage()),
        }
        for name, value in self._fields(record).items():
            line.setdefault(name, value)
        traceback = self._traceback(record)
        if traceback is not None:
            line["traceback"] = traceback
        return json.dumps(line)


class TextLines(_Lines):
    """Local time, level, logger, phrase and ``name=value``; a traceback stands below, indented."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).astimezone()
        line = f"{time:%Y-%m-%d %H:%M:%S} {record.levelname:<7} {record.name}: " + _visible(
            self._blot(record.getMessage())
        )
        for name, value in self._fields(record).items():
            line += f" {name}={_value(value)}"
        for below in (self._traceback(record) or "").splitlines():
            # Indented, so that no line break in an exception's text can pass for a line of the log.
            line += "\n    " + _visible(below)
        return line


def _value(value: str | int | float | bool | None) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if not value or not value.isprintable() or any(character in ' "=' for character in value):
        value = json.dumps(value, ensure_ascii=False)
    return _visible(value)


def _visible(text: str) -> str:
    """*text* with what a terminal would act on, or would break the line, spelt out."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
