"""The reply to one turn in Slack: a status line, messages that grow, and an end that stands exactly once."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from adapters.slack.buttons import Buttons
from adapters.slack.calls import Calls, NoLongerWanted, SlackRefused
from adapters.slack.faces import Face, Held
from adapters.slack.format import (
    OVERFLOW_NAME,
    PART_LIMIT,
    growing_markdown_of,
    in_one_piece,
    markdown_of,
    plan,
    render,
)
from adapters.slack.growing import Growing, Pace, TeamOf
from adapters.slack.places import place_of
from adapters.slack.posting import Posting, Upload
from adapters.slack.slots import FILES, Slots
from adapters.slack.status import StatusLine, status_of
from adapters.slack.workspace import Workspace
from bot.answers import Answer, Answered, Draft, Ending, Notice, Stopped
from bot.chunks import split
from bot.errors import PlatformAway, PlatformError, StaleTurn, StoreError, ThreadClosed
from bot.made import Made, files_of, passages_of
from bot.messages import Turn
from bot.ports import Store
from bot.waiting import pause

logger = logging.getLogger(__name__)

WORKING = "_Thinking…_"  # in the place of words that are yet to come
WAITING = "_Waiting for you…_"  # there, while nobody is at work
STOPPED = "_Stopped._"
_FILES_ONLY = "_The answer is in the files below._"
_NOT_UPLOADED = (
    "_A file of this answer could not be put here: it is too large, or uploads are refused in this conversation._"
)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0  # seconds between two attempts
_OVERTAKEN = 2.0  # seconds that a status under way may hold up the end, after which it would stand
_GRACE = 5.0  # seconds that what is under way is given at the end
_AT_ONCE = 4000  # characters that are rendered in no time; longer texts are rendered beside the event loop


async def _nobody_told(turn: Turn) -> None:
    logger.info("stopped on Slack's side", extra=turn.fields)


class SlackReply:
    """A reply as the core knows it. `work` shows the draft while it grows, `end` what it has come to."""

    def __init__(
        self,
        turn: Turn,
        draft: Draft,
        *,
        calls: Calls,
        store: Store,
        me: Workspace,
        files: Upload,
        team_of: TeamOf,
        on_stop: Callable[[Turn], Awaitable[None]],
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        pace: Pace,
    ) -> None:
        self._turn, self._draft, self._clock, self._sleep, self._pace = turn, draft, clock, sleep, pace
        self._more, self._ended = asyncio.Event(), asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._says_waiting = False
        self._slots = Slots(turn, calls=calls, store=store, me=me, clock=clock, sleep=sleep, doubt=pace.doubt)
        self._posting = Posting(turn, self._slots, calls=calls, files=files, clock=clock)
        self._growing = Growing(
            turn,
            self._slots,
            self._posting,
            calls=calls,
            team_of=team_of,
            on_stop=on_stop,
            clock=clock,
            pace=pace,
            ended=self._ended,
        )
        self._status = StatusLine(calls, *place_of(turn.thread), may_stand=bool(turn.parts), sleep=sleep)

    @property
    def held(self) -> Held | None:
        """The message that holds the buttons of the turn, when it has ended with some."""
        return self._posting.held

    def changed(self) -> None:
        """Have the newest of the draft shown when there is time for it."""
        self._more.set()

    async def end(self, ending: Ending) -> None:
        """Make the thread show how the turn ended.

        Raises:
            PlatformAway: Slack did not let us in time; doing it again later is safe.
            ThreadClosed, SlackRefused: it cannot be shown.
            StaleTurn, StoreError: the store could not be told what is shown.
        """
        self._ended.set()
        await self._idle()
        until = self._clock() + self._pace.end
        wait = _FIRST_PAUSE
        while True:
            try:
                await self._slots.load()
                await self._finish(ending, until)
                return
            except PlatformAway:
                if self._clock() + wait >= until:
                    raise
            await self._sleep(wait)
            wait = min(2 * wait, _LONGEST_PAUSE)

    # --- the end --------------------------------------------------------------------------------

    async def _finish(self, ending: Ending, until: float) -> None:
        """Bring the thread to show the ending; what stands there already is left alone."""
        match ending:
            case Notice(text):
                await self._show((text,), Buttons.NONE, until=until)
                await self._posting.remove(lambda number: number >= FILES, until=until)
            case Stopped(answer) if answer.is_empty and answer.opening:
                await self._show((answer.opening,), Buttons.WHOLE, until=until)
                await self._posting.remove(lambda number: number >= FILES, until=until)
            case Stopped(answer) if answer.is_empty:
                await self._posting.keep((WORKING, WAITING), STOPPED, until=until)
            case Answered(answer) | Stopped(answer):
                await self._show_answer(answer, until)
        await self._posting.tidy(until=until)

    async def _show_answer(self, answer: Answer, until: float) -> None:
        passages = passages_of(answer, asked=self._turn.messages[0].text)
        markdown = markdown_of(replace(answer, text=in_one_piece(passages)))
        # Of a very long one it takes most of a second.
        planned = await asyncio.to_thread(plan, markdown, file=answer.file)
        name, opening = answer.file or OVERFLOW_NAME, (answer.opening,) if answer.opening else ()
        files = [*files_of(passages)]
        if planned.overflow is not None:
            files.append(Made(name, "text/markdown", planned.overflow, "All of the answer"))
        parts = (*opening, *(planned.parts or (_FILES_ONLY,)))
        await self._show(parts, Buttons.WHOLE, until=until)
        left_out = [file.name for number, file in enumerate(files) if not await self._enclosed(number, file, until)]
        if left_out:
            if name in left_out:
                parts = (*opening, *split(render(markdown), limit=PART_LIMIT))
            elif not planned.parts and len(left_out) == len(files):
                parts = ("",)  # nothing stands below
            *earlier, last = parts
            await self._show((*earlier, f"{last}\n\n{_NOT_UPLOADED}".lstrip()), Buttons.WHOLE, until=until)
        await self._posting.remove(lambda number: number >= FILES + len(files), until=until)

    async def _enclosed(self, number: int, file: Made, until: float) -> bool:
        """Let a file stand under the words; False when Slack does not take it: they are worth more than it."""
        try:
            await self._posting.enclose(number, file.name, file.data, file.mime_type, alt=file.alt, until=until)
        except SlackRefused as error:
            logger.error("file not uploaded", extra={**self._turn.fields, "reason": str(error)})
            return False
        return True

    async def _show(self, parts: tuple[str, ...], buttons: Buttons, *, until: float) -> None:
        for number, text in enumerate(parts):
            is_last = number == len(parts) - 1
            await self._posting.put(number, Face(text, buttons if is_last else Buttons.NONE), until=until)
        await self._posting.remove(lambda number: len(parts) <= number < FILES, until=until)

    # --- while it grows -------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to show that work goes on; `close` ends it."""
        if self._turn.refusal is None:
            self._worker = asyncio.create_task(self._work())
            self._tasks = [self._worker, asyncio.create_task(self._keep_status())]

    async def _keep_status(self) -> None:
        await self._status.keep(
            ended=self._ended,
            is_needed=lambda: not self._has_words,
            words=lambda: status_of(self._draft.answer),
        )
        self._more.set()  # where there is no such line, a message takes its place

    @property
    def _has_words(self) -> bool:
        return self._slots.have_words

    async def _work(self) -> None:
        """Show frame after frame until the reply ends. A frame that fails delays the next and nothing else."""
        wait = _FIRST_PAUSE
        while not self._ended.is_set():
            try:
                await self._slots.load()
                await self._blank()
                await self._grow()
                return
            except NoLongerWanted:
                return
            except (StaleTurn, ThreadClosed) as error:
                logger.info("nothing more is shown", extra={**self._turn.fields, "reason": str(error)})
                return
            except (PlatformError, StoreError) as error:
                logger.info("frame not shown", extra={**self._turn.fields, "reason": str(error)})
            await pause(wait, self._ended, sleep=self._sleep)
            wait = min(2 * wait, _LONGEST_PAUSE)
            self._more.set()

    async def _blank(self) -> None:
        """Let an answer that is given anew show nothing of the old one."""
        if self._turn.interaction is not None or not self._has_words or self._draft.answer.text:
            return
        await self._growing.show(0, lambda: WORKING, flows=False)
        until = self._clock() + self._pace.settle
        await self._posting.remove(lambda number: number > 0, until=until)

    async def _grow(self) -> None:
        began = self._clock()
        while not self._ended.is_set():
            await pause(self._patience(began), self._more, self._ended, sleep=self._sleep)
            if self._ended.is_set():
                return
            is_first = self._more.is_set() and not self._has_words
            self._more.clear()
            if is_first:
                await pause(self._pace.first, self._ended, sleep=self._sleep)
            await pause(await self._frame(), self._ended, sleep=self._sleep)

    def _patience(self, began: float) -> float:
        """Seconds until something has to be done although the draft is silent."""
        ends_at = [slot.stream.ends_at for slot in self._slots.all if slot.stream is not None]
        if not self._has_words and not self._status.is_possible and not self._draft.waits:
            ends_at.append(began + self._pace.sign)
        return max(0.0, min(ends_at, default=float("inf")) - self._clock())

    async def _frame(self) -> float:
        """Show the newest of the draft; seconds until the next frame."""
        if self._ended.is_set():
            return 0.0
        await self._roll_over()
        is_long = len(self._draft.answer.text) > _AT_ONCE
        parts = await asyncio.to_thread(self._parts) if is_long else self._parts()
        if not parts and self._draft.answer.opening:
            return await self._growing.show(0, lambda: self._draft.answer.opening, flows=False)
        if not parts:
            waits, needs_sign = self._draft.waits, not self._has_words and not self._status.is_possible
            if waits == self._says_waiting and (waits or not needs_sign):
                return 0.0
            if self._has_words or not waits:
                self._says_waiting, sign = waits, WAITING if waits else WORKING
                return max(self._pace.sign, await self._growing.show(0, lambda: sign, flows=False))
            return 0.0
        until = self._clock() + self._pace.settle
        for number, text in enumerate(parts[:-1]):  # they stay what they are
            await self._posting.put(number, Face(text), until=until, unless=self._ended)
        last = len(parts) - 1
        return await self._growing.show(last, lambda: parts[last] if is_long else self._parts()[last])

    async def _roll_over(self) -> None:
        """End a stream before Slack does; its message goes on by edits."""
        for slot in self._slots.all:
            if slot.stream is not None and self._clock() >= slot.stream.ends_at:
                await self._posting.end_stream(slot, until=self._clock() + self._pace.settle)

    def _parts(self) -> tuple[str, ...]:
        # Remarks stand under the words, so they can be shown when those have come to their end.
        return plan(growing_markdown_of(replace(self._draft.answer, remarks=())), whole=False).parts

    # --- around it ------------------------------------------------------------------------------

    async def _idle(self) -> None:
        """Wait until nothing is under way: a call that is overtaken by another may be carried out after it."""
        if self._worker is not None:
            await asyncio.wait({self._worker})
        await pause(_OVERTAKEN, self._status.is_settled, sleep=self._sleep)

    def abandon(self) -> None:
        """Leave everything where it is."""
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """End the signs of work, whatever became of the reply."""
        self._ended.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_GRACE)
            self.abandon()
            for failure in await asyncio.gather(*self._tasks, return_exceptions=True):
                if isinstance(failure, Exception):
                    logger.error("growing reply failed", extra=self._turn.fields, exc_info=failure)
        for slot in self._slots.all:
            slot.release()
        try:
            async with asyncio.timeout(_GRACE):
                await self._status.clear()
        except TimeoutError:
            logger.info("status not cleared in time", extra=self._turn.fields)


@asynccontextmanager
async def open_reply(
    turn: Turn,
    draft: Draft,
    *,
    calls: Calls,
    store: Store,
    me: Workspace,
    files: Upload,
    team_of: TeamOf,
    on_stop: Callable[[Turn], Awaitable[None]] = _nobody_told,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    pace: Pace | None = None,
) -> AsyncIterator[SlackReply]:
    """The reply to a turn, growing while the block runs.

    Args:
        on_stop: called when somebody pressed Slack's own stop button.
        clock: the one *calls* goes by.
    """
    reply = SlackReply(
        turn,
        draft,
        calls=calls,
        store=store,
        me=me,
        files=files,
        team_of=team_of,
        on_stop=on_stop,
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
