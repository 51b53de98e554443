"""What the Interactions API looks like on the wire: JSON objects, refusals and event lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

JsonObject = dict[str, object]
"""A JSON object as it came or will go; read a field with `text_in` and its like."""


class ErrorShape(StrEnum):
    """The three bodies a Google front answers an error with."""

    PLAIN = "plain"  # {"error": {"code": "rate_limit_exceeded", ...}}
    GOOGLE = "google"  # {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", ...}}
    HTML = "html"  # a page, from a proxy that never asked the API


class Refused(Exception):
    """A request that is answered with an error status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message


CODES: Mapping[int, tuple[str, str]] = {
    400: ("invalid_request", "INVALID_ARGUMENT"),
    401: ("authentication", "UNAUTHENTICATED"),
    402: ("payment_required", "FAILED_PRECONDITION"),
    403: ("permission_denied", "PERMISSION_DENIED"),
    404: ("not_found", "NOT_FOUND"),
    408: ("deadline_exceeded", "DEADLINE_EXCEEDED"),
    409: ("aborted", "ABORTED"),
    416: ("out_of_range", "OUT_OF_RANGE"),
    429: ("rate_limit_exceeded", "RESOURCE_EXHAUSTED"),
    499: ("cancelled", "CANCELLED"),
    501: ("unimplemented", "UNIMPLEMENTED"),
    503: ("service_unavailable", "UNAVAILABLE"),
    504: ("deadline_exceeded", "DEADLINE_EXCEEDED"),
}
"""The usual code of a status, in the API's own words and in Google's."""


def code_for(status: int) -> str:
    """The API's usual error code of an HTTP status."""
    return CODES.get(status, ("api_error", "INTERNAL"))[0]


def error_body(status: int, code: str, message: str, *, shape: ErrorShape, retry_delay: str | None = None) -> bytes:
    """An error's body. The retry delay (``"3s"``) only has a place in Google's shape."""
    if shape is ErrorShape.HTML:
        return f"<html><head><title>{status}</title></head><body><h1>{message}</h1></body></html>".encode()
    error: JsonObject = {"code": code, "message": message}
    if shape is ErrorShape.GOOGLE:
        error = {"code": status, "status": CODES.get(status, ("", "INTERNAL"))[1], "message": message}
        if retry_delay is not None:
            retry_info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": retry_delay}
            error["details"] = [retry_info]
    return encode({"error": error})


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode(value: object) -> bytes:
    """JSON as compact as it gets. Half a surrogate pair, which JSON can spell and UTF-8 cannot, is replaced."""
    return _ENCODER.encode(value).encode(errors="replace")


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream as it is sent, and the piece of the answer's text in it, if any."""

    data: bytes
    text: str | None = None


def event_frame(event: JsonObject) -> Frame:
    """An event as the stream carries it."""
    return Frame(b"event: %b\ndata: %b\n\n" % (str(event["event_type"]).encode(), encode(event)))


DONE = Frame(b"event: done\ndata: [DONE]\n\n")


def timestamp(seconds: float) -> str:
    """A moment in the form the API writes it in."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text_in(value: Mapping[str, object], key: str) -> str:
    """The text under *key*, or nothing when there is none."""
    found = value.get(key)
    return found if isinstance(found, str) else ""


def objects_in(value: Mapping[str, object], key: str) -> list[JsonObject]:
    """The JSON objects in the list under *key*."""
    found = value.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
