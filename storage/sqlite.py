"""The store over SQLite: one file, one process, every acknowledgement on durable storage."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence, Set
from contextlib import asynccontextmanager
from pathlib import Path

from bot.exchanges import Exchange
from bot.messages import (
    AttachmentId,
    InteractionId,
    Message,
    MessageId,
    Part,
    PersonId,
    Platform,
    Refusal,
    Thread,
    Turn,
    TurnId,
    Usage,
)
from bot.ports import (
    Booked,
    Claim,
    Parcel,
    Place,
    Retried,
    Spent,
    Store,
    ThreadNote,
    ThreadSummary,
    Unconfirmed,
    Upload,
)
from storage import catching_up, controls, exchanges, messages, placing, transcripts, turns, uploads
from storage import usage as books
from storage.approvals import SqliteApprovals
from storage.chains import SqliteChains
from storage.commits import Commits, group_commits
from storage.database import Opened, commit_something_small, forget_the_log, open_database, read_url
from storage.forgetting import SqliteForgetting
from storage.migrate import MIGRATIONS, read_migrations
from storage.runs import SqliteRuns
from storage.tally import Tally

TEXT_KEPT = frozenset({Platform("web")})
"""The platforms that have no history of their own to read text back from."""


def random_turn_id() -> TurnId:
    """Sixteen hexadecimal digits: short enough to travel in a platform's own marks."""
    return TurnId(secrets.token_hex(8))


@asynccontextmanager
async def open_store(
    url: str,
    *,
    now: Callable[[], float] = time.time,
    new_id: Callable[[], TurnId] = random_turn_id,
    keeps_text: frozenset[Platform] = TEXT_KEPT,
    wait: float = 5.0,
    migrations: Path = MIGRATIONS,
) -> AsyncIterator[Store]:
    """Open the database that `DATABASE_URL` names, bring its schema up to date, and own it until the end.

    Args:
        url: ``sqlite:///clew.db`` (relative), ``sqlite:////data/clew.db`` (absolute) or ``sqlite:///:memory:``.
        now: seconds since the epoch.
        new_id: a name for a new turn, unique in its thread.
        keeps_text: the platforms whose text stays until a reset, because they keep no history themselves.
        wait: seconds to wait for another program's lock, at start and for every write.
        migrations: the folder with the numbered migrations.

    Raises:
        StoreUnusable: why it cannot be opened, in one sentence.
    """
    file = read_url(url)
    opened = await asyncio.to_thread(open_database, file, migrations=read_migrations(migrations), wait=wait)
    async with serve(opened, now=now, new_id=new_id, keeps_text=keeps_text) as store:
        yield store


@asynccontextmanager
async def serve(
    opened: Opened,
    *,
    now: Callable[[], float] = time.time,
    new_id: Callable[[], TurnId] = random_turn_id,
    keeps_text: frozenset[Platform] = TEXT_KEPT,
) -> AsyncIterator[Store]:
    """The store over a database that is open already; closes it at the end."""
    with opened.ownership:
        tally = Tally()
        opened.connection.on_rollback = tally.forget
        async with group_commits(opened.connection) as commits:
            yield SqliteStore(commits, tally, now=now, new_id=new_id, keeps_text=keeps_text)


class SqliteStore:
    """`Store` over one SQLite database; each method is one transaction, told in a neighbouring module."""

    def __init__(
        self,
        commits: Commits,
        tally: Tally,
        *,
        now: Callable[[], float],
        new_id: Callable[[], TurnId],
        keeps_text: frozenset[Platform],
    ) -> None:
        self._write, self._read = commits.write, commits.read
        self.chains = SqliteChains(commits, now=now)
        self.runs = SqliteRuns(commits, now=now)
        self.approvals = SqliteApprovals(commits, now=now)
        self.forgetting = SqliteForgetting(commits, now=now, keeps_text=keeps_text)
        self._tally = tally
        self._now = now
        self._new_id = new_id
        self._keeps_text = keeps_text

    def _keeps(self, thread: Thread) -> bool:
        return thread.platform in self._keeps_text

    # --- messages ---

    async def add(self, message: Message, *, refusal: Refusal | None = None) -> bool:
        new_turns, keeps, now = (self._new_id(), self._new_id()), self._keeps(message.thread), self._now()
        return await self._write(
            lambda db: messages.add(db, message, refusal, new_turns=new_turns, keeps_text=keeps, now=now)
        )

    async def note(self, thread: Thread) -> ThreadNote:
        return await self._read(lambda db: messages.note(db, thread))

    async def overhear(self, message: Message) -> None:
        now = self._now()
        await self._write(lambda db: messages.overhear(db, message, now=now))

    async def knows(self, thread: Thread, message: MessageId) -> bool:
        return await self._read(lambda db: messages.knows(db, thread, message))

    async def edit(self, thread: Thread, message: MessageId, text: str) -> bool:
        keeps = self._keeps(thread)
        return await self._write(lambda db: messages.edit(db, thread, message, text, keeps_text=keeps))

    async def withdraw(self, thread: Thread, message: MessageId) -> bool:
        keeps, now = self._keeps(thread), self._now()
        return await self._write(lambda db: messages.withdraw(db, thread, message, keeps_text=keeps, now=now))

    # --- turns ---

    async def waiting(self) -> Sequence[Thread]:
        return await self._read(turns.waiting)

    async def running(self) -> Sequence[Turn]:
        return await self._read(turns.running)

    async def claim(self, thread: Thread) -> Claim | None:
        now = self._now()
        return await self._write(lambda db: turns.claim(db, self._tally, thread, now=now))

    async def uncount(self, turn: Turn) -> None:
        await self._write(lambda db: turns.uncount(db, self._tally, turn))

    async def asking(self, turn: Turn, *, after: InteractionId | None) -> None:
        await self._write(lambda db: turns.asking(db, turn, after))

    async def created(self, turn: Turn, interaction: InteractionId) -> None:
        now = self._now()
        if not await self._write(lambda db: turns.created(db, turn, interaction, now=now)):
            raise turns.stale(turn)

    async def shown(self, turn: Turn, part: Part) -> None:
        keeps = self._keeps(turn.thread)
        await self._write(lambda db: turns.shown(db, turn, part, keeps_text=keeps))

    async def answered(
        self,
        turn: Turn,
        *,
        interaction: InteractionId,
        usage: Usage,
        model: str,
        told: Set[MessageId] = frozenset(),
        exchange: Exchange | None = None,
    ) -> None:
        keeps, now = self._keeps(turn.thread), self._now()
        await self._write(
            lambda db: turns.answered(
                db, turn, interaction, usage, model, told=told, exchange=exchange, keeps_text=keeps, now=now
            )
        )

    async def exchanges(self, turn: Turn) -> Sequence[Exchange]:
        return await self._read(lambda db: exchanges.exchanges(db, turn))

    async def is_at_gemini(self, turn: Turn) -> bool:
        return await self._read(lambda db: exchanges.is_at_gemini(db, turn))

    async def failed(self, turn: Turn, *, notice: str, tell: bool) -> None:
        keeps, now = self._keeps(turn.thread), self._now()
        await self._write(lambda db: turns.failed(db, turn, notice, tell=tell, keeps_text=keeps, now=now))

    async def stopped(self, turn: Turn) -> None:
        keeps, now = self._keeps(turn.thread), self._now()
        was_reset = await self._write(lambda db: turns.stopped(db, turn, keeps_text=keeps, now=now))
        if was_reset:
            await self._read(forget_the_log)

    async def refuse(self, turn: Turn, refusal: Refusal) -> bool:
        return await self._write(lambda db: turns.refuse(db, self._tally, turn, refusal))

    async def never_told(self, thread: Thread) -> Set[MessageId]:
        return await self._read(lambda db: turns.never_told(db, thread))

    async def untold(self, turn: Turn) -> Sequence[Turn]:
        return await self._read(lambda db: turns.untold(db, turn))

    # --- controls ---

    async def stop(
        self, thread: Thread, command: MessageId, *, turn: TurnId | None = None, sent_at: float | None = None
    ) -> Turn | None:
        now = self._now()
        return await self._write(lambda db: controls.stop(db, thread, command, turn=turn, sent_at=sent_at, now=now))

    async def reset(self, thread: Thread, command: MessageId) -> bool:
        keeps, now = self._keeps(thread), self._now()
        is_new = await self._write(lambda db: controls.reset(db, thread, command, keeps_text=keeps, now=now))
        if is_new:
            await self._read(forget_the_log)
        return is_new

    async def quieten(self, thread: Thread, command: MessageId) -> bool:
        now = self._now()
        return await self._write(lambda db: controls.quieten(db, thread, command, now=now))

    async def confirming(self, thread: Thread, command: MessageId, words: str) -> bool:
        now = self._now()
        return await self._write(lambda db: controls.confirming(db, thread, command, words, now=now))

    async def confirmed(self, thread: Thread, command: MessageId) -> None:
        await self._write(lambda db: controls.confirmed(db, thread, command))

    async def unconfirmed(self, platform: Platform) -> Sequence[Unconfirmed]:
        return await self._read(lambda db: controls.unconfirmed(db, platform))

    async def retry(
        self, thread: Thread, command: MessageId, *, turn: TurnId | None = None, sent_at: float | None = None
    ) -> Retried:
        new_turn, now = self._new_id(), self._now()
        return await self._write(
            lambda db: controls.retry(db, thread, command, turn=turn, sent_at=sent_at, new_turn=new_turn, now=now)
        )

    # --- transcripts ---

    async def threads(self, platform: Platform) -> Sequence[ThreadSummary]:
        return await self._read(lambda db: transcripts.threads(db, platform))

    async def transcript(self, thread: Thread) -> Sequence[Turn]:
        return await self._read(lambda db: transcripts.transcript(db, thread))

    async def turn(self, turn: Turn) -> Turn | None:
        return await self._read(lambda db: transcripts.turn_now(db, turn))

    # --- catching up ---

    async def places(self, platform: Platform) -> Sequence[Place]:
        return await self._write(lambda db: catching_up.places(db, platform))

    async def caught_up(self, platform: Platform) -> None:
        await self._write(lambda db: catching_up.caught_up(db, platform))

    async def lagging(self) -> Set[Platform]:
        return await self._read(catching_up.lagging)

    async def active(self, platform: Platform, *, since: float) -> Sequence[Thread]:
        return await self._read(lambda db: catching_up.active(db, platform, since=since))

    # --- placing ---

    async def take_in(self, parcel: Parcel) -> bool:
        now = self._now()
        return await self._write(lambda db: placing.take_in(db, parcel, now=now))

    async def parcels(self, platform: Platform) -> Sequence[Parcel]:
        return await self._read(lambda db: placing.parcels(db, platform))

    async def placed(self, parcel: Parcel) -> None:
        await self._write(lambda db: placing.placed(db, parcel))

    async def thread_of(self, platform: Platform, message: MessageId) -> Thread | None:
        return await self._read(lambda db: placing.thread_of(db, platform, message))

    # --- the books ---

    async def booked(self, thread: Thread, *, most: int) -> tuple[Sequence[Booked], int]:
        return await self._read(lambda db: books.booked(db, thread, most=most))

    async def spent(
        self, *, since: float, platform: Platform | None = None, person: PersonId | None = None
    ) -> Sequence[Spent]:
        return await self._read(lambda db: books.spent(db, since=since, platform=platform, person=person))

    # --- uploads ---

    async def uploading(self, upload: Upload) -> None:
        now = self._now()
        await self._write(lambda db: uploads.uploading(db, upload, now=now))

    async def uploaded(self, upload: Upload) -> None:
        await self._write(lambda db: uploads.uploaded(db, upload))

    async def upload_of(self, thread: Thread, attachment: AttachmentId) -> Upload | None:
        return await self._read(lambda db: uploads.upload_of(db, thread, attachment))

    async def uploads(self, thread: Thread) -> Sequence[Upload]:
        now = self._now()
        return await self._read(lambda db: uploads.uploads(db, thread, now=now))

    async def upload_gone(self, thread: Thread, name: str) -> None:
        await self._write(lambda db: uploads.upload_gone(db, thread, name))

    async def check(self) -> None:
        await self._write(commit_something_small)
