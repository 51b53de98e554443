"""Everybody who can say something: people, bots and webhooks."""

from dataclasses import dataclass

from tests.support.discord.json_types import JsonObject


@dataclass(slots=True, eq=False)
class User:
    """An account, or what a webhook posts as."""

    id: str
    name: str
    is_bot: bool = False
    display_name: str | None = None
    takes_dms: bool = True  # False: 50007

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    def as_json(self) -> JsonObject:
        told: JsonObject = {
            "id": self.id,
            "username": self.name,
            "discriminator": "0000" if self.is_bot else "0",
            "global_name": self.display_name,
            "avatar": None,
            "public_flags": 0,
        }
        return told | ({"bot": True} if self.is_bot else {})
