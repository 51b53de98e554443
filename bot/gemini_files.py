"""The files Gemini keeps for a while: too large for a request, or films."""

import logging
from typing import Protocol

from bot.errors import FileLost, ModelError, ModelUnavailable
from bot.gemini_calls import CallFailed, NoConnection
from bot.model_errors import error_for
from bot.ports.uploads import GeminiFile

logger = logging.getLogger(__name__)


class FileLine(Protocol):
    """The calls of the Files API. Each raises CallFailed or NoConnection."""

    async def upload(self, path: str, *, name: str, mime_type: str) -> GeminiFile:
        """Send a file in pieces."""
        ...

    async def file(self, name: str) -> GeminiFile:
        """Fetch what is known of a file."""
        ...

    async def delete_file(self, name: str) -> None:
        """Delete a file."""
        ...


class GeminiFiles:
    """The `FileShelf` that is Gemini's; a model that `open_model` opens holds one."""

    def __init__(self, line: FileLine) -> None:
        self._line = line

    async def upload_file(self, path: str, *, name: str, mime_type: str) -> GeminiFile:
        """Send a file; see `FileShelf`."""
        try:
            return await self._line.upload(path, name=name, mime_type=mime_type)
        except (CallFailed, NoConnection) as error:
            raise _meant(error, "upload", name) from None

    async def find_file(self, name: str) -> GeminiFile | None:
        """Look a file up; see `FileShelf`."""
        try:
            return await self._line.file(name)
        except (CallFailed, NoConnection) as error:
            if _is_gone(error):
                return None
            raise _meant(error, "file", name) from None

    async def delete_file(self, name: str) -> None:
        """Delete a file; see `FileShelf`."""
        try:
            await self._line.delete_file(name)
        except (CallFailed, NoConnection) as error:
            if not _is_gone(error):
                raise _meant(error, "delete file", name) from None
            if isinstance(error, CallFailed) and error.failure.status == 403:
                raise FileLost(f"{error.failure.status} {error.failure.code}") from None


def _is_gone(error: CallFailed | NoConnection) -> bool:
    """Whether there is no such file. Gemini says of one that is missing that it may not be read."""
    if isinstance(error, NoConnection):
        return False
    failure = error.failure
    return failure.status == 404 or (failure.status == 403 and not failure.names_the_key)


def _meant(error: CallFailed | NoConnection, call: str, name: str) -> ModelError:
    if isinstance(error, NoConnection):
        meant: ModelError = ModelUnavailable(f"no connection: {error}")
    else:
        meant = error_for(error.failure, model="", chained=False)
    fields = {"failure": type(meant).__name__, "reason": str(meant), "call": call, "file": name}
    logger.warning("model failed", extra=fields)
    return meant
