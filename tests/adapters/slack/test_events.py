"""Every shape of message Slack tells of, and what the bot makes of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.events import Commanded, Deleted, Edited, Event, Posted, place_of, read_event, read_post
from adapters.slack.places import SLACK
from bot.commands import Command
from bot.messages import Address, Attachment, AttachmentId, Message, MessageId, Person, PersonId, Standing, Thread
from tests.adapters.slack.samples import ADA, DIRECT, GENERAL, ME, ROOT, SAMPLES, TS, sample, saying

PAYLOADS = sorted(path.stem for path in SAMPLES.glob("*.json"))


def thread(thread_id: str, channel: str = GENERAL, installation: str = "T0CLEWTEAM") -> Thread:
    return Thread(SLACK, installation, channel, thread_id)


def message(text: str, where: Thread, address: Address, **more: Any) -> Message:
    author = more.pop("author", Person(PersonId(ADA)))
    return Message(where, MessageId(TS), author, text, 1700000123.0002, address=address, **more)


def edited(message: Message, *, is_call: bool = False) -> Edited:
    """In its new words it was said when it was edited."""
    return Edited(replace(message, sent_at=1700000200.0), is_call)


def file(name: str = "plan.pdf", mime_type: str | None = "application/pdf", size: int | None = 48213) -> Attachment:
    return Attachment(AttachmentId("F000000001"), name, mime_type, size)


ASKED = message("what is a clew?", thread(TS), Address.MENTION, is_root=True)
IN_DIRECT = thread(DIRECT, DIRECT)

ROWS: list[tuple[str, str, Event | None]] = [
    ("a post that mentions the bot begins a thread", "message_with_mention", Posted(ASKED)),
    ("the mention of the same post is the same message", "app_mention", Posted(ASKED)),
    (
        "a reply without a mention is open to everybody",
        "reply_in_thread",
        Posted(message("and who gave it to him?", thread(ROOT), Address.OPEN)),
    ),
    (
        "a reply that mentions somebody else is for them",
        "reply_to_somebody",
        Posted(message("@U0BEN00000 can you look at this?", thread(ROOT), Address.OTHERS)),
    ),
    (
        "a reply also sent to the channel stays in its thread",
        "reply_also_sent_to_the_channel",
        Posted(message("and then?", thread(ROOT), Address.MENTION)),
    ),
    (
        "a private channel is a channel",
        "private_channel",
        Posted(message("what is a clew?", thread(TS, "G0SECRET00"), Address.MENTION, is_root=True)),
    ),
    (
        "the top level of a direct message is one conversation",
        "direct_message",
        Posted(message("what is a clew?", IN_DIRECT, Address.DIRECT)),
    ),
    (
        "a thread inside a direct message is its own",
        "thread_in_direct_message",
        Posted(message("and then?", thread(ROOT, DIRECT), Address.DIRECT)),
    ),
    (
        "a group direct message is like a channel",
        "group_direct_message",
        Posted(message("what is a clew?", thread(TS, "G0GROUPDM0"), Address.OPEN, is_root=True)),
    ),
    (
        "a file with words",
        "file_with_words",
        Posted(message("what does it say?", thread(TS), Address.MENTION, is_root=True, attachments=(file(),))),
    ),
    (
        "a file in the mention of the same post",
        "app_mention_with_file",
        Posted(message("what does it say?", thread(TS), Address.MENTION, is_root=True, attachments=(file(),))),
    ),
    (
        "a file without words",
        "file_without_words",
        Posted(message("", IN_DIRECT, Address.DIRECT, attachments=(file(),))),
    ),
    (
        "a voice clip is a sound, though Slack calls it a film",
        "voice_clip",
        Posted(message("", IN_DIRECT, Address.DIRECT, attachments=(file("audio_message.mp4", "audio/mp4"),))),
    ),
    (
        "a video clip is a film",
        "video_clip",
        Posted(message("", IN_DIRECT, Address.DIRECT, attachments=(file("video_message.mp4", "video/mp4"),))),
    ),
    (
        "a snippet is a text",
        "snippet",
        Posted(message("", IN_DIRECT, Address.DIRECT, attachments=(file("maze.py", "text/plain", 220),))),
    ),
    (
        "a file on somebody's drive is named",
        "file_on_a_drive",
        Posted(
            message(
                "",
                IN_DIRECT,
                Address.DIRECT,
                attachments=(file("Minutes", "application/vnd.google-apps.document", 0),),
            )
        ),
    ),
    (
        "of a file from another workspace only the id is known",
        "file_from_another_workspace",
        Posted(
            message(
                "what does it say?",
                thread(TS),
                Address.MENTION,
                is_root=True,
                attachments=(file("a file from another workspace", None, None),),
            )
        ),
    ),
    (
        "a file that is not shared with the bot is told of",
        "file_that_is_not_shared",
        Posted(
            message(
                "look",
                IN_DIRECT,
                Address.DIRECT,
                attachments=(file("a file that is not shared with me", None, None),),
            )
        ),
    ),
    (
        "a deleted file is told of",
        "deleted_file",
        Posted(message("look", IN_DIRECT, Address.DIRECT, attachments=(file("a deleted file", None, None),))),
    ),
    (
        "a canvas is an attachment of its own kind",
        "canvas",
        Posted(
            message("look", IN_DIRECT, Address.DIRECT, attachments=(file("Plan", "application/vnd.slack-docs", 48213),))
        ),
    ),
    (
        "an edit brings the whole new message",
        "edit",
        edited(message("what is a labyrinth?", thread(TS), Address.MENTION, is_root=True)),
    ),
    ("an edit that adds the forgotten mention calls the bot", "edit_that_adds_a_mention", edited(ASKED, is_call=True)),
    (
        "an edit in a direct message",
        "edit_in_direct_message",
        edited(message("what is a labyrinth?", IN_DIRECT, Address.DIRECT)),
    ),
    ("the preview of a link is no edit", "preview_of_a_link", None),
    ("the preview of a link after an edit is no second edit", "preview_after_an_edit", None),
    ("a reply changes its parent, and nobody edited it", "first_reply_changes_the_parent", None),
    ("the bot's own edit is ignored", "own_edit", None),
    ("the bot's own post is ignored", "own_post", None),
    ("another bot is ignored, though it has no subtype", "other_bot_without_subtype", None),
    ("a webhook is ignored", "bot_message", None),
    ("somebody joining is ignored", "join", None),
    ("the root of a legacy assistant's thread is ignored", "assistant_thread", None),
    ("a deleted post", "deletion", Deleted(thread(TS), MessageId(TS))),
    ("a deleted reply", "deletion_of_a_reply", Deleted(thread(ROOT), MessageId(TS))),
    ("a message deleted in a direct message", "deletion_in_direct_message", Deleted(IN_DIRECT, MessageId(TS))),
    ("a deleted answer is nothing to withdraw", "deletion_of_an_answer", None),
    ("a deleted parent with replies is deleted", "tombstone", Deleted(thread(TS), MessageId(TS))),
    (
        "somebody of another organisation, in a shared channel",
        "stranger_in_a_shared_channel",
        Posted(
            message(
                "what is a clew?",
                thread(TS),
                Address.MENTION,
                is_root=True,
                author=Person(PersonId("U0STRANGER"), "Sam Stranger", Standing.OUTSIDER),
            )
        ),
    ),
    (
        "an app installed for the whole organisation",
        "org_wide_install",
        Posted(
            message("what is a clew?", thread(TS, installation="E0CLEWORG0"), Address.MENTION, is_root=True),
        ),
    ),
    (
        "a forwarded message comes with the words about it",
        "forwarded_message",
        Posted(
            message("what does he mean?\n\nForwarded from Ben:\n> It leads out & in again", IN_DIRECT, Address.DIRECT)
        ),
    ),
    ("opening the Home tab is no message", "home_opened", None),
    ("a slash command is no message", "slash_command", None),
]


@pytest.mark.parametrize(("name", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_payload_is_read_as_what_happened(name: str, expected: Event | None) -> None:
    assert read_event(sample(name), ME) == expected


@pytest.mark.parametrize(
    ("body", "address"),
    [
        pytest.param(saying("hello"), Address.OPEN, id="naming nobody"),
        pytest.param(saying("so <@U0CLEWBOT1|clew> says"), Address.MENTION, id="naming the bot by id and name"),
        pytest.param(saying("<@U0BEN00000> ask <@U0CLEWBOT1>"), Address.MENTION, id="naming the bot and somebody"),
        pytest.param(saying("<!here> lunch"), Address.OTHERS, id="calling everybody who is here"),
        pytest.param(saying("<!subteam^S0DEVS0000|@devs> look"), Address.OTHERS, id="naming a group"),
        pytest.param(
            saying("&lt;@U0CLEWBOT1&gt; is how it is spelt"), Address.OPEN, id="quoting how a mention is spelt"
        ),
        pytest.param(saying("see <#C0GENERAL0|general>"), Address.OPEN, id="naming a channel"),
        pytest.param(
            saying("<@U0BEN00000> said so", sample_name="direct_message"),
            Address.DIRECT,
            id="naming somebody to the bot",
        ),
        pytest.param(
            saying("hello", type="app_mention"), Address.MENTION, id="mentioning it in a spelling of Slack's own"
        ),
    ],
)
def test_it_is_seen_whom_a_message_is_for(body: dict[str, Any], address: Address) -> None:
    event = read_event(body, ME)

    assert isinstance(event, Posted)
    assert event.message.address is address


@pytest.mark.parametrize(
    ("said", "read"),
    [
        pytest.param("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c", id="escapes are undone once"),
        pytest.param("<@U0CLEWBOT1>, what is this?", "what is this?", id="the name and its comma"),
        pytest.param("<@U0CLEWBOT1> :wave: hi", ":wave: hi", id="an emoji after the name"),
        pytest.param("what do you <@U0CLEWBOT1> think", "what do you think", id="the name inside a sentence"),
        pytest.param("thanks <@U0CLEWBOT1>", "thanks", id="the name at the end"),
        pytest.param("<@U0BEN00000> and <@U0EVE00000|eve>", "@U0BEN00000 and @eve", id="people"),
        pytest.param("<#C0GENERAL0|general> <#C0OTHER000>", "#general #C0OTHER000", id="channels"),
        pytest.param("<https://e.example/a?b=1&amp;c=2>", "https://e.example/a?b=1&c=2", id="a bare address"),
        pytest.param("<http://e.example|e.example>", "http://e.example", id="an address without its scheme"),
        pytest.param("<https://e.example|the docs>", "the docs (https://e.example)", id="a link with words"),
        pytest.param("<mailto:a@e.example|a@e.example>", "a@e.example", id="an e-mail address"),
        pytest.param("<!here> <!channel|@channel> <!everyone>", "@here @channel @everyone", id="everybody"),
        pytest.param("<!subteam^S1|@devs> <!subteam^S1>", "@devs @S1", id="a group"),
        pytest.param("<!date^1392734382^{date}|14 Feb 2014>", "14 Feb 2014", id="a date"),
        pytest.param("```\na  b\n  c\n```", "```\na  b\n  c\n```", id="code keeps its blanks"),
        pytest.param("a < b", "a < b", id="a sign that is no token"),
    ],
)
def test_text_is_read_as_a_person_reads_it(said: str, read: str) -> None:
    event = read_event(saying(said, type="app_mention"), ME)

    assert isinstance(event, Posted)
    assert event.message.text == read


@pytest.mark.parametrize(
    ("body", "command"),
    [
        pytest.param(saying("<@U0CLEWBOT1> reset"), Command.RESET, id="reset after the name"),
        pytest.param(saying("<@U0CLEWBOT1> Stop!"), Command.STOP, id="with a capital and an exclamation mark"),
        pytest.param(saying("<@U0CLEWBOT1>: /retry"), Command.RETRY, id="with a slash"),
        pytest.param(saying("<@U0CLEWBOT1> *HELP*"), Command.HELP, id="in bold"),
        pytest.param(saying("quiet <@U0CLEWBOT1>"), Command.QUIET, id="before the name"),
        pytest.param(saying("stop", sample_name="direct_message"), Command.STOP, id="in a direct message"),
    ],
)
def test_a_command_to_the_bot_is_none_of_its_questions(body: dict[str, Any], command: Command) -> None:
    event = read_event(body, ME)

    assert isinstance(event, Commanded)
    assert (event.command, event.message_id, event.person.id) == (command, TS, ADA)


def test_an_edit_can_turn_a_message_into_a_command() -> None:
    body = sample("edit")
    body["event"]["message"]["text"] = "<@U0CLEWBOT1> reset"

    told_at = 1700000200.0  # when it was edited
    assert read_event(body, ME) == Commanded(thread(TS), Command.RESET, MessageId(TS), Person(PersonId(ADA)), told_at)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(saying("reset"), id="said to nobody"),
        pytest.param(saying("<@U0BEN00000> stop"), id="said to somebody else"),
        pytest.param(saying("<@U0CLEWBOT1> reset the router please"), id="the beginning of a sentence"),
        pytest.param(saying("help", sample_name="file_without_words"), id="said about a file"),
    ],
)
def test_a_word_that_is_not_a_command_to_the_bot_is_a_message(body: dict[str, Any]) -> None:
    assert isinstance(read_event(body, ME), Posted)


def test_me_lines_are_somebodys_words() -> None:
    event = read_event(saying("waves", sample_name="direct_message", subtype="me_message"), ME)

    assert isinstance(event, Posted)
    assert event.message.text == "waves"


def test_a_post_of_something_without_words_is_nobodys_question() -> None:
    assert read_event(saying(""), ME) is None
    assert isinstance(read_event(saying("<@U0CLEWBOT1>"), ME), Posted)
    assert isinstance(read_event(saying("", sample_name="direct_message"), ME), Posted)


def test_a_parent_in_a_direct_message_stands_at_the_top_level_though_it_has_replies() -> None:
    event = read_event(saying("hi", sample_name="direct_message", thread_ts=TS), ME)

    assert isinstance(event, Posted)
    assert event.message.thread == IN_DIRECT


def test_a_thread_says_where_to_post() -> None:
    assert place_of(thread(ROOT)) == (GENERAL, ROOT)
    assert place_of(thread(ROOT, DIRECT)) == (DIRECT, ROOT)
    assert place_of(IN_DIRECT) == (DIRECT, None)


@pytest.mark.parametrize(
    ("more", "standing"),
    [
        pytest.param({}, None, id="nothing said"),
        pytest.param({"user_team": "T0CLEWTEAM"}, None, id="of our team"),
        pytest.param({"source_team": "T0ELSEWHER"}, Standing.OUTSIDER, id="of another team"),
        pytest.param({"user_team": "E0ELSEWHER"}, Standing.OUTSIDER, id="of another organisation"),
        pytest.param({"user_profile": {"is_ultra_restricted": True}}, Standing.GUEST, id="a guest"),
        pytest.param({"user_profile": {"is_restricted": False}}, None, id="not a guest, which does not say a member"),
    ],
)
def test_a_payload_says_of_somebody_only_what_is_sure(more: dict[str, Any], standing: Standing | None) -> None:
    event = read_event(saying("<@U0CLEWBOT1> hi", **more), ME)

    assert isinstance(event, Posted)
    assert event.message.author.standing is standing


@pytest.mark.parametrize(
    ("team", "standing"),
    [
        pytest.param("E0CLEWORG0", None, id="of the organisation"),
        pytest.param("T0SISTER00", None, id="of a workspace that may be a sister"),
        pytest.param("E0ELSEWHER", Standing.OUTSIDER, id="of another organisation"),
    ],
)
def test_in_an_organisation_a_sister_workspace_is_not_taken_for_strangers(team: str, standing: Standing | None) -> None:
    body = sample("org_wide_install")
    body["event"]["user_team"] = team

    event = read_event(body, ME)

    assert isinstance(event, Posted)
    assert event.message.author.standing is standing


def test_the_installation_is_that_of_the_authorization() -> None:
    body = sample("message_with_mention") | {"team_id": "T0ELSEWHER"}
    posted = read_event(body, ME)
    body["authorizations"] = []
    without = read_event(body, ME)

    assert isinstance(posted, Posted)
    assert isinstance(without, Posted)
    assert posted.message.thread.installation_id == "T0CLEWTEAM"
    assert without.message.thread.installation_id == "T0ELSEWHER"


def test_somebody_is_called_what_the_payload_calls_them() -> None:
    event = read_event(saying("<@U0CLEWBOT1> hi", user_profile={"display_name": "Ada L.", "real_name": "Ada"}), ME)

    assert isinstance(event, Posted)
    assert event.message.author.name == "Ada L."


def test_a_message_read_back_is_the_one_the_event_told_of() -> None:
    told = read_event(sample("message_with_mention"), ME)
    post = sample("message_with_mention")["event"]
    for only_in_events in ("channel", "event_ts", "channel_type"):
        del post[only_in_events]

    assert isinstance(told, Posted)
    assert read_post(post, GENERAL, ME) == told.message
    assert read_post(sample("own_post")["event"], GENERAL, ME) is None


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"bot_id": "B0OTHERBOT"}, id="a bot that says nothing else of itself"),
        pytest.param({"bot_profile": {"id": "B0OTHERBOT"}}, id="a bot that has a profile only"),
        pytest.param({"subtype": "bot_message"}, id="a bot's subtype"),
        pytest.param({"user": "U0CLEWBOT1"}, id="the bot itself"),
        pytest.param({"user": "USLACKBOT"}, id="Slack itself"),
        pytest.param({"user": None}, id="nobody"),
        pytest.param({"subtype": "channel_topic"}, id="a new topic"),
        pytest.param({"subtype": ["file_share"]}, id="a subtype that is none"),
        pytest.param({"ts": "now"}, id="a time that is none"),
        pytest.param({"ts": "1:1.2"}, id="a time that would break a thread's key"),
        pytest.param({"ts": 1700000123.0002}, id="a time that is a number"),
        pytest.param({"channel": "C0:1"}, id="a channel that would break a thread's key"),
        pytest.param({"channel": None}, id="no channel"),
        pytest.param({"type": "reaction_added"}, id="another event"),
    ],
)
def test_what_no_person_said_is_nothing(more: dict[str, Any]) -> None:
    assert read_event(saying("<@U0CLEWBOT1> hello", **more), ME) is None


# --- anything at all --------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def bent(draw: st.DrawFn) -> Any:
    """A payload with one or two of its values, anywhere, replaced by something else."""
    body: Any = sample(draw(st.sampled_from(PAYLOADS)))
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


@given(st.one_of(JSON, bent()))
def test_no_payload_whatever_raises(body: Any) -> None:
    event = read_event(body, ME)

    if isinstance(event, Posted | Edited):
        assert Thread.from_key(event.message.thread.key) == event.message.thread
        (event.message.text or "").encode()
    assert isinstance(event, Posted | Edited | Deleted | Commanded | None)


@given(JSON.filter(lambda body: not isinstance(body, Mapping)))
def test_what_is_no_payload_is_nothing(body: Any) -> None:
    assert read_event(body, ME) is None
    assert read_post(body, GENERAL, ME) is None
