"""A process that has imported the bot and becomes it whenever it is asked, which spares each start its imports.

What it becomes is a process of its own like any other: to be killed, stopped, looked at by its pid. Started with
`python -m bot` it would read the same files; whatever tests how that begins starts it so.
"""

import array
import asyncio
import atexit
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

_LONGEST = 1_000_000  # bytes of a request: arguments and environment


@dataclass
class Process:
    """A bot that came from the nursery, held as `asyncio.subprocess.Process` would be."""

    pid: int
    stdout: asyncio.StreamReader
    _fate: asyncio.StreamReader
    _pipes: Sequence[asyncio.BaseTransport]
    returncode: int | None = None

    async def wait(self) -> int:
        """Wait for its end; the exit code, or the negative number of the signal that ended it."""
        if self.returncode is None and (line := await self._fate.readline()):
            self.returncode = int(line)
        assert self.returncode is not None, "two waited for its end at once, or the nursery is gone"
        return self.returncode

    def kill(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of its pipes, when it has ended."""
        for pipe in self._pipes:
            pipe.close()


class Nursery:
    """Started when it is first needed, gone with the process of the tests."""

    def __init__(self) -> None:
        self._line: socket.socket | None = None

    async def bear(
        self, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], errors: int
    ) -> Process:
        """Become ``python -m bot`` with these arguments.

        Args:
            errors: the file descriptor its stderr goes to.
        """
        request = json.dumps([list(arguments), str(folder), dict(environment)]).encode() + b"\n"
        out, out_end = os.pipe()
        fate, fate_end = os.pipe()
        try:
            socket.send_fds(self._open_line(), [request], [out_end, errors, fate_end])
        finally:
            os.close(out_end)
            os.close(fate_end)
        told, telling = await _reader(fate)
        stdout, printing = await _reader(out)
        return Process(int(await told.readline()), stdout, told, (telling, printing))

    def _open_line(self) -> socket.socket:
        if self._line is None:
            self._line, theirs = socket.socketpair()
            with theirs:
                command = [sys.executable, "-m", "tests.support.nursery", str(theirs.fileno())]
                keeper = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=Path(__file__).parents[2])
            atexit.register(self._close, keeper)
        return self._line

    def _close(self, keeper: "subprocess.Popen[bytes]") -> None:
        if self._line is not None:
            self._line.close()
        keeper.wait()


NURSERY = Nursery()


async def _reader(descriptor: int) -> tuple[asyncio.StreamReader, asyncio.BaseTransport]:
    reader = asyncio.StreamReader()
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    return reader, transport


# --- the process itself -------------------------------------------------------------------------


def _keep(line: socket.socket) -> None:
    """Bear who is asked for, and tell everybody's end, until nobody asks any more."""
    fates: dict[int, int] = {}
    bell, rung = socket.socketpair()
    bell.setblocking(False)
    rung.setblocking(False)
    signal.set_wakeup_fd(rung.fileno())
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        selector.register(bell, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if bell in ready:
                bell.recv(1024)
                _tell_ends(fates)
            if line in ready:
                request, descriptors = _receive(line)
                if not request:
                    break
                pid = os.fork()
                if not pid:
                    _become(json.loads(request), *descriptors[:2])
                os.write(descriptors[2], f"{pid}\n".encode())
                fates[pid] = descriptors[2]
                for descriptor in descriptors[:2]:
                    os.close(descriptor)
    for pid in fates:
        os.kill(pid, signal.SIGKILL)


def _receive(line: socket.socket) -> tuple[bytes, list[int]]:
    """A request with its descriptors; nothing at the end."""
    request, descriptors = b"", array.array("i")
    while not request.endswith(b"\n"):
        piece, found, _, _ = socket.recv_fds(line, _LONGEST, 3)
        if not piece:
            return b"", []
        request += piece
        descriptors.extend(found)
    return request, list(descriptors)


def _tell_ends(fates: dict[int, int]) -> None:
    for pid in list(fates):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with os.fdopen(fates.pop(pid), "wb", buffering=0) as fate:
                try:
                    fate.write(f"{os.waitstatus_to_exitcode(status)}\n".encode())
                except BrokenPipeError:
                    continue  # whoever asked for it did not wait for its end


def _become(request: tuple[list[str], str, dict[str, str]], out: int, errors: int) -> NoReturn:
    from bot.__main__ import main  # noqa: PLC0415 - imported by then; the tests' own process needs no bot

    arguments, folder, environment = request
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.dup2(out, 1)
        os.dup2(errors, 2)
        encoding, _, strictness = environment.get("PYTHONIOENCODING", "utf-8:strict").partition(":")
        sys.stdout = open(1, "w", encoding=encoding, errors=strictness, closefd=False)  # noqa: SIM115 - open as long as the process lives
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
        os.closerange(3, 256)  # the nursery's own, and those of its other children
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        main(arguments)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    import gc

    import bot.__main__  # noqa: F401 - what all this is for

    gc.freeze()  # so that what is shared stays shared
    _keep(socket.socket(fileno=int(sys.argv[1])))
