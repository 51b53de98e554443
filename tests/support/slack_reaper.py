"""Death at a chosen moment for a bot in Slack: what it asks of Slack is counted in the SDK's client and on the wire."""

from dataclasses import replace

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.adapter import Line
from tests.support.reaper import Reaper, When
from tests.support.slack import ActThenDrop, Call, DropBefore, SlackServer

WIRE = ("file.download", "file.upload", "response_url")
"""What the SDK's client does not do: the bytes of files, and answers at an address Slack gave for them."""


def over_line(reaper: Reaper, line: Line) -> Line:
    """The SDK's client, each call of which is a deed."""
    return replace(line, client=_ReapedClient(reaper, line.client))


def over_wire(reaper: Reaper, slack: SlackServer) -> None:
    """Count, too, what reaches Slack in other ways. `SlackServer.faults` do it, until they are disarmed."""

    def falls_on(call: Call) -> bool:
        return reaper.falls_on(f"slack.{call.method}")

    fault = DropBefore() if reaper.when is When.BEFORE else ActThenDrop()
    for method in WIRE:
        slack.faults.arm(method, fault, times=None, when=falls_on)
        slack.faults.arm(method, DropBefore(), times=None, when=lambda call: reaper.struck.is_set())


class _ReapedClient(AsyncWebClient):
    def __init__(self, reaper: Reaper, client: AsyncWebClient) -> None:
        super().__init__(token=client.token, base_url=client.base_url, session=client.session, retry_handlers=[])
        self._reaper = reaper

    async def api_call(self, api_method: str, **named: object) -> AsyncSlackResponse:
        call = super().api_call
        return await self._reaper.lets(f"slack.{api_method}", lambda: call(api_method, **named))  # type: ignore[arg-type]
