"""How Slack's payloads are typed here: they are built and read in this package only."""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
