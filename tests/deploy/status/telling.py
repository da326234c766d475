"""Processes as tests want them: what they would expose, with or without a server that answers with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from deploy.status.exposition import parse
from deploy.status.fault import Fault
from deploy.status.picture import Picture, Process, answered, silent
from deploy.status.targets import Target
from deploy.status.watch import Report, Watch
from schemas.ops.serving import Serving

REFUSED = "connection refused"
NOON = 1_780_000_000.0
NAMES = {"north": "Northern Police", "south": "Southern Police"}
_ADDRESSES = {"produce": 1, "route": 2, "route-worker": 3, "consume": 4, "ledger": 5, "registry": 6, "broker": 7}


def exposed(service: str, whose: str, lines: str, started_at: float | None = NOON - 3600) -> str:
    """What /metrics would answer; of the lines, each is a sample without the prefix of ours."""
    samples = [f"huecry_{line.strip()}" for line in lines.splitlines() if line.strip()]
    if started_at is not None:
        samples.append(f"process_start_time_seconds {started_at}")
    return "\n".join([f'huecry_process_info{{service="{service}",whose="{whose}"}} 1', *samples]) + "\n"


def address(service: str, whose: str) -> str:
    return f"{whose}.example:{9400 + _ADDRESSES[service]}"


def up(service: str, whose: str, lines: str = "", *, at: str = "", unready: str = "", **options: Any) -> Process:
    """A process that answered."""
    reasons = {options.pop("component", "it"): unready} if unready else {}
    return answered(Target(at or address(service, whose)), parse(exposed(service, whose, lines, **options)), reasons)


def down(service: str, whose: str, *, at: str = "") -> Process:
    """A process that its target names, and that did not answer."""
    return silent(Target(at or address(service, whose), service, whose), REFUSED)


def watched(*pictures: Picture, names: Mapping[str, str] = NAMES) -> Report:
    """The report after these."""
    watch = Watch()
    for picture in pictures:
        watch, report = watch.look(picture, names)
    return report


def every(interval_s: float, *moments: tuple[Process, ...]) -> list[Picture]:
    """Pictures so far apart."""
    return [Picture(NOON + number * interval_s, processes) for number, processes in enumerate(moments)]


def kinds(report: Report) -> list[tuple[str, str]]:
    """What is wrong, and for whom."""
    return [(fault.kind, fault.member) for fault in report.faults]


def only(report: Report) -> Fault:
    (fault,) = report.faults
    return fault


@contextmanager
def serving(metrics: str, reasons: Mapping[str, str] | None = None) -> Iterator[str]:
    """A server that answers as a process would; its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ready = json.dumps({"ready": not reasons, "reasons": reasons or {}})
            body = (ready if self.path == "/health/ready" else metrics).encode()
            self.send_response(503 if reasons and self.path == "/health/ready" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with Serving(ThreadingHTTPServer(("127.0.0.1", 0), Answer), "pretended") as server:
        yield f"127.0.0.1:{server.port}"
