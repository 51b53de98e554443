"""A turn in Slack, killed before and after everything it does, and taken up by the next start."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.slack.format import plan
from bot.answers import Media, MediaKind, TextPiece
from bot.errors import AnswerBlocked, ModelBusy
from bot.notices import FOLLOWING, notice_for
from tests.adapters.slack.dying import Deed, Stage, Story, deaths
from tests.support.reaper import Cue, When
from tests.support.scripted import Asked

SHORT = "A clew is a ball of thread."
GROWING = "A clew is a ball of thread. " * 20
LONG = "\n\n".join(f"Paragraph {number}. " + "thread " * 150 for number in range(20))  # two messages
HUGE = "\n\n".join(f"Paragraph {number}. " + "thread " * 1500 for number in range(5))  # over four
PICTURE = Media(MediaKind.IMAGE, "image/png", b"\x89PNG a ball of thread")
FOLLOWED = f"\n\n_{FOLLOWING}_"


async def in_a_channel(stage: Stage) -> None:
    stage.ts = await stage.slack.says("ada", "what is a clew?")


async def with_a_file(stage: Stage) -> None:
    notes = stage.slack.uploads("notes.txt", b"Ariadne gave Theseus a ball of thread.")
    stage.ts = await stage.slack.says("ada", "what is a clew?", files=[notes])


async def directly(stage: Stage) -> None:
    stage.channel = stage.slack.direct("ada")
    stage.ts = await stage.slack.says("ada", "what is a clew?", channel=stage.channel)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A question, how the model answers it, and what the thread shows in the end."""

    tells: Callable[[Stage], Sequence[Cue]]
    shows: tuple[str, ...]
    files: tuple[str, ...] = ()
    asks: Deed = in_a_channel
    last: str = "store.answered"
    deeds: int  # at the least, so that nothing is left out unnoticed

    @property
    def story(self) -> Story:
        return Story(
            happens=self.asks,
            tells=lambda stage, asked: self.tells(stage),
            lasts=(self.last,),
            is_over=lambda stage: len(stage.shown) >= len(self.shows) + len(self.files) and self.is_whole(stage),
        )

    def is_whole(self, stage: Stage) -> bool:
        buttons = [button.text for one in stage.shown for button in one.buttons]
        return buttons == ([] if self.last == "store.failed" else ["Retry", "Reset"])


ANSWERS = {
    "an answer": Answer(tells=lambda stage: [TextPiece(SHORT)], shows=(SHORT + FOLLOWED,), deeds=9),
    "an answer that grows": Answer(
        tells=lambda stage: [
            TextPiece(GROWING[:100]),
            lambda: stage.slack.received("chat.startStream"),
            TextPiece(GROWING[100:300]),
            lambda: stage.slack.received("chat.appendStream"),
            TextPiece(GROWING[300:]),
        ],
        shows=(GROWING + FOLLOWED,),
        deeds=16,
    ),
    "an answer that grows into a second message": Answer(
        tells=lambda stage: [
            TextPiece(LONG[:5000]),
            lambda: stage.slack.received("chat.startStream"),
            TextPiece(LONG[5000:15000]),
            lambda: stage.slack.received("chat.startStream", 2),
            TextPiece(LONG[15000:]),
        ],
        shows=plan(LONG + FOLLOWED).parts,
        deeds=20,
    ),
    "an answer over four messages": Answer(
        tells=lambda stage: [TextPiece(HUGE)], shows=plan(HUGE + FOLLOWED).parts, files=("answer.md",), deeds=20
    ),
    "a picture": Answer(
        tells=lambda stage: [TextPiece(SHORT), PICTURE],
        shows=(SHORT + FOLLOWED,),
        files=("image-1.png",),
        deeds=14,
    ),
    "a notice that the answer was withheld": Answer(
        tells=lambda stage: [AnswerBlocked("safety")],
        shows=(notice_for(AnswerBlocked("safety")),),
        last="store.failed",
        deeds=9,
    ),
    "a notice that the model is busy": Answer(
        tells=lambda stage: [ModelBusy("429")], shows=(notice_for(ModelBusy("429")),), last="store.failed", deeds=9
    ),
    "an answer about a file": Answer(
        asks=with_a_file, tells=lambda stage: [TextPiece(SHORT)], shows=(SHORT + FOLLOWED,), deeds=11
    ),
    "an answer in a direct message": Answer(
        asks=directly,
        tells=lambda stage: [lambda: stage.slack.received("chat.postMessage"), TextPiece(SHORT)],
        shows=(SHORT,),
        deeds=9,
    ),
}


@pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_killed_before_or_after_any_deed_there_is_one_whole_answer(
    answer: Answer, when: When, tmp_path: Path
) -> None:
    longest = 0
    async for stage in deaths(answer.story, when, tmp_path):
        words = [one for one in stage.shown if not one.files]
        files = [file.name for one in stage.shown for file in one.files]

        assert [squeezed(one.text) for one in words] == [squeezed(text) for text in answer.shows], stage.death
        assert files == list(answer.files), stage.death
        assert stage.taken_away == 0, stage.death
        assert await stage.unfinished() == [], stage.death
        if answer.last == "store.answered":
            assert len(stage.model.asked) <= 2, stage.death
        if stage.reaper.has_done("store.created"):
            assert len(stage.model.asked) == 1, f"what was created is fetched and not bought again; {stage.death}"
        longest = max(longest, len(stage.reaper.deeds))
    assert longest >= answer.deeds


async def one_more_is_asked(stage: Stage) -> None:
    stage.ts = await stage.slack.says("ada", "(one)")
    await stage.model.heard(1)


async def two_wait(stage: Stage) -> None:
    for text in ("(two)", "(three)"):
        await stage.slack.says("ada", text, thread_ts=stage.ts)
        # Events that were not acknowledged come again each by itself, in whatever order.
        await stage.slack.delivered()
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
            [said_in(stage).count(number) for number in NUMBERS] == [1, 1, 1]
            and bool(stage.shown[-1].buttons)
            and not stage.shown[-1].is_streaming
        ),
    )
    async for stage in deaths(story, when, tmp_path):
        said = said_in(stage)
        assert sorted(NUMBERS, key=said.index) == list(NUMBERS), stage.death
        assert [said.count(number) for number in NUMBERS] == [1, 1, 1], stage.death
        assert stage.taken_away == 0, stage.death
        assert await stage.unfinished() == [], stage.death
        if stage.reaper.k == 0:
            assert len(stage.shown) == 2, "the two were answered together"


def said_in(stage: Stage) -> str:
    return "\n".join(one.text for one in stage.shown)


def squeezed(text: str) -> str:
    return "".join(text.split())
