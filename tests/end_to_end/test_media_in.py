"""Films and other large files, from somebody on each platform to Gemini's shelf, through the whole bot."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from adapters.slack.manifest import SCOPES
from bot.offline import Faults, ForgetFault, OfflineModel, UploadFault, offline_model
from tests.end_to_end.test_discord import Whole as WholeInDiscord
from tests.end_to_end.test_slack import Whole as WholeInSlack
from tests.support.discord import discord_server
from tests.support.process import running_clew
from tests.support.slack import Install, slack_server
from tests.support.visitor import visitor_at

FILES = Path(__file__).parents[1] / "samples" / "files"
FILM = (FILES / "film.mp4").read_bytes() + bytes(16_000_000)
TOLD = "video of type video/mp4, 16.0 MB"
THREAD = "threadoffilms"
LETTER = (FILES / "letter.docx").read_bytes()
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
LINK = "https://example.com/a.png"
REFUSED = "this model reads no Word files. Please attach a PDF."
READS_OFFICE = {"CLEW_LINKS": "on", "GEMINI_MODEL": "gemini-4-hydrogen"}
ASKED = [("image", "image/png", True), ("document", WORD, False)]
DAYS = 2 * 24 * 3600.0  # seconds that Gemini keeps a file


class Clock:
    """Gemini's time."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Gemini:
    """A stand-in for it that outlives the bot."""

    model: OfflineModel
    clock: Clock

    @property
    def settings(self) -> dict[str, str]:
        return {"GEMINI_API_KEY": "test-key", "GEMINI_BASE_URL": self.model.url}

    @property
    def uploads(self) -> int:
        return sum(request.path == "/upload/v1/files" for request in self.model.requests)

    @property
    def polls(self) -> int:
        return sum(request.method == "GET" and "/files/" in request.path for request in self.model.requests)

    def forgets_the_thread(self) -> None:
        """The next question has to be told again all that was said, files included."""
        self.model.faults.arm(ForgetFault())


@asynccontextmanager
async def gemini(*, polls: int = 2, minds: Literal[400, 403] | None = None) -> AsyncIterator[Gemini]:
    clock = Clock()
    async with offline_model(
        faults=Faults(), pace=0.005, clock=clock, file_polls=polls, minds_lost_files=minds, requests_kept=2000
    ) as model:
        yield Gemini(model, clock)


async def test_a_film_on_the_page_is_uploaded_once_and_again_after_its_48_hours(tmp_path: Path) -> None:
    async with (
        gemini(polls=4) as google,
        running_clew(tmp_path, **google.settings) as clew,
        visitor_at(clew.address, THREAD) as page,
    ):
        await page.ask("what is this?", files={"film.mp4": FILM})
        (turn,) = await page.ended(1)
        first, tools = turn.text or "", set(turn.tools)
        seen = google.polls
        google.forgets_the_thread()
        await page.ask("recall what I sent")
        second = (await page.ended(2))[1].text or ""
        sent = google.uploads
        google.clock.ahead = DAYS + 1
        google.forgets_the_thread()
        await page.ask("recall it once more")
        third = (await page.ended(3))[2].text or ""

    assert TOLD in first
    assert tools == {"reading film.mp4"}
    assert seen >= 2  # it was in PROCESSING
    assert TOLD in second
    assert sent == 1
    assert TOLD in third
    assert google.uploads == 2


async def test_a_film_in_slack_is_uploaded_once_and_again_after_its_48_hours(tmp_path: Path) -> None:
    async with gemini(polls=4) as google, slack_server(install=Install(scopes=frozenset(SCOPES))) as slack:
        settings = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
            "SLACK_FILE_HOSTS": slack.file_host,
        }
        async with running_clew(tmp_path, **google.settings, **settings) as clew:
            await clew.said("over Socket Mode")
            await slack.connected(2)
            ts = await slack.says("ada", "what is this?", files=(slack.uploads("film.mp4", FILM, "video/mp4"),))
            await slack.shown("general", ts, WholeInSlack(1), within=60)
            seen = google.polls
            google.forgets_the_thread()
            await slack.says("ada", "recall what I sent", thread_ts=ts, mention=False)
            await slack.shown("general", ts, WholeInSlack(2), within=60)
            sent = google.uploads
            google.clock.ahead = DAYS + 1
            google.forgets_the_thread()
            await slack.says("ada", "recall it once more", thread_ts=ts, mention=False)
            shown = await slack.shown("general", ts, WholeInSlack(3), within=60)

    assert [TOLD in one.text for one in shown] == [True, True, True]
    assert any("reading film.mp4" in status.text for status in slack.statuses)
    assert seen >= 2
    assert sent == 1
    assert google.uploads == 2


async def test_a_film_in_discord_is_uploaded_once_and_again_after_its_48_hours(tmp_path: Path) -> None:
    async with gemini(polls=4) as google, discord_server() as discord:
        settings = {
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "DISCORD_FILE_HOSTS": "127.0.0.1",
        }
        async with running_clew(tmp_path, **google.settings, **settings) as clew:
            await clew.said("at the gateway")
            film = discord.uploads("film.mp4", FILM, content_type="video/mp4")
            question = await discord.says("ada", "what is this?", files=(film,))
            await discord.shown(question, WholeInDiscord(1), within=60)
            seen = google.polls
            google.forgets_the_thread()
            await discord.says("ada", "recall what I sent", channel=question, mention=False)
            await discord.shown(question, WholeInDiscord(2), within=60)
            sent = google.uploads
            google.clock.ahead = DAYS + 1
            google.forgets_the_thread()
            await discord.says("ada", "recall it once more", channel=question, mention=False)
            shown = await discord.shown(question, WholeInDiscord(3), within=60)

    assert [TOLD in one.text for one in shown] == [True, True, True]
    assert any("Reading film.mp4" in str(call.body) for call in discord.calls)
    assert seen >= 2
    assert sent == 1
    assert google.uploads == 2


async def test_killed_between_the_upload_and_the_question_it_does_not_upload_again(tmp_path: Path) -> None:
    async with gemini(polls=4) as google:
        async with running_clew(tmp_path, **google.settings) as clew, visitor_at(clew.address, THREAD) as page:
            await page.ask("what is this?", files={"film.mp4": FILM}, id_="message-000001")
            await google.model.received(1, method="GET", path="/v1/files/")
            clew.kill()
            await clew.ended()
        assert google.model.creates == []
        async with running_clew(tmp_path, **google.settings) as clew, visitor_at(clew.address, THREAD) as page:
            (turn,) = await page.ended(1, within=60)

    assert TOLD in (turn.text or "")
    assert google.uploads == 1
    assert len(google.model.creates) == 1


async def test_killed_while_it_uploads_it_sends_the_file_whole(tmp_path: Path) -> None:
    async with gemini() as google:
        async with running_clew(tmp_path, **google.settings) as clew, visitor_at(clew.address, THREAD) as page:
            await page.ask("what is this?", files={"film.mp4": FILM}, id_="message-000001")
            await google.model.received(1, path="/upload/session/")
            clew.kill()
            await clew.ended()
        async with running_clew(tmp_path, **google.settings) as clew, visitor_at(clew.address, THREAD) as page:
            (turn,) = await page.ended(1, within=60)

    assert TOLD in (turn.text or "")
    assert len(google.model.creates) == 1


async def test_a_film_that_cannot_be_processed_is_named_inside_the_answer(tmp_path: Path) -> None:
    async with (
        gemini() as google,
        running_clew(tmp_path, **google.settings) as clew,
        visitor_at(clew.address, THREAD) as page,
    ):
        google.model.faults.arm(UploadFault())
        await page.ask("what is this?", files={"film.mp4": FILM})
        (turn,) = await page.ended(1)

    assert "Left out `film.mp4`: Gemini could not process it." in (turn.text or "")
    assert turn.state == "answered"


async def _goes_on_after_the_film_has_expired(folder: Path, minds: Literal[400, 403] | None) -> tuple[str, int]:
    """Ask about a film, and ask on two days later; what the second answer says, and how often the film was uploaded."""
    async with (
        gemini(minds=minds) as google,
        running_clew(folder, **google.settings) as clew,
        visitor_at(clew.address, THREAD) as page,
    ):
        await page.ask("what is this?", files={"film.mp4": FILM})
        await page.ended(1)
        google.clock.ahead = DAYS + 1
        await page.ask("recall what I sent")
        turns = await page.ended(2)
    return turns[1].text or "", google.uploads


async def test_a_thread_goes_on_after_its_film_has_expired_when_gemini_does_not_mind(tmp_path: Path) -> None:
    said, uploads = await _goes_on_after_the_film_has_expired(tmp_path, None)

    assert TOLD in said
    assert uploads == 1


async def test_a_thread_is_told_again_when_gemini_minds_that_its_film_has_expired(tmp_path: Path) -> None:
    said, uploads = await _goes_on_after_the_film_has_expired(tmp_path, 400)

    assert TOLD in said
    assert uploads == 2


async def test_a_thread_is_told_again_when_its_film_must_not_be_read_any_more(tmp_path: Path) -> None:
    said, uploads = await _goes_on_after_the_film_has_expired(tmp_path, 403)

    assert TOLD in said
    assert uploads == 2


async def test_a_file_over_the_cap_is_named_with_the_cap_and_the_rest_is_answered(tmp_path: Path) -> None:
    async with gemini() as google, discord_server() as discord:
        settings = {
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "DISCORD_FILE_HOSTS": "127.0.0.1",
            "CLEW_UPLOAD_MB": "15",
        }
        async with running_clew(tmp_path, **google.settings, **settings) as clew:
            await clew.said("at the gateway")
            film = discord.uploads("film.mp4", FILM, content_type="video/mp4")
            question = await discord.says("ada", "what is this?", files=(film,))
            (shown,) = await discord.shown(question, WholeInDiscord(1), within=60)

    assert "I take files up to 15 MB" in shown.text
    assert "film.mp4" in shown.text
    assert google.uploads == 0


def media_asked(google: Gemini) -> list[tuple[str, str, bool]]:
    """Kind and type of what the newest question carried beside words, and whether by an address."""
    given: Any = google.model.creates[-1]["input"]
    (step,) = given
    return [
        (part["type"], part["mime_type"], part.get("uri") == LINK) for part in step["content"] if part["type"] != "text"
    ]


async def test_the_page_hands_links_and_office_files_to_a_model_that_reads_them_alone(tmp_path: Path) -> None:
    async with gemini() as google:
        async with (
            running_clew(tmp_path, **google.settings, **READS_OFFICE) as clew,
            visitor_at(clew.address, THREAD) as page,
        ):
            await page.ask(f"compare {LINK} with this", files={"letter.docx": LETTER})
            (turn,) = await page.ended(1)
            asked = media_asked(google)
        async with running_clew(tmp_path, **google.settings) as clew, visitor_at(clew.address, THREAD) as page:
            await page.ask(f"compare {LINK} with this", files={"letter.docx": LETTER}, id_="message-000002")
            turns = await page.ended(2)

    assert asked == ASKED
    assert REFUSED not in (turn.text or "")
    assert media_asked(google) == []
    assert REFUSED in (turns[1].text or "")


async def test_slack_hands_links_and_office_files_to_a_model_that_reads_them_alone(tmp_path: Path) -> None:
    async with gemini() as google, slack_server(install=Install(scopes=frozenset(SCOPES))) as slack:
        settings = {
            **google.settings,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
            "SLACK_FILE_HOSTS": slack.file_host,
        }
        letter = slack.uploads("letter.docx", LETTER, WORD)
        async with running_clew(tmp_path, **settings, **READS_OFFICE) as clew:
            await clew.said("over Socket Mode")
            await slack.connected(2)
            ts = await slack.says("ada", f"compare <{LINK}> with this", files=(letter,))
            (read,) = await slack.shown("general", ts, WholeInSlack(1), within=60)
            asked = media_asked(google)
        async with running_clew(tmp_path, **settings) as clew:
            await clew.said("over Socket Mode")
            ts = await slack.says("ada", f"compare <{LINK}> with this", files=(letter,))
            (refused,) = await slack.shown("general", ts, WholeInSlack(1), within=60)

    assert asked == ASKED
    assert REFUSED not in read.text
    assert media_asked(google) == []
    assert REFUSED in refused.text


async def test_discord_hands_links_and_office_files_to_a_model_that_reads_them_alone(tmp_path: Path) -> None:
    async with gemini() as google, discord_server() as discord:
        settings = {
            **google.settings,
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "DISCORD_FILE_HOSTS": "127.0.0.1",
        }
        letter = discord.uploads("letter.docx", LETTER, content_type=WORD)
        async with running_clew(tmp_path, **settings, **READS_OFFICE) as clew:
            await clew.said("at the gateway")
            question = await discord.says("ada", f"compare {LINK} with this", files=(letter,))
            (read,) = await discord.shown(question, WholeInDiscord(1), within=60)
            asked = media_asked(google)
        async with running_clew(tmp_path, **settings) as clew:
            await clew.said("at the gateway")
            letter = discord.uploads("letter.docx", LETTER, content_type=WORD)
            question = await discord.says("ada", f"compare {LINK} with this", files=(letter,))
            (refused,) = await discord.shown(question, WholeInDiscord(1), within=60)

    assert asked == ASKED
    assert REFUSED not in read.text
    assert media_asked(google) == []
    assert REFUSED in refused.text
