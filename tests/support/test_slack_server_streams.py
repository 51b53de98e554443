"""The life of a stream in the loopback Slack, driven by the real client."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.support.slack import (
    Clock,
    Variants,
    slack_server,
)
from tests.support.slack.sdk import asked, recipient, refused

JOB = {"event_type": "clew", "event_payload": {"job": "j1", "part": 1}}


async def test_a_stream_grows_and_is_whole_when_it_is_stopped() -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        stream = await client.chat_stream(**where, **recipient(slack), buffer_size=1)
        await stream.append(markdown_text="**one")
        (growing,) = await slack.shown("general", where["thread_ts"], lambda seen: len(seen) == 1)
        await stream.append(markdown_text=" two**")
        await stream.stop(markdown_text=" three", metadata=JOB)
        (whole,) = await slack.shown("general", where["thread_ts"])

        assert (growing.text, growing.stream) == ("**one", "live")
        assert (whole.text, whole.stream, whole.metadata, whole.edits) == ("**one two** three", "stopped", JOB, 0)
        with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
            await client.chat_appendStream(channel=where["channel"], ts=whole.ts, markdown_text="more")


async def test_a_stream_dies_after_five_minutes_however_busy_and_can_then_be_edited() -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        begun = await client.chat_startStream(**where, **recipient(slack), markdown_text="one")
        at: dict[str, Any] = {"channel": where["channel"], "ts": begun["ts"]}
        for _ in range(3):
            slack.clock.advance(99)
            await client.chat_appendStream(**at, markdown_text="+")
        assert await refused(client.chat_update(**at, markdown_text="x")) == "streaming_state_conflict"
        slack.clock.advance(4)

        assert await refused(client.chat_appendStream(**at, markdown_text="+")) == "message_not_in_streaming_state"
        assert await refused(client.chat_stopStream(**at)) == "message_not_in_streaming_state"
        (dead,) = slack.replies("general", where["thread_ts"])
        assert (dead.text, dead.stream) == ("one+++", "expired")
        await client.chat_update(**at, markdown_text="all of it")
        (edited,) = slack.replies("general", where["thread_ts"])
        assert (edited.text, edited.stream, edited.edits) == ("all of it", None, 1)


async def test_whoever_watches_a_stream_sees_it_die() -> None:
    async with slack_server(clock=Clock(speed=5000)) as slack:
        client, where = await asked(slack)
        await client.chat_startStream(**where, **recipient(slack), markdown_text="one")
        (dead,) = await slack.shown("general", where["thread_ts"])
        assert dead.stream == "expired"


async def test_a_stream_keeps_the_mode_it_began_with() -> None:
    async with slack_server() as slack:
        client, where = await asked(slack)
        begun = await client.chat_startStream(**where, **recipient(slack), markdown_text="one")
        at: dict[str, Any] = {"channel": where["channel"], "ts": begun["ts"]}
        chunks = [{"type": "markdown_text", "text": "two"}]
        assert await refused(client.chat_appendStream(**at, chunks=chunks)) == "streaming_mode_mismatch"
        assert await refused(client.chat_appendStream(**at, markdown_text="")) == "no_text"
        assert await refused(client.chat_appendStream(**at, chunks=[{"type": "poem"}])) == "invalid_chunks"


async def test_tasks_plans_and_buttons_come_as_chunks() -> None:
    button = {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}}
    task = {"type": "task_update", "id": "t", "title": "Look", "status": "in_progress"}
    async with slack_server() as slack:
        client, where = await asked(slack)
        chunks: list[dict[str, Any]] = [
            {"type": "plan_update", "title": "The plan"},
            task,
            {"type": "blocks", "blocks": [{"type": "actions", "elements": [button]}]},
        ]
        begun = await client.chat_startStream(**where, **recipient(slack), chunks=chunks)
        done = [task | {"status": "complete"}, {"type": "markdown_text", "text": "Found."}]
        await client.chat_appendStream(channel=where["channel"], ts=begun["ts"], chunks=done)
        (shown,) = slack.replies("general", where["thread_ts"])
        await client.chat_stopStream(channel=where["channel"], ts=begun["ts"])
        await client.chat_update(channel=where["channel"], ts=begun["ts"], markdown_text="Found.")
        (edited,) = slack.replies("general", where["thread_ts"])

    assert (shown.plan, [task["status"] for task in shown.tasks], shown.text) == ("The plan", ["complete"], "Found.")
    assert [button.text for button in shown.buttons] == ["Stop"]
    assert edited.buttons == ()


async def test_where_a_stream_may_not_begin() -> None:
    async with slack_server(variants=Variants(streams_in=frozenset({"channel", "im"}))) as slack:
        client, where = await asked(slack)
        to = recipient(slack)
        _, group = await asked(slack, channel=slack.group_direct("ada", "bob"))
        _, direct = await asked(slack, channel=slack.direct("ada"))
        reply = await slack.says("bob", "me too", thread_ts=where["thread_ts"])
        team_only: dict[str, Any] = {"recipient_team_id": slack.team_id}
        assert await refused(client.chat_startStream(**where)) == "missing_recipient_team_id"
        assert await refused(client.chat_startStream(**where, **team_only)) == "missing_recipient_user_id"
        for wrong in ("", reply, "1.000001"):
            asked_for = where | {"thread_ts": wrong}
            assert await refused(client.chat_startStream(**asked_for, **to)) == "invalid_thread_ts"
        assert await refused(client.chat_startStream(**group, **to)) == "channel_type_not_supported"
        assert (await client.chat_startStream(**direct))["ok"]
        at: dict[str, Any] = {"channel": where["channel"], "ts": reply}
        assert await refused(client.chat_appendStream(**at, markdown_text="x")) == "message_not_owned_by_app"


async def test_a_stream_a_person_stopped_takes_no_more_and_keeps_its_text() -> None:
    async with slack_server(events=["agent_session_stopped"]) as slack:
        client, where = await asked(slack)
        begun = await client.chat_startStream(**where, **recipient(slack), markdown_text="one")
        at: dict[str, Any] = {"channel": where["channel"], "ts": begun["ts"]}
        await slack.presses_stop("ada", begun["ts"])
        assert await refused(client.chat_appendStream(**at, markdown_text="x")) == "stopped_by_user"
        assert await refused(client.chat_stopStream(**at)) == "stopped_by_user"
        assert [shown.text for shown in slack.replies("general", where["thread_ts"])] == ["one"]
        assert slack.deliveries[-1].payload["event"]["streaming_message_ts"] == [begun["ts"]]


async def test_an_empty_end_is_refused_by_a_slack_of_that_kind() -> None:
    async with slack_server(variants=Variants(empty_chunks_on_stop=False)) as slack:
        client, where = await asked(slack)
        stream = await client.chat_stream(**where, **recipient(slack))
        with pytest.raises(SlackApiError, match="invalid_arguments"):
            await stream.stop()
