"""What every store owes a platform that keeps its threads here and nowhere else."""

import pytest

from bot.messages import Attachment, AttachmentId, MessageId, Platform, Refusal, Thread
from bot.ports import Store, ThreadSummary
from tests.storage.stores import NOON, PAGE, SLACK, Place, ask, message, taken

WEB = Platform("web")
SECOND_PAGE = Thread(WEB, "page", "page", "b2")
LOOKALIKE = Thread(Platform("webhook"), "page", "page", "c3")


async def titles(store: Store) -> list[str]:
    return [summary.title for summary in await store.threads(WEB)]


async def test_threads_are_listed_the_latest_first_and_only_the_platforms_own(store: Store, place: Place) -> None:
    for thread in (PAGE, SECOND_PAGE, SLACK, LOOKALIKE):
        await ask(store, "m1", thread=thread)
        place.clock.tick()
    turn = await taken(store, PAGE)
    await store.stopped(turn)

    assert await store.threads(WEB) == [
        ThreadSummary(PAGE, "text of m1", NOON + 4, is_open=False),
        ThreadSummary(SECOND_PAGE, "text of m1", NOON + 1, is_open=True),
    ]


async def test_a_thread_is_open_while_a_turn_waits_or_is_answered(store: Store) -> None:
    async def is_open() -> bool:
        (summary,) = await store.threads(WEB)
        return summary.is_open

    await ask(store, "m1", thread=PAGE)
    assert await is_open()
    turn = await taken(store, PAGE)
    await ask(store, "m2", thread=PAGE)
    assert await is_open()
    await store.stopped(turn)
    assert await is_open()
    await store.failed(await taken(store, PAGE), notice="Sorry.", tell=True)
    assert not await is_open()


async def test_a_thread_in_which_only_commands_were_given_is_not_listed(store: Store) -> None:
    await store.reset(PAGE, MessageId("c1"))

    assert await store.threads(WEB) == []


@pytest.mark.parametrize(
    ("text", "title"),
    [
        pytest.param("What is a clew?", "What is a clew?", id="a short question stands as it is"),
        pytest.param("  one\n\n two\tthree ", "one two three", id="lines become one"),
        pytest.param("x" * 80, "x" * 80, id="eighty characters fit"),
        pytest.param("y" * 81, "y" * 79 + "…", id="more are cut"),
        pytest.param("  \n", "plan.pdf", id="a file without a word lends its name"),
    ],
)
async def test_a_thread_is_named_by_its_first_questions_beginning(store: Store, text: str, title: str) -> None:
    plan = Attachment(AttachmentId("F1"), "plan.pdf")
    await store.add(message("m1", text, thread=PAGE, attachments=(plan,)))
    await ask(store, "m2", thread=PAGE)

    assert await titles(store) == [title]


async def test_a_reset_takes_the_name_and_the_next_question_gives_a_new_one(store: Store) -> None:
    await ask(store, "m1", thread=PAGE)
    await store.stopped(await taken(store, PAGE))

    await store.reset(PAGE, MessageId("c1"))
    assert await titles(store) == [""]

    await ask(store, "m2", thread=PAGE)
    await ask(store, "m3", thread=PAGE)
    assert await titles(store) == ["text of m2"]


async def test_a_question_that_waits_through_a_reset_names_the_thread(store: Store) -> None:
    await ask(store, "m1", thread=PAGE)
    turn = await taken(store, PAGE)
    await ask(store, "m2", thread=PAGE)
    await store.reset(PAGE, MessageId("c1"))
    await store.stopped(turn)

    assert await titles(store) == ["text of m2"]


async def test_a_question_that_is_edited_or_withdrawn_takes_its_words_out_of_the_name(store: Store) -> None:
    await ask(store, "m1", thread=PAGE)
    await ask(store, "m2", thread=PAGE)

    await store.edit(PAGE, MessageId("m1"), "better words")
    assert await titles(store) == ["better words"]

    await store.withdraw(PAGE, MessageId("m1"))
    assert await titles(store) == ["text of m2"]


async def test_a_thread_whose_text_is_not_kept_or_was_refused_has_no_name(store: Store) -> None:
    await ask(store, "m1", thread=SLACK)
    await ask(store, "m1", thread=PAGE, refusal=Refusal.PERSON)

    assert [summary.title for summary in await store.threads(SLACK.platform)] == [""]
    assert await titles(store) == [""]


async def test_a_turn_that_is_not_there_is_none(store: Store) -> None:
    await ask(store, "m1")
    (turn,) = await store.transcript(SLACK)
    await store.withdraw(SLACK, MessageId("m1"))

    assert await store.turn(turn) is None
