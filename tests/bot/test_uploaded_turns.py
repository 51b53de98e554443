"""Turns whose files are uploaded, and turns that link to something."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bot.answers import Media, MediaKind
from bot.attachments import Intake
from bot.commands import Command
from bot.errors import ContextLost, QuestionRejected
from bot.gemini import open_model
from bot.messages import Attachment, AttachmentId, MessageId, Said, TurnState
from bot.offline import Faults, OfflineModel, UploadFault, offline_model
from bot.policy import Policy
from bot.ports import FileShelf, GeminiFile, Store
from bot.uploads import Uploads
from tests.support.core import PATIENT, Core, core
from tests.support.scripted import answer

FILES = Path(__file__).parent.parent / "samples" / "files"
FILM = Attachment(AttachmentId("f1"), "film.mp4")
LETTER = Attachment(AttachmentId("f2"), "letter.docx")
LINK = "https://example.com/a.png"


@asynccontextmanager
async def gemini_with(
    *,
    policy: Policy | None = None,
    reads_office: bool = False,
    links: bool = False,
    faults: Faults | None = None,
    over: Callable[[FileShelf], FileShelf] = lambda shelf: shelf,
) -> AsyncIterator[tuple[Core, OfflineModel]]:
    """The core, which is answered from scripts, and the shelf its files are uploaded to."""
    async with (
        offline_model(pace=0, faults=faults) as gemini,
        open_model(api_key="k", model="m", base_url=gemini.url) as model,
    ):

        def intake(store: Store) -> Intake:
            return Intake(Uploads(over(model.files), store, limits=PATIENT), reads_office=reads_office)

        async with core(policy=policy, intake=intake, links=links, inline_limit=1_000_000) as clew:
            clew.adapter.files = {
                "f1": (FILES / "film.mp4").read_bytes(),
                "f2": (FILES / "letter.docx").read_bytes(),
            }
            yield clew, gemini


def uploads(gemini: OfflineModel) -> int:
    return sum(request.path == "/upload/v1/files" for request in gemini.requests)


def media(clew: Core, number: int = 0) -> list[Media]:
    return [part for part in clew.model.asked[number].question if isinstance(part, Media)]


async def test_the_thread_is_told_which_file_is_being_read() -> None:
    async with gemini_with() as (clew, _):
        await clew.says("look", attachments=(FILM,))
        await clew.ended(1)
        (reply,) = clew.adapter.replies

    assert reply.tools[0] == "reading film.mp4"
    assert reply.tools[-1] is None
    assert [part.kind for part in media(clew)] == [MediaKind.VIDEO]


async def test_a_turn_asked_again_uploads_its_film_no_more() -> None:
    async with gemini_with() as (clew, gemini):
        said = await clew.says("look", attachments=(FILM,))
        await clew.ended(1)
        clew.adapter.messages[said.id] = said
        await clew.tells(Command.RETRY)
        await clew.adapter.until(lambda: _asked(clew, 2))
        await clew.ended(1)

        assert uploads(gemini) == 1
        assert media(clew, 0) == media(clew, 1)


async def _asked(clew: Core, number: int) -> bool:
    return len(clew.model.asked) >= number


async def test_a_film_that_cannot_be_processed_is_named_in_the_answer() -> None:
    faults = Faults()
    faults.arm(UploadFault())
    async with gemini_with(faults=faults) as (clew, _):
        await clew.says("look", attachments=(FILM,))
        await clew.ended(1)

        (shown,) = clew.shown()
    assert "Left out `film.mp4`: Gemini could not process it. Please attach it in another format" in shown
    assert "[attachment film.mp4 was left out: it could not be read]" in clew.model.asked[0].text


class HeldShelf:
    """A shelf on which an upload comes to no end before it is let go."""

    def __init__(self, shelf: FileShelf) -> None:
        self._shelf = shelf
        self.begun, self.go_on = asyncio.Semaphore(0), asyncio.Event()

    async def upload_file(self, path: str, *, name: str, mime_type: str) -> GeminiFile:
        self.begun.release()
        await self.go_on.wait()
        return await self._shelf.upload_file(path, name=name, mime_type=mime_type)

    async def find_file(self, name: str) -> GeminiFile | None:
        return await self._shelf.find_file(name)

    async def delete_file(self, name: str) -> None:
        await self._shelf.delete_file(name)


async def test_turns_stopped_while_their_film_is_sent_keep_no_place_from_the_next() -> None:
    held: list[HeldShelf] = []

    def over(shelf: FileShelf) -> FileShelf:
        held.append(HeldShelf(shelf))
        return held[-1]

    async with gemini_with(over=over) as (clew, gemini), asyncio.timeout(120):
        (shelf,) = held
        for number in range(5):  # one more than there are places for large files
            await clew.says(f"look {number}", attachments=(FILM,))
            await shelf.begun.acquire()
            await clew.tells(Command.STOP)
            turns = await clew.ended(number + 1)
        shelf.go_on.set()
        await clew.says("look", attachments=(FILM,))
        turns = await clew.ended(6)

        assert uploads(gemini) == 1
    assert [turn.state for turn in turns] == [*[TurnState.STOPPED] * 5, TurnState.ANSWERED]
    assert media(clew)[-1].uri is not None


async def test_an_office_file_is_refused_with_the_way_out_for_a_model_that_reads_none() -> None:
    async with gemini_with() as (clew, _):
        await clew.says("look", attachments=(LETTER,))
        await clew.ended(1)

        (shown,) = clew.shown()
    assert "Left out `letter.docx`: this model reads no Word files. Please attach a PDF." in shown


async def test_an_office_file_goes_to_a_model_that_reads_it() -> None:
    async with gemini_with(reads_office=True) as (clew, _):
        await clew.says("look", attachments=(LETTER,))
        await clew.ended(1)

    (letter,) = media(clew)
    assert letter.kind is MediaKind.DOCUMENT
    assert letter.data == (FILES / "letter.docx").read_bytes()


async def test_nothing_is_uploaded_from_a_private_thread() -> None:
    async with gemini_with(policy=Policy(private=True)) as (clew, gemini):
        await clew.says("look", attachments=(FILM,))
        await clew.ended(1)

        assert uploads(gemini) == 0
    (film,) = media(clew)
    assert film.data == (FILES / "film.mp4").read_bytes()


async def test_a_thread_told_again_has_its_film_from_where_it_was_uploaded() -> None:
    async with gemini_with() as (clew, gemini):
        said = await clew.says("look", attachments=(FILM,))
        await clew.ended(1)
        clew.adapter.past = [Said(said.id, said.author, "look", (FILM,)), Said(MessageId("r"), None, "a film")]
        clew.model.will(ContextLost("the film has expired"))
        await clew.says("and now?")
        await clew.ended(2)

        assert uploads(gemini) == 1
    assert "look" in clew.model.asked[2].history
    assert str(media(clew)[0].uri) in str(clew.model.asked[2].after)


async def test_a_link_goes_along_with_the_words_when_the_setting_allows_it() -> None:
    async with gemini_with(links=True) as (clew, _):
        await clew.says(f"what is {LINK}?", id_="m1")
        await clew.ended(1)

    assert media(clew) == [Media(MediaKind.IMAGE, "image/png", uri=LINK)]
    assert clew.model.asked[0].text == f"what is {LINK}?"


async def test_a_link_stays_text_when_the_setting_does_not_allow_it() -> None:
    async with gemini_with() as (clew, _):
        await clew.says(f"what is {LINK}?", id_="m1")
        await clew.ended(1)

    assert media(clew) == []


async def test_a_question_rejected_for_its_link_is_asked_without_it() -> None:
    async with gemini_with(links=True) as (clew, _):
        clew.model.will(QuestionRejected("invalid_request", chained=False))
        clew.model.will(*answer("i1", "words alone"))
        await clew.says(f"what is {LINK}?", id_="m1")
        await clew.ended(1)

        (shown,) = clew.shown()
    assert "words alone" in shown
    assert "Gemini could not open what is linked to" in shown
    assert media(clew, 1) == []
