"""Functions of our own that the model may call: typed Python functions with a docstring, marked as such.

    @function(seconds=5)
    async def stock_of(article: str, caller: Caller) -> int:
        \"\"\"How many pieces of an article, named by its number, are in stock.\"\"\"

The model is shown the name, the docstring's first paragraph, and a JSON schema of the parameters, each with what the
section ``Args`` says of it. A parameter of the type `Caller` is left out of that, and tells who asks. A function may be
called again after a crash, so it must be safe to repeat.
"""

import inspect
import re
import typing
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import PydanticJsonSchemaWarning

from bot.answers import Tool
from bot.errors import FunctionUnusable
from bot.messages import Person, Platform, Thread

SECONDS = 20.0  # that a function is given unless it is marked otherwise
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_MARK = "__clew_function__"
_ARGUMENT = re.compile(r"(?P<name>\w+)(?:\s*\([^)]*\))?:\s*(?P<text>.*)")

Callee = TypeVar("Callee", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and in which thread."""

    person: Person
    thread: Thread


@dataclass(frozen=True, slots=True)
class Marks:
    """How a function is to be called."""

    seconds: float = SECONDS
    needs_approval: bool = False


@overload
def function(callee: Callee, /) -> Callee: ...
@overload
def function(*, seconds: float = SECONDS, needs_approval: bool = False) -> Callable[[Callee], Callee]: ...
def function(callee: Any = None, /, *, seconds: float = SECONDS, needs_approval: bool = False) -> Any:
    """Mark a function as one that the model may call.

    Args:
        seconds: it is given, at the most.
        needs_approval: it is called only when the person who asks has approved of that very call.

    Raises:
        ValueError: it is given no time.
    """
    if not seconds > 0:
        raise ValueError(f"seconds={seconds!r} gives a function no time")

    def mark(marked: Callee) -> Callee:
        marked.__dict__[_MARK] = Marks(seconds, needs_approval)
        return marked

    return mark if callee is None else mark(callee)


def marks_of(value: object) -> Marks | None:
    """The marks of a function; None for what is not marked as one."""
    found = getattr(value, "__dict__", {}).get(_MARK) if callable(value) else None
    return found if isinstance(found, Marks) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function as it is offered; `read_function` makes one."""

    name: str
    description: str
    parameters: Mapping[str, object]  # JSON schema
    marks: Marks
    callee: Callable[..., Any] = field(repr=False)
    arguments: type[BaseModel] = field(repr=False)
    caller: str | None = None  # the parameter that is told who asks
    platforms: frozenset[Platform] | None = None  # where it is offered; None: everywhere

    @property
    def tool(self) -> Tool:
        """As the API takes it."""
        described = {"type": "function", "name": self.name, "description": self.description}
        return {**described, "parameters": self.parameters}


def read_function(callee: Callable[..., Any], *, platforms: Iterable[Platform] | None = None) -> Function:
    """A function as it is offered to the model.

    Raises:
        FunctionUnusable: it is not typed, has no docstring, or takes what JSON cannot say; one sentence.
    """
    name, text = getattr(callee, "__name__", ""), inspect.getdoc(callee) or ""
    place = f"{getattr(callee, '__module__', '?')}.{name}"
    if not _NAME.fullmatch(name):
        raise FunctionUnusable(f"{place} cannot be offered; its name needs letters, digits and underscores only.")
    description = " ".join(text.split("\n\n")[0].split())
    if not description:
        raise FunctionUnusable(f"{place} has no docstring; write one that tells the model what it does.")
    if inspect.isasyncgenfunction(callee):
        raise FunctionUnusable(f"{place} yields; let it return everything at once.")
    try:
        types = typing.get_type_hints(callee, include_extras=True)
    except Exception as error:  # an annotation may be any expression
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FunctionUnusable(f"{place} has a type that cannot be read ({reason}); mend the annotation.") from error
    caller, fields, described = None, dict[str, Any](), _arguments_in(text)
    for parameter in inspect.signature(callee).parameters.values():
        if parameter.kind not in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}:
            raise FunctionUnusable(f"{place} takes {parameter}; every parameter needs a name of its own.")
        if parameter.name not in types:
            raise FunctionUnusable(f"{place} has an untyped parameter, {parameter.name}; write its type.")
        if types[parameter.name] is Caller and caller is None:
            caller = parameter.name
            continue
        if _tells_who_asks(types[parameter.name]):
            # As any other parameter it would be the model's to fill in.
            raise FunctionUnusable(
                f"{place} has a parameter {parameter.name} with a Caller in its type; write Caller alone, and once."
            )
        default = ... if parameter.default is parameter.empty else parameter.default
        # Under names of ours: a parameter may be called as something of pydantic's is.
        fields[f"given_{len(fields)}"] = (
            types[parameter.name],
            Field(default, alias=parameter.name, description=described.get(parameter.name)),
        )
    try:
        arguments = create_model(name, __config__=ConfigDict(extra="forbid"), **fields)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PydanticJsonSchemaWarning)  # of a default that JSON cannot say
            schema = _without_titles(arguments.model_json_schema(by_alias=True))
    except (PydanticUserError, NameError, TypeError, ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FunctionUnusable(
            f"{place} has a parameter that JSON cannot say ({reason}); give it another type."
        ) from error
    return Function(
        name=name,
        description=description,
        parameters=schema,
        marks=marks_of(callee) or Marks(),
        callee=callee,
        arguments=arguments,
        caller=caller,
        platforms=None if platforms is None else frozenset(platforms),
    )


def _tells_who_asks(annotation: object) -> bool:
    return annotation is Caller or any(map(_tells_who_asks, typing.get_args(annotation)))


def _arguments_in(docstring: str) -> Mapping[str, str]:
    """What the section ``Args:`` of a docstring says of each parameter."""
    _, _, section = docstring.partition("\nArgs:\n")
    found: dict[str, str] = {}
    name, margin = "", None
    for line in section.splitlines():
        depth = len(line) - len(line.lstrip())
        if not line.strip() or depth == 0:
            break
        margin = depth if margin is None else margin
        begun = _ARGUMENT.fullmatch(line.strip()) if depth == margin else None
        if begun is not None:
            name = begun["name"]
            found[name] = begun["text"]
        elif name:
            found[name] = f"{found[name]} {line.strip()}".strip()
    return found


def _without_titles(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without the titles that pydantic makes of names, which say nothing."""
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in {"properties", "$defs"} and isinstance(value, Mapping):
            kept[key] = {name: _without_titles(inner) for name, inner in value.items()}
        elif isinstance(value, Mapping) and key not in {"default", "const", "examples"}:
            kept[key] = _without_titles(value)
        elif isinstance(value, list) and key in {"anyOf", "oneOf", "allOf", "prefixItems"}:
            kept[key] = [_without_titles(inner) if isinstance(inner, Mapping) else inner for inner in value]
        elif key != "title":
            kept[key] = value
    return kept
