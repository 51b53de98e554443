import io
import json
import logging
from collections.abc import Iterator
from datetime import datetime

import pytest

from bot.logs import JsonLines, TextLines, configure_logs

SECRET = 'k3y "with\\odd/letters'


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """A stream to configure the log onto; the log of the test run is put back afterwards."""
    loggers = [logging.getLogger(name) for name in (None, "bot", "adapters", "storage")]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    yield io.StringIO()
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers


def failure_of(text: str) -> ValueError:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_a_person_reads_time_level_phrase_and_fields_on_one_line(out: io.StringIO) -> None:
    configure_logs("text", "info", stream=out)

    logging.getLogger("bot.dispatch").info("turn answered", extra={"turn": "t1", "seconds": 1.5, "model": "a b"})

    day, time, rest = out.getvalue().split(" ", 2)
    datetime.fromisoformat(f"{day} {time}")
    assert rest == 'INFO    bot.dispatch: turn answered turn=t1 seconds=1.5 model="a b"\n'


def test_a_machine_reads_one_object_a_line(out: io.StringIO) -> None:
    configure_logs("json", "info", stream=out)

    logging.getLogger("bot.dispatch").warning("turn failed", extra={"turn": "t1", "asks": 2, "previous": None})

    line = json.loads(out.getvalue())
    assert datetime.fromisoformat(line.pop("time")).tzname() == "UTC"
    assert line == {
        "level": "warning",
        "logger": "bot.dispatch",
        "event": "turn failed",
        "turn": "t1",
        "asks": 2,
        "previous": None,
    }


def test_no_field_can_pass_for_the_time_or_the_level() -> None:
    record = logging.makeLogRecord({"levelname": "INFO", "msg": "phrase", "event": "other", "level": "error"})
    line = json.loads(JsonLines(()).format(record))
    assert (line["event"], line["level"]) == ("phrase", "info")


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "evil",
    [
        pytest.param("a\n2026-01-01 00:00:00 INFO    bot: all is well", id="a line of its own"),
        pytest.param("a\r\x1b[2K\x1b[31mred", id="orders to the terminal"),
        pytest.param("a\u2028b\u202ec\x85d", id="breaks and turns of Unicode"),
        pytest.param("a\ud800", id="half a character"),
    ],
)
def test_a_value_stays_on_its_line_and_moves_no_cursor(out: io.StringIO, form: str, evil: str) -> None:
    configure_logs("json" if form == "json" else "text", "info", stream=out)

    logging.getLogger("bot").error("phrase %s", evil, extra={"name_of_file": evil}, exc_info=failure_of("good"))
    logging.getLogger("bot").error("phrase", exc_info=failure_of(evil))

    for line in out.getvalue().splitlines():
        assert line.isprintable()
        assert line.encode().isascii()
        if form == "json":
            assert json.loads(line)["level"] == "error"
        else:
            assert line.startswith("    ") or " ERROR   bot: phrase" in line


def test_a_traceback_stands_below_its_line_for_a_person(out: io.StringIO) -> None:
    configure_logs("text", "info", stream=out)

    logging.getLogger("bot").error("turn failed", exc_info=failure_of("no luck"))

    first, *below = out.getvalue().splitlines()
    assert first.endswith("ERROR   bot: turn failed")
    assert below[0] == "    Traceback (most recent call last):"
    assert below[-1] == "    ValueError: no luck"


def test_a_traceback_is_one_field_for_a_machine(out: io.StringIO) -> None:
    configure_logs("json", "info", stream=out)

    logging.getLogger("bot").error("turn failed", exc_info=failure_of("no luck"), stack_info=True)

    (line,) = out.getvalue().splitlines()
    told = json.loads(line)["traceback"]
    assert "ValueError: no luck" in told
    assert "Stack (most recent call last)" in told


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_is_blotted_out_wherever_it_turns_up(out: io.StringIO, form: str) -> None:
    configure_logs("json" if form == "json" else "text", "info", secrets=("k3y", SECRET, ""), stream=out)
    inner = failure_of(f"refused {SECRET!r}")
    outer = failure_of("outer")
    outer.__cause__ = inner

    logging.getLogger("httpx2").warning("GET https://h/?key=%s", "k3y%20%22with%5Codd%2Fletters", extra={"url": SECRET})
    logging.getLogger("bot").error(f"{SECRET} {json.dumps(SECRET)}", extra={"error": inner}, exc_info=outer)  # noqa: G004 -- a careless one is what is tried here

    told = out.getvalue()
    assert told.count("[secret]") == 6
    assert "letters" not in told
    assert "k3y" not in told


@pytest.mark.parametrize("form", [TextLines, JsonLines])
def test_a_line_without_secrets_is_left_alone(form: type[TextLines] | type[JsonLines]) -> None:
    record = logging.makeLogRecord({"msg": "reply posted", "levelname": "INFO", "name": "bot"})
    assert "reply posted" in form(("",)).format(record)


def test_libraries_are_heard_only_when_they_warn(out: io.StringIO) -> None:
    configure_logs("text", "debug", stream=out)

    for library in ("httpx2", "httpx", "google_genai.models", "aiohttp.access", "asyncio", "slack_sdk", "discord"):
        logging.getLogger(library).info("payload")
        logging.getLogger(library).debug("payload")
    logging.getLogger("asyncio").error("task was lost")
    logging.getLogger("adapters.web").debug("ours")

    assert [line.split(": ", 1)[1] for line in out.getvalue().splitlines()] == ["task was lost", "ours"]


def test_the_level_holds_for_libraries_too(out: io.StringIO) -> None:
    configure_logs("text", "error", stream=out)

    logging.getLogger("bot.inbox").warning("not this")
    logging.getLogger("asyncio").warning("nor this")

    assert out.getvalue() == ""


def test_configuring_again_replaces_what_was(out: io.StringIO) -> None:
    configure_logs("text", "info", stream=out)
    configure_logs("text", "info", stream=out)

    logging.getLogger("bot").info("once")

    assert out.getvalue().count("once") == 1
