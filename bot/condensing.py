"""Long chains: before one grows past its limits, the question goes to a fresh one that begins with a summary.

All of a chain counts as input with every question. So a turn whose thread stands on one that is too long first lets the
model sum it up, and is then asked after the summary and the last exchanges. Where the thread stands does not change
for that: until the turn is answered, all of it can be done again, and nobody's question fails because of it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing

from bot.answers import (
    SUMMING_UP,
    Completed,
    Created,
    Draft,
    InteractionState,
    Recalled,
    Text,
    TextPiece,
    ToolUse,
    UserStep,
)
from bot.errors import AnswerBroken, AnswerEmpty, InteractionLost, ModelError
from bot.history import Past, without_past
from bot.limits import Limits
from bot.messages import InteractionId, Turn, Usage
from bot.metrics import Metrics
from bot.ports import Chain, ChainStore, Keeper, Model, Reply
from bot.stopping import whatever_happens

logger = logging.getLogger(__name__)

SUM_UP = (
    "Sum up what was said in this thread so far, in at most 1000 words. You go on from your summary alone, so keep "
    "names, numbers, dates, decisions, what was agreed and what is still open, what the files and pictures showed, and "
    "how people want to be answered. Write nothing but the summary."
)
_SUMMED_UP = (
    "What was said in this thread long before, as you summed it up. The last exchanges follow it word for word."
)
_LAST = 4  # exchanges that are told word for word
_LONGEST = 40_000  # characters of those, some 10,000 tokens; and of a summary half as many


class Condensing:
    """Lets the questions of threads that have grown long begin fresh chains."""

    def __init__(
        self,
        *,
        model: Model,
        keeper: Keeper,
        store: ChainStore,
        limits: Limits,
        metrics: Metrics,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._model, self._keeper, self._store = model, keeper, store
        self._limits, self._metrics, self._sleep = limits, metrics, sleep
        # Characters, some four for a token: what a fresh chain begins with is less than half of what it may grow to.
        self._room = min(_LONGEST, limits.chain_tokens or _LONGEST)

    async def begin_afresh(self, turn: Turn, past: Past, draft: Draft, reply: Reply) -> None:
        """Let a turn's question go on from a summary, if the chain its thread stands on is too long.

        Whatever goes wrong with that, the question goes on from the chain, which grows for a while before that is
        tried again.

        Raises:
            StaleTurn: the thread was reset meanwhile.
        """
        previous = await past.standing()
        if not isinstance(previous, str):
            return
        chain = await self._store.chain(turn, most=max(_LAST, self._limits.chain_turns))
        if turn.summary is None and not self._is_long(chain):
            return
        draft.add(ToolUse(SUMMING_UP))
        reply.changed()
        try:
            async with asyncio.timeout(self._limits.silent):
                summary = await self._found(turn) or await self._asked(turn, previous)
        except (ModelError, TimeoutError) as error:
            failure = type(error).__name__
            logger.warning("chain not condensed", extra={**turn.fields, "failure": failure, "reason": str(error)})
            self._metrics.failures.labels(failure).inc()
            await self._store.summing_up(turn, None)
        else:
            told = [_SUMMED_UP, summary[: self._room // 2], *await self._last(chain)]
            past.begin_with((UserStep((Text("\n\n".join(told)),)),))
            logger.info("chain condensed", extra={**turn.fields, "turns": chain.turns, "tokens": chain.tokens})
        draft.start_over()
        reply.changed()

    def _is_long(self, chain: Chain) -> bool:
        turns, tokens, since = self._limits.chain_turns, self._limits.chain_tokens, chain.since
        # Summing up a long chain costs as much as a question: what was in vain is left alone for half a limit.
        return (0 < turns <= chain.turns and (since is None or 2 * since.turns >= turns)) or (
            0 < tokens <= chain.tokens and (since is None or 2 * since.tokens >= tokens)
        )

    async def _found(self, turn: Turn) -> str:
        """The summary that an earlier attempt at the turn has asked for; empty when there is none to be had."""
        pause = self._limits.first_pause
        while turn.summary is not None:
            try:
                found = await self._model.look_up(turn.summary)
            except InteractionLost:
                break
            if found.state is InteractionState.COMPLETED:
                for event in found.events:
                    if isinstance(event, Completed):
                        await self._bill(turn, event.usage)
                return "".join(event.text for event in found.events if isinstance(event, TextPiece)).strip()
            if found.state is not InteractionState.RUNNING:
                break
            await self._sleep(pause)
            pause = min(2 * pause, self._limits.longest_pause)
        return ""

    async def _asked(self, turn: Turn, previous: InteractionId) -> str:
        self._metrics.asks.labels("summary").inc()
        pieces: list[str] = []
        async with aclosing(self._model.answer((Text(SUM_UP),), after=previous)) as events:
            async for event in events:
                match event:
                    case Created(interaction):
                        # Written first, as with answers: forgetting the thread has to delete it, whatever comes of it.
                        await whatever_happens(self._store.summing_up(turn, interaction))
                    case TextPiece(text):
                        pieces.append(text)
                    case Completed(usage=usage):
                        await self._bill(turn, usage)
                        if summary := "".join(pieces).strip():
                            return summary
                        raise AnswerEmpty("nothing was summed up")
        raise AnswerBroken("the stream ended without completing")

    async def _bill(self, turn: Turn, usage: Usage) -> None:
        await self._store.summed_up(turn, usage)
        for kind in ("input", "output", "thought", "cached", "tool"):
            self._metrics.tokens.labels(kind).inc(getattr(usage, f"{kind}_tokens"))

    async def _last(self, chain: Chain) -> Sequence[str]:
        """The chain's last exchanges, oldest first: as many as there is room for, and the newest in any case."""
        async with asyncio.TaskGroup() as group:
            recalling = [group.create_task(self._recalled(one)) for one in chain.interactions[:_LAST]]
        kept: list[str] = []
        room = self._room
        for found in (task.result() for task in recalling):
            if found is None:
                break  # what came before it cannot stand beside what came after it
            told = _exchange(found)
            if len(told) > room and kept:
                break
            kept.append(told[:room])
            room -= len(told)
        return kept[::-1]

    async def _recalled(self, interaction: InteractionId) -> Recalled | None:
        try:
            async with asyncio.timeout(self._limits.refused):
                return await self._keeper.recall(interaction)
        except (ModelError, TimeoutError):
            return None  # the summary knows of it


def _exchange(found: Recalled) -> str:
    asked = "\n".join(without_past(found.asked))
    return f"[the person]\n{asked}\n\n[you]\n{found.answer}"
