"""What the workspace holds: people, channels, posts, files. It changes here, and every change rings the bell."""

import random
import re
from collections.abc import Callable

from tests.support.slack.channels import Channel, ChannelKind
from tests.support.slack.clock import Clock
from tests.support.slack.files import File
from tests.support.slack.json_types import JsonObject
from tests.support.slack.mentions import Ping, PingKind, Unfurl
from tests.support.slack.people import Person, PersonKind
from tests.support.slack.posts import Post, expanded
from tests.support.slack.status import Statuses
from tests.support.slack.variants import Install, Variants
from tests.support.slack.work import Bell

FOREIGN_TEAM = "T0ELSEWHER"


def identifier(letter: str, name: str) -> str:
    """An id of Slack's look that a reader still recognises: ``ada`` is ``U0ADA00000``."""
    return f"{letter}0{re.sub('[^A-Z0-9]', '', name.upper())}".ljust(10, "0")


class Workspace:
    """Everything one Slack workspace knows, without any wire."""

    def __init__(self, install: Install, variants: Variants, *, clock: Clock, seed: int) -> None:
        self.install, self.variants, self.clock = install, variants, clock
        self.bell = Bell()
        self.random = random.Random(seed)  # noqa: S311 - seeded, so that a failing run can be run again
        self.base = ""  # http://127.0.0.1:PORT, once it is known
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, File] = {}
        self.statuses = Statuses(clock, self.bell)
        self.homes: dict[str, JsonObject] = {}
        self.modals: list[JsonObject] = []
        self.pings: list[Ping] = []
        self.unfurls: list[Unfurl] = []
        self.on_posted: Callable[[Post], None] = lambda post: None  # events follow from it
        self.on_changed: Callable[[Post, JsonObject], None] = lambda post, previous: None
        self.on_deleted: Callable[[Post, JsonObject], None] = lambda post, previous: None
        self._counter = 0
        me = Person(install.bot_user_id, install.bot_name, install.team_id, "bot", install.bot_id, install.app_id)
        self.people[me.id] = me

    def new_id(self, letter: str) -> str:
        self._counter += 1
        return f"{letter}0{self._counter:08d}"

    def new_ts(self, channel: Channel) -> str:
        """A ts of this channel, later than all before; [3] it is unique per channel."""
        channel.last_micros = max(int(self.clock.now() * 1_000_000), channel.last_micros + 100)
        return f"{channel.last_micros // 1_000_000}.{channel.last_micros % 1_000_000:06d}"

    def person(self, name: str, *, kind: PersonKind = "member", team_id: str | None = None) -> Person:
        """Who has this id or name; a member of that name when there is nobody yet."""
        id_ = name if name in self.people else identifier("U", name)
        if id_ not in self.people:
            home = team_id or (FOREIGN_TEAM if kind == "stranger" else self.install.team_id)
            bot_id = identifier("B", name) if kind == "bot" else None
            self.people[id_] = Person(id_, name, home, kind, bot_id, identifier("A", name) if bot_id else None)
        return self.people[id_]

    def open_channel(self, name: str, kind: ChannelKind, members: set[str]) -> Channel:
        """The channel of this name; made when there is none."""
        id_ = identifier("D" if kind == "im" else "C", name)
        if id_ not in self.channels:
            self.channels[id_] = Channel(id_, name, kind, members, int(self.clock.now()))
            self.bell.ring()
        return self.channels[id_]

    def direct(self, person: Person) -> Channel:
        """The direct line between the bot and somebody."""
        return self.open_channel(f"dm-{person.name}", "im", {person.id, self.install.bot_user_id})

    def channel(self, name: str) -> Channel:
        """The channel of this id or name. Raises KeyError when there is none."""
        if name in self.channels:
            return self.channels[name]
        return next(found for found in self.channels.values() if found.name == name.lstrip("#"))

    def post(self, post: Post) -> Post:
        """Let the post stand in its channel."""
        self.channels[post.channel].add(post)
        if post.is_own and post.ephemeral_for is None:
            self.statuses.clear(post.channel, post.root_ts)  # [5] the status goes when the app posts
        if post.ephemeral_for is None:
            self.on_posted(post)
        self.bell.ring()
        return post

    def told(self, post: Post, *, metadata: bool = False) -> JsonObject:
        """The post as the wire tells it."""
        root = self.channels[post.channel].posts.get(post.root_ts) if post.is_reply else None
        told = post.as_json(self.install, root=root, metadata=metadata, keeps_text=self.variants.keeps_text_of_markdown)
        if "blocks" in told and not self.variants.keeps_markdown_blocks:
            told["blocks"] = [expanded(block) for block in told["blocks"]]
        return told

    def note_ping(self, post: Post, kind: PingKind, whom: str, token: str, method: str) -> None:
        """Remember that a post notified somebody; once, however often the text is shown again."""
        ping = Ping(post.channel, post.ts, kind, whom, token, method)
        if not any((known.channel, known.ts, known.token) == (ping.channel, ping.ts, token) for known in self.pings):
            self.pings.append(ping)

    def change(self, post: Post, change: Callable[[Post], None]) -> None:
        previous = self.told(post)
        change(post)
        self.on_changed(post, previous)
        self.bell.ring()

    def delete(self, post: Post) -> None:
        previous = self.told(post)
        self.channels[post.channel].remove(post)
        self.on_deleted(post, previous)
        self.bell.ring()
