"""Models that Gemini has taken away, and those that answer in their place."""

import logging

import pytest

from bot.answers import PLAIN, Completed, Manner, Text, TextPiece
from bot.errors import ModelUnknown
from bot.gemini import open_model
from bot.offline import Faults, StatusFault, offline_model
from bot.succession import Succession

GONE = StatusFault(404, code="model_not_found")


def test_a_name_that_was_retired_is_not_tried_again() -> None:
    models = Succession(["old", "newer", "old", "newest"])

    assert models.retire("old")
    assert models.present == "newer"
    assert models.retire("old"), "another turn has said so meanwhile"
    assert models.present == "newer"
    assert models.retire("newer")
    assert not models.retire("newest"), "somebody has to answer"


async def test_the_next_of_the_list_answers_and_goes_on_from_where_the_thread_stands(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        offline_model(faults=Faults(), pace=0) as server,
        open_model(api_key="k", model="old", successors=["newer", "newest"], base_url=server.url) as model,
    ):
        first = [event async for event in model.answer((Text("my name is Ada"),), after=None)][-1]
        assert isinstance(first, Completed)
        assert first.model == "old"
        server.faults.arm(GONE, times=2)
        with caplog.at_level(logging.ERROR, "bot.succession"):
            events = [event async for event in model.answer((Text("recall what I said"),), after=first.interaction)]
        again = [event async for event in model.answer((Text("hello"),), after=None)][-1]
        asked = [create["model"] for create in server.creates]

    assert asked == ["old", "old", "newer", "newest", "newest"], "the others are not tried again"
    assert isinstance(events[-1], Completed)
    assert events[-1].model == "newest"
    assert isinstance(again, Completed)
    assert again.model == "newest"
    assert "my name is Ada" in "".join(event.text for event in events if isinstance(event, TextPiece))
    assert [(line.__dict__["model"], line.__dict__["successor"]) for line in caplog.records] == [
        ("old", "newer"),
        ("newer", "newest"),
    ]


@pytest.mark.parametrize(
    ("successors", "manner"),
    [
        pytest.param([], PLAIN, id="there is no other"),
        pytest.param(["newer"], Manner(model="painter"), id="this very one was meant"),
    ],
)
async def test_an_unknown_model_is_an_error_when_none_may_take_its_place(successors: list[str], manner: Manner) -> None:
    async with (
        offline_model(faults=Faults(), pace=0) as server,
        open_model(api_key="k", model="old", successors=successors, base_url=server.url) as model,
    ):
        server.faults.arm(GONE)
        with pytest.raises(ModelUnknown):
            _ = [event async for event in model.answer((Text("hello"),), after=None, manner=manner)]
