"""Links of files as Slack and Discord hand them over, when they lead astray, and what lies behind them."""

import gzip
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.discord.attachments import Source
from adapters.discord.files import Downloads as DiscordDownloads
from adapters.discord.payloads import Fields
from adapters.discord.places import thread_of
from adapters.slack.files import Downloads as SlackDownloads
from bot.answers import Media
from bot.attachments import Enclosure, read_attachments
from bot.errors import AttachmentTooLarge, AttachmentUnreadable
from bot.messages import Attachment, AttachmentId, Message, MessageId, Person, PersonId
from tests.adapters.discord.samples import ADA, GENERAL, IN_GENERAL, TS
from tests.adapters.slack.desk import desk
from tests.support.slack import SaysError, slack_server

FILE = "900000000000000501"
PLATFORMS = ["slack", "discord"]


@dataclass
class Host:
    """A host on loopback, and who came to it."""

    url: str = ""
    port: int = 0
    visits: list[dict[str, str]] = field(default_factory=list)


@asynccontextmanager
async def host(answer: Callable[[], web.Response]) -> AsyncIterator[Host]:
    at = Host()

    async def visited(request: web.Request) -> web.Response:
        at.visits.append(dict(request.headers))
        return answer()

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", visited)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        at.port = runner.addresses[0][1]
        at.url = f"http://127.0.0.1:{at.port}/files/a.png"
        yield at
    finally:
        await runner.cleanup()


Fetch = Callable[[str], Awaitable[Enclosure]]
"""Reads a file that a platform says is at an address."""


@asynccontextmanager
async def fetching(platform: str, hosts: list[str]) -> AsyncIterator[Fetch]:
    address = ""

    async def message_with_it(channel_id: str, message_id: str) -> Fields:
        return {"id": message_id, "attachments": [{"id": FILE, "filename": "a.png", "url": address}]}

    async with AsyncExitStack() as stack:
        if platform == "slack":
            slack = await stack.enter_async_context(slack_server())
            at = await stack.enter_async_context(desk(slack))
            get: Any = SlackDownloads(at.calls, at.session, slack.bot_token, hosts, idle=5.0, sleep=_at_once)
            attachment = Attachment(AttachmentId("F1"), "a.png")
        else:
            session = await stack.enter_async_context(aiohttp.ClientSession())
            get = DiscordDownloads(message_with_it, session, hosts, idle=5.0, sleep=_at_once)
            attachment = Attachment(Source(GENERAL, MessageId(TS), FILE).id, "a.png")
        message = Message(thread_of(IN_GENERAL, TS), MessageId(TS), Person(PersonId(ADA)), "", 0.0, (attachment,))

        async def fetch(told: str) -> Enclosure:
            nonlocal address
            address = told
            if platform == "slack":
                file = {"id": "F1", "name": "a.png", "mimetype": "image/png", "url_private_download": address}
                slack.faults.arm("files.info", SaysError("", more={"ok": True, "file": file}))
            (enclosure,) = await read_attachments([(message, attachment)], get.download, inline_limit=1_000_000)
            return enclosure

        yield fetch


async def _at_once(seconds: float) -> None:
    """No pause before another attempt."""


# --- where a link leads -------------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_no_spelling_of_another_host_is_gone_to(platform: str) -> None:
    async with (
        host(lambda: web.Response(body=b"secret")) as other,
        fetching(platform, ["files.slack.com", "cdn.discordapp.com", "127.0.0.1:1"]) as fetch,
    ):
        for address in (
            *("http://169.254.169.254/latest/meta-data/", f"https://127.0.0.1:{other.port}/a", other.url),
            *(f"http://{name}:{other.port}/a" for name in ("localhost", "0.0.0.0", "127.1", "2130706433", "0x7f.1")),
            *(
                f"http://{name}:{other.port}/a"
                for name in ("[::1]", "[::ffff:127.0.0.1]", "127.0.0.1.", "１２７.0.0.1")
            ),
            *(f"http://files.slack.com@127.0.0.1:{other.port}/", f"http://files.slack.com#@127.0.0.1:{other.port}/"),
            *(f"http://127.0.0.1:{other.port}\\@files.slack.com/", "https://files.slack.com.evil.example/a"),
            *("https://user:pass@files.slack.com/a", "https://files.slack.com:22/a", "http://files.slack.com/a"),
            *("file:///etc/passwd", "ftp://files.slack.com/a", "data:image/png;base64,AA", "gopher://127.0.0.1/", ""),
            *(
                "//files.slack.com/a",
                "https://",
                "https://files.slack.com\r\nHost: evil.example/",
                "https://[::1",
                "\0",
            ),
            *("https://" + "a" * 10_000 + ".example/", "https://files.slack.com:99999999/"),
        ):
            assert isinstance((await fetch(address)).error, AttachmentUnreadable), address

    assert other.visits == []


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_not_even_on_the_host_itself(platform: str, status: int) -> None:
    async with host(lambda: web.Response(body=b"secret")) as other:
        targets = iter([other.url, "http://169.254.169.254/", "file:///etc/passwd", "//localhost/", "/elsewhere"])
        async with (
            host(lambda: web.Response(status=status, headers={"Location": next(targets)})) as first,
            fetching(platform, ["127.0.0.1"]) as fetch,
        ):
            for _ in range(5):
                assert isinstance((await fetch(first.url)).error, AttachmentUnreadable)

    assert other.visits == []
    assert len(first.visits) == 5


# --- what lies behind it ------------------------------------------------------------------------


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_an_answer_that_unpacks_to_much_is_left_where_the_limit_is(platform: str) -> None:
    bomb = gzip.compress(bytes(300_000_000), compresslevel=1)
    unpacking = {"Content-Encoding": "gzip", "Content-Type": "image/png"}
    async with (
        host(lambda: web.Response(body=bomb, headers=unpacking)) as at,
        fetching(platform, ["127.0.0.1"]) as fetch,
    ):
        tracemalloc.start()
        try:
            read = await fetch(at.url)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert isinstance(read.error, AttachmentTooLarge)
    assert most < 30_000_000


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "nonsense"])
async def test_an_answer_that_is_not_packed_as_it_says_is_no_file_or_just_its_bytes(
    platform: str, encoding: str
) -> None:
    body = b"\x1f\x8b\x08\x00 and this is no gzip" * 20
    async with (
        host(lambda: web.Response(body=body, headers={"Content-Encoding": encoding})) as at,
        fetching(platform, ["127.0.0.1"]) as fetch,
    ):
        read = await fetch(at.url)

    assert read.error is not None


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_headers_of_a_file_host_decide_nothing(platform: str) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(300)
    told = {
        "Content-Type": "image/svg+xml; charset=utf-7",
        "Content-Disposition": 'attachment; filename="../../evil.exe"',
        "Refresh": "0; url=http://169.254.169.254/",
    }
    async with (
        host(lambda: web.Response(body=picture, headers=told)) as at,
        fetching(platform, ["127.0.0.1"]) as fetch,
    ):
        read = await fetch(at.url)

    assert read.error is None
    assert "evil" not in repr(read.content)
    assert [part.mime_type for part in read.content if isinstance(part, Media)] == ["image/png"]
    assert all(("Authorization" in visit) == (platform == "slack") for visit in at.visits)
