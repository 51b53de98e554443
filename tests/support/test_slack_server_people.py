"""What people do in the loopback Slack, and how the app hears of it: events, commands and clicks."""

import json
from typing import Any

import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.support.slack import (
    Clock,
    SlackServer,
    Twins,
    Variants,
    escaped,
    slack_server,
)
from tests.support.slack.sdk import bolt_on, client_of, listener_on, refused


def names(heard: list[SocketModeRequest]) -> list[str]:
    return [request.payload["event"]["type"] for request in heard if request.type == "events_api"]


def events(slack: SlackServer, name: str) -> list[dict[str, Any]]:
    return [delivery.payload["event"] for delivery in slack.deliveries if delivery.name == name]


async def never(_: SocketModeRequest) -> bool:
    return False


async def test_a_direct_message_is_no_mention_and_a_group_of_them_is_like_a_channel() -> None:
    async with slack_server() as slack, listener_on(slack) as heard:
        await slack.says("ada", "hello", channel=slack.direct("ada"))
        await slack.says("ada", "hello", channel=slack.group_direct("ada", "bob"))
        await slack.says("ada", "hello", channel=slack.channel("secret", kind="group"))
        await slack.delivered()

    told = [request.payload["event"] for request in heard]
    assert [(event["type"], event.get("channel_type")) for event in told] == [
        ("message", "im"),
        ("app_mention", None),
        ("message", "mpim"),
        ("app_mention", None),
        ("message", "group"),
    ]


async def test_the_app_hears_only_what_it_may() -> None:
    async with slack_server(scopes=["app_mentions:read", "chat:write"]) as slack, listener_on(slack) as heard:
        await slack.says("ada", "hello")  # without a history scope only the mention is told
        slack.scopes.add("channels:history")
        slack.subscribed.discard("app_mention")
        await slack.says("ada", "hello again")
        await slack.says("ada", "hello", channel=slack.channel("elsewhere", bot_is_in=False))
        await slack.delivered()

    assert names(heard) == ["app_mention", "message"]


async def test_an_edit_a_preview_and_a_deletion_are_told_apart() -> None:
    async with slack_server() as slack, listener_on(slack):
        ts = await slack.says("ada", "helo", mention=False)
        await slack.adds_preview(ts)
        await slack.edits(ts, "hello")
        await slack.deletes(ts)
        deliveries = await slack.delivered()

    assert [delivery.name for delivery in deliveries] == [
        "message",
        "message.message_changed",
        "message.message_changed",
        "message.message_deleted",
    ]
    _, preview, edit, deletion = [delivery.payload["event"] for delivery in deliveries]
    assert "edited" not in preview["message"]
    assert preview["message"]["attachments"][0]["from_url"] == "https://example.org/"
    assert (edit["previous_message"]["text"], edit["message"]["text"]) == ("helo", "hello")
    assert edit["message"]["edited"]["user"] == slack.person("ada")
    assert edit["ts"] != ts == edit["message"]["ts"]
    assert deletion["deleted_ts"] == ts
    assert slack.transcript("general") == []


async def test_a_deleted_parent_with_replies_stays_as_a_tombstone() -> None:
    async with slack_server() as slack:
        ts = await slack.says("ada", "hello")
        reply = await slack.says("bob", "me too", thread_ts=ts, mention=False)
        await slack.deletes(ts)
        seen = slack.transcript("general", ts)
        await slack.deletes(reply)

        assert [(shown.is_tombstone, shown.text) for shown in seen] == [
            (True, "This message was deleted."),
            (False, "me too"),
        ]
        assert slack.transcript("general", ts) == []
        assert events(slack, "message.message_changed")[0]["message"]["subtype"] == "tombstone"


@pytest.mark.parametrize("is_told", [True, False])
async def test_what_slack_leaves_open_about_events_is_the_tests_choice(is_told: bool) -> None:
    variants = Variants(
        edits_mention=is_told,
        mentions_from_outside=is_told,
        echoes=is_told,
        tombstone_told_as="message_deleted" if is_told else "message_changed",
    )
    async with slack_server(variants=variants) as slack:
        general, outside = slack.channel("general"), slack.channel("outside", bot_is_in=False)
        ts = await slack.says("ada", "hello", mention=False)
        await slack.edits(ts, f"<@{slack.bot_user_id}> hello")
        await slack.says("ada", "hello", channel=outside)
        await client_of(slack).chat_postMessage(channel=general, thread_ts=ts, text="an answer")
        await slack.deletes(ts)

        told = [delivery.name for delivery in slack.deliveries]

    if is_told:
        expected = ["app_mention", "app_mention", "message", "message.message_deleted"]
    else:
        expected = ["message.message_changed"]
    assert told == ["message", "message.message_changed", *expected]


async def test_a_post_with_files_has_no_team_and_a_stub_has_only_an_id() -> None:
    async with slack_server() as slack, listener_on(slack) as heard:
        clip = slack.uploads("audio_message.mp4", b"...", "video/mp4", clip="slack_audio")
        stub = slack.uploads("plan.pdf", b"%PDF", "application/pdf", mode="file_access")
        gone = slack.uploads("gone.txt", b"", mode="tombstone")
        drive = slack.uploads("drive.doc", b"", mode="external")
        await slack.says("ada", "listen", files=[clip, stub, gone, drive])
        await slack.says("ada", mention=False, files=[clip])
        await slack.delivered()

    mention, message, bare = [request.payload["event"] for request in heard]
    assert "team" not in mention
    assert "subtype" not in mention
    assert message["subtype"] == "file_share"
    assert mention["files"] == message["files"]
    assert (message["files"][0]["subtype"], message["files"][0]["mimetype"]) == ("slack_audio", "video/mp4")
    assert message["files"][1] == {"id": stub.id, "mode": "file_access", "file_access": "check_file_info"}
    assert message["files"][2] == {"id": gone.id, "mode": "tombstone"}
    assert message["files"][3]["is_external"]
    assert "localhost" in message["files"][3]["url_private"]
    assert bare["text"] == ""
    assert "client_msg_id" not in bare


async def test_people_from_elsewhere_guests_and_bots_can_be_told_apart() -> None:
    async with slack_server() as slack:
        place = slack.channel("partners", shared=True)
        await slack.says("eve", "hello", channel=place, kind="stranger")
        await slack.says("gus", "hello", channel=place, kind="guest")
        await slack.says("robo", "beep", channel=place, kind="bot", mention=False)
        client = client_of(slack)
        eve, gus, robo = [(await client.users_info(user=slack.person(n)))["user"] for n in ("eve", "gus", "robo")]

        told = events(slack, "message")
        assert told[0]["user_team"] == eve["team_id"] != slack.team_id
        assert eve["is_stranger"]
        assert gus["is_restricted"]
        assert robo["is_bot"]
        assert "bot_id" in told[2]
        assert "subtype" not in told[2]
        assert all(delivery.payload["is_ext_shared_channel"] for delivery in slack.deliveries)


async def test_a_broadcast_reply_is_one_event_with_its_root() -> None:
    async with slack_server() as slack:
        ts = await slack.says("ada", "hello", mention=False)
        reply = await slack.says("ada", "to all", thread_ts=ts, broadcast=True, mention=False)
        (told,) = events(slack, "message.thread_broadcast")

        assert (told["ts"], told["thread_ts"], told["root"]["ts"]) == (reply, ts, ts)
        assert [shown.ts for shown in slack.transcript("general")] == [ts, reply]


async def test_what_somebody_typed_comes_escaped_and_is_shown_as_typed() -> None:
    async with slack_server() as slack:
        ts = await slack.says("ada", escaped("a < b & c"), mention=False)

        assert events(slack, "message")[0]["text"] == "a &lt; b &amp; c"
        assert slack.transcript("general", ts)[0].text == "a < b & c"


async def test_an_uninstalled_app_is_told_and_its_token_is_dead() -> None:
    async with slack_server() as slack, listener_on(slack) as heard:
        await slack.uninstalls()
        await slack.delivered()

        assert names(heard) == ["tokens_revoked", "app_uninstalled"]
        assert await refused(client_of(slack).auth_test()) == "account_inactive"


async def test_a_command_is_answered_to_the_caller_alone() -> None:
    async with slack_server() as slack:
        app = AsyncApp(client=client_of(slack))
        seen: list[dict[str, Any]] = []

        @app.command("/clew")
        async def clew(ack: Any, command: dict[str, Any], respond: Any) -> None:
            seen.append(command)
            await ack("on it")
            await respond("done")

        async with bolt_on(slack, app):
            told = await slack.slash("ada", "/clew", "reset")
            whispers = await slack.whispered("ada", 2)

        assert (told.text, told.error) == ("on it", None)
        # Bolt looks for the ack every 10 ms, so what is posted to the response_url may overtake it.
        assert sorted(shown.text for shown in whispers) == ["done", "on it"]
        assert slack.whispers("bob") == []
        assert slack.replies("general") == []
        assert (seen[0]["text"], seen[0]["channel_name"]) == ("reset", "general")
        assert "thread_ts" not in seen[0]


async def test_a_command_nobody_acknowledges_shows_why() -> None:
    async with slack_server(clock=Clock(speed=100)) as slack:
        assert (await slack.slash("ada", "/clew")).error == "dispatch_failed"
        async with listener_on(slack, never) as heard:
            assert (await slack.slash("ada", "/clew")).error == "operation_timeout"
        assert len(heard) == 1  # a person waits; it is not sent again


async def test_a_response_url_is_good_for_five_answers_and_half_an_hour() -> None:
    async with slack_server() as slack, listener_on(slack):
        first, second = await slack.slash("ada", "/clew"), await slack.slash("ada", "/clew")
        hook = AsyncWebhookClient(first.delivery.payload["response_url"])
        statuses = [(await hook.send(text=f"{n}")).status_code for n in range(6)]
        slack.clock.advance(1801)
        late = await AsyncWebhookClient(second.delivery.payload["response_url"]).send(text="late")

        assert statuses == [200, 200, 200, 200, 200, 404]
        assert (late.status_code, json.loads(late.body)["error"]) == (404, "expired_url")
        assert len(slack.whispers("ada")) == 5


async def test_a_click_says_where_the_button_was() -> None:
    button = {
        "type": "button",
        "action_id": "reset",
        "value": "v1",
        "text": {"type": "plain_text", "text": "Reset"},
    }
    async with slack_server() as slack, listener_on(slack) as heard:
        client = client_of(slack)
        ts = await slack.says("ada", "hello")
        blocks: list[dict[str, Any]] = [
            {"type": "markdown", "text": "*Sure?*"},
            {"type": "actions", "block_id": "b", "elements": [button]},
        ]
        await client.chat_postMessage(channel=slack.channel("general"), thread_ts=ts, blocks=blocks, text="Sure?")
        (shown,) = await slack.shown("general", ts)
        await slack.delivered()
        heard.clear()
        await slack.clicks(shown.button("Reset"), by="bob")
        await client.chat_postEphemeral(
            channel=slack.channel("general"), thread_ts=ts, user=slack.person("ada"), blocks=blocks, text="Sure?"
        )
        (whisper,) = slack.whispers("ada")
        clicked = await slack.clicks(whisper.button("Reset"))
        url = clicked.delivery.payload["response_url"]
        await AsyncWebhookClient(url).send_dict({"replace_original": True, "text": "gone"})

        public, private = [request.payload for request in heard]
        assert shown.text == "*Sure?*"
        assert public["container"]["thread_ts"] == ts == public["message"]["thread_ts"]
        assert public["actions"][0]["value"] == "v1"
        assert public["user"]["id"] == slack.person("bob")
        assert private["user"]["id"] == slack.person("ada")
        assert private["container"]["is_ephemeral"]
        assert "message" not in private
        assert [(shown.text, shown.buttons) for shown in slack.whispers("ada")] == [("gone", ())]


async def test_a_shortcut_a_home_tab_and_a_modal_reach_the_app_and_people() -> None:
    async with slack_server() as slack:
        app = AsyncApp(client=client_of(slack))
        shortcuts: list[dict[str, Any]] = []
        modal = {"type": "modal", "callback_id": "why", "title": {"type": "plain_text", "text": "Why?"}, "blocks": []}

        @app.shortcut("reset_thread")
        async def reset(ack: Any, shortcut: dict[str, Any], client: Any) -> None:
            await ack()
            shortcuts.append(shortcut)
            await client.views_open(trigger_id=shortcut["trigger_id"], view=modal)

        @app.event("app_home_opened")
        async def home(event: dict[str, Any], client: Any) -> None:
            await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": []})

        @app.view("why")
        async def why(ack: Any) -> None:
            await ack(response_action="errors", errors={"b": "say more"})

        async with bolt_on(slack, app):
            ts = await slack.says("ada", "hello", twins=Twins.NEITHER)
            reply = await slack.says("bob", "me too", thread_ts=ts, twins=Twins.NEITHER)
            assert (await slack.shortcut("reset_thread", reply)).error is None
            (opened,) = await slack.until(lambda: slack.modals)
            sent = await slack.submits(opened, {})
            await slack.opens_home("ada")
            await slack.until(lambda: slack.home("ada"))

        assert shortcuts[0]["message"]["thread_ts"] == ts
        assert shortcuts[0]["message_ts"] == reply
        assert sent.answer == {"response_action": "errors", "errors": {"b": "say more"}}
        assert await refused(client_of(slack).views_open(trigger_id="1.2.x", view=modal)) == "invalid_trigger_id"
