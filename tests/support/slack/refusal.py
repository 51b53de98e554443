"""How a Web API call is refused."""

from typing import Any

from tests.support.slack.json_types import JsonObject


class Refused(Exception):
    """The call answers ``{"ok": false, "error": ...}``, usually with status 200."""

    def __init__(self, error: str, *, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(error)
        self.error, self.status, self.headers = error, status, headers or {}
        self.body: JsonObject = {"ok": False, "error": error, **more}
