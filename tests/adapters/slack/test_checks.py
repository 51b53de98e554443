"""What is looked at before anything starts, and the sentences an admin gets."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.slack.adapter import open_line
from adapters.slack.checks import Channel, Checks
from bot.errors import StartError
from tests.support.slack import (
    CUT_JSON,
    HTML_PAGE,
    PLAIN_TEXT,
    ActThenDrop,
    Broken,
    DropBefore,
    Fault,
    Install,
    SaysError,
    SlackServer,
    TooMany,
    Variants,
    slack_server,
)
from tests.support.slack_clew import ALL_SCOPES, set_for, until_logged

APP = "api.slack.com/apps, your app"


@asynccontextmanager
async def checks_of(slack: SlackServer) -> AsyncIterator[Checks]:
    async with open_line(set_for(slack)) as line:
        yield Checks(line.client, pause=0.01, longest_pause=0.05)


async def sentence(slack: SlackServer) -> str:
    """What stops the start."""
    async with checks_of(slack) as checks:
        with pytest.raises(StartError) as caught:
            await checks.who_we_are()
            await checks.can_connect(slack.app_token)
            await checks.channels()
    return str(caught.value)


async def test_the_bot_learns_who_it_is() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, checks_of(slack) as checks:
        me = await checks.who_we_are()
        await checks.can_connect(slack.app_token)

    assert (me.installation_id, me.team_id) == (slack.team_id, slack.team_id)
    assert (me.bot_user_id, me.bot_id, me.app_id) == (slack.bot_user_id, slack.bot_id, slack.app_id)
    assert me.url == f"{slack.url}/"


async def test_an_organisation_that_installed_it_is_the_installation() -> None:
    organisation = Install(enterprise_id="E0CLEW", is_enterprise_install=True, scopes=frozenset(ALL_SCOPES))
    async with slack_server(install=organisation) as slack, checks_of(slack) as checks:
        me = await checks.who_we_are()

    assert (me.installation_id, me.team_id) == ("E0CLEW", slack.team_id)


async def test_a_workspace_of_an_organisation_that_installed_it_alone_is_the_installation() -> None:
    workspace = Install(enterprise_id="E0CLEW", scopes=frozenset(ALL_SCOPES))
    async with slack_server(install=workspace) as slack, checks_of(slack) as checks:
        assert (await checks.who_we_are()).installation_id == slack.team_id


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        pytest.param(
            "invalid_auth",
            "Slack does not accept SLACK_BOT_TOKEN (invalid_auth); copy the Bot User OAuth Token (xoxb-...) again from "
            f"{APP}, OAuth & Permissions.",
            id="a wrong token",
        ),
        pytest.param(
            "token_revoked",
            "SLACK_BOT_TOKEN is not valid any more (token_revoked): the app was removed or its token revoked; install "
            f"the app again at {APP}, Install App, and set SLACK_BOT_TOKEN to the new token.",
            id="a revoked token",
        ),
        pytest.param(
            "team_access_not_granted",
            f"Slack refuses SLACK_BOT_TOKEN (team_access_not_granted); see {APP}, Install App, and whether the "
            "workspace allows the app.",
            id="something else",
        ),
    ],
)
async def test_a_bot_token_that_slack_refuses_ends_the_start(error: str, wanted: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        slack.revoke(error=error)

        assert await sentence(slack) == wanted


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        pytest.param(
            "invalid_auth",
            "Slack does not accept SLACK_APP_TOKEN (invalid_auth); make another one (xapp-...) with the scope "
            f"connections:write at {APP}, Basic Information, App-Level Tokens.",
            id="a wrong token",
        ),
        pytest.param(
            "missing_scope",
            f"SLACK_APP_TOKEN lacks the scope connections:write; make another token with it at {APP}, Basic "
            "Information, App-Level Tokens.",
            id="a token without its scope",
        ),
        pytest.param(
            "forbidden_team",
            f"Slack opens no socket for the app (forbidden_team); switch Socket Mode on at {APP}, Socket Mode, or "
            "remove SLACK_APP_TOKEN and set SLACK_SIGNING_SECRET to take events over HTTP.",
            id="Socket Mode off",
        ),
    ],
)
async def test_an_app_token_that_slack_refuses_ends_the_start(error: str, wanted: str) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack:
        slack.revoke(slack.app_token, error=error)

        assert await sentence(slack) == wanted


async def test_missing_scopes_are_named() -> None:
    lacking = [scope for scope in ALL_SCOPES if scope not in {"files:read", "im:history"}]
    async with slack_server(scopes=lacking) as slack:
        assert await sentence(slack) == (
            f"The Slack app lacks the scopes im:history, files:read; add them at {APP}, OAuth & Permissions, Bot Token "
            "Scopes, and install the app again."
        )


async def test_a_scope_that_slack_names_only_when_it_is_needed_is_named_too() -> None:
    lacking = [scope for scope in ALL_SCOPES if scope != "groups:read"]
    async with slack_server(scopes=lacking, variants=Variants(names_scopes=False)) as slack:
        assert await sentence(slack) == (
            f"The Slack app lacks the scope groups:read; add them at {APP}, OAuth & Permissions, Bot Token Scopes, and "
            "install the app again."
        )


async def test_a_token_that_is_no_bots_ends_the_start() -> None:
    told = json.dumps({"ok": True, "team_id": "T1", "user_id": "U1", "url": "https://x.slack.com/"})
    async with slack_server(scopes=ALL_SCOPES) as slack:
        slack.faults.arm("auth.test", Broken(200, told, "application/json"))

        assert "(not_allowed_token_type)" in await sentence(slack)


@pytest.mark.parametrize(
    "fault",
    [
        DropBefore(),
        ActThenDrop(),
        TooMany(0),
        TooMany(None),
        Broken(503),
        Broken(500, json.dumps({"ok": False, "error": "invalid_auth"}), "application/json"),
        HTML_PAGE,
        PLAIN_TEXT,
        CUT_JSON,
        SaysError("internal_error"),
        SaysError("service_unavailable", status=503),
    ],
    ids=lambda fault: f"{type(fault).__name__} {getattr(fault, 'status', getattr(fault, 'error', ''))}",
)
async def test_trouble_that_waiting_mends_is_waited_out(fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, checks_of(slack) as checks:
        for method in ("auth.test", "apps.connections.open", "users.conversations"):
            slack.faults.arm(method, fault, times=3)
        with caplog.at_level(logging.WARNING, "adapters.slack"):
            async with asyncio.timeout(30):
                await checks.who_we_are()
                await checks.can_connect(slack.app_token)
                assert [channel.name for channel in await checks.channels()] == ["general"]

    waits = [record for record in caplog.records if record.message == "Slack cannot be asked, trying again"]
    assert len(waits) >= 7  # of 9: a read whose connection was cut is sent again by the HTTP client itself


async def test_slack_may_be_away_when_the_bot_starts() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, checks_of(slack) as checks:
        await slack.stop_listening()
        async with until_logged("Slack cannot be asked, trying again"):
            asking = asyncio.ensure_future(checks.who_we_are())
        await slack.listen_again()

        async with asyncio.timeout(30):
            assert (await asking).team_id == slack.team_id


async def test_retry_after_is_obeyed() -> None:
    waited: list[float] = []

    async def note(seconds: float) -> None:
        waited.append(seconds)

    async with slack_server(scopes=ALL_SCOPES) as slack, open_line(set_for(slack)) as line:
        slack.faults.arm("auth.test", TooMany(7))
        slack.faults.arm("auth.test", Broken(503), times=3)
        await Checks(line.client, sleep=note, pause=1.0, longest_pause=4.0).who_we_are()

    assert waited == [7, 2, 4, 4]


async def test_the_channels_it_is_in_are_listed_over_several_pages() -> None:
    async with slack_server(scopes=ALL_SCOPES) as slack, checks_of(slack) as checks:
        for number in range(230):
            slack.channel(f"{number:03}-room")
        slack.channel("foreign", bot_is_in=False)
        slack.channel("board", kind="group")
        slack.channel("old", archived=True)
        listed = await checks.channels()

    assert len(listed) == 232
    assert Channel(slack.channel("board"), "board", is_private=True) in listed
    assert not {"foreign", "old"} & {channel.name for channel in listed}
