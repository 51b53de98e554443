"""The Discord application as it has to be: the one place that names its permissions, its intents and its commands.

``clew discord invite`` prints the link that follows from it, the start sets the commands by it, and a test keeps
``docs/discord.md`` from telling anything else.
"""

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import discord

from adapters.discord.calls import Calls, DiscordClosed, DiscordRefused, Route
from adapters.discord.payloads import Fields, objects

logger = logging.getLogger(__name__)

PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {
        "view_channel": "to see the channels it works in",
        "send_messages": "to answer in direct messages, voice chats and where it can open no thread",
        "send_messages_in_threads": "to answer in threads and posts",
        "create_public_threads": "to open a thread from a question",
        "read_message_history": "to read what was said in a thread, and to reply to a message",
        "attach_files": "to send pictures, sounds and long answers",
        "connect": "to read and answer in the chats of voice channels, where nothing can be seen without it",
    }
)
"""Every permission the invite link asks for, by discord.py's name for it, and what it is for."""

INTENTS: Mapping[str, str] = MappingProxyType(
    {
        "guilds": "servers, their channels and threads",
        "guild_messages": "messages in servers",
        "dm_messages": "direct messages to it",
        "message_content": "what messages say; the portal has a switch for it, Message Content Intent",
    }
)
"""Every intent it connects with, by discord.py's name for it, and what it brings."""

SCOPES: Final = ("bot", "applications.commands")
LONGEST_QUESTION: Final = 1800  # characters; it is shown in a message, which takes 2000
LONGEST_WISH: Final = LONGEST_QUESTION - 20  # the same, with the command before it

ASK, IMAGINE, RESEARCH = "ask", "imagine", "research"
RESET, STOP, RETRY, HELP = "reset", "stop", "retry", "help"
FORGET, HISTORY, USAGE, PRIVACY = "forget", "history", "usage", "privacy"
ASK_ABOUT, RESET_HERE = "Ask Clew about this", "Reset from here"

_CHAT, _MENU = 1, 3  # types of commands
_TEXT, _FILE = 3, 11  # types of options
# What a command or an option of another version may have said; what it left out is not so.
_OF_OURS = frozenset({"options", "required", "choices", "max_length", "min_length", "autocomplete"})
_EVERYWHERE = {"integration_types": [0], "contexts": [0, 1]}  # of servers: in them, and in direct messages

Json = dict[str, object]


def _chat(name: str, about: str, *options: Json) -> Json:
    return {"type": _CHAT, "name": name, "description": about, "options": list(options), **_EVERYWHERE}


COMMANDS: tuple[Json, ...] = (
    _chat(
        ASK,
        "Ask Clew something; it answers in a thread",
        {"type": _TEXT, "name": "text", "description": "The question", "max_length": LONGEST_QUESTION},
        {"type": _FILE, "name": "file", "description": "A file that comes with it"},
    ),
    _chat(
        IMAGINE,
        "Have Clew make a picture, or change the last one here",
        {
            "type": _TEXT,
            "name": "prompt",
            "description": "What the picture is of",
            "required": True,
            "max_length": LONGEST_WISH,
        },
        {"type": _FILE, "name": "file", "description": "A picture to begin from"},
    ),
    _chat(
        RESEARCH,
        "Have Gemini's research agent work on something: minutes, and dollars",
        {
            "type": _TEXT,
            "name": "prompt",
            "description": "What is to be found out",
            "required": True,
            "max_length": LONGEST_WISH,
        },
        {"type": _FILE, "name": "file", "description": "A file that comes with it"},
    ),
    _chat(RESET, "Start this conversation afresh"),
    _chat(STOP, "Stop the answer that is being given"),
    _chat(RETRY, "Answer the last question again"),
    _chat(FORGET, "Delete what Gemini and Clew keep of this conversation"),
    _chat(HISTORY, "Show what Gemini holds of this conversation"),
    _chat(USAGE, "Show what your answers took, and what that costs"),
    _chat(PRIVACY, "What is kept here, where and for how long"),
    _chat(HELP, "What Clew can do here"),
    {"type": _MENU, "name": ASK_ABOUT, **_EVERYWHERE},
    {"type": _MENU, "name": RESET_HERE, **_EVERYWHERE},
)
"""Every command, as Discord takes it: https://docs.discord.com/developers/interactions/application-commands"""


def permissions() -> discord.Permissions:
    """The permissions as a number."""
    wanted = discord.Permissions.none()
    wanted.update(**dict.fromkeys(PERMISSIONS, True))
    return wanted


def intents() -> discord.Intents:
    """The intents as a number."""
    wanted = discord.Intents.none()
    for name in INTENTS:
        setattr(wanted, name, True)
    return wanted


def invite_link(client_id: str) -> str:
    """The link with which somebody who manages a server puts the bot into it."""
    return discord.utils.oauth_url(client_id, permissions=permissions(), scopes=SCOPES)


async def set_commands(calls: Calls, application_id: str) -> None:
    """Let Discord offer exactly the commands there are. It is asked first, since changes are few and counted.

    Raises:
        PlatformAway: Discord does not take them now.
    """
    route = "/applications/{application_id}/commands"
    try:
        told = await calls.call(Route("GET", route, application_id=application_id), safe=True)
        if are_set(objects(told)):
            return
        await calls.call(
            Route("PUT", route, application_id=application_id), safe=True, body=[dict(one) for one in COMMANDS]
        )
        logger.info("commands set", extra={"number": len(COMMANDS)})
    except (DiscordRefused, DiscordClosed) as error:
        logger.error("commands not set", extra={"reason": str(error)})


def are_set(told: Sequence[Fields]) -> bool:
    """Whether the commands that Discord tells are the ones there are to be."""
    known = {(one.get("type", _CHAT), one.get("name")): one for one in told}
    wanted = {(one["type"], one["name"]): one for one in COMMANDS}
    return known.keys() == wanted.keys() and all(_agrees(one, known[name]) for name, one in wanted.items())


def _agrees(wanted: object, told: object) -> bool:
    """Whether Discord's word for something says the same; it adds a lot, and leaves out what is empty."""
    if isinstance(wanted, Mapping):
        return isinstance(told, Mapping) and all(
            _agrees(wanted.get(name), told.get(name)) for name in {*wanted, *_OF_OURS}
        )
    if isinstance(wanted, list):
        listed = told if isinstance(told, list) else []
        return len(wanted) == len(listed) and all(map(_agrees, wanted, listed))
    return wanted == told or (not wanted and not told)
