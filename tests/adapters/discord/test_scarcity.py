"""More than can be read or kept, and the longest question that can be asked."""

import asyncio
from typing import Any, cast

from adapters.discord.channels import Channels
from adapters.discord.events import Origin
from adapters.discord.gaps import Gap, Gaps
from adapters.discord.ingest import Ingest
from adapters.discord.people import Nicknames
from adapters.discord.places import DIRECT
from bot.errands import Errands
from bot.errors import StoreUnavailable
from tests.adapters.discord.answering import is_whole
from tests.support.discord import discord_server
from tests.support.discord_clew import clew_on
from tests.support.scripted import answer


async def test_of_a_thread_of_ten_thousand_messages_the_last_hundred_are_read_and_the_thread_is_told() -> None:
    async with discord_server() as discord:
        root = await discord.says("ada", "0", mention=False)
        thread = await discord.opens_thread("ada", root)
        for number in range(1, 10_000):  # before the bot is there, so nothing of it is handed over
            await discord.says("ada", f"said-{number}", channel=thread, mention=False)
        async with clew_on(discord) as clew:
            await discord.says("ben", "what was that about?", channel=thread)
            (shown,) = await discord.shown(thread, is_whole)

        assert "I have read its last 100 messages only" in shown.text
        (asked,) = clew.model.asked
        assert "said-9999" in asked.history
        assert "said-9900" in asked.history
        assert "said-9899" not in asked.history
        pages = discord.calls_of("GET /channels/*/messages")
        assert 1 <= len(pages) <= 3, "a hundred at a time, the newest first"


async def test_the_longest_question_there_can_be_reaches_the_model_whole() -> None:
    text = "".join(f"{number:07} " for number in range(500))[:3_970]  # 4,000 with the mention
    async with discord_server() as discord, clew_on(discord) as clew:
        clew.model.will(*answer("i1", "I have counted."))
        question = await discord.says("ada", text)
        await discord.shown(question, is_whole)

    assert text.strip() in clew.model.asked[0].text


class Stuck:
    """Does not tell where a channel stands, because the database does not work, until it is told to go on."""

    def __init__(self) -> None:
        self.asked, self.works = 0, False

    async def where(self, origin: Origin) -> None:
        self.asked += 1
        if not self.works:
            raise StoreUnavailable("the disk is full")


async def test_while_nothing_can_be_stored_only_so_much_is_kept_in_memory_and_the_rest_is_read_back() -> None:
    gaps, channels, go_on = Gaps(clock=lambda: 1000.0), Stuck(), asyncio.Event()
    gaps.ready(0)
    gaps.closed(Gap(DIRECT, None))
    said = [{"id": str(number), "channel_id": str(10 + number), "guild_id": "7"} for number in range(1, 6)]
    direct = {"id": "9", "channel_id": "20"}

    async def sleep(_: float) -> None:
        await go_on.wait()

    async with Errands() as errands:
        ingest = Ingest(
            errands,
            nicknames=Nicknames(),
            channels=cast("Channels", channels),
            missed=gaps.missed,
            missing=gaps.missing,
            clock=lambda: 1000.0,
            sleep=sleep,
            most=2,
            **dict.fromkeys(("me", "threads", "store", "inbox", "commands", "confirm"), cast("Any", None)),
        )
        for body in (*said, direct):
            ingest.hear("MESSAGE_CREATE", body)
        for _ in range(3):
            await asyncio.sleep(0)
        kept, read_back_early = channels.asked, gaps.next()
        expected = [gaps.is_any_in(installation) for installation in ("7", "8", DIRECT)]
        channels.works = True
        go_on.set()
        async with asyncio.timeout(30):
            await gaps.is_any.wait()
        found = []
        while (gap := gaps.next()) is not None:
            found.append(gap)
            gaps.closed(gap)

    assert kept == 2
    assert read_back_early is None, "it could not be stored either"
    assert expected == [True, False, True], "and what is told meanwhile waits for it"
    # A server that was never looked through is looked through from where the process began.
    assert found == [Gap("7", None), Gap(DIRECT, 940.0)]
