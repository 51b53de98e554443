"""Where something stands in Slack, and the name its thread has in Clew. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from bot.messages import MessageId, Platform, Thread
from bot.ports import Pointed

SLACK = Platform("slack")

_ID = re.compile(r"[A-Za-z0-9]{1,64}")
_TS = re.compile(r"[0-9]{1,12}\.[0-9]{1,9}")
_ARCHIVES = re.compile(r"/archives/(?P<channel>[A-Z0-9]{2,64})/p(?P<seconds>[0-9]{1,12})(?P<micros>[0-9]{6})/?")


def is_id(value: object) -> bool:
    """Whether something can be the id of a team, channel, person or file."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_ts(value: object) -> bool:
    """Whether something can be a message's ``ts``: digits, a dot, digits."""
    return isinstance(value, str) and _TS.fullmatch(value) is not None


def is_direct(channel_id: str, channel_type: object = None) -> bool:
    """Whether a channel is somebody's direct line to the bot. Not every payload names its kind; the id tells it too."""
    return channel_type == "im" if isinstance(channel_type, str) else channel_id.startswith("D")


def thread_of(
    installation_id: str, channel_id: str, ts: str, thread_ts: str | None, *, channel_type: object = None
) -> Thread:
    """The thread a message belongs to.

    In a channel a post begins a thread and its replies go on with it. The top level of a direct message
    is one conversation, named after the channel; a thread inside it is its own. There a parent has its
    own ts as thread_ts once it has replies, and still stands at the top level.
    """
    if not is_direct(channel_id, channel_type):
        return Thread(SLACK, installation_id, channel_id, thread_ts or ts)
    return Thread(SLACK, installation_id, channel_id, thread_ts if thread_ts and thread_ts != ts else channel_id)


def place_of(thread: Thread) -> tuple[str, str | None]:
    """The channel of a thread, and the ``thread_ts`` to post with; None at the top level of a direct message."""
    return thread.channel_id, None if thread.thread_id == thread.channel_id else thread.thread_id


@dataclass(frozen=True, slots=True)
class Link:
    """A message's address, as "Copy link" gives it."""

    host: str
    channel_id: str
    ts: MessageId
    thread_ts: str | None

    def thread(self, installation_id: str) -> Thread:
        """The thread that the message belongs to."""
        return thread_of(installation_id, self.channel_id, self.ts, self.thread_ts)


def pointed_by(text: str) -> Pointed | None:
    """What a link to a message leads to; it names no installation. None when *text* is something else."""
    link = read_link(text)
    if link is None:
        return None
    thread = link.thread("any")
    return Pointed(SLACK, thread.thread_id, thread.channel_id)


def read_link(text: str) -> Link | None:
    """The link to a message that *text* is, bare or as Slack escapes links; None when it is something else.

    ``https://TEAM.slack.com/archives/C123/p1700000000123456[?thread_ts=1700000000.000100&cid=C123]``
    """
    bare = text.strip().removeprefix("<").removesuffix(">").partition("|")[0].replace("&amp;", "&")
    try:
        url = urlsplit(bare)
        host = url.hostname
    except ValueError:
        return None
    found = _ARCHIVES.fullmatch(url.path)
    if url.scheme not in {"http", "https"} or not host or found is None or " " in bare:
        return None
    thread_ts = next(iter(parse_qs(url.query).get("thread_ts", [])), None)
    if thread_ts is not None and not is_ts(thread_ts):
        return None
    return Link(host, found["channel"], MessageId(f"{found['seconds']}.{found['micros']}"), thread_ts)
