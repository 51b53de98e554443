"""Discord as the ground of a story: in a channel, whose questions have threads of their own, or in Ada's line."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache
from pathlib import Path

from adapters.discord.adapter import Rhythm
from adapters.discord.faces import WORKING
from adapters.discord.format import plan
from adapters.discord.history import ASIDE
from adapters.discord.places import DIRECT, DISCORD
from adapters.discord.reply import Pace
from adapters.discord.slots import POSTING
from bot.messages import Thread
from bot.notices import FOLLOWING
from bot.ports import Store
from tests.support.discord import Clock, DiscordServer, Shown, Variants, discord_server
from tests.support.discord_clew import DiscordClew, clew_on
from tests.support.discord_reaper import over_discord
from tests.support.reaper import Reaper
from tests.support.slack_clew import until_logged
from tests.sweep.ground import GREETING, Cast, Seen, paragraphs

USUAL = Variants()
SPEED = 20.0  # Discord's seconds in one real second
STILL = Rhythm(again=(86_400.0,), late=0.02)  # nothing happens by itself while deeds are counted


@lru_cache
def parts_of(text: str) -> tuple[str, ...]:
    """The messages of an answer; they are looked for after every change."""
    return plan(text).parts


class DiscordGround:
    """A server with one channel; `place` may be set to where else the answers stand."""

    platform = DISCORD
    long = (paragraphs(0, 3, words=120), paragraphs(3, 5, words=120))
    unmade = frozenset[str]()
    keeps_what_was_reset = keeps_what_was_asked = True

    def __init__(self, discord: DiscordServer, *, is_direct: bool) -> None:
        self.discord, self.is_direct = discord, is_direct
        self.question = ""  # the message that was asked first
        self.place = ""  # the thread or channel in which the answers stand
        self._sees_out = 0.0

    def bot(self, cast: Cast) -> AbstractAsyncContextManager[DiscordClew]:
        clock, drain = self.discord.clock, self._sees_out
        self._sees_out = 2.0  # the last life ends by itself
        return clew_on(
            self.discord,
            url=cast.url,
            model=cast.model,
            rhythm=STILL,
            pace=Pace(),
            policy=cast.policy,
            limits=cast.limits,
            functions=cast.functions,
            intake=cast.intake,
            wrap_all=cast.reaper.over_store,
            drain=drain,
            now=clock.now,
            clock=clock.now,
            sleep=clock.sleep,
        )

    async def settle(self) -> None:
        await self.discord.until(lambda: self.discord.commands)
        # A bot that was never asked anything, or never by this person directly, has nowhere to catch up.
        async with until_logged("turn answered", by="bot.responder"):
            await self.discord.says("ada", GREETING, channel=self.discord.direct("ada"))

    def over(self, reaper: Reaper) -> None:
        over_discord(reaper, self.discord)

    def cut_off(self) -> None:
        for socket in self.discord.sockets:  # its tasks are still to be cleaned up here
            socket.is_half_open = True

    def mend(self) -> None:
        self.discord.faults.disarm()

    # --- what people do ---------------------------------------------------------------------------

    async def asks(self, text: str = "what is a clew?", *, files: Sequence[tuple[str, bytes]] = ()) -> None:
        sent = [self.discord.uploads(name, data) for name, data in files]
        if self.is_direct:
            self.place = self.discord.direct("ada")
        self.question = await self.discord.says("ada", text, channel=self.place or "general", files=sent)
        self.place = self.place or self.question

    async def adds(self, text: str) -> None:
        await self.discord.until(lambda: self.place in self.discord.world.channels)
        await self.discord.says("ada", text, channel=self.place, mention=False)
        await self.discord.delivered()

    async def types(self, command: str) -> None:
        await self.discord.says("ada", command, channel=self.place)

    async def retries(self, reaper: Reaper) -> None:
        await self.presses("Retry", reaper)

    async def decides(self, label: str, reaper: Reaper) -> None:
        await self.until(lambda: any(label in one.buttons for one in self._posts))
        await self.presses(label, reaper)

    async def presses(self, label: str, reaper: Reaper) -> None:
        """Press a button, and again when Discord says that nobody was there and nothing came of it."""
        while True:
            buttons = [button for one in self._posts for button in self.discord.buttons(one.id)]
            wanted = [button for button in buttons if button.label == label]
            if not wanted:
                return
            pressed = await self.discord.presses("ada", wanted[0])
            if not pressed.has_failed or reaper.has_done("store.take_in"):
                return

    # --- what people see --------------------------------------------------------------------------

    @property
    def thread(self) -> Thread:
        channel = self.discord.channel("general")
        if self.is_direct:
            return Thread(DISCORD, DIRECT, self.place, self.place)
        if self.place in {channel, "general", self.question}:
            return Thread(DISCORD, self.discord.guild(), channel, self.question)
        return Thread(DISCORD, self.discord.guild(), self.place, self.place)

    @property
    def _posts(self) -> list[Shown]:
        try:
            posts = self.discord.replies(self.place)
        except LookupError:
            return []
        return [one for one in posts if int(one.id) > int(self.question)]

    @property
    def shown(self) -> list[Seen]:
        if not self.question:
            return []
        whispers = [Seen(one.text, is_aside=True) for one in self.discord.whispers("ada")]
        return [*map(_seen, self._posts), *whispers]

    def shows(self, text: str, *, follows: bool = True) -> Sequence[str]:
        is_alone = self.is_direct or self.thread.thread_id == self.thread.channel_id
        return parts_of(text if is_alone or not follows else f"{text}\n\n_{FOLLOWING}_")

    async def until(self, look: Callable[[], object]) -> object:
        return await self.discord.until(look)

    async def delivered(self) -> None:
        await self.discord.delivered()

    async def amiss(self, store: Store) -> Sequence[str]:
        found = [f"somebody was notified: {ping.kind} {ping.whom}" for ping in self.discord.pings_by_bot()]
        if self.shown and self.discord.typing(self.place):
            found.append("a typing sign")
        if self.place == self.question:
            found += [f"in the channel: {one.text[:40]}" for one in self.discord.replies("general")]
        found += ["a silent command" for one in self.discord.interactions if one.is_thinking]
        parts = [part for turn in await store.transcript(self.thread) for part in turn.parts]
        found += ["a part about to be posted" for part in parts if part.message_id == POSTING]
        return found


def _seen(post: Shown) -> Seen:
    return Seen(
        post.text,
        tuple(file.name for file in post.files),
        post.buttons,
        grows=post.text == WORKING or "Stop" in post.buttons,
        is_aside=post.text.startswith(ASIDE),
    )


@asynccontextmanager
async def discord_ground(
    folder: Path, *, is_direct: bool = False, variants: Variants = USUAL
) -> AsyncIterator[DiscordGround]:
    """A server of its own."""
    async with discord_server(clock=Clock(speed=SPEED), variants=variants) as discord:
        yield DiscordGround(discord, is_direct=is_direct)
