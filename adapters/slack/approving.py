"""Asking whoever asks whether something may be done: a post with two buttons, which go when it is decided."""

from collections.abc import Mapping
from contextlib import aclosing

from adapters.slack.adoption import EVENT_TYPE
from adapters.slack.buttons import APPROVE, Buttons, buttons_block, offers, without_buttons
from adapters.slack.calls import Calls
from adapters.slack.format import render
from adapters.slack.pages import Post, blocks_of, is_own, read_channel, read_replies, ts_of
from adapters.slack.places import is_ts, place_of
from adapters.slack.workspace import Workspace
from bot.messages import Turn
from bot.ports import Approval

_FOREVER = "9999999999.999999"


class Approving:
    """Posts that carry the name of what is asked, by which they are found again."""

    def __init__(self, calls: Calls, me: Workspace) -> None:
        self._calls, self._me = calls, me

    async def ask(self, turn: Turn, approval: Approval, words: str) -> None:
        """Ask, unless that stands in the thread already; see `Adapter`.

        Raises:
            PlatformAway: it may or may not stand there; the next attempt finds out.
            ThreadClosed, SlackRefused: it cannot be asked there.
        """
        if await self._found(turn, approval) is not None:
            return
        channel, thread_ts = place_of(turn.thread)
        shown = render(words)
        await self._calls.call(
            "chat.postMessage",
            safe=False,
            channel=channel,
            thread_ts=thread_ts,
            blocks=[{"type": "markdown", "text": shown}, *buttons_block(Buttons.ASKING, approval.name)],
            text=shown,
            # As what became of a command is marked: neither is part of the conversation.
            metadata={"event_type": EVENT_TYPE, "event_payload": {"command": _mark(approval)}},
            unfurl_links=False,
            unfurl_media=False,
        )

    async def settle(self, turn: Turn, approval: Approval, words: str) -> None:
        """Show what was decided; see `Adapter`."""
        post = await self._found(turn, approval)
        if post is None or not any(offers(block, APPROVE) for block in blocks_of(post)):
            return
        await self._calls.call(
            "chat.update",
            safe=True,
            channel=turn.thread.channel_id,
            ts=ts_of(post),
            blocks=[*without_buttons(blocks_of(post)), {"type": "markdown", "text": f"_{words}_"}],
            text=words,
        )

    async def _found(self, turn: Turn, approval: Approval) -> Post | None:
        channel, thread_ts = place_of(turn.thread)
        first = turn.messages[0].id
        oldest = first if is_ts(first) else "0"
        if thread_ts is None:
            reading = read_channel(self._calls, channel, oldest=oldest, latest=_FOREVER)
        else:
            reading = read_replies(self._calls, channel, thread_ts, oldest=oldest)
        async with aclosing(reading) as pages:
            async for page in pages:
                for post in page:
                    if is_own(post, self._me) and _marked(post) == _mark(approval):
                        return post
        return None


def _mark(approval: Approval) -> str:
    return f"approval-{approval.name}"


def _marked(post: Post) -> object:
    metadata = post.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, Mapping) else None
    return payload.get("command") if isinstance(payload, Mapping) else None
