"""Who we are in the workspace (or the organisation) that installed us."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Workspace:
    """Who we are, as auth.test tells."""

    installation_id: str  # enterprise id for an org-wide install, else the team id
    team_id: str
    bot_user_id: str
    bot_id: str
    app_id: str | None
    url: str
