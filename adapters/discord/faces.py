"""What one message of a reply shows, as Discord takes it. Pure."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, Final

from adapters.discord.buttons import Buttons, components
from adapters.discord.calls import File
from bot.messages import MessageId, TurnId

SUPPRESS_EMBEDS: Final = 1 << 2  # no previews of links
SILENT: Final = 1 << 12  # no notification of the second and further parts
PINGS_NOBODY: Final = {"parse": list[str]()}

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Face:
    """Text that is safe to send, with the buttons and the files under it."""

    text: str
    buttons: Buttons = Buttons.NONE
    files: tuple[File, ...] = field(default=(), repr=False)

    def digest(self, turn: TurnId) -> str:
        """Of everything that is seen; the buttons of another turn are other buttons."""
        shown = "\0".join((turn, self.buttons.name, self.text))
        seen = hashlib.sha256(shown.encode("utf-8", "replace"))
        for file in self.files:
            seen.update(file.name.encode("utf-8", "replace") + b"\0" + hashlib.sha256(file.data).digest())
        return seen.hexdigest()

    def edit(self, turn: TurnId) -> Body:
        """The body of an edit: it takes the place of all that the message showed, files included."""
        return {
            "content": self.text,
            "components": components(self.buttons, turn),
            "attachments": [
                {"id": number, "filename": file.name, **({"description": file.description} if file.description else {})}
                for number, file in enumerate(self.files)
            ],
            "allowed_mentions": PINGS_NOBODY,
            "flags": SUPPRESS_EMBEDS,
        }

    def post(self, turn: TurnId, *, nonce: str, reply_to: MessageId | None, is_silent: bool) -> Body:
        """The body of a new message, which Discord makes once for a nonce."""
        body: Body = {**self.edit(turn), "nonce": nonce, "enforce_nonce": True}
        if is_silent:
            body["flags"] = SUPPRESS_EMBEDS | SILENT
        if reply_to is not None:
            body["message_reference"] = {"message_id": reply_to, "fail_if_not_exists": False}
        return body
