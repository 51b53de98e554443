"""Long threads through the whole bot: condensed where nobody sees it, remembered and forgotten all the same."""

from pathlib import Path
from typing import Any

import aiohttp

from bot.offline import Faults, OfflineModel, SlowFault, StatusFault, offline_model
from tests.end_to_end import test_discord as discord_rig
from tests.end_to_end import test_slack as slack_rig
from tests.support.process import running_clew
from tests.support.visitor import visitor_at

THREAD = "threadthatgrowslong"
QUESTIONS = ("my name is Ada", "I keep bees", "and a cat")
LIMIT = {"CLEW_CHAIN_TURNS": "2"}


def texts_of(model: OfflineModel) -> list[list[str]]:
    """What each create said, a text for each step."""
    creates: list[Any] = model.creates
    return [["\n".join(part["text"] for part in step["content"]) for step in create["input"]] for create in creates]


def assert_condensed_once(model: OfflineModel) -> None:
    """The third of four questions was asked after a summary, and the fourth after its answer."""
    first, _, summary, third, fourth = texts_of(model)
    assert first[0].endswith(QUESTIONS[0])  # after a name, where there is one
    assert summary[0].startswith("Sum up")
    assert "- " in third[0]
    assert "my name is Ada" in third[0]
    assert len(third) == 2
    assert len(fourth) == 1
    chained = ["previous_interaction_id" in create for create in model.creates]
    assert chained == [False, True, True, False, True]


def at(model: OfflineModel) -> dict[str, str]:
    return {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": model.url, **LIMIT}


async def kept_at(model: OfflineModel) -> list[int]:
    """How the model answers when it is asked for what it was told to create."""
    created = [request.interaction for request in model.requests if request.is_create and request.interaction]
    async with aiohttp.ClientSession(headers={"x-goog-api-key": "test-key"}) as session:
        found = []
        for interaction in created:
            async with session.get(f"{model.url}/v1/interactions/{interaction}") as response:
                found.append(response.status)
    return found


async def test_a_long_thread_of_the_page_is_condensed_remembered_and_forgotten(tmp_path: Path) -> None:
    async with (
        offline_model(faults=Faults(), pace=0.005) as model,
        running_clew(tmp_path, **at(model)) as clew,
        visitor_at(clew.address, THREAD) as page,
    ):
        for number, question in enumerate([*QUESTIONS, "recall what I said"], 1):
            await page.ask(question)
            turns = await page.ended(number)
        assert_condensed_once(model)
        kept = await kept_at(model)
        await page.tell("forget", id_="command-000001")
        await page.told("I have forgotten this thread")
        left = await kept_at(model)

    for said in QUESTIONS:
        assert (turns[3].text or "").count(said) == 1
    assert not any("Sum up" in (turn.text or "") or "summed" in (turn.text or "") for turn in turns)
    assert (set(kept), set(left)) == ({200}, {404})


async def test_early_facts_are_known_after_many_summaries(tmp_path: Path) -> None:
    async with (
        offline_model(faults=Faults(), pace=0) as model,
        running_clew(tmp_path, **at(model)) as clew,
        visitor_at(clew.address, THREAD) as page,
    ):
        for number in range(1, 12):
            await page.ask("my name is Ada" if number == 1 else f"fact {number:02}")
            await page.ended(number)
        await page.ask("recall what I said")
        turns = await page.ended(12)

    told = turns[11].text or ""
    facts = ["my name is Ada", *(f"fact {number:02}" for number in range(2, 12))]
    assert [told.count(said) for said in facts] == [1] * 11


async def test_killed_while_a_summary_is_written_it_is_not_bought_again(tmp_path: Path) -> None:
    async with offline_model(faults=Faults(), pace=0) as model:
        async with running_clew(tmp_path, **at(model)) as clew, visitor_at(clew.address, THREAD) as page:
            for number, question in enumerate(QUESTIONS[:2], 1):
                await page.ask(question, id_=f"message-{number:06}")
                await page.ended(number)
            model.faults.arm(SlowFault(0.2))
            await page.ask(QUESTIONS[2], id_="message-000003")
            await model.streaming(pieces=2, text="Sum up")
            clew.kill()
            await clew.ended()
        async with running_clew(tmp_path, **at(model)) as clew, visitor_at(clew.address, THREAD) as page:
            await page.ended(3)
            await page.ask("recall what I said", id_="message-000004")
            turns = await page.ended(4)

    assert_condensed_once(model)
    assert [turn.state for turn in turns] == ["answered"] * 4


async def test_a_question_is_answered_though_there_is_no_summary(tmp_path: Path) -> None:
    async with (
        offline_model(faults=Faults(), pace=0) as model,
        running_clew(tmp_path, **at(model)) as clew,
        visitor_at(clew.address, THREAD) as page,
    ):
        for number, question in enumerate(QUESTIONS[:2], 1):
            await page.ask(question)
            await page.ended(number)
        model.faults.arm(StatusFault(429))
        await page.ask(QUESTIONS[2])
        turns = await page.ended(3)
        log = (tmp_path / "log").read_text()

    assert turns[2].state == "answered"
    assert "chain not condensed" in log
    assert "Ada" not in log


async def test_a_long_thread_in_slack_is_condensed_where_nobody_sees_it(tmp_path: Path) -> None:
    async with slack_rig.scene(tmp_path) as here, here.clew(**LIMIT):
        ts = await here.slack.says("ada", QUESTIONS[0])
        await here.slack.shown("general", ts, slack_rig.Whole(1), within=60)
        for number, question in enumerate([*QUESTIONS[1:], "recall what I said"], 2):
            await here.slack.says("ada", question, thread_ts=ts, mention=False)
            shown = await here.slack.shown("general", ts, slack_rig.Whole(number), within=60)
        status = here.slack.status("general", ts)

    assert_condensed_once(here.model)
    for said in QUESTIONS:
        assert said in shown[3].text
    assert not any("Sum" in one.text for one in shown)
    assert status is None


async def test_a_long_thread_in_discord_is_condensed_where_nobody_sees_it(tmp_path: Path) -> None:
    async with discord_rig.scene(tmp_path) as here, here.clew(**LIMIT):
        thread = await here.asks(QUESTIONS[0], within=60)
        for number, question in enumerate([*QUESTIONS[1:], "recall what I said"], 2):
            await here.discord.says("ada", question, channel=thread, mention=False)
            shown = await here.discord.shown(thread, discord_rig.Whole(number), within=60)

    assert_condensed_once(here.model)
    for said in QUESTIONS:
        assert said in shown[3].text
    assert not any("Sum" in one.text for one in shown)
