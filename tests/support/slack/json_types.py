"""How Slack's payloads are typed."""

from tests.support.json_types import JsonObject

__all__ = ["JsonObject"]
