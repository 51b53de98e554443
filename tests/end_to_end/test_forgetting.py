"""Forgetting through the whole bot and the model's socket: nothing of a thread is left at the model, nor here."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import aiohttp

from bot.commands import Command
from bot.forgetting import DAY
from bot.messages import Thread
from bot.offline import Call, SlowFault, StatusFault
from tests.end_to_end.scenes import Scene, everywhere
from tests.support.people.seen import WITHIN, Upload, whole

FORGOTTEN = "I have forgotten this thread"
NOTES = Upload("notes.txt", "text/plain", b"a bassoon")
FILM = Upload("film.mp4", "video/mp4", (Path(__file__).parents[1] / "samples" / "files" / "film.mp4").read_bytes())


async def talk(scene: Scene, *questions: str, files: tuple[Upload, ...] = ()) -> Thread:
    """A thread in which these were asked and answered; the files came with the last."""
    thread: Thread | None = None
    for number, question in enumerate(questions, 1):
        post = await scene.people.says(question, thread=thread, files=files if number == len(questions) else ())
        thread = post.thread
        await scene.people.looks(thread, whole(number))
    assert thread is not None
    return thread


async def forgets(scene: Scene, thread: Thread) -> str:
    """Have a thread forgotten; the report."""
    assert "I forget this thread" in await scene.people.gives(Command.FORGET, thread)
    (report,) = await scene.people.reads(thread, FORGOTTEN)
    return report


async def file_at_gemini(scene: Scene) -> int:
    """How Gemini answers when it is asked for the file that it was told to delete."""
    (deleted,) = [one.path for one in scene.model.requests if one.method == "DELETE" and "/files/" in one.path]
    async with (
        aiohttp.ClientSession(headers={"x-goog-api-key": "test-key"}) as session,
        session.get(f"{scene.model.url}{deleted}") as response,
    ):
        return response.status


def lies_anywhere(scene: Scene, text: str) -> bool:
    """Whether something can be read here or at Gemini, in the database, the record or the log."""
    return any(text.encode() in path.read_bytes() for path in scene.folder.rglob("*") if path.is_file())


@everywhere
async def test_all_of_a_thread_goes_there_and_here_and_what_does_not_is_reported(scene: Scene) -> None:
    async with scene.clew():
        await talk(scene, "I keep bees")
        thread = await talk(scene, "hello", "my secret is a xylophone", files=(FILM, NOTES))
        before = await scene.left_at_gemini()
        scene.model.faults.arm(StatusFault(403), on=Call.DELETE)
        report = await forgets(scene, thread)
        after = await scene.left_at_gemini()
        file = await file_at_gemini(scene)
        await scene.people.says("recall what I said", thread=thread)
        await scene.people.looks(
            thread,
            lambda view: whole(len(view.answers))(view) and "Nothing was said before" in "".join(view.texts[-1:]),
        )

        scene.model.faults.arm(SlowFault(0.1))
        running = (await scene.people.says("count to 200")).thread
        await scene.model.streaming(pieces=2, text="count to 200")
        stopped = await forgets(scene, running)
        cut = (await scene.left_at_gemini())[-1]

    assert (before, after) == ([200, 200, 200], [200, 200, 404])
    assert file == 403, "which is how Gemini says that there is none"
    assert report.startswith(f"{FORGOTTEN}: 1 exchange and 1 file deleted at Gemini")
    assert "1 exchange could not be deleted at Gemini" in report
    assert "unknown to Gemini with the present key" in report
    assert not lies_anywhere(scene, "xylophone")
    assert not lies_anywhere(scene, "film.mp4")
    assert not lies_anywhere(scene, "bassoon")
    assert lies_anywhere(scene, "I keep bees")
    assert stopped.startswith(f"{FORGOTTEN}: 1 exchange deleted at Gemini")
    assert "could not" not in stopped
    assert cut == 404


@everywhere
async def test_killed_between_two_deletions_it_goes_on_with_the_next_and_what_is_old_goes_by_itself(
    scene: Scene,
) -> None:
    async with scene.clew() as clew:
        thread = await talk(scene, "one", "two", "three")
        old, young = await talk(scene, "long ago"), await talk(scene, "just now")
        # The first is refused for good, the second for long, and the process dies in the pause after that.
        scene.model.faults.arm(StatusFault(403), on=Call.DELETE)
        scene.model.faults.arm(StatusFault(503), on=Call.DELETE, times=None)
        await scene.people.gives(Command.FORGET, thread)
        async with asyncio.timeout(WITHIN):
            await scene.model.received(2, method="DELETE")
        clew.kill()
        await clew.ended()
    scene.model.faults.disarm()
    tried = sum(request.method == "DELETE" for request in scene.model.requests)
    with closing(sqlite3.connect(scene.folder / "clew.db")) as database:
        database.execute("UPDATE thread SET updated_at = ? WHERE thread = ?", (time.time() - 3 * DAY, old.key))
        database.commit()
    assert await scene.left_at_gemini() == [200] * 5
    async with scene.clew(CLEW_RETENTION_DAYS="2"):
        (report,) = await scene.people.reads(thread, FORGOTTEN)
        async with asyncio.timeout(WITHIN):
            await scene.model.received(tried + 3, method="DELETE")
        privacy = await scene.people.is_told(Command.PRIVACY, young)
        left = await scene.left_at_gemini()

    assert left == [200, 404, 404, 404, 200]
    assert report.startswith(f"{FORGOTTEN}: 2 exchanges deleted at Gemini")
    assert "1 exchange could not be deleted at Gemini" in report
    assert "Gemini keeps each exchange" in privacy
    assert "in which nothing happens for 2 days is forgotten by itself, here and at Gemini" in privacy
