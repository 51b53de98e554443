"""Scrubbed frames of the gateway, and who and what is in them."""

import json
from pathlib import Path
from typing import Any

from adapters.discord.people import Me
from adapters.discord.places import Kind, Where

SAMPLES = Path(__file__).parents[2] / "samples" / "discord"

ME = Me("900000000000000100", frozenset({"900000000000000101"}))
ADA, BEN = "900000000000000201", "900000000000000202"
SERVER = "900000000000000001"
GENERAL, NEWS, VOICE, FORUM = (f"90000000000000001{number}" for number in range(4))
DIRECT = "900000000000000020"
ROOT, TS = "1174109840998400001", "1174110356897792002"  # sent at 1700000000 and at 1700000123
OURS, BENS = "1174110092656640003", "1174110050713600004"  # what the bot said, and what Ben said

IN_GENERAL = Where(Kind.CHANNEL, GENERAL, SERVER)
IN_NEWS = Where(Kind.CHANNEL, NEWS, SERVER)
IN_THREAD = Where(Kind.THREAD, ROOT, SERVER, GENERAL)
IN_POST = Where(Kind.THREAD, TS, SERVER, FORUM)
IN_VOICE = Where(Kind.ROOM, VOICE, SERVER)
IN_DIRECT = Where(Kind.DIRECT, DIRECT)


def frame(name: str) -> tuple[str, dict[str, Any]]:
    """The name and the data of an event."""
    told = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return told["t"], told["d"]


def sample(name: str, **more: object) -> dict[str, Any]:
    """The data of an event, with something else in it."""
    return frame(name)[1] | more


def saying(content: str, *, sample_name: str = "message_with_mention", **more: object) -> dict[str, Any]:
    return sample(sample_name, content=content, **more)


def place(body: dict[str, Any]) -> Where:
    """Where the channel of a sample stands."""
    known = {where.channel_id: where for where in (IN_GENERAL, IN_NEWS, IN_THREAD, IN_POST, IN_VOICE, IN_DIRECT)}
    return known[body["channel_id"]]
