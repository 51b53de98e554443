"""What only Discord does, killed before and after everything the bot does about it."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest

from bot.answers import TextPiece
from tests.support.discord import Kind, Permission, Variants
from tests.support.reaper import Cue, When
from tests.sweep.discord import DiscordGround, discord_ground
from tests.sweep.dying import Place, Stage, Story, deaths
from tests.sweep.judge import amiss
from tests.sweep.stories import GROWING, HALF, Answer, growing, growing_long, half, half_answered, short

HUGE = "\n\n".join(f"Paragraph {number}. " + "thread " * 120 for number in range(20))  # over six messages
LONG = "".join(DiscordGround.long)

before_and_after = pytest.mark.parametrize("when", When, ids=lambda when: when.name.lower())


async def in_a_voice_chat(stage: Stage[DiscordGround]) -> None:
    stage.ground.place = stage.ground.discord.channel("talk", kind=Kind.VOICE)
    await stage.ground.asks()


async def where_no_thread_may_be_opened(stage: Stage[DiscordGround]) -> None:
    discord = stage.ground.discord
    discord.deny(Permission.CREATE_PUBLIC_THREADS, channel="general")
    stage.ground.place = discord.channel("general")
    await stage.ground.asks()


async def minutes_pass(stage: Stage[DiscordGround]) -> None:
    """Discord forgets every nonce."""
    stage.ground.discord.clock.advance(400)


def at_once(stage: Stage[DiscordGround]) -> Sequence[Cue]:
    return [TextPiece(LONG)]


directly = partial(discord_ground, is_direct=True)
without_nonces = partial(discord_ground, variants=Variants(nonce_window=0.0))
GROWN = "".join(GROWING)
ANSWERS: Mapping[str, tuple[Place[DiscordGround], Answer[DiscordGround]]] = {
    "an answer over six messages": (
        discord_ground,
        Answer(tells=lambda stage: [TextPiece(HUGE)], text=HUGE, files=("answer.md",), deeds=22),
    ),
    "an answer in a direct message": (directly, Answer(tells=growing, text=GROWN, deeds=12)),
    "an answer in a voice chat": (discord_ground, Answer(asks=in_a_voice_chat, tells=growing, text=GROWN, deeds=12)),
    "an answer as a reply in the channel": (
        discord_ground,
        Answer(asks=where_no_thread_may_be_opened, tells=growing, text=GROWN, deeds=13),
    ),
    "an answer in a thread, after minutes": (
        discord_ground,
        Answer(tells=growing_long, text=None, meanwhile=minutes_pass, deeds=15),
    ),
    "an answer in a direct message, after minutes": (directly, Answer(tells=short, meanwhile=minutes_pass, deeds=7)),
    "a reply in the channel, after minutes": (
        discord_ground,
        Answer(asks=where_no_thread_may_be_opened, tells=short, meanwhile=minutes_pass, deeds=8),
    ),
    "an answer where no nonce is remembered": (without_nonces, Answer(tells=at_once, text=None, deeds=12)),
}


@before_and_after
@pytest.mark.parametrize(("place", "answer"), ANSWERS.values(), ids=ANSWERS)
async def test_killed_before_or_after_any_deed_there_is_one_whole_answer(
    place: Place[DiscordGround], answer: Answer[DiscordGround], when: When, tmp_path: Path
) -> None:
    await answer.judge(place, when, tmp_path)


@before_and_after
async def test_the_stop_button_keeps_what_was_said(when: When, tmp_path: Path) -> None:
    story: Story[DiscordGround] = Story(
        before=half_answered,
        happens=lambda stage: stage.ground.presses("Stop", stage.reaper),
        tells=half,
        finishes=False,
        lasts=("store.stopped", "store.placed"),
        is_over=lambda stage: stage.is_calm,
        is_fetched=False,
    )
    async for stage in deaths(story, discord_ground, when, tmp_path):
        assert [stage.said(HALF), len(stage.answers)] == [1, 1], stage.death
        assert await amiss(stage) == [], stage.death
