"""What is told late, or found late, beside what was said since: it comes first where it can, and harms nothing."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.answers import Created, TextPiece
from bot.messages import InteractionId
from tests.adapters.slack.catching import held_up
from tests.support.core import PATIENT
from tests.support.scripted import Silence, answer
from tests.support.slack import SaysError, slack_server
from tests.support.slack_clew import ALL_SCOPES, BRISK, clew_on, until_logged

NEVER_AGAIN = replace(BRISK, again=(3600.0,))  # threads are not watched


# --- questions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("people", [("ada", "ben"), ("ben", "ada"), ("ada", "ada")])
async def test_after_a_restart_what_was_missed_is_answered_before_what_is_said_now(
    people: tuple[str, str], tmp_path: Path
) -> None:
    url, (before, now) = f"sqlite:///{tmp_path / 'clew.db'}", people
    async with slack_server(scopes=ALL_SCOPES) as slack:
        async with clew_on(slack, url=url) as clew:
            root = await slack.says("ada", "hello")
            await slack.shown("general", root)
        slack.mute_events()
        await slack.says(before, "missed?", thread_ts=root, mention=False)
        slack.mute_events(False)
        # Nothing is found in the usual way: the channels come before their threads.
        slack.faults.arm("conversations.history", SaysError("internal_error"), times=1000)

        async with clew_on(slack, url=url, rhythm=NEVER_AGAIN) as clew:
            await slack.says(now, "now?", thread_ts=root, mention=False)
            whole = 2 if before == now else 3
            await slack.shown("general", root, whole=whole)

            asked = [said.text for said in clew.model.asked]
            assert asked == (["missed?\nnow?"] if before == now else ["missed?", "now?"])


async def test_what_was_passed_over_is_answered_when_what_called_the_bot_comes_after_it() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, rhythm=NEVER_AGAIN) as clew:
        root, late = await held_up(slack, "ada", "first?")
        await slack.says("ben", "second?", thread_ts=root, mention=False)
        await slack.delivered()
        assert clew.model.asked == []

        slack.again(late)
        await slack.shown("general", root, whole=2)
        await slack.says("ada", "third?", thread_ts=root, mention=False)
        await slack.shown("general", root, whole=3)

        assert [said.text for said in clew.model.asked] == ["first?", "second?", "third?"]
        assert len(slack.calls_of("conversations.replies")) == 1


async def test_what_was_passed_over_is_found_though_somebody_mentioned_the_bot_before_the_first_mention_came() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, rhythm=NEVER_AGAIN) as clew:
        root, late = await held_up(slack, "ada", "first?")
        await slack.says("ben", "second?", thread_ts=root, mention=False)
        await slack.says("ada", "third?", thread_ts=root)
        await slack.shown("general", root)

        slack.again(late)
        await slack.shown("general", root, whole=3)

        assert [said.text for said in clew.model.asked][1:] == ["first?", "second?"]


async def test_a_first_mention_that_was_lost_is_found_with_what_follows_it_once_its_thread_is_watched() -> None:
    soon = replace(BRISK, again=(0.2, 3600.0))
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, rhythm=soon) as clew:
        root, _ = await held_up(slack, "ada", "first?")
        await slack.says("ben", "second?", thread_ts=root, mention=False)
        await slack.says("ada", "third?", thread_ts=root)
        await slack.shown("general", root, whole=3)

        assert [said.text for said in clew.model.asked] == ["third?", "first?", "second?"]


async def test_where_slack_does_not_tell_what_was_missed_nobody_waits_for_ever(tmp_path: Path) -> None:
    url, hasty = f"sqlite:///{tmp_path / 'clew.db'}", replace(PATIENT, catch_up=0.2)
    async with slack_server(scopes=ALL_SCOPES) as slack:
        async with clew_on(slack, url=url) as clew:
            root = await slack.says("ada", "hello")
            await slack.shown("general", root)
        slack.faults.arm("conversations.*", SaysError("internal_error"), times=1000)

        async with clew_on(slack, url=url, rhythm=NEVER_AGAIN, limits=hasty) as clew:
            await slack.says("ada", "what?", thread_ts=root, mention=False)
            await slack.shown("general", root, lambda seen: any("to what?" in one.text for one in seen))

    assert [said.text for said in clew.model.asked] == ["what?"]


async def test_what_people_said_before_they_called_the_bot_is_passed_over_for_good() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, rhythm=NEVER_AGAIN) as clew:
        root = await slack.says("ada", "lunch?", mention=False)
        await slack.says("ben", "yes", thread_ts=root, mention=False)
        await slack.says("ben", "where?", thread_ts=root)
        await slack.shown("general", root, lambda seen: len(seen) == 1 and "where?" in seen[0].text)

        assert [said.text for said in clew.model.asked] == ["where?"]
        assert len(slack.calls_of("conversations.replies")) == 1  # for what they said before, which is told along


async def test_a_first_question_that_comes_after_one_that_was_stopped_is_told_of_it() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, rhythm=NEVER_AGAIN) as clew:
        clew.model.will(Created(InteractionId("i1")), TextPiece("a beginning"), Silence.FOR_EVER)
        root, late = await held_up(slack, "ada", "first?")
        await slack.says("ada", "second?", thread_ts=root)
        await slack.shown("general", root, lambda seen: any("a beginning" in one.text for one in seen))
        async with until_logged("turn stopped", by="bot.responder"):
            await slack.says("ada", "stop", thread_ts=root)

        slack.again(late)
        await slack.shown("general", root, lambda seen: any("to first?" in one.text for one in seen))

    assert clew.model.asked[-1].text == "first?"
    assert "second?" in clew.model.asked[-1].history
    assert "a beginning" in clew.model.asked[-1].history


# --- commands -----------------------------------------------------------------------------------


async def test_a_stop_that_comes_late_does_not_end_the_answer_to_what_was_asked_since() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, rhythm=NEVER_AGAIN) as clew:
        root = await slack.says("ada", "hello")
        await slack.shown("general", root)
        _, late = await held_up(slack, "ada", "stop", thread_ts=root)
        go_on = asyncio.Event()
        clew.model.will(go_on, *answer("i2", "the answer"))
        await slack.says("ada", "what?", thread_ts=root, mention=False)
        await clew.model.heard(2)

        slack.again(late)
        await slack.shown("general", root, lambda seen: any("I am not answering" in one.text for one in seen))
        go_on.set()
        await slack.shown("general", root, lambda seen: any(one.text == "the answer" for one in seen))


async def test_a_retry_that_comes_late_leaves_the_answer_to_what_was_asked_since() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, rhythm=NEVER_AGAIN) as clew:
        async with until_logged("turn answered", by="bot.responder"):
            root = await slack.says("ada", "hello")
        _, late = await held_up(slack, "ada", "retry", thread_ts=root)
        async with until_logged("turn answered", by="bot.responder"):
            await slack.says("ada", "what?", thread_ts=root, mention=False)

        slack.again(late)
        await slack.shown("general", root, lambda seen: any("reached me late" in one.text for one in seen))

    assert [said.text for said in clew.model.asked] == ["hello", "what?"]
