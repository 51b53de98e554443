"""A question asked by a slash command, made a message of the channel that everybody can read and answer under.

Slack tells a command once, and lets nobody post for somebody else. So the command is kept before it is acknowledged,
and until the bot has posted the question. The post carries the command's id, by which it is found again, and who asked;
what was asked is read back from it later, for a retry and as a part of the past.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Protocol

from adapters.slack.adoption import EVENT_TYPE
from adapters.slack.calls import Calls, SlackClosed
from adapters.slack.ingest import Standings, with_standing
from adapters.slack.pages import Post, blocks_of, is_own, order, read_channel, ts_at, ts_of
from adapters.slack.places import SLACK, is_direct, is_id, thread_of
from adapters.slack.workspace import Workspace
from bot.commands import Command
from bot.errands import Errands
from bot.errors import PlatformAway, PlatformError, StoreError
from bot.messages import Address, Message, MessageId, Person, PersonId, Thread
from bot.ports import Parcel, PlacingStore
from bot.watching import AGE

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0  # seconds before what failed is tried again
DOUBT: Final = 3.0  # seconds after which a post that was not found is looked for once more: it may be on its way
_FOREVER: Final = "9999999999.999999"
_SKEW: Final = 600.0  # seconds that our clock may be ahead of Slack's
_NAME_WITHIN: Final = 2.0  # seconds that the asker's name may take
_LONGEST_BLOCK: Final = 3000  # characters of a text in a block
_BLOCK: Final = "asked-"  # begins the name of a block that holds words of the question
_ESCAPED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

_NOT_IN_HERE = "I cannot write in this channel. Invite me with `/invite` and my name, or write to me directly."
_CLOSED_HERE = "I am not let write in this channel, so your question is not answered. Please ask it somewhere else."
_NOT_SHOWN = "I could not show your question here, so it is not answered. Please mention me with it instead."
_INVITED = {"not_in_channel", "channel_not_found"}  # what an invitation helps against

Tell = Callable[[str], Awaitable[bool]]
"""Says something (mrkdwn) to whoever gave a command, alone; whether it could."""


class Receiver(Protocol):
    """Where messages go; see `bot.inbox.Inbox`."""

    async def receive(self, message: Message) -> bool: ...


class Rules(Protocol):
    """Who knows who may ask; see `bot.commands.Commands`."""

    def refusal(self, thread: Thread, person: Person) -> str | None: ...


class People(Standings, Protocol):
    """Who knows people."""

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
        # Looked up as for a retry: everybody would read what the bot posts for somebody it does not serve.
        person = await with_standing(Person(asking.person), self._people, Command.RETRY)
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
            try:
                self._errands.start(self._see_through(parcel, asking, tell, again=False))
            except RuntimeError:  # we are shutting down
                self._under_way.discard(parcel.id)
                logger.info("question left to the next start", extra={"command": parcel.id})
        return ""

    async def take_up(self) -> None:
        """Finish what an earlier process left half done. Raises StoreError."""
        for parcel in await self._store.parcels(SLACK):
            asking = _unpacked(parcel)
            if asking is None:
                await self._store.placed(parcel)
            elif parcel.id not in self._under_way:
                logger.info("question taken up again", extra={"command": parcel.id})
                self._under_way.add(parcel.id)
                self._errands.start(self._see_through(parcel, asking, None, again=True))

    async def _see_through(self, parcel: Parcel, asking: Asking, tell: Tell | None, *, again: bool) -> None:
        """Post it and hand it on, until that is done or cannot be, which the asker is told.

        Args:
            tell: how, while Slack takes an answer to the command, which is half an hour.
            again: whether it may have been posted before.
        """
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
                    words = _words_for(error)
                    break
                await self._sleep(wait)
                wait, again = min(2 * wait, _LONGEST_PAUSE), True
            else:
                words = "" if again and await self._stands(parcel, asking) else _NOT_SHOWN
            if words and not (tell is not None and await tell(words)):
                await self._whisper(self._channel(asking), Person(asking.person), words)
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
        found = await self._found(parcel, asking) if again else []
        if again and not found:
            await self._sleep(DOUBT)
            found = await self._found(parcel, asking)
        if not found:
            names = await self._people.names([asking.person], within=_NAME_WITHIN)
            post = _post(asking, names.get(asking.person) or "Somebody")
            told = await self._calls.call("chat.postMessage", safe=False, channel=asking.channel_id, **post)
            posted = ts_of(told)
            if posted is None:
                raise PlatformAway("a question was posted, and its message not told")
            found = (await self._found(parcel, asking) if again else []) or [posted]
        ts, *twins = found
        thread = thread_of(self._me.installation_id, asking.channel_id, ts, None)
        await self._inbox.receive(
            Message(
                thread=thread,
                id=MessageId(ts),
                author=Person(asking.person),
                text=asking.text,
                sent_at=float(ts),
                address=Address.DIRECT if is_direct(asking.channel_id) else Address.MENTION,
                is_root=ts == thread.thread_id,
            )
        )
        for twin in twins:
            await self._take_away(asking, twin)

    async def _take_away(self, asking: Asking, ts: str) -> None:
        """Delete what came to stand there twice, if Slack lets us."""
        logger.warning("a question in doubt came through late", extra={"command": asking.id})
        try:
            await self._calls.call("chat.delete", safe=True, channel=asking.channel_id, ts=ts)
        except PlatformError as error:
            logger.warning("question not taken away", extra={"command": asking.id, "reason": str(error)})

    async def _stands(self, parcel: Parcel, asking: Asking) -> bool:
        """Whether it is known to have been posted."""
        try:
            return bool(await self._found(parcel, asking))
        except PlatformError as error:
            logger.warning("question not looked for", extra={"command": asking.id, "reason": str(error)})
            return False

    async def _found(self, parcel: Parcel, asking: Asking) -> Sequence[str]:
        """The ts of the posts that show it already, oldest first."""
        found: list[str] = []
        oldest = ts_at(parcel.until - AGE - _SKEW)
        reading = read_channel(self._calls, asking.channel_id, oldest=oldest, latest=_FOREVER)
        async with aclosing(reading) as pages:
            async for page in pages:
                own = [post for post in page if is_own(post, self._me) and _payload(post).get("asked") == asking.id]
                found += [ts for post in own if (ts := ts_of(post)) is not None]
        return sorted(found, key=order)

    def _channel(self, asking: Asking) -> Thread:
        """Where it was asked, for want of a thread."""
        return Thread(SLACK, self._me.installation_id, asking.channel_id, asking.channel_id)


def asked_in(post: Post, me: Workspace) -> Asked | None:
    """The question that a post of ours shows; None when it shows something else."""
    person = _payload(post).get("by")
    if not is_own(post, me) or "asked" not in _payload(post) or not is_id(person):
        return None
    words = "".join(_words(block) for block in blocks_of(post) if str(block.get("block_id")).startswith(_BLOCK))
    return Asked(PersonId(str(person)), words)


def _words_for(error: PlatformError) -> str:
    """What the asker is told when Slack refuses the question."""
    if not isinstance(error, SlackClosed):
        return _NOT_SHOWN
    return _NOT_IN_HERE if error.error in _INVITED else _CLOSED_HERE


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
