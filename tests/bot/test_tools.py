"""Which tools are offered where, and what comes of them: read from a stream, fetched, and sent back alike."""

import json
from dataclasses import replace
from typing import Any

import pytest
from google import genai
from google.genai.types import HttpOptions

from bot.answers import ASKING, Answer, AnswerEvent, Completed, Created, Draft, Manner, Text, TextPiece, Tool, ToolUse
from bot.errors import QuestionRejected
from bot.evidence import Citation, Run, Suggestion
from bot.gemini import open_model
from bot.interactions import Hop, read_fetched
from bot.messages import InteractionId, Platform, Thread, TurnState
from bot.notices import UNOPENED, toolless_remark
from bot.offline import CitationFault, Faults, offline_model
from bot.offline.faults import Indexes
from bot.policy import Policy
from bot.tools import NO_TOOLS, Toolbox, names_of, words_for
from tests.support.calling import Desk
from tests.support.core import PATIENT, core
from tests.support.scripted import answer, completed

SEARCH: Tool = {"type": "google_search"}
PAGES: Tool = {"type": "url_context"}
MAPS: Tool = {"type": "google_maps", "latitude": 47.4}
HERE: Tool = {"type": "google_maps", "latitude": 0.0}
SERVER: Tool = {"type": "mcp_server", "name": "tickets", "url": "https://mcp.example.org/"}
OTHER: Tool = {**SERVER, "name": "wiki"}
BOX = Toolbox(
    everywhere=(PAGES, MAPS, SERVER),
    search_channels=frozenset({"C1", "C3"}),
    channels={"C2": (HERE, OTHER), "C3": (SEARCH,)},
)


@pytest.mark.parametrize(
    ("box", "channel", "is_private", "tools"),
    [
        pytest.param(NO_TOOLS, "C1", False, (), id="no tools at all"),
        pytest.param(BOX, "C0", False, (PAGES, MAPS, SERVER), id="what is offered everywhere"),
        pytest.param(BOX, "C1", False, (PAGES, MAPS, SERVER, SEARCH), id="a channel with search"),
        pytest.param(BOX, "C2", False, (PAGES, SERVER, HERE, OTHER), id="a channel's own take the place of their like"),
        pytest.param(BOX, "C3", False, (PAGES, MAPS, SERVER, SEARCH), id="search once"),
        pytest.param(BOX, "C1", True, (PAGES, SERVER), id="what keeps nothing, in private"),
    ],
)
def test_a_thread_is_offered_what_its_channel_is(
    box: Toolbox, channel: str, is_private: bool, tools: tuple[Tool, ...]
) -> None:
    thread = Thread(Platform("slack"), "T1", channel, "1700000000.000100")

    assert box.offered_in(thread, is_private=is_private) == tools


def test_tools_are_named_for_the_log_and_put_into_words_for_people() -> None:
    tools = (SEARCH, SERVER, {"type": "telepathy"})

    assert names_of(tools) == ("google_search", "mcp_server tickets", "telepathy")
    words = words_for(tools)
    assert "Google Search" in words
    assert "`tickets`" in words
    assert "mcp.example.org" not in words
    assert words_for(()) == ""


QUESTIONS = [
    pytest.param("search for Zürich café", id="a search"),
    pytest.param("run code", id="code"),
    pytest.param("see https://example.org/a", id="a link"),
]


@pytest.mark.parametrize("question", QUESTIONS)
async def test_an_answer_with_tools_is_the_same_streamed_and_fetched_and_is_sent_back_as_it_came(question: str) -> None:
    tools: tuple[Tool, ...] = (SEARCH, PAGES, {"type": "code_execution"})
    async with (
        offline_model(pace=0, new_id=lambda: "the same every time") as server,
        open_model(api_key="key", model="m", base_url=server.url) as model,
    ):
        asked = (Text(question),)
        events = [event async for event in model.answer(asked, after=None, manner=Manner(tools=tools))]
        last = events[-1]
        assert isinstance(last, Completed)
        found = await model.look_up(last.interaction)
        private = [
            event
            async for event in model.answer(
                asked, after=None, manner=Manner(is_stored=False, tools=(PAGES, *tools[2:]))
            )
        ]
        client = genai.Client(api_key="key", http_options=HttpOptions(base_url=server.url))
        offered: Any = [dict(tool) for tool in (PAGES, *tools[2:])]
        whole: Any = await client.aio.interactions.create(model="m", input=question, tools=offered, store=False)
        await client.aio.aclose()
        client.close()

    assert answer_of(found.events) == answer_of(events)
    assert answer_of(events).citations or answer_of(events).runs
    assert isinstance(private[-1], Completed)
    ours = [json.loads(step.json) for step in private[-1].steps]
    assert ours == [step.model_dump(mode="json", exclude_none=True) for step in whole.steps]


async def test_the_offline_model_uses_nothing_that_it_is_not_offered() -> None:
    async with offline_model(pace=0) as server, open_model(api_key="key", model="m", base_url=server.url) as model:
        events = [event async for event in model.answer((Text("search for figs, run code"),), after=None)]

    assert not any(isinstance(event, ToolUse) for event in events)


@pytest.mark.parametrize("indexes", ["bytes", "characters", "beyond", "inside"])
async def test_wherever_indexes_point_sources_keep_an_order_and_the_text_stays_whole(indexes: Indexes) -> None:
    text = "Grüße 🧶 aus Zürich, 日本語."
    more = (("Grüße", "https://example.org/first", "First"),)
    fault = CitationFault(text=text, url="https://example.org/all", title="All", more=more, indexes=indexes)
    faults = Faults()
    faults.arm(replace(fault, more=(("Zürich", "https://example.org/later", "Later"), *more)))
    async with (
        offline_model(pace=0, faults=faults) as server,
        open_model(api_key="key", model="m", base_url=server.url) as model,
    ):
        events = [event async for event in model.answer((Text("hello"),), after=None)]
        last = events[-1]
        assert isinstance(last, Completed)
        found = await model.look_up(last.interaction)

    answer = answer_of(events)
    assert answer == answer_of(found.events)
    assert answer.text == text
    titles = [citation.title for citation in answer.citations]
    assert sorted(filter(None, titles)) == ["All", "First", "Later"]
    assert indexes in {"beyond", "inside"} or titles == ["All", "First", "Later"]


def answer_of(events: Any) -> Answer:
    draft = Draft()
    for event in events:
        draft.add(event)
    return draft.answer


def read(*events: dict[str, Any]) -> list[AnswerEvent]:
    hop = Hop()
    return [told for event in events for told in hop.read(event)]


def started(step: dict[str, Any]) -> dict[str, Any]:
    return {"event_type": "step.start", "index": 0, "step": step}


def more(delta: dict[str, Any]) -> dict[str, Any]:
    return {"event_type": "step.delta", "index": 0, "delta": delta}


STOP = {"event_type": "step.stop", "index": 0}
CALL = {"type": "code_execution_call", "id": "c1", "arguments": {"code": "print(1)", "language": "python"}}


@pytest.mark.parametrize(
    "told",
    [
        pytest.param([started(CALL), STOP], id="whole at its start"),
        pytest.param([more(CALL), STOP], id="whole in a delta, without a start"),
        pytest.param([started(CALL), more(CALL), STOP], id="both"),
        pytest.param(
            [started({**CALL, "arguments": {}})]
            + [more({"type": CALL["type"], "arguments": {"code": piece}}) for piece in ("print", "(1)")]
            + [more({"type": CALL["type"], "arguments": {"language": "python"}}), STOP],
            id="in pieces",
        ),
        pytest.param([started(CALL), {"event_type": "interaction.completed", "interaction": {}}], id="without its end"),
    ],
)
def test_code_is_read_however_it_is_told(told: list[dict[str, Any]]) -> None:
    assert answer_of(read(*told)).runs == (Run("print(1)", "python"),)


@pytest.mark.parametrize(
    ("result", "output"),
    [
        pytest.param("1\n", "1\n", id="a text"),
        pytest.param(
            [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}], "ab", id="contents"
        ),
        pytest.param(None, "", id="nothing"),
    ],
)
def test_what_code_printed_is_read_from_a_fetched_interaction(result: object, output: str) -> None:
    steps = [CALL, {"type": "code_execution_result", "call_id": "c1", "result": result, "is_error": True}]
    fetched = read_fetched(json.dumps({"id": "v1_a", "status": "completed", "steps": steps}).encode())

    assert fetched is not None
    assert answer_of(fetched.content).runs == (Run("print(1)", "python", output, is_error=True),)


@pytest.mark.parametrize(
    "step",
    [
        {"type": "code_execution_call", "arguments": "print"},
        {"type": "code_execution_call", "arguments": {"code": 7}},
        {"type": "google_search_call", "arguments": {"queries": [None, 4, " "]}},
        {"type": "google_search_call", "arguments": []},
        {"type": "google_search_result", "result": [None, {"search_suggestions": 3}]},
        {"type": "google_search_result", "result": "x"},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_passed_over(step: dict[str, Any]) -> None:
    assert answer_of(read(started(step), STOP)) == Answer(
        tool=step["type"].removesuffix("_call") if "call" in step["type"] else None
    )


def test_a_server_of_tools_is_told_by_its_name_and_a_place_and_a_file_by_theirs() -> None:
    notes = [
        {"type": "place_citation", "url": "https://maps.google.com/?cid=1", "name": "Café", "start_index": 9},
        {"type": "file_citation", "document_uri": "fileSearchStores/s/documents/d", "file_name": "d.pdf"},
        {"type": "url_citation", "url": "ftp://example.org/", "start_index": True},
    ]
    events = read(
        started({"type": "mcp_server_tool_call", "server_name": "tickets", "name": "find"}),
        more({"type": "text_annotation_delta", "annotations": notes}),
        started({"type": "google_search_call", "arguments": {"queries": ["figs"]}}),
        STOP,
    )

    assert events == [
        ToolUse(f"{ASKING}tickets"),
        Citation("https://maps.google.com/?cid=1", "Café (Google Maps)", 9),
        Citation("", "d.pdf"),
        ToolUse("google_search"),
        Suggestion("figs"),
    ]


# --- around one turn --------------------------------------------------------------------------

PAGES_EVERYWHERE = Toolbox(everywhere=(PAGES, SEARCH))
TOOLLESS = toolless_remark((PAGES, SEARCH))


async def test_words_are_asked_with_tools_and_pictures_and_summaries_without() -> None:
    async with core(toolbox=PAGES_EVERYWHERE, limits=replace(PATIENT, chain_turns=2)) as clew:
        for number, text in enumerate(("one", "imagine: two", "three", "four"), 1):
            await clew.says(text)
            await clew.ended(number)

    asked = [(one.text.split()[0], bool(one.manner.tools)) for one in clew.model.asked]
    assert asked == [("one", True), ("two", False), ("Sum", False), ("three", True), ("four", True)]


async def test_a_private_thread_is_offered_what_keeps_nothing() -> None:
    async with core(toolbox=PAGES_EVERYWHERE, policy=Policy(private=True)) as clew:
        await clew.says("one")
        await clew.ended(1)

    assert [one.manner.tools for one in clew.model.asked] == [(PAGES,)]


@pytest.mark.parametrize(
    ("text", "refusals", "tools", "remarks"),
    [
        pytest.param("one", 1, [2, 0], [TOOLLESS], id="words"),
        pytest.param("see https://youtu.be/abcdefghijk", 1, [2, 2], [UNOPENED], id="a link, which goes first"),
        pytest.param(
            "see https://youtu.be/abcdefghijk", 2, [2, 2, 0], [UNOPENED, TOOLLESS], id="a link and then tools"
        ),
    ],
)
async def test_a_rejected_question_is_asked_without_tools_before_it_is_given_up(
    text: str, refusals: int, tools: list[int], remarks: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with core(toolbox=PAGES_EVERYWHERE, links=True) as clew:
        for _ in range(refusals):
            clew.model.will(QuestionRejected("invalid_request", chained=False))
        clew.model.will(Created(InteractionId("i1")), TextPiece("Here."), completed("i1"))
        await clew.says(text)
        (turn,) = await clew.ended(1)

    assert [len(one.manner.tools) for one in clew.model.asked] == tools
    assert turn.state is TurnState.ANSWERED
    assert [remark for remark in (UNOPENED, TOOLLESS) if remark in clew.shown()[0]] == remarks
    named = [getattr(record, "tools", "") for record in caplog.records]
    assert ("url_context, google_search" in named) is (TOOLLESS in remarks)


async def test_a_question_that_is_rejected_without_tools_too_is_told_so() -> None:
    async with core(toolbox=PAGES_EVERYWHERE) as clew:
        clew.model.will(QuestionRejected("invalid_request", chained=False))
        clew.model.will(QuestionRejected("invalid_request", chained=False))
        await clew.says("one")
        (turn,) = await clew.ended(1)

    assert len(clew.model.asked) == 2
    assert "rejects this question" in (turn.notice or "")


async def test_tools_that_are_refused_again_and_again_are_left_out_for_a_while_and_then_tried_again() -> None:
    now = [0.0]
    refused = QuestionRejected("invalid_request", chained=False)
    lately = toolless_remark((PAGES, SEARCH), lately=True)
    async with core(toolbox=PAGES_EVERYWHERE, clock=lambda: now[0]) as clew:
        for number, (at, refusals) in enumerate([(0, 1), (1, 1), (2, 0), (600, 0), (700, 1), (701, 0), (2000, 0)], 1):
            now[0] = at
            for _ in range(refusals):
                clew.model.will(refused)
            clew.model.will(*answer(f"i{number}", "Here."))
            await clew.says(f"question {number}")
            await clew.ended(number)

    asked = [len(one.manner.tools) for one in clew.model.asked]
    assert asked == [2, 0, 2, 0, 0, 0, 2, 0, 0, 2]
    assert [lately in shown for shown in clew.shown()] == [False, False, True, True, False, True, False]


async def test_a_question_that_is_rejected_for_another_reason_costs_the_next_ones_no_tools() -> None:
    async with core(toolbox=PAGES_EVERYWHERE) as clew:
        for number in range(1, 4):
            clew.model.will(QuestionRejected("invalid_request", chained=False))
            clew.model.will(QuestionRejected("invalid_request", chained=False))
            await clew.says(f"bad {number}")
            await clew.ended(number)
        for number in range(4, 9):  # now and then one fails with tools, but never two in a row
            if number % 2 == 0:
                clew.model.will(QuestionRejected("invalid_request", chained=False))
            clew.model.will(*answer(f"i{number}", "Here."))
            await clew.says(f"good {number}")
            await clew.ended(number)

    assert [len(one.manner.tools) for one in clew.model.asked] == [2, 0] * 3 + [2, 0, 2, 2, 0, 2, 2, 0]


async def test_functions_are_offered_without_tools_that_were_refused_until_they_are_refused_by_themselves() -> None:
    refused, functions = QuestionRejected("invalid_request", chained=False), Desk().functions
    async with core(toolbox=PAGES_EVERYWHERE, functions=functions) as clew:
        for number, refusals in enumerate([1, 1, 0, 1, 1, 0], 1):
            for _ in range(refusals):
                clew.model.will(refused)
            clew.model.will(*answer(f"i{number}", "Here."))
            await clew.says(f"question {number}")
            await clew.ended(number)

    assert [len(one.manner.tools) for one in clew.model.asked] == [3, 1, 3, 1, 1, 1, 0, 1, 0, 0]
    lately = [toolless_remark(tools, lately=True) in shown for tools, shown in zip(_LATELY, clew.shown(), strict=True)]
    assert lately == [False, False, True, True, True, True]


_LATELY = ((PAGES, SEARCH),) * 5 + ((PAGES, SEARCH, {"type": "function"}),)
