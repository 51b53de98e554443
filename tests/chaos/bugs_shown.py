"""Bugs on purpose in what Slack is made to show: the client through which the bot speaks to it does something else."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.adapter import Line as SlackLine
from bot.__main__ import Around


def blind_retry() -> Around:
    """A post of which nobody knows the end is made again, without a look."""

    async def again(client: AsyncWebClient, call: "_Call", method: str, named: dict[str, object]) -> AsyncSlackResponse:
        try:
            return await call(method, **named)
        except (aiohttp.ClientError, TimeoutError):
            return await call(method, **named)

    return Around(slack=lambda line: _Client.over(line, {"chat.postMessage", "chat.startStream"}, again))


def pings_everybody() -> Around:
    """What the model says reaches Slack as it stands, with everybody named in it."""

    async def louder(
        client: AsyncWebClient, call: "_Call", method: str, named: dict[str, object]
    ) -> AsyncSlackResponse:
        sent = dict(cast("dict[str, object]", named["json"]))
        if chunks := cast("list[dict[str, object]]", sent.get("chunks") or []):
            sent["chunks"] = [{**one, "text": f"{one['text']} <!channel>"} if "text" in one else one for one in chunks]
        else:
            sent |= {"text": f"<!channel> {sent.get('text')}", "blocks": None}
        return await call(method, **{**named, "json": sent})

    saying = {"chat.postMessage", "chat.update", "chat.startStream", "chat.appendStream"}
    return Around(slack=lambda line: _Client.over(line, saying, louder))


def confirmed_twice() -> Around:
    """What became of a command is said without a look at whether it was said, twice."""

    async def twice(client: AsyncWebClient, call: "_Call", method: str, named: dict[str, object]) -> AsyncSlackResponse:
        sent = cast("dict[str, object]", named["json"])
        if "command" in str(sent.get("metadata")):
            await call(method, **named)
        return await call(method, **named)

    return Around(slack=lambda line: _Client.over(line, {"chat.postMessage"}, twice))


def report_attached_twice() -> Around:
    """Slack is told twice to share the file that goes with a report."""

    async def twice(client: AsyncWebClient, call: "_Call", method: str, named: dict[str, object]) -> AsyncSlackResponse:
        await call(method, **named)
        return await call(method, **named)

    return Around(slack=lambda line: _Client.over(line, {"files.completeUploadExternal"}, twice))


def button_left() -> Around:
    """An answer ends, and its Stop button stays."""

    async def keeping(
        client: AsyncWebClient, call: "_Call", method: str, named: dict[str, object]
    ) -> AsyncSlackResponse:
        return await call(method, **{**named, "json": _with_button(named["json"], "Stop")})

    return Around(
        slack=lambda line: _Client.over(line, {"chat.postMessage", "chat.update", "chat.stopStream"}, keeping)
    )


def _with_button(sent: object, label: str) -> object:
    left = {"type": "button", "text": {"type": "plain_text", "text": label}, "action_id": "left", "value": "left"}
    whole = cast("dict[str, object]", sent)
    blocks = cast("list[dict[str, object]]", whole.get("blocks") or [])
    return {**whole, "blocks": [*blocks, {"type": "actions", "elements": [left]}]} if blocks else whole


def approval_left() -> Around:
    """What was approved of still has its button."""

    async def keeping(
        client: AsyncWebClient, call: "_Call", method: str, named: dict[str, object]
    ) -> AsyncSlackResponse:
        sent = cast("dict[str, object]", named["json"])
        if sent.get("text") == "Approved.":
            named = {**named, "json": _with_button(sent, "Approve")}
        return await call(method, **named)

    return Around(slack=lambda line: _Client.over(line, {"chat.update"}, keeping))


def status_left() -> Around:
    """The line that says that work goes on is never taken away."""

    async def keeping(
        client: AsyncWebClient, call: "_Call", method: str, named: dict[str, object]
    ) -> AsyncSlackResponse:
        sent = cast("dict[str, object]", named["json"])
        return await call(method, **{**named, "json": {**sent, "status": sent.get("status") or "is thinking…"}})

    return Around(slack=lambda line: _Client.over(line, {"assistant.threads.setStatus"}, keeping))


_Call = Callable[..., Awaitable[AsyncSlackResponse]]
_Instead = Callable[[AsyncWebClient, _Call, str, dict[str, object]], Awaitable[AsyncSlackResponse]]


class _Client(AsyncWebClient):
    """The SDK's client, some methods of which are called in another way."""

    def __init__(self, client: AsyncWebClient, methods: set[str], instead: _Instead) -> None:
        super().__init__(token=client.token, base_url=client.base_url, session=client.session, retry_handlers=[])
        self._methods, self._other = methods, instead

    @classmethod
    def over(cls, line: SlackLine, methods: set[str], instead: _Instead) -> SlackLine:
        return replace(line, client=cls(line.client, methods, instead))

    async def api_call(self, api_method: str, **named: object) -> AsyncSlackResponse:
        call = cast("_Call", super().api_call)
        if api_method in self._methods:
            return await self._other(self, call, api_method, named)
        return await call(api_method, **named)
