"""Discord as a platform: it connects, hears, answers and tells what is wrong, each in a module of its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

from adapters.discord.announcer import Announcer
from adapters.discord.application import set_commands
from adapters.discord.approving import Approving
from adapters.discord.asked import Questions
from adapters.discord.calls import Calls
from adapters.discord.catchup import CatchUp
from adapters.discord.channels import Channels
from adapters.discord.composed import Parts, Work
from adapters.discord.files import Downloads
from adapters.discord.gaps import Gaps
from adapters.discord.gateway import Connection
from adapters.discord.history import history, read
from adapters.discord.ingest import Inbox, Ingest
from adapters.discord.interactions import Commands, Interactions
from adapters.discord.line import DiscordSettings, Identity, Line, open_line
from adapters.discord.linked import Linked
from adapters.discord.pages import Pages
from adapters.discord.payloads import Fields
from adapters.discord.people import Called, Nicknames
from adapters.discord.places import DIRECT, DISCORD
from adapters.discord.reply import Pace, open_reply
from adapters.discord.rhythm import Rhythm, kept_up
from adapters.discord.servers import Servers
from adapters.discord.threads import Threads
from bot.answers import Draft
from bot.condition import Condition
from bot.confirmations import Confirmations
from bot.errands import Errands
from bot.errors import SettingsError, ThreadClosed
from bot.messages import Attachment, Message, MessageId, Person, Platform, Said, Standing, Thread, Turn
from bot.metrics import Metrics
from bot.ports import Approval, Reply, Store
from bot.watching import Watching

__all__ = ["DiscordAdapter", "Line", "Rhythm", "open_line"]

_GRACE = 2.0  # seconds that what was heard is given to be stored when everything ends


class DiscordAdapter:
    """Discord. Until `serve` has asked who we are, everything here waits.

    Args:
        line: see `open_line`; closed after the last turn.
        now: seconds since the epoch.
        clock: seconds from any beginning.

    Raises:
        SettingsError: there is no token.
    """

    def __init__(
        self,
        settings: DiscordSettings,
        *,
        line: Line,
        store: Store,
        inbox: Inbox,
        commands: Commands,
        metrics: Metrics,
        rhythm: Rhythm | None = None,
        pace: Pace | None = None,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        if settings.token is None:
            raise SettingsError("DISCORD_TOKEN is not set.")
        self._token, self._file_hosts, self._line = settings.token.get_secret_value(), settings.file_hosts, line
        self._store, self._inbox, self._commands = store, inbox, commands
        self._rhythm, self._pace = rhythm or Rhythm(), pace
        self._now, self._clock, self._sleep = now, clock, sleep
        self._condition = Condition("Discord")
        self._calls = Calls(
            line.http, sleep=sleep, clock=clock, is_in_danger=line.invalid.are_too_many, metrics=metrics
        )
        self._work: Work | None = None
        self._parts: Parts | None = None
        self._is_known, self._is_begun = asyncio.Event(), asyncio.Event()  # who we are, and the work

    @property
    def platform(self) -> Platform:
        """The name of this platform."""
        return DISCORD

    def trouble(self) -> str | None:
        """What is wrong with the connection, for the operator; None when it is fine."""
        return self._condition.trouble

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Connect, check and hear while the block runs; yield a line on what was connected.

        Raises:
            StartError: the token is wrong or an intent missing, which no waiting mends.
        """
        identity = await self._line.log_in(
            self._token,
            condition=self._condition,
            sleep=self._sleep,
            pause=self._rhythm.pause,
            longest_pause=self._rhythm.longest_pause,
        )
        parts = self._known_as(identity)
        async with Errands(grace=_GRACE) as errands, Errands() as background:
            self._work = work = self._begun(errands, parts)
            self._is_begun.set()
            # Before the first event comes, which would hide the gap.
            await self._kept_up(work.catch_up.note, pause=self._rhythm.pause)
            connecting = background.start(parts.connection.run())
            for endless in (work.confirmations.run, work.catch_up.run, work.watching.run):
                background.start(self._kept_up(endless))
            background.start(self._kept_up(work.interactions.take_up))
            background.start(self._kept_up(lambda: set_commands(self._calls, identity.application_id)))
            try:
                await parts.connection.wait_until_ready()
                number = len(parts.servers.all)
                yield f"{identity.name} at the gateway, in {number} server{'' if number == 1 else 's'}"
            finally:
                connecting.cancel()  # nothing is heard any more before anything else ends
                await asyncio.gather(connecting, return_exceptions=True)

    def _hear(self, name: str, body: Fields) -> None:
        work = self._work
        if work is None:
            return  # nothing comes before all is ready for it
        if name == "INTERACTION_CREATE":
            work.interactions.hear(body)
        else:
            work.ingest.hear(name, body)

    def _known_as(self, identity: Identity) -> Parts:
        calls, pages = self._calls, Pages(self._calls)
        threads, nicknames = Threads(calls, sleep=self._sleep), Nicknames()
        gaps = Gaps(
            clock=self._now,
            shard_of=lambda installation: connection.shard_of(None if installation == DIRECT else int(installation)),
        )
        connection = Connection(
            self._token,
            http=self._line.http,
            hear=self._hear,
            sessions=gaps,
            condition=self._condition,
            sleep=self._sleep,
            pause=self._rhythm.pause,
            longest_pause=self._rhythm.longest_pause,
            patience=self._rhythm.patience,
            late=self._rhythm.late,
        )
        servers = Servers(identity.user_id, told=lambda: connection.guilds, find=connection.guild)
        self._parts = Parts(
            identity=identity,
            connection=connection,
            gaps=gaps,
            nicknames=nicknames,
            servers=servers,
            threads=threads,
            channels=Channels(calls, guild=servers.find, nicknames=nicknames),
            pages=pages,
            downloads=Downloads(pages.one, self._line.session, self._file_hosts, sleep=self._sleep, clock=self._clock),
            announcer=Announcer(calls, threads, me=identity.user_id),
            approving=Approving(calls, threads, me=identity.user_id),
        )
        self._is_known.set()
        return self._parts

    def _begun(self, errands: Errands, parts: Parts) -> Work:
        confirmations = Confirmations(self._store, DISCORD, parts.announcer.confirm, sleep=self._sleep)
        ingest = Ingest(
            errands,
            me=parts.servers.me,
            channels=parts.channels,
            threads=parts.threads,
            nicknames=parts.nicknames,
            store=self._store,
            inbox=self._inbox,
            commands=self._commands,
            confirm=confirmations.add,
            missed=parts.gaps.missed,
            missing=parts.gaps.missing,
            clock=self._now,
            sleep=self._sleep,
        )
        catch_up = CatchUp(
            self._calls,
            self._store,
            parts.threads,
            parts.gaps,
            ingest.take_in,
            me=parts.servers.me,
            guild=parts.servers.find,
            is_complete=lambda: parts.connection.is_complete,
            clock=self._now,
            sleep=self._sleep,
            pace=self._rhythm.catch_up,
            watch_pace=self._rhythm.watch,
        )
        questions = Questions(
            self._calls, parts.downloads, self._inbox, me=parts.servers.me, called=parts.channels.called
        )
        return Work(
            ingest=ingest,
            interactions=Interactions(
                errands,
                calls=self._calls,
                store=self._store,
                commands=self._commands,
                questions=questions,
                confirm=confirmations.add,
                tell=parts.announcer.whisper,
                now=self._now,
                sleep=self._sleep,
            ),
            confirmations=confirmations,
            catch_up=catch_up,
            watching=Watching(catch_up.read_thread, clock=self._now, sleep=self._sleep, again=self._rhythm.again),
        )

    # --- what the core asks for -----------------------------------------------------------------

    @asynccontextmanager
    async def reply(self, turn: Turn, draft: Draft) -> AsyncIterator[Reply]:
        """Open the reply to a turn; see `Adapter`."""
        parts = await self._known()
        try:
            async with open_reply(
                turn,
                draft,
                calls=self._calls,
                store=self._store,
                threads=parts.threads,
                me=parts.identity.user_id,
                upload_limit=parts.channels.upload_limit(turn.thread.installation_id),
                now=self._now,
                clock=self._clock,
                sleep=self._sleep,
                pace=self._pace,
            ) as reply:
                yield reply
        except ThreadClosed as error:
            await parts.announcer.tell(turn, error)
            raise
        if self._work is not None:
            self._work.watching.watch(turn.thread)

    async def download(self, message: Message, attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes of a file; see `Downloads.download`."""
        parts = await self._known()
        async with aclosing(parts.downloads.download(message, attachment)) as pieces:
            async for piece in pieces:
                yield piece

    async def history(self, thread: Thread, *, before: MessageId, since: float | None) -> Sequence[Said]:
        """What was said in the thread before a message; see `Adapter`."""
        parts = await self._known()
        turns = await self._store.transcript(thread)
        # Whatever has ended was before: a message that came late is answered after those that overtook it.
        ended = [turn for turn in turns if turn.ended_at is not None]
        answers = {part.message_id for turn in ended for part in turn.parts}
        answers |= {message.id for turn in ended for message in turn.messages}
        return await history(
            parts.pages,
            parts.servers.me(thread.installation_id),
            thread,
            before=before,
            since=since,
            answers=answers,
            called=_called(parts, thread),
        )

    async def read(self, message: Message) -> Message:
        """A message as Discord has it now; see `Adapter`."""
        parts = await self._known()
        me = parts.servers.me(message.thread.installation_id)
        return await read(parts.pages, me, message, called=_called(parts, message.thread))

    async def read_for(
        self, person: Person, thread: Thread, link: str, *, permits: Callable[[Thread], bool]
    ) -> Sequence[Said]:
        """What a link leads to, for somebody; see `Adapter`."""
        parts = await self._known()
        me, called = parts.servers.me(thread.installation_id), _called(parts, thread)
        linked = Linked(self._calls, parts.pages)
        return await linked.read_for(person, thread, link, permits=permits, me=me, called=called)

    async def standing(self, thread: Thread, person: Person) -> Standing:
        """What somebody is to the server: whoever can write in it is a member."""
        return person.standing or Standing.MEMBER

    async def catch_up(self, thread: Thread) -> None:
        """Take in what was missed in a thread; see `Adapter`."""
        while self._work is None:
            await self._is_begun.wait()
        await self._work.catch_up.thread(thread)

    async def ask(self, turn: Turn, approval: Approval, words: str) -> None:
        """Ask for approval, once; see `Adapter`."""
        await (await self._known()).approving.ask(turn, approval, words)

    async def settle(self, turn: Turn, approval: Approval, words: str) -> None:
        """Show what was decided; see `Adapter`."""
        await (await self._known()).approving.settle(turn, approval, words)

    async def confirm(self, thread: Thread, command: MessageId, words: str) -> None:
        """Say what became of a command, once; see `Announcer`."""
        await (await self._known()).announcer.confirm(thread, command, words)

    # --- what is known --------------------------------------------------------------------------

    async def _known(self) -> Parts:
        while self._parts is None:
            await self._is_known.wait()
        return self._parts

    async def _kept_up(self, work: Callable[[], Awaitable[None]], *, pause: float | None = None) -> None:
        await kept_up(work, pause=self._rhythm.longest_pause if pause is None else pause, sleep=self._sleep)


def _called(parts: Parts, thread: Thread) -> Called:
    return lambda name: parts.channels.called(thread.installation_id, name)
