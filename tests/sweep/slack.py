"""Slack as the ground of a story: in a channel, or at the top of Ada's line to the bot."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache, partial
from pathlib import Path

from adapters.slack.adapter import Rhythm
from adapters.slack.format import plan
from adapters.slack.growing import Pace
from adapters.slack.places import SLACK
from adapters.slack.reply import WORKING
from bot.messages import Thread
from bot.notices import FOLLOWING
from bot.ports import Store
from tests.support.reaper import Reaper
from tests.support.slack import Button, Clock, Shown, SlackServer, Variants, slack_server
from tests.support.slack_clew import ALL_SCOPES, SlackClew, clew_on
from tests.support.slack_reaper import WIRE, over_line, over_wire
from tests.sweep.ground import Cast, Seen, paragraphs

SPEED = 20.0  # Slack's seconds in one real second
# Nothing happens by itself while deeds are counted.
STILL = Rhythm(token=86_400.0, again=(86_400.0,))
IMPATIENT = Variants(retries=(0.0, 5.0, 60.0))  # an event that finds no process between the two comes again sooner


@lru_cache
def parts_of(text: str) -> tuple[str, ...]:
    """The messages of an answer; they are looked for after every change."""
    return plan(text).parts


class SlackGround:
    """A workspace.

    Args:
        has_sent: whether what the first process had written to its sockets gets through although it dies.
    """

    platform = SLACK
    long = (paragraphs(0, 5, words=150), paragraphs(5, 14, words=150), paragraphs(14, 20, words=150))
    unmade = frozenset({"store.placed"})
    keeps_what_was_reset = keeps_what_was_asked = True

    def __init__(self, slack: SlackServer, *, is_direct: bool, has_sent: bool) -> None:
        self.slack, self._has_sent = slack, has_sent
        self.channel = slack.direct("ada") if is_direct else slack.channel("general")
        self.is_direct = is_direct
        self.ts = ""  # of the message that the thread hangs from

    def bot(self, cast: Cast) -> AbstractAsyncContextManager[SlackClew]:
        return clew_on(
            self.slack,
            url=cast.url,
            model=cast.model,
            clock=self.slack.clock,
            rhythm=STILL,
            pace=Pace(),
            policy=cast.policy,
            limits=cast.limits,
            functions=cast.functions,
            intake=cast.intake,
            wrap_all=cast.reaper.over_store,
            wrap_line=partial(over_line, cast.reaper),
        )

    async def settle(self) -> None:
        pass

    def over(self, reaper: Reaper) -> None:
        over_wire(reaper, self.slack)

    def cut_off(self) -> None:
        for socket in self.slack.sockets:
            socket.is_half_open, socket.takes_events = not self._has_sent, False

    def mend(self) -> None:
        for method in WIRE:
            self.slack.faults.disarm(method)

    # --- what people do ---------------------------------------------------------------------------

    async def asks(self, text: str = "what is a clew?", *, files: Sequence[tuple[str, bytes]] = ()) -> None:
        sent = [self.slack.uploads(name, data) for name, data in files]
        self.ts = await self.slack.says("ada", text, channel=self.channel, files=sent)

    async def adds(self, text: str) -> None:
        await self.slack.says("ada", text, channel=self.channel, thread_ts=self.thread_ts)
        # Events that were not acknowledged come again each by itself, in whatever order.
        await self.slack.delivered()

    async def types(self, command: str) -> None:
        await self.slack.says("ada", command, channel=self.channel, thread_ts=self.thread_ts)

    async def retries(self, reaper: Reaper) -> None:
        await self.presses("Retry", reaper, "store.retry")

    async def presses(self, name: str, reaper: Reaper, commit: str) -> None:
        """Press a button, and once more when nothing came of it because nobody was there."""
        (button,) = [button for one in self._posts for button in one.buttons if button.text == name]
        if (await self.slack.clicks(button)).error is not None and not reaper.has_done(commit):
            await self.slack.until(lambda: any(socket.takes_events for socket in self.slack.sockets))
            await self.slack.clicks(button)

    async def decides(self, label: str, reaper: Reaper) -> None:
        def offered() -> Button | None:
            return next((button for one in self._posts for button in one.buttons if button.text == label), None)

        def is_settled() -> bool:
            """What was decided in the moment of death is found by the next life."""
            return any("May I do this?" in one.text and not one.buttons for one in self._posts)

        while True:
            await self.slack.until(lambda: offered() or is_settled())
            button, was_dead = offered(), reaper.struck.is_set()
            if button is None:
                return
            is_heard = (await self.slack.clicks(button)).error is None
            if reaper.has_done("store.decide") or (is_heard and was_dead == reaper.struck.is_set()):
                return
            await self.slack.until(lambda: any(socket.takes_events for socket in self.slack.sockets))

    # --- what people see --------------------------------------------------------------------------

    @property
    def thread_ts(self) -> str | None:
        """None where answers stand at the top level."""
        return None if self.is_direct else self.ts

    @property
    def thread(self) -> Thread:
        return Thread(SLACK, self.slack.team_id, self.channel, self.thread_ts or self.channel)

    @property
    def _posts(self) -> list[Shown]:
        return self.slack.replies(self.channel, self.thread_ts)

    @property
    def shown(self) -> list[Seen]:
        if not self.ts:
            return []
        whispers = [Seen(one.text, is_aside=True) for one in self.slack.whispers("ada")]
        return [*map(_seen, self._posts), *whispers]

    def shows(self, text: str, *, follows: bool = True) -> Sequence[str]:
        return parts_of(text if self.is_direct or not follows else f"{text}\n\n_{FOLLOWING}_")

    async def until(self, look: Callable[[], object]) -> object:
        return await self.slack.until(look)

    async def delivered(self) -> None:
        await self.slack.delivered()

    async def amiss(self, store: Store) -> Sequence[str]:
        found = [f"somebody was notified: {ping.token}" for ping in self.slack.pings]
        # What was posted twice is cleared up, too.
        found += ["stood there for a while" for call in self.slack.calls_of("chat.delete") if call.has_acted]
        if not self.is_direct:
            found += [f"in the channel: {one.text[:40]}" for one in self.slack.replies(self.channel)]
        if self.thread_ts and (status := self.slack.status(self.channel, self.thread_ts)):
            found.append(f"a status: {status}")
        return found


def _seen(post: Shown) -> Seen:
    buttons = tuple(button.text for button in post.buttons)
    return Seen(
        post.text,
        tuple(file.name for file in post.files),
        buttons,
        grows=post.is_streaming or post.text.strip() == WORKING or "Stop" in buttons,
        is_aside="command" in (post.metadata or {}).get("event_payload", {}),
    )


@asynccontextmanager
async def slack_ground(folder: Path, *, is_direct: bool = False, has_sent: bool = False) -> AsyncIterator[SlackGround]:
    """A workspace of its own."""
    async with slack_server(clock=Clock(speed=SPEED), scopes=ALL_SCOPES, variants=IMPATIENT) as slack:
        yield SlackGround(slack, is_direct=is_direct, has_sent=has_sent)
