"""What people are told when something went wrong: one sentence or two, and what they can do next."""

from collections.abc import Sequence

from bot.answers import Tool
from bot.errors import (
    AgentUnknown,
    AnswerBlocked,
    AnswerBroken,
    AnswerEmpty,
    AttachmentError,
    AttachmentTooLarge,
    AttachmentUnreadable,
    AttachmentUnsupported,
    CapReached,
    KeyRejected,
    ModelBusy,
    ModelError,
    ModelUnavailable,
    ModelUnknown,
    NoResearch,
    NotAllowed,
    NothingAsked,
    PaymentRequired,
    QuestionRejected,
    QuotaExhausted,
    ResearchFailed,
    ResearchSpent,
    ResearchTooLong,
    ResearchUncertain,
    TooManyAttempts,
    TooManyCalls,
    Unreadable,
)
from bot.media_types import RAW_SOUND
from bot.messages import Refusal
from bot.office import OFFICE
from bot.tools import offers_functions

_NOT_ALLOWED = {
    Refusal.INSTALLATION: "I am not allowed to answer here.",
    Refusal.CHANNEL: "I am not allowed to answer in this channel.",
    Refusal.PERSON: "I am not allowed to answer you here.",
    Refusal.GUEST: "I do not answer guests of this workspace, and say so only once.",
    Refusal.OUTSIDER: "I answer members of the organisation I belong to, and say so only once.",
}
_RESET_MAY_HELP = (
    "If that goes on in this thread alone, reset it: the conversation before the question may be the reason."
)
_UNREADABLE = {
    Unreadable.GONE: "it has been deleted.",
    Unreadable.ELSEWHERE: "it is kept by another service. I only read files that are uploaded here.",
    Unreadable.FORBIDDEN: "I was not given access to it. The person who runs me finds the reason in the log.",
    Unreadable.NOT_TAKEN: "Gemini does not take it at the moment. Please retry in a few minutes.",
    Unreadable.UNPROCESSED: "Gemini could not process it. Please attach it in another format, or a part of it.",
    Unreadable.SLOW: "Gemini has not got it ready in time. Please retry in a few minutes.",
    Unreadable.NO_FILE: "I cannot read documents of this kind. Please attach it as a file, a PDF for example.",
}


def notice_for(error: BaseException) -> str:
    """The words for *error*. What is not foreseen gets the general sentence; the log has the rest."""
    if isinstance(error, ModelError) and error.past_may_be_why:
        return f"{_words_for(error)} {_RESET_MAY_HELP}"
    return _words_for(error)


def _words_for(error: BaseException) -> str:  # noqa: PLR0911, PLR0912 - a flat table
    match error:
        case ModelBusy(retry_after=float() | int() as seconds) if seconds > 60:
            return f"Gemini asks for a pause of about {_minutes(seconds)}. Please ask again after that."
        case ModelBusy():
            return "Gemini has too much to do just now. Please ask again in a minute."
        case ModelUnavailable():
            return "Gemini cannot be reached at the moment. Please ask again in a few minutes."
        case QuotaExhausted():
            return "The Gemini quota is used up for now. It may be back tomorrow; the operator can raise it."
        case KeyRejected():
            return "Gemini does not accept the API key. The operator needs to look at `GEMINI_API_KEY`."
        case PaymentRequired():
            return "Gemini asks for the account's billing to be looked at. The operator needs to do that."
        case ModelUnknown():
            return f"Gemini has no model named `{error.model}`. The operator needs to look at `GEMINI_MODEL`."
        case AgentUnknown(agent=agent):
            return (
                f"Gemini has no agent named `{agent}`. The operator needs to look at `GEMINI_RESEARCH_AGENT`, "
                "and perhaps to set `GEMINI_API_VERSION` to v1beta."
            )
        case ResearchFailed():
            return "Gemini could not bring this research to an end. Please retry, or ask for less at once."
        case ResearchTooLong(limit=limit):
            return f"This research took longer than {_minutes(limit)}, so I have ended it. Please ask for less at once."
        case ResearchUncertain():
            return (
                "I was interrupted while this research was begun. It may run at Gemini, where I cannot find it, "
                "so I do not begin it again by myself. Please retry if you still want it."
            )
        case AnswerBlocked():
            return "Gemini withheld its answer under its safety rules. Please put the question differently."
        case AnswerEmpty():
            return "Gemini finished without saying anything. Please put the question differently, or retry."
        case AnswerBroken():
            return "The answer broke off twice on its way. Please retry, or ask again a little later."
        case TooManyCalls():
            return "Gemini kept calling functions and came to no answer. Please put the question differently."
        case QuestionRejected(chained=True):
            return (
                "Gemini rejects this question as invalid. If that goes on, reset this thread: "
                "the conversation before it may be the reason."
            )
        case QuestionRejected():
            return "Gemini rejects this question as invalid. Please put it differently, or leave out a file."
        case NothingAsked():
            return "There was nothing in that message I could answer. What would you like to know?"
        case NotAllowed(refusal=refusal):
            return f"{_NOT_ALLOWED[refusal]} Please ask the person who runs me."
        case CapReached(cap=cap, personal=True):
            return f"You have used your {_turns(cap)} for today. There will be more at midnight UTC."
        case CapReached(cap=cap):
            return f"Nothing is left today of the {_turns(cap)} for everybody. There will be more at midnight UTC."
        case NoResearch(private=True):
            return "There is no research in private threads, for Gemini would have to keep it. Please ask elsewhere."
        case NoResearch():
            return "Research is switched off here. Please ask without `research`, or ask the person who runs me."
        case ResearchSpent(cap=cap):
            return f"Nothing is left today of the {_researches(cap)} for everybody. There will be more at midnight UTC."
        case TooManyAttempts():
            return "I tried several times and could not bring this answer to an end. Please ask again."
        case _:
            return "Something went wrong on my side, and it is in the log. Please retry."


def remark_for(error: AttachmentError) -> str:
    """The words, inside an answer, for a file that was left out of it."""
    match error:
        case AttachmentTooLarge(limit=limit):
            return (
                f"Left out {_quoted(error.name)}: I take files up to {limit / 1_000_000:g} MB with one question. "
                "Please attach a smaller one."
            )
        case AttachmentUnsupported(mime_type=mime_type) if mime_type in OFFICE:
            return (
                f"Left out {_quoted(error.name)}: this model reads no {OFFICE[mime_type]} files. Please attach a PDF."
            )
        case AttachmentUnsupported(name=name) if name.casefold().endswith(RAW_SOUND):
            return (
                f"Left out {_quoted(name)}: raw sound does not say how it is to be played. "
                "Please attach it as WAV, MP3 or M4A."
            )
        case AttachmentUnsupported(mime_type=mime_type):
            return f"Left out {_quoted(error.name)}: I cannot read files of this kind ({mime_type})."
        case AttachmentUnreadable(reason=reason) if reason in _UNREADABLE:
            return f"Left out {_quoted(error.name)}: {_UNREADABLE[reason]}"
        case _:
            return f"Left out {_quoted(error.name)}: it is empty or could not be fetched. Please attach it again."


def toolless_remark(tools: Sequence[Tool], *, lately: bool = False) -> str:
    """The words for a question that was rejected with these tools, and is answered without any.

    Args:
        lately: it was another question, a short while ago.
    """
    has_functions = offers_functions(tools)
    has_others = any(not offers_functions([tool]) for tool in tools)
    named = " and ".join(filter(None, ("tools" if has_others else "", "functions" if has_functions else "")))
    if lately:
        return f"Gemini refused the {named} I may use here a short while ago, so this is answered without them."
    return f"Gemini did not take this question with the {named} I may use here, so it is answered without them."


def unsure_remark(name: str) -> str:
    """The words for a file that cannot be had after a restart, when the answer to it was there already."""
    return f"I was interrupted, and cannot tell any more whether I had read {_quoted(name)}."


FOLLOWING = "I go on reading this thread. Mention me with the word quiet, and I wait for mentions."
UNOPENED = "Gemini could not open what is linked to, so this is answered from the words alone."
TRUNCATED = "The answer ran into the model's limit and is cut short here."

RESEARCH_STOPPED = "_Stopped. I tell Gemini to end it; what it took until then is paid for._"
RESEARCH_UNBEGUN = "_Stopped before it was begun, so it costs nothing._"

TOLD_AGAIN = "Gemini no longer took this thread as I had kept it, so I told it again from what stands here."
GROWN_LONG = "This thread has grown long: from here on I leave out how it began."


def research_warning(agent: str, limit: float) -> str:
    """What stands in a thread before an agent is let to work, and while it does.

    Args:
        limit: most seconds that it may take.
    """
    return (
        f"**Research** by `{agent}`. It takes some minutes, {_minutes(limit)} at the most, and it costs dollars, "
        "not cents: stop ends it. Questions in this thread wait until it is done; ask them elsewhere."
    )


def research_done(agent: str, minutes: int | None, file: str) -> str:
    """What stands before a report; nobody may know how long that took."""
    took = "" if minutes is None else f" for {minutes} min" if minutes else " for less than a minute"
    return f"_Researched{took} by_ `{agent}`_. All of it, with its sources, is in_ `{file}`_._"


def history_remark(names: list[str], *, kept: int | None = None) -> str:
    """The words for what could not be told to a model that had lost the thread: files, or the thread's beginning.

    Args:
        kept: how many messages were told, the newest; None for all.
    """
    sentences = []
    if kept is not None:
        last = f"its last {kept} messages" if kept > 1 else "its last message"
        sentences.append(f"This thread is long: I have read {last} only.")
    if names:
        sentences.append(f"I had to read this thread again and left out {', '.join(map(_quoted, names))}.")
    return " ".join(sentences)


def unheard_remark(heard: int) -> str:
    """The words for a thread in which more was said among people than is read before a question."""
    return f"Much was said here since my last answer: I have read the last {heard} messages of it only."


def _quoted(name: str) -> str:
    # Names come cleaned (`attachments.label_name`); shown as code, nothing left in them is read as Markdown.
    return f"`{name}`"


def _turns(cap: int) -> str:
    return "one turn" if cap == 1 else f"{cap} turns"


def _researches(cap: int) -> str:
    return "one research" if cap == 1 else f"{cap} researches"


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    return "a minute" if minutes == 1 else f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60)} hours"
