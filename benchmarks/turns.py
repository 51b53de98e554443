"""Whole turns through a whole bot: how many a second, and what each costs its process.

The bot runs as a process of its own with its database on disk; the model is the offline one in another process,
telling each answer in 100 pieces without a pause; people ask over HTTP, each in a thread, the next question when the
last one is answered. CPU is the bot's own, read from the operating system.

    .venv/bin/python -m benchmarks.turns [THREADS [TURNS]]
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from tests.support.process import fresh_clew

WORDS = " ".join(f"word{number}" for number in range(100))


async def serve_model() -> None:
    """The child process: a model that answers at once, until its standard input ends."""
    from bot.offline import offline_model  # noqa: PLC0415 - only the child needs it

    async with offline_model(brain=lambda conversation: WORDS, pace=0) as model:
        print(model.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, its threads included (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def answered(session: aiohttp.ClientSession, address: str) -> int:
    async with session.get(f"{address}/metrics") as response:
        for line in (await response.text()).splitlines():
            if line.startswith("clew_turns_total") and 'state="answered"' in line:
                return int(float(line.split()[-1]))
    return 0


async def measure(threads: int, turns: int) -> None:
    model = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.turns", "model", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert model.stdout is not None
    url = (await model.stdout.readline()).decode().strip()
    with tempfile.TemporaryDirectory() as folder:
        gemini = {"GEMINI_API_KEY": "benchmark", "GEMINI_BASE_URL": url, "CLEW_LOG_LEVEL": "warning"}
        async with fresh_clew(Path(folder), **gemini) as clew, aiohttp.ClientSession() as session:
            pid = clew.process.pid
            for number in range(turns + 1):  # the first round warms up
                if number == 1:
                    cpu, started = cpu_seconds(pid), time.perf_counter()
                async with asyncio.TaskGroup() as people:
                    for thread in range(threads):
                        people.create_task(_ask(session, clew.address, thread, number))
                while await answered(session, clew.address) < threads * (number + 1):
                    await asyncio.sleep(0.02)
            seconds, cpu = time.perf_counter() - started, cpu_seconds(pid) - cpu
    model.kill()
    await model.wait()
    done = threads * turns
    print(f"{done} turns in {threads} threads: {done / seconds:.0f} turns/s, {1000 * cpu / done:.1f} ms CPU each")


async def _ask(session: aiohttp.ClientSession, address: str, thread: int, number: int) -> None:
    payload = {"id": f"message-{number:06d}", "text": f"question {number}"}
    url = f"{address}/api/threads/thread{thread:05d}/messages"
    async with session.post(url, json=payload) as response:
        assert response.status == 202, await response.text()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments == ["model"]:
        asyncio.run(serve_model())
    else:
        asyncio.run(measure(*(int(argument) for argument in arguments or ("50", "10"))))
