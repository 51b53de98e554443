"""The offline model draws and hums, as the real SDK and the bot's own reader are told of it."""

import base64
import io
import wave
from typing import Any

import imagesize  # type: ignore[import-untyped]  # it has no stubs

from bot.answers import Completed, Manner, Media, MediaKind, Text, TextPiece
from bot.gemini import open_model
from bot.offline import Faults, ImageFault, offline_model
from bot.offline.drawing import picture, sound
from tests.bot.offline.sdk import sdk_on

PAINTER = "gemini-3.1-flash-image"


def test_a_picture_is_a_png_that_follows_from_its_words() -> None:
    assert imagesize.get(io.BytesIO(picture("a kite"))) == (96, 96)
    assert picture("a kite") == picture("a kite") != picture("a clew")


def test_a_sound_is_half_a_second_of_wav() -> None:
    with wave.open(io.BytesIO(sound())) as file:
        assert file.getnframes() == file.getframerate() / 2


async def test_an_image_model_draws_between_two_texts() -> None:
    async with offline_model() as server, sdk_on(server) as sdk:
        heard = await sdk.ask("a red kite", model=PAINTER)
        found = await sdk.get(heard.id)
        plain = await sdk.ask("a red kite")

    (delta,) = heard.deltas
    assert (delta.type, delta.mime_type) == ("image", "image/png")
    assert base64.b64decode(delta.data) == picture("a red kite")
    steps: Any = found.steps
    assert [part.type for part in steps[0].content] == ["text", "image", "text"]
    assert plain.deltas == []


async def test_files_in_several_deltas_come_whole_in_their_places_and_pictures_can_be_gone_on_from() -> None:
    faults = Faults()
    async with (
        offline_model(faults=faults) as server,
        open_model(api_key="any", model="gemini-test", base_url=server.url) as model,
    ):
        faults.arm(ImageFault(with_sound=True, deltas=3))
        events = [event async for event in model.answer((Text("sing"),), after=None)]
        done = events[-1]
        assert isinstance(done, Completed)
        painter = Manner(model=PAINTER)
        again = [event async for event in model.answer((Text("draw"),), after=done.interaction, manner=painter)]
        painted = again[-1]
        assert isinstance(painted, Completed)
        fetched = await model.look_up(painted.interaction)

    made = [event for event in events if isinstance(event, Media)]
    assert [(one.kind, one.mime_type) for one in made] == [
        (MediaKind.IMAGE, "image/png"),
        (MediaKind.AUDIO, "audio/wav"),
    ]
    assert made[1].data == sound()
    kinds = [type(event) for event in events if isinstance(event, TextPiece | Media)]
    assert kinds[0] is kinds[-1] is TextPiece
    assert kinds.index(Media) > 0
    assert [event.data for event in again if isinstance(event, Media)] == [picture("draw")]
    assert (done.model, painted.model) == ("gemini-test", PAINTER)
    assert [event.model for event in fetched.events if isinstance(event, Completed)] == [PAINTER]
