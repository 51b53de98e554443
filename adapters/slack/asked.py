"""A question asked by a slash command, made a message of the channel that everybody can read and answer under.

Slack tells a command once, and lets nobody post for somebody else. So the command is kept before it is acknowledged,
and until the bot has posted the question. The post carries the command's id, by which it is found again, and who asked;
what was asked is read back from it later, for a retry and as a part of the past.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Protocol

from adapters.slack.adoption import EVENT_TYPE
from adapters.slack.calls import Calls, SlackClosed
from adapters.slack.pages import Post, blocks_of, is_own, read_channel, ts_at, ts_of
from adapters.slack.places import SLACK, is_direct, is_id, thread_of
from adapters.slack.workspace import Workspace
from bot.errands import Errands
from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import Address, Message, MessageId, Person, PersonId, Standing, Thread
from bot.ports import Parcel, PlacingStore
from bot.watching import AGE

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds before what failed is tried again
_FOREVER: Final = "9999999999.999999"
_SKEW: Final = 600.0  # seconds that our clock may be ahead of Slack's
_NAME_WITHIN: Final = 2.0  # seconds that the asker's name may take
_LONGEST_BLOCK: Final = 3000  # characters of a text in a block
_BLOCK: Final = "asked-"  # begins the name of a block that holds words of the question
_ESCAPED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

_NOT_IN_HERE = "I cannot write in this channel. Invite me with `/invite` and my name, or write to me directly."
_NOT_SHOWN = "I could not show your question here, so it is not answered. Please mention me with it instead."

Tell = Callable[[str], Awaitable[bool]]
"""Says something (mrkdwn) to whoever gave a command, alone; whether it could."""


class Receiver(Protocol):
    """Where messages go; see `bot.inbox.Inbox`."""

    async def receive(self, message: Message) -> bool: ...


class Rules(Protocol):
    """Who knows who may ask; see `bot.commands.Commands`."""

    def refusal(self, thread: Thread, person: Person) -> str | None: ...


class People(Protocol):
    """Who knows people."""

    def known_standing(self, user: str) -> Standing | None: ...
    async def names(self, users: Iterable[str], *, within: float) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Asking:
    """A question that was asked by a command."""

    id: str  # of the command
    channel_id: str
    person: PersonId
    text: str  # as it would have been written in a message: with what it wishes for


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as its post shows it."""

    person: PersonId
    text: str


class Questions:
    """Posts questions, and hands them on as messages of whoever asked.

    Args:
        errands: owns the work that goes on when Slack has stopped waiting for it.
        whisper: says something in a channel to one person alone, when the command can no longer be answered.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        errands: Errands,
        calls: Calls,
        me: Workspace,
        *,
        store: PlacingStore,
        inbox: Receiver,
        rules: Rules,
        people: People,
        whisper: Callable[[Thread, Person, str], Awaitable[bool]],
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._errands, self._calls, self._me, self._store, self._inbox = errands, calls, me, store, inbox
        self._rules, self._people, self._whisper, self._now, self._sleep = rules, people, whisper, now, sleep
        self._under_way: set[str] = set()  # parcels

    async def take(self, asking: Asking, tell: Tell) -> str:
        """Keep a question, and have it posted and answered; why not, or nothing to say. Raises StoreError."""
        person = Person(asking.person, None, self._people.known_standing(asking.person))
        refused = self._rules.refusal(self._channel(asking), person)
        if refused is not None:
            return refused
        parcel = Parcel(SLACK, asking.id, _packed(asking), self._now() + AGE)
        self._under_way.add(parcel.id)
        try:
            is_new = await self._store.take_in(parcel)
        except StoreError:
            self._under_way.discard(parcel.id)
            raise
        if is_new:
            self._errands.start(self._see_through(parcel, asking, tell, again=False))
        return ""

    async def take_up(self) -> None:
        """Finish what an earlier process left half done. Raises StoreError."""
        for parcel in await self._store.parcels(SLACK):
            asking = _unpacked(parcel)
            if asking is None or parcel.until <= self._now():
                await self._store.placed(parcel)
            elif parcel.id not in self._under_way:
                logger.info("question taken up again", extra={"command": parcel.id})
                self._under_way.add(parcel.id)
                self._errands.start(self._see_through(parcel, asking, self._teller(asking), again=True))

    async def _see_through(self, parcel: Parcel, asking: Asking, tell: Tell, *, again: bool) -> None:
        """Post it and hand it on, until that is done or cannot be."""
        wait, words = _FIRST_PAUSE, ""
        try:
            while self._now() < parcel.until:
                try:
                    await self._place(parcel, asking, again=again)
                    break
                except (PlatformAway, StoreError) as error:
                    logger.warning("question not posted yet", extra={"reason": str(error)})
                except PlatformError as error:
                    logger.error("question not posted", extra={"reason": str(error)})
                    words = _NOT_IN_HERE if isinstance(error, SlackClosed) else _NOT_SHOWN
                    break
                await self._sleep(wait)
                wait, again = min(2 * wait, _LONGEST_PAUSE), True
            if words:
                await tell(words)
            await self._store.placed(parcel)
            logger.info("question seen to", extra={"command": parcel.id, "posted": not words})
        except StoreError as error:  # the next start finds it done
            logger.warning("question not noted as posted", extra={"reason": str(error)})
        finally:
            self._under_way.discard(parcel.id)

    async def _place(self, parcel: Parcel, asking: Asking, *, again: bool) -> None:
        """Post it, unless that was done before, and hand it on.

        Raises:
            PlatformAway, StoreError: not now; the same again is safe.
            PlatformError: never.
        """
        ts = await self._found(parcel, asking) if again else None
        if ts is None:
            names = await self._people.names([asking.person], within=_NAME_WITHIN)
            post = _post(asking, names.get(asking.person) or "Somebody")
            ts = ts_of(await self._calls.call("chat.postMessage", safe=False, channel=asking.channel_id, **post))
        if ts is None:
            raise PlatformAway("a question was posted, and its message not told")
        thread, here_alone = (
            thread_of(self._me.installation_id, asking.channel_id, ts, None),
            is_direct(asking.channel_id),
        )
        await self._inbox.receive(
            Message(
                thread=thread,
                id=MessageId(ts),
                author=Person(asking.person),
                text=asking.text,
                sent_at=float(ts),
                address=Address.DIRECT if here_alone else Address.MENTION,
                is_root=ts == thread.thread_id,
            )
        )

    async def _found(self, parcel: Parcel, asking: Asking) -> str | None:
        """The ts of the post that shows it already."""
        oldest = ts_at(parcel.until - AGE - _SKEW)
        reading = read_channel(self._calls, asking.channel_id, oldest=oldest, latest=_FOREVER)
        async with aclosing(reading) as pages:
            async for page in pages:
                for post in page:
                    if is_own(post, self._me) and _payload(post).get("asked") == asking.id:
                        return ts_of(post)
        return None

    def _channel(self, asking: Asking) -> Thread:
        """Where it was asked, for want of a thread."""
        return Thread(SLACK, self._me.installation_id, asking.channel_id, asking.channel_id)

    def _teller(self, asking: Asking) -> Tell:
        return lambda words: self._whisper(self._channel(asking), Person(asking.person), words)


def asked_in(post: Post, me: Workspace) -> Asked | None:
    """The question that a post of ours shows; None when it shows something else."""
    person = _payload(post).get("by")
    if not is_own(post, me) or "asked" not in _payload(post) or not is_id(person):
        return None
    words = "".join(_words(block) for block in blocks_of(post) if str(block.get("block_id")).startswith(_BLOCK))
    return Asked(PersonId(str(person)), words)


def _post(asking: Asking, name: str) -> dict[str, Any]:
    """What shows a question: in plain letters, so that it calls nobody."""
    pieces = [asking.text[at : at + _LONGEST_BLOCK] for at in range(0, len(asking.text), _LONGEST_BLOCK)]
    head = f"{name} asks:"
    blocks: list[Mapping[str, object]] = [{"type": "context", "elements": [_plain(head)]}]
    blocks += [
        {"type": "section", "block_id": f"{_BLOCK}{number}", "text": _plain(piece)}
        for number, piece in enumerate(pieces)
    ]
    return {
        "blocks": blocks,
        "text": "".join(_ESCAPED.get(letter, letter) for letter in f"{head} {pieces[0]}"),
        "metadata": {"event_type": EVENT_TYPE, "event_payload": {"asked": asking.id, "by": asking.person}},
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _plain(text: str) -> Mapping[str, object]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _words(block: Mapping[str, object]) -> str:
    text = block.get("text")
    words = text.get("text") if isinstance(text, Mapping) else None
    if not isinstance(words, str):
        return ""
    for letter, escaped in reversed(_ESCAPED.items()):  # Slack may have escaped it on its way; the ampersand is last
        words = words.replace(escaped, letter)
    return words


def _payload(post: Post) -> Mapping[str, object]:
    metadata = post.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, Mapping) else None
    return payload if isinstance(payload, Mapping) else {}


def _packed(asking: Asking) -> str:
    return json.dumps({"channel": asking.channel_id, "person": asking.person, "text": asking.text})


def _unpacked(parcel: Parcel) -> Asking | None:
    try:
        told = json.loads(parcel.content)
        return Asking(parcel.id, str(told["channel"]), PersonId(str(told["person"])), str(told["text"]))
    except (ValueError, KeyError, TypeError):
        return None
