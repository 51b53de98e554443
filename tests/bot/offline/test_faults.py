"""Every way in which the offline model can be made to go wrong, as the real SDK meets it."""

import asyncio
import json
from collections.abc import Sequence

import aiohttp
import pytest
from google.genai import _interactions as ix

from bot.offline import (
    Afterwards,
    Call,
    CitationFault,
    ContinuationFault,
    CutFault,
    DropFault,
    EmptyFault,
    ErrorEventFault,
    ErrorShape,
    Fault,
    Faults,
    FinalStatusFault,
    ForgetFault,
    FunctionCallFault,
    ImageFault,
    InProgressFault,
    OfflineModel,
    PingFault,
    ResetFault,
    SlowFault,
    StallAt,
    StallFault,
    StatusFault,
    ThoughtFault,
    UndecodableFault,
    UnknownFault,
    offline_model,
)
from tests.bot.offline.sdk import MODEL, Heard, Sdk, listen, sdk_on

# What the SDK says once to whoever posts the hops himself, as these tests do.
pytestmark = pytest.mark.filterwarnings("ignore:Interaction stopped before completion:UserWarning")

QUESTION = "please repeat these few words"


async def heard_with(fault: Fault) -> Heard:
    """A streamed answer that meets the fault."""
    faults = Faults()
    faults.arm(fault)
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        return await sdk.ask(QUESTION)


# --- arming ------------------------------------------------------------------------------------


async def test_faults_are_met_in_the_order_and_as_often_as_they_were_armed() -> None:
    faults = Faults()
    faults.arm(StatusFault(503), times=2)
    faults.arm(StatusFault(429))
    statuses: list[int | None] = []
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        for _ in range(3):
            with pytest.raises(ix.APIStatusError) as refused:
                await sdk.ask(QUESTION)
            statuses.append(refused.value.status_code)
        heard = await sdk.ask(QUESTION)

    assert statuses == [503, 503, 429]
    assert heard.status == "completed"
    assert faults.taken == [StatusFault(503), StatusFault(503), StatusFault(429)]


async def test_faults_for_the_background_are_met_there_alone_and_before_those_of_every_create_and_get() -> None:
    faults = Faults()
    for status, call in ((502, Call.BEGIN), (429, Call.CREATE), (504, Call.LOOK), (503, Call.GET)):
        faults.arm(StatusFault(status), on=call)
    statuses: list[int | None] = []
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        for _ in range(2):
            with pytest.raises(ix.APIStatusError) as refused:
                await sdk.create(QUESTION, background=True)
            statuses.append(refused.value.status_code)
        begun, answered = await sdk.create(QUESTION, background=True), await sdk.create(QUESTION)
        for id_ in (answered.id, begun.id):
            with pytest.raises(ix.APIStatusError) as refused:
                await sdk.get(id_)
            statuses.append(refused.value.status_code)

    assert statuses == [502, 429, 503, 504]


async def test_a_fault_armed_for_ever_ends_when_it_is_disarmed() -> None:
    faults = Faults()
    faults.arm(StatusFault(503), times=None)
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        for _ in range(3):
            with pytest.raises(ix.InternalServerError):
                await sdk.ask(QUESTION)
        faults.disarm()
        heard = await sdk.ask(QUESTION)

    assert heard.status == "completed"


async def test_no_prompt_can_arm_a_fault() -> None:
    async with offline_model(pace=0) as server, sdk_on(server) as sdk:
        for prompt in ("StatusFault(503)", "!fault 503", "please fail with an error", "stall forever"):
            assert (await sdk.ask(prompt)).status == "completed"


def test_a_fault_is_not_armed_where_it_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="EmptyFault cannot be armed on get"):
        Faults().arm(EmptyFault(), on=Call.GET)


# --- refusals ----------------------------------------------------------------------------------

STATUSES: dict[str, tuple[StatusFault, type[ix.APIStatusError], str]] = {
    "400": (StatusFault(400), ix.BadRequestError, "invalid_request"),
    "401": (StatusFault(401), ix.AuthenticationError, "authentication"),
    "402": (StatusFault(402), ix.APIStatusError, "payment_required"),
    "403": (StatusFault(403), ix.PermissionDeniedError, "permission_denied"),
    "404 for a model": (StatusFault(404, code="model_not_found"), ix.NotFoundError, "model_not_found"),
    "429": (StatusFault(429), ix.RateLimitError, "rate_limit_exceeded"),
    "429 for the day": (StatusFault(429, code="quota_exceeded"), ix.RateLimitError, "quota_exceeded"),
    "429 in Google's shape": (StatusFault(429, shape=ErrorShape.GOOGLE), ix.RateLimitError, "RESOURCE_EXHAUSTED"),
    "500": (StatusFault(500), ix.InternalServerError, "api_error"),
    "503 as a page": (StatusFault(503, shape=ErrorShape.HTML), ix.InternalServerError, "<html>"),
    "504": (StatusFault(504), ix.InternalServerError, "deadline_exceeded"),
    "a safety block": (StatusFault(400, code="prohibited_content"), ix.BadRequestError, "prohibited_content"),
}


@pytest.mark.parametrize(("fault", "error", "said"), STATUSES.values(), ids=STATUSES.keys())
async def test_an_error_status_is_raised_by_the_sdk(fault: StatusFault, error: type[Exception], said: str) -> None:
    faults = Faults()
    faults.arm(fault, times=2)
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        with pytest.raises(error) as streamed:
            await sdk.ask(QUESTION)
        with pytest.raises(error) as plain:
            await sdk.create(QUESTION)

    for refused in (streamed.value, plain.value):
        assert isinstance(refused, ix.APIStatusError)
        assert refused.status_code == fault.status
        assert said in str(refused.body)


async def test_a_refusal_says_when_to_come_back() -> None:
    faults = Faults()
    faults.arm(StatusFault(429, retry_after="3600"))
    faults.arm(StatusFault(429, retry_after_ms="250"))
    faults.arm(StatusFault(429, retry_delay="3s", shape=ErrorShape.GOOGLE))
    refusals: list[ix.RateLimitError] = []
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        for _ in range(3):
            with pytest.raises(ix.RateLimitError) as refused:
                await sdk.ask(QUESTION)
            refusals.append(refused.value)

    in_seconds, in_milliseconds, in_body = refusals
    assert in_seconds.response.headers["retry-after"] == "3600"
    assert in_milliseconds.response.headers["retry-after-ms"] == "250"
    assert "'retryDelay': '3s'" in str(in_body.body)


@pytest.mark.parametrize(
    ("status", "error"), [(404, ix.NotFoundError), (403, ix.PermissionDeniedError), (400, ix.BadRequestError)]
)
async def test_forgotten_interactions_are_refused_in_the_variant_that_was_armed(
    status: int, error: type[ix.APIStatusError]
) -> None:
    faults = Faults()
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        first = await sdk.ask(QUESTION)
        faults.arm(ForgetFault(status))  # type: ignore[arg-type]  # parametrized with the three it takes
        with pytest.raises(error) as refused:
            await sdk.ask("and?", previous_interaction_id=first.id)
        with pytest.raises(error):
            await sdk.get(first.id)
        fresh = await sdk.ask("and now?")
        after = await sdk.ask("and then?", previous_interaction_id=fresh.id)

    assert "interaction" in str(refused.value.body)
    assert first.id in str(refused.value.body)
    assert after.status == "completed"


# --- answers of another kind -------------------------------------------------------------------


async def test_an_empty_answer_is_completed_and_holds_nothing() -> None:
    heard = await heard_with(EmptyFault())

    assert heard.status == "completed"
    assert heard.kinds == ["interaction.created", "interaction.status_update", "interaction.completed"]


@pytest.mark.parametrize("status", ["failed", "incomplete", "budget_exceeded", "cancelled"])
async def test_an_answer_can_end_with_any_status(status: str) -> None:
    fault = FinalStatusFault(status, errors=(("recitation", "too close"),), after=3)  # type: ignore[arg-type]
    faults = Faults()
    faults.arm(fault, times=2)
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        heard = await sdk.ask(QUESTION)
        stored = await sdk.get(heard.id)
        plain = await sdk.create(QUESTION)

    assert heard.status == stored.status == plain.status == status
    assert [(error.code, error.message) for error in stored.errors or []] == [("recitation", "too close")]
    assert stored.output_text == heard.text == plain.output_text
    assert len(heard.text.split()) == 3


async def test_an_answer_can_fail_before_a_word() -> None:
    heard = await heard_with(FinalStatusFault("failed", errors=(("safety", "no"),), after=0))

    assert (heard.status, heard.text) == ("failed", "")


async def test_only_a_get_tells_the_errors_when_the_event_is_not_to() -> None:
    faults = Faults()
    faults.arm(FinalStatusFault("failed", errors=(("safety", "no"),), errors_in_event=False))
    async with offline_model(pace=0, faults=faults) as server, aiohttp.ClientSession() as session:
        key = {"x-goog-api-key": "k"}
        body = {"model": MODEL, "input": QUESTION, "stream": True}
        told = await (await session.post(f"{server.url}/v1/interactions", json=body, headers=key)).text()
        id_ = server.requests[-1].interaction
        stored = await (await session.get(f"{server.url}/v1/interactions/{id_}", headers=key)).json()

    assert '"status":"failed"' in told
    assert "safety" not in told
    assert stored["errors"] == [{"code": "safety", "message": "no"}]


async def test_a_function_call_comes_with_its_arguments_and_its_result_is_answered() -> None:
    faults = Faults()
    faults.arm(FunctionCallFault(name="weather", arguments=(("city", "Zürich"),)))
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        heard = await sdk.ask(QUESTION)
        (call,) = heard.steps
        arguments = "".join(delta.arguments for delta in heard.deltas)
        result = {"type": "function_result", "call_id": call.id, "name": call.name, "result": "sunny"}
        after = await sdk.ask([result], previous_interaction_id=heard.id)

    assert heard.status == "requires_action"
    assert (call.type, call.name) == ("function_call", "weather")
    assert json.loads(arguments) == {"city": "Zürich"}
    assert "sunny" in after.text


async def test_a_picture_comes_with_the_answer() -> None:
    faults = Faults()
    faults.arm(ImageFault())
    faults.arm(ImageFault(with_text=False))
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        both = await sdk.ask(QUESTION)
        alone = await sdk.ask(QUESTION)
        stored = await sdk.get(alone.id)

    assert both.text
    assert alone.text == ""
    for heard in (both, alone):
        (image,) = heard.deltas
        assert (image.type, image.mime_type) == ("image", "image/png")
        assert image.data.startswith("iVBORw0KGgo")
    assert stored.output_image is not None


async def test_a_searched_answer_cites_bytes_of_its_text_and_suggests_searches() -> None:
    heard = await heard_with(CitationFault())

    call, result, annotation = heard.deltas
    assert [step.type for step in heard.steps] == ["google_search_call", "google_search_result", "model_output"]
    assert call.arguments.queries == ["Zürich"]
    assert "google.com/search" in result.result[0].search_suggestions
    (citation,) = annotation.annotations
    assert (citation.start_index, citation.end_index) == (0, len(heard.text.encode()))
    assert citation.end_index > len(heard.text)


async def test_a_thought_comes_with_its_summary_and_signature() -> None:
    faults = Faults()
    faults.arm(ThoughtFault(summary="Hm.", signature="YWJj"))
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        heard = await sdk.ask(QUESTION)
        stored = await sdk.get(heard.id)

    summary, signature = heard.deltas
    assert (summary.content.text, signature.signature) == ("Hm.", "YWJj")
    assert heard.text
    assert [step.type for step in stored.steps or []] == ["thought", "model_output"]


async def test_a_long_answer_takes_several_hops() -> None:
    faults = Faults()
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        whole = await sdk.ask(QUESTION)
        faults.arm(ContinuationFault(hops=3))
        hops = [await sdk.ask(QUESTION)]
        while (last := hops[-1]).token:
            more = {"continuation_token": last.token, "previous_interaction_id": last.id}
            hops.append(await sdk.ask(None, **more))
        after = await sdk.ask("recall", previous_interaction_id=hops[-1].id)

    assert [hop.status for hop in hops] == ["requires_continuation", "requires_continuation", "completed"]
    assert "".join(hop.text for hop in hops) == whole.text
    assert QUESTION in after.text


@pytest.mark.parametrize("store", [True, False], ids=["stored", "not stored"])
async def test_the_sdk_itself_follows_the_hops(store: bool) -> None:
    faults = Faults()
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        whole = await sdk.create(QUESTION)
        faults.arm(ContinuationFault(), times=2)
        once = await sdk.create(QUESTION, store=store)
        faults.disarm()
        faults.arm(ContinuationFault())
        async with await sdk.open(QUESTION, store=store) as stream:
            heard = await listen(stream)

    assert once.status == heard.status == "completed"
    assert heard.text == whole.output_text
    parts = [part for step in once.steps or [] for part in getattr(step, "content", None) or []]  # a thought has none
    assert "".join(part.text for part in parts) == whole.output_text


async def test_a_continuation_belongs_to_the_interaction_it_was_given_for() -> None:
    faults = Faults()
    faults.arm(ContinuationFault())
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        hop = await sdk.ask(QUESTION)
        other = await sdk.ask(QUESTION)
        with pytest.raises(ix.BadRequestError):
            await sdk.ask(None, continuation_token=hop.token, previous_interaction_id=other.id)


async def test_unknown_events_steps_and_deltas_come_among_the_known_ones() -> None:
    heard = await heard_with(UnknownFault())

    assert "UNKNOWN" in heard.kinds
    assert "UNKNOWN" in [step.type for step in heard.steps]
    assert "UNKNOWN" in heard.delta_types
    assert heard.status == "completed"
    assert "few words" in heard.text


async def test_a_line_that_is_no_json_comes_in_the_middle() -> None:
    heard = await heard_with(UndecodableFault())

    assert heard.kinds.count("undecodable") == 1
    assert heard.status == "completed"


async def test_a_slow_answer_takes_its_time_between_pieces() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0)

    faults = Faults()
    faults.arm(SlowFault(pace=3.5))
    async with offline_model(pace=0, faults=faults, sleep=sleep) as server, sdk_on(server) as sdk:
        heard = await sdk.ask(QUESTION)

    assert heard.status == "completed"
    assert set(waited) == {3.5}
    assert len(waited) > 10


# --- answers that do not come through ----------------------------------------------------------


async def broken(sdk: Sdk, server: OfflineModel) -> tuple[Heard, str]:
    """Ask, hear what there is to hear, and the id of the interaction it was."""
    heard = Heard()
    try:
        async with await sdk.open(QUESTION) as stream:
            await listen(stream, heard)
    except ix.APIConnectionError:
        heard.error = "connection"
    (request,) = await server.received(method="POST")
    return heard, request.interaction or ""


BREAKS: dict[str, tuple[Fault, str | None, int]] = {
    "error event": (ErrorEventFault(code="overloaded"), "overloaded", 2),
    "blocked": (ErrorEventFault(code="safety", after=0), "safety", 0),
    "bare error": (ErrorEventFault(code="api_error", bare=True, after=3), "api_error", 3),
    "clean cut": (CutFault(), None, 2),
    "cut before a word": (CutFault(after=0), None, 0),
    "reset": (ResetFault(after=4), "connection", 4),
}


@pytest.mark.parametrize(("fault", "error", "pieces"), BREAKS.values(), ids=BREAKS.keys())
async def test_an_answer_breaks_off_where_it_is_to(fault: Fault, error: str | None, pieces: int) -> None:
    faults = Faults()
    faults.arm(fault)
    async with asyncio.timeout(30), offline_model(pace=0.001, faults=faults) as server, sdk_on(server) as sdk:
        heard, _ = await broken(sdk, server)

    assert heard.error == error
    assert "interaction.completed" not in heard.kinds
    assert len(heard.text.split()) == pieces


AFTERWARDS = {
    "error event": ErrorEventFault,
    "clean cut": CutFault,
    "reset": ResetFault,
    "dropped before the headers": DropFault,
}


@pytest.mark.parametrize("pace", [0, 0.001], ids=["at once", "piece by piece"])
@pytest.mark.parametrize("afterwards", Afterwards)
@pytest.mark.parametrize("fault", AFTERWARDS.values(), ids=AFTERWARDS.keys())
async def test_what_becomes_of_a_broken_answer_is_chosen(
    fault: type[ErrorEventFault | CutFault | ResetFault | DropFault], afterwards: Afterwards, pace: float
) -> None:
    faults = Faults()
    faults.arm(fault(afterwards=afterwards))
    async with asyncio.timeout(30), offline_model(pace=pace, faults=faults) as server, sdk_on(server) as sdk:
        _, id_ = await broken(sdk, server)
        await found_afterwards(sdk, server, id_, afterwards)


async def found_afterwards(sdk: Sdk, server: OfflineModel, id_: str, afterwards: Afterwards) -> None:
    """Whether a get tells what was to become of the interaction."""
    match afterwards:
        case Afterwards.UNKNOWN:
            with pytest.raises(ix.NotFoundError):
                await sdk.get(id_)
        case Afterwards.COMPLETED:
            assert await server.settled(id_) == "completed"
            assert QUESTION in ((await sdk.get(id_)).output_text or "")
        case Afterwards.IN_PROGRESS:
            assert [(await sdk.get(id_)).status for _ in range(3)] == ["in_progress"] * 3
            with pytest.raises(ix.BadRequestError):
                await sdk.create("and?", previous_interaction_id=id_)
            assert (await sdk.cancel(id_)).status == "cancelled"
        case Afterwards.FAILED | Afterwards.CANCELLED:
            assert (await sdk.get(id_)).status == afterwards.value
            async with await sdk.follow(id_) as again:
                assert (await listen(again)).status == afterwards


STALLS: dict[str, tuple[StallFault | PingFault, Sequence[str]]] = {
    "before the headers": (StallFault(at=StallAt.HEADERS), ()),
    "before the first event": (StallFault(at=StallAt.FIRST_EVENT), ()),
    "in the middle": (StallFault(after=1), ("interaction.created", "step.start", "step.delta")),
    "with pings": (PingFault(after=1, every=0.005), ("interaction.created", "step.start", "step.delta")),
}


@pytest.mark.parametrize(("fault", "kinds"), STALLS.values(), ids=STALLS.keys())
async def test_a_stalled_answer_goes_on_when_it_is_released(
    fault: StallFault | PingFault, kinds: Sequence[str]
) -> None:
    faults = Faults()
    faults.arm(fault)
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        asking = asyncio.ensure_future(sdk.ask(QUESTION))
        await faults.stalled()
        assert not asking.done()
        faults.release()
        heard = await asking

    assert heard.status == "completed"
    assert set(kinds) <= set(heard.kinds)


async def test_a_stall_can_end_by_itself() -> None:
    heard = await heard_with(StallFault(seconds=0.01))

    assert heard.status == "completed"


@pytest.mark.parametrize(
    "fault", [StallFault(at=StallAt.HEADERS), StallFault(at=StallAt.FIRST_EVENT), StallFault(), PingFault()]
)
async def test_a_client_can_leave_a_stalled_answer_which_is_finished_all_the_same(fault: Fault) -> None:
    faults = Faults()
    faults.arm(fault)
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        asking = asyncio.ensure_future(sdk.ask(QUESTION))
        await faults.stalled()
        asking.cancel()
        (left,) = await server.hung_up()
        assert await server.settled(left.interaction or "") == "completed"


@pytest.mark.parametrize("afterwards", Afterwards)
@pytest.mark.parametrize("fault", [StallFault, PingFault])
async def test_what_becomes_of_an_answer_left_in_a_stall_is_chosen(
    fault: type[StallFault | PingFault], afterwards: Afterwards
) -> None:
    faults = Faults()
    faults.arm(fault(after=1, afterwards=afterwards))
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        async with await sdk.open(QUESTION) as stream:
            heard = await listen(stream, pieces=1)
        await server.hung_up()
        if afterwards in {Afterwards.FAILED, Afterwards.CANCELLED}:
            await server.settled(heard.id)
        await found_afterwards(sdk, server, heard.id, afterwards)


async def test_who_follows_an_answer_that_hangs_for_ever_waits_until_it_is_cancelled() -> None:
    faults = Faults()
    faults.arm(CutFault(after=1, afterwards=Afterwards.IN_PROGRESS))
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        cut = await sdk.ask(QUESTION)
        async with await sdk.follow(cut.id) as stream:
            heard = await listen(stream, pieces=1)
            await sdk.cancel(cut.id)
            await listen(stream, heard)

    assert heard.status == "cancelled"
    assert heard.text == cut.text


async def test_who_follows_an_answer_that_is_lost_hears_its_stream_end() -> None:
    faults = Faults()
    faults.arm(StallFault(after=1, afterwards=Afterwards.UNKNOWN))
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        async with await sdk.open(QUESTION) as asked:
            heard = await listen(asked, pieces=1)
            follower = await sdk.follow(heard.id)
            await listen(follower, pieces=1)
        async with follower:
            rest = await listen(follower)

    assert rest.kinds == []


async def test_pings_keep_coming_while_nothing_else_does() -> None:
    faults = Faults()
    faults.arm(PingFault(after=1, every=0.001))
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, aiohttp.ClientSession() as session:
        body = {"model": MODEL, "input": QUESTION, "stream": True}
        async with session.post(
            f"{server.url}/v1/interactions", json=body, headers={"x-goog-api-key": "k"}
        ) as response:
            pings = 0
            async for line in response.content:
                pings += line == b": ping\n"
                if pings == 3:
                    break


@pytest.mark.parametrize("fault", [ResetFault(), CutFault(), DropFault()])
async def test_an_answer_without_a_stream_is_lost_with_its_connection_and_kept(fault: Fault) -> None:
    faults = Faults()
    faults.arm(fault)
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        with pytest.raises(ix.APIConnectionError):
            await sdk.create(QUESTION)
        id_ = server.requests[-1].interaction or ""
        assert (await sdk.get(id_)).status == "completed"

    assert not server.requests[0].disconnected


async def test_an_error_event_is_a_server_error_where_there_is_no_stream() -> None:
    faults = Faults()
    faults.arm(ErrorEventFault(code="safety"))
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        with pytest.raises(ix.InternalServerError, match="safety"):
            await sdk.create(QUESTION)


# --- gets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "error"), [(404, ix.NotFoundError), (503, ix.InternalServerError)])
async def test_a_get_can_fail_and_a_later_one_not(status: int, error: type[Exception]) -> None:
    faults = Faults()
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        heard = await sdk.ask(QUESTION)
        faults.arm(StatusFault(status), on=Call.GET)
        with pytest.raises(error):
            await sdk.get(heard.id)
        assert (await sdk.get(heard.id)).status == "completed"


async def test_a_get_says_in_progress_for_so_many_polls() -> None:
    faults = Faults()
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        heard = await sdk.ask(QUESTION)
        faults.arm(InProgressFault(), times=2)
        statuses = [(await sdk.get(heard.id)).status for _ in range(3)]

    assert statuses == ["in_progress", "in_progress", "completed"]


@pytest.mark.parametrize("fault", [DropFault(), ResetFault(), CutFault()])
async def test_a_get_can_lose_its_connection(fault: Fault) -> None:
    faults = Faults()
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        heard = await sdk.ask(QUESTION)
        faults.arm(fault, on=Call.GET)
        with pytest.raises(ix.APIConnectionError):
            await sdk.get(heard.id)


@pytest.mark.parametrize(
    ("fault", "error"), [(CutFault(after=3), None), (ErrorEventFault(code="gone", after=3), "gone")]
)
async def test_a_resumed_stream_can_break_as_well(fault: Fault, error: str | None) -> None:
    faults = Faults()
    async with asyncio.timeout(30), offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        heard = await sdk.ask(QUESTION)
        faults.arm(fault, on=Call.GET)
        async with await sdk.follow(heard.id) as stream:
            again = await listen(stream)

    assert len(again.text.split()) == 3
    assert (again.status, again.error) == ("in_progress", error)


async def test_a_get_can_find_everything_forgotten() -> None:
    faults = Faults()
    async with offline_model(pace=0, faults=faults) as server, sdk_on(server) as sdk:
        heard = await sdk.ask(QUESTION)
        faults.arm(ForgetFault(403), on=Call.GET)
        with pytest.raises(ix.PermissionDeniedError):
            await sdk.get(heard.id)
