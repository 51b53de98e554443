"""Files of an answer that another one replaces, of which Slack never told where they stand."""

import asyncio

import pytest

from bot.answers import Answered, Media, MediaKind, TextPiece
from bot.messages import MessageId, Turn
from tests.adapters.slack.replying import Desk, desk
from tests.support.slack import Hang, SaysError

KITE = Media(MediaKind.IMAGE, "image/png", b"\x89PNG a red kite")
NIGHT = Media(MediaKind.IMAGE, "image/png", b"\x89PNG a kite at night")
COMPLETE, TOLD = "files.completeUploadExternal", "files.info"


async def shown_with(place: Desk, turn: Turn, picture: Media) -> None:
    async with place.answering(turn) as grown:
        for event in (TextPiece("A kite:"), picture):
            grown.draft.add(event)
        await grown.reply.end(Answered(grown.draft.answer))


async def retried(place: Desk, turn: Turn) -> Turn:
    """The turn that is to answer the same question again."""
    await place.store.failed(turn, notice="no", tell=False)
    await place.store.retry(turn.thread, MessageId("retry"))
    claim = await place.store.claim(turn.thread)
    assert claim is not None
    return claim.turn


def pictures(place: Desk, turn: Turn) -> list[bytes]:
    return [file.data for shown in place.replies(turn) for file in shown.files]


@pytest.mark.parametrize("is_retry", [False, True], ids=["by another attempt", "by a retry"])
async def test_a_file_that_nobody_knows_the_place_of_goes_with_the_answer_it_belongs_to(is_retry: bool) -> None:
    async with desk() as place:
        place.slack.faults.arm(TOLD, SaysError("file_not_found"), times=None)
        turn = await place.asked()
        await shown_with(place, turn, KITE)
        await place.slack.until(lambda: pictures(place, turn))
        again = await retried(place, turn) if is_retry else await place.again(turn)
        await shown_with(place, again, NIGHT)
        await place.slack.until(lambda: NIGHT.data in pictures(place, turn))

        assert pictures(place, turn) == [NIGHT.data]


async def test_a_file_that_was_on_its_way_when_the_process_ended_goes_with_the_answer_that_is_retried() -> None:
    async with desk() as place:
        turn = await place.asked()
        place.slack.faults.arm(COMPLETE, Hang(acts=True))
        async with place.answering(turn) as grown:
            grown.draft.add(KITE)
            ending = asyncio.create_task(grown.reply.end(Answered(grown.draft.answer)))
            await place.slack.until(lambda: pictures(place, turn))
            ending.cancel()
        again = await retried(place, turn)
        await shown_with(place, again, NIGHT)

        assert pictures(place, turn) == [NIGHT.data]
