"""Private threads through the whole bot: remembered here, and nothing of them at the model."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.commands import Command
from bot.messages import Thread
from bot.notices import TOLD_AGAIN
from bot.offline import Afterwards, CutFault, SlowFault, StatusFault
from tests.end_to_end.scenes import Scene, everywhere
from tests.support.people.discord import DiscordPeople
from tests.support.people.seen import WITHIN, Upload, View, whole
from tests.support.people.slack import SlackPeople
from tests.support.process import running_clew
from tests.support.visitor import visitor_at

PICTURE = Upload("cat.png", "image/png", (Path(__file__).parents[1] / "samples" / "files" / "picture.png").read_bytes())
DESCRIBED = "image of type image/png"  # how the offline model tells of the picture
ANSWERED = ["user_input", "thought", "model_output"]  # the steps of one exchange


def steps_told(scene: Scene, number: int) -> list[str]:
    """The kinds of the steps that went out with a question, the first being 0."""
    sent: Any = scene.model.creates[number]["input"]
    return [step["type"] for step in sent]


async def asks(scene: Scene, text: str, thread: Thread | None = None, *, number: int = 1) -> tuple[Thread, View]:
    """Ask something, and look when so many answers stand there."""
    thread = (await scene.people.says(text, thread=thread)).thread
    return thread, await scene.people.looks(thread, whole(number))


@everywhere
async def test_over_a_kill_and_a_retry_all_is_known_and_nothing_of_it_is_left_at_gemini(scene: Scene) -> None:
    scene.settings = {"CLEW_PRIVATE": "on"}
    async with scene.clew() as clew:
        thread = (await scene.people.says("my name is Ada", files=[PICTURE])).thread
        await scene.people.looks(thread, whole(1))
        scene.model.faults.arm(SlowFault(0.2))
        await scene.people.says("tell me about bees", thread=thread)
        await scene.model.streaming(pieces=3, text="bees")
        clew.kill()
        await clew.ended()
    async with scene.clew():
        await scene.people.looks(thread, whole(2))
        await scene.people.presses("Retry", thread)
        async with asyncio.timeout(WITHIN):
            await scene.model.received(4, method="POST")
        await scene.people.says("recall what I said", thread=thread)
        seen = await scene.people.looks(thread, whole(3))
        privacy = await scene.people.is_told(Command.PRIVACY, thread)
    fetched = [request for request in scene.model.requests if request.method == "GET"]

    for said in ("my name is Ada", "tell me about bees", DESCRIBED):
        assert seen.texts[2].count(said) == 1
    assert "cat.png" in seen.texts[2]
    # The broken answer is paid for twice, there being nothing to fetch; a retry stands where its turn stood.
    assert [steps_told(scene, number) for number in (1, 2, 3)] == [[*ANSWERED, "user_input"]] * 3
    assert steps_told(scene, 4) == [*ANSWERED, *ANSWERED, "user_input"]
    assert TOLD_AGAIN not in "".join(seen.texts), "no signature was missing"
    assert all(one["store"] is False and "previous_interaction_id" not in one for one in scene.model.creates)
    assert fetched == []
    assert set(await scene.left_at_gemini()) == {404}
    assert (scene.folder / "record.jsonl").read_bytes().strip() == b""
    assert "This thread is private: Gemini answers, and keeps nothing of it." in privacy


@everywhere
async def test_it_is_stopped_begun_afresh_and_told_again_like_any_other(scene: Scene) -> None:
    async with scene.clew(CLEW_PRIVATE="on"):
        thread, _ = await asks(scene, "my name is Ada")
        scene.model.faults.arm(SlowFault(0.1))
        await scene.people.says("all my bees, count to 200", thread=thread)
        await scene.model.streaming(pieces=3, text="count to 200")
        await scene.people.presses("Stop", thread)
        await scene.people.looks(thread, whole(2))
        await asks(scene, "and wasps", thread, number=3)
        _, stopped = await asks(scene, "recall what I said", thread, number=4)

        scene.model.faults.arm(CutFault(afterwards=Afterwards.COMPLETED))
        refused, _ = await asks(scene, "my name is Grace")
        scene.model.faults.arm(StatusFault(400, code="missing_thought_signature"))
        _, again = await asks(scene, "I keep cats", refused, number=2)
        told_again = steps_told(scene, len(scene.model.creates) - 1)
        _, after = await asks(scene, "recall what I said", refused, number=3)

        confirmed = await scene.people.gives(Command.RESET, refused)
        await scene.people.says("recall what I said", thread=refused)
        await scene.people.looks(
            refused,
            lambda view: whole(len(view.answers))(view) and "Nothing was said before" in "".join(view.texts[-1:]),
        )

    for said in ("my name is Ada", "all my bees, count to 200", "and wasps"):
        assert said in stopped.texts[3]
    assert TOLD_AGAIN in again.texts[1]
    assert TOLD_AGAIN not in after.texts[2]
    assert after.texts[2].count("my name is Grace") == 1
    assert told_again == ["user_input", "user_input"]
    assert "What I kept of it is deleted" in confirmed
    assert steps_told(scene, -1) == ["user_input"]
    assert "Grace" not in str(scene.model.creates[-1])
    assert not scene.lies_here("my name is Grace")
    assert set(await scene.left_at_gemini()) == {404}


@pytest.mark.parametrize("scene", ["slack", "discord"], indirect=True)
async def test_a_private_channel_stands_beside_an_ordinary_one(scene: Scene) -> None:
    people = scene.people
    assert isinstance(people, SlackPeople | DiscordPeople)
    channel = (people.slack if isinstance(people, SlackPeople) else people.discord).channel("random")
    privacy = []
    async with scene.clew(CLEW_PRIVATE_CHANNELS=channel):
        for name in ("general", "random"):
            thread = (await people.says(f"my name in {name} is Ada", channel=name)).thread
            await people.looks(thread, whole(1))
            _, seen = await asks(scene, "recall what I said", thread, number=2)
            assert f"my name in {name} is Ada" in seen.texts[1]
            privacy.append(await people.is_told(Command.PRIVACY, thread))

    assert await scene.left_at_gemini() == [200, 200, 404, 404]
    assert "Gemini keeps each exchange" in privacy[0]
    assert "This thread is private" in privacy[1]


@pytest.mark.parametrize("scene", ["page"], indirect=True)
async def test_a_place_that_becomes_private_and_stops_being_so_remembers_all_the_same(scene: Scene) -> None:
    thread: Thread | None = None
    for number, (is_private, question) in enumerate(
        [("off", "my name is Ada"), ("on", "I keep bees"), ("off", "recall what I said")], 1
    ):
        async with scene.clew(CLEW_PRIVATE=is_private):
            thread, seen = await asks(scene, question, thread, number=number)

    assert "my name is Ada" in seen.texts[2]
    assert "I keep bees" in seen.texts[2]
    assert await scene.left_at_gemini() == [200, 404, 200]
    assert not any("previous_interaction_id" in create for create in scene.model.creates)


async def test_without_a_key_nothing_of_a_private_page_lies_beside_the_database(tmp_path: Path) -> None:
    async with running_clew(tmp_path, CLEW_PRIVATE="on") as clew, visitor_at(clew.address, "threadofsecrets") as page:
        for number, question in enumerate(["my name is Ada", "recall what I said"], 1):
            await page.ask(question)
            turns = await page.ended(number)
        record = (tmp_path / "clew.db.offline.jsonl").read_bytes()

    assert "my name is Ada" in (turns[1].text or "")
    assert record.strip() == b""
