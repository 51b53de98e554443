"""What was said in a thread before, read back from Discord, and one message again."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from adapters.discord.buttons import Press, read_custom_id
from adapters.discord.contents import Contents, contents_of
from adapters.discord.events import is_apps
from adapters.discord.payloads import NOTHING, Fields, fields, id_at, is_id, number, objects, sent_at, text
from adapters.discord.people import Called, Me, person_of, unknown
from adapters.discord.places import channels_of, is_continuous
from adapters.discord.questions import Asked, Question, question_of, read_question
from bot.commands import command_of
from bot.errors import MessageGone, ThreadClosed
from bot.history import newest
from bot.messages import Message, MessageId, Person, PersonId, Said, Thread

logger = logging.getLogger(__name__)

MOST_CHARACTERS = 200_000  # of everything that is told of a thread, about 50,000 tokens
ASIDE = "-# "
"""What begins each line of small print. A post of the bot's that is nothing else is no part of the conversation."""

PAGE = 100  # messages, the most that Discord tells at a time
_NEWEST = (1 << 63) - 1  # the number of the last id there can be
_MOST_PAGES = 50
_SAID = frozenset({0, 19})  # what people type, and apps post
_COMMANDED = frozenset({20, 23})  # what an app answers to a command
_LOADING = 1 << 7  # the flag of an answer to a command that is still to come


class Reader(Protocol):
    """What reading back needs of Discord."""

    async def page(self, channel_id: str, *, before: str) -> Sequence[Fields]:
        """The newest messages that are older than an id, newest first; fewer than `PAGE` when there are no more.

        Raises:
            ThreadClosed: there is no such channel, or it is closed to the bot.
            PlatformAway: Discord does not tell now.
        """
        ...

    async def one(self, channel_id: str, message_id: str) -> Fields:
        """A message as it is now.

        Raises:
            MessageGone: there is none.
            ThreadClosed, PlatformAway: as of `page`.
        """
        ...


async def history(
    reader: Reader,
    me: Me,
    thread: Thread,
    *,
    before: MessageId,
    since: float | None,
    most: int = 100,
    most_characters: int = MOST_CHARACTERS,
    answers: Collection[MessageId] = frozenset(),
    called: Called = unknown,
) -> list[Said]:
    """What was said in a thread before a message, the newest of it, oldest first.

    Confirmations of commands and other small print of the bot's are left out, as are answers that are still growing and
    what Discord says itself. Other apps speak under their names.

    Args:
        since: only what was said after it, in seconds since the epoch.
        most: messages; *most_characters*: of all their texts together. The newest is told in any case.
        answers: posts of turns that have ended, which belong to what was said before wherever they stand: after the
            message, when it came late or was asked while the one before it was still being answered; before *since*,
            when a question waited and was answered after the reset.

    Raises:
        PlatformAway: Discord does not tell now.
        ThreadClosed: it does not tell the bot.
    """
    # What was not said in a message has an id of another kind, and came after everything that can be read.
    wanted = _Wanted(int(before) if is_id(before) else _NEWEST, since, frozenset(filter(is_id, answers)))
    if is_continuous(thread):
        posts = (await _newest(reader, thread.channel_id, wanted, most=most)).posts
    else:
        posts = await _posts_of(reader, thread, wanted, most=most)
    in_order = sorted({str(post["id"]): post for post in posts}.values(), key=_order)
    told = [await _said(reader, post, thread, me, called) for post in in_order[-most:]]
    said = [one for one in told if one is not None]
    if said and len(in_order) > most:
        said[0] = replace(said[0], follows_more=True)
    return list(newest(said, most=most_characters))


async def read(reader: Reader, me: Me, message: Message, *, called: Called = unknown) -> Message:
    """A message with the text and the attachments it has in Discord now.

    Raises:
        MessageGone: it was deleted there.
        PlatformAway, ThreadClosed: as `history` does.
    """
    missing: MessageGone | ThreadClosed | None = None
    for channel in channels_of(message.thread, message.id) if is_id(message.id) else ():
        try:
            body = await reader.one(channel, message.id)
        except (MessageGone, ThreadClosed) as error:
            # Where no thread was opened there is no such channel; that a message is gone is said by the one it was in.
            missing = missing if isinstance(missing, MessageGone) else error
        else:
            asked = read_question(body, me)
            if asked is None:
                contents: Contents | Question = contents_of(body, me=me, called=called)
            else:
                contents = question_of(body, asked, me, about=await _about(reader, body, asked), called=called)
            return replace(message, text=contents.text, attachments=contents.attachments)
    raise missing or MessageGone(message.id)


# --- which messages ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which messages belong to the past that is asked for."""

    before: int  # the number of an id
    since: float | None
    answers: frozenset[str]

    def holds(self, post: Fields) -> bool:
        name = post.get("id")
        if not is_id(name) or name in self.answers:
            return is_id(name)
        return int(name) < self.before and (self.since is None or sent_at(name) > self.since)

    @property
    def end(self) -> str:
        """An id that all of them are older than."""
        return str(max([self.before, *(int(name) + 1 for name in self.answers)]))

    @property
    def begin(self) -> int:
        """The number of an id that none of them is older than."""
        return min([int(id_at(self.since)), *(int(name) - 1 for name in self.answers)]) if self.since is not None else 0


@dataclass(frozen=True, slots=True)
class _Found:
    posts: list[Fields]
    is_whole: bool  # nothing older is wanted


async def _newest(reader: Reader, channel_id: str, wanted: _Wanted, *, most: int, begin: int = 0) -> _Found:
    """The newest wanted posts of a channel, down to the id *begin* at the most."""
    found: list[Fields] = []
    begin, end = max(begin, wanted.begin), wanted.end
    for _ in range(_MOST_PAGES):
        page = await reader.page(channel_id, before=end)
        found += filter(wanted.holds, page)
        oldest = min((int(str(post["id"])) for post in page if is_id(post.get("id"))), default=0)
        if len(page) < PAGE or oldest <= begin:
            return _Found(found, is_whole=True)
        if len(found) > most:  # one more than is told tells that there is more
            break
        end = str(oldest)
    return _Found(found, is_whole=False)


async def _posts_of(reader: Reader, thread: Thread, wanted: _Wanted, *, most: int) -> list[Fields]:
    """The newest wanted posts of a thread or a post, its first message among them.

    What a thread was opened from stands in the channel. In the thread only a mark stands for it.
    """
    try:
        found = await _newest(reader, thread.thread_id, wanted, most=most)
    except ThreadClosed:
        return await _posts_around(reader, thread, wanted, most=most)
    is_missing = found.is_whole and all(post["id"] != thread.thread_id for post in found.posts)
    return found.posts + (await _first(reader, thread, wanted) if is_missing else [])


async def _posts_around(reader: Reader, thread: Thread, wanted: _Wanted, *, most: int) -> list[Fields]:
    """The wanted posts of a conversation for which no thread could be opened: a message of the channel and the replies
    to it, the replies to them, and so on.
    """
    found = await _newest(reader, thread.channel_id, wanted, most=PAGE * _MOST_PAGES, begin=int(thread.thread_id))
    belonging: set[object] = {thread.thread_id, *wanted.answers}
    posts: list[Fields] = []
    for post in sorted(found.posts, key=_order):
        if post["id"] in belonging or fields(post.get("message_reference")).get("message_id") in belonging:
            belonging.add(post["id"])
            posts.append(post)
    is_missing = all(post["id"] != thread.thread_id for post in posts)
    return posts + (await _first(reader, thread, wanted) if is_missing else [])


async def _first(reader: Reader, thread: Thread, wanted: _Wanted) -> list[Fields]:
    """The message that a thread was opened from; nothing where it is gone, there was none, or it is not wanted."""
    if not wanted.holds({"id": thread.thread_id}):
        return []
    try:
        return list(filter(wanted.holds, [await reader.one(thread.channel_id, thread.thread_id)]))
    except (MessageGone, ThreadClosed):
        return []


def _order(post: Fields) -> int:
    return int(str(post["id"]))


# --- one message ------------------------------------------------------------------------------


async def _said(reader: Reader, post: Fields, thread: Thread, me: Me, called: Called) -> Said | None:
    """What a post says; None when that is nothing, or nobody of whom the bot knows said it."""
    # What a thread was opened from may answer something that stands in the channel; all else is told here anyway.
    is_first = post.get("id") == thread.thread_id
    if (asked := read_question(post, me)) is not None:  # ours by its author only
        speaker: Person | None = _asker(post, asked.name)
        about = await _about(reader, post, asked) if is_first else None
        contents: Contents | Question = question_of(post, asked, me, about=about, called=called)
    else:
        speaker = person_of(fields(post.get("author")), fields(post.get("member")), called)
        if speaker is None or not _is_said(post, me):
            return None
        speaker = None if speaker.id == me.user_id else replace(speaker, name=speaker.name or speaker.id)
        contents = contents_of(post, me=me, called=called, quoting=is_first)
    if not contents.text and not contents.attachments:
        return None
    return Said(MessageId(str(post["id"])), speaker, contents.text, contents.attachments)


async def _about(reader: Reader, post: Fields, asked: Asked) -> Fields | None:
    """The message that a question is about, which stands beside it; None when there is none any more."""
    if asked.about is None:
        return None
    try:
        return await reader.one(str(post.get("channel_id")), asked.about)
    except (MessageGone, ThreadClosed):
        return None


def _asker(post: Fields, name: str) -> Person:
    """Who asked something by a command; a question shown without one does not tell more than the name."""
    asker = person_of(fields(fields(post.get("interaction_metadata")).get("user")), NOTHING)
    return Person(asker.id if asker else PersonId(name), name)


def _is_said(post: Fields, me: Me) -> bool:
    kind, flags = number(post.get("type")), number(post.get("flags")) or 0
    if flags & _LOADING or kind not in (_SAID | _COMMANDED if is_apps(post, me) else _SAID):
        return False
    is_own = fields(post.get("author")).get("id") == me.user_id
    return not (is_own and (_is_aside(text(post.get("content"))) or _is_confirmation(post) or _is_growing(post)))


def _is_aside(content: str) -> bool:
    lines = [line for line in content.splitlines() if line.strip()]
    return bool(lines) and all(line.startswith(ASIDE) for line in lines)


def _is_growing(post: Fields) -> bool:
    """Whether a post of ours is the end of an answer that is still being given: it can be stopped."""
    buttons = (button for row in objects(post.get("components")) for button in objects(row.get("components")))
    pressed = (read_custom_id(text(button.get("custom_id"))) for button in buttons)
    return any(press is not None and press[0] is Press.STOP for press in pressed)


def _is_confirmation(post: Fields) -> bool:
    """Whether a post of ours is the answer to a command that asks nothing."""
    names = (fields(post.get(key)).get("name") for key in ("interaction_metadata", "interaction"))
    return any(command_of(text(name)) is not None for name in names)
