"""Which functions the model is offered: those shipped, and those of the modules that the operator names."""

import importlib
from collections.abc import Iterator, Mapping, Sequence

from bot.config import Settings
from bot.errors import FunctionUnusable
from bot.function_runs import Functions
from bot.functions import Function, marks_of, read_function
from bot.messages import Platform
from bot.ports import Adapter
from bot.read_link import link_reader


def functions_for(settings: Settings, adapters: Mapping[Platform, Adapter]) -> Functions:
    """All that is offered; *adapters* may still be empty.

    Raises:
        FunctionUnusable: a module cannot be imported, or something in it not be offered; one sentence.
    """
    shipped = [link_reader(adapters, settings.policy)] if settings.bot.read_links else []
    return Functions([*shipped, *_read(settings.bot.functions)])


def _read(modules: Sequence[str]) -> Iterator[Function]:
    seen: set[int] = set()
    for name in modules:
        found = [value for value in vars(_imported(name)).values() if marks_of(value) is not None]
        if not found:
            raise FunctionUnusable(
                f"CLEW_FUNCTIONS names {name}, in which nothing is marked with @function; mark it, or remove the name."
            )
        for value in found:
            if id(value) not in seen:
                seen.add(id(value))
                yield read_function(value)


def _imported(name: str) -> object:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:  # whatever an operator's module stumbles over
        raise FunctionUnusable(
            f"CLEW_FUNCTIONS names {name}, which cannot be imported ({type(error).__name__}: {error}); mend it, or add "
            "its folder to PYTHONPATH."
        ) from error
