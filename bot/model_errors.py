"""What an error of the Interactions API means, whether it came as an HTTP status or as an event.

The codes are those of Google's error reference; the API also speaks in the older form of Google's other APIs, and
gateways before it in HTML. None of their texts leaves this module: they may quote what a person wrote.
"""

import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

from bot.errors import (
    AnswerBlocked,
    AnswerBroken,
    ContextLost,
    KeyRejected,
    ModelBusy,
    ModelError,
    ModelUnavailable,
    ModelUnknown,
    PaymentRequired,
    QuestionRejected,
    QuotaExhausted,
)

BLOCKED = frozenset({
    "safety", "prohibited_content", "blocklist", "spii", "recitation", "language", "content_blocked",
    "image_safety", "image_prohibited_content", "image_recitation", "image_other",
})  # fmt: skip

_STATUS_OF = {
    "invalid_request": 400, "invalid_argument": 400, "failed_precondition": 400, "parameter_unknown": 400,
    "authentication": 401, "unauthenticated": 401, "payment_required": 402, "permission_denied": 403,
    "not_found": 404, "model_not_found": 404, "already_exists": 409, "aborted": 409, "out_of_range": 416,
    "rate_limit_exceeded": 429, "quota_exceeded": 429, "too_many_requests": 429, "resource_exhausted": 429,
    "cancelled": 499, "api_error": 500, "internal": 500, "unimplemented": 501, "service_unavailable": 503,
    "unavailable": 503, "deadline_exceeded": 504,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as the server told it, in either of the forms."""

    status: int  # of HTTP; 0 when an event gives a code that belongs to none
    code: str  # a word in lower case, safe to log
    retry_after: float | None = None  # seconds
    _told: str = field(default="", repr=False)  # all it said, in lower case

    @property
    def names_the_key(self) -> bool:
        return "api key" in self._told or "api_key" in self._told

    @property
    def names_the_model(self) -> bool:
        return self.code == "model_not_found" or "model" in self._told

    @property
    def names_an_interaction(self) -> bool:
        return "interaction" in self._told

    @property
    def names_a_file(self) -> bool:
        return re.search(r"\bfiles?\b", self._told) is not None

    @property
    def is_for_the_day(self) -> bool:
        """Whether it is a limit that no waiting of minutes mends."""
        return self.code == "quota_exceeded" or "perday" in self._told or "per day" in self._told


def read_failure(
    status: int | None,
    body: object,
    headers: Mapping[str, str] | None = None,
    *,
    now: Callable[[], float] = time.time,
) -> Failure:
    """Read an error.

    Args:
        status: of HTTP; None when it came as an event.
        body: parsed JSON, or text when it was none.
    """
    told = body[0] if isinstance(body, list) and body else body  # Google's streams wrap errors in a list
    error = told.get("error") if isinstance(told, Mapping) else None
    if not isinstance(error, Mapping):
        error = {}
    code = _code(error)
    if status is None:
        number = error.get("code")
        status = number if isinstance(number, int) and 400 <= number < 600 else _STATUS_OF.get(code, 0)
    return Failure(
        status=status,
        code=code or f"http_{status}",
        retry_after=_retry_after(headers or {}, error, now),
        _told=str(error).lower() if error else "",
    )


def raise_if_blocked(codes: Iterable[str]) -> None:
    """Raise `AnswerBlocked` when one of the codes says that Gemini's safety rules withheld the answer."""
    for code in map(_word, codes):
        if code in BLOCKED:
            raise AnswerBlocked(code)


def error_for(  # noqa: PLR0911, PLR0912 - a table, read from the top
    failure: Failure, *, model: str, chained: bool
) -> ModelError:
    """What a failed create means.

    Args:
        chained: the request named an interaction to go on from.
    """
    code, reason = failure.code, f"{failure.status} {failure.code}"
    match failure.status:
        case _ if code in BLOCKED:
            return AnswerBlocked(code)
        case 401:
            return KeyRejected(reason)
        case 400 | 403 if failure.names_the_key:
            return KeyRejected(reason)
        case 402:
            return PaymentRequired(reason)
        case 404 if failure.names_the_model:
            return ModelUnknown(model)
        case 403 | 404 if chained:
            return ContextLost(reason)
        case 400 if chained and (failure.names_an_interaction or failure.names_a_file):
            return ContextLost(reason)  # or what was uploaded with it has expired
        case 429 if failure.is_for_the_day:
            return QuotaExhausted(reason)
        case 429:
            return ModelBusy(reason, retry_after=failure.retry_after)
        case 408 | 409 | 499:
            return ModelUnavailable(reason, retry_after=failure.retry_after)
        case status if 400 <= status < 500:
            return QuestionRejected(code, chained=chained)
        case status if status >= 500:
            return ModelUnavailable(reason, retry_after=failure.retry_after)
        case _:
            return AnswerBroken(f"error {code}")


def _code(error: Mapping[str, object]) -> str:
    """The error's name: ``code`` in the API's own form, ``status`` in Google's, where ``code`` is a number."""
    for name in ("code", "status"):
        value = error.get(name)
        if isinstance(value, str) and value and not value.isdigit():
            return _word(value)
    return ""


def _word(code: str) -> str:
    """A code as a plain word: the SDK says it may be a URI, so the last part counts. Nothing when it is none."""
    word = re.split(r"[/#]", code.lower())[-1]
    return word if re.fullmatch(r"[a-z0-9_.-]{1,64}", word) else ""


def _retry_after(headers: Mapping[str, str], error: Mapping[str, object], now: Callable[[], float]) -> float | None:
    """How long the server asks to wait, by whichever of its three ways."""
    found = (
        _number(headers.get("retry-after-ms"), unit=0.001),
        _number(headers.get("retry-after")),
        _until(headers.get("retry-after"), now),
        *(_number(delay.removesuffix("s")) for delay in _retry_delays(error)),
    )
    return next((seconds for seconds in found if seconds is not None), None)


def _number(text: str | None, *, unit: float = 1.0) -> float | None:
    try:
        seconds = float(text or "") * unit
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _until(date: str | None, now: Callable[[], float]) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date or "").timestamp() - now())
    except (ValueError, TypeError, OverflowError):
        return None


def _retry_delays(error: Mapping[str, object]) -> Iterator[str]:
    details = error.get("details")
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, Mapping) else None
        if isinstance(delay, str):
            yield delay
