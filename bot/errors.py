"""What can go wrong. The class says what happened, its arguments are facts, its text is for the log.

What people are told about it stands in `notices`.
"""

from enum import StrEnum

from bot.messages import Refusal


class BotError(Exception):
    """The root of everything Clew itself raises."""


# --- at start ---------------------------------------------------------------------------------


class StartError(BotError):
    """Clew cannot start; the text is one sentence for the person at the terminal."""


class SettingsError(StartError):
    """A setting is wrong or half set: which variable, what was found, what to do."""


class FunctionUnusable(StartError):
    """A function cannot be offered to the model as it is written."""


# --- the store --------------------------------------------------------------------------------


class StoreError(BotError):
    """The database did not do what was asked; nothing of it was done."""


class StoreUnusable(StoreError, StartError):
    """The database cannot be opened: foreign, newer, read-only, owned by another process ..."""


class StoreUnavailable(StoreError):
    """The open database fails: disk full, locked, gone. What was acknowledged is still there."""


class StaleTurn(StoreError):
    """The turn is no longer the running turn of its thread's epoch; the write was refused."""


# --- the model --------------------------------------------------------------------------------


class ModelError(BotError):
    """Gemini did not answer."""

    past_may_be_why = False  # what is kept here of the thread went along with the question


class ModelRefused(ModelError):
    """The question was not taken in. Asking again is safe to try."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after  # seconds, as the server asks for


class ModelUnavailable(ModelRefused):
    """Not reachable, or answering with a server error."""


class ModelBusy(ModelRefused):
    """A rate limit."""


class QuotaExhausted(ModelError):
    """A daily or spending limit: asking again today does not help."""


class KeyRejected(ModelError):
    """Gemini does not accept the API key."""


class PaymentRequired(ModelError):
    """Gemini wants the account's billing looked at."""


class ModelUnknown(ModelError):
    """There is no model of the configured name (any more)."""

    def __init__(self, model: str) -> None:
        super().__init__(f"model {model!r} is unknown to Gemini")
        self.model = model


class AgentUnknown(ModelError):
    """There is no agent of the configured name (any more)."""

    def __init__(self, agent: str) -> None:
        super().__init__(f"agent {agent!r} is unknown to Gemini")
        self.agent = agent


class QuestionRejected(ModelError):
    """Gemini calls the request itself invalid."""

    def __init__(self, code: str, *, chained: bool) -> None:
        super().__init__(f"request rejected: {code}")
        self.code = code
        self.chained = chained  # it went on from an earlier interaction, so a reset may help


class ContextLost(ModelError):
    """Gemini does not know the interaction the question goes on from."""


class InteractionLost(ModelError):
    """Gemini does not know the interaction that was to be fetched."""


class FileLost(ModelError):
    """Gemini has no file of that name to delete, or it is another key's; it says the same of both."""


class AnswerBroken(ModelError):
    """The question was taken in and the answer did not come through: cut, silent, an error event."""


class RunUncertain(ModelError):
    """An answer was asked for in the background, and whether it was begun cannot be known."""


class RunTooLong(ModelError):
    """What was begun in the background is not done within its time."""


class ResearchFailed(ModelError):
    """Research was begun, and ended without a report."""


class ResearchUncertain(ModelError):
    """Research may have been begun, and nobody can find it."""


class ResearchTooLong(ModelError):
    """Research is not done within its time."""

    def __init__(self, limit: float) -> None:
        super().__init__(f"not done within {limit:g} seconds")
        self.limit = limit  # seconds


class AnswerBlocked(ModelError):
    """Gemini's safety rules withheld the answer."""

    def __init__(self, code: str) -> None:
        super().__init__(f"answer blocked: {code}")
        self.code = code


class AnswerEmpty(ModelError):
    """The answer was completed and holds nothing to show."""


class TooManyCalls(ModelError):
    """The model calls one function after the other and comes to no end."""


# --- functions of ours ------------------------------------------------------------------------


class FunctionFailed(BotError):
    """A function could not do what it was called for; the text is one sentence for the model."""


class LinkRefused(FunctionFailed):
    """What is behind a link is not to be read for whoever asks; the text says why."""


# --- people and files -------------------------------------------------------------------------


class NotAllowed(BotError):
    """The policy keeps this message from being read."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"refused by policy: {refusal}")
        self.refusal = refusal


class ToldBefore(BotError):
    """The policy keeps this message from being read, and its author was told so once, which is enough."""


class CapReached(BotError):
    """The day's turns are used up, this person's or everybody's."""

    def __init__(self, cap: int, *, personal: bool) -> None:
        super().__init__(f"daily cap of {cap} turns reached ({'person' if personal else 'total'})")
        self.cap, self.personal = cap, personal


class NoResearch(BotError):
    """Research was asked for where there is none."""

    def __init__(self, *, private: bool) -> None:
        super().__init__("research in a private thread" if private else "research, which is off")
        self.private = private


class ResearchSpent(BotError):
    """The day's researches are used up."""

    def __init__(self, cap: int) -> None:
        super().__init__(f"daily cap of {cap} researches reached")
        self.cap = cap


class TooManyAttempts(BotError):
    """A turn was taken up again and again and never came to an end."""


class NothingAsked(BotError):
    """A message with neither text nor files."""


class MessageGone(BotError):
    """A message is no longer on its platform."""


class PlatformError(BotError):
    """A platform did not do what was asked."""


class PlatformAway(PlatformError):
    """A platform cannot be reached, or refuses for now. What was asked may or may not have been done."""


class ThreadClosed(PlatformError):
    """Nothing can be shown in the thread, now and later: channel archived or gone, bot not in it, no right to post."""


class AttachmentError(BotError):
    """An attachment cannot be passed on; the others can."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"attachment {name!r}: {reason}")
        self.name = name


class AttachmentTooLarge(AttachmentError):
    """An attachment is over what is taken from a platform, or what the model accepts inside a request."""

    def __init__(self, name: str, *, limit: int) -> None:
        super().__init__(name, f"over {limit} bytes")
        self.limit = limit  # bytes


class AttachmentUnsupported(AttachmentError):
    """The bytes are of a kind Gemini does not read."""

    def __init__(self, name: str, *, mime_type: str) -> None:
        super().__init__(name, f"{mime_type} is not read by the model")
        self.mime_type = mime_type


class Unreadable(StrEnum):
    """Why a file could not be had."""

    BROKEN = "empty, broken or not to be fetched"
    GONE = "deleted"
    ELSEWHERE = "kept by another service"
    FORBIDDEN = "not given to the bot"
    NO_FILE = "a document of the platform's own, and no file"
    NOT_TAKEN = "not taken by the model's keeper of files"
    UNPROCESSED = "not to be processed by the model"
    SLOW = "not taken or processed in time"


class AttachmentUnreadable(AttachmentError):
    """The file could not be had from its platform, is empty or is broken."""

    def __init__(self, name: str, reason: Unreadable = Unreadable.BROKEN) -> None:
        super().__init__(name, f"could not be read: {reason}")
        self.reason = reason
