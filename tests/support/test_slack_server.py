"""The loopback Slack over sockets: what comes, what comes again, and connections that go, with the real SDK."""

import asyncio
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.request import SocketModeRequest

from tests.support.slack import (
    Clock,
    SlackServer,
    Twins,
    Variants,
    slack_server,
)
from tests.support.slack.sdk import bolt_on, client_of, listener_on, refused


def names(heard: list[SocketModeRequest]) -> list[str]:
    return [request.payload["event"]["type"] for request in heard if request.type == "events_api"]


def events(slack: SlackServer, name: str) -> list[dict[str, Any]]:
    return [delivery.payload["event"] for delivery in slack.deliveries if delivery.name == name]


async def never(_: SocketModeRequest) -> bool:
    return False


async def test_a_mention_is_answered_in_its_thread() -> None:
    async with slack_server() as slack:
        app = AsyncApp(client=client_of(slack))

        @app.event("app_mention")
        async def answer(event: dict[str, Any], client: Any) -> None:
            said = event["text"].replace(f"<@{slack.bot_user_id}> ", "")
            await client.chat_postMessage(channel=event["channel"], thread_ts=event["ts"], markdown_text=f"**{said}**!")

        @app.event("message")
        async def listen(event: dict[str, Any]) -> None:
            pass

        async with bolt_on(slack, app):
            ts = await slack.says("ada", "hello")
            (shown,) = await slack.shown("general", ts)
            deliveries = await slack.delivered()

        assert (shown.text, shown.thread_ts, shown.edits) == ("**hello**!", ts, 0)
        assert [message.is_own for message in slack.transcript("general", ts)] == [False, True]
        # The pair of the mention, and the app's own post, all acknowledged at once.
        assert [(d.name, d.outcome, d.retries) for d in deliveries] == [
            ("app_mention", "acknowledged", 0),
            ("message", "acknowledged", 0),
            ("message", "acknowledged", 0),
        ]
        assert events(slack, "message")[1]["bot_id"] == slack.bot_id


@pytest.mark.parametrize(
    ("twins", "expected"),
    [
        (Twins.MENTION_FIRST, ["app_mention", "message"]),
        (Twins.MESSAGE_FIRST, ["message", "app_mention"]),
        (Twins.ONLY_MENTION, ["app_mention"]),
        (Twins.ONLY_MESSAGE, ["message"]),
        (Twins.NEITHER, []),
    ],
)
async def test_a_mention_makes_a_pair_of_events_in_the_order_the_test_chooses(
    twins: Twins, expected: list[str]
) -> None:
    async with slack_server() as slack, listener_on(slack) as heard:
        ts = await slack.says("ada", "hello", twins=twins)
        await slack.delivered()
        pair = [request.payload for request in heard]

    assert names(heard) == expected
    assert {payload["event"]["ts"] for payload in pair} <= {ts}
    assert len({payload["event_id"] for payload in pair}) == len(expected)
    assert [("channel_type" in payload["event"]) for payload in pair] == [name == "message" for name in expected]


async def test_what_is_not_acknowledged_comes_three_times_more() -> None:
    async with slack_server(clock=Clock(speed=3000)) as slack, listener_on(slack, never) as heard:
        await slack.says("ada", mention=False, text="is anybody there?")
        (delivery,) = await slack.delivered()

    assert delivery.outcome == "given up"
    assert [request.retry_attempt for request in heard] == [0, 1, 2, 3]
    assert [request.retry_reason for request in heard] == ["", "timeout", "timeout", "timeout"]
    assert len({request.envelope_id for request in heard}) == 4
    assert len({request.payload["event_id"] for request in heard}) == 1
    waits = [after.at - before.at for before, after in zip(delivery.attempts, delivery.attempts[1:], strict=False)]
    assert waits[0] >= 3
    assert waits[1] >= 63
    assert waits[2] >= 303


async def test_an_event_while_nobody_is_connected_comes_later() -> None:
    async with slack_server(variants=Variants(retries=(0.0, 60.0))) as slack:
        await slack.says("ada", "hello", twins=Twins.ONLY_MENTION)
        await slack.until(lambda: len(slack.deliveries[0].attempts) == 2)
        async with listener_on(slack) as heard:
            slack.clock.advance(60)
            (delivery,) = await slack.delivered()

        assert delivery.is_acknowledged
        assert [request.retry_attempt for request in heard] == [2]


async def test_a_late_acknowledgement_does_not_stop_the_redelivery() -> None:
    is_released = asyncio.Event()

    async def only_when_released(request: SocketModeRequest) -> bool:
        if request.retry_attempt == 0:
            await is_released.wait()
        return True

    async with slack_server() as slack, listener_on(slack, only_when_released) as heard:
        await slack.says("ada", "hello", twins=Twins.ONLY_MENTION)
        await slack.until(lambda: heard)
        slack.clock.advance(3)
        (delivery,) = await slack.delivered()
        is_released.set()
        late = await slack.until(lambda: next((ack for ack in slack.acks if not ack.is_accepted), None))

        assert [(attempt.number, attempt.failure) for attempt in delivery.attempts] == [(0, "timeout"), (1, None)]
        assert late.delivery is delivery


async def test_events_spread_over_all_sockets() -> None:
    async with slack_server(seed=7) as slack, listener_on(slack, sockets=2):
        for number in range(20):
            await slack.says("ada", f"{number}", mention=False)
        deliveries = await slack.delivered()

        assert {delivery.attempts[0].where for delivery in deliveries} == {1, 2}


async def test_events_can_be_lost_doubled_and_swapped() -> None:
    async with slack_server() as slack, listener_on(slack) as heard:
        slack.faults.events.lose = 1
        await slack.says("ada", "lost", mention=False)
        slack.faults.events.double = 1
        await slack.says("ada", "twice", mention=False)
        slack.faults.events.swap = 1
        await slack.says("ada", "swapped")
        await slack.delivered()

    said = [(request.payload["event"]["type"], request.payload["event"]["text"]) for request in heard]
    swapped = f"<@{slack.bot_user_id}> swapped"
    assert said == [
        ("message", "twice"),
        ("message", "twice"),
        ("message", swapped),
        ("app_mention", swapped),
    ]
    assert heard[0].payload["event_id"] == heard[1].payload["event_id"]
    assert heard[0].envelope_id != heard[1].envelope_id


async def test_bolt_leaves_an_event_unacknowledged_that_nobody_listens_to() -> None:
    async with slack_server(clock=Clock(speed=1000), variants=Variants(retries=())) as slack:
        async with bolt_on(slack, AsyncApp(client=client_of(slack))):
            await slack.says("ada", "hello", twins=Twins.ONLY_MESSAGE)
            (delivery,) = await slack.delivered()

        assert delivery.outcome == "given up"


async def test_a_refresh_makes_the_client_connect_anew() -> None:
    async with slack_server() as slack, listener_on(slack) as heard:
        (first,) = slack.sockets
        await first.say_disconnect("refresh_requested")
        await slack.until(lambda: len(slack.all_sockets) == 2 and slack.sockets == slack.all_sockets[1:])
        await slack.says("ada", "hello")
        await slack.delivered()

    assert names(heard) == ["app_mention", "message"]


@pytest.mark.parametrize("is_accepted", [True, False])
async def test_an_acknowledgement_over_the_next_socket_counts_if_slack_is_of_that_kind(is_accepted: bool) -> None:
    is_released = asyncio.Event()

    async def wait(request: SocketModeRequest) -> bool:
        await is_released.wait()
        return True

    variants = Variants(acks_over_new_socket=is_accepted)
    async with slack_server(variants=variants) as slack, listener_on(slack, wait) as heard:
        await slack.says("ada", "hello", twins=Twins.ONLY_MENTION)
        await slack.until(lambda: heard)
        await slack.sockets[0].close()
        await slack.until(lambda: len(slack.all_sockets) == 2)
        is_released.set()
        ack = await slack.until(lambda: slack.acks[0] if slack.acks else None)
        slack.clock.advance(3)
        (delivery,) = await slack.delivered()

    assert (ack.sent_over, ack.socket, ack.is_accepted) == (1, 2, is_accepted)
    assert [request.retry_attempt for request in heard] == ([0] if is_accepted else [0, 1])
    assert delivery.is_acknowledged


async def test_a_half_open_socket_is_noticed_by_the_client_and_replaced() -> None:
    async with slack_server() as slack, listener_on(slack, ping_interval=0.1):
        (socket,) = slack.sockets
        await slack.until(lambda: socket.pings)
        socket.is_half_open = True
        await slack.until(lambda: len(slack.all_sockets) == 2)


async def test_a_connection_that_is_reset_is_replaced() -> None:
    async with slack_server() as slack, listener_on(slack, ping_interval=0.1):
        slack.sockets[0].reset()
        await slack.until(lambda: len(slack.all_sockets) == 2)


async def test_an_address_of_a_socket_is_good_once_and_ten_may_be_open() -> None:
    async with slack_server() as slack, listener_on(slack, sockets=10), aiohttp.ClientSession() as session:
        url = (await client_of(slack).apps_connections_open(app_token=slack.app_token))["url"]
        async with session.ws_connect(url) as stream:
            assert (await stream.receive_json())["reason"] == "too_many_websockets"
        with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
            await session.ws_connect(url)
        slack.faults.refuse_sockets = 503
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await session.ws_connect(url)


async def test_a_wrong_app_token_and_a_switched_off_socket_mode_are_refused() -> None:
    async with slack_server() as slack:
        client = client_of(slack)
        assert await refused(client.apps_connections_open(app_token="xapp-wrong")) == "invalid_auth"
        assert await refused(client.apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"
        slack.disable_sockets()
        assert await refused(client.apps_connections_open(app_token=slack.app_token)) == "forbidden_team"


async def test_slack_can_be_gone_and_come_back_at_the_same_address() -> None:
    async with slack_server() as slack, listener_on(slack, ping_interval=0.1) as heard:
        await slack.stop_listening()
        with pytest.raises(aiohttp.ClientConnectionError):
            await client_of(slack).auth_test()
        await slack.until(lambda: not slack.sockets)
        await slack.listen_again()
        await slack.connected()
        await slack.says("ada", "hello")
        await slack.delivered()

    assert names(heard) == ["app_mention", "message"]


async def test_pings_are_answered_so_that_a_healthy_socket_stays() -> None:
    async with slack_server() as slack, listener_on(slack, ping_interval=0.05):
        # The client counts whole seconds of silence, so this takes a little more than one.
        await slack.until(lambda: sum(socket.pings for socket in slack.all_sockets) >= 30)
        assert len(slack.all_sockets) == 1


async def test_a_redelivery_may_come_under_the_same_envelope_as_if_it_were_the_first() -> None:
    variants = Variants(same_envelope_again=True, retries=(0.0,))
    async with slack_server(clock=Clock(speed=100), variants=variants) as slack, listener_on(slack, never) as heard:
        await slack.says("ada", "hello", twins=Twins.ONLY_MENTION)
        await slack.delivered()

    assert len({request.envelope_id for request in heard}) == 1
    assert [request.retry_attempt for request in heard] == [0, 0]
