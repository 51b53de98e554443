"""What calls go over: who the bot is, and how many refusals Discord puts up with."""

import logging
from dataclasses import dataclass, field

import pytest

from adapters.discord.calls import Calls, DiscordClosed, DiscordRefused, Route
from adapters.discord.gateway import BAD_TOKEN
from adapters.discord.line import Identity, InvalidAnswers, open_line
from bot.condition import Condition
from bot.errors import PlatformAway, StartError
from bot.metrics import Metrics
from tests.support.discord import (
    CUT_JSON,
    HTML_PAGE,
    Broken,
    DropBefore,
    Fault,
    Install,
    Permission,
    TooMany,
    discord_server,
)
from tests.support.discord_clew import set_for

POST = "/channels/{channel_id}/messages"


@dataclass
class Time:
    """A clock that goes where it is slept."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


# --- who we are -------------------------------------------------------------------------------------


async def test_the_bot_learns_who_it_is() -> None:
    async with (
        discord_server(install=Install(application_id="1300000000000000001")) as discord,
        open_line(set_for(discord)) as line,
    ):
        who = await line.log_in(f" {discord.token}\n")

        assert who == Identity(discord.bot_user_id, "Clew", "1300000000000000001")


async def test_a_token_that_discord_does_not_accept_ends_it_with_what_to_do() -> None:
    async with discord_server() as discord, open_line(set_for(discord)) as line:
        with pytest.raises(StartError) as caught:
            await line.log_in("not-the-token")

    assert str(caught.value) == BAD_TOKEN


@pytest.mark.parametrize("route", ["GET /users/@me", "GET /oauth2/applications/@me"])
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(DropBefore(), id="no answer"),
        pytest.param(Broken(503), id="503"),
        pytest.param(HTML_PAGE, id="a page for people"),
        pytest.param(CUT_JSON, id="an answer that is cut"),
        pytest.param(Broken(200, "{}", "application/json"), id="an empty answer"),
        pytest.param(TooMany(0.01), id="a rate limit"),
        pytest.param(TooMany(via=False, is_json=False), id="a ban by Cloudflare"),
    ],
)
async def test_trouble_at_the_start_is_waited_out_with_longer_and_longer_pauses(route: str, fault: Fault) -> None:
    time = Time()
    async with discord_server() as discord, open_line(set_for(discord)) as line:
        discord.faults.arm(route, fault, times=4)

        who = await line.log_in(discord.token, sleep=time.sleep, pause=1.0, longest_pause=3.0)

    assert who.user_id == discord.bot_user_id
    # Of some of it the library makes up for one or the other failure by itself.
    assert time.slept == [1.0, 2.0, 3.0, 3.0][: len(time.slept)]


async def test_discord_may_not_be_there_yet_and_health_says_so() -> None:
    time, condition = Time(), Condition("Discord")
    async with discord_server() as discord, open_line(set_for(discord)) as line:
        await discord.stop_listening()

        async def sleep(seconds: float) -> None:
            await time.sleep(seconds)
            assert condition.trouble == "Discord cannot be reached; it is tried again and again."
            if len(time.slept) == 3:
                await discord.listen_again()

        who = await line.log_in(discord.token, condition=condition, sleep=sleep)

    assert who.name == "Clew"
    assert condition.trouble is None


async def test_files_are_fetched_without_the_token() -> None:
    async with discord_server() as discord, open_line(set_for(discord)) as line:
        await line.log_in(discord.token)
        async with line.session.get(discord.elsewhere("file")):
            pass

        assert [authorization for _, authorization in discord.foreign_visits] == [None]


async def test_two_lines_one_after_the_other_speak_to_the_discord_they_were_given() -> None:
    for _ in range(2):
        async with discord_server() as discord, open_line(set_for(discord)) as line:
            assert (await line.log_in(discord.token)).user_id == discord.bot_user_id


# --- how much is refused --------------------------------------------------------------------------


def test_refusals_count_for_ten_minutes() -> None:
    time = Time()
    invalid = InvalidAnswers(clock=time, most=3)
    for status in (401, 403, 429):
        assert not invalid.are_too_many()
        invalid.count(status, {})
    assert invalid.are_too_many()

    time.now += 601
    assert not invalid.are_too_many()


@pytest.mark.parametrize("status", [200, 204, 400, 404, 500, 502, 503])
def test_other_answers_do_not_count(status: int) -> None:
    invalid = InvalidAnswers(most=1)

    invalid.count(status, {})

    assert not invalid.are_too_many()


def test_a_rate_limit_that_all_apps_share_is_nobodys_fault() -> None:
    invalid = InvalidAnswers(most=1)

    invalid.count(429, {"X-RateLimit-Scope": "shared"})
    assert not invalid.are_too_many()

    invalid.count(429, {"X-RateLimit-Scope": "user"})
    assert invalid.are_too_many()


async def test_once_too_much_was_refused_only_what_people_wait_for_is_sent() -> None:
    async with discord_server() as discord, open_line(set_for(discord)) as line:
        await line.log_in(discord.token)
        time, general = Time(), discord.channel("general")
        invalid = InvalidAnswers(clock=time, most=2)
        calls = Calls(line.http, is_in_danger=invalid.are_too_many, metrics=Metrics())
        post = Route("POST", POST, channel_id=general)
        typing = Route("POST", "/channels/{channel_id}/typing", channel_id=general)
        for _ in range(2):
            invalid.count(403, {})

        with pytest.raises(PlatformAway):
            await calls.call(typing, safe=True, is_spare=True)
        with pytest.raises(PlatformAway):
            await calls.frame(post, make=lambda: {"content": "growing"})
        assert discord.calls_of("POST *") == []
        await calls.call(post, safe=False, body={"content": "the whole answer"})
        time.now += 601
        await calls.call(typing, safe=True, is_spare=True)

        assert [one.text for one in discord.replies()] == ["the whole answer"]
        assert discord.typing() is not None


async def test_every_refusal_on_the_line_is_counted() -> None:
    async with discord_server() as discord, open_line(set_for(discord), most_invalid=2) as line:
        await line.log_in(discord.token)
        calls = Calls(line.http, metrics=Metrics())
        post = Route("POST", POST, channel_id=discord.channel("general"))
        discord.deny(Permission.SEND_MESSAGES, channel="general")
        for is_dangerous in (False, True):
            with pytest.raises(DiscordClosed):
                await calls.call(post, safe=False, body={"content": "hello"})

            assert line.invalid.are_too_many() is is_dangerous


async def test_the_token_of_an_interaction_is_in_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    path = "/interactions/{interaction_id}/{interaction_token}/callback"
    async with discord_server() as discord, open_line(set_for(discord)) as line:
        await line.log_in(discord.token)
        discord.faults.arm("POST /interactions/*", TooMany(retry_after=0.01))
        calls = Calls(line.http, metrics=Metrics())

        with pytest.raises(DiscordRefused):
            await calls.call(
                Route("POST", path, interaction_id="1234567890123456789", interaction_token="a-secret"),
                safe=True,
                body={"type": 5},
            )

    assert discord.faults.fired
    assert "a-secret" not in caplog.text
