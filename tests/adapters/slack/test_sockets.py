"""Socket Mode under everything that happens to sockets: nothing is lost, nothing is answered twice."""

import asyncio
import json
from typing import Literal

import pytest

from tests.support.slack import Broken, SlackServer, Variants, slack_server
from tests.support.slack_clew import ALL_SCOPES, SlackClew, clew_on, until_logged

SOON = Variants(ack_within=0.5, retries=(0.1, 0.3, 1.0))


async def asks(slack: SlackServer, number: int) -> None:
    """Somebody asks something, and is answered."""
    ts = await slack.says("ada", f"question {number}")
    await slack.shown("general", ts)


async def answered_once(slack: SlackServer, clew: SlackClew, number: int) -> None:
    """Whether each of so many questions was asked of the model once, and acknowledged."""
    await slack.delivered()
    assert sorted(asked.text for asked in clew.model.asked) == [f"question {n}" for n in range(1, number + 1)]
    assert [delivery.name for delivery in slack.deliveries if not delivery.is_acknowledged] == []


async def test_two_sockets_are_held_and_both_are_listened_to() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        await slack.connected(2)
        for number in range(1, 4):
            await asks(slack, number)
        await answered_once(slack, clew, 3)

        assert {ack.socket for ack in slack.acks} == {1, 2}
    assert slack.sockets == []


@pytest.mark.parametrize("reason", ["warning", "refresh_requested", "too_many_websockets"])
async def test_a_socket_that_slack_refreshes_is_replaced_without_losing_anything(
    reason: Literal["warning", "refresh_requested", "too_many_websockets"],
) -> None:
    async with slack_server(scopes=ALL_SCOPES, variants=SOON) as slack, clew_on(slack) as clew:
        old = await slack.connected(2)
        for number, socket in enumerate(old, 1):
            await socket.say_disconnect(reason)
            await asks(slack, number)
        await slack.until(lambda: len([one for one in slack.sockets if one.takes_events]) == 2 or None)
        await asks(slack, 3)
        await answered_once(slack, clew, 3)

        assert not any(socket.is_open for socket in old)


@pytest.mark.parametrize("how", ["a close frame", "a reset connection"])
async def test_sockets_that_are_cut_come_back(how: str) -> None:
    async with slack_server(scopes=ALL_SCOPES, variants=SOON) as slack, clew_on(slack) as clew:
        old = await slack.connected(2)
        for socket in old:
            if how == "a close frame":
                await socket.close()
            else:
                socket.reset()
        await asks(slack, 1)
        await slack.until(lambda: len(slack.sockets) == 2 or None)
        await asks(slack, 2)
        await answered_once(slack, clew, 2)
        assert clew.adapter.trouble() is None


async def test_a_half_open_socket_is_noticed_and_what_went_into_it_is_answered_once() -> None:
    async with slack_server(scopes=ALL_SCOPES, variants=SOON) as slack, clew_on(slack) as clew:
        old = await slack.connected(2)
        for socket in old:
            socket.is_half_open = True
        await asks(slack, 1)
        await slack.until(lambda: len([one for one in slack.sockets if not one.is_half_open]) == 2 or None)
        await asks(slack, 2)
        await answered_once(slack, clew, 2)


@pytest.mark.parametrize("is_accepted", [True, False], ids=["accepted", "not accepted"])
async def test_an_acknowledgement_over_another_socket_doubles_nothing(is_accepted: bool) -> None:
    variants = Variants(ack_within=0.5, retries=(0.1, 0.3, 1.0), acks_over_new_socket=is_accepted)
    async with slack_server(scopes=ALL_SCOPES, variants=variants) as slack, clew_on(slack) as clew:
        await slack.connected(2)
        for number in range(1, 5):
            ts = await slack.says("ada", f"question {number}")
            for socket in slack.sockets:
                await socket.say_disconnect("refresh_requested")
            await slack.shown("general", ts)
        await answered_once(slack, clew, 4)


async def test_a_redelivery_under_the_same_envelope_is_the_same_message() -> None:
    variants = Variants(ack_within=0.5, retries=(0.1, 0.3, 1.0), same_envelope_again=True)
    async with slack_server(scopes=ALL_SCOPES, variants=variants) as slack, clew_on(slack) as clew:
        (first, second) = await slack.connected(2)
        first.is_half_open = second.is_half_open = True
        await asks(slack, 1)
        await answered_once(slack, clew, 1)


async def test_slack_may_be_gone_for_a_while() -> None:
    async with slack_server(scopes=ALL_SCOPES, variants=SOON) as slack, clew_on(slack) as clew:
        await slack.connected(2)
        await slack.stop_listening()
        await slack.until(lambda: not slack.sockets or None)
        await slack.listen_again()
        await slack.connected(2)
        await asks(slack, 1)
        await answered_once(slack, clew, 1)
        assert clew.adapter.trouble() is None


async def test_a_ticket_that_was_spent_in_vain_is_not_tried_for_ever() -> None:
    async with slack_server(scopes=ALL_SCOPES, variants=SOON) as slack, clew_on(slack) as clew:
        await slack.connected(2)
        slack.faults.refuse_sockets = 503
        for socket in slack.sockets:
            socket.reset()
        opened = len(slack.calls_of("apps.connections.open"))
        await slack.received("apps.connections.open", opened + 3)
        slack.faults.refuse_sockets = None
        await slack.connected(2)
        await asks(slack, 1)
        await answered_once(slack, clew, 1)


async def test_socket_mode_switched_off_is_reported_until_it_is_on_again() -> None:
    async with slack_server(scopes=ALL_SCOPES, variants=SOON) as slack, clew_on(slack) as clew:
        await slack.connected(2)
        async with until_logged("platform does not work", by="bot.condition"):
            slack.disable_sockets()
            for socket in slack.sockets:
                await socket.say_disconnect("link_disabled")
                await socket.close()
        async with until_logged("platform works again", by="bot.condition"):
            assert clew.adapter.trouble() is not None
            slack.disable_sockets(False)
        await slack.connected(2)
        await asks(slack, 1)
        assert clew.adapter.trouble() is None
        await answered_once(slack, clew, 1)


async def test_an_app_token_that_is_revoked_is_reported_with_what_to_do() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        await slack.connected(2)
        slack.revoke(slack.app_token)
        for socket in slack.sockets:
            socket.reset()

        # No socket, and no token for another one.
        sentence = "Slack does not accept SLACK_APP_TOKEN (token_revoked)"
        assert await slack.until(lambda: sentence in (clew.adapter.trouble() or ""))


@pytest.mark.parametrize("part", ["receive_messages", "monitor_current_session", "process_messages"])
async def test_sockets_whose_own_tasks_died_inside_the_sdk_are_replaced(part: str) -> None:
    async with slack_server(scopes=ALL_SCOPES, variants=SOON) as slack, clew_on(slack) as clew:
        old = await slack.connected(2)
        await slack.until(lambda: all(socket.pings >= 2 for socket in old) or None)
        for task in asyncio.all_tasks():
            if getattr(task.get_coro(), "__qualname__", "").endswith(f"SocketModeClient.{part}"):
                task.cancel()
        await asks(slack, 1)
        await slack.until(lambda: len([one for one in slack.sockets if one not in old]) == 2 or None)
        await answered_once(slack, clew, 1)


async def test_tokens_of_two_different_apps_are_reported() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        told = json.dumps({"ok": True, "bot": {"id": slack.bot_id, "app_id": "A0ANOTHER1"}})
        slack.faults.arm("bots.info", Broken(200, told, "application/json"))
        async with until_logged("platform does not work", by="bot.condition"), clew_on(slack) as clew:
            await slack.connected(2)
            ts = await slack.says("ada", "hello")
            await slack.shown("general", ts)

        assert clew.adapter.trouble() == (
            f"SLACK_APP_TOKEN is of the app {slack.app_id} and SLACK_BOT_TOKEN of A0ANOTHER1, so that nothing arrives; "
            "take both from the same app."
        )
