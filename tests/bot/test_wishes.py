"""A picture is made where a command asks for one, and nowhere else."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import Created, Manner, Media, MediaKind
from bot.commands import Command
from bot.messages import Attachment, AttachmentId, InteractionId
from bot.wishes import wish_of
from tests.support.core import core
from tests.support.scripted import Asked, completed

CAT = Manner(model="painter")
PICTURE = Media(MediaKind.IMAGE, "image/png", b"\x89PNG a cat")


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        pytest.param("/imagine a red kite", "a red kite", id="a command"),
        pytest.param("  /Imagine\ta red\nkite ", "a red\nkite", id="a command in any case, of several lines"),
        pytest.param("imagine: a red kite", "a red kite", id="without a slash, where the platform eats those"),
        pytest.param("/imagine: a red kite", "a red kite", id="both"),
        pytest.param("/imagine", "", id="of nothing"),
        pytest.param("/research red kites", "red kites", id="research"),
        pytest.param("Research: red\nkites", "red\nkites", id="research without a slash"),
        pytest.param("research red kites", None, id="plain words about research"),
        pytest.param("imagine a red kite", None, id="plain words"),
        pytest.param("Can you imagine: no rain?", None, id="not at the beginning"),
        pytest.param("/imagined a kite", None, id="another word"),
        pytest.param("draw a red kite", None, id="a plain question for one"),
        pytest.param("", None, id="nothing"),
        pytest.param(None, None, id="a blanked text"),
    ],
)
def test_a_wish_is_a_command_at_the_beginning(text: str | None, wish: str | None) -> None:
    assert wish_of(text) == wish


async def test_a_wish_is_put_to_the_image_model_without_its_command() -> None:
    async with core() as clew:
        await clew.says("/imagine a red kite")
        (turn,) = await clew.ended(1)

    assert [(asked.text, asked.manner) for asked in clew.model.asked] == [("a red kite", CAT)]
    assert turn.interaction == "i1"


async def test_the_model_noted_with_a_turn_is_the_one_that_answered(tmp_path: Path) -> None:
    async with core(url=f"sqlite:///{tmp_path / 'clew.db'}") as clew:
        clew.model.will(Created(InteractionId("i1")), PICTURE, replace(completed("i1"), model="painter-2"))
        await clew.says("/imagine a cat")
        await clew.ended(1)

    with closing(sqlite3.connect(tmp_path / "clew.db")) as database:
        assert database.execute("SELECT model FROM turn").fetchall() == [("painter-2",)]


async def test_a_follow_up_with_the_command_edits_the_picture_and_plain_words_are_answered_as_ever() -> None:
    async with core() as clew:
        clew.model.will(Created(InteractionId("i1")), PICTURE, completed("i1"))
        await clew.says("/imagine a cat")
        await clew.ended(1)
        await clew.says("/imagine with a hat")
        await clew.ended(2)
        await clew.says("what breed is it?")
        await clew.ended(3)

    assert [(asked.text, asked.after, asked.manner.model) for asked in clew.model.asked] == [
        ("a cat", None, "painter"),
        ("with a hat", "i1", "painter"),
        ("what breed is it?", "i2", None),
    ]


async def test_a_wish_may_come_with_a_file_and_no_words() -> None:
    async with core() as clew:
        clew.adapter.files["f1"] = b"\x89PNG\r\n\x1a\n"
        sketch = Attachment(AttachmentId("f1"), "sketch.png", "image/png")
        await clew.says("/imagine", attachments=(sketch,))
        await clew.ended(1)

    (asked,) = clew.model.asked
    assert asked.manner == CAT
    assert not any(getattr(part, "text", "").startswith("/imagine") for part in asked.question)


async def test_a_wish_for_nothing_is_told_so() -> None:
    async with core() as clew:
        await clew.says("/imagine")
        (turn,) = await clew.ended(1)

    assert not clew.model.asked
    assert turn.notice


async def test_a_retry_keeps_the_wish() -> None:
    def manners(asked: list[Asked]) -> list[str | None]:
        return [one.manner.model for one in asked]

    async with core(keeps_text=False) as clew:
        said = await clew.says("/imagine a cat")
        await clew.ended(1)
        clew.adapter.messages[said.id] = said  # blanked here, and read again from the platform
        await clew.tells(Command.RETRY)
        await clew.model.heard(2)

    assert manners(clew.model.asked) == ["painter", "painter"]
