"""Whole turns through Slack: how many a second, and what each costs the bot's process.

The bot runs as a process of its own with its database on disk, against the loopback Slack (this process, without rate
limits) and the offline model (a third one, telling each answer in 100 pieces without a pause). People ask in threads of
their own, each in a channel of their own, the next question when the last is answered. CPU is the bot's own, read from
the operating system.

    .venv/bin/python -m benchmarks.slack [THREADS [TURNS]]
"""

import asyncio
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from adapters.slack.manifest import SCOPES
from benchmarks.turns import cpu_seconds
from tests.support.process import fresh_clew
from tests.support.slack import Install, Shown, SlackServer, slack_server


async def converse(slack: SlackServer, number: int, turns: int) -> None:
    channel = slack.channel(f"channel-{number:04d}x")
    name = f"person-{number:04d}x"
    ts = await slack.says(name, "question 0", channel=channel)
    for turn in range(1, turns + 1):
        await slack.shown(channel, ts, partial(_stands, turn), within=120)
        if turn < turns:
            await slack.says(name, f"question {turn}", channel=channel, thread_ts=ts, mention=False)


def _stands(number: int, shown: list[Shown]) -> bool:
    return len(shown) == number and any(button.text == "Retry" for button in shown[-1].buttons)


async def measure(threads: int, turns: int) -> None:
    model = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.turns", "model", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert model.stdout is not None
    url = (await model.stdout.readline()).decode().strip()
    with tempfile.TemporaryDirectory() as folder:
        async with slack_server(install=Install(scopes=frozenset(SCOPES))) as slack:
            settings = {
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_APP_TOKEN": slack.app_token,
                "SLACK_API_URL": slack.api_url,
                "GEMINI_API_KEY": "benchmark",
                "GEMINI_BASE_URL": url,
                "CLEW_LOG_LEVEL": "warning",
            }
            async with fresh_clew(Path(folder), **settings) as clew:
                await clew.said("over Socket Mode")
                await converse(slack, threads, 1)  # warms up
                cpu, started = cpu_seconds(clew.process.pid), time.perf_counter()
                async with asyncio.TaskGroup() as people:
                    for number in range(threads):
                        people.create_task(converse(slack, number, turns))
                seconds, cpu = time.perf_counter() - started, cpu_seconds(clew.process.pid) - cpu
    model.kill()
    await model.wait()
    done = threads * turns
    print(f"{done} turns in {threads} threads: {done / seconds:.0f} turns/s, {1000 * cpu / done:.1f} ms CPU each")


if __name__ == "__main__":
    asyncio.run(measure(*(int(argument) for argument in sys.argv[1:] or ("50", "4"))))
