"""Files, rate limits and faults of the loopback Slack, driven by the real client."""

import asyncio
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler

from tests.support.slack import (
    CUT_JSON,
    DROPPED,
    HTML_PAGE,
    PLAIN_TEXT,
    ActThenDrop,
    Broken,
    Clock,
    CutBody,
    DropBefore,
    Fault,
    Hang,
    Limits,
    SaysError,
    Slow,
    TooMany,
    Variants,
    slack_server,
)
from tests.support.slack.sdk import asked, client_of, listener_on, refused


async def fetch(url: str, token: str | None) -> tuple[int, str, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers=headers, allow_redirects=False) as response,
    ):
        return response.status, response.content_type, await response.read()


@pytest.mark.parametrize("login_page", ["html", "redirect"])
async def test_a_file_is_given_to_whoever_may_have_it_and_a_login_page_to_others(login_page: Any) -> None:
    async with slack_server(variants=Variants(login_page=login_page)) as slack:
        file = slack.uploads("a.png", b"\x89PNG", "image/png")
        url = file.as_json()["url_private_download"]
        allowed = await fetch(url, slack.bot_token)
        others = [await fetch(url, None)]
        slack.scopes.discard("files:read")
        others.append(await fetch(url, slack.bot_token))

    assert allowed == (200, "image/png", b"\x89PNG")
    for status, kind, body in others:
        if login_page == "html":
            assert (status, kind, body[:15]) == (200, "text/html", b"<!DOCTYPE html>")
        else:
            assert status == 302


async def test_what_is_external_is_on_another_host_that_notes_its_visitors() -> None:
    async with slack_server() as slack:
        file = slack.uploads("drive.doc", b"", mode="external")
        await fetch(file.as_json()["url_private"], slack.bot_token)
        assert slack.foreign_visits == [("/elsewhere/drive.doc", f"Bearer {slack.bot_token}")]


async def test_a_stub_is_filled_in_by_files_info_and_what_is_gone_is_said_to_be() -> None:
    async with slack_server() as slack:
        client = client_of(slack)
        stub = slack.uploads("plan.pdf", b"%PDF", "application/pdf", mode="file_access")
        denied, gone = slack.uploads("x", b"", mode="access_denied"), slack.uploads("y", b"", mode="tombstone")
        told = (await client.files_info(file=stub.id))["file"]
        assert (await fetch(told["url_private_download"], slack.bot_token))[2] == b"%PDF"
        assert await refused(client.files_info(file=denied.id)) == "file_not_found"
        assert await refused(client.files_info(file=gone.id)) == "file_deleted"


async def test_a_download_may_be_cut_short() -> None:
    async with slack_server() as slack:
        file = slack.uploads("a.txt", b"0123456789")
        slack.faults.arm("file.download", CutBody(4))
        with pytest.raises(aiohttp.ClientError):
            await fetch(file.as_json()["url_private"], slack.bot_token)
        assert (await fetch(file.as_json()["url_private"], slack.bot_token))[2] == b"0123456789"


async def test_an_upload_is_shared_into_the_thread_after_a_while_under_its_title() -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        done = await client.files_upload_v2(
            content="# all",
            filename="answer.md",
            title="part-1",
            channel=where["channel"],
            thread_ts=where["thread_ts"],
        )
        seen_at_once = slack.replies("general", where["thread_ts"])
        (shown,) = await slack.shown("general", where["thread_ts"])
        info = (await client.files_info(file=done["file"]["id"]))["file"]
        replies = await client.conversations_replies(
            channel=where["channel"], ts=where["thread_ts"], include_all_metadata=True
        )

        assert seen_at_once == []
        assert [(file.name, file.title, file.data) for file in shown.files] == [("answer.md", "part-1", b"# all")]
        assert info["shares"]["public"][where["channel"]][0]["ts"] == shown.ts
        assert (replies["messages"][1]["subtype"], replies["messages"][1]["files"][0]["title"]) == (
            "file_share",
            "part-1",
        )
        assert "metadata" not in replies["messages"][1]
        assert "ts" not in done["files"][0]
        assert "shares" not in done["files"][0]
        away = slack.channel("public", bot_is_in=False)
        upload = client.files_upload_v2(content="x", filename="x", channel=away)
        assert await refused(upload) == "not_in_channel"


@pytest.mark.parametrize("speed", [1.0, 1.5], ids=["as it is", "faster"])
async def test_a_tier_is_enforced_and_opens_again_when_slack_said_it_would(speed: float) -> None:
    async with slack_server(limits=Limits(speed=speed)) as slack:
        client, where = await asked(slack)
        at: dict[str, Any] = {
            "channel": where["channel"],
            "ts": (await client.chat_postMessage(**where, text="x"))["ts"],
        }
        for number in range(50):
            await client.chat_update(**at, text=f"{number}")
        with pytest.raises(SlackApiError) as caught:
            await client.chat_update(**at, text="one too many")
        response = caught.value.response
        wait = int(response.headers["Retry-After"])
        assert (response.status_code, response["error"]) == (429, "ratelimited")
        assert 0 < wait <= 60
        assert slack.refused == 1
        assert slack.replies("general", where["thread_ts"])[0].text == "49"
        slack.clock.advance(wait / speed)
        await client.chat_update(**at, text="now")


async def test_each_channel_takes_a_post_a_second_with_short_bursts() -> None:
    async with slack_server(limits=Limits(post_burst=2)) as slack:
        client, where = await asked(slack)
        _, other = await asked(slack, channel=slack.channel("other"))
        for _ in range(2):
            await client.chat_postMessage(**where, text="x")
        assert await refused(client.chat_postMessage(**where, text="x")) == "ratelimited"
        await client.chat_postMessage(**other, text="x")
        slack.clock.advance(1)
        await client.chat_postMessage(**where, text="x")
        assert await refused(client.chat_postMessage(**where, text="x")) == "ratelimited"


async def test_the_sdk_waits_as_long_as_slack_says() -> None:
    async with slack_server(limits=Limits(post_burst=1), clock=Clock(speed=1)) as slack:
        handler = AsyncRateLimitErrorRetryHandler(max_retry_count=2)
        _, where = await asked(slack)
        client = client_of(slack, retry_handlers=[handler])
        await client.chat_postMessage(**where, text="one")
        await client.chat_postMessage(**where, text="two")

        assert [call.outcome for call in slack.calls_of("chat.postMessage")] == ["ok", "ratelimited", "ok"]
        assert [shown.text for shown in slack.replies("general", where["thread_ts"])] == ["one", "two"]


async def test_a_post_whose_answer_is_lost_is_there_twice_when_the_sdk_tries_again() -> None:
    async with slack_server() as slack:
        _, where = await asked(slack)
        slack.faults.arm("chat.postMessage", ActThenDrop())
        await client_of(slack, retry_handlers=None).chat_postMessage(**where, text="once")

        assert [shown.text for shown in slack.replies("general", where["thread_ts"])] == ["once", "once"]
        assert [(call.outcome, call.has_acted) for call in slack.calls_of("chat.postMessage")] == [
            (DROPPED, True),
            ("ok", True),
        ]


@pytest.mark.parametrize(
    ("fault", "posts"),
    [
        pytest.param(ActThenDrop(), 1, id="done and dropped"),
        pytest.param(DropBefore(), 0, id="dropped"),
        pytest.param(TooMany(7), 0, id="429"),
        pytest.param(TooMany(None), 0, id="429 without Retry-After"),
        pytest.param(Broken(503), 0, id="503"),
        pytest.param(Broken(502, acts=True), 1, id="done and 502"),
        pytest.param(HTML_PAGE, 0, id="an HTML page"),
        pytest.param(PLAIN_TEXT, 0, id="plain text"),
        pytest.param(CUT_JSON, 0, id="JSON cut short"),
        pytest.param(SaysError("fatal_error"), 0, id="fatal_error"),
    ],
)
async def test_a_call_that_goes_wrong_fails_once(fault: Fault, posts: int) -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        slack.faults.arm("chat.*", fault)
        # A body in plain text makes the SDK trip over itself ([7] of the reference).
        with pytest.raises((SlackApiError, aiohttp.ClientError, AttributeError)) as caught:
            await client.chat_postMessage(**where, text="x")
        assert len(slack.replies("general", where["thread_ts"])) == posts
        await client.chat_postMessage(**where, text="y")

        assert [fired for _, fired in slack.faults.fired] == [fault]
        if isinstance(fault, TooMany) and isinstance(caught.value, SlackApiError):
            assert caught.value.response.headers.get("Retry-After") == (
                None if fault.retry_after is None else str(fault.retry_after)
            )


async def test_an_answer_may_be_slow_or_never_come() -> None:
    async with slack_server(clock=Clock(speed=100)) as slack:
        client, where = await asked(slack)
        began = slack.clock.now()
        slack.faults.arm("chat.postMessage", Slow(5))
        await client.chat_postMessage(**where, text="x")
        assert slack.clock.now() - began >= 5
        slack.faults.arm("chat.postMessage", Hang(acts=True))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.chat_postMessage(**where, text="y")
        assert [shown.text for shown in slack.replies("general", where["thread_ts"])] == ["x", "y"]


async def test_faults_can_be_aimed_at_the_call_that_matters() -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        slack.faults.arm("chat.postMessage", Broken(), skip=2, times=2)
        slack.faults.arm("auth.test", SaysError("invalid_auth"), times=None)
        slack.faults.arm("chat.postMessage", TooMany(), when=lambda call: call.text("text") == "special")
        outcomes = []
        for text in ("a", "b", "c", "d", "special", "e"):
            with suppress(SlackApiError):
                await client.chat_postMessage(**where, text=text)
            outcomes.append(slack.calls[-1].outcome)
        assert outcomes == ["ok", "ok", "status 503", "status 503", "ratelimited", "ok"]
        for _ in range(2):
            assert await refused(client.auth_test()) == "invalid_auth"
        slack.faults.disarm("auth.test")
        await client.auth_test()


async def test_chaos_breaks_a_share_of_the_calls_and_the_same_ones_again() -> None:
    async def run() -> list[str | None]:
        async with slack_server() as slack:
            client, where = await asked(slack)
            slack.faults.chaos(0.4, seed=3, methods="chat.*")
            for number in range(30):
                with suppress(SlackApiError, aiohttp.ClientError, AttributeError):
                    await client.chat_postMessage(**where, text=f"{number}")
            slack.faults.chaos(0)
            await client.chat_postMessage(**where, text="calm")
            return [call.outcome for call in slack.calls_of("chat.postMessage")]

    first, second = await run(), await run()
    assert first == second
    assert 6 <= sum(outcome != "ok" for outcome in first) <= 20
    assert first[-1] == "ok"


async def test_a_call_the_stand_in_does_not_understand_fails_the_test() -> None:
    with pytest.raises(TypeError):
        async with slack_server() as slack:
            client, where = await asked(slack)
            with pytest.raises(SlackApiError):
                await client.api_call("chat.postMessage", json=where | {"blocks": [{"type": "table", "rows": 3}]})


async def test_in_chaos_events_come_twice_and_none_is_lost() -> None:
    async with slack_server() as slack, listener_on(slack) as heard:
        slack.faults.chaos(0.5, seed=1, methods="chat.*")
        said = [await slack.says("ada", f"{number}") for number in range(20)]
        await slack.delivered()

    first = [request.payload["event"]["type"] for request in heard]
    assert {request.payload["event"]["ts"] for request in heard} == set(said)
    assert 50 <= len(heard) <= 70
    assert len({request.payload["event_id"] for request in heard}) == 40
    assert first != ["app_mention", "message"] * (len(first) // 2)


async def test_nothing_is_left_behind() -> None:
    async with aiohttp.ClientSession() as session:
        async with slack_server() as slack:
            client, where = await asked(slack)
            url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
            stream = await session.ws_connect(url)
            await slack.connected()
            slack.sockets[0].is_half_open = True
            slack.faults.arm("chat.postMessage", Hang())
            hanging = asyncio.ensure_future(client.chat_postMessage(**where, text="x"))
            await slack.until(lambda: slack.calls_of("chat.postMessage"))
            await slack.says("ada", "nobody will acknowledge this")
        with pytest.raises(aiohttp.ClientError):
            await hanging
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.auth_test()
        await stream.close()

    assert asyncio.all_tasks() == {asyncio.current_task()}
