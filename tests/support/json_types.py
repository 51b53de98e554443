"""How a platform's payloads are typed in a stand-in: they are built and read there only."""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]
