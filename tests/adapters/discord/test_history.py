"""A conversation's past, read back from its channels."""

from collections.abc import Sequence
from typing import Any

import pytest

from adapters.discord.buttons import Buttons, components
from adapters.discord.history import history, read
from adapters.discord.payloads import Fields, id_at
from adapters.discord.places import thread_of
from adapters.discord.questions import Asked, shown_question
from bot.errors import MessageGone, PlatformAway, ThreadClosed
from bot.messages import Message, MessageId, Person, PersonId, Said, Thread, TurnId
from tests.adapters.discord.samples import (
    ADA,
    BEN,
    DIRECT,
    FORUM,
    GENERAL,
    IN_DIRECT,
    IN_POST,
    IN_THREAD,
    ME,
    ROOT,
    TS,
    sample,
)

LAST = MessageId("9999999999999999999")
THREAD = thread_of(IN_THREAD, TS)
START = 1_700_000_000.0


class Channels:
    """Channels as Discord tells of them: pages of the newest first, and single messages ([D message])."""

    def __init__(self) -> None:
        self.posts: dict[str, dict[str, dict[str, Any]]] = {}
        self.calls: list[str] = []
        self.is_away = False

    def says(self, channel: str, author: str, content: str, *, at: float, **more: Any) -> MessageId:
        """Put a message into a channel, some seconds after the start; what it replies to is told as REST tells it."""
        post = id_at(START + at) if at else ROOT
        body: dict[str, Any] = {
            "id": post,
            "channel_id": channel,
            "type": 0,
            "content": content,
            "author": {"id": author, "username": {ADA: "ada", BEN: "ben"}.get(author, "Clew")},
            **more,
        }
        if author == ME.user_id:
            body["author"]["bot"] = True
        if "replies_to" in more:
            reference = {"type": 0, "channel_id": channel, "message_id": more["replies_to"]}
            body |= {"type": 19, "message_reference": reference}
            body["referenced_message"] = self.posts.get(channel, {}).get(more["replies_to"])
        self.posts.setdefault(channel, {})[post] = body
        return MessageId(post)

    async def page(self, channel_id: str, *, before: str) -> Sequence[Fields]:
        self.calls.append(f"page {channel_id}")
        if self.is_away:
            raise PlatformAway("away")
        if channel_id not in self.posts:
            raise ThreadClosed("code 10003")
        older = [post for name, post in self.posts[channel_id].items() if int(name) < int(before)]
        return sorted(older, key=lambda post: -int(post["id"]))[:100]

    async def one(self, channel_id: str, message_id: str) -> Fields:
        self.calls.append(f"one {channel_id}")
        if channel_id not in self.posts:
            raise ThreadClosed("code 10003")
        if message_id not in self.posts[channel_id]:
            raise MessageGone("code 10008")
        return self.posts[channel_id][message_id]


async def past(
    channels: Channels, thread: Thread = THREAD, *, before: MessageId = LAST, since: float | None = None, **more: Any
) -> list[Said]:
    return await history(channels, ME, thread, before=before, since=since, **more)


def spoken(said: Sequence[Said]) -> list[tuple[str | None, str]]:
    """Who said what; None is the bot."""
    return [(one.author.name if one.author else None, one.text) for one in said]


def opened(channels: Channels, first: str = "Which one?") -> MessageId:
    """A thread that somebody's message in the channel grew into."""
    root = channels.says(GENERAL, ADA, f"<@{ME.user_id}> {first}", at=0)
    channels.says(GENERAL, BEN, "lunch?", at=1)
    return root


# --- a thread -----------------------------------------------------------------------------------


async def test_a_thread_is_told_from_the_message_it_was_opened_from_with_who_said_what() -> None:
    channels = Channels()
    root = opened(channels)
    channels.says(ROOT, ME.user_id, "**This** one.", at=2)
    channels.says(ROOT, BEN, "Really, <:hm:900000000000000602>?", at=3)
    last = channels.says(ROOT, ADA, "Why?", at=4)

    said = await past(channels, before=last)

    assert spoken(said) == [("ada", "Which one?"), (None, "**This** one."), ("ben", "Really, :hm:?")]
    assert said[0].message_id == root


async def test_what_stands_for_the_first_message_in_the_thread_is_not_told() -> None:
    channels = Channels()
    opened(channels)
    channels.posts[ROOT] = {"1174109842000000000": sample("thread_starter", id="1174109842000000000")}

    assert spoken(await past(channels)) == [("ada", "Which one?")]


async def test_what_the_first_message_replied_to_is_told_with_it() -> None:
    channels = Channels()
    channels.posts[GENERAL] = {"5": {"id": "5", "channel_id": GENERAL, "author": {"id": BEN}, "content": "Left."}}
    channels.says(GENERAL, ADA, "Is he right?", at=0, replies_to="5")
    first = channels.says(ROOT, ME.user_id, "Yes.", at=2)
    channels.says(ROOT, ADA, "Sure?", at=3, replies_to=first)

    assert [one.text for one in await past(channels)] == [
        "Is he right?\n\nIn reply to somebody:\n> Left.",
        "Yes.",
        "Sure?",
    ]


async def test_a_post_in_a_forum_is_told_from_its_first_message() -> None:
    channels = Channels()
    thread = thread_of(IN_POST, TS)
    channels.posts[TS] = {TS: sample("first_message_of_a_post")}
    channels.says(TS, BEN, "I think so.", at=200)

    assert spoken(await past(channels, thread)) == [("Ada", "is this right?"), ("ben", "I think so.")]
    assert channels.calls == [f"page {TS}"]


async def test_a_thread_whose_first_message_is_gone_is_told_from_what_is_there() -> None:
    channels = Channels()
    channels.posts[GENERAL] = {}
    channels.says(ROOT, ADA, "Still here.", at=2)

    assert spoken(await past(channels)) == [("ada", "Still here.")]


async def test_only_the_newest_of_a_long_thread_is_told() -> None:
    channels = Channels()
    opened(channels)
    for number in range(1, 500):
        channels.says(ROOT, ADA, str(number), at=number)

    said = await past(channels, most=130)

    assert [one.text for one in said] == [str(number) for number in range(370, 500)]
    assert channels.calls == [f"page {ROOT}"] * 2  # page by page, and no further than needed


async def test_a_long_thread_is_told_whole_when_it_is_wanted_whole() -> None:
    channels = Channels()
    opened(channels, "0")
    for number in range(1, 200):
        channels.says(ROOT, ADA, str(number), at=number)

    assert [one.text for one in await past(channels, most=1000)] == [str(number) for number in range(200)]


async def test_what_is_too_long_to_be_told_leaves_out_the_oldest() -> None:
    channels = Channels()
    opened(channels, "a" * 50)
    for at, letter in enumerate("bcd", 1):
        channels.says(ROOT, ADA, letter * 50, at=at)

    assert [one.text[0] for one in await past(channels, most_characters=120)] == ["c", "d"]
    assert [one.text[0] for one in await past(channels, most_characters=10)] == ["d"]


async def test_what_was_said_before_a_reset_is_neither_told_again_nor_asked_for() -> None:
    channels = Channels()
    opened(channels, "old")
    channels.says(ROOT, ADA, "older", at=10)
    channels.says(ROOT, ADA, "new", at=60)

    assert [one.text for one in await past(channels, since=START + 30)] == ["new"]
    assert channels.calls == [f"page {ROOT}"]


async def test_an_answer_that_came_after_the_next_question_is_told() -> None:
    channels = Channels()
    opened(channels, "First?")
    second = channels.says(ROOT, ADA, "Second?", at=1)
    third = channels.says(ROOT, ADA, "Third?", at=2)
    answer = channels.says(ROOT, ME.user_id, "To the first.", at=3)
    channels.says(ROOT, ME.user_id, "To the second, so far", at=4)

    assert [one.text for one in await past(channels, before=second, answers=[answer])] == ["First?", "To the first."]
    assert [one.text for one in await past(channels, before=third, answers=[answer])] == [
        "First?",
        "Second?",
        "To the first.",
    ]


async def test_a_question_that_waited_during_a_reset_and_was_answered_is_told() -> None:
    channels = Channels()
    opened(channels, "Forgotten?")
    waited = channels.says(ROOT, ADA, "Waited?", at=10)
    answer = channels.says(ROOT, ME.user_id, "To what waited.", at=60)

    said = await past(channels, since=START + 30, answers=[waited, answer])

    assert [one.text for one in said] == ["Waited?", "To what waited."]


async def test_while_discord_cannot_be_asked_the_past_is_not_given_up() -> None:
    channels = Channels()
    channels.is_away = True

    with pytest.raises(PlatformAway):
        await past(channels)


# --- rooms and direct messages ------------------------------------------------------------------


async def test_a_direct_message_is_told_from_the_last_reset_on() -> None:
    channels = Channels()
    for number in range(1, 301):
        channels.says(DIRECT, ADA, str(number), at=number)

    said = await past(channels, thread_of(IN_DIRECT, TS), since=START + 298)

    assert [one.text for one in said] == ["299", "300"]
    assert channels.calls == [f"page {DIRECT}"]


async def test_of_a_reply_in_a_room_only_the_reply_is_told() -> None:
    channels = Channels()
    first = channels.says(DIRECT, ADA, "One.", at=1)
    channels.says(DIRECT, ADA, "Two.", at=2, replies_to=first)

    assert [one.text for one in await past(channels, thread_of(IN_DIRECT, TS))] == ["One.", "Two."]


# --- where no thread could be opened ------------------------------------------------------------


async def test_without_a_thread_the_replies_in_the_channel_are_the_conversation() -> None:
    channels = Channels()
    root = opened(channels)
    answer = channels.says(GENERAL, ME.user_id, "This one.", at=2, replies_to=root)
    more = channels.says(GENERAL, ME.user_id, "And that one.", at=3, replies_to=root)
    channels.says(GENERAL, ADA, "something else", at=4)
    follow_up = channels.says(GENERAL, ADA, "Why?", at=5, replies_to=more)
    channels.says(GENERAL, ME.user_id, "Because.", at=6, replies_to=follow_up)
    last = channels.says(GENERAL, BEN, "Really?", at=7, replies_to=answer)

    said = await past(channels, before=last)

    assert [one.text for one in said] == ["Which one?", "This one.", "And that one.", "Why?", "Because."]


async def test_a_channel_is_read_no_further_than_to_where_the_conversation_began() -> None:
    channels = Channels()
    for number in range(1, 400):
        channels.says(GENERAL, BEN, "before", at=-number)
    root = opened(channels)
    channels.says(GENERAL, ME.user_id, "This one.", at=2, replies_to=root)

    assert [one.text for one in await past(channels)] == ["Which one?", "This one."]
    assert channels.calls == [f"page {ROOT}", f"page {GENERAL}"]


async def test_a_channel_that_is_closed_is_told_to_be_closed() -> None:
    with pytest.raises(ThreadClosed):
        await past(Channels())


# --- what is part of it -------------------------------------------------------------------------

TURN = TurnId("t1")


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"content": "-# Stopped.\n\n-# Nothing was deleted."}, id="small print"),
        pytest.param({"type": 20, "interaction_metadata": {"name": "reset"}}, id="what became of a command"),
        pytest.param({"type": 20, "interaction": {"name": "stop"}}, id="the same, as it was told before"),
        pytest.param({"type": 20, "flags": 1 << 7}, id="an answer to a command that is still to come"),
        pytest.param({"components": components(Buttons.GROWING, TURN)}, id="an answer that is still growing"),
        pytest.param({"type": 18}, id="that a thread was opened"),
        pytest.param({"type": 6}, id="that something was pinned"),
        pytest.param({"content": ""}, id="nothing"),
        pytest.param({"author": {}}, id="somebody unknown"),
    ],
)
async def test_signs_of_work_and_what_discord_says_itself_are_no_part_of_the_past(more: dict[str, Any]) -> None:
    channels = Channels()
    channels.says(ROOT, ME.user_id, "Thinking", at=1)
    channels.posts[ROOT][id_at(START + 1)] |= more

    assert await past(channels) == []


@pytest.mark.parametrize(
    ("more", "spoke"),
    [
        pytest.param(
            {"type": 20, "interaction_metadata": {"name": "ask"}}, (None, "Done"), id="an answer to a question"
        ),
        pytest.param({"components": components(Buttons.WHOLE, TURN)}, (None, "Done"), id="a whole answer"),
        pytest.param({"content": "Done\n-# cut short"}, (None, "Done\n-# cut short"), id="an answer with a remark"),
        pytest.param(
            {"author": {"id": "7", "username": "Polls", "bot": True}, "embeds": [{"type": "rich", "title": "Vote"}]},
            ("Polls", "Done\n\nVote"),
            id="another app",
        ),
        pytest.param(
            {"author": {"id": "7", "username": "Feed", "bot": True}, "webhook_id": "7"},
            ("Feed", "Done"),
            id="a webhook",
        ),
        pytest.param({"author": {"id": "7"}}, ("7", "Done"), id="somebody without a name"),
    ],
)
async def test_what_was_said_is_told_whoever_said_it(more: dict[str, Any], spoke: tuple[str | None, str]) -> None:
    channels = Channels()
    channels.says(ROOT, ME.user_id, "Done", at=1)
    channels.posts[ROOT][id_at(START + 1)] |= more

    assert spoken(await past(channels)) == [spoke]


@pytest.mark.parametrize(
    ("more", "asker"),
    [
        pytest.param(
            {"type": 20, "interaction_metadata": {"name": "ask", "user": {"id": ADA}}}, ADA, id="by its answer"
        ),
        pytest.param({}, "Ada", id="by a message"),
    ],
)
async def test_a_question_that_the_bot_shows_for_somebody_is_theirs(more: dict[str, Any], asker: str) -> None:
    channels = Channels()
    root = channels.says(GENERAL, ME.user_id, shown_question(Asked("Ada", "What is a clew?")), at=0, **more)
    bare = channels.says(ROOT, ME.user_id, shown_question(Asked("Ada", "")), at=1, attachments=[{"id": "5"}])

    first, second = await past(channels)

    assert (first.author, first.text) == (Person(PersonId(asker), "Ada"), "What is a clew?")
    assert (second.author, second.text) == (Person(PersonId("Ada"), "Ada"), "")
    assert (await read(channels, ME, blanked(THREAD, root))).text == "What is a clew?"
    assert len((await read(channels, ME, blanked(THREAD, bare))).attachments) == 1


async def test_files_of_the_past_are_told_with_whom_they_came_from() -> None:
    channels = Channels()
    channels.says(ROOT, BEN, "", at=1, attachments=[{"id": "5", "filename": "maze.png"}])

    (said,) = await past(channels)

    assert [file.name for file in said.attachments] == ["maze.png"]


async def test_people_are_called_what_they_were_called_when_they_were_heard() -> None:
    channels = Channels()
    channels.says(ROOT, ADA, f"ask <@{BEN}>", at=1)

    said = await past(channels, called={ADA: "Countess", BEN: "Benny"}.get)

    assert spoken(said) == [("Countess", "ask @Benny")]


# --- one message again --------------------------------------------------------------------------


def blanked(thread: Thread, message: str) -> Message:
    return Message(thread, MessageId(message), Person(PersonId(ADA)), None, START)


async def test_a_message_is_read_as_it_is_now_wherever_it_stands() -> None:
    channels = Channels()
    root = opened(channels)
    inside = channels.says(ROOT, ADA, "Why?", at=2, attachments=[{"id": "5", "filename": "a.png"}])
    beside = channels.says(GENERAL, ADA, "And?", at=3, replies_to=root)

    texts = [(await read(channels, ME, blanked(THREAD, name))).text for name in (root, inside, beside)]

    assert texts == ["Which one?", "Why?", f"And?\n\nIn reply to ada:\n> @{ME.user_id} Which one?"]
    assert [file.name for file in (await read(channels, ME, blanked(THREAD, inside))).attachments] == ["a.png"]


async def test_a_message_that_was_deleted_is_gone() -> None:
    channels = Channels()
    opened(channels)
    channels.posts[ROOT] = {}

    for message in (ROOT, TS):
        channels.posts[GENERAL].pop(message, None)
        with pytest.raises(MessageGone):
            await read(channels, ME, blanked(THREAD, message))


async def test_a_deleted_message_of_a_conversation_without_a_thread_is_gone() -> None:
    channels = Channels()
    channels.posts[GENERAL] = {}

    for message in (ROOT, TS):
        with pytest.raises(MessageGone):
            await read(channels, ME, blanked(THREAD, message))


async def test_what_was_asked_by_command_cannot_be_read_again_and_all_was_said_before_it() -> None:
    channels = Channels()
    opened(channels)
    channels.says(ROOT, ME.user_id, "This one.", at=2)

    with pytest.raises(MessageGone):
        await read(channels, ME, blanked(THREAD, "ask-1"))
    assert channels.calls == []
    assert [one.text for one in await past(channels, before=MessageId("ask-1"))] == ["Which one?", "This one."]


async def test_a_message_in_a_closed_channel_cannot_be_read() -> None:
    with pytest.raises(ThreadClosed):
        await read(Channels(), ME, blanked(thread_of(IN_POST, TS), FORUM))
