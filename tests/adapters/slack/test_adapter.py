"""The whole adapter: starting, stopping, and what it does where it cannot answer."""

import asyncio
import logging
from dataclasses import replace

import pytest
from pydantic import SecretStr

from adapters.slack.adapter import open_line
from bot.answers import Draft
from bot.errors import SettingsError, StartError, ThreadClosed
from bot.limits import Limits
from bot.messages import MessageId, Standing
from tests.support.groups import only_error
from tests.support.scripted import answer
from tests.support.slack import SaysError, SlackServer, Twins, Variants, slack_server
from tests.support.slack_clew import ALL_SCOPES, BRISK, Set, clew_on, until_logged


async def test_the_start_says_where_it_is_connected_and_in_which_channels_it_can_work(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        slack.channel("random")
        with caplog.at_level(logging.INFO, "adapters.slack"):
            async with clew_on(slack) as clew:
                assert clew.line == f"{slack.url}/ over Socket Mode, in 2 channels"
                assert clew.adapter.trouble() is None

    (told,) = [record for record in caplog.records if record.message == "Slack channels"]
    assert told.__dict__["channels"] == "general, random"


async def test_a_bot_in_no_channel_is_told_how_to_get_into_one() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        slack.channel("general")
        slack._workspace.channels.clear()
        sentence = "Clew is in no channel of Slack yet; invite it with /invite, or write to it directly"
        async with until_logged(sentence), clew_on(slack):
            pass


async def test_a_wrong_token_ends_the_start_and_nothing_was_connected() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        slack.revoke(slack.app_token, error="invalid_auth")
        with pytest.raises(BaseExceptionGroup) as caught:
            async with asyncio.timeout(30), clew_on(slack):
                pass

    refusal = only_error(caught.value)
    assert isinstance(refusal, StartError)
    assert "SLACK_APP_TOKEN" in str(refusal)
    assert slack.all_sockets == []


async def test_half_set_tokens_are_refused() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        half = Set(bot_token=SecretStr(slack.bot_token), api_url=slack.api_url)
        with pytest.raises(SettingsError):
            async with open_line(half):
                pass


async def test_a_turn_that_is_taken_up_before_slack_is_reachable_is_answered_when_it_is(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('clew') / 'clew.db'}"
    async with slack_server(scopes=ALL_SCOPES) as slack:
        async with clew_on(slack, url=url, limits=Limits()) as clew:
            clew.model.will(asyncio.Event())  # it is shut down before there is an answer
            ts = await slack.says("ada", "hello")
            await clew.model.heard(1)
            await slack.delivered()
        slack.faults.arm("auth.test", SaysError("internal_error", status=500), times=3)
        async with clew_on(slack, url=url):
            await slack.shown("general", ts)
            await slack.delivered()

        assert [one.text.startswith("answer") for one in slack.replies("general", ts)] == [True]


async def test_leaving_it_stops_listening_first_and_lets_the_running_answer_finish() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        go_on = asyncio.Event()
        async with clew_on(slack) as clew:
            clew.model.will(go_on, *answer("i1", "to the end"))
            ts = await slack.says("ada", "hello")
            await clew.model.heard(1)
            await slack.delivered()
            asyncio.get_running_loop().call_later(0.3, go_on.set)  # while it is shutting down

        assert [one.text.partition("\n")[0] for one in slack.replies("general", ts)] == ["to the end"]
        assert slack.sockets == []


async def test_what_was_said_while_the_bot_was_down_is_answered_after_the_start(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('clew') / 'clew.db'}"
    async with slack_server(scopes=ALL_SCOPES) as slack:
        async with clew_on(slack, url=url):
            ts = await slack.says("ada", "hello")
            await slack.shown("general", ts)
            await slack.delivered()
        slack.mute_events()
        missed = await slack.says("bob", "anybody here?")
        follow_up = await slack.says("ada", "and then?", thread_ts=ts)
        slack.mute_events(False)
        async with clew_on(slack, url=url) as clew:
            await slack.shown("general", missed)
            await slack.shown("general", ts, whole=2)

        assert follow_up > missed
    assert sorted(asked.text for asked in clew.model.asked) == ["and then?", "anybody here?"]


async def test_what_is_lost_without_a_disconnect_is_found_in_a_thread_just_answered_in() -> None:
    soon = replace(BRISK, again=(0.3, 0.6, 1.2))
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, rhythm=soon) as clew:
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        await slack.delivered()
        slack.faults.events.lose = 2
        await slack.says("ada", "are you there?", thread_ts=ts)
        await slack.shown("general", ts, whole=2)

    assert [asked.text for asked in clew.model.asked] == ["hello", "are you there?"]


# --- where it cannot answer -------------------------------------------------------------------


async def not_answered(slack: SlackServer, channel: str, *, whisper: bool) -> str:
    """What somebody is told who asks in a channel where the bot cannot answer."""
    async with clew_on(slack) as clew:
        await slack.says("ada", "hello", channel=channel, twins=Twins.ONLY_MENTION)
        direct = slack.direct("ada")
        if whisper:
            (told,) = await slack.whispered("ada")
        else:
            (told,) = await slack.shown(direct)
        await slack.delivered()
        assert len(clew.model.asked) <= 1
        assert len(slack.replies(direct)) + len(slack.whispers("ada")) == 1
    return told.text


async def test_a_mention_from_a_channel_the_bot_is_not_in_is_told_where_it_can_be_asked() -> None:
    async with slack_server(scopes=ALL_SCOPES, variants=Variants(mentions_from_outside=True)) as slack:
        outside = slack.channel("outside", bot_is_in=False)
        said = await not_answered(slack, "outside", whisper=False)

    assert f"in <#{outside}>: I am not in that channel. Somebody there can invite me with `/invite`." in said
    assert f"I can answer in <#{slack.channel('general')}>, and in direct messages." in said


async def test_a_mention_in_a_channel_where_only_some_may_post_is_told_so() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        slack.channel("announcements", read_only=True)
        said = await not_answered(slack, "announcements", whisper=False)

    assert "I have no right to post there." in said


async def test_a_mention_in_a_thread_that_takes_no_replies_is_answered_for_to_its_asker_alone() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        for method in ("chat.postMessage", "chat.startStream"):
            slack.faults.arm(method, SaysError("cannot_reply_to_message"), times=None)
        said = await not_answered(slack, "general", whisper=True)

    assert "that message takes no replies" in said


async def test_an_asker_is_told_once_however_often_the_turn_is_tried() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        (turn,) = await clew.store.transcript(clew.thread(ts))
        slack.set_channel("general", archived=True)
        for _ in range(2):
            with pytest.raises(ThreadClosed):
                async with clew.adapter.reply(turn, Draft()):
                    raise ThreadClosed("the channel was archived meanwhile")
        (told,) = await slack.shown(slack.direct("ada"))

    assert told.text.startswith(f"I cannot answer <{slack.url}/archives/{slack.channel('general')}/p")


# --- what the core asks for -------------------------------------------------------------------


async def test_a_confirmation_is_posted_once_however_often_it_is_asked_for() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        direct = slack.direct("ada")
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        top = await slack.says("ada", "hello", channel=direct)
        await slack.shown(direct)
        for _ in range(3):
            await clew.adapter.confirm(clew.thread(ts), MessageId(ts), "Done. <!channel>")
            await clew.adapter.confirm(clew.thread(channel=direct), MessageId(top), "Done.")

        in_thread = [one for one in slack.replies("general", ts) if one.text.startswith("Done.")]
        directly = [one for one in slack.replies(direct) if one.text == "Done."]
    assert (len(in_thread), len(directly)) == (1, 1)
    assert in_thread[0].metadata == {"event_type": "clew_answer", "event_payload": {"command": ts}}
    assert slack.pings == []


async def test_somebodys_standing_is_looked_up_when_it_is_not_known() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        slack.person("visitor", kind="guest")
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        (turn,) = await clew.store.transcript(clew.thread(ts))

        assert await clew.adapter.standing(turn.thread, turn.asker) is Standing.MEMBER
        visited = await slack.says("visitor", "hello", channel="general")
        (notice,) = await slack.shown("general", visited)
    assert "guests" in notice.text


async def test_an_answer_that_came_after_the_next_question_is_told_as_its_past() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        go_on = asyncio.Event()
        clew.model.will(go_on, *answer("i1", "first answer"))
        ts = await slack.says("ada", "first")
        await clew.model.heard(1)
        second = await slack.says("ada", "second", thread_ts=ts)
        go_on.set()
        await slack.shown("general", ts, whole=2)
        past = await clew.adapter.history(clew.thread(ts), before=MessageId(second), since=None)

    assert [said.text.partition("\n")[0] for said in past] == ["first", "first answer"]


async def test_a_revoked_token_is_reported_and_the_process_goes_on() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        async with until_logged("platform does not work", by="bot.condition"):
            slack.revoke()
        assert "SLACK_BOT_TOKEN is not valid any more (token_revoked)" in (clew.adapter.trouble() or "")

        async with until_logged("platform works again", by="bot.condition"):
            slack.restore()
        ts = await slack.says("ada", "hello")
        await slack.shown("general", ts)
        assert clew.adapter.trouble() is None
