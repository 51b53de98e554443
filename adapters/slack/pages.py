"""What stands in a channel or a thread, read page by page."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from adapters.slack.calls import WITHIN, Calls
from adapters.slack.places import is_ts
from adapters.slack.workspace import Workspace
from bot.messages import Thread

Post = Mapping[str, object]
"""A message object of the Web API."""

PAGE = 200  # messages; what Slack recommends


async def at_once() -> None:
    """Before a page nobody has to wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a reading behaves among other calls."""

    page: int = PAGE
    hurry: bool = True
    within: float = WITHIN  # seconds that each page may take
    pause: Callable[[], Awaitable[None]] = at_once  # awaited before each page


AT_ONCE = Pace()


async def read_replies(
    calls: Calls,
    channel: str,
    thread_ts: str,
    *,
    oldest: str | None = None,
    latest: str | None = None,
    inclusive: bool = False,
    pace: Pace = AT_ONCE,
) -> AsyncGenerator[Sequence[Post], None]:
    """The posts of a thread, oldest first. Its parent may head every page, whatever bounds are given.

    Raises:
        PlatformError: as `Calls.call` does.
    """
    reading = _pages(
        calls,
        "conversations.replies",
        channel,
        ts=thread_ts,
        oldest=oldest,
        latest=latest,
        inclusive=inclusive,
        pace=pace,
    )
    async with aclosing(reading) as pages:
        async for posts in pages:
            yield posts


async def read_channel(
    calls: Calls,
    channel: str,
    *,
    oldest: str,
    latest: str,
    inclusive: bool = False,
    pace: Pace = AT_ONCE,
) -> AsyncGenerator[Sequence[Post], None]:
    """The posts of a channel's top level, newest first.

    Both bounds are given because Slack, without *latest*, may begin with the oldest.

    Raises:
        PlatformError: as `Calls.call` does.
    """
    reading = _pages(
        calls, "conversations.history", channel, ts=None, oldest=oldest, latest=latest, inclusive=inclusive, pace=pace
    )
    async with aclosing(reading) as pages:
        async for posts in pages:
            yield posts


def order(ts: str) -> tuple[int, int]:
    """Where a message stands among those of its channel. As numbers with a fraction two might look the same."""
    seconds, _, micros = ts.partition(".")
    return int(seconds), int(micros.ljust(9, "0"))


def order_at(seconds: float) -> tuple[int, int]:
    """Where a message of that time would stand."""
    return order(ts_at(seconds))


def ts_at(seconds: float) -> str:
    """A time as Slack bounds a reading with it."""
    return f"{max(0.0, seconds):.6f}"


def ts_of(post: Post) -> str | None:
    """A post's ts; None when it has none that could be one."""
    ts = post.get("ts")
    return ts if isinstance(ts, str) and is_ts(ts) else None


def blocks_of(post: Post) -> list[Mapping[str, object]]:
    """The blocks a post is shown as, as far as it has any."""
    blocks = post.get("blocks")
    return [block for block in blocks if isinstance(block, Mapping)] if isinstance(blocks, list) else []


def is_own(post: Post, me: Workspace) -> bool:
    """Whether the bot itself said it."""
    is_ours = post.get("user") == me.bot_user_id or post.get("bot_id") == me.bot_id
    return is_ours or (me.app_id is not None and post.get("app_id") == me.app_id)


def is_reply_elsewhere(post: Post, thread: Thread) -> bool:
    """Whether a post of a direct message's top level belongs to a thread in it: a reply that was also sent there."""
    return thread.thread_id == thread.channel_id and post.get("thread_ts") not in {None, post.get("ts")}


async def _pages(
    calls: Calls,
    method: str,
    channel: str,
    *,
    ts: str | None,
    oldest: str | None,
    latest: str | None,
    inclusive: bool,
    pace: Pace,
) -> AsyncGenerator[Sequence[Post], None]:
    cursor: str | None = None
    while True:
        await pace.pause()
        told = await calls.call(
            method,
            safe=True,
            channel=channel,
            hurry=pace.hurry,
            within=pace.within,
            ts=ts,
            oldest=oldest,
            latest=latest,
            inclusive=inclusive,
            limit=pace.page,
            cursor=cursor,
            # It tells the bot's answers from its other posts, and comes only when it is asked for.
            include_all_metadata=True,
        )
        messages = told.get("messages")
        yield [post for post in messages if isinstance(post, Mapping)] if isinstance(messages, list) else []
        more = told.get("response_metadata")
        following = more.get("next_cursor") if isinstance(more, Mapping) else None
        if not isinstance(following, str) or not following or following == cursor:
            return
        cursor = following
