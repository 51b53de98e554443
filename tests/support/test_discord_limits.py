"""Rate limits of the loopback Discord: what discord.py waits for, and what it is refused."""

from typing import Any

import aiohttp
import discord
import pytest

from tests.support.discord import CLOUDFLARE, Clock, DiscordServer, Limits, TooMany, discord_server
from tests.support.discord.sdk import logged_in, refused

POST = "POST /channels/*/messages"


async def ask(server: DiscordServer, verb: str, path: str, body: Any = None) -> tuple[int, dict[str, str], Any]:
    """One request without the SDK, which would wait: status, headers, body."""
    headers = {"Authorization": f"Bot {server.token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(verb, f"{server.api_url}{path}", json=body) as response,
    ):
        is_json = response.headers.get("Content-Type") == "application/json"
        return response.status, dict(response.headers), await response.json() if is_json else await response.text()


async def post(server: DiscordServer, text: str, channel: str = "general") -> tuple[int, dict[str, str], Any]:
    return await ask(server, "POST", f"/channels/{server.channel(channel)}/messages", {"content": text})


async def test_the_sdk_waits_for_the_bucket_and_is_never_refused() -> None:
    async with discord_server(limits=Limits(create=(3, 0.2))) as server, logged_in(server) as client:
        channel = client.get_partial_messageable(int(server.channel("general")))
        for number in range(7):
            await channel.send(f"{number}")

        assert [shown.text for shown in server.replies()] == [f"{number}" for number in range(7)]
        calls = server.calls_of(POST)
        assert [call.status for call in calls] == [200] * 7
        assert calls[-1].at - calls[0].at >= 0.4


async def test_one_call_too_many_is_refused_as_discord_does_it_until_the_bucket_is_full_again() -> None:
    async with discord_server(limits=True) as server:
        statuses = [(await post(server, f"{number}"))[0] for number in range(5)]
        status, headers, body = await post(server, "one too many")
        elsewhere, _, _ = await post(server, "elsewhere", server.channel("other"))
        server.clock.advance(5)
        later, fresh, _ = await post(server, "later")

        assert statuses == [200] * 5
        assert (status, body["message"], body["global"]) == (429, "You are being rate limited.", False)
        assert 0 < body["retry_after"] <= 5
        assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("5", "0")
        assert headers["X-RateLimit-Scope"] == "user"
        assert "Via" in headers
        assert (elsewhere, later, server.gate.refused) == (200, 200, 1)
        assert (fresh["X-RateLimit-Remaining"], fresh["X-RateLimit-Bucket"]) == ("4", headers["X-RateLimit-Bucket"])
        assert [shown.text for shown in server.replies()] == ["0", "1", "2", "3", "4", "later"]


async def test_all_edits_in_a_channel_share_a_bucket_that_is_not_the_one_of_posts() -> None:
    async with discord_server(limits=Limits(create=(2, 60.0), edit=(2, 60.0))) as server:
        ids = [(await post(server, "x"))[2]["id"] for _ in range(2)]
        path = f"/channels/{server.channel('general')}/messages"
        edits = [(await ask(server, "PATCH", f"{path}/{id_}", {"content": "y"}))[0] for id_ in (*ids, ids[0])]

        assert edits == [200, 200, 429]


async def test_further_routes_can_be_given_a_limit_and_limits_can_change() -> None:
    async with discord_server(limits=Limits(routes={"POST /channels/*/typing": (1, 60.0)})) as server:
        path = f"/channels/{server.channel('general')}/typing"
        first, second = (await ask(server, "POST", path))[0], (await ask(server, "POST", path))[0]
        server.limits = None
        third, headers, _ = await ask(server, "POST", path)

        assert (first, second, third) == (204, 429, 204)
        assert "X-RateLimit-Bucket" not in headers


async def test_all_requests_together_have_a_limit_that_interactions_are_outside_of() -> None:
    async with discord_server(limits=Limits(everything=(3, 60.0), create=None)) as server:
        for _ in range(3):
            await post(server, "x")
        status, headers, body = await post(server, "x")
        hook = f"/webhooks/{server.application_id}/unknown"
        interaction, _, said = await ask(server, "POST", hook, {"content": "x"})

        assert (status, body["global"], headers["X-RateLimit-Scope"]) == (429, True, "global")
        assert headers["X-RateLimit-Global"] == "true"
        assert (interaction, said["code"]) == (404, 10015)


async def test_a_429_is_waited_out_by_the_sdk_and_the_post_is_there_once() -> None:
    async with discord_server() as server, logged_in(server) as client:
        server.faults.arm(POST, TooMany(0.01))
        server.faults.arm(POST, TooMany(0.01, "global"))
        await client.get_partial_messageable(int(server.channel("general"))).send("once")

        assert [call.status for call in server.calls_of(POST)] == [429, 429, 200]
        assert [shown.text for shown in server.replies()] == ["once"]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(TooMany(via=False), id="without Via"),
        pytest.param(TooMany(is_json=False), id="a page instead of JSON"),
        pytest.param(CLOUDFLARE, id="both"),
    ],
)
async def test_a_ban_by_cloudflare_is_not_waited_out(fault: TooMany) -> None:
    async with discord_server() as server, logged_in(server) as client:
        server.faults.arm(POST, fault)
        with pytest.raises(discord.HTTPException) as caught:
            await client.get_partial_messageable(int(server.channel("general"))).send("x")

        assert (caught.value.status, len(server.calls_of(POST))) == (429, 1)


async def test_a_wait_that_is_too_long_is_an_error_if_the_client_wants_it_so() -> None:
    async with (
        discord_server(limits=Limits(create=(1, 100.0))) as server,
        logged_in(server, max_ratelimit_timeout=30) as client,
    ):
        channel = client.get_partial_messageable(int(server.channel("general")))
        # It is raised on the way out of the first call: there the library would already sleep for the second.
        await channel.send("first")
        with pytest.raises(discord.RateLimited):
            await channel.send("second")


async def test_the_wait_is_told_in_the_seconds_the_client_sleeps_in() -> None:
    async with discord_server(limits=True, clock=Clock(speed=100)) as server:
        for _ in range(5):
            _, headers, _ = await post(server, "x")
        assert float(headers["X-RateLimit-Reset-After"]) <= 0.05


async def test_a_message_that_is_an_hour_old_is_not_edited_often() -> None:
    async with discord_server(limits=Limits(edit=None)) as server:
        id_ = (await post(server, "x"))[2]["id"]
        path = f"/channels/{server.channel('general')}/messages/{id_}"
        young = [(await ask(server, "PATCH", path, {"content": f"{n}"}))[0] for n in range(6)]
        server.clock.advance(3600)
        old = [await ask(server, "PATCH", path, {"content": f"old {n}"}) for n in range(4)]

        assert young == [200] * 6
        assert [status for status, _, _ in old] == [200, 200, 200, 429]
        assert old[-1][2]["code"] == 30046
        assert server.replies()[0].text == "old 2"


async def test_commands_are_registered_slowly() -> None:
    async with discord_server(limits=True) as server:
        path = f"/applications/{server.application_id}/commands"
        statuses = [(await ask(server, "PUT", path, []))[0] for _ in range(6)]

        assert statuses == [200] * 5 + [429]


async def test_invalid_requests_are_counted_and_too_many_of_them_ban_the_address() -> None:
    async with discord_server(limits=Limits(invalid=4)) as server, logged_in(server) as client:
        server.faults.arm(POST, TooMany(0, "shared"))
        server.faults.arm(POST, TooMany(0), skip=0)
        await client.get_partial_messageable(int(server.channel("general"))).send("x")
        assert server.gate.invalid == 1  # a shared limit is nobody's fault
        assert await refused(client.fetch_channel(1)) == (404, 10003)
        assert server.gate.invalid == 1  # nor does 404 count
        for _ in range(3):
            await ask_as_stranger(server)
        status, headers, body = await post(server, "x")

        assert server.gate.invalid >= 4
        assert (status, "Via" in headers) == (429, False)
        assert body.startswith("<!DOCTYPE html>")


async def ask_as_stranger(server: DiscordServer) -> None:
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bot wrong"}) as session,
        session.get(f"{server.api_url}/users/@me") as response,
    ):
        assert response.status == 401
