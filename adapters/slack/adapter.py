"""Slack as a platform: it connects, hears, answers and tells what is wrong, each in a module of its own."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from adapters.slack.actions import Actions
from adapters.slack.announcer import Announcer
from adapters.slack.app import make_app
from adapters.slack.approving import Approving
from adapters.slack.asked import Questions
from adapters.slack.budget import Budget
from adapters.slack.calls import Calls, SlackRefused
from adapters.slack.catchup import CatchUp
from adapters.slack.checks import BAD_TOKEN, Channel, Checks, bot_token_sentence, tell_channels
from adapters.slack.connection import Line, Rhythm, SlackSettings, listening, open_line, read_access
from adapters.slack.elsewhere import Elsewhere
from adapters.slack.files import Downloads
from adapters.slack.growing import Pace
from adapters.slack.history import history, read
from adapters.slack.home import Home
from adapters.slack.http import EVERYWHERE
from adapters.slack.ingest import Commands, Inbox, Ingest
from adapters.slack.last_answers import LastAnswers
from adapters.slack.linked import read_for
from adapters.slack.people import People
from adapters.slack.places import SLACK
from adapters.slack.reply import open_reply
from adapters.slack.uploads import Uploader
from adapters.slack.workspace import Workspace
from bot.answers import Draft
from bot.commands import Command
from bot.condition import Condition
from bot.confirmations import Confirmations
from bot.errands import Errands
from bot.errors import ThreadClosed
from bot.messages import Attachment, Message, MessageId, Person, Platform, Said, Standing, Thread, Turn
from bot.metrics import Metrics
from bot.ports import Approval, Reply, Store

__all__ = ["Line", "Rhythm", "SlackAdapter", "open_line"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What needs to know who we are."""

    me: Workspace
    people: People
    downloads: Downloads
    uploader: Uploader
    announcer: Announcer
    home: Home
    elsewhere: Elsewhere
    last_answers: LastAnswers


class SlackAdapter:
    """Slack. Until `serve` has asked who we are, everything here waits.

    Args:
        line: see `open_line`; closed after the last turn.
        now: seconds since the epoch.
        clock: seconds from any beginning; with *sleep* the line's own unless given.
        http_host: the address that events over HTTP are taken on.

    Raises:
        SettingsError: the tokens are half set.
    """

    def __init__(
        self,
        settings: SlackSettings,
        *,
        line: Line,
        store: Store,
        inbox: Inbox,
        commands: Commands,
        metrics: Metrics,
        rhythm: Rhythm | None = None,
        pace: Pace | None = None,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] | None = None,
        http_host: str = EVERYWHERE,
    ) -> None:
        clock, sleep = clock or line.clock, sleep or line.sleep
        self._settings, self._access, self._line, self._store = settings, read_access(settings), line, store
        self._inbox, self._commands = inbox, commands
        self._rhythm, self._pace, self._http_host = rhythm or Rhythm(), pace, http_host
        self._now, self._clock, self._sleep = now, clock, sleep
        self._condition = Condition("Slack")
        self._checks = Checks(
            line.client,
            condition=self._condition,
            sleep=sleep,
            pause=self._rhythm.pause,
            longest_pause=self._rhythm.longest_pause,
        )
        self._calls = Calls(line.client, Budget(clock=clock, sleep=sleep), sleep=sleep, clock=clock, metrics=metrics)
        self._parts: _Parts | None = None
        self._catch_up: CatchUp | None = None
        self._is_known, self._catches_up = asyncio.Event(), asyncio.Event()  # who we are, and what was missed

    @property
    def platform(self) -> Platform:
        """The name of this platform."""
        return SLACK

    def trouble(self) -> str | None:
        """What is wrong with the connection, for the operator; None when it is fine."""
        return self._condition.trouble

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Connect, check and hear while the block runs; yield a line on what was connected.

        Raises:
            StartError: a token, a scope or a setting of the app is wrong, in a way no waiting mends.
        """
        me = await self._checks.who_we_are()
        if self._access.app_token is not None:
            await self._checks.can_connect(self._access.app_token)
        channels = await self._checks.channels()
        tell_channels(channels)
        parts = self._compose(me, channels)
        async with Errands(grace=self._rhythm.ack) as errands, Errands() as background:
            confirmations = Confirmations(self._store, SLACK, parts.announcer.confirm, sleep=self._sleep)
            ingest = self._ingest(errands, parts, confirmations)
            self._catch_up = catch_up = CatchUp(
                self._calls,
                self._store,
                me,
                ingest.accept,
                channels=[channel.id for channel in channels],
                clock=self._now,
                sleep=self._sleep,
                pace=self._rhythm.catch_up,
                again=self._rhythm.again,
            )
            self._catches_up.set()
            # Before the first event comes, which would hide the gap.
            await catch_up.try_to_note()
            questions = self._questions(errands, parts)
            app = make_app(self._line.client, self._access.bot_token, me, self._actions(errands, parts, questions))
            # Before anything is heard: what is promised from then on is nothing that an earlier process left unsaid.
            for left in (confirmations.run, questions.take_up):
                background.start(self._kept_up(left))
            # Left first: nothing is heard any more before anything else ends.
            async with listening(
                app,
                ingest,
                me,
                access=self._access,
                condition=self._condition,
                rhythm=self._rhythm,
                port=self._settings.port,
                host=self._http_host,
                now=self._now,
                sleep=self._sleep,
            ) as way:
                watch_token = partial(self._checks.watch_token, every=self._rhythm.token)
                for work in (catch_up.run, catch_up.watching.run, parts.last_answers.run, watch_token):
                    background.start(self._kept_up(work))
                yield f"{me.url} {way}, in {len(channels)} channel{'' if len(channels) == 1 else 's'}"

    def _compose(self, me: Workspace, channels: Sequence[Channel]) -> _Parts:
        calls, session = self._calls, self._line.session
        home = Home(calls, me, channels=channels, list_channels=self._checks.channels, clock=self._clock)
        self._parts = _Parts(
            me=me,
            people=People(calls, me, clock=self._clock),
            downloads=Downloads(
                calls,
                session,
                self._access.bot_token,
                self._settings.file_hosts,
                sleep=self._sleep,
                clock=self._clock,
            ),
            uploader=Uploader(calls, session, me, sleep=self._sleep),
            announcer=Announcer(calls, me),
            home=home,
            elsewhere=Elsewhere(calls, me, channels=home.channels),
            last_answers=LastAnswers(calls, self._store),
        )
        self._is_known.set()
        return self._parts

    def _ingest(self, errands: Errands, parts: _Parts, confirmations: Confirmations) -> Ingest:
        return Ingest(
            errands,
            parts.me,
            store=self._store,
            inbox=self._inbox,
            commands=self._commands,
            people=parts.people,
            condition=self._condition,
            confirm=confirmations.add,
            whisper=parts.announcer.whisper,
            show_home=parts.home.show,
            came_late=self._came_late,
            now=self._now,
            within=self._rhythm.ack,
        )

    def _questions(self, errands: Errands, parts: _Parts) -> Questions:
        return Questions(
            errands,
            self._calls,
            parts.me,
            store=self._store,
            inbox=self._inbox,
            rules=self._commands,
            people=parts.people,
            whisper=parts.announcer.whisper,
            now=self._now,
            sleep=self._sleep,
        )

    def _actions(self, errands: Errands, parts: _Parts, questions: Questions) -> Actions:
        return Actions(
            errands,
            parts.me,
            commands=self._commands,
            store=self._store,
            people=parts.people,
            questions=questions,
            whisper=parts.announcer.whisper,
            within=self._rhythm.ack,
            now=self._now,
        )

    # --- what the core asks for -----------------------------------------------------------------

    @asynccontextmanager
    async def reply(self, turn: Turn, draft: Draft) -> AsyncIterator[Reply]:
        """Open the reply to a turn; see `Adapter`."""
        parts = await self._known()
        parts.last_answers.begins(turn)
        try:
            async with open_reply(
                turn,
                draft,
                calls=self._calls,
                store=self._store,
                me=parts.me,
                files=parts.uploader,
                team_of=parts.people.team,
                on_stop=self._stopped_at_slack,
                clock=self._clock,
                sleep=self._sleep,
                pace=self._pace,
            ) as reply:
                yield reply
        except ThreadClosed as error:
            await parts.elsewhere.tell(turn, error)
            raise
        except SlackRefused as error:
            if error.error in BAD_TOKEN:
                self._condition.is_wrong("bot token", bot_token_sentence(error.error))
            raise
        parts.last_answers.ended(turn, reply.held)
        if self._catch_up is not None:
            self._catch_up.watching.watch(turn.thread)

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
        return await history(self._calls, parts.people, parts.me, thread, before=before, since=since, answers=answers)

    async def read(self, message: Message) -> Message:
        """A message as Slack has it now; see `Adapter`."""
        parts = await self._known()
        return await read(self._calls, parts.people, parts.me, message)

    async def read_for(
        self, person: Person, thread: Thread, link: str, *, permits: Callable[[Thread], bool]
    ) -> Sequence[Said]:
        """What a link leads to, for somebody; see `Adapter`."""
        parts = await self._known()
        return await read_for(self._calls, parts.people, parts.me, person, link, permits=permits)

    async def standing(self, thread: Thread, person: Person) -> Standing:
        """What somebody is to the workspace. Raises PlatformAway when it cannot be told now."""
        return person.standing or await (await self._known()).people.standing(person.id)

    async def catch_up(self, thread: Thread) -> None:
        """Take in what was missed in a thread; see `Adapter`."""
        while self._catch_up is None:
            await self._catches_up.wait()
        await self._catch_up.hurry(thread)

    async def ask(self, turn: Turn, approval: Approval, words: str) -> None:
        """Ask for approval, once; see `Adapter`."""
        await Approving(self._calls, (await self._known()).me).ask(turn, approval, words)

    async def settle(self, turn: Turn, approval: Approval, words: str) -> None:
        """Show what was decided; see `Adapter`."""
        await Approving(self._calls, (await self._known()).me).settle(turn, approval, words)

    async def confirm(self, thread: Thread, command: MessageId, words: str) -> None:
        """Say what became of a command, once; see `Announcer`."""
        await (await self._known()).announcer.confirm(thread, command, words)

    # --- what goes on by itself -----------------------------------------------------------------

    async def _known(self) -> _Parts:
        while self._parts is None:
            await self._is_known.wait()
        return self._parts

    def _came_late(self, thread: Thread, since: float) -> None:
        if self._catch_up is not None:
            self._catch_up.came_late(thread, since)

    async def _stopped_at_slack(self, turn: Turn) -> None:
        """Somebody pressed Slack's own stop button on a growing answer."""
        await self._commands.run(Command.STOP, turn.thread, MessageId(f"stopped-{turn.id}"), turn=turn.id)

    async def _kept_up(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something until it is done, however often it fails."""
        while True:
            try:
                await work()
            except Exception:
                logger.exception("background work failed, beginning it again")
                await self._sleep(self._rhythm.longest_pause)
            else:
                return
