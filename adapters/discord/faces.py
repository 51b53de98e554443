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
MOST_FILES: Final = 10  # of one message
FILE_LIMIT: Final = 10 * 1024 * 1024  # bytes of one file, where the server has no more
_REQUEST_LIMIT: Final = 24 * 1024 * 1024  # bytes of one request; Discord takes 25 MiB

WORKING: Final = "*Thinking…*"  # in the place of words that are yet to come
STOPPED: Final = "*Stopped.*"
NOTHING: Final = "*The answer holds nothing that Discord can show.*"
FILES_ONLY: Final = "*The answer is in the files below.*"
NOT_SENT: Final = "*A file of this answer is too large for Discord, or is refused here.*"
MODERATED: Final = "*The rules of this server (AutoMod) or of Discord do not let me post this answer.*"

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


def faces_of(texts: tuple[str, ...], files: tuple[File, ...]) -> list[Face]:
    """The messages of a whole answer: its texts, and under the last one the files."""
    *opening, last = texts
    return [*map(Face, opening), Face(last, Buttons.WHOLE, files)]


def is_sign(text: str) -> bool:
    """Whether a message of a growing answer says no more than that the model is at work."""
    return text == WORKING or (text.startswith("-# *") and text.endswith("*") and "\n" not in text)


def that_fit(files: list[File], *, limit: int = FILE_LIMIT) -> tuple[File, ...]:
    """As many of the files, the first ones, as one message takes.

    Args:
        limit: bytes that one file may have.
    """
    fitting: list[File] = []
    left = _REQUEST_LIMIT
    for file in files:
        if len(file.data) <= min(limit, left) and len(fitting) < MOST_FILES:
            fitting.append(file)
            left -= len(file.data)
    return tuple(fitting)
