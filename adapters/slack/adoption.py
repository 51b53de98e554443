"""Finding again what an earlier attempt, or a call nobody knows the end of, left in a thread."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

from adapters.slack.calls import Calls
from adapters.slack.pages import Post, is_own, order, read_channel, read_replies, ts_of
from adapters.slack.places import is_ts, place_of
from adapters.slack.workspace import Workspace
from bot.messages import MessageId, Turn

EVENT_TYPE: Final = "clew_answer"
_FOREVER: Final = "9999999999.999999"

Metadata = dict[str, object]


def metadata_of(turn: Turn, part: int) -> Metadata:
    """What a message carries unseen, so that it can be found again: ids and nothing else, since others can read it."""
    return {"event_type": EVENT_TYPE, "event_payload": {"turn": turn.id, "part": part}}


@dataclass(frozen=True, slots=True)
class Own:
    """A message of ours that stands after a turn's question."""

    ts: MessageId
    part: int | None  # of the turn's answer
    is_loose: bool  # nothing tells what it belongs to, as with a stream that was not finished
    post: Post


async def own_messages(calls: Calls, me: Workspace, turn: Turn) -> Sequence[Own]:
    """What we said in the turn's thread after its question, oldest first.

    Raises:
        PlatformAway, ThreadClosed, SlackRefused: it cannot be read.
    """
    channel, thread_ts = place_of(turn.thread)
    question = asked_at(turn)
    reading = (
        read_channel(calls, channel, oldest=question, latest=_FOREVER)
        if thread_ts is None
        else read_replies(calls, channel, thread_ts, oldest=question)
    )
    found: dict[str, Own] = {}
    async with aclosing(reading) as pages:
        async for page in pages:
            for post in page:
                ts = ts_of(post)
                # The parent heads every page, whatever was asked for.
                if ts is not None and order(ts) > order(question) and is_own(post, me):
                    found[ts] = Own(MessageId(ts), part_of(post, turn), _is_loose(post), post)
    return sorted(found.values(), key=lambda own: order(own.ts))


def asked_at(turn: Turn) -> str:
    """The ts of the turn's last message: its answer stands after it."""
    return max((message.id for message in turn.messages if is_ts(message.id)), key=order, default="0.000000")


def part_of(post: Post, turn: Turn) -> int | None:
    """Which part of the turn's answer a message holds, as its metadata says."""
    payload = _payload(post)
    part = payload.get("part")
    return part if payload.get("turn") == turn.id and isinstance(part, int) else None


def parts_in(found: Iterable[Own], number: int) -> list[Own]:
    """The messages that hold a part; more than one when a post that seemed lost came through after all."""
    return [own for own in found if own.part == number]


def _is_loose(post: Post) -> bool:
    return not _payload(post) and not post.get("files") and post.get("subtype") in {None, "bot_message"}


def _payload(post: Post) -> Mapping[str, object]:
    metadata = post.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, Mapping) else None
    return payload if isinstance(payload, Mapping) else {}
