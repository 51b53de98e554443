"""Whatever Slack and Discord hand over is read or passed over; what is read can be stored."""

import json
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from adapters.discord import events as discord
from adapters.discord.interactions_payloads import read_call, read_interaction
from adapters.discord.places import Kind, Where
from adapters.slack import actions_payloads as slack_actions
from adapters.slack import events as slack
from bot.messages import Thread
from tests.adapters.discord.samples import GENERAL as DISCORD_GENERAL
from tests.adapters.discord.samples import IN_DIRECT, IN_GENERAL, IN_THREAD
from tests.adapters.discord.samples import ME as DISCORD_ME
from tests.adapters.slack.samples import GENERAL as SLACK_GENERAL
from tests.adapters.slack.samples import ME as SLACK_ME
from tests.support.hostile import JSON, TEXTS, bent, often, unstorable

SAMPLES = Path(__file__).parents[1] / "samples"


def samples(platform: str) -> list[Any]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((SAMPLES / platform).glob("*.json"))]


SLACK, DISCORD = samples("slack"), [frame["d"] for frame in samples("discord")]
_CALLER = {"user": {"id": "900000000000000201", "username": "ada"}, "nick": "Ada"}
INTERACTION: dict[str, Any] = {
    "id": "1174110356897792002",
    "application_id": "900000000000000100",
    "token": "a-token",
    "type": 2,
    "guild_id": "900000000000000001",
    "channel": {"id": DISCORD_GENERAL, "type": 0, "parent_id": None},
    "member": _CALLER,
    "app_permissions": "2248473465835073",
    "data": {
        "name": "ask",
        "target_id": "1174110092656640003",
        "custom_id": "clew:retry:turn1",
        "options": [{"name": "text", "value": "hello"}, {"name": "file", "value": "900000000000000501"}],
        "resolved": {
            "attachments": {"900000000000000501": {"id": "900000000000000501", "filename": "a.png", "size": 3}},
            "messages": {"1174110092656640003": {"id": "1174110092656640003", "content": "hi"}},
        },
    },
}


def of(payloads: list[Any]) -> st.SearchStrategy[Any]:
    """One of the samples, bent, or anything at all."""

    @st.composite
    def some(draw: st.DrawFn) -> Any:
        return bent(draw, draw(st.sampled_from(payloads)))

    return some() | JSON


def assert_sound(event: object) -> None:
    assert unstorable(event) == []
    thread = getattr(event, "thread", None) or getattr(getattr(event, "message", None), "thread", None)
    if thread is not None:
        assert Thread.from_key(thread.key) == thread


@often
@given(of(SLACK))
def test_no_payload_of_slacks_breaks_whoever_reads_it(body: Any) -> None:
    assert_sound(slack.read_event(body, SLACK_ME))
    event: Any = body.get("event") if isinstance(body, dict) else body
    assert_sound(slack.read_post(event, SLACK_GENERAL, SLACK_ME))
    for read in (slack_actions.read_slash, slack_actions.read_action, slack_actions.read_shortcut):
        told: Any = read(body, SLACK_ME)
        assert_sound(told)
        if isinstance(told, slack_actions.Pressed):
            assert unstorable([told.turn, told.chosen]) == []


@often
@given(TEXTS)
def test_no_words_after_a_slash_command_break_whoever_reads_them(words: str) -> None:
    payload = {"command": "/clew", "channel_id": SLACK_GENERAL, "user_id": "U0ADA00000", "text": words}
    told = slack_actions.read_slash(payload | {"response_url": "https://a.example", "trigger_id": "1.2.3"}, SLACK_ME)

    assert told is not None
    assert_sound(told)


@often
@given(of(DISCORD), st.sampled_from([IN_GENERAL, IN_THREAD, IN_DIRECT, Where(Kind.ROOM, DISCORD_GENERAL, "1")]))
def test_no_payload_of_discords_breaks_whoever_reads_it(body: Any, where: Where) -> None:
    discord.origin_of(body)
    discord.replied_to(body, DISCORD_ME)
    for event in (
        discord.read_posted(body, DISCORD_ME, where),
        discord.read_edited(body, DISCORD_ME, where),
        *discord.read_deleted(body, where),
    ):
        assert_sound(event)


@often
@given(of([INTERACTION, INTERACTION | {"type": 3}]))
@example(INTERACTION | {"app_permissions": "9" * 5_000})
def test_no_interaction_of_discords_breaks_whoever_reads_it(body: Any) -> None:
    read_call(body)
    read_interaction(body)
