"""What people are told of their threads and of what they used."""

import asyncio
import html
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from bot.answers import Created, Recalled, TextPiece
from bot.asides import Asides
from bot.commands import TELLING, Command, command_of, read_command
from bot.errands import Errands
from bot.errors import InteractionLost, KeyRejected, ModelUnavailable
from bot.insight import Insight, plain_history, plain_usage, since
from bot.messages import InteractionId, MessageId, Person, PersonId, Platform, Thread, TurnState, Usage
from bot.policy import Policy
from bot.ports import Booked, Spent
from bot.reports import BEGUN
from bot.retrieval import AT_ONCE, MOST_TURNS, Held, Recollection, beginning, recollect
from tests.support.core import core
from tests.support.scripted import NEVER, TEST, answer, thread_named

NOW = 1_795_000_000.0  # 2026-11-18 11:06:40 UTC
ADA = Person(PersonId("ada"))
USAGE = Usage(input_tokens=1200, output_tokens=40, thought_tokens=16, cached_tokens=1000, total_tokens=1256)


class Books:
    """Books with what a test writes into them."""

    def __init__(self, *turns: Booked, spent: Sequence[Spent] = ()) -> None:
        self.turns, self.all_spent = turns, spent
        self.asked_for: tuple[float, Platform | None, PersonId | None] | None = None

    async def booked(self, thread: Thread, *, most: int) -> tuple[Sequence[Booked], int]:
        return self.turns[:most], len(self.turns)

    async def spent(
        self, *, since: float, platform: Platform | None = None, person: PersonId | None = None
    ) -> Sequence[Spent]:
        self.asked_for = since, platform, person
        return self.all_spent


class Archive:
    """Interactions by id: what is found, or why it is not."""

    def __init__(self, **found: Recalled | Exception) -> None:
        self.found = found
        self.most_at_once = self._now = 0

    async def recall(self, interaction: InteractionId) -> Recalled:
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        await asyncio.sleep(0)
        self._now -= 1
        found = self.found.get(interaction, InteractionLost(interaction))
        if isinstance(found, Exception):
            raise found
        return found


def turn(
    interaction: str | None = "i1", state: TurnState = TurnState.ANSWERED, *, model: str | None = "lite"
) -> Booked:
    is_answered = state is TurnState.ANSWERED
    return Booked(
        state,
        NOW,
        None if interaction is None else InteractionId(interaction),
        model if is_answered else None,
        USAGE if is_answered else None,
    )


def recalled(
    *asked: str, answer: str = "A ball of thread.", status: str = "completed", model: str | None = "lite"
) -> Recalled:
    return Recalled(InteractionId("i1"), status, model, asked, answer, USAGE)


def insight(
    books: Books, archive: Archive | None = None, *, policy: Policy | None = None, offline: bool = False
) -> Insight:
    return Insight(
        store=books, keeper=archive or Archive(), policy=policy or Policy(), is_offline=offline, now=lambda: NOW
    )


def plain(words: str) -> str:
    """As people read it: without the escapes of Markdown."""
    return html.unescape(words.replace("\\", ""))


# --- history ----------------------------------------------------------------------------------


async def test_a_turn_is_told_with_when_it_was_which_model_what_it_took_and_how_it_began() -> None:
    words = await insight(Books(turn()), Archive(i1=recalled("What is a clew?"))).history(thread_named())

    assert "1 turn in this thread as Gemini holds them" in words
    assert plain(words).split("\n\n")[1] == (
        "**1** · 2026-11-18 11:06 · answered · lite · 1,200 tokens in (1,000 of them cached), 56 out\n"
        "Asked: What is a clew?\n"
        "Answered: A ball of thread."
    )


@pytest.mark.parametrize(
    ("booked", "found", "words"),
    [
        pytest.param(turn(), InteractionLost("404"), "Gemini does not know it any more", id="expired or deleted"),
        pytest.param(turn(), ModelUnavailable("503"), "Gemini cannot be asked just now", id="away"),
        pytest.param(turn(), KeyRejected("401"), "Gemini refuses the API key: tell the operator", id="the wrong key"),
        pytest.param(turn(None, TurnState.FAILED), None, "failed · nothing of it is at Gemini", id="never created"),
        pytest.param(turn(None, TurnState.QUEUED), None, "queued · nothing of it is at Gemini", id="waiting"),
        pytest.param(
            turn("i1", TurnState.STOPPED), recalled("Go on"), "stopped · lite · 1,200 tokens in", id="stopped, and kept"
        ),
        pytest.param(turn(), recalled("Hm", status="incomplete"), "incomplete at Gemini", id="cut short"),
    ],
)
async def test_what_became_of_a_turn_is_said(booked: Booked, found: Recalled | Exception | None, words: str) -> None:
    archive = Archive() if found is None else Archive(i1=found)

    assert words in plain(await insight(Books(booked), archive).history(thread_named()))


async def test_in_a_private_thread_nothing_has_expired_because_nothing_was_kept() -> None:
    words = await insight(Books(turn()), policy=Policy(private=True)).history(thread_named())

    assert "not kept at Gemini" in words
    assert "does not know" not in words


async def test_the_newest_turns_are_told_and_a_few_looked_up_at_a_time() -> None:
    archive = Archive(**{f"i{number}": recalled(f"question {number}") for number in range(30)})
    books = Books(*(turn(f"i{number}") for number in reversed(range(30))))
    words = plain(await insight(books, archive).history(thread_named()))

    assert words.index("question 29") < words.index("question 28")
    assert "**30** ·" in words
    assert "question 10" in words
    assert "question 9\n" not in words
    assert f"Only the newest {MOST_TURNS} are shown" in words
    assert 1 < archive.most_at_once <= 4


async def test_many_who_ask_at_once_are_looked_up_for_no_faster_than_one() -> None:
    archive = Archive(**{f"i{number}": recalled("?") for number in range(8)})
    telling = insight(Books(*(turn(f"i{number}") for number in range(8))), archive)
    told = await asyncio.gather(*(telling.history(thread_named()) for _ in range(5)))

    assert all("8 turns" in words for words in told)
    assert archive.most_at_once <= AT_ONCE


async def test_a_thread_in_which_nothing_was_asked_says_so() -> None:
    assert "Nothing was asked" in await insight(Books()).history(thread_named())


async def test_what_was_said_is_shown_as_it_was_and_is_no_markdown() -> None:
    found = recalled("[x](https://evil.example) <@U1> `code`", answer="# Big\n\n- @everyone **now**")
    words = await insight(Books(turn()), Archive(i1=found)).history(thread_named())

    assert r"Asked: &#91;x&#93;&#40;https\:\/\/evil\.example&#41; \<\@U1\> \`code\`" in words
    assert r"Answered: \# Big \- \@everyone \*\*now\*\*" in words


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\n\n two\tthree ", "one two three"),
        ("x" * 100, "x" * 100),
        ("y" * 101, "y" * 99 + "…"),
        ("a\x1b[31mred\x1b[0m\u202eb\0c", "a [31mred [0m b c"),
        ("half \ud83d a letter", "half a letter"),
        ("", ""),
    ],
)
def test_a_beginning_is_one_line_of_what_can_be_seen(text: str, shown: str) -> None:
    assert beginning(text) == shown


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(("What was said in this thread before, oldest first. The new message comes after it.",
                      "[Ada]\nlong ago", "[you]\nan answer", "[Ada] and now?"), id="told again"),
        pytest.param(("Said in this thread since your last answer: to others, or to you when you were stopped or could "
                      "not answer.\n\n[Ben]\nhm", "[Ada] and now?"), id="overheard"),
    ],
)  # fmt: skip
async def test_what_was_told_of_the_past_is_not_taken_for_the_question(asked: tuple[str, ...]) -> None:
    archive, room = Archive(i1=recalled(*asked)), asyncio.Semaphore(1)
    (one,), _ = await recollect(thread_named(), store=Books(turn()), keeper=archive, room=room)

    assert one.question == "[Ada] and now?"


def test_the_terminal_shows_the_same_with_the_ids() -> None:
    found = Recollection(1, turn(), Held.YES, recalled("What is a clew?"))
    lost = Recollection(2, turn("i2"), Held.LOST)

    assert list(plain_history(thread_named(), [lost, found], 2, is_private=False)) == [
        "test:installation:channel:t1: 2 turns since it began or was last reset, the newest first, times in UTC",
        "",
        "2. 2026-11-18 11:06 · answered · lite · 1,200 tokens in (1,000 of them cached), 56 out"
        " · Gemini does not know it any more",
        "   i2",
        "",
        "1. 2026-11-18 11:06 · answered · lite · 1,200 tokens in (1,000 of them cached), 56 out",
        "   i1",
        "   Asked: What is a clew?",
        "   Answered: A ball of thread.",
    ]


def test_nothing_that_is_shown_orders_the_terminal_about() -> None:
    evil = "a\x1b[2J\rb\x9b31m\u202e"
    found = Recollection(1, turn(evil, model=evil), Held.YES, recalled(evil, answer=evil, status=evil, model=evil))
    spent = [Spent(TODAY, "slack:ada", evil, 1, USAGE)]

    shown = [*plain_history(thread_named(), [found], 1, is_private=False), *plain_usage(spent, days=1, is_free=False)]

    assert len([line for line in shown if "[2J" in line]) == 6
    assert all(line.isprintable() for line in shown)


# --- usage ------------------------------------------------------------------------------------

TODAY, EARLIER = date(2026, 11, 18), date(2026, 11, 2)
MILLION = Usage(input_tokens=1_000_000, output_tokens=1_000_000, total_tokens=2_000_000)
SPENT = (
    Spent(TODAY, "slack:ada", "gemini-4-hydrogen", 3, MILLION),
    Spent(EARLIER, "slack:ada", "gemini-4-hydrogen", 2, MILLION),
    Spent(EARLIER, "slack:ben", "unobtainium", 4, USAGE),
)


async def test_somebody_is_told_what_they_used_today_and_lately_and_what_that_costs() -> None:
    books = Books(spent=SPENT)
    words = await insight(books).usage(Platform("slack"), ADA)

    assert books.asked_for == (since(NOW, 30), "slack", "ada")
    assert words.split("\n\n")[:3] == [
        "**Today** (UTC): 3 answers, 1,000,000 tokens in, 1,000,000 out, about $9.00.",
        "**In the last 30 days**: 9 answers, 2,001,200 tokens in (1,000 of them cached), 2,000,056 out, about $18.00 "
        "and what has no price. By model:",
        "- `gemini-4-hydrogen`: 5 answers, 2,000,000 tokens in, 2,000,000 out, about $18.00\n"
        "- `unobtainium`: 4 answers, 1,200 tokens in (1,000 of them cached), 56 out, no price known",
    ]
    assert "Google's list of 2026-11-22" in words


async def test_searches_are_counted_beside_the_tokens_and_paid_for() -> None:
    spent = (Spent(TODAY, "slack:ada", "gemini-4-hydrogen", 1, replace(MILLION, searches=1000)),)
    words = await insight(Books(spent=spent)).usage(Platform("slack"), ADA)

    assert "1,000,000 out, 1,000 searches, about $23.00" in words
    assert [line.split()[-2:] for line in plain_usage(spent, days=1, is_free=False)][1] == ["1,000", "23.00"]


async def test_the_offline_model_costs_nothing_and_says_so() -> None:
    words = await insight(Books(spent=SPENT), offline=True).usage(Platform("slack"), ADA)

    assert "costs nothing" in words
    assert "$" not in words


async def test_who_used_nothing_is_told_so() -> None:
    assert "nothing of yours" in await insight(Books()).usage(Platform("slack"), ADA)


def test_today_is_the_last_of_the_days() -> None:
    assert since(NOW, 1) == NOW // 86_400 * 86_400
    assert since(NOW, 30) == since(NOW, 1) - 29 * 86_400


def test_the_operator_sees_days_models_people_and_the_sum() -> None:
    shown = list(plain_usage(SPENT, days=30, is_free=False))

    assert [line.split() for line in shown[1:4]] == [
        ["2026-11-18", "gemini-4-hydrogen", "3", "1,000,000", "0", "1,000,000", "0", "0", "0", "9.00"],
        ["2026-11-02", "gemini-4-hydrogen", "2", "1,000,000", "0", "1,000,000", "0", "0", "0", "9.00"],
        ["2026-11-02", "unobtainium", "4", "1,200", "1,000", "40", "16", "0", "0", "?"],
    ]
    assert [line.split()[:2] for line in shown[6:8]] == [["slack:ada", "5"], ["slack:ben", "4"]]
    assert shown[9].split() == ["in", "all", "9", "2,001,200", "1,000", "2,000,040", "16", "0", "0", "18.00"]
    assert "No price is known of unobtainium" in shown[-1]
    assert len({len(line) for line in shown[:4]}) == 1


def test_the_operator_of_an_offline_bot_sees_that_it_costs_nothing() -> None:
    shown = list(plain_usage(SPENT, days=30, is_free=True))

    assert shown[-1] == "The built-in offline model costs nothing."
    assert all(line.split()[-1] == "0" for line in shown[1:4])
    assert "Nothing was answered in the last 1 day." in list(plain_usage((), days=1, is_free=True))


# --- the commands -----------------------------------------------------------------------------


@pytest.mark.parametrize("command", [Command.FORGET, Command.PRIVACY, Command.HISTORY, Command.USAGE])
def test_the_commands_are_read_on_the_page_and_after_a_mention(command: Command) -> None:
    assert read_command(f"/{command}") is command
    assert command_of(f"{command.capitalize()}!") is command


async def test_history_shows_what_was_asked_in_this_thread_since_its_reset_and_in_no_other() -> None:
    async with core() as clew:
        await clew.says("before the reset")
        await clew.ended(1)
        await clew.tells(Command.RESET)
        await clew.says("since then")
        await clew.says("elsewhere", thread="t2")
        await clew.ended(1)
        await clew.ended(1, thread="t2")
        words = await clew.tells(Command.HISTORY)

    assert "since then" in words
    assert "answer" in words
    assert "before the reset" not in words
    assert "elsewhere" not in words


async def test_history_of_a_running_answer_shows_what_there_is() -> None:
    async with core() as clew:
        clew.model.will(Created(InteractionId("i1")), TextPiece("as far as this"), NEVER)
        await clew.says("tell me everything")
        await clew.model.heard(1)
        words = await clew.tells(Command.HISTORY)
        await clew.tells(Command.STOP)

    assert "running" in words


async def test_usage_counts_what_is_answered() -> None:
    async with core() as clew:
        clew.model.will(*answer("i1", "one"))
        await clew.says("hello")
        await clew.ended(1)
        words = await clew.tells(Command.USAGE)

    assert "1 answer, 3 tokens in, 5 out" in words


async def test_forget_begins_and_somebody_who_is_refused_is_told_nothing() -> None:
    async with core(policy=Policy()) as clew:
        assert await clew.tells(Command.FORGET) == BEGUN
    async with core(policy=replace(Policy(), people=replace(Policy().people, blocked=frozenset({"ada"})))) as clew:
        for command in (*TELLING, Command.FORGET):
            words = await clew.commands.run(command, thread_named(), MessageId(command), person=ADA)
            assert "not" in words
            assert "Gemini" not in words


# --- told to one person alone -----------------------------------------------------------------


class Told:
    """What knows everything, and notes what was promised and kept."""

    def __init__(self, words: str | Exception) -> None:
        self.words, self.promised, self.was_kept = words, list[MessageId](), asyncio.Event()

    async def run(
        self, command: Command, thread: Thread, by: MessageId, *, person: Person | None = None, mark: str = "/"
    ) -> str:
        if isinstance(self.words, Exception):
            raise self.words
        return self.words

    async def promise(self, thread: Thread, by: MessageId) -> bool:
        self.promised.append(by)
        return self.promised.count(by) == 1

    async def kept(self, thread: Thread, by: MessageId) -> None:
        self.was_kept.set()


async def asided(told: Told, *, hears: bool = True, alone: bool = True) -> tuple[list[str], list[str]]:
    """What was whispered, and what was said in the thread."""
    whispered, said = list[str](), list[str]()

    async def whisper(thread: Thread, person: Person, words: str) -> bool:
        if hears:
            whispered.append(words)
        return hears

    async with Errands(grace=30) as errands:
        asides = Asides(errands, told, confirm=lambda thread, by, words: said.append(words), whisper=whisper)
        for _ in range(2):  # an event may come twice
            await asides.take(Command.HISTORY, thread_named(), MessageId("m1"), ADA, alone=alone)
    return whispered, said


async def test_what_somebody_asked_to_know_is_whispered_once_and_noted() -> None:
    told = Told("your secret")

    assert await asided(told) == (["your secret"], [])
    assert told.was_kept.is_set()


async def test_where_nobody_else_is_it_is_said_in_the_thread() -> None:
    assert await asided(Told("your secret"), alone=False) == ([], ["your secret"])


async def test_what_cannot_be_whispered_is_not_shown_to_all() -> None:
    whispered, (said,) = await asided(Told("your secret"), hears=False)

    assert whispered == []
    assert "secret" not in said
    assert "ask for it again" in said


async def test_a_failure_nobody_foresaw_is_a_sentence() -> None:
    (words,), said = await asided(Told(ValueError("nobody foresaw this")))

    assert "could not find that out" in words
    assert said == []


async def test_what_was_promised_and_never_told_is_said_to_be_missing_and_nothing_of_it_is_kept() -> None:
    async with core() as clew:
        await clew.says("a question of Ada's")
        await clew.ended(1)
        assert await clew.commands.promise(thread_named(), MessageId("asked"))
        assert not await clew.commands.promise(thread_named(), MessageId("asked"))
        (unsaid,) = await clew.store.unconfirmed(TEST)
        await clew.commands.kept(thread_named(), MessageId("asked"))

        assert await clew.store.unconfirmed(TEST) == []
    assert "ask for it again" in unsaid.words
    assert "question" not in unsaid.words
