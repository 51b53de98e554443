"""A typed Python function becomes one that the model may call, and whatever goes wrong with it becomes a sentence."""

import asyncio
import logging
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, Field

from bot.calls import FunctionCall, FunctionResult
from bot.config import read_settings
from bot.errors import FunctionFailed, FunctionUnusable
from bot.function_runs import MOST_RETURNED, Functions
from bot.functions import Caller, function, marks_of, read_function
from bot.messages import Person, PersonId, Platform
from bot.offering import functions_for
from tests.support.scripted import thread_named

ADA = Caller(Person(PersonId("ada")), thread_named())


class Size(BaseModel):
    width: int
    title: str = ""


async def order(
    article: str,
    caller: Caller,
    size: Size,
    pieces: Annotated[int, Field(ge=1)] = 1,
    schema: Literal["fast", "slow"] = "fast",
) -> str:
    """Order an article, which
    costs money.

    It is never delivered.

    Args:
        article: its number, as printed
            on the label.
        pieces (int): how many.

    Returns:
        nothing: of use.
    """
    return f"{caller.person.id} gets {pieces} of {article}, {size.width} wide, {schema}"


async def run(callee: Callable[..., Any], arguments: object = None) -> FunctionResult:
    given = {} if arguments is None else arguments
    call = FunctionCall("c1", callee.__name__, given if isinstance(given, dict) else None)
    return await Functions([read_function(callee)]).run(call, ADA)


def test_a_function_is_described_by_its_signature_and_its_docstring() -> None:
    tool = read_function(order).tool

    assert tool == {
        "type": "function",
        "name": "order",
        "description": "Order an article, which costs money.",
        "parameters": {
            "$defs": {
                "Size": {
                    "type": "object",
                    "properties": {"width": {"type": "integer"}, "title": {"type": "string", "default": ""}},
                    "required": ["width"],
                }
            },
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "article": {"type": "string", "description": "its number, as printed on the label."},
                "size": {"$ref": "#/$defs/Size"},
                "pieces": {"type": "integer", "minimum": 1, "default": 1, "description": "how many."},
                "schema": {"type": "string", "enum": ["fast", "slow"], "default": "fast"},
            },
            "required": ["article", "size"],
        },
    }


async def test_a_function_gets_typed_arguments_and_whoever_asks() -> None:
    result = await run(order, {"article": "7", "size": {"width": 3}, "pieces": 2})

    assert result == FunctionResult("c1", "order", "ada gets 2 of 7, 3 wide, fast")


def fails() -> None:
    """Fail."""
    raise ValueError("the secret reason")


def refuses() -> None:
    """Refuse."""
    raise FunctionFailed("There is no such article.")


@function(seconds=0.01)
async def hangs() -> None:
    """Hang."""
    await asyncio.Event().wait()


def leaves() -> None:
    """Leave."""
    sys.exit(3)


async def leaves_soon() -> None:
    """Leave."""
    sys.exit(3)


async def gives_up() -> None:
    """Give up work of its own."""
    raise asyncio.CancelledError


async def waits_in_vain() -> None:
    """Wait for something with a limit of its own."""
    raise TimeoutError("the warehouse")


def _trip(value: int) -> int:
    raise KeyError("the secret reason")


def trips(number: Annotated[int, AfterValidator(_trip)]) -> None:
    """Trip over its own arguments."""


def wrapped(number: int) -> Awaitable[str]:
    """Return what is yet to come, as an async function does that was decorated carelessly."""

    async def later() -> str:
        return f"number {number}"

    return later()


async def test_what_is_yet_to_come_is_waited_for() -> None:
    assert (await run(wrapped, {"number": 3})).value == "number 3"


@pytest.mark.parametrize(
    ("callee", "arguments", "sentence"),
    [
        pytest.param(leaves, {}, "The function failed (RuntimeError).", id="it ends the process"),
        pytest.param(leaves_soon, {}, "The function failed (SystemExit).", id="it ends the process from the loop"),
        pytest.param(gives_up, {}, "The function failed (CancelledError).", id="it gives up work of its own"),
        pytest.param(waits_in_vain, {}, "The function failed (TimeoutError).", id="a limit of its own"),
        pytest.param(trips, {"number": 1}, "The function failed (KeyError).", id="its arguments cannot be checked"),
        pytest.param(fails, {}, "The function failed (ValueError).", id="it raises"),
        pytest.param(refuses, {}, "There is no such article.", id="it says why not"),
        pytest.param(hangs, {}, "The function did not return within 0.01 seconds.", id="it takes too long"),
        pytest.param(order, {"article": "7"}, "The arguments do not fit: size: Field required.", id="one is missing"),
        pytest.param(
            fails, {"x": 1}, "The arguments do not fit: x: Extra inputs are not permitted.", id="one too many"
        ),
        pytest.param(order, "broken", "The arguments are no JSON object.", id="they are no JSON"),
    ],
)
async def test_what_goes_wrong_is_a_sentence_for_the_model_and_a_traceback_for_the_log(
    callee: Callable[..., Any], arguments: object, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    result = await run(callee, arguments)

    assert result == FunctionResult("c1", callee.__name__, sentence, is_error=True)
    assert [bool(record.exc_info) for record in caplog.records] == (
        [True] if sentence.startswith("The function") else []
    )


async def test_a_function_that_nobody_offers_is_told_with_those_that_are() -> None:
    offered = Functions([read_function(fails), read_function(refuses, platforms=[Platform("elsewhere")])])
    result = await offered.run(FunctionCall("c1", "refuses", {}), ADA)

    assert result == FunctionResult("c1", "refuses", "There is no such function. There are: fails.", is_error=True)
    assert [tool["name"] for tool in offered.tools(ADA.thread)] == ["fails"]


def returning(value: object) -> Callable[[], object]:
    def returns() -> object:
        """Return it."""
        return value

    return returns


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        pytest.param("words", "words", id="a text"),
        pytest.param({"a": 1}, {"a": 1}, id="an object"),
        pytest.param(Size(width=3), {"width": 3, "title": ""}, id="a model"),
        pytest.param([1, 2], {"result": [1, 2]}, id="a list, which the API does not take bare"),
        pytest.param(None, {"result": None}, id="nothing"),
        pytest.param("half \ud800", "half ?", id="half a character"),
        pytest.param("x" * 70_000, "x" * MOST_RETURNED + "\n[cut: 70000 characters in all]", id="too much"),
    ],
)
async def test_what_is_returned_is_a_bounded_text_or_an_object(returned: object, told: object) -> None:
    assert (await run(returning(returned))).value == told


async def test_a_plain_function_runs_in_a_thread_that_holds_up_neither_the_loop_nor_the_end() -> None:
    held, threads = threading.Event(), list[threading.Thread]()

    @function(seconds=0.05)
    def blocks() -> None:
        """Block."""
        threads.append(threading.current_thread())
        held.wait(60)

    result = await run(blocks)
    held.set()
    await asyncio.to_thread(threads[0].join)

    assert result.is_error
    assert threads[0].daemon


def test_marks_do_not_change_a_function() -> None:
    assert marks_of(hangs) is not None
    assert marks_of(fails) is None
    assert hangs.__name__ == "hangs"


def untyped(article) -> None:  # type: ignore[no-untyped-def]  # that is what it is about
    """Order."""


def undescribed(article: str) -> None:
    pass


def variadic(*articles: str) -> None:
    """Order."""


def unspeakable(article: threading.Thread) -> None:
    """Order."""


def forgeable(caller: Caller | None = None) -> None:
    """Order."""


async def yields() -> AsyncIterator[int]:
    """Order."""
    yield 1


def unreadable(article: "1 +") -> None:  # type: ignore[valid-type]  # noqa: F722 - that is what it is about
    """Order."""


def test_a_function_that_is_given_no_time_is_refused_where_it_is_marked() -> None:
    with pytest.raises(ValueError, match="gives a function no time"):
        function(seconds=0)


@pytest.mark.parametrize(
    ("callee", "sentence"),
    [
        pytest.param(forgeable, "has a parameter caller with a Caller in its type; write Caller", id="who asks, maybe"),
        pytest.param(yields, "yields; let it return everything at once.", id="a generator"),
        pytest.param(unreadable, "has a type that cannot be read", id="no annotation at all"),
        pytest.param(untyped, "has an untyped parameter, article; write its type.", id="untyped"),
        pytest.param(undescribed, "has no docstring; write one that tells the model what it does.", id="undescribed"),
        pytest.param(variadic, "takes *articles: str; every parameter needs a name of its own.", id="variadic"),
        pytest.param(unspeakable, "has a parameter that JSON cannot say", id="not to be said in JSON"),
    ],
)
def test_what_cannot_be_offered_is_refused_in_one_sentence(callee: Callable[..., Any], sentence: str) -> None:
    with pytest.raises(FunctionUnusable) as refusal:
        read_function(callee)

    assert f"test_functions.{callee.__name__} {sentence}" in str(refusal.value)
    assert "\n" not in str(refusal.value)


# --- the operator's own -----------------------------------------------------------------------


def offered(tmp_path: Path, **settings: str) -> list[object]:
    given = read_settings({"DATABASE_URL": f"sqlite:///{tmp_path}/clew.db", **settings}, None)
    return [tool["name"] for tool in functions_for(given, {}).tools(thread_named())]


def test_an_operators_functions_are_offered_beside_those_that_are_shipped(tmp_path: Path) -> None:
    names = offered(tmp_path, CLEW_FUNCTIONS="tests.support.functions")

    assert names == ["read_link", "ring", "who_asks", "fail", "order"]
    assert offered(tmp_path, CLEW_READ_LINKS="off") == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no.such.module", "cannot be imported (ModuleNotFoundError: No module named 'no')"),
        ("tests.support.clock", "in which nothing is marked with @function"),
    ],
)
def test_a_wrong_module_ends_the_start_with_a_sentence(name: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(FunctionUnusable, match="CLEW_FUNCTIONS names") as refusal:
        offered(tmp_path, CLEW_FUNCTIONS=name)

    assert sentence in str(refusal.value)


def test_two_functions_of_one_name_are_refused() -> None:
    with pytest.raises(FunctionUnusable, match="two functions named fails"):
        Functions([read_function(fails), read_function(fails)])
