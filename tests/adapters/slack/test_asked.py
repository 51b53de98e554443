"""Questions asked by a slash command in Slack: posted once for everybody, and answered under that like any other."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.slack.asked import DOUBT, Asking, Questions
from adapters.slack.people import People
from adapters.slack.places import SLACK
from bot.errands import Errands
from bot.errors import ContextLost
from bot.messages import Person, PersonId, Thread
from bot.policy import Names, Policy
from bot.ports import Store
from tests.adapters.slack.replying import calls_to, workspace_of
from tests.support.scripted import ScriptedModel, answer, interaction
from tests.support.slack import ActThenDrop, Broken, DropBefore, SaysError, Shown, SlackServer, Slow, slack_server
from tests.support.slack.faults import Fault
from tests.support.slack.sdk import client_of
from tests.support.slack_clew import ALL_SCOPES, clew_on, failing, until_logged

KITES = "how *kites* & co. fly, @here <3"


def researching() -> ScriptedModel:
    """One that has a report on whatever is to be researched, twice."""
    model = ScriptedModel()
    for number in (1, 2):
        model.will_find(f"run{number}", interaction(f"run{number}", *answer(f"run{number}", f"report {number}")))
    return model


def says(words: str) -> Callable[[list[Shown]], bool]:
    return lambda shown: any(words in one.text for one in shown)


async def hurrying(seconds: float) -> None:
    """A sleep for one who need not wait for what may be on its way."""
    await asyncio.sleep(0.01 if seconds == DOUBT else seconds)


async def land(slack: SlackServer) -> None:
    """The first post, which got lost, arrives at last."""
    lost = slack.calls_of("chat.postMessage")[0]
    await client_of(slack).api_call("chat.postMessage", json=dict(lost.args))


def questions(slack: SlackServer) -> list[str]:
    """What stands at the top level of the channel, less the line that says who asks."""
    return [shown.text.partition("\n")[2] for shown in slack.replies("general")]


@pytest.mark.parametrize(("command", "words"), [("/research", KITES), ("/clew", f"research {KITES}")])
async def test_a_question_is_posted_in_plain_letters_and_answered_in_the_thread_under_it(
    command: str, words: str
) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, model=researching()) as clew:
        told = await slack.slash("ada", command, words)
        (question,) = await slack.shown("general")
        await slack.shown("general", question.ts, says("report 1"))
        await slack.says("ada", "and why?", thread_ts=question.ts, mention=False)
        await slack.shown("general", question.ts, says("answer 1"))

    assert (told.text, told.error) == (None, None)
    assert questions(slack) == [f"research: {KITES}"]
    assert question.text.startswith("ada asks:")
    assert slack.pings == []
    assert [(asked.text, asked.after) for asked in clew.model.begun] == [(KITES, None)]
    assert [(asked.text, asked.after) for asked in clew.model.asked] == [("and why?", "run1")]


async def test_a_picture_is_asked_for_in_the_same_way_and_in_a_direct_message_too() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        direct = slack.direct("ada")
        await slack.slash("ada", "/clew", "imagine a red kite", channel=direct)
        await slack.shown(direct, whole=2)

    assert [(asked.text, asked.manner.model) for asked in clew.model.asked] == [("a red kite", "painter")]


async def test_a_retry_and_a_thread_that_is_told_again_read_the_question_from_its_post() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, model=researching()) as clew:
        async with until_logged("turn answered", by="bot.responder"):
            await slack.slash("ada", "/research", KITES)
        (question,) = await slack.shown("general")
        await slack.says("ada", "retry", thread_ts=question.ts)
        await clew.model.until(lambda: len(clew.model.begun) == 2)
        clew.model.will(ContextLost("404"))
        clew.model.will(*answer("i4", "again"))
        await slack.says("ada", "and why?", thread_ts=question.ts)
        await clew.model.heard(2)

    assert [asked.text for asked in clew.model.begun] == [KITES, KITES]
    assert f"[ada]\nresearch: {KITES}" in clew.model.asked[1].history


@pytest.mark.parametrize("fault", [ActThenDrop(), DropBefore(), Broken(502, acts=True), Broken(503)], ids=repr)
async def test_it_stands_there_once_and_is_answered_once_whatever_becomes_of_the_post(fault: Fault) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack, model=researching(), sleep=hurrying) as clew:
        slack.faults.arm("chat.postMessage", fault)
        await slack.slash("ada", "/research", KITES)
        (question,) = await slack.shown("general")
        await slack.shown("general", question.ts, whole=2)

    assert questions(slack) == [f"research: {KITES}"]
    assert len(clew.model.begun) == 1


async def test_a_post_that_lands_late_is_looked_for_once_more_before_it_is_made_anew() -> None:
    landed: list[float] = []
    async with slack_server(scopes=ALL_SCOPES) as slack:

        async def landing(seconds: float) -> None:
            if seconds != DOUBT or slack.replies("general"):
                await asyncio.sleep(seconds)
            else:
                await land(slack)
                landed.append(seconds)

        async with clew_on(slack, model=researching(), sleep=landing) as clew:
            slack.faults.arm("chat.postMessage", DropBefore())
            await slack.slash("ada", "/research", KITES)
            (question,) = await slack.shown("general")
            await slack.shown("general", question.ts, says("report 1"))

    assert landed == [DOUBT]
    assert questions(slack) == [f"research: {KITES}"]
    assert len(clew.model.begun) == 1


async def test_a_post_that_lands_later_still_is_the_question_and_the_second_one_is_taken_away() -> None:
    async with (
        slack_server(scopes=ALL_SCOPES) as slack,
        clew_on(slack, model=researching(), sleep=hurrying) as clew,
    ):
        slack.faults.arm("chat.postMessage", DropBefore())
        slack.faults.arm("chat.postMessage", Slow(60.0, acts_first=False))
        await slack.slash("ada", "/research", KITES)
        await slack.until(lambda: len(slack.calls_of("chat.postMessage")) == 2)
        await land(slack)
        (first,) = await slack.shown("general")
        slack.clock.advance(60.0)
        await slack.received("chat.delete", ok=True)
        await slack.shown("general", first.ts, says("report 1"))

    assert [shown.ts for shown in slack.replies("general")] == [first.ts]
    assert len(clew.model.begun) == 1


@pytest.mark.parametrize("method", ["add", "placed"])
async def test_after_a_restart_a_question_is_found_by_its_post_and_answered_once(method: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"

    def broken(store: Store) -> Store:
        return failing(store, method, times=1_000)

    async with slack_server(scopes=ALL_SCOPES) as slack:
        async with clew_on(slack, url=url, wrap=broken, model=researching()) as clew:
            await slack.slash("ada", "/research", KITES)
            (question,) = await slack.shown("general")
            if method == "placed":
                await slack.shown("general", question.ts, whole=2)
        async with until_logged("question seen to"), clew_on(slack, url=url, model=researching()) as again:
            await slack.shown("general", question.ts, whole=2)
            await slack.received("conversations.history")  # in which the post is found

    assert questions(slack) == [f"research: {KITES}"]
    assert len(clew.model.begun) + len(again.model.begun) == 1


async def test_what_was_kept_and_not_posted_when_we_died_is_posted_by_the_next_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with slack_server(scopes=ALL_SCOPES) as slack:
        slack.faults.arm("chat.postMessage", Broken(503), times=None)
        async with clew_on(slack, url=url) as clew:
            told = await slack.slash("ada", "/research", KITES)
            await slack.received("chat.postMessage")
        slack.faults.disarm()
        async with clew_on(slack, url=url, model=researching(), sleep=hurrying):
            (question,) = await slack.shown("general")
            await slack.shown("general", question.ts, whole=2)

    assert told.error is None
    assert not clew.model.begun
    assert questions(slack) == [f"research: {KITES}"]


async def test_who_may_not_ask_and_where_it_cannot_be_posted_is_told_to_the_asker_alone() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        policy = Policy(people=Names(blocked=frozenset({slack.person("mallory")})))
        slack.channel("elsewhere", bot_is_in=False)
        async with clew_on(slack, policy=policy) as clew:
            refused = await slack.slash("mallory", "/research", KITES)
            empty = await slack.slash("ada", "/research", "")
            outside = await slack.slash("ada", "/research", KITES, channel="elsewhere")
            told = await slack.until(
                lambda: [shown for shown in slack.whispers("ada", "elsewhere") if "/invite" in shown.text]
            )

    assert "not allowed" in (refused.text or "")
    assert "/clew research how kites fly" in (empty.text or "")
    assert outside.text is None
    assert len(told) == 1
    assert slack.replies("general") == []
    assert not clew.model.begun


async def test_what_could_not_be_posted_in_time_is_told_to_the_asker_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path / 'clew.db'}"
    async with slack_server(scopes=ALL_SCOPES) as slack:
        await slack.joins("ada")
        slack.faults.arm("chat.postMessage", Broken(503), times=None)
        async with clew_on(slack, url=url):
            await slack.slash("ada", "/research", KITES)
            await slack.received("chat.postMessage")
        slack.faults.disarm()
        async with until_logged("question seen to"), clew_on(slack, url=url, now=lambda: time.time() + 90_000) as clew:
            (told,) = await slack.whispered("ada")
        kept = [record for record in caplog.records if record.getMessage() == "question seen to"]

    assert "is not answered" in told.text
    assert [vars(record)["posted"] for record in kept] == [False]
    assert slack.replies("general") == []
    assert not clew.model.asked


async def test_where_the_command_takes_no_answer_any_more_the_asker_is_told_otherwise_and_why() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        await slack.joins("ada")
        slack.faults.arm("response_url", Broken(404), times=None)
        slack.faults.arm("chat.postMessage", SaysError("is_archived"))
        await slack.slash("ada", "/research", KITES)
        (told,) = await slack.whispered("ada")

    assert "somewhere else" in told.text
    assert "/invite" not in told.text


async def test_somebody_unknown_is_looked_up_before_their_words_are_posted() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack):
        slack.person("visitor", kind="guest")
        told = await slack.slash("visitor", "/research", KITES)

    assert "guests" in (told.text or "")
    assert slack.calls_of("chat.postMessage") == []


async def test_whoever_asks_for_help_with_research_is_not_sold_any() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        told = await slack.slash("ada", "/research", "Help")
        helped = await slack.slash("ada", "/clew", "help")

    assert told.text == helped.text
    assert not clew.model.begun


async def test_what_was_kept_while_we_shut_down_is_left_to_the_next_start() -> None:
    async def nothing(*told: Thread | Person | str) -> bool:
        return False

    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew, calls_to(slack) as calls:
        me, asking = workspace_of(slack), Asking("1.2", slack.channel("general"), PersonId(slack.person("ada")), KITES)
        async with Errands() as closed:
            people = People(calls, me)
        taking = Questions(
            closed,
            calls,
            me,
            store=clew.store,
            inbox=clew.inbox,
            rules=clew.commands,
            people=people,
            whisper=nothing,
        )
        told = await taking.take(asking, nothing)
        kept = await clew.store.parcels(SLACK)

    assert told == ""
    assert [parcel.id for parcel in kept] == ["1.2"]


async def test_what_cannot_be_kept_is_not_acknowledged_as_if_it_were() -> None:
    async with (
        slack_server(scopes=ALL_SCOPES) as slack,
        clew_on(slack, wrap=lambda store: failing(store, "take_in", times=1)) as clew,
    ):
        told = await slack.slash("ada", "/research", KITES)

    assert "could not note that down" in (told.text or "")
    assert slack.replies("general") == []
    assert not clew.model.begun
