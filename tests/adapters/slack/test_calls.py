"""What becomes of a call when Slack, or the way to it, fails."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.slack.calls import Calls, NoLongerWanted, RateLimited, SlackClosed, SlackRefused, Uncertain
from bot.errors import PlatformAway, ThreadClosed
from bot.metrics import Metrics
from tests.adapters.slack.replying import calls_to
from tests.support.slack import (
    CUT_JSON,
    HTML_PAGE,
    PLAIN_TEXT,
    ActThenDrop,
    Broken,
    Clock,
    DropBefore,
    Fault,
    Hang,
    Limits,
    SaysError,
    SlackServer,
    TooMany,
    slack_server,
)

POST, UPDATE, INFO = "chat.postMessage", "chat.update", "users.info"

IN_DOUBT = [
    pytest.param(ActThenDrop(), id="cut after it was done"),
    pytest.param(DropBefore(), id="cut before it was done"),
    pytest.param(Hang(acts=True), id="no answer"),
    pytest.param(Broken(503), id="a 503 page"),
    pytest.param(Broken(502, acts=True), id="a 502 after it was done"),
    pytest.param(Broken(500, "oops", "text/plain"), id="a 500 in plain text"),
    pytest.param(Broken(404, "<html>", "text/html"), id="a page of some proxy"),
    pytest.param(PLAIN_TEXT, id="a 200 in plain text"),
    pytest.param(HTML_PAGE, id="a 200 that is a page"),
    pytest.param(CUT_JSON, id="a 200 of torn JSON"),
    pytest.param(Broken(200, "[]", "application/json"), id="a 200 of other JSON"),
    pytest.param(SaysError("internal_error"), id="an internal error"),
    pytest.param(SaysError("service_unavailable", 503), id="a 503 that says so"),
]


@asynccontextmanager
async def connected(*, speed: float = 50.0, limits: bool | Limits = False) -> AsyncIterator[tuple[SlackServer, Calls]]:
    async with (
        slack_server(clock=Clock(speed=speed), limits=limits) as slack,
        calls_to(slack, patience=0.3) as calls,
    ):
        yield slack, calls


def channel_of(slack: SlackServer) -> str:
    return slack.channel("general")


@pytest.mark.parametrize("fault", IN_DOUBT)
async def test_a_safe_call_is_made_again_when_nobody_knows_what_became_of_it(fault: Fault) -> None:
    async with connected() as (slack, calls):
        ada = slack.person("ada")
        slack.faults.arm(INFO, fault)

        told = await calls.call(INFO, safe=True, user=ada)

        assert told["user"]["id"] == ada
        assert len(slack.calls_of(INFO)) == 2


@pytest.mark.parametrize("fault", IN_DOUBT)
async def test_a_post_is_never_made_again_when_nobody_knows_what_became_of_it(fault: Fault) -> None:
    async with connected() as (slack, calls):
        slack.faults.arm(POST, fault)

        with pytest.raises(Uncertain):
            await calls.call(POST, safe=False, channel=channel_of(slack), text="hello")

        assert len(slack.calls_of(POST)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(TooMany(2), id="with a time"),
        pytest.param(TooMany(None), id="without a time"),
        pytest.param(TooMany(2, "rate_limited"), id="in its other spelling"),
        pytest.param(SaysError("ratelimited"), id="as a 200"),
    ],
)
async def test_a_post_refused_as_one_too_many_is_made_when_slack_lets_us(fault: Fault) -> None:
    async with connected() as (slack, calls):
        slack.faults.arm(POST, fault)

        await calls.call(POST, safe=False, channel=channel_of(slack), text="hello")

        refused, done = slack.calls_of(POST)
        named = fault.retry_after if isinstance(fault, TooMany) else None
        assert done.at - refused.at >= (named or 0.5)
        assert [shown.text for shown in slack.replies()] == ["hello"]


async def test_a_wait_that_slack_asks_for_is_not_waited_for_when_it_is_too_long() -> None:
    async with connected() as (slack, calls):
        slack.faults.arm(POST, TooMany(600))

        began = slack.clock.now()
        with pytest.raises(RateLimited):
            await calls.call(POST, safe=False, channel=channel_of(slack), text="hello", within=20)

        assert slack.clock.now() - began < 20
        assert len(slack.calls_of(POST)) == 1


async def test_one_method_being_refused_holds_no_other_up() -> None:
    async with connected(speed=5) as (slack, calls):
        slack.faults.arm(UPDATE, TooMany(30))
        with pytest.raises(RateLimited):
            await calls.call(UPDATE, safe=True, channel=channel_of(slack), ts="1.000001", text="x", within=1)

        began = slack.clock.now()
        await calls.call(POST, safe=False, channel=channel_of(slack), text="hello")

        assert slack.clock.now() - began < 10


async def test_a_call_that_never_reached_slack_is_made_again_even_if_it_is_a_post() -> None:
    async with connected() as (slack, calls):
        channel = channel_of(slack)
        await slack.stop_listening()
        posting = asyncio.ensure_future(calls.call(POST, safe=False, channel=channel, text="hello", within=600))
        await slack.clock.sleep(2)
        await slack.listen_again()

        async with asyncio.timeout(30):
            await posting

        assert [shown.text for shown in slack.replies()] == ["hello"]


async def test_slack_being_gone_for_long_is_told_as_that() -> None:
    async with connected() as (slack, calls):
        channel = channel_of(slack)
        await slack.stop_listening()

        with pytest.raises(PlatformAway) as failure:
            await calls.call(POST, safe=False, channel=channel, text="hello", within=5)

        assert not isinstance(failure.value, Uncertain | RateLimited)


async def test_a_safe_call_is_given_up_when_its_time_is_over() -> None:
    async with connected() as (slack, calls):
        slack.faults.arm(INFO, Broken(503), times=None)

        began = slack.clock.now()
        with pytest.raises(PlatformAway):
            await calls.call(INFO, safe=True, user=slack.person("ada"), within=10)

        assert slack.clock.now() - began <= 15
        assert len(slack.calls_of(INFO)) >= 3


async def test_a_call_that_is_no_longer_wanted_is_not_waited_for() -> None:
    async with connected(speed=1, limits=True) as (slack, calls):
        calls.budget.refused(UPDATE, channel=None, retry_after=100)
        ended = asyncio.Event()
        asyncio.get_running_loop().call_soon(ended.set)

        with pytest.raises(NoLongerWanted):
            await calls.call(
                UPDATE, safe=True, channel=channel_of(slack), ts="1.000001", text="x", within=200, unless=ended
            )

        assert not slack.calls_of(UPDATE)


@pytest.mark.parametrize(
    "code",
    [
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "thread_not_found",
        "messages_tab_disabled",
    ],
)
async def test_a_channel_that_is_closed_to_the_bot_closes_the_thread(code: str) -> None:
    async with connected() as (slack, calls):
        slack.faults.arm(POST, SaysError(code))

        with pytest.raises(ThreadClosed) as failure:
            await calls.call(POST, safe=False, channel=channel_of(slack), text="hello")

        assert isinstance(failure.value, SlackClosed)
        assert failure.value.error == code


async def test_a_missing_scope_is_named_with_what_there_is_instead() -> None:
    async with connected() as (slack, calls):
        slack.scopes.discard("users:read")

        with pytest.raises(SlackRefused) as failure:
            await calls.call(INFO, safe=True, user=slack.person("ada"))

        assert failure.value.error == "missing_scope"
        assert failure.value.needed == "users:read"
        assert "chat:write" in (failure.value.provided or "")
        assert len(slack.calls_of(INFO)) == 1


@pytest.mark.parametrize("code", ["message_not_found", "msg_too_long", "invalid_auth", "streaming_state_conflict"])
async def test_a_refusal_is_told_with_slacks_own_word(code: str) -> None:
    async with connected() as (slack, calls):
        slack.faults.arm(UPDATE, SaysError(code))

        with pytest.raises(SlackRefused) as failure:
            await calls.call(UPDATE, safe=True, channel=channel_of(slack), ts="1.000001", text="x")

        assert (failure.value.method, failure.value.error) == (UPDATE, code)


async def test_arguments_arrive_as_slack_wants_them_for_each_kind_of_method() -> None:
    async with connected() as (slack, calls):
        ts = await slack.says("ada", "hello")
        channel = channel_of(slack)

        await calls.call(
            "conversations.replies", safe=True, channel=channel, ts=ts, include_all_metadata=True, limit=5, cursor=None
        )
        await calls.call("reactions.add", safe=True, channel=channel, timestamp=ts, name="eyes")
        await calls.call("files.getUploadURLExternal", safe=True, filename="a.txt", length=3)
        metadata = {"event_type": "clew_answer", "event_payload": {"turn": "t"}}
        await calls.call(POST, safe=False, channel=channel, text="hello", unfurl_links=False, metadata=metadata)

        read, react, _, post = slack.calls
        assert read.http_method == "GET"
        assert read.flag("include_all_metadata")
        assert "cursor" not in read.args
        assert react.http_method == "POST"
        assert all(call.is_ok for call in slack.calls)
        assert post.structure("metadata") == metadata
        assert post.args["unfurl_links"] is False


async def test_a_frame_shows_what_is_newest_when_its_turn_comes_and_is_not_repeated() -> None:
    async with connected(speed=50) as (slack, calls):
        channel = channel_of(slack)
        posted = await calls.call(POST, safe=False, channel=channel, text="…")
        newest = "old"
        calls.budget.refused(UPDATE, channel=None, retry_after=5)
        framing = asyncio.ensure_future(
            calls.frame(
                UPDATE, channel=channel, safe=True, make=lambda: {"ts": posted["ts"], "text": newest}, within=60
            )
        )
        await slack.clock.sleep(2)
        newest = "new"
        await framing
        slack.faults.arm(UPDATE, Broken(503))
        with pytest.raises(PlatformAway):
            await calls.frame(UPDATE, channel=channel, safe=True, make=lambda: {"ts": posted["ts"], "text": "x"})

        assert [shown.text for shown in slack.replies()] == ["new"]
        assert len(slack.calls_of(UPDATE)) == 2


async def test_a_frame_with_nothing_to_show_is_not_sent() -> None:
    async with connected() as (slack, calls):
        assert await calls.frame(UPDATE, channel=channel_of(slack), safe=True, make=lambda: None) is None
        assert not slack.calls


async def test_failures_are_counted_by_what_they_were() -> None:
    metrics = Metrics()
    async with slack_server(clock=Clock(speed=50)) as slack, calls_to(slack, metrics=metrics) as calls:
        slack.faults.arm(POST, TooMany(1))
        slack.faults.arm(POST, ActThenDrop(), skip=1)
        slack.faults.arm(UPDATE, SaysError("message_not_found"))
        channel = channel_of(slack)
        await calls.call(POST, safe=False, channel=channel, text="hello")
        with pytest.raises(Uncertain):
            await calls.call(POST, safe=False, channel=channel, text="hello")
        with pytest.raises(SlackRefused):
            await calls.call(UPDATE, safe=True, channel=channel, ts="1.000001", text="x")

    def count(error: str) -> float | None:
        return metrics.registry.get_sample_value("clew_failures_total", {"error": error})

    assert (count("RateLimited"), count("Uncertain"), count("SlackRefused")) == (1, 1, 1)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


@pytest.mark.parametrize("fault", IN_DOUBT)
async def test_neither_what_is_said_nor_the_token_is_ever_logged(fault: Fault, log: pytest.LogCaptureFixture) -> None:
    said = "".join(["a ", "sec", "ret plan"])  # not in one piece, since tracebacks quote the code
    async with connected() as (slack, calls):
        slack.faults.arm(POST, fault)
        with pytest.raises(Uncertain) as failure:
            await calls.call(POST, safe=False, channel=channel_of(slack), text=said)
        logging.getLogger("test").warning("failed", exc_info=failure.value)
        told = log.text + "".join(str(vars(record)) for record in log.records)

    assert "slack call in doubt" in told
    assert said not in told
    assert slack.bot_token not in told
