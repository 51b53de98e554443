"""The Slack app as Slack is asked to make it: the one place that names its scopes, events, commands and shortcuts.

``clew slack manifest`` prints it, the start-up checks compare what was granted with it, and a test keeps
``docs/slack.md`` from telling anything else. Form: https://docs.slack.dev/reference/app-manifest
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote, urlsplit

NAME = "Clew"
COMMAND = "/clew"
RESET_COMMAND = "/clew-reset"
RESEARCH_COMMAND = "/research"
RESET_SHORTCUT = "reset_thread"
HTTP_PATH = "/slack/events"  # where Slack's requests arrive when there is no Socket Mode

SCOPES: Mapping[str, str] = MappingProxyType(
    {
        "app_mentions:read": "to hear when somebody mentions it",
        "channels:history": "to read the threads it takes part in, in public channels",
        "groups:history": "the same in private channels it was invited to",
        "im:history": "to read direct messages to it",
        "mpim:history": "to read group direct messages it is in",
        "channels:read": "to know in which public channels it can work",
        "groups:read": "the same for private channels it was invited to",
        "chat:write": "to answer",
        "commands": f"for {COMMAND}, {RESET_COMMAND}, {RESEARCH_COMMAND} and the shortcut",
        "files:read": "to fetch the files that come with a question",
        "files:write": "to upload pictures, sounds and long answers",
        "users:read": "to know people's names, and who is a guest",
    }
)
"""Every scope of the bot token, and what it is for."""

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "app_mention": "somebody mentions it, also in the message that invites it",
        "message.channels": "messages in public channels it is in",
        "message.groups": "messages in private channels it is in",
        "message.im": "direct messages to it",
        "message.mpim": "messages in group direct messages it is in",
        "app_home_opened": "somebody opens its Home tab",
        "app_uninstalled": "it was removed from the workspace",
        "tokens_revoked": "its token was taken away",
    }
)
"""Every event it subscribes to, and what that tells."""

COMMANDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        COMMAND: (
            "Help, a fresh start, a stop, or what is known",
            "help | reset | forget | history [link to a message] | stop | usage | privacy | research | imagine [what]",
        ),
        RESET_COMMAND: ("Start a conversation afresh", "[link to a message in the thread]"),
        RESEARCH_COMMAND: ("Have something researched by Gemini: minutes, and dollars", "[what is to be found out]"),
    }
)
"""Every slash command: what it does, and the hint shown while it is typed."""

SHORTCUTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {RESET_SHORTCUT: ("Reset this thread", "Start the thread of this message afresh")}
)
"""Every message shortcut by its callback id: its name and what it does."""

Json = dict[str, object]


def manifest(http_url: str | None = None) -> Json:
    """The app's manifest.

    Args:
        http_url: where Slack can reach the bot over HTTPS; None for Socket Mode, which needs no address.
            Without a path, `HTTP_PATH` is added.

    Raises:
        ValueError: *http_url* is not an https address; the text is the rest of a sentence about it.
    """
    url = None if http_url is None else _request_url(http_url)
    reached = {} if url is None else {"url": url}
    request_url = {} if url is None else {"request_url": url}
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": NAME,
            "description": "Gemini in your threads: mention it, and it answers there and keeps its place",
            "long_description": _LONG_DESCRIPTION,
            "background_color": "#1f3a5f",
        },
        "features": {
            "bot_user": {"display_name": NAME, "always_online": True},
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,  # otherwise nobody can write to it, and nothing says so
            },
            "slash_commands": [
                {"command": name, "description": about, "usage_hint": hint, "should_escape": False} | reached
                for name, (about, hint) in COMMANDS.items()
            ],
            "shortcuts": [
                {"type": "message", "name": name, "callback_id": callback_id, "description": about}
                for callback_id, (name, about) in SHORTCUTS.items()
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)} | request_url,
            "interactivity": {"is_enabled": True} | request_url,
            "socket_mode_enabled": url is None,
            "org_deploy_enabled": False,
            "token_rotation_enabled": False,
        },
    }


def manifest_text(http_url: str | None = None) -> str:
    """The manifest as JSON, which is YAML as well."""
    return json.dumps(manifest(http_url), indent=2, ensure_ascii=False)


def creation_link(http_url: str | None = None) -> str:
    """A link that opens Slack's "Create an app" with the manifest filled in."""
    compact = json.dumps(manifest(http_url), separators=(",", ":"), ensure_ascii=False)
    return f"https://api.slack.com/apps?new_app=1&manifest_json={quote(compact, safe='')}"


def print_manifest(http_url: str | None = None) -> str:
    """What ``clew slack manifest`` prints: the manifest, and the link that makes the app of it."""
    return f"{manifest_text(http_url)}\n\nCreate the app with one click:\n{creation_link(http_url)}\n"


def missing_scopes(granted: str) -> list[str]:
    """The scopes that a token lacks, in the manifest's order.

    Args:
        granted: Slack's ``x-oauth-scopes`` header: names with commas between them.
    """
    held = {name.strip() for name in granted.split(",")}
    return [scope for scope in SCOPES if scope not in held]


def _request_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(f"{url!r} is not a URL; give one such as https://clew.example.com") from None
    if parts.scheme != "https" or not parts.hostname or any(char.isspace() for char in url):
        raise ValueError(f"{url!r} is not an https address; Slack asks for one such as https://clew.example.com")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(f"{url!r} holds more than an address; give one such as https://clew.example.com")
    return f"https://{parts.netloc}{parts.path.rstrip('/') or HTTP_PATH}"


_LONG_DESCRIPTION = (
    "Mention Clew in a channel and it answers in the thread under your message, and goes on answering there. "
    "Write to it directly for a conversation of your own. It reads the pictures, documents, recordings and code you "
    "post, and it starts afresh when you tell it to. Answers are made by AI and can be wrong."
)
