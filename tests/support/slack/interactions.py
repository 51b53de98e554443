"""Commands, buttons, shortcuts and forms: section 4 of the reference."""

from dataclasses import dataclass

from aiohttp import web

from tests.support.slack.blocks import check_blocks
from tests.support.slack.calls import Call
from tests.support.slack.channels import Channel
from tests.support.slack.contents import notice_pings
from tests.support.slack.courier import Courier
from tests.support.slack.deliveries import Delivery
from tests.support.slack.json_types import JsonObject
from tests.support.slack.people import Person
from tests.support.slack.posts import Post
from tests.support.slack.refusal import Refused
from tests.support.slack.transcript import Button
from tests.support.slack.triggers import ResponseUrl, Triggers
from tests.support.slack.wire import json_answer
from tests.support.slack.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person sees at once after a command or a click.

    Attributes:
        text: what the acknowledgement said, shown to them alone; None when it said nothing.
        error: what Slack shows instead when the app did not acknowledge: ``operation_timeout``, ``dispatch_failed``.
        answer: the acknowledgement's whole payload.
    """

    text: str | None
    error: str | None
    answer: JsonObject | None
    delivery: Delivery


class Interactions:
    """Builds the payloads of what people do, and takes in what the app answers."""

    def __init__(self, workspace: Workspace, courier: Courier, triggers: Triggers) -> None:
        self._workspace, self._courier, self._triggers = workspace, courier, triggers

    async def slash(self, person: Person, command: str, text: str, channel: Channel) -> Feedback:
        """A slash command. It cannot be given inside a thread, so there is no thread_ts ([4])."""
        workspace, install = self._workspace, self._workspace.install
        url = self._triggers.response_url(person.id, channel.id, None, None)
        payload: JsonObject = {
            "token": "verification-token",
            "team_id": install.team_id,
            "team_domain": "clew",
            "channel_id": channel.id,
            "channel_name": "directmessage" if channel.is_direct else channel.name,
            "user_id": person.id,
            "user_name": person.name,
            "command": command,
            "text": text,
            "api_app_id": install.app_id,
            "is_enterprise_install": str(install.is_enterprise_install).lower(),
            "response_url": f"{workspace.base}/response/{url.ticket}",
            "trigger_id": self._triggers.trigger(person.id),
        }
        if install.enterprise_id:
            payload["enterprise_id"] = install.enterprise_id
        return await self._hand(Delivery("slash_commands", command, payload), url)

    async def click(self, person: Person, button: Button, *, value: str | None = None) -> Feedback:
        """A click: `block_actions` ([4]). An ephemeral message is not told with it."""
        workspace = self._workspace
        post = button.post
        url = self._triggers.response_url(person.id, button.channel, post.thread_ts if post else None, post)
        payload = self._envelope("block_actions", person, url)
        action = {
            "action_id": button.action_id,
            "block_id": button.block_id,
            "text": {"type": "plain_text", "text": button.text, "emoji": True},
            "value": button.value if value is None else value,
            "type": button.type,
            "action_ts": f"{workspace.clock.now():.6f}",
        }
        payload |= {"actions": [action], "state": {"values": {}}}
        if post is None:
            del payload["response_url"]  # a Home tab has no place to answer in
            payload |= {"container": {"type": "view", "view_id": button.view_id}}
            payload["view"] = workspace.homes.get(person.id) or {"id": button.view_id}
            return await self._hand(Delivery("interactive", "block_actions", payload), url)
        container: JsonObject = {
            "type": "message",
            "message_ts": post.ts,
            "channel_id": post.channel,
            "is_ephemeral": post.ephemeral_for is not None,
        }
        if post.thread_ts or post.replies:
            container["thread_ts"] = post.root_ts
        payload |= {"container": container, "channel": self._channel(post.channel)}
        if post.ephemeral_for is None:
            payload["message"] = workspace.told(post)
        return await self._hand(Delivery("interactive", "block_actions", payload, post.ts), url)

    async def shortcut(self, person: Person, callback_id: str, post: Post) -> Feedback:
        """A message shortcut: `message_action` ([4])."""
        url = self._triggers.response_url(person.id, post.channel, post.thread_ts, None)
        payload = self._envelope("message_action", person, url) | {
            "callback_id": callback_id,
            "action_ts": f"{self._workspace.clock.now():.6f}",
            "message_ts": post.ts,
            "channel": self._channel(post.channel),
            "message": self._workspace.told(post),
        }
        del payload["container"]
        return await self._hand(Delivery("interactive", "message_action", payload, post.ts), url)

    async def submit(self, person: Person, view: JsonObject, values: JsonObject) -> Feedback:
        """A modal sent off: `view_submission`; the acknowledgement may hold errors or another view."""
        url = self._triggers.response_url(person.id, "", None, None)
        payload = self._envelope("view_submission", person, url)
        del payload["container"], payload["response_url"]
        payload |= {"view": view | {"state": {"values": values}}, "response_urls": []}
        return await self._hand(Delivery("interactive", "view_submission", payload), None)

    def respond(self, ticket: str, said: JsonObject, call: Call) -> web.Response:
        """What the app posts to a response_url: 5 uses in 30 minutes ([4])."""
        try:
            url = self._triggers.spend(ticket)
            self._show(url, said, call)
        except Refused as error:
            call.outcome = error.error
            return json_answer(error.body, status=error.status if error.status != 200 else 400)
        call.outcome = "ok"
        return web.Response(text="ok", content_type="text/html")

    async def _hand(self, delivery: Delivery, url: ResponseUrl | None) -> Feedback:
        await self._courier.hand(delivery)
        if not delivery.is_acknowledged:
            last = delivery.attempts[-1]
            has_arrived = last.where is not None or last.failure == "http_timeout"
            return Feedback(None, "operation_timeout" if has_arrived else "dispatch_failed", None, delivery)
        answer = delivery.answer
        if url is not None and answer and delivery.kind == "slash_commands":
            call = Call("ack", {}, None, self._workspace.clock.now(), outcome="ok")
            self._show(url, answer, call)
        return Feedback((answer or {}).get("text"), None, answer, delivery)

    def _show(self, url: ResponseUrl, said: JsonObject, call: Call) -> None:
        workspace, install = self._workspace, self._workspace.install
        blocks = check_blocks(said.get("blocks") or [], workspace.variants)
        source = url.source
        if source is not None and said.get("delete_original"):
            self._remove(source)
            return
        if not (said.get("text") or blocks or said.get("attachments") or said.get("markdown_text")):
            raise Refused("no_text")
        if source is not None and said.get("replace_original"):
            source.text, source.blocks, source.markdown = said.get("text") or "", blocks, said.get("markdown_text")
            source.edits += 1
            notice_pings(workspace, source, call)
            workspace.bell.ring()
            return
        channel = workspace.channels[url.channel]
        thread_ts = said.get("thread_ts") or url.thread_ts
        post = Post(
            channel=channel.id,
            ts=workspace.new_ts(channel),
            author=install.bot_user_id,
            text=said.get("text") or "",
            markdown=said.get("markdown_text"),
            blocks=blocks,
            thread_ts=thread_ts,
            is_own=True,
            bot_id=install.bot_id,
            app_id=install.app_id,
            # The default is for their eyes only ([4]).
            ephemeral_for=None if said.get("response_type") == "in_channel" else url.person,
        )
        workspace.post(post)
        notice_pings(workspace, post, call)

    def _remove(self, post: Post) -> None:
        channel = self._workspace.channels[post.channel]
        if post.ephemeral_for is not None:
            channel.ephemerals.remove(post)
            self._workspace.bell.ring()
        elif post.ts in channel.posts:
            self._workspace.delete(post)

    def _envelope(self, kind: str, person: Person, url: ResponseUrl) -> JsonObject:
        install = self._workspace.install
        enterprise = {"id": install.enterprise_id, "name": "Clew Org"} if install.enterprise_id else None
        return {
            "type": kind,
            "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team_id},
            "api_app_id": install.app_id,
            "token": "verification-token",
            "container": {},
            "trigger_id": self._triggers.trigger(person.id),
            "team": {"id": install.team_id, "domain": "clew"},
            "enterprise": enterprise,
            "is_enterprise_install": install.is_enterprise_install,
            "response_url": f"{self._workspace.base}/response/{url.ticket}",
        }

    def _channel(self, channel_id: str) -> JsonObject:
        channel = self._workspace.channels[channel_id]
        return {"id": channel.id, "name": "directmessage" if channel.is_direct else channel.name}
