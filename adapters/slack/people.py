"""Who people are: their names and their standing, looked up once and remembered for a while."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

from adapters.slack.calls import Calls, SlackRefused
from adapters.slack.places import is_id
from adapters.slack.workspace import Workspace
from bot.errors import PlatformAway, PlatformError
from bot.messages import Person, Standing

logger = logging.getLogger(__name__)

_UNKNOWN = {"user_not_found", "user_not_visible", "users_not_found"}
_AT_ONCE = 8  # lookups that one reading of names makes side by side


@dataclass(frozen=True, slots=True)
class _Known:
    """What a lookup found; a failed one has no standing."""

    until: float  # on the clock; after it somebody is looked up again
    name: str | None = None
    standing: Standing | None = None
    team_id: str | None = None


class People:
    """Names and standings of the people of a workspace.

    However many ask for somebody, one request is made. Where it fails, that is remembered for a moment, so that a
    crowd does not try one after the other.

    Args:
        most: people remembered; who was not asked for the longest is forgotten first.
        age: seconds after which somebody is looked up again.
        failed_age: seconds for which a lookup that failed is not tried again.
    """

    def __init__(
        self,
        calls: Calls,
        me: Workspace,
        *,
        clock: Callable[[], float] = time.monotonic,
        most: int = 10_000,
        age: float = 3600.0,
        failed_age: float = 5.0,
    ) -> None:
        self._calls, self._me, self._clock = calls, me, clock
        self._most, self._age, self._failed_age = most, age, failed_age
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._asking: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # gone when nobody waits

    def known(self, user: str) -> str | None:
        """Somebody's name, if it is known without asking."""
        known = self._remembered(user)
        return known.name if known else None

    async def name(self, user: str, *, within: float = 1.0) -> str | None:
        """Somebody's name; None when it cannot be told in so many seconds."""
        return (await self.names([user], within=within)).get(user)

    async def names(self, users: Iterable[str], *, within: float = 2.0, most: int = 50) -> Mapping[str, str]:
        """The names of these people, of as many as could be told in so many seconds.

        Args:
            most: lookups that are made; the names of the others stay unknown.
        """
        wanted = list(dict.fromkeys(users))
        unknown = [user for user in wanted if self._remembered(user) is None][:most]
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def look_up(user: str) -> None:
            async with at_once:
                await self._look_up(user)

        if unknown:
            try:
                async with asyncio.timeout(within), asyncio.TaskGroup() as lookups:
                    for user in unknown:
                        lookups.create_task(look_up(user))
            except TimeoutError:
                logger.info("names not told in time", extra={"people": len(unknown)})
        found = {user: self.known(user) for user in wanted}
        return {user: name for user, name in found.items() if name}

    async def standing(self, user: str) -> Standing:
        """What somebody is to the installation.

        Raises:
            PlatformAway: it cannot be told now. Nobody is taken for a member for want of an answer.
        """
        known = await self._look_up(user)
        if known.standing is None:
            raise PlatformAway(f"users.info cannot tell who {user} is")
        return known.standing

    def known_standing(self, user: str) -> Standing | None:
        """What somebody is, if it is known without asking."""
        known = self._remembered(user)
        return known.standing if known else None

    async def team(self, person: Person) -> str | None:
        """The workspace somebody belongs to; None when that of an outsider cannot be told.

        Nobody else is looked up for it: whoever is not known to be an outsider belongs to ours.
        """
        is_outsider = person.standing is Standing.OUTSIDER
        known = await self._look_up(person.id) if is_outsider else self._remembered(person.id)
        if known is not None and known.team_id is not None:
            return known.team_id
        is_outsider = is_outsider or (known is not None and known.standing is Standing.OUTSIDER)
        return None if is_outsider else self._me.team_id

    async def _look_up(self, user: str) -> _Known:
        """What is known of somebody, asked for if need be."""
        if known := self._remembered(user):
            return known
        async with self._asking.setdefault(user, asyncio.Lock()):
            # Whoever waited finds the answer here; when who asked was cancelled, the next one asks.
            return self._remembered(user) or self._remember(user, await self._ask(user))

    async def _ask(self, user: str) -> _Known:
        try:
            told = await self._calls.call("users.info", safe=True, user=user)
        except SlackRefused as error:
            if error.error in _UNKNOWN:  # as far as we can see, nobody of ours
                return _Known(self._clock() + self._age, standing=Standing.OUTSIDER)
            logger.warning("person not looked up", extra={"person": user, "error": error.error})
        except PlatformError as error:
            logger.info("person not looked up", extra={"person": user, "error": type(error).__name__})
        else:
            person = told.get("user")
            if isinstance(person, Mapping):
                return _Known(
                    self._clock() + self._age,
                    _name_of(person),
                    standing_of(person, self._me),
                    team_of(person, self._me),
                )
        return _Known(self._clock() + self._failed_age)

    def _remembered(self, user: str) -> _Known | None:
        known = self._known.get(user)
        if known is None:
            return None
        if known.until <= self._clock():
            del self._known[user]
            return None
        self._known.move_to_end(user)
        return known

    def _remember(self, user: str, known: _Known) -> _Known:
        self._known[user] = known
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return known


def standing_of(person: Mapping[str, object], me: Workspace) -> Standing:
    """What a user object says somebody is. What it does not say counts against them.

    In an organisation people belong to workspaces and to the whole: `enterprise_user` names both.
    """
    homes = _homes(person)
    if person.get("is_stranger") or not (me.team_id in homes or me.installation_id in homes):
        return Standing.OUTSIDER
    if person.get("is_restricted") or person.get("is_ultra_restricted"):
        return Standing.GUEST
    return Standing.MEMBER


def team_of(person: Mapping[str, object], me: Workspace) -> str | None:
    """The workspace that a user object says somebody belongs to: ours, if it is among several."""
    team = person.get("team_id")
    return me.team_id if me.team_id in _homes(person) else str(team) if is_id(team) else None


def _homes(person: Mapping[str, object]) -> list[object]:
    """Every workspace and organisation somebody belongs to."""
    wider = person.get("enterprise_user")
    enterprise = wider if isinstance(wider, Mapping) else {}
    teams = enterprise.get("teams")
    return [person.get("team_id"), enterprise.get("enterprise_id"), *(teams if isinstance(teams, list) else ())]


def _name_of(person: Mapping[str, object]) -> str | None:
    """The name people see beside a message."""
    shown = person.get("profile")
    profile = shown if isinstance(shown, Mapping) else {}
    names = (profile.get("display_name"), profile.get("real_name"), person.get("real_name"), person.get("name"))
    return next((name.strip() for name in names if isinstance(name, str) and name.strip()), None)
