"""Whatever is done with a logger, a person's name does not reach the output."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Fatal, Rejected, Unavailable
from schemas.ops import logs
from schemas.ops.log_gates import ALLOWED_KEYS, WITHHELD, admitted, described
from schemas.ops.logs import configure_logs, get_logger

NAME = "Jane Ashworth"
log = get_logger()


@pytest.fixture(autouse=True)
def configured(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(logs, "_settings", dict(logs._settings))
    handlers = list(logging.getLogger().handlers)
    configure_logs("route")
    yield
    logging.getLogger().handlers[:] = handlers


@pytest.fixture
def lines(capsys):
    def read() -> list[dict]:
        captured = capsys.readouterr()
        assert captured.out == "", "logs go to stderr alone"
        assert "Jane" not in captured.err
        assert "Ashworth" not in captured.err
        return [json.loads(line) for line in captured.err.splitlines()]

    return read


def choke_on_a_name():
    raise KeyError(NAME)


def test_a_line_says_when_how_grave_who_and_what(lines):
    before = datetime.now(UTC)
    log.warning("worker replaced", slot=1, reason="stuck")
    (line,) = lines()
    at = datetime.fromisoformat(line.pop("timestamp"))
    assert before <= at <= datetime.now(UTC)
    assert line == {"level": "warning", "service": "route", "event": "worker replaced", "slot": 1, "reason": "stuck"}


def test_an_unknown_key_is_dropped_and_only_its_name_is_told(lines):
    log.warning("record set aside", victim=NAME, slot=2)
    (line,) = lines()
    assert line["dropped_keys"] == ["victim"]
    assert line["slot"] == 2


def test_a_key_that_is_data_itself_is_not_told(lines):
    log.warning("record set aside", **{NAME: 1, "also odd": 2})
    assert lines()[0]["dropped_keys"] == [WITHHELD, WITHHELD]


@pytest.mark.parametrize("key", sorted(ALLOWED_KEYS))
def test_a_name_under_an_allowed_key_is_withheld(key, lines):
    log.warning("something happened", **{key: NAME})
    assert lines()[0][key] == WITHHELD


@pytest.mark.parametrize("value", [[NAME], {"given": NAME}, (NAME,), {NAME}, object(), b"Jane", [[NAME]]])
def test_a_name_inside_a_collection_is_withheld(value, lines):
    log.warning("something happened", member=value, count=value, error=value)
    assert WITHHELD in str(lines()[0]["member"])


def test_a_text_put_together_at_run_time_is_withheld_and_its_place_told(lines):
    log.warning(f"no such person: {NAME}", slot=1)  # noqa: G004  what must not get through
    log.warning("no such person: %s", NAME)
    log.warning("no such person: " + NAME[:4])  # noqa: G003  as above
    for line in lines():
        assert line["event"] == "text withheld"
        assert line["at"].startswith("ops/test_ops_logs.py:")


def test_bound_values_pass_the_same_gates(lines):
    log.bind(origin="west-yorkshire", caller=NAME).info("caught up")
    (line,) = lines()
    assert line["origin"] == "west-yorkshire"
    assert line["dropped_keys"] == ["caller"]


def test_the_message_of_a_foreign_exception_is_never_given_only_class_and_place(lines):
    try:
        choke_on_a_name()
    except KeyError as error:
        log.exception("record not mapped")
        log.warning("record not mapped", error=error)
        log.warning("record not mapped", exc_info=True)
    raised, given, asked = lines()
    for description in (raised["exception"], given["error"], asked["exception"]):
        assert description["class"] == "KeyError"
        assert description["at"][-1].startswith("ops/test_ops_logs.py:")
        assert "message" not in description
    assert raised["level"] == "error"


@pytest.mark.parametrize(
    "error", [Fatal("port 9092 is taken"), Unavailable("port 9092 is taken"), Rejected("taken", "port 9092 is taken")]
)
def test_the_message_of_our_own_errors_is_given(error, lines):
    log.error("cannot go on", error=error)
    description = lines()[0]["error"]
    assert description["message"] == "port 9092 is taken"
    assert description["class"] == f"schemas.errors.{type(error).__name__}"


def test_what_caused_our_error_is_named_by_class_alone(lines):
    try:
        try:
            choke_on_a_name()
        except KeyError as cause:
            raise Fatal("the source cannot be read") from cause
    except Fatal:
        log.exception("stopping")
    assert lines()[0]["exception"]["caused_by"] == ["KeyError"]


def test_notes_and_groups_of_exceptions_stay_out(lines):
    error = ExceptionGroup(NAME, [ValueError(NAME)])
    error.add_note(NAME)
    log.error("several failed", error=error)
    assert lines()[0]["error"]["class"] == "ExceptionGroup"


def test_a_cycle_of_causes_ends():
    first, second = ValueError(), KeyError()
    first.__context__, second.__context__ = second, first
    assert described(first)["caused_by"] == ["KeyError", "ValueError"]


def test_lines_below_the_level_are_not_written(lines):
    configure_logs("route", level="warning")
    log.info("caught up")
    log.debug("caught up")
    assert lines() == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("topic", "partner.british-transport-police"),
        ("incident_id", "WY-20180701-0034"),
        ("event_id", "0190f5a1-7c1e-7abc-8def-0123456789ab"),
        ("bootstrap", "127.0.0.1:9092,[::1]:9093"),
        ("kafka_error", "_ALL_BROKERS_DOWN"),
        ("sections", ["suspects", "victims"]),
        ("waited_s", 0.25),
        ("exit_code", None),
    ],
)
def test_what_an_operator_needs_gets_through(key, value, lines):
    log.warning("something happened", **{key: value})
    assert lines()[0][key] == value


@given(st.dictionaries(st.sampled_from(sorted(ALLOWED_KEYS)) | st.text(), st.text() | st.floats() | st.integers()))
def test_any_values_make_one_line_of_strict_json(given_values):
    text = json.dumps(admitted(given_values), allow_nan=False)
    assert "\n" not in text


def test_what_a_library_logs_is_told_without_its_message(lines):
    handler = next(handler for handler in logging.getLogger().handlers if isinstance(handler, logs._LibraryLog))
    handler.handle(logging.LogRecord("confluent", logging.ERROR, "/home/x/kafka/client.py", 9, NAME, None, None))
    (line,) = lines()
    assert line["level"] == "error"
    assert line["at"] == "kafka/client.py:9"


DIES = f"""
import logging, threading
from schemas.ops.logs import configure_logs
configure_logs("produce")
logging.getLogger("library").warning("{NAME}")
def fail():
    raise ValueError("{NAME}")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""


def test_a_process_that_dies_of_a_foreign_exception_does_not_print_its_message():
    ended = subprocess.run([sys.executable, "-c", DIES], capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1
    assert "Jane" not in ended.stderr
    events = [json.loads(line)["event"] for line in ended.stderr.splitlines()]
    assert events == [
        "library logged, message withheld",
        "uncaught exception: a thread ends",
        "uncaught exception: the process ends",
    ]
