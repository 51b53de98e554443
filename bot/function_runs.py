"""The functions that are offered, and how one of them is called: with a time limit, and without raising."""

import asyncio
import inspect
import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial

from pydantic import TypeAdapter, ValidationError

from bot.answers import Tool
from bot.calls import FunctionCall, FunctionResult
from bot.errors import FunctionFailed, FunctionUnusable
from bot.functions import Caller, Function
from bot.messages import Thread
from bot.sse import storable

logger = logging.getLogger(__name__)

MOST_RETURNED = 60_000  # characters of a result, as JSON
_ANYTHING: TypeAdapter[object] = TypeAdapter(object)
_MOST_THREADS = 32  # of functions that are not async, those included that nobody waits for any more


class Functions:
    """All that is offered.

    Raises:
        FunctionUnusable: two have the same name.
    """

    def __init__(self, functions: Iterable[Function] = ()) -> None:
        self._known: dict[str, Function] = {}
        self._room = asyncio.Semaphore(_MOST_THREADS)
        for one in functions:
            if one.name in self._known:
                raise FunctionUnusable(f"There are two functions named {one.name}; rename one of them.")
            self._known[one.name] = one

    def offered_in(self, thread: Thread) -> tuple[Function, ...]:
        """Those that may be called in a thread."""
        return tuple(one for one in self._known.values() if one.platforms is None or thread.platform in one.platforms)

    def tools(self, thread: Thread) -> tuple[Tool, ...]:
        """The same, as the API takes them."""
        return tuple(one.tool for one in self.offered_in(thread))

    def needs_approval(self, call: FunctionCall, thread: Thread) -> bool:
        """Whether a person has to approve of a call; of one that comes to nothing anyway nobody is asked."""
        found = next((one for one in self.offered_in(thread) if one.name == call.name), None)
        return found is not None and found.marks.needs_approval and call.arguments is not None

    async def run(self, call: FunctionCall, caller: Caller) -> FunctionResult:  # noqa: PLR0911 - a line for each mishap
        """Call a function. Whatever goes wrong with it is a sentence for the model; the log has the rest."""
        offered = {one.name: one for one in self.offered_in(caller.thread)}
        found, fields = offered.get(call.name), {"function": call.name[:64], "thread_key": caller.thread.key}
        if found is None:
            return failed(call, f"There is no such function. There are: {', '.join(offered) or 'none'}.")
        if call.arguments is None:
            return failed(call, "The arguments are no JSON object.")
        limit = asyncio.timeout(found.marks.seconds)
        try:
            try:
                work = partial(found.callee, **_given(found, call.arguments, caller))
            except ValidationError as error:
                return failed(call, f"The arguments do not fit: {_mistakes(error)}.")
            async with limit:
                value = _bounded(await _returned(work, self._room))
        except FunctionFailed as error:
            return failed(call, str(error))
        except BaseException as error:
            if _is_cancelled(error):
                raise
            if limit.expired():
                logger.warning(
                    "function took too long", extra={**fields, "seconds": found.marks.seconds}, exc_info=True
                )
                return failed(call, f"The function did not return within {found.marks.seconds:g} seconds.")
            # Also where it means to end the process (`sys.exit`), or gave up work of its own.
            logger.exception("function failed", extra=fields)
            return failed(call, f"The function failed ({type(error).__name__}).")
        logger.info("function called", extra=fields)
        return FunctionResult(call.id, call.name, value)


def failed(call: FunctionCall, sentence: str) -> FunctionResult:
    """The result of a call that came to nothing."""
    return FunctionResult(call.id, call.name, sentence, is_error=True)


def _mistakes(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    named = (f"{'.'.join(map(str, one['loc'])) or 'they'}: {one['msg']}" for one in found[:5])
    return "; ".join(named)[:1000].rstrip(".")


def _bounded(value: object) -> str | Mapping[str, object]:
    """What is told to the model of what a function returned: a text, or a JSON object; the API takes no bare array."""
    plain = value if isinstance(value, str) else _ANYTHING.dump_python(value, mode="json")
    told = plain if isinstance(plain, str | dict) else {"result": plain}
    text = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False, allow_nan=False)
    if len(text) > MOST_RETURNED:
        return f"{storable(text[:MOST_RETURNED])}\n[cut: {len(text)} characters in all]"
    found: str | dict[str, object] = storable(text) if isinstance(told, str) else json.loads(storable(text))
    return found


def _given(found: Function, arguments: Mapping[str, object], caller: Caller) -> dict[str, object]:
    """The arguments as the function takes them. Raises ValidationError."""
    read = found.arguments.model_validate(dict(arguments))
    given = {info.alias or name: getattr(read, name) for name, info in found.arguments.model_fields.items()}
    return given if found.caller is None else given | {found.caller: caller}


def _is_cancelled(error: BaseException) -> bool:
    """Whether it is not the function that failed, but the turn that ends."""
    task = asyncio.current_task()
    is_ours = isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling() > 0
    return is_ours or isinstance(error, GeneratorExit)


async def _returned(work: "partial[object]", room: asyncio.Semaphore) -> object:
    """What a function returns; of one that was decorated it cannot be told beforehand whether that is to be awaited."""
    value = work() if inspect.iscoroutinefunction(work.func) else await _in_thread(work, room)
    return await value if inspect.isawaitable(value) else value


# --- functions that are not async -------------------------------------------------------------


async def _in_thread(work: Callable[[], object], room: asyncio.Semaphore) -> object:
    """Do something in a thread that keeps nobody from ending: neither a turn that is stopped, nor the process."""
    loop = asyncio.get_running_loop()
    await room.acquire()
    done: asyncio.Future[object] = loop.create_future()

    def tell(result: object, error: BaseException | None) -> None:
        room.release()  # by the thread's own end: whoever waited may have gone long ago
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)

    def run() -> None:
        result: object = None
        error: BaseException | None = None
        try:
            result = work()
        except StopIteration:  # no future takes it
            error = RuntimeError("StopIteration")
        except Exception as raised:  # goes to whoever waits
            error = raised
        except BaseException as raised:  # ends no thread but this one
            error = RuntimeError(type(raised).__name__)
            error.__cause__ = raised
        with suppress(RuntimeError):  # the process is ending
            loop.call_soon_threadsafe(tell, result, error)

    try:
        threading.Thread(target=run, name="function", daemon=True).start()
    except RuntimeError:  # the system has no more of them
        room.release()
        raise
    return await done
