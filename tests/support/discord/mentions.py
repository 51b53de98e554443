"""Who a text mentions, who is pinged by it, and which links it shows a preview of ([3], [5.3])."""

import re
from collections.abc import Collection, Container, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.support.discord.json_types import JsonObject
from tests.support.discord.refusal import invalid

PingKind = Literal["everyone", "role", "user", "reply"]
_USERS = re.compile(r"<@!?([0-9]{15,20})>")
_ROLES = re.compile(r"<@&([0-9]{15,20})>")
_EVERYONE = re.compile(r"@(everyone|here)\b")
_CODE = re.compile(r"(`{3,}).*?\1|(`{1,2}).+?\2", re.DOTALL)
_LINKS = re.compile(r"(?<!<)https?://[^\s<>|)\]\"'`]+")
MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class Ping:
    """Somebody who was notified by a message.

    Attributes:
        whom: an id, ``everyone`` or ``here``.
        by: the id of the author.
        is_silent: the message was sent without a sound.
    """

    channel: str
    message: str
    kind: PingKind
    whom: str
    by: str
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """A link in a message that Discord would have shown a preview of."""

    channel: str
    message: str
    url: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a message may ping. Without the field everything, the author of the message replied to as well ([5.3])."""

    everyone: bool = True
    all_users: bool = True
    all_roles: bool = True
    user_ids: Collection[str] = field(default_factory=frozenset)
    role_ids: Collection[str] = field(default_factory=frozenset)
    replied_user: bool = True


def read_allowed(said: JsonObject | None) -> Allowed:
    """The body's ``allowed_mentions``. Raises Refused for one that contradicts itself."""
    if said is None:
        return Allowed()
    parse = set(said.get("parse") or ())
    users, roles = said.get("users") or (), said.get("roles") or ()
    for name, named in (("users", users), ("roles", roles)):
        if named and name in parse:
            message = f'parse:["{name}"] and {name}: [ids...] are mutually exclusive.'
            raise invalid("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)
        if len(named) > MOST_NAMED:
            raise invalid(f"allowed_mentions.{name}", "BASE_TYPE_MAX_LENGTH", "Must be 100 or fewer in length.")
    return Allowed(
        everyone="everyone" in parse,
        all_users="users" in parse,
        all_roles="roles" in parse,
        user_ids={str(user) for user in users},
        role_ids={str(role) for role in roles},
        # [5.3] any `allowed_mentions` turns the ping of a reply off unless it says otherwise
        replied_user=bool(said.get("replied_user", False)),
    )


@dataclass(frozen=True, slots=True)
class Named:
    """What stands in a text: ids of users and roles, and ``everyone`` or ``here``."""

    user_ids: tuple[str, ...]
    role_ids: tuple[str, ...]
    everyone: str | None


def read_mentions(text: str, *, in_code: bool = False) -> Named:
    """The mentions in *text*; those inside code count only with `in_code`."""
    plain = text if in_code else _CODE.sub(" ", text)
    users, roles = _USERS.findall(plain), _ROLES.findall(plain)
    everyone = _EVERYONE.search(plain)
    return Named(tuple(dict.fromkeys(users)), tuple(dict.fromkeys(roles)), everyone[1] if everyone else None)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a message mentions, as its JSON tells it; all of them are pinged when it is new."""

    user_ids: tuple[str, ...] = ()
    role_ids: tuple[str, ...] = ()
    everyone: str | None = None
    replied_id: str | None = None

    def pings(self) -> list[tuple[PingKind, str]]:
        found: list[tuple[PingKind, str]] = [("user", id_) for id_ in self.user_ids]
        found += [("role", id_) for id_ in self.role_ids]
        if self.everyone is not None:
            found.append(("everyone", self.everyone))
        if self.replied_id is not None and self.replied_id not in self.user_ids:
            found.append(("reply", self.replied_id))
        return found


def reach(
    named: Named,
    allowed: Allowed,
    *,
    users: Container[str],
    roles: Mapping[str, bool],
    may_everyone: bool,
    replied_id: str | None,
) -> Reach:
    """What is left of the mentions in a text ([5.3]).

    Args:
        users: everybody there is.
        roles: of the guild, by id: whether anybody may mention them.
        may_everyone: whether the author has MENTION_EVERYONE, which opens every role as well.
        replied_id: whose message is replied to.
    """
    return Reach(
        tuple(id_ for id_ in named.user_ids if id_ in users and (allowed.all_users or id_ in allowed.user_ids)),
        tuple(
            id_
            for id_ in named.role_ids
            if id_ in roles and (roles[id_] or may_everyone) and (allowed.all_roles or id_ in allowed.role_ids)
        ),
        named.everyone if may_everyone and allowed.everyone else None,
        replied_id if allowed.replied_user else None,
    )


def read_links(text: str) -> list[str]:
    """The links that are shown with a preview: not inside code, and not in angle brackets."""
    return _LINKS.findall(_CODE.sub(" ", text))
