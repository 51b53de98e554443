"""The loopback Slack over HTTP, with the real Bolt at the other end."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

from tests.support.slack import (
    Clock,
    Twins,
    Variants,
    slack_server,
)
from tests.support.slack.sdk import bolt_on, client_of, web_app_on

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


async def test_bolt_takes_events_commands_and_clicks_over_http() -> None:
    async with slack_server() as slack:
        app = AsyncApp(client=client_of(slack), signing_secret=SECRET)
        heard: list[str] = []

        @app.event("app_mention")
        async def answer(event: dict[str, Any]) -> None:
            heard.append(event["text"])

        @app.command("/clew")
        async def clew(ack: Any) -> None:
            await ack({"text": "done", "response_type": "ephemeral"})

        @app.shortcut("reset_thread")
        async def reset(ack: Any, shortcut: dict[str, Any]) -> None:
            await ack()
            heard.append(shortcut["callback_id"])

        async with web_app_on(app.web_app()) as address:
            http = slack.use_http(f"{address}/slack/events", SECRET)
            assert await http.verify_url()
            ts = await slack.says("ada", "hello", twins=Twins.ONLY_MENTION)
            (delivery,) = await slack.delivered()
            assert (await slack.slash("ada", "/clew")).text == "done"
            assert (await slack.shortcut("reset_thread", ts)).error is None
            body = json.dumps({"type": "url_verification", "challenge": "c"})
            statuses = [
                (await http.post(body)).status,
                (await http.post(body, secret="wrong")).status,
                (await http.post(body, age=301)).status,
            ]

        assert delivery.is_acknowledged
        assert heard == [f"<@{slack.bot_user_id}> hello", "reset_thread"]
        assert statuses == [200, 401, 401]


async def test_over_http_a_failed_delivery_is_retried_with_its_number_and_reason() -> None:
    async with slack_server(clock=Clock(speed=100), variants=Variants(ack_within=30)) as slack:
        seen: list[tuple[str | None, str | None, bool]] = []
        is_over = asyncio.Event()

        async def take(request: web.Request) -> web.Response:
            body = await request.text()
            headers = request.headers
            is_signed = SignatureVerifier(SECRET).is_valid_request(body, dict(headers))
            seen.append((headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason"), is_signed))
            match len(seen):
                case 1:
                    await is_over.wait()
                case 2:
                    return web.Response(status=500)
                case 3:
                    return web.Response(status=404, headers={"X-Slack-No-Retry": "1"})
            return web.Response()

        app = web.Application()
        app.router.add_post("/slack/events", take)
        async with web_app_on(app) as address:
            slack.use_http(f"{address}/slack/events", SECRET)
            await slack.says("ada", "hello", twins=Twins.ONLY_MENTION)
            (delivery,) = await slack.delivered()
            is_over.set()

        assert seen == [(None, None, True), ("1", "http_timeout", True), ("2", "http_error", True)]
        assert delivery.outcome == "given up"
        assert [attempt.failure for attempt in delivery.attempts] == ["http_timeout", "http_error", "http_error"]


async def test_over_http_nobody_listening_is_a_failed_delivery() -> None:
    async with slack_server(variants=Variants(retries=(0.0, 0.0, 0.0))) as slack:
        async with web_app_on(web.Application()) as address:
            pass
        slack.use_http(f"{address}/slack/events", SECRET)
        await slack.says("ada", "hello", twins=Twins.ONLY_MENTION)
        (delivery,) = await slack.delivered()

        assert {attempt.failure for attempt in delivery.attempts} == {"connection_failed"}
        assert delivery.retries == 3
        assert (await slack.slash("ada", "/clew")).error == "dispatch_failed"


async def test_a_failing_auth_test_makes_bolt_lose_the_event_as_the_reference_says() -> None:
    async with slack_server() as slack:
        app = AsyncApp(client=client_of(slack))
        heard: list[str] = []

        @app.event("app_mention")
        async def answer(event: dict[str, Any]) -> None:
            heard.append(event["text"])

        async with bolt_on(slack, app):
            slack.revoke()
            await slack.says("ada", "lost", twins=Twins.ONLY_MENTION)
            (delivery,) = await slack.delivered()

        assert (delivery.is_acknowledged, heard) == (True, [])


async def test_a_waiter_says_what_there_was_to_see() -> None:
    async with slack_server() as slack:
        ts = await slack.says("ada", "hello")
        await client_of(slack).chat_postMessage(channel=slack.channel("general"), thread_ts=ts, text="one")
        with pytest.raises(TimeoutError, match="one"):
            await slack.shown("general", ts, whole=2, within=0.05)
        with pytest.raises(SlackApiError):
            await client_of(slack, token="xoxb-other").auth_test()
