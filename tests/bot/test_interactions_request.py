"""The bodies we build, against those the SDK builds from the same arguments after checking them."""

import json

import pytest
from google import genai
from google.genai.types import HttpOptions

from bot.answers import After, Media, MediaKind, ModelStep, Question, Text, UserStep
from bot.messages import InteractionId
from bot.question_bodies import question_body
from tests.support.gemini_replay import replay_server

STEP = (
    '{"type": "thought", "signature": "c2ln+/8=", '
    '"summary": [{"type": "text", "text": "Gr\\u00fc\\u00dfe"}], "new": {"field": 1.50}}'
)
PICTURE = Media(MediaKind.IMAGE, "image/png", data=b"\x89PNG\xff\x00")
FILM = Media(MediaKind.VIDEO, "video/mp4", uri="https://example.org/film")


@pytest.mark.parametrize(
    ("question", "after"),
    [
        ((Text("hi"),), None),
        ((Text("hi"), PICTURE, Text("and"), FILM), None),
        ((Text("and then?"),), InteractionId("v1_before")),
        ((Text("and then?"),), (UserStep((Text("hi"), PICTURE)), UserStep((Text("there"),)))),
        (
            (Text("and then?"),),
            (UserStep((Text("hi"),)), ModelStep('{"type":"model_output","content":[{"type":"text","text":"ho"}]}')),
        ),
        ((Text(""),), None),
    ],
    ids=["text", "files", "chained", "history", "history with the model's steps", "nothing"],
)
async def test_a_question_goes_out_as_the_sdk_would_send_it(question: Question, after: After) -> None:
    ours = question_body(question, after)
    async with replay_server() as replay:
        replay.content_type, replay.body = "application/json", b'{"id":"v1_a","status":"completed"}'
        client = genai.Client(api_key="key", http_options=HttpOptions(base_url=replay.url))
        await client.aio.interactions.create(model="m", **ours)  # type: ignore[call-overload]  # checked by the SDK
        await client.aio.aclose()
        client.close()

    assert replay.asked == [{"model": "m", **ours}]


def test_a_step_of_the_model_goes_back_unchanged() -> None:
    body = question_body((Text("and?"),), (ModelStep(STEP),))

    assert isinstance(body["input"], list)
    assert json.dumps(body["input"][0]) == json.dumps(json.loads(STEP))


def test_files_travel_as_base64_text() -> None:
    content = {"type": "image", "mime_type": "image/png", "data": "iVBOR/8A"}

    assert question_body((PICTURE,), None) == {"input": [{"type": "user_input", "content": [content]}]}
