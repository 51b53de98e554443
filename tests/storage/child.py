"""Processes of their own, to be killed or kept from writing: ``python -m tests.storage.child WHAT URL``.

Each says on its standard output what it has done, one line at a time.
"""

import asyncio
import ctypes
import os
import resource
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from bot.errors import StoreUnavailable, StoreUnusable
from bot.ports import Store
from storage.sqlite import open_store
from tests.storage.stores import OTHER, message

LITTLE = 600_000  # bytes: room for the log's index and a few dozen messages


def say(what: str) -> None:
    print(what, flush=True)  # noqa: T201 - this is how it speaks


async def add_until_killed(url: str) -> None:
    """Add messages in eight threads at once, and name each when it is acknowledged."""

    async def add_on(store: Store, lane: int) -> None:
        number = 0
        while await store.add(message(f"{lane}-{number}")):
            say(f"{lane}-{number}")
            number += 1

    async with open_store(url) as store, asyncio.TaskGroup() as group:
        for lane in range(8):
            group.create_task(add_on(store, lane))


async def hold_until_killed(url: str) -> None:
    async with open_store(url):
        say("open")
        await asyncio.Event().wait()


async def try_to_open(url: str) -> None:
    """Open it as somebody whom file permissions bind."""
    give_up_powers()
    try:
        async with open_store(url):
            say("open")
    except StoreUnusable as error:
        say(str(error))


async def fill_the_disk(url: str) -> None:
    """Write until the system takes no more, name what was acknowledged, then go on with room again."""
    async with open_store(url) as store:
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (LITTLE, most))
        number = 0
        try:
            while await store.add(message(f"{number}", "x" * 2000)):
                say(f"{number}")
                number += 1
        except StoreUnavailable:
            say("full")
        assert len(await store.waiting()) == 1, "reading needs no room"
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        assert await store.add(message("after", thread=OTHER))
        say("after")


async def read_and_close(url: str) -> None:
    """What any other program does: look at the messages and close the database again."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db:
        for (name,) in db.execute("SELECT id FROM message ORDER BY position"):
            say(name)


async def open_on_a_full_disk(url: str) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
    try:
        async with open_store(url):
            say("open")
    except StoreUnusable as error:
        say(str(error))


async def lock_until_told(url: str) -> None:
    """What a program does that copies, repairs or looks through the database and takes its time."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as db:
        db.execute("BEGIN EXCLUSIVE")
        say("locked")
        await asyncio.to_thread(sys.stdin.readline)
        db.execute("COMMIT")
    say("unlocked")


async def write_in_a_closed_folder(url: str) -> None:
    """Go on in a folder that was made read-only, as somebody whom file permissions bind."""
    give_up_powers()
    folder = Path(url.removeprefix("sqlite:///")).parent
    async with open_store(url) as store:
        folder.chmod(0o555)
        try:
            (folder / "anything").touch()
        except PermissionError:
            say("closed")
        assert await store.add(message("m1"))
        await store.check()
        say("written")
        folder.chmod(0o755)


def give_up_powers() -> None:
    """Let permissions bind root too, as far as the system has capabilities to give up."""
    if os.geteuid() == 0 and sys.platform == "linux":
        header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this thread
        nothing = (ctypes.c_uint32 * 6)()
        if ctypes.CDLL(None, use_errno=True).capset(header, nothing) != 0:
            raise OSError(ctypes.get_errno(), "capset")


if __name__ == "__main__":
    what = {each.__name__: each for each in (add_until_killed, hold_until_killed, fill_the_disk)}
    what |= {each.__name__: each for each in (try_to_open, open_on_a_full_disk, read_and_close, lock_until_told)}
    what[write_in_a_closed_folder.__name__] = write_in_a_closed_folder
    asyncio.run(what[sys.argv[1]](sys.argv[2]))
