"""Short words for tests in which the bot answers in Discord."""

from bot.answers import Completed, Created, Media, MediaKind, TextPiece
from bot.messages import InteractionId, Usage
from bot.notices import FOLLOWING
from tests.support.discord import Shown
from tests.support.scripted import Cue

PICTURE = Media(MediaKind.IMAGE, "image/png", b"\x89PNG\r\n\x1a\n a ball of thread")


def saying(*cues: str | Cue, name: str = "i1") -> tuple[Cue, ...]:
    """A script: the model takes the question in, and says this; what is no text is played as it is."""
    interaction = InteractionId(name)
    told = [TextPiece(cue) if isinstance(cue, str) else cue for cue in cues]
    return Created(interaction), *told, Completed(interaction, Usage())


def is_whole(seen: list[Shown]) -> bool:
    """Whether an answer has come to its end."""
    return bool(seen) and seen[-1].buttons == ("Retry",)


def words(shown: Shown) -> str:
    """An answer less the line that says that the thread is followed."""
    return shown.text.replace(f"_{FOLLOWING}_", "").strip()
