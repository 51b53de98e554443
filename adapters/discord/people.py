"""Who the bot is, who people are, and what they are called."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapters.discord.payloads import Fields, fields, is_id, line, objects
from bot.messages import Person, PersonId, Standing

Called = Callable[[str], str | None]
"""What a person, a role or a channel is called, by its id, if that is known without asking."""


def unknown(_: str) -> None:
    """Of nobody it is known what they are called."""


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself.

    Attributes:
        role_ids: the roles that came with the bot, one in each server; people mention it by them without noticing.
    """

    user_id: str
    role_ids: frozenset[str] = frozenset()


def person_of(user: Fields, member: Fields, called: Called = unknown) -> Person | None:
    """Somebody as a message tells of them; None when it does not.

    A server has no guests: whoever can write in it is a member.
    """
    if not is_id(user.get("id")):
        return None
    return Person(PersonId(str(user["id"])), name_of(user, member, called), Standing.MEMBER)


def name_of(user: Fields, member: Fields, called: Called = unknown) -> str | None:
    """The name people see beside a message. Messages read back do not tell what somebody is called in the server."""
    known = called(str(user.get("id"))) if "nick" not in member else None
    names = (member.get("nick"), known, user.get("global_name"), user.get("username"))
    return next(filter(None, map(line, names)), None)


def mentioned(body: Fields) -> Mapping[str, str]:
    """What those are called whom a message mentions, by their ids."""
    named = ((user, name_of(user, fields(user.get("member")))) for user in objects(body.get("mentions")))
    return {str(user["id"]): name for user, name in named if is_id(user.get("id")) and name}


class Nicknames:
    """What people are called in which server, learnt from what is heard.

    Members are not cached otherwise, and history does not tell it: without this a thread told again would speak of
    people by other names than the model heard before.

    Args:
        most: nicknames remembered; whose was not needed for the longest is forgotten first.
    """

    def __init__(self, *, most: int = 10_000) -> None:
        self._most = most
        self._known: OrderedDict[tuple[str, str], str | None] = OrderedDict()

    def hear(self, body: Fields) -> None:
        """Learn from a message as the gateway tells it."""
        guild = body.get("guild_id")
        if is_id(guild):
            self._learn(guild, fields(body.get("author")), fields(body.get("member")))
            for user in objects(body.get("mentions")):
                self._learn(guild, user, fields(user.get("member")))

    def called(self, guild_id: str, user_id: str) -> str | None:
        """Somebody's nickname in a server, if they have one and it is known."""
        if (guild_id, user_id) in self._known:
            self._known.move_to_end((guild_id, user_id))
        return self._known.get((guild_id, user_id))

    def _learn(self, guild_id: str, user: Fields, member: Fields) -> None:
        user_id = user.get("id")
        if not is_id(user_id) or "nick" not in member:
            return
        nick = line(member["nick"])
        if not nick:  # taken back, or never given
            self._known.pop((guild_id, user_id), None)
            return
        self._known[guild_id, user_id] = nick
        self._known.move_to_end((guild_id, user_id))
        while len(self._known) > self._most:
            self._known.popitem(last=False)
