"""Scrubbed payloads, and who the bot is in them."""

import json
from pathlib import Path
from typing import Any

from adapters.slack.workspace import Workspace

SAMPLES = Path(__file__).parents[2] / "samples" / "slack"

ME = Workspace(
    installation_id="T0CLEWTEAM",
    team_id="T0CLEWTEAM",
    bot_user_id="U0CLEWBOT1",
    bot_id="B0CLEWBOT1",
    app_id="A0CLEWAPP1",
    url="https://clew.slack.com/",
)
ADA, BEN = "U0ADA00000", "U0BEN00000"
GENERAL, DIRECT = "C0GENERAL0", "D0ADA00000"
ROOT, TS = "1700000000.000100", "1700000123.000200"


def sample(name: str) -> dict[str, Any]:
    payload = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(payload, dict)
    return payload


def saying(text: str, *, sample_name: str = "message_with_mention", **event: object) -> dict[str, Any]:
    """A payload whose event says something else."""
    body = sample(sample_name)
    body["event"] |= {"text": text, **event}
    return body
