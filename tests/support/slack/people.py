"""Who is in the workspace, and who comes from elsewhere."""

from dataclasses import dataclass
from typing import Literal

from tests.support.slack.json_types import JsonObject

PersonKind = Literal["member", "guest", "single_channel_guest", "stranger", "bot", "deactivated"]


@dataclass(frozen=True, slots=True)
class Person:
    """A user as users.info tells it. A stranger belongs to another team, met over Slack Connect."""

    id: str
    name: str
    team_id: str
    kind: PersonKind = "member"
    bot_id: str | None = None
    app_id: str | None = None
    tz: str = "Europe/Zurich"

    @property
    def is_bot(self) -> bool:
        return self.kind == "bot"

    def as_json(self) -> JsonObject:
        shown = self.name.title()
        told: JsonObject = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "real_name": shown,
            "deleted": self.kind == "deactivated",
            "is_bot": self.is_bot,
            "is_app_user": False,
            "profile": {"display_name": self.name, "real_name": shown, "team": self.team_id},
        }
        if self.kind == "stranger":
            told["is_stranger"] = True  # what another workspace keeps to itself is missing
            return told
        if self.kind != "deactivated":
            told |= {
                "tz": self.tz,
                "is_restricted": self.kind in {"guest", "single_channel_guest"},
                "is_ultra_restricted": self.kind == "single_channel_guest",
                "is_admin": False,
                "is_owner": False,
            }
        if self.bot_id:
            told["profile"] |= {"bot_id": self.bot_id, "api_app_id": self.app_id}
        return told
