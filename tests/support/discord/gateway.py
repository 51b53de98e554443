"""The gateway: section 2 of the reference."""

import asyncio
import json
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.support.discord.access import Access
from tests.support.discord.calls import Call
from tests.support.discord.faults import Faults
from tests.support.discord.guilds import Guild
from tests.support.discord.intents import KNOWN, Intent
from tests.support.discord.json_types import JsonObject
from tests.support.discord.payloads import Payloads
from tests.support.discord.sessions import Event, Session
from tests.support.discord.sockets import Socket
from tests.support.discord.world import World

FRAMES_A_MINUTE = 120  # [2.1]
SWAPPED_FOR = 0.5  # seconds a swapped event waits for the one that is to overtake it
LEFT_FOR_GOOD = frozenset({1000, 1001})  # [2.2] with any other code the session can be resumed


class Closing(Exception):
    """The connection is closed with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Told:
    """An event that happened, as an app that may read everything is told it."""

    name: str
    data: JsonObject = field(repr=False)
    at: float
    sessions: int  # how many it was for


class Gateway:
    """The sessions of the app and their connections; every event goes out through `tell`."""

    def __init__(self, world: World, access: Access, payloads: Payloads, faults: Faults) -> None:
        self._world, self._access, self._payloads, self._faults = world, access, payloads, faults
        self.sessions: dict[str, Session] = {}
        self.all: list[Socket] = []
        self.told: list[Told] = []
        self.url = ""  # ws://127.0.0.1:PORT/gw
        self.identifies = 0
        self.refused: list[int] = []  # close codes of connections that were not let in
        self._identified_at: dict[int, float] = {}
        self._held: list[Event] | None = None

    @property
    def open(self) -> list[Socket]:
        """Connections with a session, oldest first."""
        return [socket for socket in self.all if socket.is_open and socket.session is not None]

    # --- events -------------------------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Tell an event to every session that takes it."""
        if self._held is not None:
            self._held.append(event)
            return
        takers = [one for one in self.sessions.values() if not one.is_over and one.takes(event)]
        self.told.append(Told(event.name, event.tell(True), self._world.clock.now(), len(takers)))
        for session in takers:
            self._pass_on(session, event)
        self._world.bell.ring()

    @contextmanager
    def after(self, call: Call, *, never: bool = False) -> Iterator[None]:
        """What happens inside is told after the call's answer, or not at all."""
        held: list[Event] = []
        self._held = held
        try:
            yield
        finally:
            self._held = None
        if not never:
            call.afterwards.extend(_later(self.tell, event) for event in held)

    async def settled(self) -> None:
        """Wait until everything that was told is written, but not for connections that do not read."""
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                for socket in self.open:
                    await socket.written()

    def _pass_on(self, session: Session, event: Event) -> None:
        fault, seconds = self._faults.events.take(event.name) or (None, 0.0)
        sees_content = Intent.MESSAGE_CONTENT in session.intents
        data = event.tell(sees_content)
        match fault:
            case "lose":
                return
            case "swap" if session.held is None:
                session.held = event
                self._world.clock.after(SWAPPED_FOR, lambda: self._let_go(session))
                return
            case "malform":
                data = {}
            case "delay" if session.socket is not None:
                session.socket.pause(seconds)
            case "double":
                session.say(event.name, data)
        session.say(event.name, data)
        self._let_go(session)

    def _let_go(self, session: Session) -> None:
        held, session.held = session.held, None
        if held is not None:
            session.say(held.name, held.tell(Intent.MESSAGE_CONTENT in session.intents))

    # --- connections --------------------------------------------------------------------------------

    async def connect(self, request: web.Request) -> web.StreamResponse:
        if self._faults.refuse_gateway is not None:
            return web.Response(status=self._faults.refuse_gateway)
        socket = Socket(len(self.all) + 1, request, self._world.clock)
        await socket.stream.prepare(request)
        self.all.append(socket)
        pump = asyncio.ensure_future(socket.pump())
        try:
            if request.query.get("v") not in {"9", "10"}:
                raise Closing(4012)
            interval = int(self._world.variants.heartbeat_interval * 1000)
            await socket.send({"op": 10, "d": {"heartbeat_interval": interval}})
            await self._listen(socket)
        except Closing as closing:
            self.refused.append(closing.code)
            await socket.close(closing.code)
        finally:
            pump.cancel()
            self._lost(socket)
        return socket.stream

    async def close(self) -> None:
        for socket in self.all:
            if socket.is_half_open:
                socket.reset()
            elif socket.is_open:
                await socket.close(1001)

    def forget_sessions(self) -> None:
        """No session can be resumed any more."""
        for session in self.sessions.values():
            session.is_over = True

    async def _listen(self, socket: Socket) -> None:
        frames: deque[float] = deque(maxlen=FRAMES_A_MINUTE)
        async for message in socket.stream:
            if socket.is_half_open:
                continue
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                continue
            now = self._world.clock.now()
            if len(frames) == FRAMES_A_MINUTE and now - frames[0] < 60:
                raise Closing(4008)
            frames.append(now)
            try:
                said = json.loads(message.data)
            except ValueError:
                raise Closing(4002) from None
            await self._take(socket, said)
            self._world.bell.ring()

    async def _take(self, socket: Socket, said: JsonObject) -> None:
        match said.get("op"):
            case 1:
                socket.heartbeats += 1
                await socket.send({"op": 11})
            case 2 if socket.session is not None:
                raise Closing(4005)
            case 2:
                await self._identify(socket, said["d"])
            case 6:
                await self._resume(socket, said["d"])
            case 3 | 4 | 8:
                if socket.session is None:
                    raise Closing(4003)
            case _:
                raise Closing(4001)

    def _lost(self, socket: Socket) -> None:
        session = socket.session
        if not socket.is_closed_by_us:
            socket.close_code = socket.stream.close_code
        if session is not None and session.socket is socket:
            session.socket, session.lost_at = None, self._world.clock.now()
            session.is_over = session.is_over or socket.close_code in LEFT_FOR_GOOD
        self._world.bell.ring()

    # --- sessions -----------------------------------------------------------------------------------

    async def _identify(self, socket: Socket, said: JsonObject) -> None:
        install, variants = self._world.install, self._world.variants
        if not self._access.knows(said.get("token")):
            raise Closing(4004)
        if self.identifies >= variants.identifies_left:  # [2.1] the token is reset
            self._access.is_token_dead = True
            raise Closing(4004)
        number, count = said.get("shard") or (0, 1)
        if not 0 <= number < count:
            raise Closing(4010)
        intents = said.get("intents", 0)
        if intents < 0 or intents & ~KNOWN:
            raise Closing(4013)
        asked = Intent(intents)
        allowed = {
            Intent.MESSAGE_CONTENT: install.has_message_content,
            Intent.GUILD_MEMBERS: install.has_members,
            Intent.GUILD_PRESENCES: install.has_presences,
        }
        if any(intent in asked and not is_on for intent, is_on in allowed.items()):  # [1]
            raise Closing(4014)
        guilds = [guild for guild in self._world.guilds.values() if (int(guild.id) >> 22) % count == number]
        if len(guilds) > variants.most_guilds:
            raise Closing(4011)
        key = number % variants.max_concurrency
        now = self._world.clock.now()
        if now - self._identified_at.get(key, -math.inf) < variants.identify_every:  # [2.4] too soon after another one
            await socket.send({"op": 9, "d": False})
            return
        self._identified_at[key] = now
        self.identifies += 1
        id_ = f"{self._world.random.getrandbits(128):032x}"
        most = variants.buffer or max(100, min(3500, len(self._world.guilds) * 75))  # [2.2]
        session = Session(id_, asked, (number, count), deque(maxlen=most), socket=socket)
        self.sessions[id_] = socket.session = session
        session.say("READY", self._ready(session, guilds))
        for guild in guilds:
            if Intent.GUILDS in asked and guild.is_available:
                session.say("GUILD_CREATE", self.guild_event(guild))

    async def _resume(self, socket: Socket, said: JsonObject) -> None:
        if not self._access.knows(said.get("token")):
            raise Closing(4004)
        session = self.sessions.get(str(said.get("session_id")))
        missed = None
        if session is not None and not session.is_over and not self._is_too_late(session):
            if said["seq"] is None or said["seq"] > session.sequence:
                raise Closing(4007)
            missed = session.missed_since(said["seq"])
        if session is None or missed is None:
            await socket.send({"op": 9, "d": False})
            return
        if session.socket is not None and session.socket is not socket:
            session.socket.reset()  # one connection a session
        session.socket, session.lost_at, socket.session = socket, None, session
        for frame in missed:
            socket.put(frame)
        session.say("RESUMED", {})

    def _is_too_late(self, session: Session) -> bool:
        since = session.lost_at
        return since is not None and self._world.clock.now() - since > self._world.variants.resumable_for

    def _ready(self, session: Session, guilds: Sequence[Guild]) -> JsonObject:
        return {
            "v": 10,
            "user": self._world.me.as_json() | {"verified": True, "mfa_enabled": False, "email": None},
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": self._world.install.application_id, "flags": 0},
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds],
            "private_channels": [],
            "user_settings": {},
            "relationships": [],
        }

    def guild_event(self, guild: Guild) -> JsonObject:
        """GUILD_CREATE: with the active threads the bot can see ([2.3])."""
        threads = [thread for thread in guild.active_threads if self._access.can_see(thread)]
        return self._payloads.guild(guild, threads=threads)


def _later(tell: Callable[[Event], None], event: Event) -> Callable[[], None]:
    return lambda: tell(event)
