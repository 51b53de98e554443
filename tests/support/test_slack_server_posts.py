"""Posting to the loopback Slack and reading it back: what is shown, refused and found again."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.models.blocks import MarkdownBlock

from tests.support.slack import (
    Variants,
    slack_server,
)
from tests.support.slack.sdk import asked, recipient, refused

JOB = {"event_type": "clew", "event_payload": {"job": "j1", "part": 1}}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        pytest.param({}, "no_text", id="nothing"),
        pytest.param({"markdown_text": "a" * 12_001}, "msg_too_long", id="too much markdown"),
        pytest.param({"markdown_text": "a", "text": "b"}, "markdown_text_conflict", id="markdown beside text"),
        pytest.param({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks", id="51 blocks"),
        pytest.param(
            {"blocks": [{"type": "markdown", "text": "a" * 6_001}] * 2}, "msg_too_long", id="markdown blocks together"
        ),
        pytest.param(
            {"blocks": [{"type": "markdown", "text": "# a\n\nb\n\n" * 26}]},
            "invalid_blocks",
            id="26 headings, 26 texts",
        ),
        pytest.param(
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "a" * 2_700}}] * 5},
            "msg_blocks_too_long",
            id="13,500 characters in blocks",
        ),
        pytest.param(
            {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "a" * 3_001}}]},
            "invalid_blocks",
            id="a long section",
        ),
        pytest.param(
            {
                "blocks": [
                    {
                        "type": "actions",
                        "elements": [
                            {
                                "type": "button",
                                "action_id": "a",
                                "value": "v" * 2_001,
                                "text": {"type": "plain_text", "text": "Go"},
                            }
                        ],
                    }
                ]
            },
            "msg_too_large",
            id="a button that holds too much",
        ),
    ],
)
async def test_what_is_too_long_is_refused(said: dict[str, Any], error: str) -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        assert await refused(client.api_call("chat.postMessage", json=where | said)) == error
        assert slack.replies("general", where["thread_ts"]) == []


async def test_what_just_fits_is_taken() -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        await client.chat_postMessage(**where, markdown_text="a" * 12_000)
        await client.chat_postMessage(**where, blocks=[MarkdownBlock(text="b" * 12_000)], text="b")
        long = await client.chat_postMessage(**where, text="c" * 40_001)
        at: dict[str, Any] = {"channel": where["channel"], "ts": long["ts"]}
        assert await refused(client.chat_update(**at, text="d" * 4_001)) == "msg_too_long"
        await client.chat_update(**at, text="d" * 4_000)

        assert long["response_metadata"]["warnings"] == ["message_truncated"]
        shown = [shown.text for shown in slack.replies("general", where["thread_ts"])]
        assert shown == ["a" * 12_000, "b" * 12_000, "d" * 4_000]


async def test_metadata_is_kept_through_edits_and_told_only_when_asked_for() -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        post = await client.chat_postMessage(**where, text="one", metadata=JOB)
        await client.chat_update(channel=where["channel"], ts=post["ts"], text="two")
        big = {"event_type": "clew", "event_payload": {"job": "x" * 4_000}}
        too_big = await client.chat_postMessage(**where, text="three", metadata=big)
        told = {"channel": where["channel"], "ts": where["thread_ts"]}
        plain = (await client.conversations_replies(**told))["messages"]
        full = (await client.conversations_replies(**told, include_all_metadata=True))["messages"]

        assert too_big["warning"] == "metadata_too_large"
        assert [message.get("metadata") for message in plain] == [None, None, None]
        assert [message.get("metadata") for message in full] == [None, JOB, None]


async def test_where_the_app_may_not_post_it_is_told_why() -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        places = {
            "not_in_channel": slack.channel("public", bot_is_in=False),
            "channel_not_found": slack.channel("private", kind="group", bot_is_in=False),
            "is_archived": slack.channel("old", archived=True),
            "restricted_action_read_only_channel": slack.channel("news", read_only=True),
        }
        for error, place in places.items():
            assert await refused(client.chat_postMessage(channel=place, text="x")) == error
        reply = await slack.says("bob", "me too", thread_ts=where["thread_ts"])
        wrong = where | {"thread_ts": reply}
        assert await refused(client.chat_postMessage(**wrong, text="x")) == "cannot_reply_to_message"
        gone = where | {"thread_ts": "1.000001"}
        assert await refused(client.chat_postMessage(**gone, text="x")) == "thread_not_found"
        at: dict[str, Any] = {"channel": where["channel"], "ts": reply}
        assert await refused(client.chat_update(**at, text="x")) == "cant_update_message"
        assert await refused(client.chat_delete(**at)) == "cant_delete_message"
        assert await refused(client.chat_update(channel=where["channel"], ts="1.1", text="x")) == "message_not_found"


async def test_what_slack_leaves_open_about_posts_is_the_tests_choice() -> None:
    open_minded = Variants(reply_to_deleted="accepted", client_msg_id_dedups=True, keeps_text_of_markdown=False)
    async with slack_server(variants=open_minded) as slack:
        client, where = await asked(slack)
        first = await client.chat_postMessage(**where, markdown_text="one", client_msg_id="x")
        again = await client.chat_postMessage(**where, markdown_text="one", client_msg_id="x")
        at: dict[str, Any] = {"channel": where["channel"], "ts": where["thread_ts"]}
        told = (await client.conversations_replies(**at))["messages"][1]
        await client.chat_delete(channel=where["channel"], ts=first["ts"])
        await slack.deletes(where["thread_ts"])
        await client.chat_postMessage(**where, text="to nobody")

        assert first["ts"] == again["ts"]
        assert told["text"] == ""
        assert [shown.text for shown in slack.replies("general", where["thread_ts"])] == ["to nobody"]


async def test_an_edit_may_come_too_late() -> None:
    async with slack_server(variants=Variants(edit_window=60)) as slack:
        client, where = await asked(slack)
        post = await client.chat_postMessage(**where, text="one")
        slack.clock.advance(61)
        edit = client.chat_update(channel=where["channel"], ts=post["ts"], text="two")
        assert await refused(edit) == "edit_window_closed"


async def test_a_missing_scope_is_named_and_the_scopes_held_are_told() -> None:
    async with slack_server(scopes=["chat:write"]) as slack:
        client, where = await asked(slack)
        with pytest.raises(SlackApiError) as caught:
            await client.conversations_replies(channel=where["channel"], ts=where["thread_ts"])
        assert (await client.auth_test()).headers["x-oauth-scopes"] == "chat:write"
        slack.revoke(error="token_revoked")
        assert await refused(client.auth_test()) == "token_revoked"
        slack.restore()
        await client.auth_test()

    response = caught.value.response
    assert (response["error"], response["needed"], response["provided"]) == (
        "missing_scope",
        "channels:history",
        "chat:write",
    )


async def test_what_would_have_pinged_or_shown_a_preview_is_noticed() -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        quiet: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}
        await client.chat_postMessage(**where, markdown_text="`<!here>` <@U123|x> <!subteam^S1>", **quiet)
        await client.chat_postMessage(**where, text="<\u200b!channel> @everyone &lt;!channel&gt;", **quiet)
        await client.chat_postMessage(**where, text="@here https://example.org/a", link_names=True)
        blocks = [{"type": "section", "text": {"type": "plain_text", "text": "<!here>"}}]
        await client.chat_postMessage(**where, text="see", blocks=blocks, **quiet)
        begun = await client.chat_startStream(**where, **recipient(slack), markdown_text="https://example.org/b <!chan")
        await client.chat_appendStream(channel=where["channel"], ts=begun["ts"], markdown_text="nel>")

        assert [(ping.kind, ping.whom, ping.method) for ping in slack.pings] == [
            ("everyone", "here", "chat.postMessage"),
            ("user", "U123", "chat.postMessage"),
            ("group", "S1", "chat.postMessage"),
            ("everyone", "here", "chat.postMessage"),
            ("everyone", "channel", "chat.appendStream"),
        ]
        assert [unfurl.url for unfurl in slack.unfurls] == ["https://example.org/a"]


async def test_a_thread_is_read_back_page_by_page() -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        said = [await slack.says("bob", f"{n}", thread_ts=where["thread_ts"], mention=False) for n in range(5)]
        at: dict[str, Any] = {"channel": where["channel"], "ts": where["thread_ts"]}
        first = await client.conversations_replies(**at, limit=2)
        cursor = first["response_metadata"]["next_cursor"]
        second = await client.conversations_replies(**at, limit=3, cursor=cursor)
        since = await client.conversations_replies(**at, oldest=said[3])
        until = await client.conversations_replies(**at, latest=said[1], inclusive=True)
        (alone,) = (await client.conversations_replies(channel=where["channel"], ts=said[0]))["messages"]

        def stamps(page: Any) -> list[str]:
            return [message["ts"] for message in page["messages"]]

        root = where["thread_ts"]
        assert (stamps(first), first["has_more"]) == ([root, *said[:2]], True)
        assert (stamps(second), second["has_more"]) == ([root, *said[2:]], False)
        assert stamps(since) == [root, said[4]]
        assert stamps(until) == [root, *said[:2]]
        parent = first["messages"][0]
        assert (parent["reply_count"], parent["latest_reply"], parent["thread_ts"]) == (5, said[4], root)
        assert alone["parent_user_id"] == slack.person("ada")
        assert await refused(client.conversations_replies(channel=where["channel"], ts="1.1")) == "thread_not_found"


async def test_a_channel_is_read_back_newest_first_without_replies() -> None:
    async with slack_server(scopes=["channels:history", "channels:read", "im:write"]) as slack:
        client, where = await asked(slack)
        reply = await slack.says("bob", "to all", thread_ts=where["thread_ts"], broadcast=True, mention=False)
        await slack.says("bob", "hidden", thread_ts=where["thread_ts"], mention=False)
        second = await slack.says("ada", "again", mention=False)
        told = (await client.conversations_history(channel=where["channel"]))["messages"]
        newer = (await client.conversations_history(channel=where["channel"], oldest=reply))["messages"]
        mine = (await client.users_conversations())["channels"]
        opened = (await client.conversations_open(users=slack.person("ada")))["channel"]["id"]

        assert [message["ts"] for message in told] == [second, reply, where["thread_ts"]]
        assert [message["ts"] for message in newer] == [second]
        assert [channel["name"] for channel in mine] == ["general"]
        assert opened == slack.direct("ada")
        link = (await client.chat_getPermalink(channel=where["channel"], message_ts=reply))["permalink"]
        assert f"/archives/{where['channel']}/p{reply.replace('.', '')}?thread_ts={where['thread_ts']}" in link


async def test_a_status_goes_when_the_app_posts_or_after_two_minutes() -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        at: dict[str, Any] = {"channel_id": where["channel"], "thread_ts": where["thread_ts"]}
        await client.assistant_threads_setStatus(**at, status="is thinking", loading_messages=["Hm"])
        shown = slack.status("general", where["thread_ts"])
        await client.chat_postMessage(**where, text="x")
        after_post = slack.status("general", where["thread_ts"])
        await client.assistant_threads_setStatus(**at, status="is thinking")
        slack.clock.advance(121)
        await slack.until(lambda: slack.status("general", where["thread_ts"]) is None)

        assert (shown, after_post) == ("is thinking", None)
        too_many = client.assistant_threads_setStatus(**at, status="x", loading_messages=["y"] * 11)
        assert await refused(too_many) == "invalid_arguments"


async def test_a_reaction_and_a_home_tab_are_seen() -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        at: dict[str, Any] = {"channel": where["channel"], "timestamp": where["thread_ts"], "name": "eyes"}
        await client.reactions_add(**at)
        assert await refused(client.reactions_add(**at)) == "already_reacted"
        button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
        home = {"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}
        await client.views_publish(user_id=slack.person("ada"), view=home)
        stale = client.views_publish(user_id=slack.person("ada"), view=home, hash="old")
        assert await refused(stale) == "hash_conflict"

        assert slack.transcript("general", where["thread_ts"])[0].reactions == ("eyes",)
        assert [button.text for button in slack.home_buttons("ada")] == ["Go"]
