"""What a client of the Interactions API can do with the offline model, through the real SDK."""

import asyncio
from typing import Any

import aiohttp
import pytest
from google.genai import _interactions as ix

from bot import history
from bot.offline import Conversation, Faults, RepeatFault, StallFault, offline_model
from tests.bot.offline.sdk import MODEL, Heard, listen, sdk_on


def user_input(*texts: str) -> dict[str, object]:
    return {"type": "user_input", "content": [{"type": "text", "text": text} for text in texts]}


async def test_a_question_is_answered_without_a_stream() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        answer = await sdk.create("hello there", system_instruction="be kind")

    assert answer.status == "completed"
    assert "hello there" in (answer.output_text or "")
    assert "not Gemini" in (answer.output_text or "")
    assert answer.usage is not None
    assert answer.usage.total_tokens == (answer.usage.total_input_tokens or 0) + (answer.usage.total_output_tokens or 0)
    assert server.creates == [{"model": MODEL, "input": "hello there", "system_instruction": "be kind"}]


@pytest.mark.parametrize("pace", [0, 0.001], ids=["in one write", "piece by piece"])
async def test_a_streamed_answer_comes_in_small_pieces_and_ends_completed(pace: float) -> None:
    async with offline_model(pace=pace) as server, sdk_on(server) as sdk:
        heard = await sdk.ask("hello there")
        stored = await sdk.get(heard.id)

    assert heard.kinds[:3] == ["interaction.created", "interaction.status_update", "step.start"]
    assert heard.kinds[-2:] == ["step.stop", "interaction.completed"]
    assert heard.kinds.count("step.delta") > 10
    assert heard.status == "completed"
    assert heard.text == stored.output_text


async def test_every_event_of_a_stream_has_an_id_of_its_own() -> None:
    async with offline_model(pace=0) as server, aiohttp.ClientSession() as session:
        body = {"model": MODEL, "input": "hello", "stream": True}
        response = await session.post(f"{server.url}/v1/interactions", json=body, headers={"x-goog-api-key": "k"})
        lines = (await response.text()).splitlines()

    data = [line for line in lines if line.startswith("data: ")]
    ids = [line.split('"event_id":"')[1].split('"')[0] for line in data[:-1]]
    assert data[-1] == "data: [DONE]"
    assert len(set(ids)) == len(ids) == len(data) - 1


async def test_the_third_turn_recalls_the_first() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        first = await sdk.ask("my dog is called Rex")
        second = await sdk.ask("and my cat is Mia", previous_interaction_id=first.id)
        third = await sdk.ask("what did I say?", previous_interaction_id=second.id)

    assert "1. my dog is called Rex" in third.text
    assert "2. and my cat is Mia" in third.text
    assert "1 earlier message" in second.text


async def test_an_earlier_answer_can_be_gone_on_from_twice() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        root = await sdk.ask("root")
        left = await sdk.ask("left", previous_interaction_id=root.id)
        right = await sdk.ask("right", previous_interaction_id=root.id)
        of_left = await sdk.ask("recall", previous_interaction_id=left.id)
        of_right = await sdk.ask("recall", previous_interaction_id=right.id)

    assert "left" in of_left.text
    assert "right" not in of_left.text
    assert "right" in of_right.text
    assert "left" not in of_right.text


async def test_a_history_sent_along_is_remembered_and_nothing_is_stored() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        told = [{"type": "user_input", "content": [{"type": "text", "text": "the word is plum"}]}]
        first = await sdk.create(told, store=False)
        asked = {"type": "user_input", "content": [{"type": "text", "text": "recall the word"}]}
        history = [*told, *(first.steps or []), asked]
        second = await sdk.create(history, store=False)
        with pytest.raises(ix.NotFoundError):
            await sdk.get(first.id)
        with pytest.raises(ix.NotFoundError):
            await sdk.create("go on", previous_interaction_id=first.id)

    assert "1. the word is plum" in (second.output_text or "")


async def test_a_past_the_bot_tells_as_one_input_is_recalled_without_its_labels() -> None:
    past = [history._PAST, "[Ann]\nthe key is 42\n\nand the door is red", "[you]\nI see", "[the person]\nthanks"]
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        steps = [user_input(*past), user_input("what did I say?")]
        heard = await sdk.ask(steps)

    assert heard.text.endswith("1. the key is 42\n\n    and the door is red\n2. thanks")


async def test_what_went_unanswered_is_recalled_before_the_question_it_is_told_with() -> None:
    untold = f"{history._UNHEARD}\n\n[Ann]\ntell me all\n\n[you, stopped here]\nAll is"
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        first = await sdk.ask("hello")
        heard = await sdk.ask([user_input(untold, "what did I say?")], previous_interaction_id=first.id)

    assert "> what did I say?\n" in heard.text
    assert heard.text.endswith("1. hello\n2. tell me all")


async def test_a_section_of_a_file_somebody_pastes_is_not_taken_for_a_speaker() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        first = await sdk.ask("[server]\nport = 80")
        heard = await sdk.ask("what did I say?", previous_interaction_id=first.id)

    assert "1. [server]\n    port = 80" in heard.text


async def test_the_input_comes_back_when_it_is_asked_for() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        heard = await sdk.ask("hello there")
        plain = await sdk.get(heard.id)
        whole = await sdk.get(heard.id, include_input=True)

    assert [step.type for step in plain.steps or []] == ["model_output"]
    assert [step.type for step in whole.steps or []] == ["user_input", "model_output"]


@pytest.mark.parametrize("version", ["v1", "v1beta"])
async def test_both_versions_of_the_api_are_spoken(version: str) -> None:
    async with offline_model(pace=0) as server, sdk_on(server, version=version) as sdk:
        heard = await sdk.ask("hello")
        stored = await sdk.get(heard.id)

    assert stored.status == "completed"
    assert {request.path.split("/")[1] for request in server.requests} == {version}


async def test_a_brain_of_ones_own_sees_the_conversation_and_says_the_answer() -> None:
    seen: list[Conversation] = []

    def brain(conversation: Conversation) -> str:
        seen.append(conversation)
        return "# Scripted\n\n" + "x" * 1000

    async with offline_model(pace=0, brain=brain) as server, sdk_on(server) as sdk:
        first = await sdk.ask("one", system_instruction="be brief")
        await sdk.ask("two", previous_interaction_id=first.id)

    assert first.text == "# Scripted\n\n" + "x" * 1000
    assert seen[0].system_instruction == "be brief"
    assert [said.text for said in seen[1].earlier] == ["one", first.text]
    assert [said.by_person for said in seen[1].earlier] == [True, False]
    assert seen[1].question.text == "two"


# --- background, cancel, delete, resume --------------------------------------------------------


async def test_a_background_run_is_in_progress_until_it_is_done_and_cannot_be_gone_on_from_before() -> None:
    faults = Faults()
    faults.arm(StallFault())
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        begun = await sdk.create("think long", background=True)
        assert begun.id
        with pytest.raises(ix.BadRequestError) as refused:
            await sdk.create("and?", previous_interaction_id=begun.id)
        faults.release()
        status = await server.settled(begun.id)
        done = await sdk.get(begun.id)

    assert (begun.status, begun.steps) == ("in_progress", [])
    assert "failed_precondition" in str(refused.value.body)
    assert status == done.status == "completed"
    assert "think long" in (done.output_text or "")


async def test_a_stream_goes_on_after_the_last_event_heard() -> None:
    faults = Faults()
    faults.arm(StallFault(after=3))
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        stream = await sdk.open("hello")
        async with stream:
            heard = await listen(stream, pieces=3)
        await server.settled(heard.id)
        rest = await sdk.follow(heard.id, last_event_id=heard.last_event_id)
        async with rest:
            resumed = await listen(rest)
        whole = await sdk.get(heard.id)

    assert resumed.kinds[0] == "step.delta"
    assert resumed.status == "completed"
    assert heard.text + resumed.text == whole.output_text


async def test_a_resume_can_repeat_what_was_heard_and_end_there_while_a_plain_get_tells_everything() -> None:
    faults = Faults()
    faults.arm(StallFault(after=3))
    faults.arm(RepeatFault(after=2), times=None)
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        stream = await sdk.open("hello")
        async with stream:
            heard = await listen(stream, pieces=3)
        await server.settled(heard.id)
        again = await sdk.follow(heard.id, last_event_id=heard.last_event_id)
        async with again:
            resumed = await listen(again)
        whole = await sdk.get(heard.id)

    assert resumed.kinds[0] == "interaction.created"
    assert resumed.status == "in_progress"
    assert heard.text.startswith(resumed.text)
    assert resumed.text
    assert whole.status == "completed"


async def test_a_resumed_stream_follows_an_answer_that_is_still_coming() -> None:
    faults = Faults()
    faults.arm(StallFault(after=3))
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        begun = await sdk.create("hello", background=True)
        stream = await sdk.follow(begun.id)
        async with stream:
            heard = await listen(stream, pieces=3)
            assert heard.status == "in_progress"
            faults.release()
            await listen(stream, heard)
        whole = await sdk.get(heard.id)

    assert heard.status == "completed"
    assert heard.text == whole.output_text


async def test_a_cancelled_answer_stops_and_says_so() -> None:
    faults = Faults()
    faults.arm(StallFault(after=3))
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        stream = await sdk.open("hello")
        async with stream:
            heard = await listen(stream, pieces=3)
            cancelled = await sdk.cancel(heard.id)
            await listen(stream, heard)
        stored = await sdk.get(heard.id)
        with pytest.raises(ix.BadRequestError):
            await sdk.create("and?", previous_interaction_id=heard.id)

    assert cancelled.status == heard.status == stored.status == "cancelled"
    assert stored.output_text == heard.text


async def test_cancelling_what_has_ended_changes_nothing() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        heard = await sdk.ask("hello")
        answered = await sdk.cancel(heard.id)

    assert answered.status == "completed"


async def test_a_deleted_interaction_is_unknown() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        heard = await sdk.ask("hello")
        await sdk.delete(heard.id)
        with pytest.raises(ix.NotFoundError):
            await sdk.get(heard.id)
        with pytest.raises(ix.NotFoundError):
            await sdk.delete(heard.id)
        with pytest.raises(ix.NotFoundError):
            await sdk.create("and?", previous_interaction_id=heard.id)


async def test_an_answer_is_finished_although_its_client_hung_up() -> None:
    faults = Faults()
    faults.arm(StallFault(after=1))
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        stream = await sdk.open("hello")
        async with stream:
            heard = await listen(stream, pieces=1)
        (left,) = await server.hung_up()
        assert await server.settled(heard.id) == "completed"

    assert left.interaction == heard.id
    assert left.disconnected


async def test_an_interaction_expires_when_its_time_is_over() -> None:
    now = [1000.0]
    async with offline_model(pace=0, retention=60, clock=lambda: now[0]) as server, sdk_on(server) as sdk:
        heard = await sdk.ask("hello")
        now[0] += 59
        assert (await sdk.get(heard.id)).status == "completed"
        now[0] += 2
        with pytest.raises(ix.NotFoundError):
            await sdk.get(heard.id)


# --- what is refused ---------------------------------------------------------------------------

REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "an unknown key": ({"model": MODEL, "input": "x", "temperature": 1}, 400, "parameter_unknown"),
    "turns with roles": ({"model": MODEL, "input": [{"role": "user", "content": "x"}]}, 400, "invalid_request"),
    "no input": ({"model": MODEL}, 400, "invalid_request"),
    "an empty input": ({"model": MODEL, "input": []}, 400, "invalid_request"),
    "neither model nor agent": ({"input": "x"}, 400, "invalid_request"),
    "model and agent": ({"model": MODEL, "agent": "a", "input": "x"}, 400, "invalid_request"),
    "a background run that is not stored": (
        {"model": MODEL, "input": "x", "background": True, "store": False},
        400,
        "invalid_request",
    ),
    "contents and steps mixed": (
        {"model": MODEL, "input": [{"type": "text", "text": "x"}, {"type": "user_input", "content": []}]},
        400,
        "invalid_request",
    ),
    "data that is no base64": (
        {"model": MODEL, "input": {"type": "image", "mime_type": "image/png", "data": "a?=="}},
        400,
        "invalid_request",
    ),
    "a made-up continuation": ({"model": MODEL, "continuation_token": "t"}, 400, "invalid_request"),
    "an unknown interaction": ({"model": MODEL, "input": "x", "previous_interaction_id": "v1_no"}, 404, "not_found"),
    "an unknown file": (
        {"model": MODEL, "input": {"type": "video", "uri": "https://h/v1/files/nope"}},
        403,
        "permission_denied",
    ),
}


@pytest.mark.parametrize(("body", "status", "code"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_gemini_would_not_take_is_refused(body: dict[str, Any], status: int, code: str) -> None:
    async with offline_model(pace=0) as server, aiohttp.ClientSession() as session:
        response = await session.post(f"{server.url}/v1/interactions", json=body, headers={"x-goog-api-key": "k"})
        answer = await response.json()

    assert (response.status, answer["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/interactions"), ("GET", "/v1/interactions/v1_x"), ("POST", "/upload/v1/files")],
)
async def test_nothing_is_answered_without_a_key(method: str, path: str) -> None:
    async with offline_model() as server, aiohttp.ClientSession() as session:
        response = await session.request(method, server.url + path)

    assert response.status == 401


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("/v1/interactions", b"{", 400), ("/v1/interactions", b"[]", 400), ("/v2/interactions", b"{}", 404)],
    ids=["broken JSON", "no object", "another version"],
)
async def test_nonsense_is_refused_in_the_apis_words(path: str, body: bytes, status: int) -> None:
    async with offline_model() as server, aiohttp.ClientSession() as session:
        response = await session.post(server.url + path, data=body, headers={"x-goog-api-key": "k"})
        answer = await response.json()

    assert response.status == status
    assert answer["error"]["code"]


async def test_half_a_character_does_not_break_the_answer() -> None:
    async with offline_model(pace=0) as server, aiohttp.ClientSession() as session:
        body = b'{"model": "m", "input": "half \\ud83d of a smile", "stream": true}'
        response = await session.post(f"{server.url}/v1/interactions", data=body, headers={"x-goog-api-key": "k"})
        text = await response.text()

    assert response.status == 200
    assert "interaction.completed" in text


async def test_twenty_threads_at_once_do_not_mix() -> None:
    async with offline_model(pace=0.001) as server, sdk_on(server) as sdk:

        async def converse(name: str) -> Heard:
            first = await sdk.ask(f"I am {name}")
            return await sdk.ask("who am I?", previous_interaction_id=first.id)

        answers = await asyncio.gather(*(converse(f"guest {number} of twenty") for number in range(20)))

    for number, heard in enumerate(answers):
        assert f"I am guest {number} of twenty" in heard.text
        assert heard.text.count("I am guest") == 1
