"""Pictures in Slack: asked for by command, and put under the words in order."""

import pytest

from adapters.slack.slots import FILES, UPLOADING
from bot.answers import Answer, Answered, Created, Ending, Media, MediaKind, Notice, Stopped, TextPiece
from bot.messages import InteractionId, MessageId, Part
from tests.adapters.slack.replying import desk
from tests.support.scripted import completed
from tests.support.slack import Broken, SaysError, slack_server
from tests.support.slack_clew import ALL_SCOPES, clew_on

CREATED = Created(InteractionId("i1"))
KITE = Media(MediaKind.IMAGE, "image/png", b"\x89PNG a red kite")
SONG = Media(MediaKind.AUDIO, "audio/mp3", b"ID3 a song of kites")


async def test_a_wish_is_put_to_the_image_model_and_a_follow_up_changes_its_picture() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        clew.model.will(CREATED, TextPiece("Here it is."), KITE, completed("i1"))
        ts = await slack.says("ada", "imagine: a red kite")
        await slack.shown("general", ts, whole=2)
        await slack.says("ada", "imagine: at night", thread_ts=ts, mention=False)
        await clew.model.heard(2)
        await slack.says("ada", "what bird is it?", thread_ts=ts, mention=False)
        await clew.model.heard(3)

    assert [(asked.text, asked.after, asked.manner.model) for asked in clew.model.asked] == [
        ("a red kite", None, "painter"),
        ("at night", "i1", "painter"),
        ("what bird is it?", "i2", None),
    ]


async def test_files_stand_under_the_words_in_order_with_what_they_are_of() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        clew.model.will(CREATED, TextPiece("A kite:\n"), KITE, TextPiece("Its song:\n"), SONG, completed("i1"))
        ts = await slack.says("ada", "/imagine a kite that sings")
        words, kite, song = await slack.shown("general", ts, whole=3)

    assert words.text.startswith("A kite:\n\n_↓ image-1.png_\n\nIts song:")
    assert [(shown.files[0].name, shown.files[0].data) for shown in (kite, song)] == [
        ("image-1.png", KITE.data),
        ("audio-2.mp3", SONG.data),
    ]
    assert [shown.files[0].alt for shown in (kite, song)] == [
        "A kite: (image made by AI)",
        "Its song: (audio made by AI)",
    ]


async def test_a_file_that_slack_refuses_is_told_and_the_others_stand_there() -> None:
    async with desk() as place:
        place.slack.faults.arm("files.getUploadURLExternal", SaysError("file_upload_size_restricted"))
        turn = await place.asked()
        async with place.answering(turn) as grown:
            for event in (TextPiece("Both."), KITE, SONG):
                grown.draft.add(event)
            await grown.reply.end(Answered(grown.draft.answer))
        words, file = place.replies(turn)

    assert "too large" in words.text
    assert file.files[0].name == "audio-2.mp3"


async def test_a_file_too_large_to_be_sent_is_told() -> None:
    async with desk() as place:
        place.slack.faults.arm("file.upload", Broken(413))
        turn = await place.asked()
        async with place.answering(turn) as grown:
            for event in (TextPiece("Here."), KITE):
                grown.draft.add(event)
            await grown.reply.end(Answered(grown.draft.answer))
        (words,) = place.replies(turn)

    assert words.text.startswith("Here.")
    assert "too large" in words.text


async def test_where_the_only_file_is_refused_nobody_is_sent_to_look_for_it() -> None:
    async with desk() as place:
        place.slack.faults.arm("file.upload", Broken(413))
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.draft.add(KITE)
            await grown.reply.end(Answered(grown.draft.answer))
        (words,) = place.replies(turn)

    assert "too large" in words.text
    assert "below" not in words.text


@pytest.mark.parametrize(
    "ending", [Notice("Gemini has too much to do."), Stopped(Answer(opening="Stopped."))], ids=["a notice", "a stop"]
)
async def test_a_file_of_an_attempt_that_ended_early_goes_when_there_is_no_answer(ending: Ending) -> None:
    async with desk() as place:
        turn = await place.asked()
        async with place.answering(turn) as grown:
            grown.draft.add(TextPiece("A kite:"))
            grown.draft.add(KITE)
            await grown.reply.end(Answered(grown.draft.answer))
        assert len(place.replies(turn)) == 2
        mark = place.replies(turn)[1].files[0].title.rpartition("[")[2].rstrip("]")
        # As if the process had ended before Slack told.
        await place.store.shown(turn, Part(FILES, MessageId(f"{UPLOADING} {mark}"), ""))
        async with place.answering(await place.again(turn)) as grown:
            await grown.reply.end(ending)
        (words,) = place.replies(turn)

    assert not words.files
