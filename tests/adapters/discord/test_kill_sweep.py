"""A turn in Discord, killed before and after everything it does, and taken up by the next start."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.discord.format import plan
from bot.answers import TextPiece
from bot.errors import AnswerBlocked
from bot.notices import FOLLOWING, notice_for
from tests.adapters.discord.answering import PICTURE
from tests.adapters.discord.dying import Stage, Story, deaths
from tests.support.discord import Kind, Permission, Variants
from tests.support.reaper import Cue, When
from tests.support.scripted import Asked

SHORT = "A clew is a ball of thread."
GROWING = [f"Ariadne gave Theseus a ball of thread, length {number}. " for number in range(3)]
PARAGRAPHS = [f"Paragraph {number}. " + "thread " * 120 for number in range(20)]
LONG = "\n\n".join(PARAGRAPHS[:5])  # three messages
HUGE = "\n\n".join(PARAGRAPHS)  # over six
USUAL = Variants()
FOLLOWED = f"\n\n_{FOLLOWING}_"


async def in_a_channel(stage: Stage) -> None:
    await stage.asks()


async def with_a_file(stage: Stage) -> None:
    notes = stage.discord.uploads("notes.txt", b"Ariadne gave Theseus a ball of thread.")
    await stage.asks(files=[notes])


async def directly(stage: Stage) -> None:
    line = stage.discord.direct("ada")
    await stage.asks(channel=line)
    stage.place = line


async def in_a_voice_chat(stage: Stage) -> None:
    stage.place = stage.discord.channel("talk", kind=Kind.VOICE)
    stage.question = await stage.discord.says("ada", "what is a clew?", channel=stage.place)


async def where_no_thread_may_be_opened(stage: Stage) -> None:
    stage.discord.deny(Permission.CREATE_PUBLIC_THREADS, channel="general")
    await stage.asks()
    stage.place = "general"


async def minutes_pass(stage: Stage) -> None:
    """Discord forgets every nonce."""
    stage.discord.clock.advance(400)


async def _nothing(stage: Stage) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A question, how the model answers it, and what the thread shows in the end."""

    tells: Callable[[Stage], Sequence[Cue]]
    shows: tuple[str, ...]
    files: tuple[str, ...] = ()
    asks: Callable[[Stage], Awaitable[None]] = in_a_channel
    variants: Variants = USUAL
    meanwhile: Callable[[Stage], Awaitable[None]] = _nothing
    last: str = "store.answered"
    deeds: int  # at the least, so that nothing is left out unnoticed

    @property
    def story(self) -> Story:
        return Story(
            happens=self.asks,
            tells=lambda stage, asked: self.tells(stage),
            lasts=(self.last,),
            is_over=lambda stage: len(stage.shown) >= len(self.shows) and self.is_whole(stage),
            variants=self.variants,
            meanwhile=self.meanwhile,
        )

    def is_whole(self, stage: Stage) -> bool:
        buttons = [button for one in stage.shown for button in one.buttons]
        return buttons == ([] if self.last == "store.failed" else ["Retry"])


def short(stage: Stage) -> Sequence[Cue]:
    return [TextPiece(SHORT)]


def growing(stage: Stage) -> Sequence[Cue]:
    cues: list[Cue] = []
    for piece in GROWING:
        cues += [TextPiece(piece), stage.until(piece.strip())]
    return cues


def growing_long(stage: Stage) -> Sequence[Cue]:
    """The second message begins while it grows."""
    half = "\n\n".join(PARAGRAPHS[:3]) + "\n\n"
    return [TextPiece(half), stage.until("Paragraph 2."), TextPiece(LONG[len(half) :])]


ANSWERS = {
    "an answer": Answer(tells=short, shows=(SHORT + FOLLOWED,), deeds=9),
    "an answer that grows": Answer(tells=growing, shows=("".join(GROWING) + FOLLOWED,), deeds=14),
    "an answer of three messages": Answer(tells=growing_long, shows=plan(LONG + FOLLOWED).parts, deeds=17),
    "an answer over six messages": Answer(
        tells=lambda stage: [TextPiece(HUGE)], shows=plan(HUGE + FOLLOWED).parts, files=("answer.md",), deeds=24
    ),
    "a picture": Answer(
        tells=lambda stage: [TextPiece(SHORT), PICTURE],
        shows=(SHORT + FOLLOWED,),
        files=("image-1.png",),
        deeds=9,
    ),
    "a notice": Answer(
        tells=lambda stage: [AnswerBlocked("safety")],
        shows=(notice_for(AnswerBlocked("safety")),),
        last="store.failed",
        deeds=9,
    ),
    "an answer about a file": Answer(asks=with_a_file, tells=short, shows=(SHORT + FOLLOWED,), deeds=10),
    "an answer in a direct message": Answer(asks=directly, tells=growing, shows=("".join(GROWING),), deeds=13),
    "an answer in a voice chat": Answer(asks=in_a_voice_chat, tells=growing, shows=("".join(GROWING),), deeds=13),
    "an answer as a reply in the channel": Answer(
        asks=where_no_thread_may_be_opened, tells=growing, shows=("".join(GROWING) + FOLLOWED,), deeds=14
    ),
    "an answer in a thread, after minutes": Answer(
        tells=growing_long, shows=plan(LONG + FOLLOWED).parts, meanwhile=minutes_pass, deeds=17
    ),
    "an answer in a direct message, after minutes": Answer(
        asks=directly, tells=short, shows=(SHORT,), meanwhile=minutes_pass, deeds=8
    ),
    "a reply in the channel, after minutes": Answer(
        asks=where_no_thread_may_be_opened, tells=short, shows=(SHORT + FOLLOWED,), meanwhile=minutes_pass, deeds=9
    ),
    "an answer where no nonce is remembered": Answer(
        tells=lambda stage: [TextPiece(LONG)],
        shows=plan(LONG + FOLLOWED).parts,
        variants=Variants(nonce_window=0.0),
        deeds=14,
    ),
}


@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_killed_before_or_after_any_deed_there_is_one_whole_answer(
    answer: Answer, when: When, tmp_path: Path
) -> None:
    longest = 0
    async for stage in deaths(answer.story, when, tmp_path):
        assert [squeezed(one.text) for one in stage.shown] == [squeezed(text) for text in answer.shows], stage.death
        assert [file.name for one in stage.shown for file in one.files] == list(answer.files), stage.death
        assert await stage.unfinished() == [], stage.death
        assert stage.discord.pings_by_bot() == []
        if answer.last == "store.answered":
            assert stage.asked <= 2, stage.death
        if stage.reaper.has_done("store.created"):
            assert stage.asked == 1, f"what was created is fetched and not bought again; {stage.death}"
        longest = max(longest, len(stage.reaper.deeds))
    assert longest >= answer.deeds


async def one_more_is_asked(stage: Stage) -> None:
    await stage.asks("(one)")
    await stage.model.heard(2)
    await stage.discord.until(lambda: stage.discord.thread_of(stage.question))


async def two_wait(stage: Stage) -> None:
    for text in ("(two)", "(three)"):
        await stage.discord.says("ada", text, channel=stage.place, mention=False)
    await stage.discord.delivered()
    stage.go_on.set()


def echo(stage: Stage, asked: Asked) -> Sequence[Cue]:
    """The answer to the first question is slow."""
    return [stage.go_on.wait, TextPiece(f"answer to {asked.text}")]


NUMBERS = ("(one)", "(two)", "(three)")


@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
async def test_killed_before_or_after_any_deed_two_messages_that_waited_are_both_answered_once(
    when: When, tmp_path: Path
) -> None:
    story = Story(
        before=one_more_is_asked,
        happens=two_wait,
        tells=echo,
        lasts=("store.answered", "store.answered"),
        is_over=lambda stage: (
            [said_in(stage).count(number) for number in NUMBERS] == [1, 1, 1] and stage.shown[-1].buttons == ("Retry",)
        ),
    )
    async for stage in deaths(story, when, tmp_path):
        said = said_in(stage)
        assert sorted(NUMBERS, key=said.index) == list(NUMBERS), stage.death
        assert [said.count(number) for number in NUMBERS] == [1, 1, 1], stage.death
        assert await stage.unfinished() == [], stage.death
        if stage.reaper.k == 0:
            assert len(stage.shown) == 2, "the two were answered together"


def said_in(stage: Stage) -> str:
    return "\n".join(one.text for one in stage.shown)


def squeezed(text: str) -> str:
    return "".join(text.split())
