"""Private threads through the whole bot: remembered here, and nothing of them at the model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bot.offline import Afterwards, CutFault, Faults, OfflineModel, SlowFault, StatusFault, offline_model
from tests.end_to_end import test_discord as discord_rig
from tests.end_to_end import test_slack as slack_rig
from tests.support.process import RunningClew, running_clew
from tests.support.visitor import Visitor, visitor_at

THREAD = "threadofsecrets"
PICTURE = (Path(__file__).parents[1] / "samples" / "files" / "picture.png").read_bytes()
DESCRIBED = "image of type image/png"  # how the offline model tells of the picture


async def left_at(model: OfflineModel) -> list[int]:
    """How the model answers when it is asked for what it was told to create: a status for each."""
    created = [request.interaction for request in model.requests if request.is_create and request.interaction]
    async with aiohttp.ClientSession(headers={"x-goog-api-key": "test-key"}) as session:
        found = []
        for interaction in created:
            async with session.get(f"{model.url}/v1/interactions/{interaction}") as response:
                found.append(response.status)
    return found


def steps_told(model: OfflineModel, number: int) -> list[str]:
    """The kinds of the steps that went out with a question, the first being 0."""
    sent: Any = model.creates[number]["input"]
    return [step["type"] for step in sent]


@asynccontextmanager
async def clew_of(folder: Path, model: OfflineModel, **settings: str) -> AsyncIterator[tuple[RunningClew, Visitor]]:
    gemini = {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": model.url, "CLEW_PRIVATE": "on"}
    async with running_clew(folder, **{**gemini, **settings}) as clew, visitor_at(clew.address, THREAD) as page:
        yield clew, page


@asynccontextmanager
async def model_of_its_own(folder: Path) -> AsyncIterator[OfflineModel]:
    """A model that outlives the bot, with a record of what it keeps."""
    async with offline_model(faults=Faults(), pace=0.005, record=folder / "record.jsonl") as model:
        yield model


# --- the page ---------------------------------------------------------------------------------


async def test_without_a_key_a_private_page_is_remembered_and_nothing_of_it_lies_beside_the_database(
    tmp_path: Path,
) -> None:
    async with running_clew(tmp_path, CLEW_PRIVATE="on") as clew, visitor_at(clew.address, THREAD) as page:
        for number, question in enumerate(["my name is Ada", "I keep bees", "recall what I said"], 1):
            await page.ask(question)
            turns = await page.ended(number)
        record = (tmp_path / "clew.db.offline.jsonl").read_bytes()

    assert "my name is Ada" in (turns[2].text or "")
    assert "I keep bees" in (turns[2].text or "")
    assert record.strip() == b""


async def test_nothing_of_three_turns_is_left_at_the_model_and_signatures_came_back(tmp_path: Path) -> None:
    async with model_of_its_own(tmp_path) as model, clew_of(tmp_path, model) as (_, page):
        for number, question in enumerate(["my name is Ada", "I keep bees", "recall what I said"], 1):
            await page.ask(question)
            turns = await page.ended(number)
        left = await left_at(model)
        record = (tmp_path / "record.jsonl").read_bytes()

    assert "my name is Ada" in (turns[2].text or "")
    assert left == [404, 404, 404]
    assert record.strip() == b""
    assert steps_told(model, 2) == [*["user_input", "thought", "model_output"] * 2, "user_input"]
    assert all(create["store"] is False and "previous_interaction_id" not in create for create in model.creates)


async def test_killed_in_the_middle_of_an_answer_it_asks_again_and_knows_what_was_said_before(tmp_path: Path) -> None:
    async with model_of_its_own(tmp_path) as model:
        async with clew_of(tmp_path, model) as (clew, page):
            await page.ask("my name is Ada", id_="message-000001")
            await page.ended(1)
            model.faults.arm(SlowFault(0.05))
            await page.ask("tell me about bees", id_="message-000002")
            await model.streaming(pieces=3, text="bees")
            clew.kill()
            await clew.ended()
        async with clew_of(tmp_path, model) as (_, page):
            await page.ended(2)
            await page.ask("recall what I said", id_="message-000003")
            turns = await page.ended(3)
        fetched = [request for request in model.requests if request.method == "GET"]

    assert [turn.state for turn in turns] == ["answered"] * 3
    assert (turns[2].text or "").count("my name is Ada") == 1
    assert (turns[2].text or "").count("tell me about bees") == 1
    assert fetched == []
    assert len(model.creates) == 4  # the broken answer is paid for twice: there is nothing to fetch


async def test_a_cut_answer_is_asked_for_once_more(tmp_path: Path) -> None:
    async with model_of_its_own(tmp_path) as model, clew_of(tmp_path, model) as (_, page):
        model.faults.arm(CutFault(afterwards=Afterwards.COMPLETED))
        await page.ask("my name is Ada")
        await page.ended(1)
        await page.ask("recall what I said")
        turns = await page.ended(2)

    assert len(model.creates) == 3
    assert (turns[1].text or "").count("my name is Ada") == 1


async def test_a_reset_page_knows_nothing_of_before_and_a_retry_stands_where_its_turn_stood(tmp_path: Path) -> None:
    async with model_of_its_own(tmp_path) as model, clew_of(tmp_path, model) as (_, page):
        await page.ask("my name is Ada")
        await page.ended(1)
        await page.tell("reset", id_="command-000001")
        await page.ask("I keep bees")
        await page.until(lambda turns: [turn.questions for turn in turns] == [["I keep bees"]] and turns[0].has_ended)
        await page.tell("retry", id_="command-000002")
        await model.received(3, method="POST")
        await page.ended(1)
        await page.ask("recall what I said")
        turns = await page.ended(2)
        database = b"".join(file.read_bytes() for file in tmp_path.glob("clew.db*") if file.is_file())

    assert "Ada" not in (turns[1].text or "")
    assert (turns[1].text or "").count("I keep bees") == 1
    assert b"my name is Ada" not in database
    assert steps_told(model, 2) == steps_told(model, 1) == ["user_input"]


async def test_what_was_said_until_a_stop_is_known_afterwards(tmp_path: Path) -> None:
    async with model_of_its_own(tmp_path) as model, clew_of(tmp_path, model) as (_, page):
        await page.ask("my name is Ada")
        await page.ended(1)
        model.faults.arm(SlowFault(0.1))
        await page.ask("tell me about bees and all their ways")
        await page.until(lambda turns: len(turns) == 2 and bool(turns[1].frames))
        await page.tell("stop", id_="command-000001")
        await page.ended(2)
        await page.ask("and wasps")
        await page.ended(3)
        await page.ask("recall what I said")
        turns = await page.ended(4)

    assert turns[1].state == "stopped"
    for said in ("my name is Ada", "tell me about bees and all their ways", "and wasps"):
        assert said in (turns[3].text or "")


async def test_a_picture_on_the_page_is_still_known_two_turns_later_and_read_from_where_it_lies(tmp_path: Path) -> None:
    async with model_of_its_own(tmp_path) as model, clew_of(tmp_path, model) as (_, page):
        await page.ask("look at this", files={"cat.png": PICTURE})
        await page.ended(1)
        await page.ask("thank you")
        await page.ended(2)
        await page.ask("recall what I sent")
        turns = await page.ended(3)
        record = (tmp_path / "record.jsonl").read_bytes()

    assert "cat.png" in (turns[2].text or "")
    assert DESCRIBED in (turns[2].text or "")
    assert b"cat.png" not in record


async def test_a_history_that_the_model_refuses_is_told_again_from_the_page(tmp_path: Path) -> None:
    async with model_of_its_own(tmp_path) as model, clew_of(tmp_path, model) as (_, page):
        await page.ask("my name is Ada")
        await page.ended(1)
        model.faults.arm(StatusFault(400, code="missing_thought_signature"))
        await page.ask("I keep bees")
        await page.ended(2)
        await page.ask("recall what I said")
        turns = await page.ended(3)

    assert "told it again" in (turns[1].text or "")
    assert "told it again" not in (turns[2].text or "")
    assert "my name is Ada" in (turns[2].text or "")
    assert steps_told(model, 2) == ["user_input", "user_input"]


async def test_a_page_that_becomes_private_and_stops_being_so_remembers_all_the_same(tmp_path: Path) -> None:
    async with model_of_its_own(tmp_path) as model:
        for number, (is_private, question) in enumerate(
            [("off", "my name is Ada"), ("on", "I keep bees"), ("off", "recall what I said")], 1
        ):
            async with clew_of(tmp_path, model, CLEW_PRIVATE=is_private) as (_, page):
                await page.ask(question, id_=f"message-{number:06}")
                turns = await page.ended(number)
        left = await left_at(model)

    assert "my name is Ada" in (turns[2].text or "")
    assert "I keep bees" in (turns[2].text or "")
    assert left == [200, 404, 200]
    assert not any("previous_interaction_id" in create for create in model.creates)


# --- Slack and Discord ------------------------------------------------------------------------


async def test_a_private_channel_in_slack_stands_beside_an_ordinary_one(tmp_path: Path) -> None:
    async with slack_rig.scene(tmp_path) as here:
        channels = {name: here.slack.channel(name) for name in ("general", "secret")}
        async with here.clew(CLEW_PRIVATE_CHANNELS=channels["secret"]):
            for name in channels:
                ts = await here.slack.says("ada", f"my name in {name} is Ada", channel=name)
                await here.slack.shown(name, ts, slack_rig.Whole(1), within=30)
                await here.slack.says("ada", "recall what I said", channel=name, thread_ts=ts, mention=False)
                shown = await here.slack.shown(name, ts, slack_rig.Whole(2), within=30)
                assert f"my name in {name} is Ada" in shown[1].text
        left = await left_at(here.model)

    assert left == [200, 200, 404, 404]


async def test_a_picture_in_slack_is_known_after_a_kill_and_a_retry(tmp_path: Path) -> None:
    async with slack_rig.scene(tmp_path) as here:
        async with here.clew(CLEW_PRIVATE="on") as clew:
            file = here.slack.uploads("cat.png", PICTURE, "image/png")
            ts = await here.slack.says("ada", "look at this", files=[file])
            await here.slack.shown("general", ts, slack_rig.Whole(1), within=30)
            here.model.faults.arm(SlowFault(0.05))
            await here.slack.says("ada", "what did I send?", thread_ts=ts, mention=False)
            await here.model.streaming(pieces=3, text="what did I send?")
            clew.kill()
            await clew.ended()
        async with here.clew(CLEW_PRIVATE="on"):
            shown = await here.slack.shown("general", ts, slack_rig.Whole(2), within=40)
            await here.slack.clicks(shown[1].button("Retry"))
            await here.model.received(4, method="POST")
            await here.slack.says("ada", "recall what I sent", thread_ts=ts, mention=False)
            shown = await here.slack.shown("general", ts, slack_rig.Whole(3), within=40)
        left = await left_at(here.model)

    assert "cat.png" in shown[2].text
    assert DESCRIBED in shown[2].text
    assert shown[2].text.count("what did I send?") == 1
    assert set(left) == {404}


async def test_a_private_channel_in_discord_stands_beside_an_ordinary_one(tmp_path: Path) -> None:
    async with discord_rig.scene(tmp_path) as here:
        private = here.discord.channel("random")
        async with here.clew(CLEW_PRIVATE_CHANNELS=private):
            for name in ("general", "random"):
                question = await here.discord.says("ada", f"my name in {name} is Ada", channel=name)
                await here.discord.shown(question, discord_rig.Whole(1), within=30)
                await here.discord.says("ada", "recall what I said", channel=question, mention=False)
                shown = await here.discord.shown(question, discord_rig.Whole(2), within=30)
                assert f"my name in {name} is Ada" in shown[1].text
        left = await left_at(here.model)

    assert left == [200, 200, 404, 404]


async def test_a_picture_in_discord_is_known_after_a_kill_and_a_retry(tmp_path: Path) -> None:
    async with discord_rig.scene(tmp_path) as here:
        async with here.clew(CLEW_PRIVATE="on") as clew:
            file = here.discord.uploads("cat.png", PICTURE, content_type="image/png")
            question = await here.discord.says("ada", "look at this", files=[file])
            await here.discord.shown(question, discord_rig.Whole(1), within=30)
            here.model.faults.arm(SlowFault(0.05))
            await here.discord.says("ada", "what did I send?", channel=question, mention=False)
            await here.model.streaming(pieces=3, text="what did I send?")
            clew.kill()
            await clew.ended()
        async with here.clew(CLEW_PRIVATE="on"):
            shown = await here.discord.shown(question, discord_rig.Whole(2), within=40)
            await here.discord.presses("ada", here.discord.button(shown[1].id, "Retry"))
            await here.model.received(4, method="POST")
            await here.discord.says("ada", "recall what I sent", channel=question, mention=False)
            shown = await here.discord.shown(question, discord_rig.Whole(3), within=40)
        left = await left_at(here.model)

    assert "cat.png" in shown[2].text
    assert DESCRIBED in shown[2].text
    assert shown[2].text.count("what did I send?") == 1
    assert set(left) == {404}


async def test_a_reset_in_slack_begins_afresh(tmp_path: Path) -> None:
    async with slack_rig.scene(tmp_path) as here, here.clew(CLEW_PRIVATE="on"):
        ts = await here.slack.says("ada", "my name is Ada Lovelace")
        await here.slack.shown("general", ts, slack_rig.Whole(1), within=30)
        await here.slack.says("ada", "reset", thread_ts=ts)
        await here.slack.until(
            lambda: any("afresh" in one.text for one in here.slack.replies("general", ts)) or None, within=30
        )
        await here.slack.says("ada", "recall what I said", thread_ts=ts, mention=False)
        await here.model.received(2, method="POST")

    assert steps_told(here.model, 1) == ["user_input"]
    assert "Lovelace" not in str(here.model.creates[1])
