"""What is sent to the page over HTTP, and what the stream tells of it."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from bot.answers import Created, Media, MediaKind, TextPiece, ToolUse
from bot.errors import AnswerBlocked, QuotaExhausted
from bot.evidence import Citation
from bot.limits import Limits
from bot.messages import InteractionId
from tests.support.page import THREAD, named, served_page
from tests.support.scripted import answer, completed

CREATED = Created(InteractionId("i1"))


async def test_a_message_is_stored_before_it_is_acknowledged_and_then_answered() -> None:
    async with served_page() as page:
        status, told = await page.says("Hello?", id_="first-message")
        stored = await page.store.transcript(named())
        turns = await page.turns(1)

    assert (status, told) == (202, {"id": "first-message"})
    assert [message.text for message in stored[0].messages] == ["Hello?"]
    assert [part.text for part in turns[0].parts] == ["answer 1 to Hello?"]


async def test_a_message_sent_twice_is_asked_once() -> None:
    async with served_page() as page:
        first = await page.says("Once?", id_="same-message", files=[("a.txt", "text/plain", b"a")])
        await page.turns(1)
        again = await page.says("Once?", id_="same-message", files=[("a.txt", "text/plain", b"a")])
        turns = await page.turns(1)
        lying = page.lying()

    assert first[0] == again[0] == 202
    assert len(turns) == 1
    assert len(page.model.asked) == 1
    assert lying == {turns[0].messages[0].attachments[0].id}, "the second copy of the file is gone"


async def test_what_cannot_be_stored_is_refused_in_a_sentence_and_can_be_sent_again() -> None:
    async with served_page() as page:
        page.inbox.is_full = True
        status, told = await page.says("Keep me", id_="kept-message", files=[("a.txt", "text/plain", b"a")])
        lying = page.lying()
        page.inbox.is_full = False
        again, _ = await page.says("Keep me", id_="kept-message")
        await page.turns(1)

    assert status == 503
    assert "nothing was sent" in told["error"]
    assert not lying
    assert again == 202
    assert len(page.model.asked) == 1


async def test_an_answer_is_seen_growing_and_only_its_end_is_sent_anew() -> None:
    gate, last = asyncio.Event(), asyncio.Event()
    async with served_page() as page, page.watched() as seen:
        page.model.will(
            CREATED, TextPiece("First.\n\nSecond"), gate, TextPiece(" one.\n\nThird."), last, completed("i1")
        )
        await page.says("Grow")
        await seen.until(lambda it: it.answers == ["<p>First.</p><p>Second</p>"])
        gate.set()
        await seen.until(lambda it: "Third" in "".join(it.answers))
        frame = seen.told[-1][1]["turns"][0]
        last.set()
        await seen.until(lambda it: it.states == ["answered"])

    assert frame["answer"]["keep"] == 1
    assert "questions" not in frame
    assert seen.answers == ["<p>First.</p><p>Second one.</p><p>Third.</p>"]
    assert seen.turns[seen.order[0]]["answer"]["markdown"] == "First.\n\nSecond one.\n\nThird."


async def test_a_page_opened_late_or_again_is_told_everything() -> None:
    gate = asyncio.Event()
    async with served_page() as page:
        await page.says("One")
        await page.turns(1)
        page.model.will(CREATED, TextPiece("So far"), gate, completed("i1"))
        await page.says("Two")
        async with page.watched() as first, page.watched() as second:
            for seen in (first, second):
                await seen.until(lambda it: it.answers == ["<p>answer 1 to One</p>", "<p>So far</p>"])
            gate.set()
            for seen in (first, second):
                await seen.until(lambda it: it.states == ["answered", "answered"])

    assert first.turns == second.turns


async def test_the_tool_in_use_is_told_and_forgotten_again() -> None:
    gate = asyncio.Event()
    async with served_page() as page, page.watched() as seen:
        page.model.will(CREATED, ToolUse("google_search"), gate, TextPiece("Found."), completed("i1"))
        await page.says("Search")
        await seen.until(lambda it: "Searching the web" in json.dumps(it.turns))
        gate.set()
        await seen.until(lambda it: it.states == ["answered"])

    assert seen.turns[seen.order[0]]["answer"]["tool"] is None


async def test_a_failed_turn_shows_its_notice_and_no_half_answer() -> None:
    async with served_page() as page, page.watched() as seen:
        page.model.will(CREATED, TextPiece("Half an ans"), AnswerBlocked("safety"))
        page.model.will(QuotaExhausted("spent"))
        await page.says("Fail")
        await seen.until(lambda it: it.states == ["failed"])
        await page.says("Again")
        await seen.until(lambda it: it.states == ["failed", "failed"])

    views = [seen.turns[turn]["answer"] for turn in seen.order]
    assert [view["kind"] for view in views] == ["notice", "notice"]
    assert "Half an ans" not in "".join(seen.answers)
    assert all(answer.startswith("<p>") for answer in seen.answers)


async def test_stop_keeps_what_was_said() -> None:
    never = asyncio.Event()
    async with served_page() as page, page.watched() as seen:
        page.model.will(CREATED, TextPiece("As far as this"), never)
        await page.says("Talk")
        await seen.until(lambda it: it.answers == ["<p>As far as this</p>"])
        status, said = await page.gives("stop")
        await seen.until(lambda it: it.states == ["stopped"])

    assert status == 200
    assert said["said"].startswith("<p>")
    assert seen.answers == ["<p>As far as this</p>"]


async def test_retry_puts_a_new_answer_in_place_of_the_old_one() -> None:
    async with served_page() as page, page.watched() as seen:
        page.model.will(*answer("i1", "the first try"))
        page.model.will(*answer("i2", "the second try"))
        await page.says("Try")
        await seen.until(lambda it: it.answers == ["<p>the first try</p>"] and it.states == ["answered"])
        (before,) = await page.store.transcript(named())
        await page.gives("retry")
        await seen.until(lambda it: it.answers == ["<p>the second try</p>"] and it.states == ["answered"])
        (after,) = await page.store.transcript(named())

    assert [part.message_id for part in before.parts] == [part.message_id for part in after.parts]


async def test_reset_empties_the_thread_and_its_folder() -> None:
    async with served_page() as page, page.watched() as seen:
        await page.says("Remember this", files=[("secret.txt", "text/plain", b"42")])
        await seen.until(lambda it: it.states == ["answered"])
        held = page.lying()
        status, said = await page.gives("reset")
        await seen.until(lambda it: it.order == [])
        left = page.lying()

    assert len(held) == 1
    assert status == 200
    assert "Gemini" in said["said"]
    assert not left


async def test_a_reset_under_a_running_answer_leaves_neither_answer_nor_file() -> None:
    never = asyncio.Event()
    async with served_page() as page, page.watched() as seen:
        picture = Media(MediaKind.IMAGE, "image/png", data=b"png")
        page.model.will(CREATED, TextPiece("Here it is"), picture, never)
        await page.says("Draw", files=[("sketch.png", "image/png", b"png")])
        await seen.until(lambda it: it.answers == ["<p>Here it is</p>"])
        await page.gives("reset")
        await seen.until(lambda it: it.order == [] and not any(thread["open"] for thread in it.threads))
        # The reply is closed when a later question has been answered: a thread has one turn at a time.
        await page.says("Afresh")
        await seen.until(lambda it: it.states == ["answered"])
        left = page.lying()

    assert not left
    assert seen.answers == ["<p>answer 2 to Afresh</p>"]


@pytest.mark.parametrize("typed", ["/help", " /HELP "])
async def test_a_command_can_be_typed(typed: str) -> None:
    async with served_page() as page:
        status, told = await page.says(typed)
        stored = await page.store.transcript(named())

    assert status == 200
    assert "<code>/retry</code>" in told["said"]
    assert not stored
    assert not page.model.asked


async def test_what_only_looks_like_a_command_is_a_question() -> None:
    async with served_page() as page:
        await page.says("/path/to/something")
        turns = await page.turns(1)

    assert turns[0].messages[0].text == "/path/to/something"


async def test_the_list_of_threads_is_live_and_newest_first() -> None:
    moments = iter(range(1000, 2000))
    async with served_page(now=lambda: float(next(moments))) as page, page.watched("elsewhere1") as seen:
        await seen.until(lambda it: bool(it.told))
        await page.says("The first thread", thread="thread000a")
        await page.turns(1, thread="thread000a")
        await page.says("The second\n thread", thread="thread000b")
        await page.turns(1, thread="thread000b")
        await seen.until(lambda it: len(it.threads) == 2 and not any(thread["open"] for thread in it.threads))
        _, _, body = await page.asks("api/threads")

    assert [thread["title"] for thread in seen.threads] == ["The second thread", "The first thread"]
    assert json.loads(body) == seen.threads


async def test_pictures_of_an_answer_are_kept_and_handed_out() -> None:
    async with served_page() as page, page.watched() as seen:
        picture = Media(MediaKind.IMAGE, "image/png", data=b"\x89PNG the bytes")
        page.model.will(CREATED, picture, completed("i1"))
        await page.says("Draw")
        await seen.until(lambda it: it.states == ["answered"])
        (file,) = seen.turns[seen.order[0]]["answer"]["files"]
        status, headers, body = await page.asks(file["url"].lstrip("/"))

    assert (file["name"], file["kind"], file["size"]) == ("image-1.png", "image", 14)
    assert (status, body, headers["Content-Type"]) == (200, b"\x89PNG the bytes", "image/png")


async def test_a_retry_leaves_no_picture_of_the_answer_it_replaces() -> None:
    async with served_page() as page, page.watched() as seen:
        for interaction in ("i1", "i2"):
            picture = Media(MediaKind.IMAGE, "image/png", data=interaction.encode())
            page.model.will(Created(InteractionId(interaction)), picture, completed(interaction))
        await page.says("Draw")
        await seen.until(lambda it: it.states == ["answered"])
        old = page.lying()
        await page.gives("retry")
        await seen.until(lambda it: it.states == ["answered"] and old != {_file(it.turns[it.order[0]])})
        new = {_file(seen.turns[seen.order[0]])}
        await page.says("The reply is closed once this is answered")
        await seen.until(lambda it: it.states == ["answered", "answered"])
        left = page.lying()

    assert len(old) == 1
    assert left == new


def _file(turn: dict[str, dict[str, list[dict[str, str]]]]) -> str:
    return turn["answer"]["files"][0]["id"]


async def test_sources_stand_under_the_answer() -> None:
    async with served_page() as page, page.watched() as seen:
        page.model.will(CREATED, TextPiece("So it is."), Citation("https://example.org/a", "A page"), completed("i1"))
        await page.says("Is it?")
        await seen.until(lambda it: it.states == ["answered"])

    assert 'href="https://example.org/a"' in seen.answers[0]


async def test_a_client_that_does_not_read_misses_frames_and_never_the_end() -> None:
    gates = [asyncio.Event() for _ in range(12)]
    # One block that grows is sent whole with each frame: 8 MB in all, far more than sockets hold.
    script = [cue for number, gate in enumerate(gates) for cue in (TextPiece(f"piece {number}{'x' * 99_990}\n"), gate)]
    async with served_page(limits=Limits()) as page, page.watched(narrow=True) as slow, page.watched() as quick:
        page.model.will(CREATED, TextPiece("```\n"), *script, completed("i1"))
        await page.says("A lot")
        for number, gate in enumerate(gates):
            await quick.until(lambda it, number=number: f"piece {number}x" in "".join(it.answers))  # type: ignore[misc]
            gate.set()
        await quick.until(lambda it: it.states == ["answered"])
        # Only now it reads: first what lay in the sockets' buffers, then at once the end.
        await slow.until(lambda it: it.states == ["answered"])

    assert slow.answers == quick.answers
    assert len(slow.told) < len(quick.told)


async def test_a_quiet_stream_says_that_it_is_alive() -> None:
    async with served_page(beat=0.02) as page, page.watched() as seen:
        await seen.until(lambda it: [name for name, _ in it.told].count("beat") >= 2)


async def test_a_long_thread_is_told_newest_first_and_in_order() -> None:
    async with served_page() as page:
        for number in range(45):
            await page.says(f"Question {number}")
            await page.turns(number + 1)  # else what is said meanwhile is answered together
        async with page.watched() as seen:
            await seen.until(lambda it: len(it.states) == 45)

    batches = [told for name, told in seen.told if name == "turns"]
    assert len(batches) == 3
    assert batches[0]["turns"][-1]["questions"][0]["text"] == "Question 44"
    assert [seen.turns[turn]["questions"][0]["text"] for turn in seen.order] == [f"Question {n}" for n in range(45)]


async def test_the_page_stops_at_once_though_somebody_looks_at_it() -> None:
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        async with served_page() as page:
            response = await session.get(f"{page.address}api/events?thread={THREAD}")
            await response.content.readline()
            started = asyncio.get_running_loop().time()
        stopped = asyncio.get_running_loop().time()
        response.close()

    assert stopped - started < 2


async def test_threads_and_answers_are_there_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/clew.db"
    async with served_page(url=url, files=tmp_path / "files") as page:
        await page.says("Before", files=[("a.txt", "text/plain", b"kept")])
        (turn,) = await page.turns(1)
    async with served_page(url=url, files=tmp_path / "files") as page, page.watched() as seen:
        await seen.until(lambda it: it.states == ["answered"])
        status, _, body = await page.asks(f"api/threads/{THREAD}/files/{turn.messages[0].attachments[0].id}")

    assert seen.answers[0].startswith("<p>answer 1 to Before")
    assert (status, body) == (200, b"kept")


@pytest.mark.parametrize("command", [[], {}, None, 7, "dance"])
async def test_a_command_that_is_none_is_refused_in_a_sentence(command: object) -> None:
    async with served_page() as page, aiohttp.ClientSession() as session:
        url = f"{page.address}api/threads/{THREAD}/commands"
        async with session.post(url, json={"id": "command-0001", "command": command}) as answered:
            told = await answered.json()

    assert answered.status == 400
    assert told == {"error": "There is no such command."}


async def test_a_form_with_a_broken_header_is_refused_without_a_word_of_it_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="files"; filename="se\x01cret.txt"\r\n\r\nhello\r\n--x--\r\n'
    async with served_page() as page, aiohttp.ClientSession() as session:
        url = f"{page.address}api/threads/{THREAD}/messages"
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        async with session.post(url, data=form, headers=headers) as answered:
            assert answered.status == 400

    assert "cret" not in caplog.text
