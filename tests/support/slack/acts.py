"""What people do in the workspace."""

from collections.abc import Sequence

from tests.support.slack.channels import Channel
from tests.support.slack.events import Events
from tests.support.slack.files import File, FileMode
from tests.support.slack.interactions import Feedback, Interactions
from tests.support.slack.json_types import JsonObject
from tests.support.slack.people import Person, PersonKind
from tests.support.slack.posts import Post
from tests.support.slack.transcript import Button
from tests.support.slack.twins import Twins
from tests.support.slack.workspace import Workspace

_NOTHING: tuple[File, ...] = ()


class Acts:
    """People are named by a name or an id; somebody unknown is a member from then on. Channels likewise.

    `server.says("ada", "hello")` is enough: the channel ``general`` exists, and the bot is in it.
    """

    def __init__(self, workspace: Workspace, events: Events, interactions: Interactions) -> None:
        self._workspace, self._events, self._interactions = workspace, events, interactions

    # --- who and where --------------------------------------------------------------------------

    def person(self, name: str, *, kind: PersonKind = "member", team_id: str | None = None) -> str:
        """The id of somebody; they are of this kind if they were unknown."""
        return self._workspace.person(name, kind=kind, team_id=team_id).id

    def channel(
        self,
        name: str,
        *,
        kind: str = "channel",
        bot_is_in: bool = True,
        archived: bool = False,
        shared: bool = False,
        read_only: bool = False,
    ) -> str:
        """The id of a public channel or a private one (``group``); made when there is none of that name."""
        members = {self._workspace.install.bot_user_id} if bot_is_in else set()
        assert kind in {"channel", "group"}, "use direct() or group_direct()"
        opened = self._workspace.open_channel(name, "channel" if kind == "channel" else "group", members)
        opened.is_archived, opened.is_ext_shared, opened.is_read_only = archived, shared, read_only
        return opened.id

    def direct(self, name: str) -> str:
        """The id of the direct line between somebody and the bot."""
        return self._workspace.direct(self._workspace.person(name)).id

    def group_direct(self, *names: str) -> str:
        """The id of a group conversation of these people and the bot."""
        people = [self._workspace.person(name) for name in names]
        name = "mpdm-" + "-".join(sorted(person.name for person in people))
        members = {self._workspace.install.bot_user_id, *(person.id for person in people)}
        return self._workspace.open_channel(name, "mpim", members).id

    def set_channel(self, name: str, *, archived: bool | None = None, read_only: bool | None = None) -> None:
        channel = self._workspace.channel(name)
        channel.is_archived = channel.is_archived if archived is None else archived
        channel.is_read_only = channel.is_read_only if read_only is None else read_only

    # --- messages -------------------------------------------------------------------------------

    async def says(
        self,
        user: str,
        text: str = "",
        *,
        channel: str = "general",
        thread_ts: str | None = None,
        files: Sequence[File] = _NOTHING,
        mention: bool = True,
        subtype: str | None = None,
        broadcast: bool = False,
        twins: Twins = Twins.MENTION_FIRST,
        kind: PersonKind = "member",
    ) -> str:
        """Somebody posts; the ts of their message.

        Args:
            text: as it goes over the wire, so with ``&amp;`` for an ampersand (`escaped` does it).
            mention: put the bot's mention in front, unless it is there or this is a DM, which needs none.
            subtype: given instead of the one that follows from files and broadcast.
            broadcast: a reply that is also sent to the channel.
            twins: which events of the post come, in which order.
            kind: what somebody unknown is; a ``bot`` posts with its bot_id and without a subtype.
        """
        workspace = self._workspace
        person, place = workspace.person(user, kind=kind), workspace.channel(channel)
        place.members.add(person.id)
        named = f"<@{workspace.install.bot_user_id}>"
        if mention and not place.is_direct and named not in text:
            text = f"{named} {text}".rstrip()
        natural = "thread_broadcast" if broadcast else "file_share" if files else None
        post = Post(
            channel=place.id,
            ts=workspace.new_ts(place),
            author=person.id,
            text=text,
            thread_ts=thread_ts,
            subtype=subtype or natural,
            files=list(files),
            bot_id=person.bot_id,
            app_id=person.app_id,
            # [3] missing on files, bots and workflows
            client_msg_id=None if files or person.is_bot else workspace.new_id("cm"),
            user_team=person.team_id if person.team_id != workspace.install.team_id else None,
        )
        for file in files:
            file.shares.append((place.id, post.ts, thread_ts))
        workspace.post(post)
        self._events.posted(post, twins)
        return post.ts

    async def edits(self, ts: str, text: str, *, channel: str = "general") -> None:
        """The author changes the text of their message."""
        post = self.find(ts, channel)

        def change(post: Post) -> None:
            post.text, post.edited_by = text, post.author
            post.edited_ts = f"{self._workspace.clock.now():.6f}"
            post.edits += 1

        self._workspace.change(post, change)

    async def deletes(self, ts: str, *, channel: str = "general") -> None:
        """The author takes their message away; one with replies leaves a tombstone."""
        self._workspace.delete(self.find(ts, channel))

    async def adds_preview(self, ts: str, url: str = "https://example.org/", *, channel: str = "general") -> None:
        """Slack unfurls a link: `message_changed`, though nobody edited anything ([3])."""

        def change(post: Post) -> None:
            post.attachments = [{"from_url": url, "title": "Example", "fallback": "Example", "id": 1}]

        self._workspace.change(self.find(ts, channel), change)

    async def joins(self, user: str, *, channel: str = "general") -> str:
        """Somebody (also the bot, by its id) comes in: a `channel_join` message."""
        return await self._passes(user, channel, "channel_join", "has joined the channel")

    async def leaves(self, user: str, *, channel: str = "general") -> str:
        ts = await self._passes(user, channel, "channel_leave", "has left the channel")
        self._workspace.channel(channel).members.discard(self.person(user))
        return ts

    async def _passes(self, user: str, channel: str, subtype: str, text: str) -> str:
        person, place = self._workspace.person(user), self._workspace.channel(channel)
        place.members.add(person.id)
        prefix = "channel" if place.kind == "channel" else "group"
        subtype = subtype.replace("channel", prefix)
        post = Post(place.id, self._workspace.new_ts(place), person.id, f"<@{person.id}> {text}", subtype=subtype)
        self._workspace.post(post)
        self._events.posted(post)
        return post.ts

    # --- files ----------------------------------------------------------------------------------

    def uploads(
        self,
        name: str,
        data: bytes,
        mimetype: str = "text/plain",
        *,
        mode: FileMode = "hosted",
        by: str = "ada",
        clip: str | None = None,
        size: int | None = None,
        filetype: str | None = None,
        url: str | None = None,
    ) -> File:
        """A file to say something with: `says(..., files=[file])`.

        Args:
            mode: any row of the reference's table of files ([3]).
            clip: ``slack_audio`` or ``slack_video``.
            size: what the file object claims.
            url: where an external file is; a page of this server that notes its visitors unless given.
        """
        workspace = self._workspace
        subtype = {"slack_audio": "slack_audio", "slack_video": "slack_video"}.get(clip or "")
        file = File(
            id=workspace.new_id("F"),
            name=name,
            title=name,
            data=data,
            mimetype=mimetype,
            owner=self.person(by),
            created=int(workspace.clock.now()),
            base=workspace.base,
            team_id=workspace.install.team_id,
            mode=mode,
            size=size,
            filetype=filetype,
            external_url=url or f"{workspace.base.replace('127.0.0.1', 'localhost')}/elsewhere/{name}",
            subtype=subtype,  # type: ignore[arg-type]  # one of two literals, or None
        )
        workspace.files[file.id] = file
        return file

    def takes_back(self, file: File) -> None:
        """Somebody deletes a file; messages keep a tombstone of it ([3])."""
        file.is_deleted = True

    # --- commands and clicks --------------------------------------------------------------------

    async def slash(self, user: str, command: str, text: str = "", channel: str = "general") -> Feedback:
        """Somebody gives a slash command; what they see at once. Waits for the acknowledgement."""
        person = self._workspace.person(user)
        return await self._interactions.slash(person, command, text, self._workspace.channel(channel))

    async def clicks(self, button: Button, *, by: str = "ada", value: str | None = None) -> Feedback:
        """Somebody clicks; whoever an ephemeral message is for, if it is one."""
        post = button.post
        viewer = post.ephemeral_for if post is not None and post.ephemeral_for else by
        return await self._interactions.click(self._workspace.person(viewer), button, value=value)

    async def shortcut(self, callback_id: str, ts: str, *, by: str = "ada", channel: str = "general") -> Feedback:
        """Somebody picks a message shortcut from the menu of a message."""
        return await self._interactions.shortcut(self._workspace.person(by), callback_id, self.find(ts, channel))

    async def submits(self, view: JsonObject, values: JsonObject, *, by: str = "ada") -> Feedback:
        """Somebody sends a modal off."""
        return await self._interactions.submit(self._workspace.person(by), view, values)

    async def opens_home(self, user: str, *, tab: str = "home") -> None:
        """Somebody opens the app's Home tab (or its Messages tab): `app_home_opened`."""
        person: Person = self._workspace.person(user)
        direct: Channel = self._workspace.direct(person)
        ts = f"{self._workspace.clock.now():.6f}"
        event: JsonObject = {"type": "app_home_opened", "user": person.id, "channel": direct.id, "tab": tab}
        if tab == "home" and person.id in self._workspace.homes:
            event["view"] = self._workspace.homes[person.id]
        self._events.happened(event | {"event_ts": ts})

    async def presses_stop(self, user: str, ts: str, *, channel: str = "general") -> None:
        """Slack's own stop button of a stream ([5, 8]): the stream ends, the app hears if it is an agent."""
        post = self.find(ts, channel)
        assert post.stream is not None, "only a stream can be stopped"
        post.stream.end("stopped_by_user")
        event = {
            "type": "agent_session_stopped",
            "channel": post.channel,
            "thread_ts": post.root_ts,
            "user": self.person(user),
            "streaming_message_ts": [ts],
            "event_ts": f"{self._workspace.clock.now():.6f}",
        }
        self._workspace.bell.ring()
        self._events.happened(event, channel=self._workspace.channels[post.channel])

    async def uninstalls(self) -> None:
        """An admin takes the app away: its tokens are dead, and two events say so."""
        self._events.happened({"type": "tokens_revoked", "tokens": {"bot": [self._workspace.install.bot_user_id]}})
        self._events.happened({"type": "app_uninstalled"})

    async def happens(self, event: JsonObject, *, channel: str | None = None, needs: str | None = None) -> None:
        """Any other event, as it stands; told if the app has subscribed to its type, or to *needs*."""
        place = self._workspace.channel(channel) if channel is not None else None
        self._events.happened(event, channel=place, needs=needs)

    def find(self, ts: str, channel: str = "general") -> Post:
        """The post of that ts, wherever it stands if not in *channel*."""
        in_channel = self._workspace.channel(channel).posts
        if ts in in_channel:
            return in_channel[ts]
        places = [place.posts for place in self._workspace.channels.values() if ts in place.posts]
        assert len(places) == 1, f"{ts} is in {len(places)} channels; name one"
        return places[0][ts]


def escaped(text: str) -> str:
    """What somebody typed, as it goes over the wire ([5] inbound text is escaped)."""
    changes: Sequence[tuple[str, str]] = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
    for plain, wire in changes:
        text = text.replace(plain, wire)
    return text
