"""What stands in a channel or a thread, read page by page."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

from adapters.slack.calls import WITHIN, Calls
from adapters.slack.places import is_ts
from adapters.slack.workspace import Workspace
from bot.messages import Thread

Post = Mapping[str, object]
"""A message object of the Web API."""

PAGE = 200  # messages; what Slack recommends


async def at_once() -> None:
    """Before a page nobody has to wait for."""


async def read_replies(
    calls: Calls,
    channel: str,
    thread_ts: str,
    *,
    oldest: str | None = None,
    latest: str | None = None,
    inclusive: bool = False,
    page: int = PAGE,
    hurry: bool = True,
    within: float = WITHIN,
    pause: Callable[[], Awaitable[None]] = at_once,
) -> AsyncGenerator[Sequence[Post], None]:
    """The posts of a thread, oldest first. Its parent may head every page, whatever bounds are given.

    Raises:
        PlatformError: as `Calls.call` does.
    """
    bounds = {"ts": thread_ts, "oldest": oldest, "latest": latest, "inclusive": inclusive, "limit": page}
    async for posts in _pages(calls, "conversations.replies", channel, bounds, hurry=hurry, within=within, pause=pause):
        yield posts


async def read_channel(
    calls: Calls,
    channel: str,
    *,
    oldest: str,
    latest: str,
    inclusive: bool = False,
    page: int = PAGE,
    hurry: bool = True,
    within: float = WITHIN,
    pause: Callable[[], Awaitable[None]] = at_once,
) -> AsyncGenerator[Sequence[Post], None]:
    """The posts of a channel's top level, newest first: both bounds are given, since Slack pages forward without *latest*.

    Raises:
        PlatformError: as `Calls.call` does.
    """
    bounds = {"oldest": oldest, "latest": latest, "inclusive": inclusive, "limit": page}
    async for posts in _pages(calls, "conversations.history", channel, bounds, hurry=hurry, within=within, pause=pause):
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
    bounds: Mapping[str, object],
    *,
    hurry: bool,
    within: float,
    pause: Callable[[], Awaitable[None]],
) -> AsyncGenerator[Sequence[Post], None]:
    # Metadata, which tells the bot's answers from its other posts, comes only when it is asked for.
    given = {name: value for name, value in bounds.items() if value is not None} | {"include_all_metadata": True}
    cursor: dict[str, str] = {}
    while True:
        await pause()
        told = await calls.call(method, safe=True, channel=channel, hurry=hurry, within=within, **given, **cursor)
        messages = told.get("messages")
        yield [post for post in messages if isinstance(post, Mapping)] if isinstance(messages, list) else []
        more = told.get("response_metadata")
        following = more.get("next_cursor") if isinstance(more, Mapping) else None
        if not isinstance(following, str) or not following or following == cursor.get("cursor"):
            return
        cursor = {"cursor": following}
