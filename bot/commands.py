"""Reset, stop, retry and help, in words no platform owns."""

from enum import StrEnum


class Command(StrEnum):
    """What a person can tell the bot to do with a thread."""

    RESET = "reset"
    STOP = "stop"
    RETRY = "retry"
    HELP = "help"


def read_command(text: str) -> Command | None:
    """The command that *text* is, a slash and its name and nothing else; None for any other message."""
    name = text.strip().lower()
    return Command(name[1:]) if name[:1] == "/" and name[1:] in set(Command) else None
