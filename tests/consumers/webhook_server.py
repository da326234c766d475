"""A force's own system that takes feedback by webhook, and can be told to behave badly."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from schemas.ops.serving import Serving


class Receiver:
    """Keeps what it was sent, by its key; answers with `status`, or as `statuses` says for single records."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.kept: dict[str, Any] = {}
        self.status = 204
        self.statuses: dict[str, int] = {}
        self.headers: dict[str, str] = {}
        self._lock = threading.Lock()

        class Answer(_Answer):
            receiver = self

        self._server = Serving(_Server(("127.0.0.1", 0), Answer), "webhook")
        self.url = f"{self._server.url}/feedback?tenant=1"
        self.port = self._server.port

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        with self._lock:
            key = headers["Idempotency-Key"]
            self.requests.append((path, headers, body))
            status = self.statuses.get(key, self.status)
            if 200 <= status < 300:
                self.kept.setdefault(key, json.loads(body))
            return status

    def close(self) -> None:
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A sender that is killed resets its connection."""


class _Answer(BaseHTTPRequestHandler):
    receiver: Receiver
    protocol_version = "HTTP/1.1"
    timeout = 5.0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.receiver.take(self.path, dict(self.headers), body)
        self.send_response(status)
        for name, value in self.receiver.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""
