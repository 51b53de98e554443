"""Functions as the model calls them in a story. What they do outlives the bot, and each is something to die of."""

from collections.abc import Sequence

from bot.answers import ActionRequired
from bot.calls import FunctionCall
from bot.functions import Function, function, read_function
from bot.messages import InteractionId, Usage
from tests.support.scripted import Asked
from tests.sweep.dying import Stage
from tests.sweep.ground import Ground


def functions(stage: Stage[Ground]) -> Sequence[Function]:
    """One that is free, and one that costs something."""

    async def weigh(article: str) -> str:
        """Weigh an article."""
        return await _does(stage, f"weigh {article}", f"{article}: a pound")

    @function(needs_approval=True)
    async def order(article: str) -> str:
        """Order an article, which costs money."""
        return await _does(stage, f"order {article}", f"{article}: on its way")

    return [read_function(weigh), read_function(order)]


async def _does(stage: Stage[Ground], what: str, comes_to: str) -> str:
    async def done() -> str:
        stage.done.append(what)
        return comes_to

    return await stage.model.reaper.lets(f"function.{what}", done)


def calls(*wanted: str) -> ActionRequired:
    """Calls for functions: ``weigh kite``, whose name is the call's as well."""
    told = [FunctionCall(one, one.split()[0], {"article": one.split()[1]}) for one in wanted]
    return ActionRequired(InteractionId(""), tuple(told), Usage())


def called(asked: Asked) -> list[str]:
    """Whose results a model is told."""
    return [result.call for result in asked.results]


def told_by(asked: Asked) -> str:
    """All that they came to."""
    return " ".join(str(result.value) for result in asked.results)
