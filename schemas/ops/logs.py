"""Logs without personal data: JSON lines on stderr, and only what is known to be harmless gets through.

>>> log = get_logger()
>>> log.warning("worker replaced", slot=1, reason="stuck")  # doctest: +SKIP
{"timestamp": "2026-01-31T08:00:00.000000Z", "level": "warning", "service": "route", "event": "worker replaced", ...}

Four gates, each shut unless it knows better:

- **Event text** is a literal of the function that logs. A text put together at run time (an f-string, ``%``
  arguments) may hold anything: it is replaced by ``text withheld`` and the place in the code.
- **Keys** are those of ``ALLOWED_KEYS``. Others are dropped; ``dropped_keys`` names them, without their values.
- **Values** have the shape their key allows (a number, a slug, a record's identifier, ...), or read ``withheld``.
- **Exceptions** give class and file:line of the frames. The message is given for our own errors only, which promise
  to be free of personal data (schemas/errors.py); a library's message may quote what it choked on.

Normal operation emits no logs: what happens all the time is counted in metrics.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from types import TracebackType
from typing import Any, Final, Literal, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from schemas.ops.log_gates import WITHHELD, admitted, calling_frame, described, is_literal_of, place, short_path

Level = Literal["debug", "info", "warning", "error", "critical"]

_SEVERITY: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "exception": 40, "critical": 50, "fatal": 50}
_settings: Final = {"service": "huecry", "level": "info"}


def configure_logs(service: str, *, level: Level = "info") -> None:
    """Name this process in its logs, and see that nothing else of it writes personal data to stderr.

    Uncaught exceptions of any thread, and what libraries log through the standard library at warning or above, come
    out as lines of ours. Hooks that another program has set (a test runner, a debugger) are left alone.
    """
    _settings.update(service=service, level=level)
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _uncaught
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = _uncaught_in_thread
    root = logging.getLogger()
    if not any(isinstance(handler, _LibraryLog) for handler in root.handlers):
        root.addHandler(_LibraryLog(logging.WARNING))


def get_logger() -> FilteringBoundLogger:
    """A logger; good at import time, before ``configure_logs``, and in any thread."""
    return cast(
        "FilteringBoundLogger",
        structlog.wrap_logger(
            _Stderr(),
            processors=[_drop_below_level, _gate, _write_json],
            wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
            context_class=dict,
            cache_logger_on_first_use=True,
        ),
    )


class _Stderr:
    """Writes to whatever ``sys.stderr`` is when a line comes, so that a redirection holds."""

    def _write(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = exception = fatal = msg = log = _write


def _drop_below_level(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    if _SEVERITY[method] < _SEVERITY[_settings["level"]]:
        raise structlog.DropEvent
    return event


def _gate(_logger: WrappedLogger, method: str, given: EventDict) -> EventDict:
    text, exc_info = given.pop("event", None), given.pop("exc_info", None)
    line: EventDict = {
        "timestamp": _now(),
        "level": "error" if method == "exception" else method,
        "service": _settings["service"],
    }
    frame = calling_frame()
    if is_literal_of(text, frame):
        line["event"] = text
    else:
        line.update(event="text withheld", at=place(frame) if frame else WITHHELD)
    line.update(admitted(given))
    error = _exception(exc_info)
    if error is not None:
        line["exception"] = described(error)
    return line


def _now() -> str:
    stamped = structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "", {})
    return str(stamped["timestamp"])


def _exception(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if len(exc_info) > 1 and isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _write_json(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
    return json.dumps(line, ensure_ascii=False)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        get_logger().critical("uncaught exception: the process ends", exc_info=error)


def _uncaught_in_thread(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is not None and not isinstance(failure.exc_value, SystemExit):
        get_logger().critical("uncaught exception: a thread ends", exc_info=failure.exc_value)


class _LibraryLog(logging.Handler):
    """Says that a library has logged, where, and how grave: not what, since that is nobody's promise."""

    def emit(self, record: logging.LogRecord) -> None:
        log = get_logger()
        say: Any = log.error if record.levelno >= logging.ERROR else log.warning
        say("library logged, message withheld", at=f"{short_path(record.pathname)}:{record.lineno}")
