"""The loopback Discord: where it is, what people do in it, what they see, and what it was asked."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from aiohttp import web

from tests.support.discord.access import Access
from tests.support.discord.acts import Acts
from tests.support.discord.api_channels import Channels, Myself
from tests.support.discord.api_interactions import Answering
from tests.support.discord.api_messages import Messages
from tests.support.discord.api_threads import Threads
from tests.support.discord.cdn import Cdn
from tests.support.discord.clock import Clock
from tests.support.discord.commands_api import Commands
from tests.support.discord.events import Events
from tests.support.discord.faults import Faults
from tests.support.discord.gateway import Gateway
from tests.support.discord.interactions import Interactions
from tests.support.discord.limits import Limits, RateGate
from tests.support.discord.payloads import Payloads
from tests.support.discord.places import HOME, Places
from tests.support.discord.rest import PREFIX, Rest, Route
from tests.support.discord.using import Using
from tests.support.discord.variants import Install, Variants
from tests.support.discord.views import Views
from tests.support.discord.wire import Wire
from tests.support.discord.world import World
from tests.support.listening import Listening
from tests.support.work import Tasks

GATEWAY_PATH = "/gw"


class Api(Protocol):
    """A family of routes."""

    def routes(self) -> Iterable[Route]: ...


class DiscordServer(Acts, Places, Using, Views):
    """A running stand-in. `Acts` is what people do and `Using` what they do with the app, `Places` sets the scene,
    `Views` is what can be seen; the rest is here.
    """

    def __init__(
        self,
        *,
        world: World,
        payloads: Payloads,
        interactions: Interactions,
        cdn: Cdn,
        gateway: Gateway,
        wire: Wire,
        access: Access,
        events: Events,
        rest_door: Listening,
        gateway_door: Listening,
    ) -> None:
        Acts.__init__(self, world, payloads)
        Places.__init__(self, world)
        Using.__init__(self, world, interactions, cdn)
        Views.__init__(self, world, gateway, wire)
        self.world, self.clock, self.install = world, world.clock, world.install
        self.faults, self.gate = wire.faults, wire.gate
        self.gateway = gateway
        self._access, self._events = access, events
        self._rest_door, self._gateway_door = rest_door, gateway_door

    @property
    def url(self) -> str:
        return self.world.base

    @property
    def api_url(self) -> str:
        """For `Route.BASE`; ends in ``/api/v10``."""
        return self.world.base + PREFIX

    @property
    def gateway_url(self) -> str:
        """For `DiscordWebSocket.DEFAULT_GATEWAY`; on a port of its own, so that it can be gone by itself."""
        return self.gateway.url

    @property
    def token(self) -> str:
        return self.install.token

    @property
    def bot_user_id(self) -> str:
        return self.install.bot_user_id

    @property
    def application_id(self) -> str:
        return self.install.application_id

    @property
    def limits(self) -> Limits | None:
        return self.gate.limits

    @limits.setter
    def limits(self, limits: Limits | None) -> None:
        self.gate.limits = limits

    # --- trouble ------------------------------------------------------------------------------------

    def revoke(self, is_revoked: bool = True) -> None:
        """The token is no longer good: 401, and 4004 at the gateway."""
        self._access.is_token_dead = is_revoked

    def mute_events(self, is_muted: bool = True) -> None:
        """Let nothing of what happens reach the app, neither now nor by a resume ([2.3] silent loss)."""
        self._events.is_muted = is_muted

    def forget_sessions(self) -> None:
        """No session can be resumed any more: whoever tries is told op 9."""
        self.gateway.forget_sessions()

    async def stop_gateway(self) -> None:
        """Refuse connections to the gateway, and cut the open ones; REST goes on."""
        await self._gateway_door.stop()
        await self.until(lambda: not self.sockets)

    async def start_gateway(self) -> None:
        await self._gateway_door.start()

    async def stop_listening(self) -> None:
        """Refuse connections, and cut the open ones: Discord is gone."""
        await self.stop_gateway()
        await self._rest_door.stop()

    async def listen_again(self) -> None:
        """Be there again, at the same addresses."""
        await self._rest_door.start()
        await self._gateway_door.start()


@asynccontextmanager
async def discord_server(
    *,
    clock: Clock | None = None,
    limits: bool | Limits = False,
    install: Install | None = None,
    variants: Variants | None = None,
    faults: Faults | None = None,
    guild_id: str | None = None,
    seed: int = 0,
) -> AsyncIterator[DiscordServer]:
    """Serve Discord on loopback until the context is left.

    Args:
        clock: owns every timer; `Clock(speed=60)` makes a minute last a second.
        limits: whether Discord's rate limits are enforced, or other ones.
        install: the app's ids, token and switches, when others are wanted.
        variants: which Discord, where it is undocumented.
        guild_id: of the first guild, ``clew-lab``, which has a channel ``general``.
        seed: of everything random: session ids.
    """
    clock, faults, variants = clock or Clock(), faults or Faults(), variants or Variants()
    world = World(install or Install(), variants, clock=clock, seed=seed)
    access, payloads, cdn = Access(world), Payloads(world), Cdn(world)
    gate = RateGate(Limits() if limits is True else limits or None, clock)
    gateway = Gateway(world, access, payloads, faults)
    world.witness = events = Events(world, access, payloads, gateway)
    commands = Commands(world.install.application_id, clock, world.ids.new)
    interactions = Interactions(world, payloads, commands, cdn, events)
    messages = Messages(world, access, payloads, gateway, gate)
    apis: list[Api] = [
        messages,
        Threads(world, access, payloads, gateway, messages),
        Channels(world, access, payloads, gateway),
        Myself(world, payloads, gateway),
        commands,
        Answering(world, payloads, interactions, events),
    ]
    try:
        async with AsyncExitStack() as stack:
            tasks = await stack.enter_async_context(Tasks())
            wire = Wire(faults, gate, clock=clock, bell=world.bell, tasks=tasks)
            rest = Rest(world, access, wire, [route for api in apis for route in api.routes()], tasks=tasks)
            http, sockets = web.Application(client_max_size=1 << 30), web.Application()
            rest.add_to(http)
            for door in ("cdn", "media"):
                path = f"/{door}/{{kind}}/{{channel}}/{{file}}/{{name}}"
                http.router.add_get(path, rest.outside_api(f"GET {path}", cdn.download))
            http.router.add_get("/elsewhere/{rest:.*}", cdn.foreign)
            sockets.router.add_get(GATEWAY_PATH, gateway.connect)
            rest_door = await stack.enter_async_context(listening(http))
            gateway_door = await stack.enter_async_context(listening(sockets))
            stack.push_async_callback(gateway.close)
            stack.callback(wire.closing.set)
            world.base = rest_door.url
            gateway.url = gateway_door.url.replace("http://", "ws://") + GATEWAY_PATH
            server = DiscordServer(
                world=world,
                payloads=payloads,
                interactions=interactions,
                cdn=cdn,
                gateway=gateway,
                wire=wire,
                access=access,
                events=events,
                rest_door=rest_door,
                gateway_door=gateway_door,
            )
            server.guild(HOME, guild_id=guild_id)
            server.channel("general")
            yield server
    finally:
        clock.close()


@asynccontextmanager
async def listening(app: web.Application) -> AsyncIterator[Listening]:
    """A listening port; when it is left, nothing waits for open connections."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    door = Listening(runner)
    try:
        await door.start()
        yield door
    finally:
        await runner.cleanup()
