"""Answers that are the same on every platform, how they come to be, and how each is judged."""

import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic

from bot.answers import Media, MediaKind, TextPiece, ToolUse
from bot.errors import AnswerBlocked, ModelBusy
from bot.evidence import Citation, CodeCall, CodeResult
from bot.notices import notice_for
from tests.support.reaper import Cue, When
from tests.support.scripted import Asked
from tests.support.slack_clew import until_logged
from tests.sweep.discord import discord_ground
from tests.sweep.dying import G, Place, Stage, Story, deaths, nothing
from tests.sweep.ground import Ground
from tests.sweep.judge import amiss
from tests.sweep.page import page_ground
from tests.sweep.slack import slack_ground

HALF = "A clew is a ball of"
SHORT = "A clew is a ball of thread."
GROWING = [f"Ariadne gave Theseus a ball of thread, length {number}. " for number in range(3)]
PICTURE = Media(MediaKind.IMAGE, "image/png", b"\x89PNG\r\n\x1a\n a ball of thread")
NOTES = ("notes.txt", b"Ariadne gave Theseus a ball of thread.")
FILM = ("film.mp4", (Path(__file__).parent.parent / "samples" / "files" / "film.mp4").read_bytes())

PLACES: Mapping[str, Place[Any]] = {"page": page_ground, "slack": slack_ground, "discord": discord_ground}


async def asked(stage: Stage[Ground]) -> None:
    await stage.ground.asks()


async def asked_about_a_file(stage: Stage[Ground]) -> None:
    await stage.ground.asks(files=[NOTES])


async def asked_about_a_film(stage: Stage[Ground]) -> None:
    await stage.ground.asks(files=[FILM])


async def answered(stage: Stage[Ground]) -> None:
    """What has happened before most commands."""
    async with until_logged("turn answered", by="bot.responder"):
        await stage.ground.asks()


async def half_answered(stage: Stage[Ground]) -> None:
    await stage.ground.asks()
    await stage.sees(HALF)()


def short(stage: Stage[Ground]) -> Sequence[Cue]:
    return [TextPiece(SHORT)]


def growing(stage: Stage[Ground]) -> Sequence[Cue]:
    cues: list[Cue] = []
    for piece in GROWING:
        cues += [TextPiece(piece), stage.sees(piece.strip())]
    return cues


def growing_long(stage: Stage[Ground]) -> Sequence[Cue]:
    """The next message begins while it grows, where one cannot hold it."""
    cues: list[Cue] = []
    for piece in stage.ground.long:
        cues += [TextPiece(piece), stage.sees(re.findall(r"Paragraph \d+\.", piece)[-1])]
    return cues[:-1]


def half(stage: Stage[Ground], question: Asked) -> Sequence[Cue]:
    """A model that never comes to the end."""
    return [TextPiece(HALF), stage.go_on.wait]


@dataclass(frozen=True, kw_only=True)
class Answer(Generic[G]):
    """A question, how the model answers it, and what the thread shows in the end.

    Attributes:
        text: Markdown; of a long answer the ground's own.
        files: those under it.
        deeds: so many there are at the least, so that nothing is left out unnoticed.
    """

    tells: Callable[[Stage[G]], Sequence[Cue]]
    text: str | None = SHORT
    files: tuple[str, ...] = ()
    asks: Callable[[Stage[G]], Coroutine[Any, Any, None]] = asked
    meanwhile: Callable[[Stage[G]], Coroutine[Any, Any, None]] = nothing
    is_notice: bool = False
    is_fetched: bool = True
    uploads: bool = False
    deeds: int

    @property
    def story(self) -> Story[G]:
        return Story(
            happens=self.asks,
            tells=lambda stage, asked: self.tells(stage),
            lasts=("store.failed" if self.is_notice else "store.answered",),
            is_over=self.is_whole,
            meanwhile=self.meanwhile,
            uploads=self.uploads,
            is_fetched=self.is_fetched,
        )

    def is_whole(self, stage: Stage[G]) -> bool:
        retries = [button for one in stage.answers for button in one.buttons if button == "Retry"]
        files = [file for one in stage.answers for file in one.files]
        is_there = len(words_of(stage)) >= len(self.expected(stage)) and len(files) >= len(self.files)
        return is_there and stage.is_calm and len(retries) == (0 if self.is_notice else 1)

    def expected(self, stage: Stage[G]) -> Sequence[str]:
        """What the messages say."""
        text = "".join(stage.ground.long) if self.text is None else self.text
        return [squeezed(part) for part in stage.ground.shows(text, follows=not self.is_notice)]

    async def judge(self, place: Place[G], when: When, folder: Path) -> None:
        """Let it live through every death, each of which leaves one whole answer, in its place, and nothing else."""
        longest = 0
        async for stage in deaths(self.story, place, when, folder):
            assert words_of(stage) == self.expected(stage), stage.death
            assert [file for one in stage.answers for file in one.files] == list(self.files), stage.death
            assert await amiss(stage) == [], stage.death
            if not self.is_notice:
                assert len(stage.asked) <= 2, stage.death
            if self.uploads:
                assert len(stage.model.sent) == 1, f"a film that arrived is not sent again; {stage.death}"
            longest = max(longest, len(stage.reaper.deeds))
        assert longest >= self.deeds


def words_of(stage: Stage[Any]) -> list[str]:
    """The messages of the answers, less those that are only a file."""
    return [words for one in stage.answers if (words := squeezed(one.text))]


def squeezed(text: str) -> str:
    return "".join(text.split())


def busy(stage: Stage[Ground]) -> Sequence[Cue]:
    """A model that refuses; the second time for so long that nobody waits for it."""
    return [ModelBusy("429", retry_after=60.0) if stage.asked else ModelBusy("429")]


def searched(stage: Stage[Ground]) -> Sequence[Cue]:
    """Twice the same source, and code."""
    cited: list[Cue] = [
        Citation("https://kites.example/", "Kites", start=0),
        Citation("https://kites.example/", "Kites", start=2),
    ]
    ran: list[Cue] = [CodeCall("c1", "print(6 * 7)", "python"), CodeResult("c1", "42", is_error=False)]
    return [ToolUse("google_search"), *ran, TextPiece(SHORT), *cited]


ANSWERS: Mapping[str, Answer[Ground]] = {
    "an answer": Answer(tells=short, deeds=6),
    "an answer that grows": Answer(tells=growing, text="".join(GROWING), deeds=6),
    "a long answer that grows": Answer(tells=growing_long, text=None, deeds=6),
    "a picture": Answer(tells=lambda stage: [TextPiece(SHORT), PICTURE], files=("image-1.png",), deeds=6),
    "an answer about a file": Answer(asks=asked_about_a_file, tells=short, deeds=7),
    "an answer about a film": Answer(asks=asked_about_a_film, tells=short, uploads=True, deeds=10),
    "a notice that the answer was withheld": Answer(
        tells=lambda stage: [AnswerBlocked("safety")], text=notice_for(AnswerBlocked("safety")), is_notice=True, deeds=6
    ),
    "a notice that the model is busy": Answer(
        tells=busy, text=notice_for(ModelBusy("429")), is_notice=True, is_fetched=False, deeds=6
    ),
}
