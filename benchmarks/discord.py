"""Whole turns through Discord, as benchmarks.slack measures them through Slack; and what many servers cost in memory.

In each turn a thread is opened or gone on with. The second measurement starts the bot in a number of servers with 50
channels each, and reads from the operating system what its process holds then.

    .venv/bin/python -m benchmarks.discord [THREADS [TURNS [SERVERS]]]
"""

import asyncio
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.turns import cpu_seconds
from tests.support.discord import DiscordServer, Shown, discord_server
from tests.support.process import fresh_clew

CHANNELS = 50


async def converse(discord: DiscordServer, number: int, turns: int) -> None:
    name, channel = f"person-{number:04d}x", discord.channel(f"channel-{number:04d}x")
    question = await discord.says(name, "question 0", channel=channel)
    for turn in range(1, turns + 1):
        await discord.shown(question, partial(_stands, turn), within=120)
        if turn < turns:
            await discord.says(name, f"question {turn}", channel=question, mention=False)


def _stands(number: int, shown: list[Shown]) -> bool:
    return len(shown) == number and "Retry" in shown[-1].buttons


def settings_for(discord: DiscordServer) -> dict[str, str]:
    return {
        "DISCORD_TOKEN": discord.token,
        "DISCORD_API_URL": discord.api_url,
        "DISCORD_GATEWAY_URL": discord.gateway_url,
        "CLEW_LOG_LEVEL": "warning",
    }


async def measure_turns(threads: int, turns: int) -> None:
    model = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.turns", "model", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert model.stdout is not None
    url = (await model.stdout.readline()).decode().strip()
    with tempfile.TemporaryDirectory() as folder:
        async with discord_server() as discord:
            settings = {**settings_for(discord), "GEMINI_API_KEY": "benchmark", "GEMINI_BASE_URL": url}
            async with fresh_clew(Path(folder), **settings) as clew:
                await clew.said("at the gateway")
                await converse(discord, threads, 1)  # warms up
                cpu, started = cpu_seconds(clew.process.pid), time.perf_counter()
                async with asyncio.TaskGroup() as people:
                    for number in range(threads):
                        people.create_task(converse(discord, number, turns))
                seconds, cpu = time.perf_counter() - started, cpu_seconds(clew.process.pid) - cpu
    model.kill()
    await model.wait()
    done = threads * turns
    print(f"{done} turns in {threads} threads: {done / seconds:.0f} turns/s, {1000 * cpu / done:.1f} ms CPU each")


async def measure_memory(servers: int) -> None:
    held = [await _held(number) for number in (1, servers)]
    per_server = (held[1] - held[0]) / max(1, servers - 1)
    print(
        f"{servers} servers of {CHANNELS} channels: {held[1] / 1e6:.0f} MB,"
        f" {held[0] / 1e6:.0f} MB with one; {per_server / 1e3:.0f} kB a server"
    )


async def _held(servers: int) -> int:
    """Bytes that the bot's process holds when it is connected in so many servers."""
    with tempfile.TemporaryDirectory() as folder:
        async with discord_server() as discord:
            for number in range(servers - 1):
                guild = discord.guild(f"server-{number:05d}x")
                for channel in range(CHANNELS):
                    discord.channel(f"channel-{channel:02d}x", guild=guild)
            async with fresh_clew(Path(folder), **settings_for(discord)) as clew:
                await clew.said(f"in {servers} server")
                return resident(clew.process.pid)


def resident(pid: int) -> int:
    """Bytes of memory that a process holds, as Linux tells them."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


async def measure(threads: int = 50, turns: int = 4, servers: int = 2500) -> None:
    await measure_turns(threads, turns)
    await measure_memory(servers)


if __name__ == "__main__":
    asyncio.run(measure(*(int(argument) for argument in sys.argv[1:])))
