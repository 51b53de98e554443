"""Every shape of message Discord tells of, and what the bot makes of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.attachments import Source
from adapters.discord.events import (
    Commanded,
    Deleted,
    Edited,
    Event,
    Origin,
    Posted,
    origin_of,
    read_deleted,
    read_edited,
    read_post,
    read_posted,
    replied_to,
)
from adapters.discord.places import Where, thread_of
from bot.commands import Command
from bot.messages import Address, Attachment, Message, MessageId, Person, PersonId, Standing, Thread
from tests.adapters.discord.samples import (
    ADA,
    BEN,
    BENS,
    DIRECT,
    GENERAL,
    IN_DIRECT,
    IN_GENERAL,
    IN_NEWS,
    IN_POST,
    IN_THREAD,
    IN_VOICE,
    ME,
    OURS,
    ROOT,
    SAMPLES,
    SERVER,
    TS,
    frame,
    place,
    sample,
    saying,
)

FRAMES = sorted(path.stem for path in SAMPLES.glob("*.json"))
ADA_HERSELF = Person(PersonId(ADA), "Ada", Standing.MEMBER)


def read_frame(name: str, body: Any, where: Where) -> tuple[Event, ...]:
    """What a frame tells, as whoever listens to the gateway would read it."""
    match name:
        case "MESSAGE_CREATE":
            event: Event | None = read_posted(body, ME, where)
        case "MESSAGE_UPDATE":
            event = read_edited(body, ME, where)
        case _:
            return read_deleted(body, where)
    return () if event is None else (event,)


def message(text: str, where: Where, address: Address, **more: Any) -> Message:
    author = more.pop("author", ADA_HERSELF)
    sent_at = more.pop("sent_at", 1_700_000_123.0)
    thread = thread_of(where, TS)
    return Message(
        thread, MessageId(TS), author, text, sent_at, address=address, is_root=thread.thread_id == TS, **more
    )


def file(
    name: str = "plan.pdf",
    mime_type: str | None = "application/pdf",
    size: int | None = 48213,
    *,
    channel: str = DIRECT,
    of: str = TS,
    file_id: str = "900000000000000501",
) -> Attachment:
    return Attachment(Source(channel, MessageId(of), file_id).id, name, mime_type, size)


def direct(text: str, *files: Attachment, **more: Any) -> Message:
    return message(text, IN_DIRECT, Address.DIRECT, attachments=files, **more)


ASKED = message("what is a clew?", IN_GENERAL, Address.MENTION)
WHY = message("why?\n\nIn reply to you:\n> A ball of thread.", IN_GENERAL, Address.MENTION)

ROWS: list[tuple[str, str, Event | None]] = [
    (
        "a mention in a channel begins a thread, and somebody is called what the server calls them",
        "message_with_mention",
        Posted(replace(ASKED, author=replace(ADA_HERSELF, name="Ada L."))),
    ),
    ("the role that came with the bot is the bot", "mention_by_role", Posted(ASKED)),
    (
        "announcements are like channels",
        "mention_in_announcements",
        Posted(message("what is a clew?", IN_NEWS, Address.MENTION)),
    ),
    (
        "calling everybody is not calling the bot",
        "message_to_everyone",
        Posted(message("@everyone lunch", IN_GENERAL, Address.OTHERS)),
    ),
    (
        "what names nobody is open to everybody",
        "message_to_nobody",
        Posted(message("good morning", IN_GENERAL, Address.OPEN)),
    ),
    (
        "in a thread no mention is needed",
        "message_in_thread",
        Posted(message("and who gave it to him?", IN_THREAD, Address.OPEN)),
    ),
    (
        "a mention inside somebody else's thread belongs to that thread",
        "mention_in_somebodys_thread",
        Posted(message("what do you think?", IN_THREAD, Address.MENTION)),
    ),
    (
        "what mentions somebody else is for them",
        "message_to_somebody_in_thread",
        Posted(message("@Benny can you look at this?", IN_THREAD, Address.OTHERS)),
    ),
    (
        "a reply to somebody else is for them, pinged or not",
        "reply_to_somebody_without_ping",
        Posted(message("I think so too\n\nIn reply to Ben:\n> It leads out.", IN_THREAD, Address.OTHERS)),
    ),
    (
        "who replies to themselves goes on",
        "reply_to_oneself",
        Posted(message("and one more thing\n\nIn reply to Ada:\n> What is it for?", IN_THREAD, Address.OPEN)),
    ),
    ("a reply to the bot", "reply_to_the_bot", Posted(WHY)),
    ("a reply to the bot with the ping turned off", "reply_to_the_bot_without_ping", Posted(WHY)),
    (
        "a reply to what is deleted",
        "reply_to_a_deleted_message",
        Posted(message("why?", IN_GENERAL, Address.OPEN)),
    ),
    (
        "a reply brings what it replies to, pictures and all",
        "reply_to_a_picture",
        Posted(
            message(
                "what is on it?\n\nIn reply to Ben:\n> the labyrinth, from above\n> [attachment maze.png]",
                IN_GENERAL,
                Address.MENTION,
                attachments=(
                    file("maze.png", "image/png", 9001, channel=GENERAL, of=BENS, file_id="900000000000000502"),
                ),
            )
        ),
    ),
    (
        "a post in a forum hangs from its first message",
        "first_message_of_a_post",
        Posted(message("is this right?", IN_POST, Address.MENTION)),
    ),
    (
        "the chat of a voice channel is one conversation",
        "message_in_voice_chat",
        Posted(message("what is a clew?", IN_VOICE, Address.MENTION)),
    ),
    ("a direct message", "direct_message", Posted(direct("what is a clew?"))),
    (
        "a file with words",
        "file_with_words",
        Posted(
            message("what does it say?", IN_GENERAL, Address.MENTION, attachments=(file(channel=GENERAL),)),
        ),
    ),
    ("a file without words", "file_without_words", Posted(direct("", file()))),
    ("a file is called what its owner calls it", "file_with_a_title", Posted(direct("", file("Ἀριάδνη.pdf")))),
    ("a voice message", "voice_message", Posted(direct("", file("voice-message.ogg", "audio/ogg", 7315)))),
    ("a long text pasted as a file", "pasted_text", Posted(direct("", file("message.txt", "text/plain", 2219)))),
    (
        "a forwarded message comes with its files",
        "forward",
        Posted(
            direct(
                "Forwarded:\n> @Ben it leads out\n> and in again\n> [attachment maze.png]",
                file("maze.png", "image/png", 9001, file_id="900000000000000502"),
            )
        ),
    ),
    ("a sticker", "sticker", Posted(direct("[sticker: Wave]"))),
    ("a poll", "poll", Posted(direct("Poll: Left or right?\n- Left\n- Right (3 votes)"))),
    ("the preview of a link is no edit", "preview_of_a_link", None),
    (
        "an edit brings the whole new message",
        "edit",
        Edited(message("what is a labyrinth?", IN_GENERAL, Address.MENTION, sent_at=1_700_000_200.0)),
    ),
    (
        "a mention that was edited in was said when it was edited in",
        "edit_that_adds_a_mention",
        Edited(replace(ASKED, sent_at=1_700_000_200.0)),
    ),
    (
        "an edit in a direct message",
        "edit_in_direct_message",
        Edited(direct("what is a labyrinth?")),
    ),
    ("the bot's own edit is ignored", "own_edit", None),
    ("the bot's own message is ignored", "own_message", None),
    ("another app is ignored", "other_bot", None),
    ("a webhook is ignored", "webhook", None),
    ("Discord itself is ignored", "message_of_discord_itself", None),
    ("somebody joining is ignored", "join", None),
    ("somebody pinning something is ignored", "pin", None),
    ("that a thread was opened is ignored", "thread_created", None),
    ("what stands for the message that a thread was opened from is ignored", "thread_starter", None),
    ("how a poll ended is ignored", "poll_result", None),
    ("the bot's answer to a command is ignored", "answer_to_a_command", None),
    ("a deleted message", "deletion", Deleted(thread_of(IN_GENERAL, TS), MessageId(TS))),
    ("a message deleted in a thread", "deletion_in_thread", Deleted(thread_of(IN_THREAD, TS), MessageId(TS))),
    (
        "a message deleted in a direct message",
        "deletion_in_direct_message",
        Deleted(thread_of(IN_DIRECT, TS), MessageId(TS)),
    ),
]


@pytest.mark.parametrize(("name", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_frame_is_read_as_what_happened(name: str, expected: Event | None) -> None:
    kind, body = frame(name)

    assert read_frame(kind, body, place(body)) == (() if expected is None else (expected,))


def test_every_sample_is_read() -> None:
    read_elsewhere = {"deletion_of_many", "typing"}

    assert {row[1] for row in ROWS} | read_elsewhere == set(FRAMES)


def test_many_messages_deleted_at_once_are_many_deletions() -> None:
    known = Thread.from_key(f"discord:{SERVER}:{GENERAL}:{ROOT}")

    gone = read_deleted(sample("deletion_of_many"), IN_GENERAL, continued={MessageId(BENS): known})

    assert gone == (Deleted(known, MessageId(BENS)), Deleted(thread_of(IN_GENERAL, TS), MessageId(TS)))


# --- a conversation without a thread ------------------------------------------------------------


def test_a_reply_to_the_bot_in_a_channel_goes_on_with_the_conversation_it_answers() -> None:
    continued = thread_of(IN_GENERAL, ROOT)
    event = read_posted(sample("reply_to_the_bot"), ME, IN_GENERAL, continued=continued)

    assert event == Posted(replace(WHY, thread=continued, is_root=False))


def test_a_reply_to_a_deleted_answer_is_still_for_the_bot_when_it_is_known_whose_it_was() -> None:
    continued = thread_of(IN_GENERAL, ROOT)
    event = read_posted(sample("reply_to_a_deleted_message"), ME, IN_GENERAL, continued=continued)

    assert isinstance(event, Posted)
    assert (event.message.address, event.message.thread) == (Address.MENTION, continued)


def test_in_a_thread_a_reply_belongs_to_the_thread_whatever_it_answers() -> None:
    elsewhere = thread_of(IN_GENERAL, BENS)
    event = read_posted(sample("reply_to_oneself"), ME, IN_THREAD, continued=elsewhere)

    assert isinstance(event, Posted)
    assert event.message.thread == thread_of(IN_THREAD, TS)
    assert event.message.address is Address.OPEN


@pytest.mark.parametrize(
    ("body", "target"),
    [
        pytest.param(sample("reply_to_the_bot_without_ping"), OURS, id="a reply to the bot"),
        pytest.param(sample("reply_to_a_deleted_message"), OURS, id="a reply to what is deleted"),
        pytest.param(sample("reply_to_somebody_without_ping"), None, id="a reply to somebody else"),
        pytest.param(sample("forward"), None, id="a forwarded message"),
        pytest.param(sample("pin"), None, id="a pin"),
        pytest.param(sample("message_to_nobody"), None, id="no reply"),
        pytest.param(sample("reply_to_the_bot", message_reference={"message_id": "x"}), None, id="a reply to nothing"),
    ],
)
def test_it_is_seen_which_answer_a_reply_may_go_on_with(body: dict[str, Any], target: str | None) -> None:
    assert replied_to(body, ME) == target


# --- whom a message is for ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "address"),
    [
        pytest.param(
            saying("`<@900000000000000100>` is how it is spelt", mentions=[]), Address.OPEN, id="quoting a mention"
        ),
        pytest.param(
            saying("hello", sample_name="message_to_nobody", mention_roles=["900000000000000301"]),
            Address.OTHERS,
            id="calling another role",
        ),
        pytest.param(
            sample("mention_by_role", mention_everyone=True), Address.MENTION, id="calling everybody and the bot"
        ),
        pytest.param(
            saying("me", sample_name="message_to_nobody", mentions=[{"id": ADA}]), Address.OPEN, id="naming oneself"
        ),
        pytest.param(
            saying("you", sample_name="direct_message", mentions=[{"id": BEN}]),
            Address.DIRECT,
            id="naming somebody to the bot",
        ),
        pytest.param(
            sample("reply_to_somebody_without_ping", mentions=[{"id": ME.user_id}]),
            Address.MENTION,
            id="naming the bot in a reply to somebody else",
        ),
    ],
)
def test_it_is_seen_whom_a_message_is_for(body: dict[str, Any], address: Address) -> None:
    event = read_posted(body, ME, place(body))

    assert isinstance(event, Posted)
    assert event.message.address is address


def test_nothing_said_to_the_bot_is_something_and_nothing_said_to_nobody_is_not() -> None:
    mention = f"<@{ME.user_id}>"

    assert isinstance(read_posted(saying(mention), ME, IN_GENERAL), Posted)
    assert isinstance(read_posted(saying("", sample_name="direct_message"), ME, IN_DIRECT), Posted)
    assert read_posted(saying("", sample_name="message_to_nobody"), ME, IN_GENERAL) is None


# --- what it says -------------------------------------------------------------------------------

BOT, ROLE = f"<@{ME.user_id}>", "<@&900000000000000101>"
NAMES = {GENERAL: "general", "900000000000000301": "devs"}


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        pytest.param(f"{BOT}, what is this?", "what is this?", id="the name and its comma"),
        pytest.param(f"<@!{ME.user_id}> hi", "hi", id="the name as old clients spell it"),
        pytest.param(f"{ROLE} hi", "hi", id="the role"),
        pytest.param(f"what do you {BOT} think", "what do you think", id="the name inside a sentence"),
        pytest.param(f"thanks {BOT}", "thanks", id="the name at the end"),
        pytest.param(f"<@{BEN}> and <@900000000000000299>", "@Ben and @900000000000000299", id="people"),
        pytest.param("<@&900000000000000301>", "@devs", id="a role"),
        pytest.param(f"<#{GENERAL}> <#900000000000000999>", "#general #900000000000000999", id="channels"),
        pytest.param("<:wave:900000000000000602> <a:dance:900000000000000603>", ":wave: :dance:", id="emoji"),
        pytest.param("at <t:1700000123:R>", "at 2023-11-14 22:15 UTC", id="a time"),
        pytest.param("at <t:9999999999999>", "at <t:9999999999999>", id="a time beyond all calendars"),
        pytest.param("use </reset:900000000000000802> here", "use /reset here", id="a command"),
        pytest.param("see <id:browse>", "see #Browse Channels", id="a page of the server"),
        pytest.param("<https://e.example/a?b=1>", "https://e.example/a?b=1", id="an address without a preview"),
        pytest.param(f"`{BOT}` and `<#{GENERAL}>`", f"`{BOT}` and `<#{GENERAL}>`", id="code"),
        pytest.param("```py\na <:b:900000000000000602>\n```", "```py\na <:b:900000000000000602>\n```", id="a block"),
        pytest.param(f"a ` b {BOT} c", "a ` b c", id="a lone tick"),
        pytest.param("a < b > c <@1> **d** ||e||", "a < b > c <@1> **d** ||e||", id="what stays as it is"),
    ],
)
def test_text_is_read_as_a_person_reads_it(typed: str, read: str) -> None:
    body = saying(typed, mentions=[{"id": ME.user_id}, {"id": BEN, "username": "ben_07", "global_name": "Ben"}])
    event = read_posted(body, ME, IN_GENERAL, called=NAMES.get)

    assert isinstance(event, Posted)
    assert event.message.text == read


@pytest.mark.parametrize(
    ("more", "text"),
    [
        pytest.param(
            {"content": "see", "embeds": [{"type": "link", "url": "https://a.b", "title": "T", "description": "D"}]},
            "see\n\nPreview of https://a.b:\n> T\n> D",
            id="the preview of a link",
        ),
        pytest.param(
            {"content": "T, as D says", "embeds": [{"type": "link", "url": "https://a.b", "title": "T"}]},
            "T, as D says",
            id="a preview that says nothing new",
        ),
        pytest.param({"embeds": [{"type": "gifv", "url": "https://a.b"}]}, "", id="a preview without words"),
        pytest.param({"stickers": [{"name": "Old"}]}, "[sticker: Old]", id="a sticker as it was told before"),
        pytest.param(
            {
                "poll": {
                    "question": {"text": "Q"},
                    "answers": [{"answer_id": 1, "poll_media": {"emoji": {"name": "⬅"}}}],
                }
            },
            "Poll: Q\n- ⬅",
            id="a poll of pictures",
        ),
        pytest.param(
            {"message_snapshots": [{"message": {"content": "", "sticker_items": [{"name": "Wave"}]}}]},
            "Forwarded:\n> [sticker: Wave]",
            id="a forwarded sticker",
        ),
        pytest.param(
            {"message_snapshots": [{"message": {}}]},
            "Forwarded:\n> (nothing that could be read)",
            id="a forwarded nothing",
        ),
        pytest.param(
            {"referenced_message": {"author": {"username": "ben_07"}, "embeds": [{"type": "rich", "title": "T"}]}},
            "In reply to ben_07:\n> T",
            id="a reply to an app's frame",
        ),
        pytest.param(
            {
                "referenced_message": {
                    "author": {"username": "layouts"},
                    "components": [{"type": 17, "components": [{"type": 10, "content": "in a box"}, {"type": 2}]}],
                }
            },
            "In reply to layouts:\n> in a box",
            id="a reply to an app's layout",
        ),
        pytest.param({"content": "a\x00b\ud800"}, "ab?", id="what no database takes"),
    ],
)
def test_what_is_shown_beside_the_text_is_told_in_words(more: dict[str, Any], text: str) -> None:
    event = read_posted(sample("direct_message") | {"content": ""} | more, ME, IN_DIRECT)

    assert isinstance(event, Posted)
    assert event.message.text == text


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({}, ("a file", None, None), id="nothing told"),
        pytest.param({"filename": "a\nb.txt", "content_type": "TEXT/Plain"}, ("a b.txt", "text/plain", None), id="odd"),
        pytest.param({"filename": "x.png", "title": "x.PNG", "size": 0}, ("x.PNG", None, 0), id="a title with an end"),
        pytest.param({"filename": "SPOILER_a.png", "size": True}, ("SPOILER_a.png", None, None), id="a size of true"),
        pytest.param({"filename": "a", "size": -1}, ("a", None, None), id="a size below nothing"),
    ],
)
def test_of_a_file_is_taken_what_can_be(told: dict[str, object], expected: tuple[str, str | None, int | None]) -> None:
    body = sample("file_without_words", attachments=[{"id": "5", **told}, {"id": "a"}, None])
    event = read_posted(body, ME, IN_DIRECT)

    assert isinstance(event, Posted)
    (attachment,) = event.message.attachments
    assert (attachment.name, attachment.mime_type, attachment.size) == expected


def test_a_file_that_is_told_twice_is_one_file() -> None:
    body = sample("forward")
    body["attachments"] = [
        file for snapshot in body["message_snapshots"] for file in snapshot["message"]["attachments"]
    ]

    event = read_posted(body, ME, IN_DIRECT)

    assert isinstance(event, Posted)
    assert len(event.message.attachments) == 1


# --- commands -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "command"),
    [
        pytest.param(saying(f"{BOT} reset"), Command.RESET, id="reset after the name"),
        pytest.param(saying(f"{BOT} Stop!"), Command.STOP, id="with a capital and an exclamation mark"),
        pytest.param(saying("stop", sample_name="direct_message"), Command.STOP, id="in a direct message"),
        pytest.param(saying("**retry**", sample_name="reply_to_the_bot"), Command.RETRY, id="in a reply to the answer"),
        pytest.param(saying(f"{ROLE} /help", sample_name="mention_by_role"), Command.HELP, id="to the role"),
    ],
)
def test_a_command_to_the_bot_is_none_of_its_questions(body: dict[str, Any], command: Command) -> None:
    event = read_posted(body, ME, place(body))

    assert isinstance(event, Commanded)
    assert (event.command, event.message_id, event.person.id) == (command, TS, ADA)


def test_an_edit_can_turn_a_message_into_a_command() -> None:
    event = read_edited(saying(f"{BOT} reset", sample_name="edit"), ME, IN_GENERAL)

    assert event == Commanded(thread_of(IN_GENERAL, TS), Command.RESET, MessageId(TS), ADA_HERSELF, 1_700_000_200.0)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(saying("reset", sample_name="message_in_thread"), id="said to nobody"),
        pytest.param(saying(f"<@{BEN}> stop", sample_name="message_to_somebody_in_thread"), id="said to somebody else"),
        pytest.param(saying(f"{BOT} reset the router please"), id="the beginning of a sentence"),
        pytest.param(saying("help", sample_name="file_without_words"), id="said about a file"),
        pytest.param(saying("stop", sample_name="forward"), id="said about a forwarded message"),
    ],
)
def test_a_word_that_is_not_a_command_to_the_bot_is_a_message(body: dict[str, Any]) -> None:
    assert isinstance(read_posted(body, ME, place(body)), Posted)


# --- the same message, told in another way ------------------------------------------------------


def test_a_message_read_back_is_the_one_the_gateway_told_of() -> None:
    told = read_posted(sample("mention_by_role"), ME, IN_GENERAL)
    body = sample("mention_by_role")
    for only_of_the_gateway in ("guild_id", "member", "channel_type", "nonce"):
        del body[only_of_the_gateway]

    assert isinstance(told, Posted)
    assert read_post(body, ME, IN_GENERAL) == told.message


def test_a_message_is_not_read_as_one_of_another_place() -> None:
    assert read_post(sample("message_with_mention"), ME, IN_NEWS) is None
    assert read_deleted(sample("deletion"), IN_NEWS) == ()


def test_a_frame_tells_where_it_comes_from() -> None:
    assert origin_of(sample("message_in_thread")) == Origin(ROOT, SERVER)
    assert origin_of(sample("direct_message")) == Origin(DIRECT, None)
    assert origin_of({"guild_id": SERVER}) is None


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"author": {"id": ADA, "bot": True}}, id="an app"),
        pytest.param({"author": {"id": ADA, "system": True}}, id="Discord"),
        pytest.param({"author": {"id": ME.user_id}}, id="the bot itself"),
        pytest.param({"author": {"username": "ada"}}, id="somebody without an id"),
        pytest.param({"author": None}, id="nobody"),
        pytest.param({"webhook_id": "900000000000000701"}, id="a webhook"),
        pytest.param({"type": 20}, id="an answer to a command"),
        pytest.param({"type": False}, id="a type that only looks like the first"),
        pytest.param({"type": None}, id="no type"),
        pytest.param({"id": "1:2"}, id="an id that would break a thread's key"),
        pytest.param({"id": 1174110356897792002}, id="an id that is a number"),
        pytest.param({"id": "0"}, id="an id before all ids"),
        pytest.param({"channel_id": None}, id="no channel"),
    ],
)
def test_what_no_person_said_is_nothing(more: dict[str, Any]) -> None:
    assert read_posted(sample("message_with_mention", **more), ME, IN_GENERAL) is None
    assert read_edited(sample("edit", **more), ME, IN_GENERAL) is None


# --- anything at all ----------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def bent(draw: st.DrawFn) -> Any:
    """The data of a frame with one or two of its values, anywhere, replaced by something else."""
    body: Any = sample(draw(st.sampled_from(FRAMES)))
    for _ in range(draw(st.integers(1, 2))):
        at = body
        while True:
            keys: list[Any] = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(at[key], dict | list) and draw(st.booleans()):
                at = at[key]
                continue
            at[key] = draw(JSON)
            break
    return body


@given(st.one_of(JSON, bent()), st.sampled_from(["MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE"]))
def test_no_payload_whatever_raises(body: Any, name: str) -> None:
    channel = body.get("channel_id") if isinstance(body, Mapping) else None
    places = [where for where in (IN_GENERAL, IN_THREAD, IN_VOICE, IN_DIRECT) if where.channel_id == channel]
    for where in places or [IN_GENERAL]:
        for event in read_frame(name, body, where):
            thread = event.thread if isinstance(event, Deleted | Commanded) else event.message.thread
            assert Thread.from_key(thread.key) == thread
            if isinstance(event, Posted | Edited):
                (event.message.text or "").encode()
                assert all(Source.of(file.id) for file in event.message.attachments)
    origin_of(body)
    replied_to(body, ME)


@given(st.text(alphabet="<>@!&#:/`tida0123456789 \nhttps"))
def test_no_text_whatever_raises(text: str) -> None:
    event = read_posted(saying(text, sample_name="direct_message"), ME, IN_DIRECT)

    assert isinstance(event, Posted | Commanded)
