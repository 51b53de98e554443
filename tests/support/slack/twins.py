"""The pair of events that one mention makes."""

from enum import Enum, auto


class Twins(Enum):
    """Which of `app_mention` and `message` come, and in which order. Slack promises none ([3])."""

    MENTION_FIRST = auto()
    MESSAGE_FIRST = auto()
    ONLY_MENTION = auto()
    ONLY_MESSAGE = auto()
    NEITHER = auto()
