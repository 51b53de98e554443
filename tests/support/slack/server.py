"""The loopback Slack: where it is, what people do in it, what they see, and what it was asked."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import aiohttp
from aiohttp import web

from tests.support.slack.access import Access
from tests.support.slack.acts import Acts
from tests.support.slack.clock import Clock
from tests.support.slack.courier import Courier
from tests.support.slack.events import Events
from tests.support.slack.faults import Faults
from tests.support.slack.http_events import HttpEvents
from tests.support.slack.interactions import Interactions
from tests.support.slack.limits import Limits, RateGate
from tests.support.slack.listening import Listening
from tests.support.slack.sockets import Sockets
from tests.support.slack.triggers import Triggers
from tests.support.slack.variants import Install, Variants
from tests.support.slack.views import Views
from tests.support.slack.web_api import WebApi
from tests.support.slack.wire import Wire
from tests.support.slack.work import Tasks
from tests.support.slack.workspace import Workspace


class SlackServer(Acts, Views):
    """A running stand-in. `Acts` is what people do, `Views` what they see; the rest is here."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        events: Events,
        interactions: Interactions,
        courier: Courier,
        sockets: Sockets,
        wire: Wire,
        access: Access,
        gate: RateGate,
        api: WebApi,
        listening: Listening,
        session: aiohttp.ClientSession,
    ) -> None:
        Acts.__init__(self, workspace, events, interactions)
        Views.__init__(self, workspace, courier, sockets, wire)
        self.clock, self.faults, self.install = workspace.clock, wire.faults, workspace.install
        self.http: HttpEvents | None = None
        self._access, self._gate, self._api = access, gate, api
        self._listening, self._session = listening, session

    @property
    def url(self) -> str:
        return self._workspace.base

    @property
    def api_url(self) -> str:
        """For the SDK's base_url; ends in ``/api/``."""
        return f"{self._workspace.base}/api/"

    @property
    def file_host(self) -> str:
        """The host files may be fetched from; what is external is on another one."""
        return "127.0.0.1"

    @property
    def bot_token(self) -> str:
        return self.install.bot_token

    @property
    def app_token(self) -> str:
        return self.install.app_token

    @property
    def bot_user_id(self) -> str:
        return self.install.bot_user_id

    @property
    def bot_id(self) -> str:
        return self.install.bot_id

    @property
    def app_id(self) -> str:
        return self.install.app_id

    @property
    def team_id(self) -> str:
        return self.install.team_id

    @property
    def scopes(self) -> set[str]:
        """What the bot token may do; change it and it changes at once."""
        return self._access.scopes

    @property
    def subscribed(self) -> set[str]:
        """Which events the app gets; change it and it changes at once."""
        return self._events.subscribed

    @property
    def foreign_visits(self) -> list[tuple[str, str | None]]:
        """Fetches from where other people's hosts would be: path and Authorization header."""
        return self._api.foreign_visits

    @property
    def limits(self) -> Limits | None:
        return self._gate.limits

    @limits.setter
    def limits(self, limits: Limits | None) -> None:
        self._gate.limits = limits

    @property
    def refused(self) -> int:
        """How many calls were one too many for the limits."""
        return self._gate.refused

    def revoke(self, token: str | None = None, *, error: str = "token_revoked") -> None:
        """Let a token (the bot's) be refused from now on."""
        self._access.dead_tokens[token or self.bot_token] = error

    async def uninstalls(self) -> None:
        await super().uninstalls()
        self.revoke(error="account_inactive")

    def restore(self, token: str | None = None) -> None:
        self._access.dead_tokens.pop(token or self.bot_token, None)

    def mute_events(self, is_muted: bool = True) -> None:
        """Let nothing of what happens reach the app: neither now nor later."""
        self._events.is_muted = is_muted

    def use_http(self, url: str, secret: str) -> HttpEvents:
        """Deliver over HTTP to *url* from now on, signed with *secret*, instead of over sockets."""
        variants = self._workspace.variants
        self.http = HttpEvents(self._session, url, secret, variants, clock=self.clock)
        self._courier.transport = self.http
        return self.http

    async def stop_listening(self) -> None:
        """Refuse connections, and cut the open ones: Slack is gone."""
        await self._listening.stop()

    async def listen_again(self) -> None:
        """Be there again, at the same address."""
        await self._listening.start()


@asynccontextmanager
async def slack_server(
    *,
    clock: Clock | None = None,
    limits: bool | Limits = False,
    signing_secret: str | None = None,
    events_url: str | None = None,
    scopes: Sequence[str] | None = None,
    events: Sequence[str] | None = None,
    install: Install | None = None,
    variants: Variants | None = None,
    faults: Faults | None = None,
    seed: int = 0,
) -> AsyncIterator[SlackServer]:
    """Serve one workspace on loopback until the context is left.

    Args:
        clock: owns every timer; `Clock(speed=60)` makes a minute last a second.
        limits: whether Slack's rate limits are enforced, or other ones.
        signing_secret: with *events_url*: deliver over HTTP instead of Socket Mode (`use_http` does it later).
        scopes: of the bot token; the reference's manifest's unless given.
        events: the app's subscriptions; the manifest's unless given.
        install: team, tokens and ids, when others are wanted.
        variants: which Slack, where it is undocumented.
        seed: of everything random: which socket gets an envelope, envelope ids.
    """
    clock, faults, variants = clock or Clock(), faults or Faults(), variants or Variants()
    install = _installed(install or Install(), scopes, events)
    workspace = Workspace(install, variants, clock=clock, seed=seed)
    access = Access(workspace)
    triggers = Triggers(clock)
    allowed = Limits() if limits is True else limits or None
    gate = RateGate(allowed, variants, clock)
    sockets = Sockets(install, variants, faults, clock=clock, bell=workspace.bell, dice=workspace.random)
    try:
        async with aiohttp.ClientSession() as session, Tasks() as tasks:
            wire = Wire(faults, clock=clock, bell=workspace.bell, tasks=tasks)
            courier = Courier(variants, faults, clock=clock, bell=workspace.bell, tasks=tasks)
            courier.transport = sockets
            told = Events(workspace, courier, faults, access.scopes)
            interactions = Interactions(workspace, courier, triggers)
            api = WebApi(
                workspace, access, gate=gate, wire=wire, sockets=sockets, triggers=triggers, interactions=interactions
            )
            async with listening(api.app(), wire, sockets) as door:
                workspace.base = door.url
                server = SlackServer(
                    workspace=workspace,
                    events=told,
                    interactions=interactions,
                    courier=courier,
                    sockets=sockets,
                    wire=wire,
                    access=access,
                    gate=gate,
                    api=api,
                    listening=door,
                    session=session,
                )
                server.channel("general")
                if events_url is not None:
                    assert signing_secret is not None, "HTTP delivery needs a signing secret"
                    server.use_http(events_url, signing_secret)
                yield server
    finally:
        clock.close()


@asynccontextmanager
async def listening(app: web.Application, wire: Wire, sockets: Sockets) -> AsyncIterator[Listening]:
    """The listening server; when it is left, nothing waits for open connections."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    door = Listening(runner)
    try:
        await door.start()
        yield door
    finally:
        wire.closing.set()
        await sockets.close()
        await runner.cleanup()


def _installed(install: Install, scopes: Sequence[str] | None, events: Sequence[str] | None) -> Install:
    return replace(
        install,
        scopes=install.scopes if scopes is None else frozenset(scopes),
        events=install.events if events is None else frozenset(events),
    )
