"""users.*, bots.info, team.info, auth.test and what else is small: reactions, views, the status line."""

import hashlib
import json

from tests.support.slack.access import Access
from tests.support.slack.blocks import check_blocks
from tests.support.slack.calls import Call
from tests.support.slack.json_types import JsonObject
from tests.support.slack.refusal import Refused
from tests.support.slack.triggers import Triggers
from tests.support.slack.workspace import Workspace


class People:
    """Who is who."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.methods = {
            "auth.test": self.auth_test,
            "users.info": self.users_info,
            "users.list": self.users_list,
            "bots.info": self.bots_info,
            "team.info": self.team_info,
        }

    def auth_test(self, call: Call) -> JsonObject:
        install = self._workspace.install
        return {
            "url": f"{self._workspace.base}/",
            "team": "Clew",
            "user": install.bot_name,
            "team_id": install.team_id,
            "user_id": install.bot_user_id,
            "bot_id": install.bot_id,
            "is_enterprise_install": install.is_enterprise_install,
            **({"enterprise_id": install.enterprise_id} if install.enterprise_id else {}),
        }

    def users_info(self, call: Call) -> JsonObject:
        person = self._workspace.people.get(call.text("user") or "")
        if person is None:
            raise Refused("user_not_found")
        return {"user": person.as_json()}

    def users_list(self, call: Call) -> JsonObject:
        people = [person.as_json() for person in self._workspace.people.values() if person.kind != "stranger"]
        return {"members": people, "response_metadata": {"next_cursor": ""}}

    def bots_info(self, call: Call) -> JsonObject:
        bot = next((p for p in self._workspace.people.values() if p.bot_id and p.bot_id == call.text("bot")), None)
        if bot is None:
            raise Refused("bot_not_found")
        told = {"id": bot.bot_id, "name": bot.name, "user_id": bot.id, "app_id": bot.app_id, "deleted": False}
        return {"bot": told}

    def team_info(self, call: Call) -> JsonObject:
        return {"team": {"id": self._workspace.install.team_id, "name": "Clew", "domain": "clew"}}


class Surroundings:
    """Reactions, the status line, Home tabs and modals."""

    def __init__(self, workspace: Workspace, access: Access, triggers: Triggers) -> None:
        self._workspace, self._access, self._triggers = workspace, access, triggers
        self.methods = {
            "reactions.add": self.add_reaction,
            "reactions.remove": self.remove_reaction,
            "assistant.threads.setStatus": self.set_status,
            "views.publish": self.publish_home,
            "views.open": self.open_modal,
            "views.update": self.update_modal,
        }

    def add_reaction(self, call: Call) -> JsonObject:
        users = self._reactions(call).setdefault(call.text("name") or "", [])
        me = self._workspace.install.bot_user_id
        if me in users:
            raise Refused("already_reacted")
        users.append(me)
        return {}

    def remove_reaction(self, call: Call) -> JsonObject:
        reactions, name, me = self._reactions(call), call.text("name") or "", self._workspace.install.bot_user_id
        if me not in reactions.get(name, []):
            raise Refused("no_reaction")
        reactions[name].remove(me)
        if not reactions[name]:
            del reactions[name]
        return {}

    def set_status(self, call: Call) -> JsonObject:
        channel = self._access.channel(call, "channel_id")
        thread_ts = call.text("thread_ts")
        if thread_ts is None or thread_ts not in channel.posts:
            raise Refused("invalid_thread_ts")
        if "status" not in call.args:
            raise Refused("invalid_arguments")
        loading = call.structure("loading_messages") or []
        if len(loading) > 10:  # [5] at most 10
            raise Refused("invalid_arguments")
        self._workspace.statuses.set(channel.id, thread_ts, str(call.args["status"]), tuple(loading))
        return {}

    def publish_home(self, call: Call) -> JsonObject:
        person, view = call.text("user_id") or "", self._view(call, "home")
        if person not in self._workspace.people:
            raise Refused("user_not_found")
        before = self._workspace.homes.get(person)
        if (said := call.text("hash")) is not None and before is not None and said != before["hash"]:
            raise Refused("hash_conflict")  # [8] pass `hash` against races
        self._workspace.homes[person] = view | {"id": before["id"] if before else self._workspace.new_id("V")}
        return {"view": self._workspace.homes[person]}

    def open_modal(self, call: Call) -> JsonObject:
        view = self._view(call, "modal")
        person = self._triggers.use(call.text("trigger_id") or "")
        opened = view | {"id": self._workspace.new_id("V"), "opened_for": person}
        self._workspace.modals.append(opened)
        return {"view": opened}

    def update_modal(self, call: Call) -> JsonObject:
        for index, modal in enumerate(self._workspace.modals):
            if modal["id"] == call.text("view_id"):
                self._workspace.modals[index] = modal | self._view(call, "modal")
                return {"view": self._workspace.modals[index]}
        raise Refused("not_found")

    def _view(self, call: Call, kind: str) -> JsonObject:
        view = call.structure("view")
        if not isinstance(view, dict) or view.get("type") != kind:
            raise Refused("invalid_arguments")
        check_blocks(view.get("blocks", []), self._workspace.variants, most=100)  # [8] up to 100 blocks
        digest = hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()[:8]
        install = self._workspace.install
        return view | {"hash": f"{self._workspace.clock.now():.0f}.{digest}", "app_id": install.app_id}

    def _reactions(self, call: Call) -> dict[str, list[str]]:
        channel = self._access.channel(call)
        post = channel.posts.get(call.text("timestamp") or "")
        if post is None:
            raise Refused("message_not_found")
        return post.reactions
