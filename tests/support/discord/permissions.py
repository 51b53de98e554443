"""What somebody may do in a channel: roles and overwrites, added up in Discord's order (permissions page [1])."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntFlag
from typing import Protocol


class Permission(IntFlag):
    """The bits a bot for conversations can run into."""

    ADMINISTRATOR = 1 << 3
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    CONNECT = 1 << 20
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_EXTERNAL_APPS = 1 << 50
    PIN_MESSAGES = 1 << 51


P = Permission
NOTHING = Permission(0)
EVERYTHING = Permission((1 << 53) - 1)
# [1] what the invite link of the reference asks for
INVITED = Permission(309237763136)
# What Discord gives @everyone in a new guild, as far as it is named above.
EVERYONE = (
    INVITED
    | P.CONNECT
    | P.MENTION_EVERYONE
    | P.USE_APPLICATION_COMMANDS
    | P.CREATE_PRIVATE_THREADS
    | P.USE_EXTERNAL_APPS
)
# [1] a member in time-out keeps these
TIMED_OUT = P.VIEW_CHANNEL | P.READ_MESSAGE_HISTORY


class Role(Protocol):
    """A role, as far as permissions are asked of it."""

    @property
    def id(self) -> str: ...
    @property
    def permissions(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel allows and denies one role or one member beside their roles."""

    id: str
    allow: int = 0
    deny: int = 0
    is_member: bool = False

    def as_json(self) -> dict[str, str | int]:
        return {"id": self.id, "type": int(self.is_member), "allow": str(int(self.allow)), "deny": str(int(self.deny))}


def in_guild(roles: Iterable[Role], *, is_owner: bool = False) -> Permission:
    """What the roles (with @everyone's among them) give before any channel has a say."""
    if is_owner:
        return EVERYTHING
    total = NOTHING
    for role in roles:
        total |= Permission(role.permissions)
    return EVERYTHING if P.ADMINISTRATOR in total else total


def in_channel(
    base: Permission,
    overwrites: Collection[Overwrite],
    *,
    guild_id: str,
    member_id: str,
    role_ids: Collection[str],
    is_voice: bool = False,
    is_timed_out: bool = False,
) -> Permission:
    """What is left of *base* in a channel: first @everyone's overwrite, then the roles' together, then the member's.

    A thread has no overwrites of its own: give its parent's.
    """
    if base == EVERYTHING:
        return base
    for allow, deny in _stages(overwrites, guild_id, member_id, role_ids):
        base = base & ~Permission(deny) | Permission(allow)
    if P.VIEW_CHANNEL not in base or (is_voice and P.CONNECT not in base):
        return NOTHING  # without these two a member has none of the others either
    return base & TIMED_OUT if is_timed_out else base


def _stages(
    overwrites: Collection[Overwrite], guild_id: str, member_id: str, role_ids: Collection[str]
) -> Iterable[tuple[int, int]]:
    stages = (
        [one for one in overwrites if one.id == guild_id],
        [one for one in overwrites if one.id in role_ids],
        [one for one in overwrites if one.id == member_id and one.is_member],
    )
    for stage in stages:
        allow = deny = 0
        for one in stage:
            allow, deny = allow | one.allow, deny | one.deny
        yield allow, deny
