"""Pictures, from a wish on each platform to the eyes of whoever had it, with the offline model for real."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.async_api import Browser, expect

from adapters.discord.places import DISCORD
from bot.commands import Command
from bot.messages import Thread
from bot.offline import ImageFault
from bot.offline.drawing import picture
from tests.end_to_end.scenes import Scene, everywhere, open_scene
from tests.support.browser import open_browser, window
from tests.support.people.discord import DiscordPeople
from tests.support.people.seen import View, whole
from tests.support.people.slack import SlackPeople
from tests.support.process import running_clew
from tests.support.slack import SaysError

PAINTER, TALKER = "gemini-3.1-flash-image", "gemini-3.5-flash-lite"
MIB = 1024 * 1024  # bytes


def wished(scene: Scene, number: int) -> str:
    """The words of a question, as they reached the model."""
    given: Any = scene.model.creates[number]["input"]
    return "\n".join(part["text"] for part in given[-1]["content"])


def drawn(scene: Scene, number: int) -> bytes:
    """What the model draws when it is asked that question."""
    return picture(wished(scene, number))


@everywhere
async def test_a_wish_is_drawn_a_follow_up_changes_it_and_a_retry_takes_its_place(scene: Scene) -> None:
    people, gemini = scene.people, scene.model
    async with scene.clew():
        thread = (await people.says("imagine: a red kite")).thread
        await _saved(scene, thread, 1)
        await people.says("imagine: at night", thread=thread)
        await _saved(scene, thread, 2)
        # An answer can be seen a moment before it counts as given, and until then there is nothing to retry.
        while "still answering" in await people.gives(Command.RETRY, thread):
            pass
        await people.says("What did I say before?", thread=thread)
        seen = await people.looks(thread, _recalled)
        saved = await _saved(scene, thread, 2)

    assert [create["model"] for create in gemini.creates] == [PAINTER, PAINTER, PAINTER, TALKER]
    made = [request.interaction for request in gemini.requests if request.is_create]
    after = [create.get("previous_interaction_id") for create in gemini.creates]
    assert after == [None, made[0], made[0], made[2]]  # what is to be changed, and what is answered again
    assert wished(scene, 0).endswith("a red kite")
    assert wished(scene, 2) == wished(scene, 1)
    assert list(saved) == [drawn(scene, 0), drawn(scene, 2)]
    assert "a red kite" in seen.texts[-1]
    assert "`imagine:`" in str(gemini.creates[3]["system_instruction"])  # which it tells who asks in plain words


async def _saved(scene: Scene, thread: Thread, number: int) -> Sequence[bytes]:
    """The pictures of the thread's answers, once there are so many and the last answer is whole."""
    await scene.people.saves(thread, number)
    await scene.people.looks(thread, lambda view: not view.is_working)
    return await scene.people.saves(thread, number)


def _recalled(view: View) -> bool:
    """The last answer recalls what was said. One with a picture may take two messages."""
    return bool(view.texts) and "Before that you said" in view.texts[-1] and not view.is_working


@everywhere
async def test_where_the_model_of_every_day_can_draw_plain_words_are_enough(scene: Scene) -> None:
    people = scene.people
    async with scene.clew(GEMINI_MODEL=PAINTER):
        thread = (await people.says("Please draw a red kite")).thread
        await _saved(scene, thread, 1)
        await people.says("and now at night", thread=thread)
        saved = await _saved(scene, thread, 2)

    assert list(saved) == [drawn(scene, 0), drawn(scene, 1)]


@everywhere
async def test_a_picture_that_the_platform_does_not_take_is_told_inside_the_answer(scene: Scene) -> None:
    scene.model.faults.arm(ImageFault(size=10 * MIB + 1))  # one byte more than Discord takes
    if isinstance(scene.people, SlackPeople):
        scene.people.slack.faults.arm("files.getUploadURLExternal", SaysError("file_upload_size_restricted"))
    async with scene.clew(CLEW_UPLOAD_MB="10"):  # and more than the page may keep
        thread = (await scene.people.says("imagine: a poster")).thread
        # On Slack files are put under the words, which are changed when that fails.
        seen = await scene.people.looks(thread, lambda view: whole(1)(view) and "too large" in view.texts[0])

    assert "a poster" in seen.texts[0]
    assert "file of this answer" in seen.texts[0]


async def test_in_discord_a_slash_command_wishes_for_a_picture(tmp_path: Path) -> None:
    async with open_scene("discord", tmp_path) as scene, scene.clew():
        discord = cast(DiscordPeople, scene.people).discord
        await discord.uses("ada", "imagine", prompt="a red kite")
        (asked,) = await discord.until(lambda: [one for one in discord.replies("general") if "asks" in one.text])
        thread = Thread(DISCORD, discord.guild(), discord.channel("general"), asked.id)
        (saved,) = await scene.people.saves(thread, 1)

    assert asked.text.splitlines()[1:] == ["/imagine a red kite"]
    assert saved == drawn(scene, 0)
    assert scene.model.creates[0]["model"] == PAINTER


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


async def test_a_picture_is_drawn_and_a_follow_up_draws_another_in_the_same_thread(
    browser: Browser, tmp_path: Path
) -> None:
    async with running_clew(tmp_path) as clew, window(browser) as opened:
        tab = await opened.new_page()
        await tab.goto(clew.address)
        box = tab.get_by_role("textbox", name="Message")
        answers = tab.get_by_role("article", name="Clew")
        for number, text in enumerate(("/imagine a red kite", "/imagine at night", "What did I say before?")):
            await box.fill(text)
            await box.press("Enter")
            await expect(answers).to_have_count(number + 1, timeout=40_000)
            await expect(tab.get_by_role("button", name="Stop the answer")).to_be_hidden(timeout=40_000)
        pictures = answers.locator(".body figure img")
        await expect(pictures).to_have_count(2)
        await expect(answers.nth(1)).to_contain_text("I keep 1 earlier message of yours in mind")
        await expect(answers.nth(2)).to_contain_text("a red kite")
        seen = [
            await pictures.nth(number).evaluate("it => it.decode().then(() => [it.naturalWidth, it.alt])")
            for number in range(2)
        ]

    assert [width for width, _ in seen] == [96, 96]
    assert [alt for _, alt in seen] == ["a red kite (image made by AI)", "at night (image made by AI)"]
