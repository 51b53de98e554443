"""Channels, guilds and people over REST."""

from tests.support.discord.access import Access
from tests.support.discord.api_threads import read_minutes, read_name
from tests.support.discord.calls import Call
from tests.support.discord.channels import Channel
from tests.support.discord.gateway import Gateway
from tests.support.discord.json_types import JsonObject
from tests.support.discord.payloads import Payloads
from tests.support.discord.permissions import Permission
from tests.support.discord.refusal import Refused
from tests.support.discord.rest import Answer, Route
from tests.support.discord.world import World

P = Permission


class Channels:
    """Looking at channels and guilds, changing them, and direct lines."""

    def __init__(self, world: World, access: Access, payloads: Payloads, gateway: Gateway) -> None:
        self._world, self._access, self._payloads, self._gateway = world, access, payloads, gateway

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/channels/{channel}", self.get),
            Route("PATCH", "/channels/{channel}", self.change),
            Route("DELETE", "/channels/{channel}", self.close),
            Route("GET", "/guilds/{guild}", self.guild),
            Route("GET", "/guilds/{guild}/channels", self.channels),
            Route("GET", "/guilds/{guild}/roles", self.roles),
            Route("GET", "/guilds/{guild}/members/{user}", self.member),
            Route("POST", "/users/@me/channels", self.direct),
        ]

    def get(self, call: Call) -> Answer:
        return Answer(self._payloads.channel(self._access.channel(call)))

    async def change(self, call: Call) -> Answer:
        """Rename, archive or lock a thread; of other channels the name and the topic change."""
        channel = self._access.channel(call)
        body = call.body
        if channel.thread is None:
            raise Refused(50013)  # MANAGE_CHANNELS is not among what the bot asks for
        is_moderator = self._world.may(self._world.me.id, P.MANAGE_THREADS, channel)
        is_owner = channel.thread.owner_id == self._world.me.id
        if channel.thread.is_archived and body.get("archived") is not False:
            raise Refused(50083)  # [3] it must be taken out of the archive first
        wakes = body.keys() <= {"archived", "auto_archive_duration"} and not channel.thread.is_locked
        if not is_moderator and not (is_owner and "locked" not in body) and not wakes:
            raise Refused(50013)
        if channel.thread.is_locked and not is_moderator:
            raise Refused(50013)  # [3] only moderators open what is locked
        name = read_name(body) if "name" in body else channel.name
        minutes = read_minutes(body)

        def change(channel: Channel) -> None:
            assert channel.thread is not None
            hood = channel.thread
            channel.name = name
            hood.auto_archive_minutes = minutes or hood.auto_archive_minutes
            hood.is_locked = bool(body.get("locked", hood.is_locked))
            if bool(body.get("archived", hood.is_archived)) != hood.is_archived:
                hood.is_archived, hood.archived_at = not hood.is_archived, self._world.clock.now()

        self._world.change(channel, change)
        await self._gateway.settled()
        return Answer(self._payloads.channel(channel))

    def close(self, call: Call) -> Answer:
        channel = self._access.channel(call)
        if channel.is_dm:
            return Answer(self._payloads.channel(channel))
        if channel.thread is None:
            raise Refused(50013)
        self._access.need(channel, P.MANAGE_THREADS)
        told = self._payloads.channel(channel)
        self._world.close(channel)
        return Answer(told)

    def guild(self, call: Call) -> Answer:
        guild = self._access.guild(call)
        told = self._payloads.guild(guild, threads=[])
        for name in ("channels", "threads", "members", "member_count", "joined_at", "large", "unavailable"):
            del told[name]  # only the gateway tells these
        return Answer(told)

    def channels(self, call: Call) -> Answer:
        guild = self._access.guild(call)
        return Answer([self._payloads.channel(one) for one in guild.channels.values() if not one.is_thread])

    def roles(self, call: Call) -> Answer:
        guild = self._access.guild(call)
        return Answer([self._payloads.role(guild, role) for role in guild.roles.values()])

    def member(self, call: Call) -> Answer:
        member = self._access.guild(call).members.get(
            self._world.me.id if call.params["user"] == "@me" else call.params["user"]
        )
        if member is None:
            raise Refused(10007)
        return Answer(self._payloads.member(member))

    def direct(self, call: Call) -> Answer:
        user = self._world.users.get(str(call.body["recipient_id"]))
        if user is None:
            raise Refused(10013)
        if user.id == self._world.me.id:
            raise Refused(50007)
        return Answer(self._payloads.channel(self._world.direct(user)))


class Myself:
    """Who the bot is, and where its gateway is."""

    def __init__(self, world: World, payloads: Payloads, gateway: Gateway) -> None:
        self._world, self._payloads, self._gateway = world, payloads, gateway

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/users/@me", self.me),
            Route("GET", "/users/@me/guilds", self.guilds),
            Route("GET", "/users/{user}", self.user),
            Route("GET", "/oauth2/applications/@me", self.application),
            Route("GET", "/applications/@me", self.application),
            Route("GET", "/gateway", self.gateway, is_open=True),
            Route("GET", "/gateway/bot", self.gateway_for_bots),
        ]

    def me(self, call: Call) -> Answer:
        return Answer(self._world.me.as_json() | {"verified": True, "mfa_enabled": False, "email": None})

    def user(self, call: Call) -> Answer:
        user = self._world.users.get(call.params["user"])
        if user is None:
            raise Refused(10013)
        return Answer(user.as_json())

    def guilds(self, call: Call) -> Answer:
        listed: list[JsonObject] = []
        for guild in self._world.guilds.values():
            told: JsonObject = {"id": guild.id, "name": guild.name, "icon": None, "features": []}
            listed.append(told | {"owner": guild.owner_id == self._world.me.id, "permissions": "0"})
        return Answer(listed)

    def application(self, call: Call) -> Answer:
        install = self._world.install
        # [1] flags 18, 19: the message content switch of the portal (1<<19 below the review threshold)
        flags = (1 << 19 if install.has_message_content else 0) | (1 << 15 if install.has_members else 0)
        return Answer(
            {
                "id": install.application_id,
                "name": install.bot_name,
                "icon": None,
                "description": "",
                "bot_public": True,
                "bot_require_code_grant": False,
                "verify_key": "0",
                "flags": flags,
                "owner": self._world.user(install.owner).as_json(),
                "bot": self._world.me.as_json(),
                "team": None,
            }
        )

    def gateway(self, call: Call) -> Answer:
        return Answer({"url": self._gateway.url})

    def gateway_for_bots(self, call: Call) -> Answer:
        variants = self._world.variants
        left = max(0, variants.identifies_left - self._gateway.identifies)
        limit = {"total": 1000, "remaining": left, "reset_after": 86_400_000}
        limit |= {"max_concurrency": variants.max_concurrency}
        return Answer({"url": self._gateway.url, "shards": variants.shards, "session_start_limit": limit})
