"""When what is to be cancelled at Gemini counts as over."""

import asyncio

import pytest

from bot.answers import Interaction, InteractionState
from bot.cancelling import open_cancelling
from bot.errors import InteractionLost, ModelError, ModelRefused
from bot.messages import InteractionId
from bot.metrics import Metrics
from storage.sqlite import open_store
from tests.support.core import PATIENT
from tests.support.scripted import ScriptedModel, message, thread_named
from tests.support.slack_clew import until_logged

RUN = InteractionId("run1")
LOST, RUNS, ENDED = (
    InteractionLost("404"),
    Interaction(RUN, InteractionState.RUNNING),
    Interaction(RUN, InteractionState.BROKEN),
)


class Refusing(ScriptedModel):
    """Cancels nothing, and says why."""

    def __init__(self, refusal: ModelError) -> None:
        super().__init__()
        self.refusal = refusal

    async def cancel(self, interaction: InteractionId) -> None:
        raise self.refusal


@pytest.mark.parametrize(
    ("refusal", "looks", "expected"),
    [
        pytest.param(ModelRefused("503"), (LOST, RUNS, LOST, LOST, ENDED), 5, id="lost for a moment, and runs on"),
        pytest.param(ModelRefused("503"), (LOST,), 3, id="lost for good"),
        pytest.param(LOST, (LOST,), 1, id="lost, as cancelling it says too"),
        pytest.param(LOST, (RUNS, ENDED), 2, id="lost to cancelling alone"),
    ],
)
async def test_that_gemini_does_not_know_a_run_is_not_believed_at_once(
    refusal: ModelError, looks: tuple[Interaction | Exception, ...], expected: int
) -> None:
    model = Refusing(refusal)
    model.will_find(RUN, *looks)

    async with open_store("sqlite:///:memory:") as store:
        await store.add(message("research: kites"))
        claim = await store.claim(thread_named())
        assert claim is not None
        await store.runs.began(claim.turn, RUN)
        await store.failed(claim.turn, notice="no", tell=False)
        async with (
            open_cancelling(
                store=store.runs, model=model, limits=PATIENT, metrics=Metrics(), sleep=lambda seconds: asyncio.sleep(0)
            ) as cancelling,
            until_logged("run cancelled", by="bot.cancelling"),
        ):
            cancelling.take_up()
        assert not await store.runs.unwanted()

    assert len(model.looked_up) == expected
