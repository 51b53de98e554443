"""Which events follow from what happens, and what they look like: section 3 of the reference."""

from tests.support.slack.channels import EVENT_NAMES, HISTORY_SCOPES, Channel
from tests.support.slack.courier import Courier
from tests.support.slack.deliveries import Delivery
from tests.support.slack.faults import Faults
from tests.support.slack.json_types import JsonObject
from tests.support.slack.posts import Post
from tests.support.slack.twins import Twins
from tests.support.slack.workspace import Workspace


class Events:
    """Tells the app what it has subscribed to and may hear."""

    def __init__(self, workspace: Workspace, courier: Courier, faults: Faults, scopes: set[str]) -> None:
        self._workspace, self._courier, self._faults, self._scopes = workspace, courier, faults, scopes
        self.subscribed = set(workspace.install.events)
        self.is_muted = False  # while set, nothing of what happens is told: events that never came
        workspace.on_posted = self._echo
        workspace.on_changed = self.changed
        workspace.on_deleted = self.deleted

    def posted(self, post: Post, twins: Twins = Twins.MENTION_FIRST) -> None:
        """A person's (or another bot's) post: `message`, and `app_mention` when it names the bot ([3])."""
        channel = self._workspace.channels[post.channel]
        pair = [self._mention(post, channel), self._message(post, channel)]
        if twins is Twins.MESSAGE_FIRST:
            pair.reverse()
        if None not in pair and self._faults.events.swaps():
            pair.reverse()
        kept = {
            Twins.ONLY_MENTION: {"app_mention"},
            Twins.ONLY_MESSAGE: {"message"},
            Twins.NEITHER: set(),
        }.get(twins, {"app_mention", "message"})
        self._send([delivery for delivery in pair if delivery and delivery.name.partition(".")[0] in kept])

    def changed(self, post: Post, previous: JsonObject) -> None:
        """`message_changed`: edits, previews of links, and the app's own edits ([3])."""
        if post.is_own and not self._workspace.variants.echoes:
            return
        more = {"message": self._workspace.told(post), "previous_message": previous}
        self._hidden(post, "message_changed", more)
        me = f"<@{self._workspace.install.bot_user_id}"
        if self._workspace.variants.edits_mention and me in post.text and me not in previous["text"]:
            mention = self._mention(post, self._workspace.channels[post.channel])
            self._send([mention] if mention else [])

    def deleted(self, post: Post, previous: JsonObject) -> None:
        """`message_deleted`; a parent with replies becomes a tombstone instead ([3])."""
        if post.is_own and not self._workspace.variants.echoes:
            return
        if post.is_tombstone and self._workspace.variants.tombstone_told_as == "message_changed":
            tombstone = self._workspace.told(post)
            self._hidden(post, "message_changed", {"message": tombstone, "previous_message": previous})
            return
        self._hidden(post, "message_deleted", {"deleted_ts": post.ts, "previous_message": previous})

    def happened(self, event: JsonObject, *, channel: Channel | None = None, needs: str | None = None) -> None:
        """Any other event, when the app has subscribed to it (to *needs*, or to its type)."""
        if (needs or event["type"]) in self.subscribed:
            self._send([self._wrapped(event, channel)])

    def _send(self, deliveries: list[Delivery]) -> None:
        if deliveries and not self.is_muted:
            self._courier.send(*deliveries)

    def _echo(self, post: Post) -> None:
        # [2, 3] the app hears its own posts, too
        if post.is_own and self._workspace.variants.echoes:
            delivery = self._message(post, self._workspace.channels[post.channel])
            self._send([delivery] if delivery else [])

    def _hears(self, channel: Channel) -> bool:
        is_member = self._workspace.install.bot_user_id in channel.members
        is_subscribed = EVENT_NAMES[channel.kind] in self.subscribed
        return is_member and is_subscribed and HISTORY_SCOPES[channel.kind] in self._scopes

    def _message(self, post: Post, channel: Channel) -> Delivery | None:
        if not self._hears(channel):
            return None
        event = self._workspace.told(post) | self._place(post.ts, channel)
        event.pop("reply_count", None)
        event["channel_type"] = channel.kind
        self._author_from_elsewhere(event, post, channel)
        return self._wrapped(event, channel)

    def _mention(self, post: Post, channel: Channel) -> Delivery | None:
        install = self._workspace.install
        is_named = f"<@{install.bot_user_id}>" in post.text or f"<@{install.bot_user_id}|" in post.text
        is_heard = "app_mention" in self.subscribed and "app_mentions:read" in self._scopes
        is_in = install.bot_user_id in channel.members or self._workspace.variants.mentions_from_outside
        if not (is_named and is_heard and is_in) or channel.is_direct or post.is_own:  # [3] not in DMs, not of its own
            return None
        event = self._workspace.told(post) | self._place(post.ts, channel) | {"type": "app_mention"}
        event.pop("subtype", None)  # [3] no channel_type and no subtype
        event.pop("root", None)
        self._author_from_elsewhere(event, post, channel)
        return self._wrapped(event, channel)

    def _hidden(self, post: Post, subtype: str, more: JsonObject) -> None:
        channel = self._workspace.channels[post.channel]
        if not self._hears(channel):
            return
        event: JsonObject = {"type": "message", "subtype": subtype, "hidden": True, "channel_type": channel.kind}
        # The event has a ts of its own; the message it is about keeps its.
        event |= self._place(self._workspace.new_ts(channel), channel) | more
        self._send([self._wrapped(event, channel)])

    def _place(self, ts: str, channel: Channel) -> JsonObject:
        return {"channel": channel.id, "ts": ts, "event_ts": ts}

    def _author_from_elsewhere(self, event: JsonObject, post: Post, channel: Channel) -> None:
        if channel.is_ext_shared:  # [9] the author's organisation
            author = self._workspace.people[post.author]
            event |= {"user_team": author.team_id, "source_team": author.team_id}

    def _wrapped(self, event: JsonObject, channel: Channel | None) -> Delivery:
        install = self._workspace.install
        team = None if install.is_enterprise_install else install.team_id
        authorization = {
            "enterprise_id": install.enterprise_id,
            "team_id": team,
            "user_id": install.bot_user_id,
            "is_bot": True,
            "is_enterprise_install": install.is_enterprise_install,
        }
        payload = {
            "token": "verification-token",
            "team_id": install.team_id,
            "api_app_id": install.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": self._workspace.new_id("Ev"),
            "event_time": int(self._workspace.clock.now()),
            "authorizations": [authorization],
            "is_ext_shared_channel": channel.is_ext_shared if channel else False,
            "event_context": f"4-{install.app_id}-{channel.id if channel else ''}",
        }
        if install.enterprise_id:
            payload["enterprise_id"] = install.enterprise_id
        name = ".".join(filter(None, [event["type"], event.get("subtype")]))
        about = event.get("message") or event.get("previous_message") or event
        return Delivery("events_api", name, payload, about.get("ts"))
