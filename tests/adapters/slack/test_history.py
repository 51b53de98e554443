"""A thread's past, as conversations.replies and conversations.history tell it."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from adapters.slack.blocks_text import text_of
from adapters.slack.history import history, read, shown_text
from adapters.slack.pages import order
from bot.errors import MessageGone, PlatformAway, ThreadClosed
from bot.messages import Message, MessageId, Person, PersonId, Said, Thread
from tests.adapters.slack.desk import Desk, desk
from tests.adapters.slack.samples import ME
from tests.support.slack import Clock, DropBefore, Hang, Limits, TooMany, Variants, escaped, slack_server

LAST = MessageId("9999999999.000000")


async def past(
    at: Desk,
    thread: Thread,
    *,
    before: str = LAST,
    since: float | None = None,
    most: int = 100,
    most_characters: int = 10_000,
    answers: Sequence[str] = (),
) -> list[Said]:
    return await history(
        at.calls,
        at.people,
        at.me,
        thread,
        before=MessageId(before),
        since=since,
        most=most,
        most_characters=most_characters,
        answers=[MessageId(answer) for answer in answers],
    )


async def answers(at: Desk, channel: str, text: str, *, thread_ts: str | None = None, **payload: object) -> str:
    """The bot says something, with what its messages carry."""
    metadata = {"event_type": "clew_answer", "event_payload": payload or {"turn": "t1", "part": 0}}
    told = await at.calls.call(
        "chat.postMessage", safe=False, channel=channel, thread_ts=thread_ts, markdown_text=text, metadata=metadata
    )
    return str(told["ts"])


def spoken(said: Sequence[Said]) -> list[tuple[str | None, str]]:
    """Who said what; None is the bot."""
    return [(one.author.name if one.author else None, one.text) for one in said]


def message(thread: Thread, ts: str) -> Message:
    return Message(thread, MessageId(ts), Person(PersonId("U0ADA00000")), None, float(ts))


# --- a thread -----------------------------------------------------------------------------------


async def test_a_thread_is_told_from_its_first_message_with_who_said_what() -> None:
    async with slack_server() as slack, desk(slack) as at:
        root = await slack.says("ada", "Which one?")
        general = slack.channel("general")
        await answers(at, general, "**This** one.", thread_ts=root)
        await slack.says("ben", "Really?", thread_ts=root, mention=False)
        last = await slack.says("ada", "Why?", thread_ts=root)

        said = await past(at, at.thread(ts=root), before=last)

        assert spoken(said) == [("ada", "Which one?"), (None, "**This** one."), ("ben", "Really?")]
        assert [one.message_id for one in said] == [shown.ts for shown in slack.transcript(thread_ts=root)][:3]


async def test_only_the_newest_of_a_long_thread_is_told() -> None:
    async with slack_server() as slack, desk(slack) as at:
        root = await slack.says("ada", "0")
        for number in range(1, 1300):
            await slack.says("ada", str(number), thread_ts=root, mention=False)

        said = await past(at, at.thread(ts=root), most=30)

        assert [one.text for one in said] == [str(number) for number in range(1270, 1300)]
        assert len(slack.calls_of("conversations.replies")) == 2  # page by page


async def test_what_is_too_long_to_be_told_leaves_out_the_oldest() -> None:
    async with slack_server() as slack, desk(slack) as at:
        root = await slack.says("ada", "a" * 50)
        for letter in "bcd":
            await slack.says("ada", letter * 50, thread_ts=root, mention=False)

        assert [one.text[0] for one in await past(at, at.thread(ts=root), most_characters=120)] == ["c", "d"]
        assert [one.text[0] for one in await past(at, at.thread(ts=root), most_characters=10)] == ["d"]


async def test_what_was_said_before_a_reset_is_not_told_again() -> None:
    async with slack_server(clock=Clock(start=1_700_000_000)) as slack, desk(slack) as at:
        root = await slack.says("ada", "old")
        slack.clock.advance(60)
        since = slack.clock.now()
        await slack.says("ada", "new", thread_ts=root)

        said = await past(at, at.thread(ts=root), since=since)

        assert [one.text for one in said] == ["new"]  # though Slack tells the parent with every page


async def test_an_answer_that_came_after_the_next_question_is_told() -> None:
    async with slack_server() as slack, desk(slack) as at:
        general = slack.channel("general")
        root = await slack.says("ada", "First?")
        second = await slack.says("ada", "Second?", thread_ts=root)
        third = await slack.says("ada", "Third?", thread_ts=root)
        first_answer = await answers(at, general, "To the first.", thread_ts=root)
        await answers(at, general, "To the second, so far", thread_ts=root, turn="t2", part=0)

        said = await past(at, at.thread(ts=root), before=second, answers=[first_answer])

        assert spoken(said) == [("ada", "First?"), (None, "To the first.")]
        assert third not in [one.message_id for one in said]


async def test_a_question_that_waited_during_a_reset_and_was_answered_is_told() -> None:
    async with slack_server() as slack, desk(slack) as at:
        root = await slack.says("ada", "Forgotten?")
        waited = await slack.says("ada", "Waited?", thread_ts=root)
        since = float(waited) + 0.00002
        slack.clock.advance(60)
        answered = await answers(at, slack.channel("general"), "To what waited.", thread_ts=root)

        said = await past(at, at.thread(ts=root), since=since, answers=[waited, answered])

        assert spoken(said) == [("ada", "Waited?"), (None, "To what waited.")]


async def test_confirmations_and_what_slack_says_itself_are_left_out() -> None:
    async with slack_server() as slack, desk(slack) as at:
        dm = slack.direct("ada")
        await slack.says("ada", "hello", channel=dm)
        await answers(at, dm, "This thread starts afresh.", command="1.2")
        await slack.says("ada", "has joined", channel=dm, subtype="channel_join")
        gone = await slack.says("ada", "gone", channel=dm)
        await slack.says("ada", "beside", channel=dm, thread_ts=gone)
        await slack.deletes(gone, channel=dm)  # a tombstone is left
        await slack.says("ada", "there?", channel=dm)

        assert [one.text for one in await past(at, at.thread(dm))] == ["hello", "there?"]


async def test_other_bots_speak_under_their_names() -> None:
    async with slack_server() as slack, desk(slack) as at:
        root = await slack.says("ada", "Who broke it?")
        await slack.says("deploys", "Build 7 &lt;failed&gt;", thread_ts=root, kind="bot", mention=False)

        said = await past(at, at.thread(ts=root))

        assert spoken(said)[1] == ("other", "Build 7 <failed>")
        assert said[1].author == Person(PersonId("B0DEPLOYS0"), "other")


async def test_people_who_are_mentioned_are_named() -> None:
    async with slack_server() as slack, desk(slack) as at:
        ben = slack.person("ben")
        root = await slack.says("ada", f"Ask <@{ben}> &amp; me about <https://example.org|this>")

        (said,) = await past(at, at.thread(ts=root))

        assert said.text == "Ask @ben & me about this (https://example.org)"


async def test_an_unknown_name_does_not_delay_the_past() -> None:
    async with slack_server() as slack, desk(slack) as at:
        slack.faults.arm("users.info", Hang(), times=None)
        root = await slack.says("ada", f"Ask <@{slack.person('ben')}>")

        async with asyncio.timeout(40):
            said = await past(at, at.thread(ts=root))

        assert spoken(said) == [("U0ADA00000", "Ask @U0BEN00000")]


async def test_files_are_told_whoever_sent_them() -> None:
    async with slack_server() as slack, desk(slack) as at:
        root = await slack.says("ada", files=[slack.uploads("a.txt", b"text")])
        bot_file = slack.uploads("log.txt", b"log")
        await slack.says("deploys", "", thread_ts=root, kind="bot", mention=False, files=[bot_file])

        said = await past(at, at.thread(ts=root))

        assert [[file.name for file in one.attachments] for one in said] == [["a.txt"], ["log.txt"]]
        assert said[1].attachments[0].id == bot_file.id


async def test_an_answer_is_told_whether_slack_gives_its_text_or_only_blocks() -> None:
    async with slack_server(variants=Variants(keeps_text_of_markdown=False)) as slack, desk(slack) as at:
        root = await slack.says("ada", "How?")
        await answers(at, slack.channel("general"), "Use `List<String>` & be *glad*.", thread_ts=root)

        assert spoken(await past(at, at.thread(ts=root)))[1] == (None, "Use `List<String>` & be *glad*.")


async def test_nothing_was_said_in_a_thread_that_is_gone() -> None:
    async with slack_server() as slack, desk(slack) as at:
        root = await slack.says("ada", "hello")
        await slack.deletes(root)

        assert await past(at, at.thread(ts=root)) == []


# --- direct messages ----------------------------------------------------------------------------


async def test_the_top_level_of_a_direct_message_is_one_conversation() -> None:
    async with slack_server() as slack, desk(slack) as at:
        dm = slack.direct("ada")
        for number in range(450):
            await slack.says("ada", str(number), channel=dm)
        beside = await slack.says("ada", "beside", channel=dm, thread_ts=slack.transcript(dm)[0].ts, broadcast=True)
        last = await slack.says("ada", "and now?", channel=dm)

        said = await past(at, at.thread(dm), before=last, most=230)

        assert [one.text for one in said] == [str(number) for number in range(220, 450)]
        assert beside not in [one.message_id for one in said]
        assert len(slack.calls_of("conversations.history")) == 2


async def test_a_thread_inside_a_direct_message_is_its_own() -> None:
    async with slack_server() as slack, desk(slack) as at:
        dm = slack.direct("ada")
        root = await slack.says("ada", "above", channel=dm)
        await slack.says("ada", "elsewhere", channel=dm)
        await slack.says("ada", "inside", channel=dm, thread_ts=root)

        assert [one.text for one in await past(at, at.thread(dm, root))] == ["above", "inside"]


# --- when Slack does not answer at once -----------------------------------------------------------


async def test_reading_goes_on_after_a_rate_limit_and_a_lost_connection() -> None:
    async with slack_server(clock=Clock(speed=100)) as slack, desk(slack) as at:
        root = await slack.says("ada", "hello")
        slack.faults.arm("conversations.replies", TooMany(3))
        slack.faults.arm("conversations.replies", DropBefore(), skip=1)

        assert spoken(await past(at, at.thread(ts=root))) == [("ada", "hello")]


async def test_a_past_that_cannot_be_had_is_not_an_empty_one() -> None:
    async with slack_server(clock=Clock(speed=500)) as slack, desk(slack) as at:
        root = await slack.says("ada", "hello")
        slack.faults.arm("conversations.replies", DropBefore(), times=None)
        with pytest.raises(PlatformAway):
            await past(at, at.thread(ts=root))

        slack.faults.disarm()
        await slack.leaves(slack.bot_user_id)
        with pytest.raises(ThreadClosed):
            await past(at, at.thread(ts=root))


async def test_many_threads_are_read_within_slacks_limits() -> None:
    async with slack_server(clock=Clock(speed=200), limits=Limits()) as slack, desk(slack) as at:
        roots = [await slack.says("ada", f"thread {number}") for number in range(60)]

        found = await asyncio.gather(
            *(history(at.calls, at.people, at.me, at.thread(ts=root), before=LAST, since=None) for root in roots[:50])
        )

        assert [said[0].text for said in found] == [f"thread {number}" for number in range(50)]
        assert {call.outcome for call in slack.calls_of("conversations.replies")} == {"ok"}


# --- one message ----------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["a post", "a reply", "a direct message", "in a thread of direct messages"])
async def test_a_message_is_read_again_as_it_is_now(where: str) -> None:
    async with slack_server() as slack, desk(slack) as at:
        channel = slack.direct("ada") if "direct" in where else slack.channel("general")
        root = await slack.says("ada", "root", channel=channel)
        file = slack.uploads("a.txt", b"text")
        if where in {"a post", "a direct message"}:
            ts = await slack.says("ada", "one", channel=channel, files=[file])
            thread = at.thread(channel, ts if where == "a post" else None)
        else:
            await slack.says("ada", "before", channel=channel, thread_ts=root)
            ts = await slack.says("ada", "one", channel=channel, thread_ts=root, files=[file])
            await slack.says("ada", "after", channel=channel, thread_ts=root)
            thread = at.thread(channel, root)
        await slack.edits(ts, f"<@{slack.bot_user_id}> two &amp; three", channel=channel)

        found = await read(at.calls, at.people, at.me, message(thread, ts))

        assert found.text == "two & three"
        assert [attachment.id for attachment in found.attachments] == [file.id]
        assert (found.id, found.thread) == (ts, thread)


@pytest.mark.parametrize("where", ["a post", "a post with replies", "a reply", "a direct message"])
async def test_a_message_that_was_deleted_is_gone(where: str) -> None:
    async with slack_server() as slack, desk(slack) as at:
        channel = slack.direct("ada") if where == "a direct message" else slack.channel("general")
        root = await slack.says("ada", "root", channel=channel)
        ts, thread = root, at.thread(channel, root if where != "a direct message" else None)
        if where == "a post with replies":
            await slack.says("ben", "reply", channel=channel, thread_ts=root)
        if where == "a reply":
            ts = await slack.says("ada", "reply", channel=channel, thread_ts=root)
        await slack.deletes(ts, channel=channel)

        with pytest.raises(MessageGone):
            await read(at.calls, at.people, at.me, message(thread, ts))


async def test_a_message_that_cannot_be_read_is_not_taken_for_gone() -> None:
    async with slack_server(clock=Clock(speed=500)) as slack, desk(slack) as at:
        root = await slack.says("ada", "hello")
        slack.faults.arm("conversations.replies", DropBefore(), times=None)

        with pytest.raises(PlatformAway):
            await read(at.calls, at.people, at.me, message(at.thread(ts=root), root))


# --- texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("post", "text"),
    [
        pytest.param({"text": "See <https://a.b|here> &lt;T&gt;"}, "See here (https://a.b) <T>", id="escaped"),
        pytest.param({"text": "`Map<K, V>` <b>"}, "`Map<K, V>` <b>", id="code in angle brackets"),
        pytest.param(
            {"text": "Short", "blocks": [{"type": "markdown", "text": "# Long and whole"}]},
            "# Long and whole",
            id="blocks that hold more than the short form",
        ),
        pytest.param(
            {"text": "Words", "blocks": [{"type": "actions", "elements": [{"text": {"text": "Retry, Reset"}}]}]},
            "Words",
            id="buttons are no words",
        ),
        pytest.param({"text": None, "blocks": "nonsense"}, "", id="nonsense"),
    ],
)
def test_our_own_posts_are_read_as_people_see_them(post: dict[str, object], text: str) -> None:
    assert shown_text(post, ME) == text


def test_rich_text_is_read_in_words() -> None:
    words = {"type": "text", "text": "See "}
    link = {"type": "link", "url": "https://a.b", "text": "here"}
    items = [{"type": "rich_text_section", "elements": [{"type": "text", "text": item}]} for item in ("one", "two")]
    elements = [
        {"type": "rich_text_section", "elements": [words, link, {"type": "emoji", "name": "wave"}]},
        {"type": "rich_text_list", "elements": items},
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "x = 1"}]},
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "so\nthey said"}]},
    ]
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "b"}]]}

    shown = text_of([{"type": "rich_text", "elements": elements}, table])

    assert shown == ("See <https://a.b|here>:wave:\n- one\n- two\n```\nx = 1\n```\n> so\n> they said\n\na | b")


def test_rich_text_without_an_end_is_cut_off() -> None:
    inner: dict[str, object] = {"type": "text", "text": "deep"}
    for _ in range(50):
        inner = {"type": "rich_text_section", "elements": [inner]}

    assert json.dumps(text_of([{"type": "rich_text", "elements": [inner]}])) == '""'


def test_messages_are_ordered_by_their_digits() -> None:
    assert order("1700000000.000100") < order("1700000000.000101") < order("1700000001.000000")
    assert order("999999999.900000") < order("1000000000.000000")


def test_what_was_typed_comes_back_as_it_was_typed() -> None:
    assert shown_text({"text": escaped("a < b && c > d <https://x.y>")}, ME) == "a < b && c > d <https://x.y>"
