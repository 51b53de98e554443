"""What an error of Gemini means to us, by every form it comes in."""

import json
from collections.abc import Mapping
from email.utils import formatdate

import pytest

from bot.errors import (
    AnswerBlocked,
    AnswerBroken,
    ContextLost,
    KeyRejected,
    ModelBusy,
    ModelError,
    ModelRefused,
    ModelUnavailable,
    ModelUnknown,
    PaymentRequired,
    QuestionRejected,
    QuotaExhausted,
)
from bot.model_errors import BLOCKED, error_for, read_failure

NOW = 1_795_000_000.0
HTML = "<html><body><h1>Bad gateway</h1></body></html>"


def plain(code: str, message: str = "Words.") -> object:
    return {"error": {"code": code, "message": message}}


def google(number: int, status: str, message: str = "Words.", **detail: object) -> object:
    return {"error": {"code": number, "status": status, "message": message, "details": [detail]}}


def meant(
    status: int | None, body: object, headers: Mapping[str, str] | None = None, *, chained: bool = False
) -> ModelError:
    return error_for(read_failure(status, body, headers, now=lambda: NOW), model="gemini-x", chained=chained)


BAD_KEY = "API key not valid. Please pass a valid API key."


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, plain("invalid_request"), QuestionRejected),
        (400, google(400, "INVALID_ARGUMENT", BAD_KEY), KeyRejected),
        (400, google(400, "INVALID_ARGUMENT", reason="API_KEY_INVALID"), KeyRejected),
        (400, plain("safety"), AnswerBlocked),
        (400, HTML, QuestionRejected),
        (401, plain("authentication"), KeyRejected),
        (401, HTML, KeyRejected),
        (402, plain("payment_required"), PaymentRequired),
        (403, plain("permission_denied", "Your API key was reported as leaked."), KeyRejected),
        (403, plain("permission_denied", "The file is not yours."), QuestionRejected),
        (404, plain("model_not_found"), ModelUnknown),
        (404, google(404, "NOT_FOUND", "models/gemini-x is not found for API version v1"), ModelUnknown),
        (404, plain("not_found"), QuestionRejected),
        (404, None, QuestionRejected),
        (408, plain("deadline_exceeded"), ModelUnavailable),
        (409, plain("aborted"), ModelUnavailable),
        (416, plain("out_of_range"), QuestionRejected),
        (422, plain("invalid_request"), QuestionRejected),
        (429, plain("rate_limit_exceeded"), ModelBusy),
        (429, plain("too_many_requests"), ModelBusy),
        (429, google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota."), ModelBusy),
        (429, google(429, "RESOURCE_EXHAUSTED", violations=[{"quotaId": "RequestsPerMinute"}]), ModelBusy),
        (429, google(429, "RESOURCE_EXHAUSTED", violations=[{"quotaId": "RequestsPerDayPerModel"}]), QuotaExhausted),
        (429, plain("quota_exceeded"), QuotaExhausted),
        (429, plain("rate_limit_exceeded", "Requests per day: 0 left."), QuotaExhausted),
        (429, HTML, ModelBusy),
        (499, plain("cancelled"), ModelUnavailable),
        (500, plain("api_error"), ModelUnavailable),
        (500, plain("prohibited_content"), AnswerBlocked),
        (502, HTML, ModelUnavailable),
        (503, [google(503, "UNAVAILABLE")], ModelUnavailable),
        (504, None, ModelUnavailable),
        (529, "", ModelUnavailable),
        # As an event in place of an answer there is no status, and the code stands for it.
        (None, plain("rate_limit_exceeded"), ModelBusy),
        (None, plain("quota_exceeded"), QuotaExhausted),
        (None, plain("service_unavailable"), ModelUnavailable),
        (None, google(503, "UNAVAILABLE"), ModelUnavailable),
        (None, google(429, "RESOURCE_EXHAUSTED"), ModelBusy),
        (None, plain("model_not_found"), ModelUnknown),
        (None, plain("recitation"), AnswerBlocked),
        (None, plain("malformed_tool_call"), AnswerBroken),
        (None, {"error": "words"}, AnswerBroken),
    ],
)
def test_an_error_is_one_of_our_few(status: int | None, body: object, expected: type[ModelError]) -> None:
    assert type(meant(status, body)) is expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, plain("not_found", "No such thing."), ContextLost),
        (404, HTML, ContextLost),
        (404, plain("model_not_found"), ModelUnknown),
        (403, plain("permission_denied", "You may not read this."), ContextLost),
        (403, plain("permission_denied", "API key expired."), KeyRejected),
        (400, plain("invalid_request", "previous_interaction_id is unknown."), ContextLost),
        (400, google(400, "INVALID_ARGUMENT", "Interaction v1_x has expired."), ContextLost),
        (400, google(400, "INVALID_ARGUMENT", BAD_KEY), KeyRejected),
        (400, plain("safety", "This interaction was stopped."), AnswerBlocked),
        (400, plain("invalid_request", "Too long."), QuestionRejected),
        (400, "<html>POST /v1/interactions</html>", QuestionRejected),
        (None, plain("not_found"), ContextLost),
    ],
)
def test_a_chained_question_may_have_lost_its_context(
    status: int | None, body: object, expected: type[ModelError]
) -> None:
    assert type(meant(status, body, chained=True)) is expected


@pytest.mark.parametrize("code", sorted(BLOCKED))
@pytest.mark.parametrize("spelling", ["{}", "https://ai.google.dev/errors#{}", "errors/{}"])
def test_every_code_of_the_safety_rules_is_known_however_it_is_spelled(code: str, spelling: str) -> None:
    for error in (meant(400, plain(spelling.format(code))), meant(None, plain(spelling.format(code.upper())))):
        assert isinstance(error, AnswerBlocked)
        assert error.code == code


def test_a_rejected_chained_question_says_that_a_reset_may_help() -> None:
    chained, plain_one = (meant(400, plain("invalid_request"), chained=chained) for chained in (True, False))

    assert isinstance(chained, QuestionRejected)
    assert isinstance(plain_one, QuestionRejected)
    assert (chained.code, chained.chained, plain_one.chained) == ("invalid_request", True, False)


@pytest.mark.parametrize(
    ("headers", "details", "seconds"),
    [
        ({"retry-after": "7"}, {}, 7.0),
        ({"retry-after": "0.25"}, {}, 0.25),
        ({"retry-after": formatdate(NOW + 90, usegmt=True)}, {}, 90.0),
        ({"retry-after": formatdate(NOW - 90, usegmt=True)}, {}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, {}, 1.5),
        ({}, {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}, 3.0),
        ({}, {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3.5s"}, 3.5),
        ({"retry-after": "soon"}, {"retryDelay": "4s"}, 4.0),
        ({}, {}, None),
        ({"retry-after": "nan"}, {}, None),
        ({"retry-after": "-5"}, {}, None),
        ({"retry-after": "inf"}, {}, None),
        ({"retry-after": "Mon, 99 Foo 2026 99:99:99 GMT"}, {}, None),
        ({}, {"retryDelay": 3}, None),
        ({}, {"retryDelay": "s"}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_the_server_asks_for_is_read(
    headers: Mapping[str, str], details: Mapping[str, object], seconds: float | None, status: int
) -> None:
    error = meant(status, google(status, "RESOURCE_EXHAUSTED", "Words.", **details), headers)

    assert isinstance(error, ModelRefused)
    assert error.retry_after == seconds


def test_nothing_the_server_wrote_but_its_code_can_reach_a_log() -> None:
    secret = "what a person wrote"
    body = {"error": {"code": secret, "message": secret, "details": [{"quoted": secret}]}}

    failure, error = read_failure(400, body), meant(400, body)

    assert secret not in json.dumps([str(error), repr(error), repr(failure)])
    assert failure.code == "http_400"
    assert read_failure(400, plain("x" * 5000)).code == "http_400"
