"""What was said in a thread before, read back from Slack, and one message again."""

import logging
import re
from collections import deque
from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from adapters.slack.asked import asked_in
from adapters.slack.blocks_text import text_of
from adapters.slack.calls import Calls, SlackClosed, SlackRefused
from adapters.slack.events import read_post
from adapters.slack.pages import (
    Pace,
    Post,
    is_own,
    is_reply_elsewhere,
    order,
    order_at,
    read_channel,
    read_replies,
    ts_at,
    ts_of,
)
from adapters.slack.people import People
from adapters.slack.places import is_ts, place_of
from adapters.slack.reading import mentions, readable
from adapters.slack.reply import STOPPED, WAITING, WORKING
from adapters.slack.workspace import Workspace
from bot.errors import MessageGone
from bot.history import newest
from bot.messages import Message, MessageId, Person, PersonId, Said, Thread

logger = logging.getLogger(__name__)

MOST_CHARACTERS = 200_000  # of everything that is told of a thread, about 50,000 tokens
_NAMES_WITHIN = 2.0  # seconds that names may take; an unknown one is told by its id
_MOST_PAGES = 50
_SIGNS = frozenset({WORKING, WAITING, STOPPED})  # they stand where words were to come
_SAID = frozenset({None, "file_share", "thread_broadcast", "me_message", "bot_message"})
_GONE = frozenset({"thread_not_found", "message_not_found"})
# A token of Slack's in a text of our own. What else stands in angle brackets there is Markdown, code for the most part.
_OWN_TOKEN = re.compile(r"<(?:[@#!]|https?://|mailto:|tel:)[^<>\n]*>|&(?:amp|lt|gt);")
_MENTION = re.compile(r"<@([A-Z0-9]+)>")


async def history(
    calls: Calls,
    people: People,
    me: Workspace,
    thread: Thread,
    *,
    before: MessageId,
    since: float | None,
    most: int = 100,
    most_characters: int = MOST_CHARACTERS,
    answers: Collection[MessageId] = frozenset(),
) -> list[Said]:
    """What was said in a thread before a message, the newest of it, oldest first.

    Confirmations of commands are left out, as is what Slack says itself. Other bots speak under their names.

    Args:
        since: only what was said after it, in seconds since the epoch.
        most: messages; *most_characters*: of all their texts together. The newest is told in any case.
        answers: posts of turns that have ended, which belong to what was said before wherever they stand: after the
            message, when it came late or was asked while the one before it was still being answered; before *since*,
            when a question waited and was answered after the reset.

    Raises:
        PlatformAway: Slack does not tell now.
        ThreadClosed, SlackRefused: it does not tell the bot.
    """
    wanted = _Wanted(thread, me, before=before, since=since, answers=answers)
    posts: deque[Post] = deque(maxlen=most + 1)  # one more than is told tells that there is more
    reading = _replies(calls, thread, wanted) if place_of(thread)[1] else _top_level(calls, thread, wanted, most)
    try:
        async with aclosing(reading) as found:
            async for post in found:
                posts.append(post)
    except (SlackClosed, SlackRefused) as error:
        if error.error not in _GONE:
            raise
        return []  # the thread went with its first message
    told = list(posts)[-most:]
    named = await people.names(_unnamed(told, me), within=_NAMES_WITHIN)
    said = [one for post in told if (one := _said(post, thread, me, named)) is not None]
    if said and len(posts) > most:
        said[0] = replace(said[0], follows_more=True)
    return list(newest(said, most=most_characters))


async def read(calls: Calls, people: People, me: Workspace, message: Message) -> Message:
    """A message with the text and the attachments it has in Slack now.

    Raises:
        MessageGone: it was deleted there.
        PlatformAway, ThreadClosed, SlackRefused: as `history` does.
    """
    channel, thread_ts = place_of(message.thread)
    only = message.id
    # In a thread the parent may come with it, and take one of the places.
    reading = (
        read_channel(calls, channel, oldest=only, latest=only, inclusive=True, pace=Pace(page=1))
        if thread_ts is None
        else read_replies(calls, channel, thread_ts, oldest=only, latest=only, inclusive=True, pace=Pace(page=2))
    )
    try:
        async with aclosing(reading) as pages:
            posts = [post async for page in pages for post in page if ts_of(post) == message.id]
    except (SlackClosed, SlackRefused) as error:
        if error.error not in _GONE:
            raise
        raise MessageGone(f"{message.id}: {error.error}") from error
    if posts and (asked := asked_in(posts[0], me)) is not None:  # by a command: shown by us, and said by them
        return replace(message, text=asked.text)
    names = {user: name for post in posts for user in _mentioned(post) if (name := people.known(user))}
    found = [read_post(_labelled(post, names), channel, me) for post in posts]
    if not found or found[0] is None:
        raise MessageGone(str(message.id))
    return replace(message, text=found[0].text, attachments=found[0].attachments)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which posts belong to the past that is asked for."""

    thread: Thread
    me: Workspace
    before: MessageId
    since: float | None
    answers: Collection[MessageId]

    def holds(self, post: Post) -> bool:
        ts = ts_of(post)
        if ts is None or not self._is_in_time(ts) or is_reply_elsewhere(post, self.thread):
            return False
        subtype = post.get("subtype")
        if not (subtype is None or isinstance(subtype, str)) or subtype not in _SAID:
            return False
        return not (is_own(post, self.me) and _is_confirmation(post))

    @property
    def oldest(self) -> str:
        answers = (ts for ts in self.answers if is_ts(ts))
        since = ts_at(self.since or 0.0)
        return min([since, *(ts_at(float(ts) - 1.0) for ts in answers)], key=order) if self.since else since

    @property
    def latest(self) -> tuple[str, bool]:
        """The last ts to ask for, and whether it is itself among what is wanted."""
        last = max((ts for ts in self.answers if is_ts(ts)), key=order, default=self.before)
        return (last, True) if order(last) > order(self.before) else (self.before, False)

    def _is_in_time(self, ts: str) -> bool:
        if ts in self.answers:
            return True
        if self.since is not None and order(ts) <= order_at(self.since):
            return False  # the parent of a thread comes with every page
        return order(ts) < order(self.before)


async def _replies(calls: Calls, thread: Thread, wanted: _Wanted) -> AsyncGenerator[Post, None]:
    """The wanted posts of a thread, oldest first. Slack tells them from the beginning, so all are gone through."""
    channel, thread_ts = place_of(thread)
    latest, inclusive = wanted.latest
    reading = read_replies(
        calls, channel, thread_ts or "", oldest=wanted.oldest, latest=latest, inclusive=inclusive, pace=Pace(page=1000)
    )
    seen: set[str | None] = set()
    number = 0
    async with aclosing(reading) as pages:
        async for page in pages:
            for post in page:
                if wanted.holds(post) and ts_of(post) not in seen:
                    seen.add(ts_of(post))
                    yield post
            number += 1
            if number == _MOST_PAGES:
                logger.warning("thread too long to be read", extra={"thread_key": thread.key})
                return


async def _top_level(calls: Calls, thread: Thread, wanted: _Wanted, most: int) -> AsyncGenerator[Post, None]:
    """The newest wanted posts of a direct message's top level, oldest first."""
    latest, inclusive = wanted.latest
    newest: list[Post] = []  # one more than is told at the least, where there are so many
    number = 0
    reading = read_channel(calls, thread.channel_id, oldest=wanted.oldest, latest=latest, inclusive=inclusive)
    async with aclosing(reading) as pages:
        async for page in pages:
            newest += filter(wanted.holds, page)
            number += 1
            if len(newest) > most or number == _MOST_PAGES:
                break
    for post in sorted(newest, key=lambda post: order(ts_of(post) or "0.0")):
        yield post


def _is_confirmation(post: Post) -> bool:
    """Whether a post of ours says what became of a command: that is no part of the conversation."""
    metadata = post.get("metadata")
    payload = metadata.get("event_payload") if isinstance(metadata, Mapping) else None
    return isinstance(payload, Mapping) and "command" in payload


# --- one post ---------------------------------------------------------------------------------


def _said(post: Post, thread: Thread, me: Workspace, names: Mapping[str, str]) -> Said | None:
    """What a post says; None when that is nothing, or nobody of whom the bot knows said it."""
    if (asked := asked_in(post, me)) is not None:
        text, author = asked.text, Person(asked.person, names.get(asked.person) or asked.person)
    elif is_own(post, me):
        text, author = shown_text(post, me), None
        text = "" if text in _SIGNS else text
    elif (name := _bot_name(post)) is not None:
        text = shown_text(post, me, names)
        author = Person(PersonId(str(post.get("bot_id") or post.get("user"))), name)
    else:
        message = read_post(_labelled(post, names), thread.channel_id, me)
        if message is None:
            return None
        text = message.text or ""
        author = replace(message.author, name=message.author.name or names.get(message.author.id) or message.author.id)
    # Whoever said it, files are read as people's are.
    as_a_persons = {"type": "message", "ts": post.get("ts"), "user": "U", "files": post.get("files")}
    files = read_post(as_a_persons, thread.channel_id, me)
    attachments = files.attachments if files is not None else ()
    if not text and not attachments:
        return None
    return Said(MessageId(str(post["ts"])), author, text, attachments)


def shown_text(post: Post, me: Workspace, names: Mapping[str, str] | None = None) -> str:
    """The text of a bot's post as people see it: that of its blocks where `text` is only their short form."""
    said = post.get("text")
    text = max(said if isinstance(said, str) else "", text_of(post.get("blocks")), key=len)
    return _OWN_TOKEN.sub(lambda token: readable(token[0], me=me.bot_user_id, names=names or {}), text).strip()


def _bot_name(post: Post) -> str | None:
    """What another bot is called; None for a person."""
    if not post.get("bot_id") and post.get("subtype") != "bot_message":
        return None
    profile = post.get("bot_profile")
    names = (post.get("username"), profile.get("name") if isinstance(profile, Mapping) else None)
    return next((name for name in names if isinstance(name, str) and name), "a bot")


def _unnamed(posts: Iterable[Post], me: Workspace) -> Iterator[str]:
    """The people whose names the posts do not tell, the latest ones first."""
    for post in reversed(list(posts)):
        if (asked := asked_in(post, me)) is not None:
            yield asked.person
        if is_own(post, me):
            continue
        author = post.get("user")
        if _bot_name(post) is None and isinstance(author, str):
            yield author
        yield from _mentioned(post)


def _mentioned(post: Post) -> Iterator[str]:
    text = post.get("text")
    return (user for user in mentions(text) if user[:1] in {"U", "W"}) if isinstance(text, str) else iter(())


def _labelled(post: Post, names: Mapping[str, str]) -> Post:
    """The post with the names of those it mentions, spelled as Slack itself does where it names them."""
    text = post.get("text")
    if not isinstance(text, str):
        return post
    return {**post, "text": _MENTION.sub(lambda found: _mention(found[1], names), text)}


def _mention(user: str, names: Mapping[str, str]) -> str:
    name = names.get(user)
    if not name:
        return f"<@{user}>"
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<@{user}|{escaped}>"
