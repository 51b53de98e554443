"""Events, commands and clicks over HTTP: the same bot, and a door that only Slack can open."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from slack_bolt.async_app import AsyncApp

from adapters.slack.http import HttpEvents
from adapters.slack.manifest import COMMAND, HTTP_PATH, RESET_SHORTCUT
from bot.errors import StartError
from bot.ports import Store
from tests.support.groups import only_error
from tests.support.slack import HttpEvents as Door
from tests.support.slack import SlackServer, Twins, Variants, slack_server
from tests.support.slack_clew import ALL_SCOPES, SECRET, SlackClew, clew_on, failing, set_for, until_logged

IMPATIENT = Variants(ack_within=0.5, retries=(0.0, 0.1, 0.1))


@asynccontextmanager
async def clew_over_http(slack: SlackServer, **named: object) -> AsyncIterator[tuple[SlackClew, Door]]:
    """Clew, and Slack set up to send it everything over HTTP."""
    async with clew_on(slack, http=True, **named) as clew:  # type: ignore[arg-type]
        port = re.search(r"port (\d+)", clew.line)
        assert port is not None, clew.line
        yield clew, slack.use_http(f"http://127.0.0.1:{port[1]}{HTTP_PATH}", SECRET)


@pytest.mark.parametrize("twins", [Twins.MENTION_FIRST, Twins.MESSAGE_FIRST], ids=["mention first", "message first"])
async def test_a_mention_is_answered_over_http_as_well(twins: Twins) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_over_http(slack) as (clew, _):
        ts = await slack.says("ada", "hello", twins=twins)
        shown = await slack.shown("general", ts)
        await slack.delivered()

        assert len(slack.replies("general", ts)) == 1
    assert shown[0].text.startswith("answer 1 to hello")
    assert len(clew.model.asked) == 1
    assert all(delivery.is_acknowledged and not delivery.retries for delivery in slack.deliveries)
    assert slack.calls_of("apps.connections.open") == []


async def test_what_the_store_refuses_is_answered_with_503_and_comes_again() -> None:
    def refusing(store: Store) -> Store:
        return failing(store, "add", times=2)

    async with (
        slack_server(scopes=ALL_SCOPES, variants=IMPATIENT) as slack,
        clew_over_http(slack, wrap=refusing) as (clew, _),
    ):
        ts = await slack.says("ada", "hello", twins=Twins.ONLY_MENTION)
        await slack.shown("general", ts)
        await slack.delivered()

        (mention,) = [delivery for delivery in slack.deliveries if delivery.name == "app_mention"]
        assert [attempt.failure for attempt in mention.attempts] == ["http_error", "http_error", None]
        assert len(slack.replies("general", ts)) == 1
    assert len(clew.model.asked) == 1


async def test_a_first_delivery_that_calls_itself_retry_number_nought_is_answered() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_over_http(slack) as (clew, door):
        ts = await slack.says("ada", "hello", twins=Twins.NEITHER)
        event = {"type": "message", "channel": slack.channel("general"), "user": slack.person("ada"), "ts": ts}
        body = {
            "type": "event_callback",
            "team_id": slack.team_id,
            "event": event | {"text": f"<@{slack.bot_user_id}> hello", "channel_type": "channel"},
        }
        for number in range(3):
            answered = await door.post(json.dumps(body), headers={"X-Slack-Retry-Num": str(number)})
            assert answered.status == 200
        await slack.shown("general", ts)

    assert [asked.text for asked in clew.model.asked] == ["hello"]


async def test_slack_is_given_its_challenge_back() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_over_http(slack) as (_, door):
        assert await door.verify_url()


async def test_only_slack_gets_in() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_over_http(slack) as (clew, door):
        body = json.dumps({"type": "url_verification", "challenge": "x"})
        refused = [
            await door.post(body, secret="another app's"),
            await door.post(body, age=301),
            await door.post(body, age=-301),
            await door.post(body, timestamp="yesterday"),
            await door.post(body, headers={"X-Slack-Signature": "v0=0"}),
        ]
        let_in = await door.post(body, age=290)

    assert [answered.status for answered in refused] == [401] * 5
    assert let_in.status == 200
    assert clew.model.asked == []


async def test_what_is_signed_and_makes_no_sense_is_refused_and_harms_nobody() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_over_http(slack) as (clew, door):
        for body in ("{", "[]", "null", '"event_callback"', "{}"):
            assert (await door.post(body)).status == 400, body
        for body in ("payload=%7B", "payload=[]", "payload=7", "", "%ff=%fe", "command=/clew"):
            answered = await door.post(body, content_type="application/x-www-form-urlencoded")
            assert answered.status in {200, 400, 404}, body
        assert (await door.post(json.dumps({"type": "event_callback", "event": 7}))).status == 200

        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
    assert len(clew.model.asked) == 1


async def test_commands_buttons_and_shortcuts_come_the_same_way() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_over_http(slack) as (clew, _):
        async with until_logged("turn answered", by="bot.responder"):
            ts = await slack.says("ada", "hello")
        (shown,) = await slack.shown("general", ts)
        helped = await slack.slash("ada", COMMAND, "help")
        pressed = await slack.clicks(shown.button("Retry"))
        await slack.shown("general", ts, lambda seen: "answer 2" in seen[0].text)
        chosen = await slack.shortcut(RESET_SHORTCUT, ts)
        whispers = await slack.whispered("ada", 3)

    assert "`/clew stop`" in (helped.text or "")
    assert [pressed.error, chosen.error] == [None, None]
    assert [whisper.text.partition(".")[0] for whisper in whispers[1:]] == [
        "I answer the last question again",
        "This thread starts afresh: I no longer know what was said in it",
    ]
    assert len(clew.model.asked) == 2


async def test_an_event_that_is_being_stored_when_the_bot_is_stopped_is_still_acknowledged() -> None:
    may_store, is_asked = asyncio.Event(), asyncio.Event()

    async def accept(body: Mapping[str, object]) -> bool:
        is_asked.set()
        await may_store.wait()
        return True

    async with slack_server() as slack:
        events = HttpEvents(AsyncApp(token="xoxb-1"), SECRET, accept=accept, port=0, host="127.0.0.1")
        async with asyncio.TaskGroup() as group:
            async with events.open() as port:
                door = slack.use_http(f"http://127.0.0.1:{port}{HTTP_PATH}", SECRET)
                posting = group.create_task(door.post(json.dumps({"type": "event_callback"})))
                async with asyncio.timeout(30):
                    await is_asked.wait()
                # Once the block is left, nobody new gets in; whoever is in is let finish.
                asyncio.get_running_loop().call_soon(may_store.set)
            answered = await posting

    assert answered.status == 200


async def test_a_port_that_is_taken_stops_the_start_with_a_sentence() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_over_http(slack) as (clew, _):
        port = int(clew.line.partition("port ")[2].partition(",")[0])
        with pytest.raises(BaseExceptionGroup) as caught:
            async with clew_on(slack, settings=replace(set_for(slack, http=True), port=port)):
                pass

    refusal = only_error(caught.value)
    assert isinstance(refusal, StartError)
    assert str(refusal) == f"Port {port} is taken already; set SLACK_PORT to another one, or to 0 for any free one."
