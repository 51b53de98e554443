"""Files from a post in Slack to the question the model is asked, through the whole bot."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.answers import Content, Media, MediaKind, Text, UserStep
from tests.support.scripted import answer
from tests.support.slack import (
    Broken,
    CutBody,
    DropBefore,
    File,
    SaysError,
    Shown,
    SlackServer,
    Twins,
    slack_server,
)
from tests.support.slack_clew import ALL_SCOPES, SlackClew, clew_on

FILES = Path(__file__).parents[2] / "samples" / "files"
PICTURE = (FILES / "picture.png").read_bytes()
_SIGN_IN = Broken(200, "<!DOCTYPE html><html><body>Sign in</body></html>", "text/html")
CODE = b"def clew() -> str:\n    return 'a ball of thread'\n"


@dataclass(frozen=True)
class Scene:
    """Ada, who posts files, and Clew, who is asked about them."""

    slack: SlackServer
    clew: SlackClew

    def sample(self, name: str, mimetype: str, **more: str) -> File:
        """One of the sample files, labelled as Slack labels such a file."""
        return self.slack.uploads(name, (FILES / name).read_bytes(), mimetype, **more)  # type: ignore[arg-type]

    async def asks(self, *files: File, text: str = "what is this?", channel: str = "general") -> str:
        """Ada posts files, and has an answer; the ts of her post."""
        ts = await self.slack.says("ada", text, files=files, channel=channel)
        await self.slack.shown(channel, ts if channel == "general" else None)
        await self.slack.delivered()
        return ts

    def question(self, number: int = 1) -> Sequence[Content]:
        """What the model was asked."""
        assert len(self.clew.model.asked) >= number
        return self.clew.model.asked[number - 1].question

    def answer(self, ts: str) -> Shown:
        """The only message of the bot's in the thread."""
        (shown,) = self.slack.replies("general", ts)
        return shown

    def fetched(self) -> int:
        return len(self.slack.calls_of("file.download"))


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """Wherever the files lead, the token goes to Slack alone."""
    async with slack_server(scopes=ALL_SCOPES) as slack, clew_on(slack) as clew:
        yield Scene(slack, clew)
        assert slack.foreign_visits == []
        assert {call.token for call in slack.calls_of("file.download")} <= {slack.bot_token}


# --- what reaches the model -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mimetype", "kind", "is_sent_as"),
    [
        pytest.param("picture.png", "image/png", MediaKind.IMAGE, "image/png", id="a picture"),
        pytest.param("picture.heic", "image/heic", MediaKind.IMAGE, "image/heic", id="a telephone's picture"),
        pytest.param("picture.jpg", "image/png", MediaKind.IMAGE, "image/jpeg", id="a picture with a wrong label"),
        pytest.param("page.pdf", "application/pdf", MediaKind.DOCUMENT, "application/pdf", id="a PDF"),
        pytest.param("sound.mp3", "audio/mpeg", MediaKind.AUDIO, "audio/mp3", id="a sound"),
        pytest.param("sound.m4a", "audio/mp4", MediaKind.AUDIO, "audio/m4a", id="another sound"),
        pytest.param("film_with_sound.mp4", "video/mp4", MediaKind.VIDEO, "video/mp4", id="a film"),
        pytest.param("film.mov", "application/octet-stream", MediaKind.VIDEO, "video/mov", id="a film without a label"),
    ],
)
async def test_a_file_of_a_post_reaches_the_model_to_the_byte(
    name: str, mimetype: str, kind: MediaKind, is_sent_as: str
) -> None:
    async with scene() as here:
        ts = await here.asks(here.sample(name, mimetype))

        assert here.question() == (
            Text("what is this?"),
            Text(f"[attachment {name}]"),
            Media(kind, is_sent_as, data=(FILES / name).read_bytes()),
        )
        assert "Left out" not in here.answer(ts).text
        assert here.fetched() == 1


@pytest.mark.parametrize(
    ("name", "mimetype"),
    [
        pytest.param("voice_clip.mp4", "video/mp4", id="recorded with a telephone"),
        pytest.param("voice_clip_fragmented.mp4", "video/mp4", id="recorded with a browser"),
        pytest.param("voice_clip.webm", "video/webm", id="recorded with another browser"),
        pytest.param("voice_clip.mov", "video/quicktime", id="recorded with a Mac"),
    ],
)
async def test_a_voice_clip_that_slack_calls_a_film_is_heard_and_not_watched(name: str, mimetype: str) -> None:
    async with scene() as here:
        await here.asks(here.sample(name, mimetype, clip="slack_audio"), text="")

        (label, clip) = here.question()
        assert label == Text(f"[attachment {name}]")
        assert isinstance(clip, Media)
        assert (clip.kind, clip.data) == (MediaKind.AUDIO, (FILES / name).read_bytes())


async def test_a_video_clip_is_watched() -> None:
    async with scene() as here:
        await here.asks(here.sample("film_with_sound.mp4", "video/mp4", clip="slack_video"))

        clip = here.question()[-1]
        assert isinstance(clip, Media)
        assert clip.kind is MediaKind.VIDEO


@pytest.mark.parametrize(
    ("mode", "mimetype", "filetype"),
    [
        pytest.param("snippet", "text/plain", "python", id="typed as a snippet"),
        pytest.param("hosted", "text/plain", "text", id="a text"),
        pytest.param("hosted", "text/x-python-script", "python", id="code"),
        pytest.param("hosted", "application/octet-stream", "binary", id="code without a label"),
    ],
)
async def test_text_and_code_are_read_out_to_the_model(mode: str, mimetype: str, filetype: str) -> None:
    async with scene() as here:
        file = here.slack.uploads("clew.py", CODE, mimetype, mode=mode, filetype=filetype)  # type: ignore[arg-type]
        await here.asks(file)

        assert here.question() == (
            Text("what is this?"),
            Text(f"[attachment clew.py]\n```\n{CODE.decode().strip()}\n```"),
        )


@pytest.mark.parametrize(
    "twins", [Twins.MENTION_FIRST, Twins.MESSAGE_FIRST, Twins.ONLY_MENTION], ids=lambda it: it.name
)
async def test_a_file_is_read_once_whichever_events_tell_of_it(twins: Twins) -> None:
    async with scene() as here:
        ts = await here.slack.says("ada", "look", files=[here.sample("picture.png", "image/png")], twins=twins)
        await here.slack.shown("general", ts)
        await here.slack.delivered()

        assert len(here.clew.model.asked) == 1
        assert here.question()[-1] == Media(MediaKind.IMAGE, "image/png", data=PICTURE)
        assert here.fetched() == 1


async def test_a_file_without_words_is_a_question_in_a_direct_message() -> None:
    async with scene() as here:
        await here.asks(here.sample("picture.png", "image/png"), text="", channel=here.slack.direct("ada"))

        assert here.question() == (
            Text("[attachment picture.png]"),
            Media(MediaKind.IMAGE, "image/png", data=PICTURE),
        )


async def test_a_file_without_words_goes_on_with_a_thread_that_is_followed() -> None:
    async with scene() as here:
        ts = await here.asks(text="I will show you something")
        file = here.sample("picture.png", "image/png")
        await here.slack.says("ada", thread_ts=ts, files=[file], mention=False)
        await here.slack.shown("general", ts, whole=2)

        assert here.question(2) == (
            Text("[attachment picture.png]"),
            Media(MediaKind.IMAGE, "image/png", data=PICTURE),
        )


async def test_several_files_reach_the_model_in_their_order() -> None:
    async with scene() as here:
        code = here.slack.uploads("clew.py", CODE, mode="snippet", filetype="python")
        await here.asks(here.sample("page.pdf", "application/pdf"), code, here.sample("picture.png", "image/png"))

        kinds = [part.kind if isinstance(part, Media) else part.text.partition("\n")[0] for part in here.question()]
    assert kinds == [
        "what is this?",
        "[attachment page.pdf]",
        MediaKind.DOCUMENT,
        "[attachment clew.py]",
        "[attachment picture.png]",
        MediaKind.IMAGE,
    ]


async def test_files_of_messages_that_are_answered_together_stay_with_their_words() -> None:
    async with scene() as here:
        go_on = asyncio.Event()
        here.clew.model.will(go_on, *answer("i1", "first"))
        ts = await here.slack.says("ada", "first")
        await here.clew.model.heard(1)
        for name in ("picture.png", "page.pdf"):
            file = here.sample(name, "application/octet-stream")
            await here.slack.says("ada", f"and {name}?", thread_ts=ts, files=[file])
        await here.slack.delivered()
        go_on.set()
        await here.slack.shown("general", ts, whole=2)

        parts = [part.text if isinstance(part, Text) else part.mime_type for part in here.question(2)]
    assert parts == [
        "and picture.png?",
        "[attachment picture.png]",
        "image/png",
        "and page.pdf?",
        "[attachment page.pdf]",
        "application/pdf",
    ]


async def test_a_bot_called_into_a_thread_has_seen_the_files_that_were_posted_there_before() -> None:
    async with scene() as here:
        file = here.sample("picture.png", "image/png")
        root = await here.slack.says("ada", "our new logo", files=[file], mention=False)
        await here.slack.says("bob", "what do you think of it?", thread_ts=root)
        await here.slack.shown("general", root)

        (asked,) = here.clew.model.asked
        assert asked.question == (Text("what do you think of it?"),)
        assert isinstance(asked.after, tuple)
        (past,) = asked.after
        assert isinstance(past, UserStep)
        assert past.content[1:] == (
            Text("[ada]\nour new logo"),
            Text("[attachment picture.png]"),
            Media(MediaKind.IMAGE, "image/png", data=PICTURE),
        )


async def test_an_answer_that_is_asked_for_again_has_its_file_again() -> None:
    async with scene() as here:
        ts = await here.asks(here.sample("picture.png", "image/png"))
        await here.slack.clicks(here.answer(ts).button("Retry"))
        await here.slack.shown("general", ts, lambda shown: "answer 2" in shown[0].text)

        assert here.question(2) == here.question(1)


async def test_a_file_that_came_in_two_halves_is_whole() -> None:
    async with scene() as here:
        data = PICTURE + bytes(range(256)) * 2000
        here.slack.faults.arm("file.download", CutBody(300_000))
        here.slack.faults.arm("file.download", DropBefore())
        await here.asks(here.slack.uploads("picture.png", data, "image/png"))

        assert here.question()[-1] == Media(MediaKind.IMAGE, "image/png", data=data)


# --- what does not --------------------------------------------------------------------------------

LEFT_OUT = "it could not be read"


@pytest.mark.parametrize(
    ("mode", "shown_name", "remark"),
    [
        pytest.param(
            "access_denied",
            "a file that is not shared with me",
            "I was not given access to it.",
            id="of another workspace, and not shared with the bot",
        ),
        pytest.param("not_found", "a deleted file", "I was not given access to it.", id="that Slack does not find"),
        pytest.param("tombstone", "a deleted file", "it has been deleted.", id="that was deleted before the post"),
        pytest.param("external", "plan.gdoc", "it is kept by another service.", id="that another service keeps"),
        pytest.param("canvas", "plan.gdoc", "I cannot read documents of this kind.", id="that is a canvas"),
    ],
)
async def test_a_file_that_cannot_be_had_is_named_to_the_person_and_to_the_model_and_never_fetched(
    mode: str, shown_name: str, remark: str
) -> None:
    async with scene() as here:
        filetype = "quip" if mode == "canvas" else None
        file = here.slack.uploads("plan.gdoc", b"...", mode=mode, filetype=filetype)  # type: ignore[arg-type]
        ts = await here.asks(file)

        assert here.question() == (
            Text("what is this?"),
            Text(f"[attachment {shown_name} was left out: {LEFT_OUT}]"),
        )
        assert f"Left out `{shown_name}`: {remark}" in here.answer(ts).text
        assert here.fetched() == 0


async def test_a_stub_of_slack_connect_is_asked_after_and_read_when_slack_says_where_the_file_is() -> None:
    async with scene() as here:
        # [3] of check_file_info there is no more than an id: files.info first
        await here.asks(here.sample("picture.png", "image/png", mode="file_access"))

        assert here.question()[1:] == (
            Text("[attachment a file from another workspace]"),
            Media(MediaKind.IMAGE, "image/png", data=PICTURE),
        )


async def test_a_stub_that_proves_to_be_kept_by_another_service_is_called_by_its_own_name() -> None:
    async with scene() as here:
        stub = here.slack.uploads("plan.gdoc", b"...", mode="file_access")
        told = {**stub.as_json(), "mode": "external", "is_external": True, "url_private": stub.external_url}
        del told["url_private_download"]
        here.slack.faults.arm("files.info", SaysError("", more={"ok": True, "file": told}))
        ts = await here.asks(stub)

        assert here.question()[1:] == (Text(f"[attachment plan.gdoc was left out: {LEFT_OUT}]"),)
        assert "Left out `plan.gdoc`: it is kept by another service." in here.answer(ts).text
        assert here.fetched() == 0


async def test_a_file_that_slack_says_is_on_a_host_nobody_named_is_not_fetched_from_there() -> None:
    async with scene() as here:
        file = here.sample("picture.png", "image/png")
        told = {**file.as_json(), "url_private_download": file.external_url}
        here.slack.faults.arm("files.info", SaysError("", more={"ok": True, "file": told}))
        ts = await here.asks(file)

        assert here.question()[1:] == (Text(f"[attachment picture.png was left out: {LEFT_OUT}]"),)
        assert "Left out `picture.png`: I was not given access to it." in here.answer(ts).text
        assert here.fetched() == 0


async def test_a_file_deleted_while_its_question_waited_is_called_deleted() -> None:
    async with scene() as here:
        go_on = asyncio.Event()
        here.clew.model.will(go_on, *answer("i1", "first"))
        ts = await here.slack.says("ada", "first")
        await here.clew.model.heard(1)
        file = here.sample("picture.png", "image/png")
        await here.slack.says("ada", "and this?", thread_ts=ts, files=[file])
        await here.slack.delivered()
        here.slack.takes_back(file)
        go_on.set()
        shown = await here.slack.shown("general", ts, whole=2)

        assert here.question(2)[1:] == (Text(f"[attachment picture.png was left out: {LEFT_OUT}]"),)
        assert "Left out `picture.png`: it has been deleted." in shown[1].text
        assert here.fetched() == 0


async def test_one_file_that_cannot_be_had_keeps_no_other_from_being_read() -> None:
    async with scene() as here:
        away = here.slack.uploads("plan.gdoc", b"...", mode="external")
        ts = await here.asks(away, here.sample("picture.png", "image/png"))

        assert here.question()[1:] == (
            Text(f"[attachment plan.gdoc was left out: {LEFT_OUT}]"),
            Text("[attachment picture.png]"),
            Media(MediaKind.IMAGE, "image/png", data=PICTURE),
        )
        assert "Left out `plan.gdoc`" in here.answer(ts).text


@pytest.mark.parametrize("size", [None, 10], ids=["which says so", "which calls itself small"])
async def test_a_file_that_is_too_large_is_named_and_the_question_answered(size: int | None) -> None:
    async with scene() as here:
        film = here.slack.uploads("film.mp4", b"\0" * 1_500_000, "video/mp4", size=size)
        ts = await here.asks(film)

        assert here.question()[1:] == (Text("[attachment film.mp4 was left out: it is too large]"),)
        assert "Left out `film.mp4`: I take files up to 1 MB with one question." in here.answer(ts).text
        assert here.fetched() == (0 if size is None else 1)


async def test_a_file_of_a_kind_the_model_does_not_read_is_named() -> None:
    async with scene() as here:
        ts = await here.asks(here.sample("archive.zip", "application/zip"))

        (_, told) = here.question()
        assert told == Text("[attachment archive.zip was left out: files of type application/zip are not supported]")
        assert "Left out `archive.zip`: I cannot read files of this kind (application/zip)." in here.answer(ts).text


async def test_a_name_that_would_ping_or_break_out_of_its_place_does_neither() -> None:
    async with scene() as here:
        name = "<!channel> ] ` <@U0ADA00000>.zip"
        ts = await here.asks(here.slack.uploads(name, b"PK\3\4" + bytes(60), "application/zip"))

        assert "Left out `(!channel) ) ' (@U0ADA00000).zip`" in here.answer(ts).text
        assert here.slack.pings == []


@pytest.mark.parametrize(
    "lose",
    [
        pytest.param(lambda slack: slack.scopes.discard("files:read"), id="as Slack says"),
        pytest.param(
            lambda slack: slack.faults.arm("file.download", _SIGN_IN, times=None), id="and Slack shows a sign-in page"
        ),
    ],
)
async def test_without_the_right_to_read_files_the_person_is_told_of_the_file_and_the_operator_of_the_scope(
    lose: Callable[[SlackServer], object], caplog: pytest.LogCaptureFixture
) -> None:
    async with scene() as here:
        lose(here.slack)
        with caplog.at_level(logging.WARNING, "adapters.slack"):
            ts = await here.asks(here.sample("picture.png", "image/png"))

        assert here.question()[1:] == (Text(f"[attachment picture.png was left out: {LEFT_OUT}]"),)
        assert "Left out `picture.png`: I was not given access to it." in here.answer(ts).text
        assert "files:read" in caplog.text
        assert here.slack.bot_token not in caplog.text
