"""The read-only part of the Confluent Schema Registry's REST API, served from the pinned catalogue.

With it a partner's ordinary deserialiser works and nothing else needs to run. Nothing is ever registered: schemas are
released with this package. What is answered stands in `schemas.registry_answers`.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Collection
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final

from schemas.catalogue import Catalogue
from schemas.errors import Fatal
from schemas.ops.logs import get_logger
from schemas.ops.serving import LOOPBACK, Serving
from schemas.registry_answers import Answer, RegistryAnswers

CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"
_log = get_logger()
_LARGEST_REQUEST_BYTES: Final = 1024 * 1024


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests, one after the other."""

    answers: ClassVar[RegistryAnswers]
    protocol_version = "HTTP/1.1"
    server_version = "huecry"
    sys_version = ""
    timeout = 60  # seconds that a silent client may hold its thread
    # Head and body in one packet: with two, the reader's delayed acknowledgement costs 40 ms.
    wbufsize = 64 * 1024

    def _answer(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _LARGEST_REQUEST_BYTES:
            self.close_connection = True
            self._send(Answer(413, {"error_code": 413, "message": "Expected a request of at most 1 MiB"}))
            return
        self._send(self.answers.answer(self.command, self.path, self.rfile.read(int(length))))

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer  # noqa: N815  the names that http.server calls

    def _send(self, answer: Answer) -> None:
        body = json.dumps(answer.body).encode()
        self.send_response(answer.status, HTTPStatus(answer.status).phrase)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
        """Normal operation emits no logs."""


class _Listener(ThreadingHTTPServer):
    """Knows its open connections, so that closing ends those that clients keep open too."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handler: type[_Handler]) -> None:
        self._open: set[Any] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for request in tuple(self._open):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  the library's signature
        _log.warning("registry request failed", exc_info=True)


def serve_registry(port: int, known: Catalogue, topics: Collection[str] = (), *, host: str = LOOPBACK) -> Serving:
    """Serve a catalogue from a daemon thread, on this machine alone unless told otherwise; port 0 takes any free one.

    Raises:
        Fatal: the port cannot be had at that address.
    """
    handler = type("_Handler", (_Handler,), {"answers": RegistryAnswers(known, topics)})
    try:
        return Serving(_Listener((host, port), handler), "registry")
    except (OSError, OverflowError) as error:
        raise Fatal(
            f"registry: expected a free port, and {host}:{port} cannot be listened on; "
            "end the process that has it, or name another with --port (and an address with --host)"
        ) from error
