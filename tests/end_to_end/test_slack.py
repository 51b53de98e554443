"""Clew in Slack, as a process of its own: asked, killed, started again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.slack.manifest import SCOPES
from bot.offline import Faults, OfflineModel, SlowFault, offline_model
from tests.support.process import RunningClew, finished, running_clew
from tests.support.slack import Install, Shown, SlackServer, slack_server


@dataclass
class Scene:
    """A loopback Slack and a model, which outlive the bot, and the settings that lead it there."""

    slack: SlackServer
    model: OfflineModel
    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_FILE_HOSTS": self.slack.file_host,
            "GEMINI_API_KEY": "test-key",
            "GEMINI_BASE_URL": self.model.url,
        }

    @asynccontextmanager
    async def clew(self, **settings: str) -> AsyncIterator[RunningClew]:
        """The bot, once it hears Slack."""
        async with running_clew(self.folder, **{**self.settings, **settings}) as clew:
            await clew.said("over Socket Mode")
            await self.slack.connected(2)
            yield clew


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    async with (
        slack_server(install=Install(scopes=frozenset(SCOPES))) as slack,
        offline_model(faults=Faults(), pace=0.005) as model,
    ):
        yield Scene(slack, model, folder)


@dataclass(frozen=True)
class Whole:
    """Whether so many answers stand there, none of them growing."""

    number: int

    def __call__(self, shown: list[Shown]) -> bool:
        growing = [one for one in shown if one.is_streaming or "Stop" in {button.text for button in one.buttons}]
        has_ended = "Retry" in {button.text for one in shown[-1:] for button in one.buttons}
        return len(shown) == self.number and has_ended and not growing


async def test_a_mention_is_answered_in_its_thread_and_the_thread_goes_on_without_one(tmp_path: Path) -> None:
    async with scene(tmp_path) as here, here.clew():
        ts = await here.slack.says("ada", "my name is Ada and I keep bees")
        await here.slack.shown("general", ts, Whole(1), within=30)
        await here.slack.says("ada", "recall what I said", thread_ts=ts, mention=False)
        shown = await here.slack.shown("general", ts, Whole(2), within=30)

    assert "my name is Ada and I keep bees" in shown[1].text
    assert "quiet" in shown[0].text
    assert here.slack.status("general", ts) is None
    assert here.slack.pings == []
    assert len(here.model.creates) == 2


async def test_killed_between_turns_and_in_the_middle_of_an_answer_it_answers_each_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        async with here.clew() as clew:
            ts = await here.slack.says("ada", "my name is Ada")
            await here.slack.shown("general", ts, Whole(1), within=30)
            here.model.faults.arm(SlowFault(0.05))
            await here.slack.says("ada", "tell me about bees", thread_ts=ts, mention=False)
            await here.model.streaming(pieces=3, text="bees")
            clew.kill()
            await clew.ended()
        async with here.clew():
            await here.slack.shown("general", ts, Whole(2), within=40)
            await here.slack.says("ada", "recall what I said", thread_ts=ts, mention=False)
            shown = await here.slack.shown("general", ts, Whole(3), within=30)

    assert "my name is Ada" in shown[2].text
    assert shown[2].text.count("tell me about bees") == 1
    assert len(here.model.creates) == 3  # the broken answer was fetched, not bought again


async def test_a_mention_made_while_the_bot_was_down_is_answered_after_the_start(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        async with here.clew() as clew:
            first = await here.slack.says("ada", "hello")
            await here.slack.shown("general", first, Whole(1), within=30)
            clew.kill()
            await clew.ended()
        here.slack.faults.events.lose = 2
        missed = await here.slack.says("grace", "is anybody there?")
        async with here.clew():
            await here.slack.shown("general", missed, Whole(1), within=40)

    assert len(here.model.creates) == 2


async def test_a_wrong_app_token_ends_the_start_with_the_sentence_an_admin_needs(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        refusal = await finished(tmp_path, **{**here.settings, "SLACK_APP_TOKEN": "xapp-wrong"})

    assert refusal.code == 1
    assert "SLACK_APP_TOKEN" in refusal.said
    assert len(refusal.said.strip().splitlines()) == 1


async def test_the_page_is_served_while_slack_is_away(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        api = {**here.settings, "SLACK_API_URL": "http://127.0.0.1:9/api/"}
        async with running_clew(tmp_path, **api) as clew:
            assert clew.address.startswith("http://")
            clew.terminate()
            assert await clew.ended() == 0


async def test_the_manifest_is_printed_with_a_link_that_creates_the_app(tmp_path: Path) -> None:
    by_socket = await finished(tmp_path, "slack", "manifest")
    over_http = await finished(tmp_path, "slack", "manifest", "--http", "https://clew.example/slack/events")
    mistaken = await finished(tmp_path, "slack", "manifest", "--http", "nowhere")

    assert '"socket_mode_enabled": true' in by_socket.printed
    assert "https://api.slack.com/apps?new_app=1&manifest_json=" in by_socket.printed
    assert "https://clew.example/slack/events" in over_http.printed
    assert mistaken.code == 2
