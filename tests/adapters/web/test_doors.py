"""Who is let in, and what a browser is told to keep shut."""

import asyncio
import json
import re
import socket
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from adapters.web.doors import CONTENT_POLICY, Closed, Token
from adapters.web.pages import assets
from bot.errors import SettingsError, StartError
from tests.support.page import THREAD, Served, page_alone, served_page

EVERYWHERE = "0.0.0.0"  # refused, or served for a moment
TOKEN = "correct horse battery"
LOCKED = Served(token=SecretStr(TOKEN))
MESSAGE = {"id": "message-0001", "text": "Hello?"}
READS = ["api/threads", "api/events", f"api/threads/{THREAD}/events", f"api/threads/{THREAD}/files/{'0' * 32}"]
WRITES = [f"api/threads/{THREAD}/messages", f"api/threads/{THREAD}/commands"]


def host_of(address: str) -> str:
    return address.removeprefix("http://").rstrip("/")


# --- the page itself ---


async def test_the_page_loads_everything_from_itself() -> None:
    async with served_page() as page:
        status, headers, body = await page.asks("")
        text = body.decode()
        loaded = re.findall(r'(?:src|href)="(/[^"]*)"', text)
        answers = {path: await page.asks(path.lstrip("/")) for path in loaded}

    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert headers["Content-Security-Policy"] == CONTENT_POLICY
    assert "/static/page.js" in loaded
    assert {path: answer[0] for path, answer in answers.items()} == dict.fromkeys(loaded, 200)
    assert not re.search(r"https?://|<script>|<style|\son\w+=|\sstyle=|{{", text)


@pytest.mark.parametrize("asset", assets(), ids=lambda asset: asset.name)
def test_nothing_of_the_page_names_another_host(asset: Any) -> None:
    text = asset.body.decode().replace("http://www.w3.org/2000/svg", "")

    assert not re.search(r"https?://|//[a-z]+\.[a-z]|@import|url\(", text)


async def test_a_script_is_not_sent_again_while_it_is_the_same() -> None:
    async with served_page() as page:
        _, headers, _ = await page.asks("static/page.js")
        status, _, body = await page.asks("static/page.js", headers={"If-None-Match": headers["ETag"]})

    assert (status, body) == (304, b"")


@pytest.mark.parametrize("path", ["static/../adapter.py", "static/index.html", "static/%2e%2e/adapter.py", "nothing"])
async def test_there_is_nothing_else_to_be_had(path: str) -> None:
    async with served_page() as page:
        status, _, _ = await page.asks(path)

    assert status == 404


@pytest.mark.parametrize("path", ["", "api/threads", "static/page.css", "healthz", "nothing"])
async def test_every_response_tells_the_browser_to_be_careful(path: str) -> None:
    async with served_page() as page:
        _, headers, _ = await page.asks(path)

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]


async def test_the_page_says_which_model_answers() -> None:
    async with served_page() as page:
        _, _, body = await page.asks("")

    assert b"gemini-3.5-flash-lite" in body
    assert b'data-mode="online"' in body


# --- other sites ---


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=lambda headers: " ".join(*headers.items()),
)
async def test_another_site_cannot_post(path: str, headers: dict[str, str]) -> None:
    async with served_page() as page:
        status, _, body = await page.asks(path, "POST", headers=headers, json={**MESSAGE, "command": "help"})
        stored = await page.store.threads(page.adapter.platform)

    assert status == 403
    assert "Another site" in json.loads(body)["error"]
    assert not stored


@pytest.mark.parametrize("path", [*READS, "metrics"])
@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_another_site_cannot_read(path: str, headers: dict[str, str]) -> None:
    async with served_page() as page:
        status, _, _ = await page.asks(path, headers=headers)

    assert status == 403


async def test_the_page_may_be_linked_to_and_may_post_to_itself() -> None:
    async with served_page() as page:
        linked, _, _ = await page.asks("", headers={"Sec-Fetch-Site": "cross-site"})
        headers = {"Origin": page.address.rstrip("/"), "Sec-Fetch-Site": "same-origin"}
        posted, _, _ = await page.asks(WRITES[0], "POST", headers=headers, json=MESSAGE)

    assert (linked, posted) == (200, 202)


@pytest.mark.parametrize("name", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8080", "", "[::1"])
@pytest.mark.parametrize("path", ["", "api/threads", "static/page.js"])
async def test_a_name_that_was_pointed_here_is_refused(name: str, path: str) -> None:
    async with served_page() as page:
        status, _, _ = await page.asks(path, headers={"Host": name})
        healthy, _, _ = await page.asks("healthz", headers={"Host": name})

    assert status in {400, 421}
    assert healthy in {200, 400}


async def test_the_page_answers_to_its_own_names() -> None:
    async with served_page() as page:
        port = host_of(page.address).rpartition(":")[2]
        statuses = [
            (await page.asks("", headers={"Host": f"{name}:{port}"}))[0] for name in ("localhost", "127.0.0.1", "[::1]")
        ]

    assert statuses == [200, 200, 200]


# --- what is not a message ---


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"data": json.dumps(MESSAGE), "headers": {"Content-Type": "text/plain"}}, 415),
        ({"data": "{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": "[" * 20_000, "headers": {"Content-Type": "application/json"}}, 400),
        ({"json": []}, 400),
        ({"json": {"text": "no id"}}, 400),
        ({"json": {"id": "short", "text": "x"}}, 400),
        ({"json": {"id": "with a blank", "text": "x"}}, 400),
        ({"json": {"id": 12345678, "text": "x"}}, 400),
        ({"json": {"id": "message-0001", "text": None}}, 400),
        ({"json": {"id": "message-0001", "text": "  \n"}}, 400),
        ({"json": {"id": "message-0001", "text": "x" * 100_001}}, 400),
        ({"json": {"id": "message-0001", "text": "x" * 900_000}}, 413),
        ({"data": b"no form", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400),
        ({"data": b"no form", "headers": {"Content-Type": "multipart/form-data"}}, 400),
        ({"data": b"--x\r\n\r\n{}\r\n--x--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 400),
    ],
)
async def test_what_the_page_never_sends_is_refused_in_a_sentence(request_: dict[str, Any], status: int) -> None:
    async with served_page() as page:
        answered, _, body = await page.asks(WRITES[0], "POST", **request_)
        stored = await page.store.threads(page.adapter.platform)

    assert answered == status
    assert json.loads(body)["error"].endswith(".")
    assert not stored


@pytest.mark.parametrize("thread", ["short", "UPPERCASE1", "with.dots0", "a" * 41, "colon:0000"])
async def test_a_thread_has_a_name_of_the_page_s_own_making(thread: str) -> None:
    async with served_page() as page:
        status, told = await page.says("Hello?", thread=thread)

    assert (status, told) == (400, {"error": "There is no such thread."})


async def test_text_that_no_database_takes_is_mended() -> None:
    async with served_page() as page:
        body = b'{"id": "message-0001", "text": "a\\ud800b\\u0000c"}'
        status, _, _ = await page.asks(WRITES[0], "POST", data=body, headers={"Content-Type": "application/json"})
        (turn,) = await page.turns(1)

    assert status == 202
    assert turn.messages[0].text == "a?bc"


@pytest.mark.parametrize("command", ["drop", "", None, 7])
async def test_there_are_four_commands(command: object) -> None:
    async with served_page() as page:
        body = {"id": "command-0001", "command": command}
        status, _, _ = await page.asks(WRITES[1], "POST", json=body)

    assert status == 400


# --- the token ---


@pytest.mark.parametrize("path", [*READS, "metrics"])
async def test_with_a_token_nothing_is_told_without_it(path: str) -> None:
    async with served_page(LOCKED) as page:
        status, _, body = await page.asks(path)

    assert status == 401
    assert json.loads(body) == {"error": "The token is missing or wrong."}


async def test_with_a_token_nobody_posts_without_it_and_health_stays_open() -> None:
    async with served_page(LOCKED) as page:
        posted = [(await page.asks(path, "POST", json=MESSAGE))[0] for path in WRITES]
        healthy, _, _ = await page.asks("healthz")
        styled, _, _ = await page.asks("static/page.css")

    assert posted == [401, 401]
    assert (healthy, styled) == (200, 200)


async def test_the_token_opens_the_page_and_the_browser_remembers_it() -> None:
    async with served_page(LOCKED) as page, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(page.address) as closed:
            asked = await closed.text()
        async with browser.post(f"{page.address}login", data={"token": "wrong"}) as wrong:
            told = await wrong.text()
        async with browser.post(f"{page.address}login", data={"token": TOKEN}, allow_redirects=False) as right:
            cookie = right.headers["Set-Cookie"]
        async with browser.get(page.address) as opened:
            text = await opened.text()
        async with browser.get(f"{page.address}api/threads") as threads:
            listed = threads.status

    assert (closed.status, wrong.status, right.status, opened.status, listed) == (401, 401, 303, 200, 200)
    assert re.search(r'role="alert" hidden', asked)
    assert not re.search(r'role="alert" hidden', told)
    assert right.headers["Location"] == "/"
    assert {"HttpOnly", "SameSite=Strict"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert TOKEN not in cookie
    assert 'id="composer"' in text


async def test_behind_https_the_cookie_is_for_https_only() -> None:
    async with served_page(LOCKED) as page:
        headers = {"X-Forwarded-Proto": "https"}
        _, answered, _ = await page.asks("login", "POST", data={"token": TOKEN}, headers=headers)

    assert "Secure" in answered["Set-Cookie"]


async def test_another_site_cannot_try_tokens() -> None:
    async with served_page(LOCKED) as page:
        headers = {"Origin": "https://evil.example"}
        status, _, _ = await page.asks("login", "POST", data={"token": TOKEN}, headers=headers)

    assert status == 403


async def test_a_program_brings_the_token_as_a_bearer() -> None:
    async with served_page(LOCKED) as page:
        right, _, _ = await page.asks("api/threads", headers={"Authorization": f"Bearer {TOKEN}"})
        wrong, _, _ = await page.asks("api/threads", headers={"Authorization": "Bearer wrong"})
        basic, _, _ = await page.asks("api/threads", headers={"Authorization": f"Basic {TOKEN}"})

    assert (right, wrong, basic) == (200, 401, 401)


async def test_with_a_token_the_page_may_have_any_name() -> None:
    async with served_page(LOCKED) as page:
        headers = {"Host": "clew.example", "Authorization": f"Bearer {TOKEN}"}
        status, _, _ = await page.asks("", headers=headers)

    assert status == 200


async def test_wrong_tokens_are_tried_one_at_a_time_and_nobody_else_waits() -> None:
    pauses: list[float] = []
    pausing, gate = asyncio.Event(), asyncio.Event()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        pausing.set()
        await gate.wait()

    token = Token(SecretStr(TOKEN), pause=1.0, sleep=pause)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        attempts = [group.create_task(token.admits(f"guess {number}")) for number in range(8)]
        await pausing.wait()  # the event loop turns, although an attempt is being held up
        held_up = len(pauses)
        with pytest.raises(Closed, match="Too many attempts"):
            await token.admits(TOKEN)
        gate.set()

    assert held_up == 1
    assert [attempt.result() for attempt in attempts] == [False] * 8
    assert pauses == [1.0] * 8
    assert await token.admits(TOKEN)


# --- where it is served ---


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.0.2.1", "clew.example"])
async def test_another_host_needs_a_token(host: str) -> None:
    with pytest.raises(SettingsError, match="WEB_TOKEN"):
        async with page_alone(Served(host=host)):
            pass


async def test_with_a_token_the_page_may_be_served_to_others() -> None:
    async with served_page(Served(host=EVERYWHERE, token=SecretStr(TOKEN))) as page:
        status, _, _ = await page.asks("healthz")

    assert status == 200
    assert page.address.startswith("http://localhost:")


async def test_a_taken_port_stops_the_start_with_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError) as refused:
            async with page_alone(Served(port=port)):
                pass

    assert str(refused.value) == (
        f"Port {port} on 127.0.0.1 is taken already; set WEB_PORT to another one, or to 0 for any free one."
    )


async def test_a_host_of_another_machine_stops_the_start_with_a_sentence() -> None:
    with pytest.raises(StartError, match=r"^WEB_HOST is '192\.0\.2\.1', where this machine cannot listen"):
        async with page_alone(Served(host="192.0.2.1", token=SecretStr(TOKEN))):
            pass


async def test_with_the_page_off_only_health_and_metrics_are_there() -> None:
    async with served_page(Served(host=EVERYWHERE, enabled=False)) as page:
        found = {path: (await page.asks(path))[0] for path in ("", "static/page.js", "login", *READS)}
        healthy, _, _ = await page.asks("healthz")
        counted, _, _ = await page.asks("metrics")

    assert set(found.values()) == {404}
    assert (healthy, counted) == (200, 200)


# --- for operators ---


async def test_health_tells_the_truth() -> None:
    async with served_page() as page:
        well = await page.asks("healthz")
        page.health.trouble = "disk full"
        ill = await page.asks("healthz")

    assert (well[0], json.loads(well[2])) == (200, {"ok": True, "checks": {"store": "ok"}})
    assert (ill[0], json.loads(ill[2])) == (503, {"ok": False, "checks": {"store": "disk full"}})


async def test_metrics_count_what_happened() -> None:
    async with served_page() as page:
        await page.says("Count me")
        await page.turns(1)
        status, headers, body = await page.asks("metrics")

    assert status == 200
    assert headers["Content-Type"].startswith("text/plain")
    assert re.search(rb'messages_total\{[^}]*platform="web"[^}]*\} 1\.0', body)
