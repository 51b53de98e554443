"""What the offline model says."""

import pytest

from bot.offline import Attached, Conversation, Utterance
from bot.offline.brain import answer


def person(*texts: str, attached: tuple[Attached, ...] = ()) -> Utterance:
    return Utterance(by_person=True, texts=texts, attached=attached)


def model(text: str) -> Utterance:
    return Utterance(by_person=False, texts=(text,))


EARLIER = (person("I am Ann"), model("Hello"), person("I like plums", "and pears"), model("I see"))


def test_every_answer_says_that_it_is_not_gemini() -> None:
    for text in ("hello", "what did I say?", "show me some code", "help", "count to 3", ""):
        assert "offline model, not Gemini" in answer(Conversation((), person(text)))


def test_an_answer_repeats_the_question_and_counts_what_was_said_before() -> None:
    said = answer(Conversation(EARLIER, person("How are you?")))

    assert "> How are you?" in said
    assert "3 earlier messages" in said
    assert "plums" not in said


@pytest.mark.parametrize(
    "question",
    [
        "recall",
        "what did I say?",
        "What did I tell you first?",
        "do you remember me?",
        "What's my name?",
        "what is my name",
        "who am I?",
        "What did we talk about earlier?",
        "summarise the thread, please: what have I said so far?",
    ],
)
def test_asked_about_the_past_it_lists_all_that_the_person_said_in_order(question: str) -> None:
    said = answer(Conversation(EARLIER, person(question)))

    assert "1. I am Ann\n2. I like plums\n3. and pears" in said
    assert "Hello" not in said


@pytest.mark.parametrize("statement", ["my name is Ann", "I have a dog", "what is the capital of France?", "thanks!"])
def test_it_does_not_recite_the_past_unasked(statement: str) -> None:
    assert "plums" not in answer(Conversation(EARLIER, person(statement)))


def test_asked_about_a_past_there_is_none_of_it_says_so() -> None:
    assert "Nothing was said before" in answer(Conversation((), person("what did I say?")))


def test_files_are_told_now_and_recalled_later() -> None:
    file = Attached("cat.png", "image of type image/png, 640 × 480 pixels, 3.2 kB")
    now = answer(Conversation((), person("look", attached=(file,))))
    later = answer(Conversation((person("look", attached=(file,)),), person("what did I send before?")))

    assert "- **cat.png**: image of type image/png, 640 × 480 pixels, 3.2 kB" in now
    assert "- **cat.png**: image of type image/png, 640 × 480 pixels, 3.2 kB" in later


def test_a_long_question_is_repeated_in_part() -> None:
    said = answer(Conversation((), person("start " + "x" * 100_000 + " end")))

    assert len(said) < 2000
    assert "start" in said
    assert "end" in said


def test_lines_of_a_question_stay_inside_their_quotation() -> None:
    said = answer(Conversation((person("a\n```\nb"),), person("recall\n# not a heading")))

    assert "> recall\n> # not a heading" in said
    assert "1. a\n    ```\n    b" in said


def test_it_counts_as_far_as_it_is_told() -> None:
    assert "1 2 3 4 5" in answer(Conversation((), person("count to 5")))


def test_asked_for_code_it_shows_a_code_block() -> None:
    assert "```python\n" in answer(Conversation((), person("write some code")))


def test_the_same_conversation_gets_the_same_answer() -> None:
    conversation = Conversation(EARLIER, person("what did I say?"))

    assert answer(conversation) == answer(conversation)
