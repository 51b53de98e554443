"""Starting the processes in `child`, hearing what they say, and killing them."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def child(what: Callable[[str], Awaitable[None]], url: str) -> AsyncIterator[Process]:
    """A process that does this; it is killed at the end, if it is still there."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-m",
        "tests.storage.child",
        what.__name__,
        url,
        cwd=ROOT,
        stdin=PIPE,
        stdout=PIPE,
    )
    try:
        async with asyncio.timeout(30):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def tell(process: Process) -> None:
    """Let it go on, where it waits for that."""
    assert process.stdin is not None
    process.stdin.write(b"\n")


async def heard(process: Process) -> str:
    """The next line it says; empty when it has ended."""
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().rstrip("\n")


async def everything_heard(what: Callable[[str], Awaitable[None]], url: str) -> list[str]:
    """All it says until it ends by itself."""
    async with child(what, url) as process:
        assert process.stdout is not None
        said = (await process.stdout.read()).decode().splitlines()
        assert await process.wait() == 0
        return said
