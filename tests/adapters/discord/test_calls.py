"""Calls of Discord's API under everything that can happen to one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from discord.http import HTTPClient

from adapters.discord.calls import Calls, DiscordClosed, DiscordRefused, File, NoLongerWanted, Route
from adapters.discord.line import open_line
from bot.errors import PlatformAway, PlatformError
from bot.metrics import Metrics
from tests.support.discord import (
    CLOUDFLARE,
    CUT_JSON,
    HTML_PAGE,
    ActThenDrop,
    Broken,
    DiscordServer,
    DropBefore,
    Fault,
    SaysError,
    TooMany,
    discord_server,
)
from tests.support.discord_clew import set_for
from tests.support.slack_clew import until_logged

POST, EDIT = "POST /channels/*/messages", "PATCH /channels/*/messages/*"
NOT_DONE = [DropBefore(), Broken(503), TooMany(0.01), TooMany(0.01, scope="global"), CLOUDFLARE, SaysError(20028)]
DONE = [ActThenDrop(), Broken(503, acts=True), Broken(200, CUT_JSON.body, "application/json", acts=True)]


def called(fault: object) -> str:
    return str(fault)


@dataclass
class Desk:
    """Calls in a time that passes only where it is slept."""

    discord: DiscordServer
    http: HTTPClient
    calls: Calls
    time: list[float] = field(default_factory=lambda: [0.0])

    def post(self, text: str = "hello", **more: object) -> "asyncio.Future[object]":
        """A post with a nonce, which may be repeated."""
        body = {"content": text, "nonce": text, "enforce_nonce": True}
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=self.discord.channel("general"))
        return asyncio.ensure_future(self.calls.call(route, safe=True, body=body, **more))  # type: ignore[arg-type]

    def message(self, message_id: str) -> Route:
        path = "/channels/{channel_id}/messages/{message_id}"
        return Route("PATCH", path, channel_id=self.discord.channel("general"), message_id=message_id)

    def said(self) -> list[str]:
        return [one.text for one in self.discord.replies()]


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    time = [0.0]

    async def sleep(seconds: float) -> None:
        time[0] += seconds
        await asyncio.sleep(0)

    async with discord_server() as discord, open_line(set_for(discord)) as line:
        await line.log_in(discord.token)
        yield Desk(discord, line.http, Calls(line.http, sleep=sleep, clock=lambda: time[0], metrics=Metrics()), time)


@pytest.mark.parametrize("fault", NOT_DONE + DONE, ids=called)
async def test_a_post_with_a_nonce_arrives_once_whatever_fails(fault: Fault) -> None:
    async with desk() as at:
        at.discord.faults.arm(POST, fault, times=2)

        await at.post()

        assert at.said() == ["hello"]
        assert at.discord.faults.fired


@pytest.mark.parametrize("fault", DONE, ids=called)
async def test_what_may_have_been_done_is_not_done_again_unless_that_is_safe(fault: Fault) -> None:
    async with desk() as at:
        at.discord.faults.arm(POST, fault)
        route = Route("POST", "/channels/{channel_id}/messages", channel_id=at.discord.channel("general"))

        with pytest.raises(PlatformAway):
            await at.calls.call(route, safe=False, body={"content": "hello"})

        assert at.said() == ["hello"]
        assert len(at.discord.calls_of(POST)) == 1


async def test_what_does_not_come_back_is_given_up_in_time() -> None:
    async with desk() as at:
        at.discord.faults.arm(POST, Broken(503), times=None)

        with pytest.raises(PlatformAway):
            await at.post(within=20.0)

        assert at.time[0] <= 20.0
        assert 3 < len(at.discord.calls_of(POST)) < 10


async def test_a_rate_limit_longer_than_anybody_waits_is_given_up_at_once() -> None:
    async with desk() as at:
        at.discord.faults.arm(POST, TooMany(120))

        with pytest.raises(PlatformAway):
            await at.post()

        assert len(at.discord.calls_of(POST)) == 1


async def test_after_a_ban_by_cloudflare_nothing_is_asked_until_it_is_over() -> None:
    async with desk() as at:
        at.discord.faults.arm(POST, TooMany(10, via=False))
        sent_at: list[float] = []

        def note(call: object) -> bool:
            sent_at.append(at.time[0])
            return False

        at.discord.faults.arm("*", DropBefore(), times=None, when=note)
        await asyncio.gather(at.post("one"), at.post("two"))

        assert sorted(at.said()) == ["one", "two"]
        assert all(time == 0.0 or time >= 10.0 for time in sent_at)


CODES = [
    (10003, 404, DiscordClosed),
    (50001, 403, DiscordClosed),
    (50013, 403, DiscordClosed),
    (50007, 403, DiscordClosed),
    (160005, 403, DiscordClosed),
    (10008, 404, DiscordRefused),
    (50035, 400, DiscordRefused),
    (200000, 400, DiscordRefused),
    (160004, 400, DiscordRefused),
    (40005, 413, DiscordRefused),
]


@pytest.mark.parametrize(("code", "status", "kind"), CODES, ids=[str(code) for code, _, _ in CODES])
async def test_a_refusal_is_final_and_told_by_its_code(code: int, status: int, kind: type[PlatformError]) -> None:
    async with desk() as at:
        at.discord.faults.arm(POST, SaysError(code, status=status), times=None)

        with pytest.raises(kind) as caught:
            await at.post()

        assert len(at.discord.calls_of(POST)) == 1
        assert (caught.value.status, caught.value.code) == (status, code)  # type: ignore[attr-defined]
        assert "hello" not in str(caught.value)


async def test_with_a_token_that_was_reset_nothing_is_refused_for_good() -> None:
    async with desk() as at:
        at.discord.revoke()

        with pytest.raises(PlatformAway, match="token"):
            await at.post()

        assert len(at.discord.calls_of(POST)) == 1


@pytest.mark.parametrize("fault", [DropBefore(), TooMany(0.01)], ids=["ours", "of the library's own"])
async def test_a_file_is_sent_whole_with_every_attempt(fault: Fault) -> None:
    async with desk() as at:
        at.discord.faults.arm(POST, fault, times=2)

        await at.post(files=(File("a.txt", b"0" * 100_000),))

        (shown,) = at.discord.replies()
        assert [(file.name, file.data) for file in shown.files] == [("a.txt", b"0" * 100_000)]


@pytest.mark.parametrize("fault", [HTML_PAGE, CUT_JSON], ids=["a page for people", "cut"])
async def test_an_answer_that_is_none_is_asked_for_again(fault: Fault) -> None:
    async with desk() as at:
        at.discord.faults.arm("GET /channels/*", fault, times=1)
        route = Route("GET", "/channels/{channel_id}", channel_id=at.discord.channel("general"))

        told = await at.calls.call(route, safe=True)

        assert isinstance(told, dict)
        assert told["name"] == "general"


async def test_a_call_that_nobody_wants_any_more_is_given_up() -> None:
    async with desk() as at:
        ended = asyncio.Event()
        ended.set()

        with pytest.raises(NoLongerWanted):
            await at.post(unless=ended)

        assert at.discord.calls_of(POST) == []


# --- what grows -------------------------------------------------------------------------------------


async def test_of_what_grows_one_edit_is_under_way_and_the_newest_text_is_sent() -> None:
    async with desk() as at:
        posted = await at.post("0")
        route = at.message(posted["id"])  # type: ignore[index]
        newest = ["1"]

        def make() -> dict[str, object]:
            return {"content": newest[0]}

        frames = [asyncio.ensure_future(at.calls.frame(route, make=make)) for _ in range(3)]
        await at.discord.received(EDIT)
        newest[0] = "2"
        await asyncio.gather(*frames)

        assert at.said() == ["2"]


async def test_of_several_that_grow_in_a_channel_one_edit_is_under_way() -> None:
    async with desk() as at:
        posted = [await at.post("0") for _ in range(2)]
        under_way, most = 0, 0

        def make() -> dict[str, object]:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            return {"content": "1"}

        async def grow(message: str) -> None:
            nonlocal under_way
            for _ in range(3):
                await at.calls.frame(at.message(message), make=make)
                under_way -= 1

        await asyncio.gather(*(grow(one["id"]) for one in posted))  # type: ignore[index]

        assert most == 1


async def test_a_frame_is_not_sent_while_something_final_waits() -> None:
    async with desk() as at:
        posted = await at.post("0")
        final = at.post("final")
        await asyncio.sleep(0)

        with pytest.raises(NoLongerWanted):
            await at.calls.frame(at.message(posted["id"]), make=lambda: {"content": "late"})  # type: ignore[index]
        await final

        assert at.said() == ["0", "final"]


async def test_a_frame_that_fails_is_not_repeated() -> None:
    async with desk() as at:
        posted = await at.post("0")
        at.discord.faults.arm(EDIT, Broken(503))

        with pytest.raises(PlatformAway):
            await at.calls.frame(at.message(posted["id"]), make=lambda: {"content": "1"})  # type: ignore[index]

        assert len(at.discord.calls_of(EDIT)) == 1


async def test_a_call_that_takes_long_is_told_to_the_operator_without_ids() -> None:
    async with desk() as at:

        def late(call: object) -> bool:
            at.time[0] += 6.0
            return False

        at.discord.faults.arm(POST, DropBefore(), times=None, when=late)
        async with until_logged("discord call took long", by="adapters.discord"):
            await at.post()


async def test_a_call_that_is_cut_short_at_its_very_end_holds_up_no_other() -> None:
    async with desk() as at:
        said = await at.discord.says("ada", "hello")
        path = "/channels/{channel_id}/messages/{message_id}"
        route = Route("GET", path, channel_id=at.discord.channel("general"), message_id=said)
        bucket = at.http.get_ratelimit(f"{route.key}:{route.major_parameters}")
        first = asyncio.create_task(at.calls.call(route, safe=True))
        # The library fills the bucket again, which takes it one turn of the loop and rings no bell.
        while not bucket._sleeping.locked():  # noqa: ASYNC110
            await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait({first})

        async with asyncio.timeout(20):  # it would wait for thirty seconds, and again after that
            told = await at.calls.call(route, safe=True)

    assert told["content"].endswith("hello")
