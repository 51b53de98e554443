"""The reply to one turn in Discord: a thread, a sign of work, messages that grow, and one end that stands."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from adapters.discord import faces, showing
from adapters.discord.buttons import Buttons
from adapters.discord.calls import NO_RIGHT, Calls, DiscordClosed, DiscordRefused, NoLongerWanted
from adapters.discord.faces import Face
from adapters.discord.format import render
from adapters.discord.posting import Posting
from adapters.discord.slots import Slots
from adapters.discord.threads import Threads
from adapters.discord.typing import keep_typing
from bot.answers import Answer, Answered, Draft, Ending, Notice, Stopped
from bot.errors import PlatformAway, PlatformError, StaleTurn, StoreError, ThreadClosed
from bot.messages import Turn
from bot.ports import Store
from bot.waiting import pause

logger = logging.getLogger(__name__)

_RULES = {200000, 200001, 240000}  # AutoMod's, and for harmful links
_ABOUT_FILES = {40005, 50045, NO_RIGHT}  # too large, or files may not be attached here
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0  # seconds between two attempts
_MOMENT = 1.0  # seconds that words wait for a sign that is on its way
_GRACE = 5.0  # seconds that what is under way is given at the end


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between the frames of a growing answer, and the like."""

    first: float = 0.3  # an answer that is whole by then is posted in one piece
    edit: float = 1.2  # about five edits in five seconds is what a channel takes
    doubt: float = 2.0  # until what was not found is looked for once more
    settle: float = 30.0  # how long a part that is whole is tried to be shown while the next one grows
    end: float = 60.0  # how long the end of an answer is tried to be shown


class DiscordReply:
    """A reply as the core knows it. `work` shows the draft while it grows, `end` what it has come to."""

    def __init__(
        self,
        turn: Turn,
        draft: Draft,
        *,
        calls: Calls,
        store: Store,
        threads: Threads,
        me: str,
        upload_limit: int,
        now: Callable[[], float],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        pace: Pace,
    ) -> None:
        self._turn, self._draft, self._calls, self._threads = turn, draft, calls, threads
        self._now, self._clock, self._sleep, self._pace = now, clock, sleep, pace
        self._upload_limit = upload_limit
        self._more, self._ended = asyncio.Event(), asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._typing: asyncio.Task[None] | None = None
        self._speaks = asyncio.Event()  # words come now, and no sign may come after them
        self._wait = _FIRST_PAUSE  # before what could not be shown is tried again
        self._slots = Slots(turn, calls=calls, store=store, me=me, sleep=sleep, doubt=pace.doubt)
        self._posting: Posting | None = None
        self._is_done = False
        self._rendered: tuple[Answer, tuple[str, ...]] = Answer(), ()

    def changed(self) -> None:
        """Have the newest of the draft shown when there is time for it."""
        self._more.set()

    async def end(self, ending: Ending) -> None:
        """Make the thread show how the turn ended.

        Raises:
            PlatformAway: Discord did not let us in time; doing it again later is safe.
            ThreadClosed, DiscordRefused: it cannot be shown.
            StaleTurn, StoreError: the store could not be told what is shown.
        """
        self._ended.set()
        await self._idle()
        await self._stop_typing()
        until = self._clock() + self._pace.end
        wait = _FIRST_PAUSE
        while True:
            try:
                await self._finish(await self._opened(), ending, until)
                self._is_done = True
                return
            except PlatformAway:
                if self._clock() + wait >= until:
                    raise
            await self._sleep(wait)
            wait = min(2 * wait, _LONGEST_PAUSE)

    async def _opened(self) -> Posting:
        """The place of the reply, looked up or made when it is not known yet."""
        if self._posting is None:
            spot = await self._threads.spot(self._turn)
            self._posting = Posting(self._turn, self._slots, spot, calls=self._calls, now=self._now, clock=self._clock)
        await self._slots.load()
        return self._posting

    # --- the end --------------------------------------------------------------------------------

    async def _finish(self, posting: Posting, ending: Ending, until: float) -> None:
        """Bring the thread to show the ending; what stands there already is left alone."""
        match ending:
            case Notice(text):
                try:
                    await self._show(posting, [Face(render(text))], until)
                except DiscordRefused as error:  # where not even that can be said, the asker is told elsewhere
                    raise DiscordClosed("notice", error.status, error.code) from error
            case Stopped(answer) if answer.is_empty and answer.opening:
                await self._show(posting, faces.faces_of((render(answer.opening),), ()), until)
            case Stopped(answer) if answer.is_empty:
                await posting.keep(faces.is_sign, faces.STOPPED, until=until)
            case Answered(answer) | Stopped(answer):
                await self._show_answer(posting, answer, until)
        await posting.tidy(until=until)

    async def _show_answer(self, posting: Posting, answer: Answer, until: float) -> None:
        shown = await asyncio.to_thread(  # of a very long one it takes a second or two
            showing.whole, answer, asked=self._turn.messages[0].text, limit=self._upload_limit
        )
        try:
            await self._show(posting, shown, until)
        except (DiscordRefused, DiscordClosed) as error:
            logger.warning("answer refused", extra={**self._turn.fields, "reason": str(error)})
            if error.code in _RULES:
                await self._show(posting, faces.faces_of((faces.MODERATED,), ()), until)
            elif any(face.files for face in shown) and (error.code in _ABOUT_FILES or error.status == 413):
                await self._show(posting, await asyncio.to_thread(showing.without_files, answer), until)
            else:
                raise

    async def _show(self, posting: Posting, shown: list[Face], until: float) -> None:
        for number, face in enumerate(shown):
            await posting.put(number, face, until=until)
        await posting.remove(lambda number: number >= len(shown), until=until)

    # --- while it grows -------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to show that work goes on; `close` ends it."""
        if self._turn.refusal is None:
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """Show frame after frame until the reply ends. A frame that fails delays the next and nothing else."""
        while not self._ended.is_set():
            try:
                posting = await self._opened()
                if self._typing is None:
                    self._typing = asyncio.create_task(self._type())
                await self._blank(posting)
                await self._grow(posting)
                return
            except (StaleTurn, ThreadClosed) as error:
                logger.info("nothing more is shown", extra={**self._turn.fields, "reason": str(error)})
                return
            except (PlatformError, StoreError) as error:
                logger.info("frame not shown", extra={**self._turn.fields, "reason": str(error)})
            await pause(self._wait, self._ended, sleep=self._sleep)
            self._wait = min(2 * self._wait, _LONGEST_PAUSE)
            self._more.set()

    async def _type(self) -> None:
        spot = await self._threads.spot(self._turn)
        await keep_typing(
            self._calls,
            spot.channel_id,
            ended=self._speaks,
            is_needed=lambda: not self._slots.has_words and not self._draft.waits,
            sleep=self._sleep,
        )

    async def _stop_typing(self) -> None:
        """Let no sign come after the words: Discord takes it away when they are posted, or ten seconds later."""
        self._speaks.set()
        if self._typing is not None:
            await asyncio.wait({self._typing}, timeout=_MOMENT)
            self._typing.cancel()

    async def _blank(self, posting: Posting) -> None:
        """Let an answer that is given anew show nothing of the old one."""
        if self._turn.interaction is not None or not self._slots.has_words or self._draft.answer.text:
            return
        until = self._clock() + self._pace.settle
        await posting.put(0, Face(faces.WORKING, Buttons.GROWING), until=until, unless=self._ended)
        await posting.remove(lambda number: number > 0, until=until)

    async def _grow(self, posting: Posting) -> None:
        while not self._ended.is_set():
            await pause(float("inf"), self._more, self._ended, sleep=self._sleep)
            if self._ended.is_set():
                return
            self._more.clear()
            if not self._slots.has_words:
                await pause(self._pace.first, self._ended, sleep=self._sleep)
            began = self._clock()
            try:
                is_shown = await self._frame(posting)
            except NoLongerWanted:  # something that is final goes first
                is_shown = True
                self._more.set()
            else:
                self._wait = _FIRST_PAUSE
            # An edit that took long says that there is no room for more.
            wait = max(self._pace.edit, self._clock() - began) if is_shown else 0.0
            await pause(wait, self._ended, sleep=self._sleep)

    async def _frame(self, posting: Posting) -> bool:
        """Show the newest of the draft; False when there is nothing to show yet."""
        parts = self._parts()
        if not parts or self._ended.is_set():
            return False
        if self._rendered[0].waits and not self._slots.has_words:
            return False  # the question says so as well
        until = self._clock() + self._pace.settle
        for number, text in enumerate(parts[:-1]):  # they stay what they are
            await posting.put(number, Face(text), until=until, unless=self._ended)
        last = len(parts) - 1
        slot = self._slots.slot(last)
        await posting.settle(slot, until=until, unless=self._ended)
        if slot.id is None:
            await self._stop_typing()
            await posting.post(slot, Face(parts[-1], Buttons.GROWING), "", until=until, unless=self._ended)
        elif not await posting.frame(slot, lambda: self._newest(last), unless=self._ended):
            self._more.set()  # it stands nowhere now, and is to be posted
        return True

    def _newest(self, number: int) -> Face | None:
        parts = self._parts()
        return Face(parts[number], Buttons.GROWING) if number < len(parts) else None

    def _parts(self) -> tuple[str, ...]:
        """The parts of the draft as it is; rendered once for all that ask before it grows."""
        answer = showing.seen(self._draft.answer)
        if answer != self._rendered[0]:
            self._rendered = answer, showing.growing(answer)
        return self._rendered[1]

    # --- around it ------------------------------------------------------------------------------

    async def _idle(self) -> None:
        """Wait until nothing is under way: an edit that is overtaken by another may be carried out after it."""
        if self._worker is not None:
            await asyncio.wait({self._worker})

    def abandon(self) -> None:
        """Leave everything where it is."""
        for task in self._tasks:
            task.cancel()

    @property
    def _tasks(self) -> list[asyncio.Task[None]]:
        return [task for task in (self._worker, self._typing) if task is not None]

    async def close(self) -> None:
        """End the signs of work, whatever became of the reply."""
        self._ended.set()
        self._speaks.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_GRACE)
            self.abandon()
            for failure in await asyncio.gather(*self._tasks, return_exceptions=True):
                if isinstance(failure, Exception):
                    logger.error("growing reply failed", extra=self._turn.fields, exc_info=failure)
        if self._is_done and self._posting is not None:
            await self._leave_the_last_button(self._posting)

    async def _leave_the_last_button(self, posting: Posting) -> None:
        """Take the button of the answer before away: only the last one can be given again."""
        try:
            before = await self._slots.answer_before()
        except StoreError as error:
            logger.info("old button left", extra={**self._turn.fields, "reason": str(error)})
            return
        if before is not None:
            await posting.unbutton(before)


@asynccontextmanager
async def open_reply(
    turn: Turn,
    draft: Draft,
    *,
    calls: Calls,
    store: Store,
    threads: Threads,
    me: str,
    upload_limit: int | None = None,
    now: Callable[[], float] = time.time,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    pace: Pace | None = None,
) -> AsyncIterator[DiscordReply]:
    """The reply to a turn, growing while the block runs.

    Args:
        me: the bot's own user id.
        upload_limit: bytes that one file may have in that server; None where it is not known.
        now: seconds since the epoch; *clock*: from any beginning.
    """
    reply = DiscordReply(
        turn,
        draft,
        calls=calls,
        store=store,
        threads=threads,
        me=me,
        upload_limit=upload_limit or faces.FILE_LIMIT,
        now=now,
        clock=clock,
        sleep=sleep,
        pace=pace or Pace(),
    )
    reply.start()
    try:
        yield reply
    except asyncio.CancelledError:
        reply.abandon()
        raise
    finally:
        await reply.close()
