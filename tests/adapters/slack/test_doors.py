"""What comes to Slack's door and is not Slack, or is Slack and means another place."""

import gzip
import json
from urllib.parse import urlencode

import aiohttp
import pytest

from adapters.slack.manifest import COMMAND
from tests.adapters.slack.test_actions import AFRESH, asked, goes_on_from, link
from tests.adapters.slack.test_http import clew_over_http
from tests.support.scripted import NEVER, answer
from tests.support.slack import slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on, until_logged

FORM = "application/x-www-form-urlencoded"


# --- who is let in ------------------------------------------------------------------------------


@pytest.mark.parametrize("signature", ["v0=ÿ", "v0=é" * 1_000, "v1=0", "", "v0=" + "0" * 64])
async def test_no_signature_but_the_right_one_is_worth_an_answer(signature: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_over_http(slack) as (_, door):
        body = json.dumps({"type": "url_verification", "challenge": "x"})
        refused = await door.post(body, headers={"X-Slack-Signature": signature})
        unsigned = await door.post(body, headers={"X-Slack-Signature": "", "X-Slack-Request-Timestamp": ""})

    assert (refused.status, unsigned.status) == (401, 401)
    assert (refused.body, unsigned.body) == ("", "")


async def test_what_is_signed_and_nested_beyond_reason_is_refused() -> None:
    deep = "[" * 100_000
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_over_http(slack) as (_, door):
        event = await door.post(deep)
        click = await door.post(urlencode({"payload": deep}), content_type=FORM)

    assert (event.status, click.status) == (400, 400)


async def test_a_request_that_unpacks_to_a_hundred_megabytes_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(100_000_000))
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_over_http(slack) as (_, door):
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(door.url, data=bomb, headers=headers) as answered,
        ):
            status = answered.status
        is_open = await door.verify_url()

    assert status == 413
    assert is_open


async def test_a_command_that_somebody_overheard_and_sends_again_does_nothing() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_over_http(slack) as (clew, door):
        ts = await asked(slack)
        fields = {
            "command": COMMAND,
            "text": f"reset {link(slack, ts)}",
            "channel_id": slack.channel("general"),
            "user_id": slack.person("ada"),
            "trigger_id": "1.2.overheard",
            "response_url": f"{slack.url}/response/none",
        }
        first = await door.post(urlencode(fields), content_type=FORM)
        assert await goes_on_from(slack, clew, ts) is None
        again = await door.post(urlencode(fields), content_type=FORM)
        goes_on = await goes_on_from(slack, clew, ts)
        too_late = await door.post(urlencode(fields), content_type=FORM, age=301)

    assert AFRESH in first.body
    assert again.status == 200
    assert goes_on == "i2"
    assert too_late.status == 401


# --- whose thread it is -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "elsewhere",
    [
        "slack:T0STRANGER:{channel}:{ts}",
        "discord:{team}:{channel}:{ts}",
        "slack:{team}:C0OTHER000:{ts}",
        "web:local:page:thread0001",
        "{ts}",
        "slack:{team}:{channel}:{ts}:more",
    ],
)
async def test_a_choice_is_good_for_the_threads_of_its_own_channel_alone(elsewhere: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await asked(slack)
        await slack.slash("ada", COMMAND, "forget")
        (offer,) = slack.whispers("ada")
        value = elsewhere.format(team=slack.team_id, channel=slack.channel("general"), ts=ts)
        await slack.clicks(offer.buttons[0], value=value)
        told = await slack.whispered("ada", 1)

        assert "belongs to another place" in told[-1].text
        assert await goes_on_from(slack, clew, ts) == "i1"


async def test_a_button_with_the_turn_of_another_thread_touches_neither() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        mine = await asked(slack)
        clew.model.will(*answer("i2", "a beginning")[:2], NEVER)
        bobs = await slack.says("bob", "tell me")
        await slack.shown("general", bobs, lambda seen: bool(seen) and "a beginning" in seen[0].text)
        (running,) = await clew.store.running()
        stop = slack.replies("general", bobs)[0].button("Stop")
        retry = slack.replies("general", mine)[0].button("Retry")

        await slack.clicks(retry, by="mallory", value=running.id)
        (answered,) = await clew.store.transcript(clew.thread(mine))
        await slack.clicks(stop, by="mallory", value=answered.id)
        words = [whisper.text for whisper in await slack.whispered("mallory", 2)]

        assert [turn.id for turn in await clew.store.running()] == [running.id]
        assert not (await clew.store.running())[0].stopping
        assert len(clew.model.asked) == 2
        assert any("nothing" in text or "none here" in text for text in words)
        async with until_logged("turn stopped", by="bot.responder"):
            await slack.clicks(stop, by="bob")
