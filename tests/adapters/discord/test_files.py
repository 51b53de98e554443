"""Files of people on their way in."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from adapters.discord.attachments import Source
from adapters.discord.files import Downloads
from adapters.discord.payloads import Fields
from adapters.discord.places import thread_of
from bot.attachments import read_attachments
from bot.errors import AttachmentTooLarge, AttachmentUnreadable, MessageGone, PlatformAway, ThreadClosed, Unreadable
from bot.hosts import is_allowed
from bot.messages import Attachment, AttachmentId, Message, MessageId, Person, PersonId
from bot.notices import remark_for
from tests.adapters.discord.samples import ADA, GENERAL, IN_GENERAL, TS, sample

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
FILE = "900000000000000501"


class Cdn:
    """Messages with files, and where those are: every reading of a message signs the addresses anew ([6]).

    Attributes:
        statuses: what the next requests are answered with instead of the file; 0 cuts the answer off, -1 keeps silent.
    """

    def __init__(self, base: str) -> None:
        self.base = base
        self.data = PNG
        self.readings: list[tuple[str, str]] = []
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.statuses: list[int] = []
        self.cut_after = 1000
        self.error: Exception | None = None
        self.listed = True
        self.address: str | None = None
        self.nap: list[float] = []

    async def fetch(self, channel_id: str, message_id: str) -> Fields:
        self.readings.append((channel_id, message_id))
        if self.error is not None:
            raise self.error
        url = self.address or f"{self.base}/attachments/{GENERAL}/{FILE}/a.png?hm={len(self.readings)}"
        files = [{"id": "7", "url": f"{self.base}/other"}, {"id": FILE, "filename": "a.png", "url": url}]
        return {"id": message_id, "attachments": files if self.listed else []}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request.path_qs)
        self.headers.append(dict(request.headers))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == -1:
            await asyncio.Event().wait()
        if status not in {0, 200}:
            return web.Response(status=status, headers={"Location": f"{self.base}/elsewhere", "Retry-After": "3"})
        answer = web.StreamResponse(headers={"Content-Length": str(len(self.data))})
        await answer.prepare(request)
        await answer.write(self.data[: self.cut_after] if status == 0 else self.data)
        if status == 0:
            assert request.transport is not None
            request.transport.close()
        return answer

    async def sleep(self, seconds: float) -> None:
        self.nap.append(seconds)


@asynccontextmanager
async def cdn() -> AsyncIterator[tuple[Cdn, Downloads]]:
    """A place for files, and downloads from it."""
    async with _serving() as at, aiohttp.ClientSession() as session:
        yield at, downloads(at, session)


@asynccontextmanager
async def _serving() -> AsyncIterator[Cdn]:
    app = web.Application()
    at = Cdn("")
    app.router.add_get("/{rest:.*}", at.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        at.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield at
    finally:
        await runner.cleanup()


def downloads(
    at: Cdn, session: aiohttp.ClientSession, *, hosts: Sequence[str] = ("127.0.0.1",), at_once: int = 8
) -> Downloads:
    return Downloads(at.fetch, session, hosts, at_once=at_once, idle=0.3, sleep=at.sleep)


def asked(name: str = "a.png", *, file_id: str | None = None, size: int | None = None) -> tuple[Message, Attachment]:
    attachment = Attachment(
        AttachmentId(file_id) if file_id else Source(GENERAL, MessageId(TS), FILE).id, name, size=size
    )
    author = Person(PersonId(ADA))
    return Message(thread_of(IN_GENERAL, TS), MessageId(TS), author, "", 0.0, (attachment,)), attachment


async def fetched(get: Downloads, *, file_id: str | None = None) -> bytes:
    return b"".join([piece async for piece in get.download(*asked(file_id=file_id))])


async def refused(get: Downloads, *, file_id: str | None = None) -> AttachmentUnreadable:
    with pytest.raises(AttachmentUnreadable) as caught:
        await fetched(get, file_id=file_id)
    return caught.value


# --- where a file is ----------------------------------------------------------------------------


async def test_a_file_arrives_as_it_was_sent_from_where_its_message_says_it_is_now() -> None:
    async with cdn() as (at, get):
        at.data = PNG * 100

        assert await fetched(get) == at.data
        assert at.readings == [(GENERAL, TS)]
        assert at.requests == [f"/attachments/{GENERAL}/{FILE}/a.png?hm=1"]
        assert "Authorization" not in at.headers[0]


async def test_a_forwarded_file_is_read_from_the_message_that_forwards_it() -> None:
    body = sample("forward")
    async with cdn() as (at, _), aiohttp.ClientSession() as session:
        for snapshot in body["message_snapshots"]:
            for file in snapshot["message"]["attachments"]:
                file["url"] = f"{at.base}/forwarded"

        async def fetch(channel_id: str, message_id: str) -> Fields:
            assert (channel_id, message_id) == (body["channel_id"], body["id"])
            return body

        get = Downloads(fetch, session, ["127.0.0.1"])
        source = Source(body["channel_id"], body["id"], "900000000000000502")

        assert await fetched(get, file_id=source.id) == PNG
        assert at.requests == ["/forwarded"]


@pytest.mark.parametrize("status", [403, 404])
async def test_an_address_that_has_expired_meanwhile_is_asked_for_again(status: int) -> None:
    async with cdn() as (at, get):
        at.statuses = [status]

        assert await fetched(get) == PNG
        assert [request.partition("hm=")[2] for request in at.requests] == ["1", "2"]
        assert len(at.readings) == 2


async def test_a_download_that_broke_is_gone_on_with_though_its_address_has_expired_meanwhile() -> None:
    async with cdn() as (at, get):
        at.statuses = [0, 404]

        assert await fetched(get) == PNG
        assert [request.partition("hm=")[2] for request in at.requests] == ["1", "1", "2"]


@pytest.mark.parametrize(
    ("status", "reason", "words"),
    [
        (404, Unreadable.GONE, "Left out `a.png`: it has been deleted."),
        (403, Unreadable.FORBIDDEN, "Left out `a.png`: I was not given access to it."),
        (410, Unreadable.GONE, "Left out `a.png`: it has been deleted."),
        (400, Unreadable.BROKEN, "Left out `a.png`"),
    ],
)
async def test_a_file_that_is_not_handed_out_is_named(status: int, reason: Unreadable, words: str) -> None:
    async with cdn() as (at, get):
        at.statuses = [status] * 5

        error = await refused(get)

        assert error.reason is reason
        assert remark_for(error).startswith(words)
        assert len(at.requests) <= 2


@pytest.mark.parametrize(
    ("error", "reason"),
    [(MessageGone(TS), Unreadable.GONE), (ThreadClosed("50001"), Unreadable.FORBIDDEN)],
)
async def test_a_file_whose_message_cannot_be_read_is_not_to_be_had(error: Exception, reason: Unreadable) -> None:
    async with cdn() as (at, get):
        at.error = error

        assert (await refused(get)).reason is reason
        assert at.requests == []


async def test_a_file_that_was_taken_out_of_its_message_is_gone() -> None:
    async with cdn() as (at, get):
        at.listed = False

        assert (await refused(get)).reason is Unreadable.GONE
        assert at.requests == []


async def test_while_discord_cannot_be_asked_a_file_is_not_given_up() -> None:
    async with cdn() as (at, get):
        at.error = PlatformAway("away")

        with pytest.raises(PlatformAway):
            await fetched(get)


@pytest.mark.parametrize("file_id", ["900000000000000501", "1/2", "1/2/3/4", "a/b/c", ""])
async def test_a_file_that_no_message_holds_is_not_looked_for(file_id: str) -> None:
    async with cdn() as (at, get):
        message, _ = asked()
        with pytest.raises(AttachmentUnreadable):
            await anext(get.download(message, Attachment(AttachmentId(file_id), "a.png")))

        assert at.readings == []


# --- from which hosts ---------------------------------------------------------------------------


async def test_nothing_is_fetched_from_a_host_that_is_not_named(caplog: pytest.LogCaptureFixture) -> None:
    async with cdn() as (at, _), aiohttp.ClientSession() as session:
        get = downloads(at, session, hosts=["cdn.discordapp.com", "localhost"])
        evil = at.base.replace("127.0.0.1", "127.0.0.1@localhost")
        with caplog.at_level(logging.WARNING):
            for address in (at.base, evil, "http://[oops", "file:///etc/passwd", "/attachments/1/2/a.png"):
                at.address = address
                await refused(get)

        assert at.requests == []
        assert "DISCORD_FILE_HOSTS" in caplog.text


async def test_a_redirect_is_not_followed() -> None:
    async with cdn() as (at, get):
        at.statuses = [302]

        assert (await refused(get)).reason is Unreadable.FORBIDDEN
        assert len(at.requests) == 1


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        ("https://cdn.discordapp.com/attachments/1/2/a.png?ex=1", True),
        ("https://media.discordapp.net/attachments/1/2/a.png", True),
        ("http://cdn.discordapp.com/attachments/1/2/a.png", False),
        ("https://cdn.discordapp.com.evil.example/a.png", False),
        ("https://images-ext-1.discordapp.net/external/a.png", False),
        ("https://discordapp.com/a.png", False),
    ],
)
def test_discords_hosts_are_two(address: str, is_taken: bool) -> None:
    assert is_allowed(URL(address), ["cdn.discordapp.com", "media.discordapp.net"]) is is_taken


# --- trouble on the way -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [pytest.param(0, id="cut off"), 500, 503, 429, pytest.param(-1, id="silence")])
async def test_a_download_that_broke_is_gone_on_with(status: int) -> None:
    async with cdn() as (at, get):
        at.statuses = [status, status]

        assert await fetched(get) == PNG
        assert len(at.requests) == 3
        assert len(at.readings) == 1
        assert at.nap == ([3.0, 3.0] if status > 0 else [0.5, 2.0])


@pytest.mark.parametrize("status", [pytest.param(0, id="cut off"), 503, 429, pytest.param(-1, id="silence")])
async def test_a_download_that_keeps_breaking_ends_in_a_broken_file(status: int) -> None:
    async with cdn() as (at, get):
        at.statuses = [status] * 9

        assert (await refused(get)).reason is Unreadable.BROKEN
        assert len(at.requests) == 3


async def test_a_download_has_a_time_it_may_take_in_all() -> None:
    async with cdn() as (at, _), aiohttp.ClientSession() as session:
        at.statuses = [429] * 9
        await refused(Downloads(at.fetch, session, ["127.0.0.1"], total=2.0, sleep=at.sleep))

        assert (len(at.requests), at.nap) == (1, [])


async def test_a_large_file_comes_in_pieces() -> None:
    async with cdn() as (at, get):
        at.data = b"x" * 3_000_000

        sizes = [len(piece) async for piece in get.download(*asked())]

        assert sum(sizes) == 3_000_000
        assert max(sizes) <= 256 * 1024


async def test_a_file_larger_than_it_claims_is_stopped_where_the_model_stops_reading() -> None:
    async with cdn() as (at, _), aiohttp.ClientSession() as session:
        get = downloads(at, session, at_once=1)
        at.data = b"x" * 5_000_000

        (enclosure,) = await read_attachments([asked(size=10)], get.download, inline_limit=100_000)

        assert isinstance(enclosure.error, AttachmentTooLarge)
        at.data = PNG
        assert await fetched(get) == PNG  # its place is free again


async def test_no_more_files_are_fetched_side_by_side_than_allowed() -> None:
    async with cdn() as (at, _), aiohttp.ClientSession() as session:
        get = downloads(at, session, at_once=2)
        opened = [get.download(*asked()) for _ in range(3)]
        async with aclosing(opened[0]) as first, aclosing(opened[1]) as second, aclosing(opened[2]) as third:
            assert await anext(first)
            assert await anext(second)
            waiting = asyncio.ensure_future(anext(third))
            await asyncio.sleep(0)
            assert len(at.readings) == 2
            await first.aclose()
            assert await waiting


# --- the option of a command --------------------------------------------------------------------


async def test_a_file_of_a_command_is_fetched_from_the_address_it_came_with() -> None:
    async with cdn() as (at, get):
        at.statuses = [503]
        pieces = [piece async for piece in get.from_address("a.png", f"{at.base}/ephemeral-attachments/1/2/a.png")]

        assert b"".join(pieces) == PNG
        assert at.readings == []


async def test_a_file_of_a_command_whose_address_is_no_longer_good_is_gone() -> None:
    async with cdn() as (at, get):
        at.statuses = [404]
        with pytest.raises(AttachmentUnreadable) as caught:
            await anext(get.from_address("a.png", f"{at.base}/ephemeral-attachments/1/2/a.png"))

        assert caught.value.reason is Unreadable.GONE
        with pytest.raises(AttachmentUnreadable):
            await anext(get.from_address("a.png", "https://evil.example/a.png"))
