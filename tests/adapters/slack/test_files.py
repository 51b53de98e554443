"""Files of people on their way in, and files of the model on their way out."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from adapters.slack.calls import SlackRefused
from adapters.slack.files import Downloads, is_allowed
from adapters.slack.uploads import Uploader
from bot.attachments import read_attachments
from bot.errors import (
    AttachmentTooLarge,
    AttachmentUnreadable,
    PlatformAway,
    ThreadClosed,
    Unreadable,
)
from bot.messages import Attachment, AttachmentId, Message, MessageId, Person, PersonId, Thread
from bot.notices import remark_for
from tests.adapters.slack.desk import Desk, desk
from tests.support.slack import (
    ActThenDrop,
    Broken,
    Clock,
    CutBody,
    DropBefore,
    File,
    Hang,
    SaysError,
    Slow,
    TooMany,
    Variants,
    slack_server,
)

FAST = 100.0  # times as fast as real time
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


def downloads(
    at: Desk, *, hosts: Sequence[str] = ("127.0.0.1",), idle: float = 2.0, total: float = 500.0, at_once: int = 8
) -> Downloads:
    clock = at.slack.clock
    return Downloads(
        at.calls,
        at.session,
        at.slack.bot_token,
        hosts,
        idle=idle,
        total=total,
        at_once=at_once,
        sleep=clock.sleep,
        clock=clock.now,
    )


def asked(at: Desk, name: str = "a.png", size: int | None = None, id_: str = "F1") -> tuple[Message, Attachment]:
    thread = at.thread(ts="1700000000.000100")
    attachment = Attachment(AttachmentId(id_), name, size=size)
    author = Person(PersonId("U0ADA00000"))
    return Message(thread, MessageId("1700000000.000100"), author, "", 1_700_000_000.0, (attachment,)), attachment


async def fetched(at: Desk, file: File, get: Downloads | None = None) -> bytes:
    """The bytes of a file somebody has posted."""
    await at.slack.says("ada", files=[file])
    message, attachment = asked(at, file.name, id_=file.id)
    return b"".join([piece async for piece in (get or downloads(at)).download(message, attachment)])


async def refused(at: Desk, file: File, get: Downloads | None = None) -> AttachmentUnreadable:
    with pytest.raises(AttachmentUnreadable) as caught:
        await fetched(at, file, get)
    return caught.value


# --- in -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["hosted", "snippet", "file_access"])
async def test_a_file_arrives_as_it_was_sent(mode: str) -> None:
    async with slack_server() as slack, desk(slack) as at:
        file = slack.uploads("a b.png", PNG * 200, "image/png", mode=mode)  # type: ignore[arg-type]  # one of the modes

        assert await fetched(at, file) == PNG * 200
        (get,) = slack.calls_of("file.download")
        assert get.token == slack.bot_token
        assert "/download/" in get.args["path"]


@pytest.mark.parametrize(
    ("mode", "reason", "words"),
    [
        ("external", Unreadable.ELSEWHERE, "Left out `a.gdoc`: it is kept by another service."),
        ("tombstone", Unreadable.GONE, "Left out `a.gdoc`: it has been deleted."),
        ("access_denied", Unreadable.FORBIDDEN, "Left out `a.gdoc`: I was not given access to it."),
        ("not_found", Unreadable.FORBIDDEN, "Left out `a.gdoc`: I was not given access to it."),
        ("canvas", Unreadable.NO_FILE, "Left out `a.gdoc`: I cannot read documents of this kind."),
    ],
)
async def test_what_is_no_file_of_slacks_is_named_and_never_fetched(mode: str, reason: Unreadable, words: str) -> None:
    async with slack_server() as slack, desk(slack) as at:
        filetype = "quip" if mode == "canvas" else None
        file = slack.uploads("a.gdoc", b"...", mode=mode, filetype=filetype)  # type: ignore[arg-type]  # one of the modes

        error = await refused(at, file)

        assert (error.name, error.reason) == ("a.gdoc", reason)
        assert remark_for(error).startswith(words)
        assert slack.calls_of("file.download") == []
        assert slack.foreign_visits == []


async def test_a_file_deleted_after_it_was_looked_up_is_called_deleted() -> None:
    async with slack_server() as slack, desk(slack) as at:
        file = slack.uploads("a.png", PNG, "image/png")
        slack.faults.arm("file.download", Broken(404, "not found"))

        assert (await refused(at, file)).reason is Unreadable.GONE


@pytest.mark.parametrize("login_page", ["html", "redirect"])
async def test_a_sign_in_page_is_no_file_and_the_operator_is_told_which_scope_is_missing(
    login_page: str, caplog: pytest.LogCaptureFixture
) -> None:
    variants = Variants(login_page=login_page)  # type: ignore[arg-type]  # one of the two
    async with slack_server(variants=variants) as slack, desk(slack) as at:
        file = slack.uploads("a.png", PNG, "image/png")
        # The scope is lost between the lookup and the download, so that the page itself is met.
        slack.faults.arm("files.info", Slow(0.2))
        with caplog.at_level(logging.WARNING):
            failing = asyncio.ensure_future(refused(at, file))
            await slack.until(lambda: slack.calls_of("files.info"))
            slack.scopes.discard("files:read")
            error = await failing

        assert error.reason is Unreadable.FORBIDDEN
        (line,) = [record for record in caplog.records if "files:read" in record.getMessage()]
        assert "install the app to the workspace again" in line.getMessage()
        assert slack.bot_token not in caplog.text
        assert len(slack.calls) == 2  # the page itself is not asked for again, nor the redirect followed


async def test_a_missing_scope_is_told_before_anything_is_fetched(caplog: pytest.LogCaptureFixture) -> None:
    async with slack_server(scopes=["chat:write"]) as slack, desk(slack) as at:
        error = await refused(at, slack.uploads("a.png", PNG, "image/png"))

        assert error.reason is Unreadable.FORBIDDEN
        assert "files:read" in caplog.text
        assert slack.calls_of("file.download") == []


async def test_a_page_that_somebody_sent_is_a_file() -> None:
    page = b"<!DOCTYPE html><html><body>mine</body></html>"
    async with slack_server() as slack, desk(slack) as at:
        assert await fetched(at, slack.uploads("a.html", page, "text/html", filetype="html")) == page
        assert await fetched(at, slack.uploads("a.txt", page, "text/plain")) == page


async def test_a_page_under_another_name_than_html_is_still_a_page() -> None:
    async with slack_server() as slack, desk(slack) as at:
        slack.faults.arm("file.download", Broken(200, "\n <HTML><body>Sign in</body></HTML>", "image/png"))

        error = await refused(at, slack.uploads("a.png", PNG, "image/png"))

        assert error.reason is Unreadable.FORBIDDEN


async def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else() -> None:
    visits: list[str | None] = []

    async def visit(request: web.Request) -> web.Response:
        visits.append(request.headers.get("Authorization"))
        return web.Response(body=PNG)

    async with elsewhere(visit) as url, slack_server() as slack, desk(slack) as at:

        async def redirect(request: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": url})

        async with elsewhere(redirect) as first:
            file = slack.uploads("a.png", PNG, "image/png")
            slack.faults.arm("files.info", SaysError("", more={"ok": True, "file": said_of(file, first)}))

            assert (await refused(at, file)).reason is Unreadable.FORBIDDEN
    assert visits == []


async def test_the_token_is_not_taken_to_a_host_that_is_not_named() -> None:
    visits: list[str | None] = []

    async def visit(request: web.Request) -> web.Response:
        visits.append(request.headers.get("Authorization"))
        return web.Response(body=PNG)

    async with elsewhere(visit) as url, slack_server() as slack, desk(slack) as at:
        file = slack.uploads("a.png", PNG, "image/png")
        for address in (url, url.replace("127.0.0.1", "127.0.0.1@localhost"), "http://[oops", "file:///etc/passwd"):
            slack.faults.arm("files.info", SaysError("", more={"ok": True, "file": said_of(file, address)}))
            await refused(at, file, downloads(at, hosts=["files.slack.com", "localhost"]))

    assert visits == []


def said_of(file: File, url: str) -> dict[str, object]:
    return file.as_json() | {"url_private_download": url}


@asynccontextmanager
async def elsewhere(visit: Callable[[web.Request], object]) -> AsyncIterator[str]:
    """Another server, and an address on it."""
    app = web.Application()
    app.router.add_get("/{rest:.*}", visit)  # type: ignore[arg-type]  # a coroutine function
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/files/a.png"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(DropBefore(), id="no answer"),
        pytest.param(CutBody(1000), id="cut off in the middle"),
        pytest.param(CutBody(10), id="cut off at the beginning"),
        pytest.param(Broken(503), id="a server error"),
        pytest.param(TooMany(2), id="a rate limit"),
        pytest.param(Hang(), id="silence"),
    ],
)
async def test_a_download_that_broke_is_gone_on_with(fault: object) -> None:
    async with slack_server(clock=Clock(speed=FAST)) as slack, desk(slack) as at:
        slack.faults.arm("file.download", fault, times=2)  # type: ignore[arg-type]  # a fault

        assert await fetched(at, slack.uploads("a.png", PNG, "image/png"), downloads(at, idle=0.2)) == PNG
        assert len(slack.calls_of("file.download")) == 3


@pytest.mark.parametrize("fault", [DropBefore(), CutBody(1000), Broken(503), TooMany(None), Hang()])
async def test_a_download_that_keeps_breaking_ends_in_a_broken_file(fault: object) -> None:
    async with slack_server(clock=Clock(speed=FAST)) as slack, desk(slack) as at:
        slack.faults.arm("file.download", fault, times=None)  # type: ignore[arg-type]  # a fault
        async with asyncio.timeout(30):
            error = await refused(at, slack.uploads("a.png", PNG, "image/png"), downloads(at, idle=0.2))

        assert error.reason is Unreadable.BROKEN
        assert 3 <= len(slack.calls_of("file.download")) <= 6  # the client may try a connection it had kept first


async def test_a_download_has_a_time_it_may_take_in_all() -> None:
    async with slack_server(clock=Clock(speed=FAST)) as slack, desk(slack) as at:
        slack.faults.arm("file.download", TooMany(90), times=None)
        await refused(at, slack.uploads("a.png", PNG, "image/png"), downloads(at, total=60))

        assert len(slack.calls_of("file.download")) == 1


async def test_a_file_larger_than_it_claims_is_stopped_where_the_model_stops_reading() -> None:
    async with slack_server() as slack, desk(slack) as at:
        file = slack.uploads("a.bin", b"x" * 5_000_000, "application/octet-stream", size=10)
        await slack.says("ada", files=[file])
        get = downloads(at, at_once=1)

        (enclosure,) = await read_attachments([asked(at, "a.bin", 10, file.id)], get.download, inline_limit=100_000)

        assert isinstance(enclosure.error, AttachmentTooLarge)
        assert await fetched(at, slack.uploads("b.png", PNG, "image/png"), get) == PNG  # its place is free again


async def test_a_file_smaller_than_it_claims_is_taken_as_it_is() -> None:
    async with slack_server() as slack, desk(slack) as at:
        assert await fetched(at, slack.uploads("a.png", PNG, "image/png", size=10_000_000)) == PNG


async def test_a_large_file_comes_in_pieces() -> None:
    async with slack_server() as slack, desk(slack) as at:
        file = slack.uploads("a.bin", b"x" * 3_000_000, "application/octet-stream")
        await slack.says("ada", files=[file])
        message, attachment = asked(at, file.name, id_=file.id)

        sizes = [len(piece) async for piece in downloads(at).download(message, attachment)]

        assert sum(sizes) == 3_000_000
        assert max(sizes) <= 256 * 1024


async def test_no_more_files_are_fetched_side_by_side_than_allowed() -> None:
    async with slack_server() as slack, desk(slack) as at:
        get = downloads(at, at_once=2)
        files = [slack.uploads(f"{number}.png", PNG, "image/png") for number in range(3)]
        opened = [get.download(*asked(at, file.name, id_=file.id)) for file in files]
        async with aclosing(opened[0]) as first, aclosing(opened[1]) as second, aclosing(opened[2]) as third:
            assert await anext(first)
            assert await anext(second)
            waiting = asyncio.ensure_future(anext(third))
            await asyncio.sleep(0)
            assert len(slack.calls_of("files.info")) == 2
            await first.aclose()
            assert await waiting


async def test_while_slack_cannot_be_asked_a_file_is_not_given_up() -> None:
    async with slack_server(clock=Clock(speed=500)) as slack, desk(slack) as at:
        file = slack.uploads("a.png", PNG, "image/png")
        slack.faults.arm("files.info", DropBefore(), times=None)

        with pytest.raises(PlatformAway):
            await fetched(at, file)


@pytest.mark.parametrize(
    ("url", "hosts", "is_taken"),
    [
        ("https://files.slack.com/a", ["files.slack.com"], True),
        ("https://files.slack.com:443/a", ["files.slack.com"], True),
        ("https://FILES.slack.com/a", ["Files.Slack.com"], True),
        ("http://files.slack.com/a", ["files.slack.com"], False),
        ("https://files.slack.com:8443/a", ["files.slack.com"], False),
        ("https://files.slack.com:8443/a", ["files.slack.com:8443"], True),
        ("https://files.slack.com/a", ["files.slack.com:8443"], False),
        ("https://files.slack.com.evil.example/a", ["files.slack.com"], False),
        ("https://evil.example/files.slack.com", ["files.slack.com"], False),
        ("https://files.slack.com./a", ["files.slack.com"], False),
        ("https://me@files.slack.com/a", ["files.slack.com"], False),
        ("https://me:you@files.slack.com/a", ["files.slack.com"], False),
        ("https://files.slack.com@evil.example/a", ["files.slack.com"], False),
        ("https://sub.files.slack.com/a", ["files.slack.com"], False),
        ("https://slack.com/a", ["files.slack.com"], False),
        ("ftp://files.slack.com/a", ["files.slack.com"], False),
        ("//files.slack.com/a", ["files.slack.com"], False),
        ("/a", ["files.slack.com"], False),
        ("", [""], False),
        ("http://127.0.0.1:4711/a", ["127.0.0.1"], True),
        ("https://127.0.0.1:4711/a", ["127.0.0.1"], True),
        ("http://127.0.0.1:4711/a", ["127.0.0.1:4711"], True),
        ("http://127.0.0.1:4711/a", ["127.0.0.1:4712"], False),
        ("http://127.0.0.1:4711/a", ["localhost"], False),
        ("http://[::1]:4711/a", ["[::1]"], True),
        ("https://files.slack.com/a", [], False),
    ],
)
def test_the_token_travels_to_named_hosts_only(url: str, hosts: list[str], is_taken: bool) -> None:
    assert is_allowed(URL(url), hosts) is is_taken


@given(st.text(), st.lists(st.text(), max_size=3))
def test_no_address_confuses_the_list_of_hosts(address: str, hosts: list[str]) -> None:
    try:
        url = URL(address)
    except ValueError:
        return
    assert not is_allowed(url, ["files.slack.com"]) or url.host == "files.slack.com"
    is_allowed(URL("https://files.slack.com/a"), hosts)


# --- out ----------------------------------------------------------------------------------------


def uploader(at: Desk) -> Uploader:
    return Uploader(at.calls, at.session, at.me, sleep=at.slack.clock.sleep)


async def root_of(at: Desk) -> Thread:
    return at.thread(ts=await at.slack.says("ada", "Draw one"))


def shown_files(at: Desk, thread: Thread) -> list[tuple[str, str, bytes]]:
    replies = at.slack.replies("general", thread.thread_id)
    return [(shown.ts, file.title, file.data) for shown in replies for file in shown.files]


async def test_a_file_is_put_into_the_thread_and_its_message_is_known() -> None:
    async with slack_server(clock=Clock(speed=10)) as slack, desk(slack) as at:
        thread = await root_of(at)

        ts = await uploader(at).upload(thread, "cat.png", PNG, "image/png", "t1-1")

        assert shown_files(at, thread) == [(ts, "cat.png [t1-1]", PNG)]
        (post,) = slack.calls_of("file.upload")
        assert post.token is None


async def test_a_file_is_put_into_a_direct_message() -> None:
    async with slack_server(clock=Clock(speed=10)) as slack, desk(slack) as at:
        dm = slack.direct("ada")
        await slack.says("ada", "Draw one", channel=dm)

        ts = await uploader(at).upload(at.thread(dm), "cat.png", PNG, "image/png", "t1-1")

        assert [shown.ts for shown in slack.replies(dm)] == [ts]
        assert await uploader(at).find(at.thread(dm), "t1-1") == ts
        assert await uploader(at).find(at.thread(dm), "t1-2") is None


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("files.getUploadURLExternal", DropBefore()),
        ("files.getUploadURLExternal", ActThenDrop()),
        ("files.getUploadURLExternal", TooMany(2)),
        ("file.upload", DropBefore()),
        ("file.upload", ActThenDrop()),
        ("file.upload", Broken(503)),
        ("files.completeUploadExternal", DropBefore()),
        ("files.completeUploadExternal", ActThenDrop()),
        ("files.completeUploadExternal", Broken(502)),
        ("files.completeUploadExternal", Broken(502, acts=True)),
        ("files.completeUploadExternal", TooMany(2)),
        ("files.info", DropBefore()),
        ("files.info", SaysError("file_not_found")),
    ],
)
async def test_whatever_breaks_on_the_way_a_file_is_shown_once(method: str, fault: object) -> None:
    async with slack_server(clock=Clock(speed=50)) as slack, desk(slack) as at:
        thread = await root_of(at)
        slack.faults.arm(method, fault)  # type: ignore[arg-type]  # a fault

        ts = await uploader(at).upload(thread, "cat.png", PNG, "image/png", "t1-1")

        assert shown_files(at, thread) == [(ts, "cat.png [t1-1]", PNG)]


async def test_a_file_that_slack_takes_its_time_to_share_is_shown_once() -> None:
    variants = Variants(share_after=1.5)
    async with slack_server(clock=Clock(speed=20), variants=variants) as slack, desk(slack) as at:
        thread = await root_of(at)
        slack.faults.arm("files.completeUploadExternal", ActThenDrop())

        ts = await uploader(at).upload(thread, "cat.png", PNG, "image/png", "t1-1")

        assert [shown for shown, _, _ in shown_files(at, thread)] == [ts]


async def test_a_file_whose_message_never_comes_is_not_waited_for() -> None:
    variants = Variants(share_after=3600)
    async with slack_server(clock=Clock(speed=100), variants=variants) as slack, desk(slack) as at:
        assert await uploader(at).upload(await root_of(at), "cat.png", PNG, "image/png", "t1-1") is None


@pytest.mark.parametrize("share_after", [0.0, 2.0])
async def test_after_a_restart_a_file_is_found_instead_of_uploaded_again(share_after: float) -> None:
    variants = Variants(share_after=share_after)
    async with slack_server(clock=Clock(speed=20), variants=variants) as slack, desk(slack) as at:
        thread = await root_of(at)
        slack.faults.arm("files.completeUploadExternal", Hang(acts=True))
        before = asyncio.ensure_future(uploader(at).upload(thread, "cat.png", PNG, "image/png", "t1-1"))
        await slack.until(lambda: [call for call in slack.calls_of("files.completeUploadExternal") if call.outcome])
        before.cancel()  # the process ends here

        after = MessageId(thread.thread_id)
        ts = await uploader(at).upload(thread, "cat.png", PNG, "image/png", "t1-1", after=after, again=True)
        await uploader(at).upload(thread, "dog.png", PNG, "image/png", "t1-11", after=after, again=True)

        assert [title for _, title, _ in shown_files(at, thread)] == ["cat.png [t1-1]", "dog.png [t1-11]"]
        assert shown_files(at, thread)[0][0] == ts


async def test_a_file_somebody_else_posted_under_that_title_is_not_taken_for_ours() -> None:
    async with slack_server(clock=Clock(speed=50)) as slack, desk(slack) as at:
        thread = await root_of(at)
        await slack.says("eve", thread_ts=thread.thread_id, files=[slack.uploads("cat.png [t1-1]", b"eve's")])

        assert await uploader(at).find(thread, "t1-1") is None


async def test_where_nothing_can_be_uploaded_it_is_said_why() -> None:
    async with slack_server() as slack, desk(slack) as at:
        thread = await root_of(at)
        slack.set_channel("general", archived=True)
        with pytest.raises(ThreadClosed):
            await uploader(at).upload(thread, "cat.png", PNG, "image/png", "t1-1")

        slack.scopes.discard("files:write")
        with pytest.raises(SlackRefused) as caught:
            await uploader(at).upload(thread, "cat.png", PNG, "image/png", "t1-1")
        assert caught.value.needed == "files:write"


async def test_while_slack_is_away_an_upload_is_left_for_later() -> None:
    async with slack_server(clock=Clock(speed=200)) as slack, desk(slack) as at:
        thread = await root_of(at)
        slack.faults.arm("files.completeUploadExternal", Broken(503), times=None)
        with pytest.raises(PlatformAway):
            await uploader(at).upload(thread, "cat.png", PNG, "image/png", "t1-1")

        slack.faults.disarm()
        slack.faults.arm("file.upload", Broken(500), times=None)
        with pytest.raises(PlatformAway):
            await uploader(at).upload(thread, "cat.png", PNG, "image/png", "t1-1")
        assert shown_files(at, thread) == []


async def test_a_large_file_goes_out_whole() -> None:
    async with slack_server(clock=Clock(speed=10)) as slack, desk(slack) as at:
        thread = await root_of(at)
        data = bytes(range(256)) * 20_000

        await uploader(at).upload(thread, "film.mp4", data, "video/mp4", "t1-1")

        assert [shown for _, _, shown in shown_files(at, thread)] == [data]
