"""Clew in Discord, as a process of its own: asked, killed, started again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from adapters.discord.application import invite_link
from adapters.slack.manifest import SCOPES
from bot.offline import Faults, OfflineModel, SlowFault, offline_model
from tests.support.discord import DiscordServer, Install, Shown, discord_server
from tests.support.process import RunningClew, finished, running_clew
from tests.support.slack import Install as SlackInstall
from tests.support.slack import slack_server


@dataclass
class Scene:
    """A loopback Discord and a model, which outlive the bot, and the settings that lead it there."""

    discord: DiscordServer
    model: OfflineModel
    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        return {
            "DISCORD_TOKEN": self.discord.token,
            "DISCORD_API_URL": self.discord.api_url,
            "DISCORD_GATEWAY_URL": self.discord.gateway_url,
            "DISCORD_FILE_HOSTS": "127.0.0.1",
            "GEMINI_API_KEY": "test-key",
            "GEMINI_BASE_URL": self.model.url,
        }

    @asynccontextmanager
    async def clew(self, **settings: str) -> AsyncIterator[RunningClew]:
        """The bot, once it hears Discord."""
        async with running_clew(self.folder, **{**self.settings, **settings}) as clew:
            await clew.said("at the gateway")
            yield clew

    async def asks(self, text: str, *, by: str = "ada", within: float = 30.0) -> str:
        """Ask in the channel, and wait for the answer; the question's id, which is the thread's, too."""
        question = await self.discord.says(by, text)
        await self.discord.shown(question, Whole(1), within=within)
        return question


@asynccontextmanager
async def scene(folder: Path, *, install: Install | None = None) -> AsyncIterator[Scene]:
    async with (
        discord_server(install=install) as discord,
        offline_model(faults=Faults(), pace=0.005) as model,
    ):
        yield Scene(discord, model, folder)


@dataclass(frozen=True)
class Whole:
    """Whether so many answers stand there, none of them growing."""

    number: int

    def __call__(self, shown: list[Shown]) -> bool:
        is_growing = any("Stop" in one.buttons for one in shown)
        return len(shown) == self.number and shown[-1].buttons == ("Retry",) and not is_growing


async def test_a_mention_is_answered_in_a_thread_which_goes_on_without_one(tmp_path: Path) -> None:
    async with scene(tmp_path) as here, here.clew():
        question = await here.asks("my name is Ada and I keep bees")
        await here.discord.says("ada", "recall what I said", channel=question, mention=False)
        shown = await here.discord.shown(question, Whole(2), within=30)

    assert "my name is Ada and I keep bees" in shown[1].text
    assert "quiet" in shown[0].text
    assert here.discord.typing(question) is None
    assert here.discord.pings_by_bot() == []
    assert len(here.model.creates) == 2


async def test_killed_in_the_middle_of_an_answer_it_finishes_that_and_knows_what_was_said_before(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        async with here.clew() as clew:
            question = await here.asks("my name is Ada")
            here.model.faults.arm(SlowFault(0.05))
            await here.discord.says("ada", "tell me about bees", channel=question, mention=False)
            await here.model.streaming(pieces=3, text="bees")
            clew.kill()
            await clew.ended()
        async with here.clew():
            await here.discord.shown(question, Whole(2), within=40)
            await here.discord.says("ada", "recall what I said", channel=question, mention=False)
            shown = await here.discord.shown(question, Whole(3), within=30)

    assert "my name is Ada" in shown[2].text
    assert shown[2].text.count("tell me about bees") == 1
    assert len(here.model.creates) == 3  # the broken answer was fetched, not bought again


async def test_a_mention_made_while_the_bot_was_down_is_answered_after_the_start(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        async with here.clew() as clew:
            await here.asks("hello")
            clew.kill()
            await clew.ended()
        missed = await here.discord.says("grace", "is anybody there?")
        async with here.clew():
            await here.discord.shown(missed, Whole(1), within=40)

    assert len(here.model.creates) == 2


async def test_asked_to_stop_it_finishes_the_answer_and_ends_with_success(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        async with here.clew() as clew:
            here.model.faults.arm(SlowFault(0.02))
            question = await here.discord.says("ada", "tell me about bees")
            await here.model.streaming(pieces=2, text="bees")
            clew.terminate()
            code = await clew.ended()
        (shown,) = here.discord.replies(question)

    assert code == 0
    assert shown.buttons == ("Retry",)
    assert "bees" in shown.text


async def test_a_wrong_token_ends_the_start_with_the_sentence_an_admin_needs(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        refusal = await finished(tmp_path, **{**here.settings, "DISCORD_TOKEN": "wrong"})

    assert refusal.code == 1
    assert "DISCORD_TOKEN" in refusal.said.splitlines()[-1]
    assert "wrong" not in refusal.said


async def test_a_missing_intent_ends_the_start_with_the_sentence_an_admin_needs(tmp_path: Path) -> None:
    async with scene(tmp_path, install=Install(has_message_content=False)) as here:
        refusal = await finished(tmp_path, **here.settings)

    assert refusal.code == 1
    assert "Message Content Intent" in refusal.said.splitlines()[-1]


async def test_the_start_says_where_it_is_connected_and_health_says_how_that_is(tmp_path: Path) -> None:
    async with scene(tmp_path) as here, running_clew(tmp_path, **here.settings) as clew:
        printed = [await clew.next_line() for _ in range(7)]
        async with aiohttp.ClientSession() as session, session.get(f"{clew.address}/healthz") as answer:
            health = await answer.text()

    assert "  Discord   connecting" in printed
    assert any("discord" in line and "Clew at the gateway, in 1 server" in line for line in printed)
    assert answer.status == 200
    assert "discord" in health


async def test_a_check_tells_whether_discord_would_run(tmp_path: Path) -> None:
    without = await finished(tmp_path, "check")
    with_token = await finished(tmp_path, "check", DISCORD_TOKEN="anything")

    assert "Discord   off; DISCORD_TOKEN turns it on" in without.printed
    assert "Discord   set up" in with_token.printed


async def test_the_invite_link_is_printed_for_an_id_or_for_the_token(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        by_token = await finished(tmp_path, "discord", "invite", **here.settings)
    by_id = await finished(tmp_path, "discord", "invite", "--client-id", "123456789012345678")

    assert by_token.printed.splitlines()[0] == invite_link(here.discord.application_id)
    assert by_id.printed.splitlines()[0] == invite_link("123456789012345678")
    assert (by_token.code, by_id.code) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "settings", "named"),
    [
        pytest.param([], {}, "DISCORD_TOKEN", id="with neither an id nor a token"),
        pytest.param(["--client-id", "clew"], {}, "'clew'", id="with an id that is none"),
    ],
)
async def test_no_invite_link_is_made_up(
    arguments: list[str], settings: dict[str, str], named: str, tmp_path: Path
) -> None:
    refusal = await finished(tmp_path, "discord", "invite", *arguments, **settings)

    assert refusal.code == 1
    assert refusal.printed == ""
    assert named in refusal.said
    assert len(refusal.said.strip().splitlines()) == 1


async def test_discord_goes_on_while_slack_cannot_be_reached(tmp_path: Path) -> None:
    slack = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_API_URL": "http://127.0.0.1:9/api/"}
    async with scene(tmp_path) as here, here.clew(**slack):
        question = await here.asks("is anybody there?")

    assert len(here.discord.replies(question)) == 1


async def test_slack_goes_on_when_discord_takes_the_token_away(tmp_path: Path) -> None:
    async with slack_server(install=SlackInstall(scopes=frozenset(SCOPES))) as slack, scene(tmp_path) as here:
        settings = {
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_API_URL": slack.api_url,
        }
        async with here.clew(**settings) as clew:
            await slack.connected(2)
            await here.asks("hello")
            here.discord.revoke()
            for socket in here.discord.sockets:
                await socket.close(4004)
            ts = await slack.says("ada", "is anybody there?")
            shown = await slack.shown("general", ts, lambda seen: bool(seen and seen[-1].buttons), within=30)
            async with aiohttp.ClientSession() as session, session.get(f"{clew.address}/healthz") as answer:
                health = await answer.text()

    assert len(shown) == 1
    assert "DISCORD_TOKEN" in health
