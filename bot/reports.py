"""What people are told about a thread that is being forgotten, at first and in the end."""

from bot.ports import Forgotten, Undeleted

BEGUN = (
    "I forget this thread: every exchange of it and every file is being deleted at Gemini, "
    "and then all that I keep of it here. I say here what became of that. What comes next begins afresh."
)
BEGUN_BEFORE = "I forget this thread, as I was told. What became of that is said here."
"""When the same command comes again, be that before the report or after it."""
_WHY = {
    Undeleted.UNKNOWN: "unknown to Gemini with the present key: expired, or made with another one",
    Undeleted.AWAY: "because Gemini could not be reached",
    Undeleted.KEY: "because Gemini does not accept the present key",
    Undeleted.REFUSED: "because Gemini refused",
}


def report_on(one: Forgotten, *, stays: bool) -> str:
    """What became of it. Markdown.

    Args:
        stays: what was said still stands on its platform.
    """
    gone = _number(one.deleted, "exchange")
    if one.files:
        gone += f" and {_number(one.files, 'file')}"
    said = [f"I have forgotten this thread: {gone} deleted at Gemini, and all that I kept of it here."]
    if one.undeleted:
        said.append(f"{_number(sum(one.undeleted.values()), 'exchange')} could not be deleted at Gemini:")
        said.append("\n".join(f"- {number} {_WHY[reason]}" for reason, number in sorted(one.undeleted.items())))
        said.append("Gemini deletes them by itself, after 55 days at the latest. Tell me to forget again to try again.")
    if one.files_left:
        said.append(f"{_number(one.files_left, 'file')} could not be deleted; Gemini deletes files after 48 hours.")
    if stays:
        said.append("The messages that stand here are yours to delete.")
    return "\n\n".join(said)


def _number(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
