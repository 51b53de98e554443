"""The app's commands: registering them ([1] command sync), and which of them somebody can use where."""

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from tests.support.discord.calls import Call
from tests.support.discord.clock import Clock
from tests.support.discord.json_types import JsonObject
from tests.support.discord.refusal import Refused, invalid
from tests.support.discord.rest import NOTHING_TO_SAY, Answer, Route

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
MOST = {CHAT_INPUT: 100, USER: 15, MESSAGE: 15}  # [1]
CREATES_A_DAY, DAY = 200, 86_400.0  # [1] per guild, and globally
LONGEST = 8_000  # code points of names, descriptions and values of one command [D commands]
IN_GUILD, IN_DM = 0, 1  # [1] contexts
_NAME = re.compile(r"[-_'\w]{1,32}")


class Commands:
    """What is registered globally and per guild.

    Attributes:
        writes: every list that was ever put, so a test can say that nothing was synced again.
    """

    def __init__(self, application_id: str, clock: Clock, new_id: Callable[[], str]) -> None:
        self._application_id, self._clock, self._new_id = application_id, clock, new_id
        self._registered: dict[str | None, dict[tuple[int, str], JsonObject]] = {}
        self._created: dict[str | None, deque[float]] = {}
        self.writes: list[JsonObject] = []

    def routes(self) -> Iterator[Route]:
        for place in ("", "/guilds/{guild}"):
            path = f"/applications/{{application}}{place}/commands"
            yield Route("GET", path, self.list)
            yield Route("PUT", path, self.put)
            yield Route("POST", path, self.create)
            yield Route("DELETE", path + "/{command}", self.delete)

    def registered(self, guild_id: str | None = None) -> list[JsonObject]:
        """The commands of a guild, or the global ones."""
        return list(self._registered.get(guild_id, {}).values())

    def find(self, name: str, kind: int, guild_id: str | None) -> JsonObject:
        """The command somebody can pick there: a guild's own goes before a global one, DMs have global ones only ([1]).

        Raises:
            LookupError: nobody is offered such a command there.
        """
        places = [guild_id, None] if guild_id else [None]
        for place in places:
            command = self._registered.get(place, {}).get((kind, name))
            if command is not None and _is_offered(command, IN_GUILD if guild_id else IN_DM):
                return command
        offered = [key for place in places for key in self._registered.get(place, {})]
        raise LookupError(f"no command {name!r} of kind {kind} is offered here, only {offered}")

    # --- routes ---------------------------------------------------------------------------------

    def list(self, call: Call) -> Answer:
        return Answer(self.registered(self._guild_of(call)))

    def put(self, call: Call) -> Answer:
        """All of them at once or none: what is not named is gone, what keeps its name keeps its id ([1])."""
        guild_id = self._guild_of(call)
        said: Sequence[JsonObject] = call.body  # type: ignore[assignment]  # this body is a list
        self.writes.append({"guild_id": guild_id, "commands": said})
        before = self._registered.get(guild_id, {})
        after: dict[tuple[int, str], JsonObject] = {}
        for number, command in enumerate(said):
            key = _check(command, str(number))
            if key in after:
                raise invalid(
                    f"{number}", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
                )
            after[key] = self._told(command, guild_id, before.get(key))
        self._keep(guild_id, before, after)
        return Answer(self.registered(guild_id))

    def create(self, call: Call) -> Answer:
        """One of them; another of that name is overwritten."""
        guild_id = self._guild_of(call)
        self.writes.append({"guild_id": guild_id, "commands": [call.body]})
        key = _check(call.body, "")
        before = self._registered.get(guild_id, {})
        self._keep(guild_id, before, before | {key: self._told(call.body, guild_id, before.get(key))})
        return Answer(self._registered[guild_id][key], 200 if key in before else 201)

    def delete(self, call: Call) -> Answer:
        guild_id = self._guild_of(call)
        self.writes.append({"guild_id": guild_id, "deleted": call.params["command"]})
        registered = self._registered.get(guild_id, {})
        gone = [key for key, command in registered.items() if command["id"] == call.params["command"]]
        if not gone:
            raise Refused(10063, status=404, message="Unknown application command")
        del registered[gone[0]]
        return NOTHING_TO_SAY

    def _guild_of(self, call: Call) -> str | None:
        if call.params["application"] != self._application_id:
            raise Refused(
                20012, status=403, message="You are not authorized to perform this action on this application"
            )
        return call.params.get("guild")

    def _keep(
        self,
        guild_id: str | None,
        before: dict[tuple[int, str], JsonObject],
        after: dict[tuple[int, str], JsonObject],
    ) -> None:
        for kind, most in MOST.items():
            if sum(key[0] == kind for key in after) > most:
                raise Refused(30032, message=f"Maximum number of application commands reached ({most})")
        now, created = self._clock.now(), self._created.setdefault(guild_id, deque())
        while created and created[0] <= now - DAY:
            created.popleft()
        new = len(after.keys() - before.keys())
        if len(created) + new > CREATES_A_DAY:
            raise Refused(30034)
        created.extend([now] * new)
        self._registered[guild_id] = after

    def _told(self, command: JsonObject, guild_id: str | None, known: JsonObject | None) -> JsonObject:
        told: JsonObject = {
            "type": CHAT_INPUT,
            "description": "",
            "default_member_permissions": None,
            "nsfw": False,
            "contexts": None,
            "integration_types": [0],
            **command,
            "application_id": self._application_id,
        }
        if guild_id is not None:
            told["guild_id"] = guild_id
        if known is not None and {**known, **told} == known:
            return known
        return told | {"id": known["id"] if known else self._new_id(), "version": self._new_id()}


def _is_offered(command: JsonObject, context: int) -> bool:
    if context == IN_DM and command.get("dm_permission") is False:
        return False
    contexts = command.get("contexts")
    return contexts is None or context in contexts


def _check(command: JsonObject, place: str) -> tuple[int, str]:
    """The command's key. Raises Refused when it could not be registered ([D commands])."""

    def wrong(field: str, code: str, message: str) -> Refused:
        return invalid(".".join(part for part in (place, field) if part), code, message)

    kind, name = command.get("type", CHAT_INPUT), command.get("name") or ""
    description = command.get("description") or ""
    if kind == CHAT_INPUT:
        if not _NAME.fullmatch(name) or name != name.lower():
            raise wrong("name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        if not 1 <= len(description) <= 100:
            raise wrong("description", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    elif not 1 <= len(name) <= 32:
        raise wrong("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length.")
    elif description or command.get("options"):
        raise wrong(
            "description", "APPLICATION_COMMANDS_NO_DESCRIPTION", "Context menus have no description or options"
        )
    _check_options(command.get("options") or [], wrong)
    if _length(command) > LONGEST:
        raise wrong("", "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({LONGEST})")
    return kind, name


def _check_options(options: Sequence[JsonObject], wrong: Callable[[str, str, str], Refused]) -> None:
    if len(options) > 25:
        raise wrong("options", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    is_required = [bool(option.get("required")) for option in options]
    if is_required != sorted(is_required, reverse=True):
        code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
        raise wrong("options", code, "Required options must be placed before non-required options")
    for number, option in enumerate(options):
        name, description = option.get("name") or "", option.get("description") or ""
        if not _NAME.fullmatch(name) or name != name.lower():
            raise wrong(f"options.{number}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
        if not 1 <= len(description) <= 100:
            raise wrong(f"options.{number}.description", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        if len(option.get("choices") or []) > 25:
            raise wrong(f"options.{number}.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")


def _length(part: JsonObject) -> int:
    own = sum(len(str(part.get(name) or "")) for name in ("name", "description", "value"))
    return own + sum(_length(inner) for name in ("options", "choices") for inner in part.get(name) or [])
