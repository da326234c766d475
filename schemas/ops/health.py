"""``/metrics``, ``/health/live`` and ``/health/ready`` of one process.

*Live* says that the main loop turns: a supervisor restarts what is not. *Ready* says that the process does its work,
and if not, why: an operator or an orchestrator waits. A process that waits for Kafka is live and not ready. Both hold
at the moment of asking, also while the main loop hangs.

>>> health = Health()
>>> health.unready("waiting for Kafka", component="session")
>>> health.reasons()
{'session': 'waiting for Kafka'}
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from prometheus_client.exposition import choose_encoder

from schemas.errors import Fatal
from schemas.ops import metrics
from schemas.ops.contact import SILENT_AFTER_S
from schemas.ops.logs import get_logger
from schemas.ops.serving import LOOPBACK, Serving

_PATHS: Final = ("/metrics", "/health/live", "/health/ready")
_log = get_logger()


class Health:
    """What a process says of itself; every method may be called from any thread.

    It is ready once some component has said so, and while none says otherwise. Give ``beat`` once in each turn of the
    main loop; a process that never beats counts as live for as long as it answers.
    """

    def __init__(self, *, stale_after_s: float = 30.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._stale_after_s = stale_after_s
        self._clock = clock
        self._lock = threading.Lock()
        self._last_beat: float | None = None
        self._reasons: dict[str, str | None] = {}
        self._watched: dict[str, Callable[[], str]] = {}

    def beat(self) -> None:
        """The main loop has turned."""
        self._last_beat = self._clock()

    def ready(self, component: str = "process") -> None:
        """This component does its work."""
        self._report(component, None)

    def unready(self, reason: str, component: str = "process") -> None:
        """This component does not do its work, for a reason that an operator can read: never personal data."""
        self._report(component, reason)

    def watch(self, component: str, trouble: Callable[[], str]) -> None:
        """Ask, whenever somebody asks here, why this component does not do its work; an empty answer says it does.

        It is called from other threads and must not fail. What it says is in addition to what others report.
        """
        with self._lock:
            self._watched[component] = trouble
        metrics.set_gauge_source("component_ready", lambda: float(not trouble()), component=component)

    def reasons(self) -> dict[str, str]:
        """Component → why it is not ready; empty when the process is ready."""
        with self._lock:
            told = dict(self._reasons) or {"process": "starting"}
            watched = list(self._watched.items())
        reasons = told | {component: trouble() or told.get(component) for component, trouble in watched}
        return {component: reason for component, reason in sorted(reasons.items()) if reason}

    def beat_age_s(self) -> float | None:
        """Seconds since the last beat; None before the first."""
        last_beat = self._last_beat
        return None if last_beat is None else self._clock() - last_beat

    def stalled_s(self) -> float:
        """Seconds since the last beat, once they are more than a turn should take; else 0."""
        age_s = self.beat_age_s() or 0.0
        return age_s if age_s > SILENT_AFTER_S else 0.0

    def is_live(self) -> bool:
        """Whether the last beat, if one was ever given, is younger than ``stale_after_s``."""
        age_s = self.beat_age_s()
        return age_s is None or age_s <= self._stale_after_s

    def _report(self, component: str, reason: str | None) -> None:
        with self._lock:
            self._reasons[component] = reason
            metrics.set_gauge("component_ready", 0 if reason else 1, component=component)


def serve_ops(port: int, health: Health, host: str = LOOPBACK) -> Serving:
    """Serve metrics and health from a daemon thread, on this machine alone unless told otherwise; port 0: any free one.

    Raises:
        Fatal: the port cannot be had at that address.
    """

    class Answer(_Answer):
        _health = health

    metrics.set_gauge_source("loop_silent_seconds", lambda: health.beat_age_s() or 0.0)

    try:
        return Serving(_QuietServer((host, port), Answer), "ops-server")
    except (OSError, OverflowError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a port number"
        raise Fatal(
            f"metrics and health: expected a free port, {host}:{port} cannot be listened on ({why}); "
            "end the process that has it, or name another with --metrics-port (and an address with --metrics-host)"
        ) from error


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True  # a slow reader of /metrics must not hold up the end of the process

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  the library's signature
        _log.warning("health or metrics request failed", exc_info=True)


class _Answer(BaseHTTPRequestHandler):
    _health: Health
    server_version = "huecry"
    sys_version = ""
    timeout = 5.0  # seconds that a silent client may hold its thread

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            encode, content_type = choose_encoder(self.headers.get("Accept", ""))
            self._send(200, encode(metrics.REGISTRY), content_type)
        elif path == "/health/live":
            live, age_s = self._health.is_live(), self._health.beat_age_s()
            self._send_json(live, {"live": live, "beat_age_s": None if age_s is None else round(age_s, 3)})
        elif path == "/health/ready":
            reasons = self._health.reasons()
            self._send_json(not reasons, {"ready": not reasons, "reasons": reasons})
        else:
            self._send(404, json.dumps({"error": "no such path", "paths": _PATHS}).encode(), "application/json")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's signature
        """Keep no access log: normal operation is silent."""

    def _send_json(self, well: bool, body: dict[str, object]) -> None:  # noqa: FBT001
        self._send(200 if well else 503, json.dumps(body).encode(), "application/json")

    def _send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
