"""Clew as a process of its own, to be killed, stopped and started again."""

import asyncio
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.nursery import NURSERY, Process


@dataclass
class RunningClew:
    """A started process, once it has said where its page is."""

    process: asyncio.subprocess.Process | Process
    address: str
    lines: list[str] = field(default_factory=list)  # what it printed before its page was up

    def kill(self) -> None:
        """SIGKILL: no last words."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)

    def terminate(self) -> None:
        self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    async def said(self, words: str) -> None:
        """Wait until it has printed a line with *words* in it."""
        assert self.process.stdout is not None
        async with asyncio.timeout(40):
            while words not in (line := (await self.process.stdout.readline()).decode()):
                assert line, f"it ended without saying {words!r}"

    async def next_line(self) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(40):
            return (await self.process.stdout.readline()).decode().rstrip()

    async def ended(self) -> int:
        async with asyncio.timeout(40):
            return await self.process.wait()


@dataclass
class Finished:
    """How a command ended."""

    code: int
    said: str  # on stderr
    printed: str = ""


def free_port() -> int:
    """A port nobody listens on, for a process that is to come back under the same address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def environment(folder: Path, settings: dict[str, str]) -> dict[str, str]:
    """What the process gets to see: nothing of the machine's own settings."""
    own = {
        name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "COVERAGE_PROCESS_START"}
    }
    return {**own, "DATABASE_URL": f"sqlite:///{folder / 'clew.db'}", "WEB_PORT": "0", **settings}


@asynccontextmanager
async def running_clew(folder: Path, **settings: str) -> AsyncIterator[RunningClew]:
    """Start the bot with its database in *folder*; whatever is still running at the end is killed."""
    with (folder / "log").open("ab") as log:
        process = await NURSERY.bear([], folder=folder, environment=environment(folder, settings), errors=log.fileno())
    try:
        async with _until_its_end(process, folder) as clew:
            yield clew
    finally:
        process.close()


@asynccontextmanager
async def fresh_clew(folder: Path, **settings: str) -> AsyncIterator[RunningClew]:
    """Start ``python -m bot`` as a shell would, from the first import on; otherwise as `running_clew`."""
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot",
            cwd=folder,
            env=environment(folder, settings),
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    async with _until_its_end(process, folder) as clew:
        yield clew


@asynccontextmanager
async def _until_its_end(process: asyncio.subprocess.Process | Process, folder: Path) -> AsyncIterator[RunningClew]:
    try:
        assert process.stdout is not None
        lines: list[str] = []
        async with asyncio.timeout(30):
            while not lines or not re.match(r"\s*page ", lines[-1]):
                line = (await process.stdout.readline()).decode()
                if not line:
                    raise AssertionError(f"it did not start: {(folder / 'log').read_text()}")
                lines.append(line.rstrip())
        address = lines[-1].split()[-1].rstrip("/")
        yield RunningClew(process, address, lines)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        if process.stdout is not None:
            await process.stdout.read()
        await process.wait()


async def finished(folder: Path, *arguments: str, **settings: str) -> Finished:
    """Run a command of ``python -m bot``, or a start that is refused, to its end."""
    with tempfile.TemporaryFile() as errors:
        process = await NURSERY.bear(
            arguments, folder=folder, environment=environment(folder, settings), errors=errors.fileno()
        )
        try:
            async with asyncio.timeout(60):
                printed = await process.stdout.read()
                code = await process.wait()
        finally:
            process.kill()
            process.close()
        errors.seek(0)
        said = errors.read()
    return Finished(code, said.decode(), printed.decode())
