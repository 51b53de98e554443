"""A reply, held by both ends: the draft it shows, and the loopback Discord it shows it in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.discord.calls import Calls
from adapters.discord.line import open_line
from adapters.discord.places import Where, kind_of, thread_of
from adapters.discord.reply import DiscordReply, Pace, open_reply
from adapters.discord.threads import Threads
from bot.answers import Answered, Draft, Ending, TextPiece
from bot.messages import Message, MessageId, Person, PersonId, Turn
from bot.metrics import Metrics
from bot.ports import Store
from storage.sqlite import open_store
from tests.support.discord import Clock, DiscordServer, Limits, Shown, Variants, discord_server
from tests.support.discord_clew import set_for

SPEED = 10.0  # Discord's seconds in one real second
ATTEMPT = 1.0  # real seconds of one request


@dataclass
class Grown:
    """A reply that is open."""

    turn: Turn
    draft: Draft
    reply: DiscordReply

    def says(self, text: str) -> None:
        """The model says more."""
        self.draft.add(TextPiece(text))
        self.reply.changed()

    def waits(self, waits: bool) -> None:
        """A person is waited for, or not any more."""
        self.draft.waits = waits
        self.reply.changed()

    async def ends(self, ending: Ending | None = None) -> None:
        """The turn ends: with the answer as it is now, unless told otherwise."""
        await self.reply.end(ending or Answered(self.draft.answer))


@dataclass
class Desk:
    """What one process has of Discord's replies. The store and Discord outlive it."""

    discord: DiscordServer
    store: Store
    calls: Calls
    threads: Threads
    pace: Pace = field(default_factory=Pace)

    async def asked(self, text: str = "tell me", *, channel: str = "general", by: str = "ada") -> Turn:
        """Somebody asked, and the turn was taken."""
        question = await self.discord.says(by, text, channel=channel)
        place = self.discord.world.channel(channel)
        kind = kind_of(place.kind)
        assert kind is not None
        thread = thread_of(
            Where(kind, place.id, place.guild_id, place.parent_id if place.is_thread else None), question
        )
        author = Person(PersonId(self.discord.person(by)))
        await self.store.add(Message(thread, MessageId(question), author, text, self.discord.clock.now()))
        claim = await self.store.claim(thread)
        assert claim is not None
        return claim.turn

    async def again(self, turn: Turn) -> Turn:
        """The turn as it is taken up once more."""
        found = await self.store.turn(turn)
        assert found is not None
        return found

    @asynccontextmanager
    async def answering(self, turn: Turn) -> AsyncIterator[Grown]:
        """The turn's reply."""
        draft = Draft()
        async with open_reply(
            turn,
            draft,
            calls=self.calls,
            store=self.store,
            threads=self.threads,
            me=self.discord.bot_user_id,
            now=self.discord.clock.now,
            clock=self.discord.clock.now,
            sleep=self.discord.clock.sleep,
            pace=self.pace,
        ) as reply:
            yield Grown(turn, draft, reply)

    async def shown(self, turn: Turn, text: str) -> Shown:
        """Wait until one message of the bot's in the turn's thread holds this text."""

        def look() -> Shown | None:
            try:
                seen = self.discord.replies(turn.thread.thread_id)
            except LookupError:
                return None
            return next((one for one in seen if text in one.text), None)

        return await self.discord.until(look)


@asynccontextmanager
async def at_desk(discord: DiscordServer, store: Store, *, attempt: float = ATTEMPT) -> AsyncIterator[Desk]:
    """A process begins, and ends when the block does."""
    settings = set_for(discord)
    async with open_line(settings) as line:
        await line.log_in(discord.token)
        calls = Calls(
            line.http,
            sleep=discord.clock.sleep,
            clock=discord.clock.now,
            metrics=Metrics(),
            attempting=attempt,
            uploading=attempt,
        )
        yield Desk(discord, store, calls, Threads(calls))


@asynccontextmanager
async def desk(
    *,
    speed: float = SPEED,
    limits: bool | Limits = False,
    variants: Variants | None = None,
    attempt: float = ATTEMPT,
) -> AsyncIterator[Desk]:
    """A desk with a store in memory, at a Discord of its own."""
    clock = Clock(speed=speed)
    async with (
        open_store("sqlite:///:memory:", now=clock.now) as store,
        discord_server(clock=clock, limits=limits, variants=variants) as discord,
        at_desk(discord, store, attempt=attempt) as place,
    ):
        yield place
