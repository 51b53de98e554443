"""What is behind a link to a message, for somebody who is seen to be allowed to read it there."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from urllib.parse import urlsplit

from adapters.slack.calls import Calls, SlackClosed, SlackRefused
from adapters.slack.history import history
from adapters.slack.people import People
from adapters.slack.places import is_direct, read_link, thread_of
from adapters.slack.workspace import Workspace
from bot.errors import LinkRefused
from bot.messages import MessageId, Person, Said, Standing, Thread
from bot.read_link import NOTHING

_AFTER_ALL = MessageId("999999999999.999999")  # the ts of no message yet
_DIRECT = "Direct messages are never read for anybody."
_MOST_PAGES = 20  # of members, a thousand each


async def read_for(
    calls: Calls, people: People, me: Workspace, person: Person, link: str, *, permits: Callable[[Thread], bool]
) -> Sequence[Said]:
    """The thread that a link's message stands in, or the message alone; see `Adapter`.

    A channel's members may read it, and where it is public all full members of the workspace; guests and people of
    other organisations only where they are members. What is said directly is never read.

    Raises:
        LinkRefused: it is not for them, or not for the bot.
        PlatformAway, ThreadClosed, SlackRefused: as `history` does.
    """
    found = read_link(link)
    if found is None:
        raise LinkRefused("That is no link to a message in Slack.")
    if found.host != urlsplit(me.url).hostname:
        raise LinkRefused("That link leads to another workspace than this one.")
    if is_direct(found.channel_id):
        raise LinkRefused(_DIRECT)
    linked = thread_of(me.installation_id, found.channel_id, found.ts, found.thread_ts)
    if not permits(linked):
        raise LinkRefused(NOTHING)
    try:
        told = await calls.call("conversations.info", safe=True, channel=found.channel_id)
    except (SlackClosed, SlackRefused) as error:
        raise LinkRefused(NOTHING) from error
    channel = told.get("channel")
    if not isinstance(channel, Mapping) or kind_of(channel) is Kind.DIRECT:
        raise LinkRefused(NOTHING)
    if channel.get("is_member") is not True:
        raise LinkRefused(NOTHING)
    # In an organisation a public channel of another workspace is not open to everybody.
    is_public = kind_of(channel) is Kind.PUBLIC and me.installation_id == me.team_id
    is_open = is_public and await people.standing(person.id) is Standing.MEMBER
    if not is_open and not await _is_in(calls, person, found.channel_id):
        raise LinkRefused(NOTHING)
    return await history(calls, people, me, linked, before=_AFTER_ALL, since=None)


class Kind(Enum):
    """Who may read a channel, as far as Slack tells."""

    PUBLIC = auto()  # full members of the workspace
    PRIVATE = auto()  # its members
    DIRECT = auto()  # those between whom it is


def kind_of(channel: Mapping[str, object]) -> Kind:
    """What a channel is, as ``conversations.info`` tells it. New private ones call themselves channels, too."""
    if channel.get("is_im") or channel.get("is_mpim"):
        return Kind.DIRECT
    is_public = channel.get("is_channel") is True and channel.get("is_private") is False
    return Kind.PUBLIC if is_public else Kind.PRIVATE


async def _is_in(calls: Calls, person: Person, channel_id: str) -> bool:
    """Whether somebody is among a channel's members, as many as are looked through."""
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        told = await calls.call("conversations.members", safe=True, channel=channel_id, limit=1000, cursor=cursor)
        members = told.get("members")
        if isinstance(members, list) and person.id in members:
            return True
        more = told.get("response_metadata")
        following = more.get("next_cursor") if isinstance(more, Mapping) else None
        if not isinstance(following, str) or not following or following == cursor:
            return False
        cursor = following
    return False
