"""Who may call what, and where: tokens, scopes, membership."""

from tests.support.slack.calls import Call
from tests.support.slack.channels import HISTORY_SCOPES, READ_SCOPES, Channel
from tests.support.slack.refusal import Refused
from tests.support.slack.workspace import Workspace

_WRITE, _USERS = ("chat:write",), ("users:read",)
_HISTORY, _READ = tuple(HISTORY_SCOPES.values()), tuple(READ_SCOPES.values())

# [1] any one of these scopes is needed; an empty row needs a valid bot token only.
SCOPES: dict[str, tuple[str, ...]] = {
    "auth.test": (),
    "chat.postMessage": _WRITE,
    "chat.update": _WRITE,
    "chat.delete": _WRITE,
    "chat.postEphemeral": _WRITE,
    "chat.getPermalink": (),
    "chat.startStream": _WRITE,
    "chat.appendStream": _WRITE,
    "chat.stopStream": _WRITE,
    "assistant.threads.setStatus": ("chat:write", "assistant:write"),
    "conversations.replies": _HISTORY,
    "conversations.history": _HISTORY,
    "conversations.info": _READ,
    "conversations.list": _READ,
    "conversations.members": _READ,
    "conversations.open": ("im:write", "mpim:write"),
    "conversations.join": ("channels:join",),
    "users.info": _USERS,
    "users.list": _USERS,
    "users.conversations": _READ,
    "bots.info": _USERS,
    "team.info": ("team:read",),
    "files.info": ("files:read",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "views.publish": (),
    "views.open": (),
    "views.update": (),
}


class Access:
    """Decides whether a call may go ahead. What it forbids it says as Slack would."""

    def __init__(self, workspace: Workspace) -> None:
        install = workspace.install
        self._workspace = workspace
        self.scopes = set(install.scopes)
        self.dead_tokens: dict[str, str] = {}  # token -> token_revoked, account_inactive ...
        self._bot_token, self._app_token = install.bot_token, install.app_token

    def check(self, call: Call) -> None:
        """Raise Refused unless the call's token may use the method at all."""
        if call.token is None:
            raise Refused("not_authed")
        if call.token in self.dead_tokens:
            raise Refused(self.dead_tokens[call.token])
        if call.token not in {self._bot_token, self._app_token}:
            raise Refused("invalid_auth")
        if call.method == "apps.connections.open":  # [1] the app-level token only
            if call.token != self._app_token:
                raise Refused("not_allowed_token_type")
            return
        if call.token != self._bot_token and call.method != "auth.test":
            raise Refused("not_allowed_token_type")
        if call.method not in SCOPES:
            raise Refused("unknown_method", req_method=call.method)
        self.need(*SCOPES[call.method])

    def need(self, *scopes: str) -> None:
        """Raise missing_scope unless one of the scopes is held."""
        if scopes and self.scopes.isdisjoint(scopes):
            raise Refused("missing_scope", needed=scopes[0], provided=",".join(sorted(self.scopes)))

    def can_see(self, channel: Channel) -> bool:
        return channel.kind == "channel" or self._is_member(channel)

    def _is_member(self, channel: Channel) -> bool:
        return self._workspace.install.bot_user_id in channel.members

    def channel(self, call: Call, name: str = "channel") -> Channel:
        """The conversation a call names; channel_not_found when the bot cannot even see it."""
        channel = self._workspace.channels.get(call.text(name) or "")
        if channel is None or not self.can_see(channel):
            raise Refused("channel_not_found")
        return channel

    def readable(self, call: Call) -> Channel:
        """A conversation whose messages may be read."""
        channel = self.channel(call)
        self.need(HISTORY_SCOPES[channel.kind])
        if not self._is_member(channel):
            raise Refused("not_in_channel")
        return channel

    def described(self, call: Call) -> Channel:
        """A conversation that may be described."""
        channel = self.channel(call)
        self.need(READ_SCOPES[channel.kind])
        return channel

    def writable(self, call: Call, name: str = "channel") -> Channel:
        """A conversation the bot may post to, named by its id, a person's id or ``#name``."""
        said = call.text(name) or ""
        workspace = self._workspace
        if said in workspace.people and said != workspace.install.bot_user_id:
            channel = workspace.direct(workspace.people[said])
        elif said.startswith("#"):
            named = [c for c in workspace.channels.values() if c.name == said[1:] and self.can_see(c)]
            if not named:
                raise Refused("channel_not_found")
            channel = named[0]
        else:
            channel = self.channel(call, name)
        if channel.is_archived:
            raise Refused("is_archived")
        if not self._is_member(channel) and "chat:write.public" not in self.scopes:
            raise Refused("not_in_channel")  # [1] chat:write.public: public channels without joining
        if channel.is_read_only:
            raise Refused("restricted_action_read_only_channel")
        return channel
