"""A file of JSON lines that outlives the process: the newest line of a key is what stands.

Lines are appended and handed to the operating system at once, which outlives a killed process; a
line torn by a power cut is left out when the file is read. What is removed is blanked in place, so
that it is gone from the disk and not only from the answers.
"""

import json
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from bot.offline.wire import JsonObject, encode

logger = logging.getLogger(__name__)


class Record:
    """The file, open for appending. Without a path it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._end = 0
        self._spans: dict[str, list[tuple[int, int]]] = {}  # where the lines of a key are: offset, length

    def open(self) -> dict[str, JsonObject]:
        """Read what stands, and begin a file with only that in it.

        Blocks as long as the file is large: run it in a thread.
        """
        if self._path is None:
            return {}
        standing = _read(self._path)
        self.close()
        self._rewrite(standing)
        return standing

    def put(self, key: str, value: Mapping[str, object]) -> None:
        """Let *value* stand for *key* from now on."""
        if self._file is None:
            return
        line = encode({"key": key, **value}) + b"\n"
        try:
            self._file.seek(self._end)
            written = self._file.write(line)
        except OSError as error:
            # Answers matter more than their record: a full disk must not keep the offline model from talking.
            logger.error("offline record not written", extra={"reason": str(error)})
            return
        if written < len(line):
            logger.error("offline record not written", extra={"reason": "disk full"})
            return  # the next line is written over what there is of this one
        self._spans.setdefault(key, []).append((self._end, len(line)))
        self._end += len(line)

    def remove(self, key: str) -> None:
        """Blank every line of *key*."""
        for offset, length in self._spans.pop(key, ()):
            if self._file is not None:
                self._file.seek(offset)
                self._file.write(b" " * (length - 1))

    def close(self) -> None:
        """Close the file; afterwards nothing is kept."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _rewrite(self, standing: Mapping[str, JsonObject]) -> None:
        assert self._path is not None  # noqa: S101 - only called from `open`
        beside = self._path.with_name(self._path.name + ".new")
        # People's words are in it, so only the owner may read it. Unbuffered: a write is out when it returns.
        self._file = open(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "r+b", buffering=0)  # noqa: SIM115
        self._end, self._spans = 0, {}
        for key, value in standing.items():
            self.put(key, value)
        os.fsync(self._file.fileno())
        beside.replace(self._path)


def _read(path: Path) -> dict[str, JsonObject]:
    standing: dict[str, JsonObject] = {}
    unreadable = 0
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return {}
    for line in lines:
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            key = value.pop("key")
        except (ValueError, KeyError, TypeError, AttributeError):
            unreadable += 1
            continue
        standing[key] = value
    if unreadable:
        logger.warning("lines of the offline record left out", extra={"lines": unreadable})
    return standing
