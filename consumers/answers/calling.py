"""Answers by HTTP: ``POST /answers`` with one answer or a list of them, from this machine alone.

Each call is one transaction: what it answers 202 to is durable, and of what it answers 400 to nothing was taken.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from consumers.answers.taking import AnswerTaker, Taken
from consumers.answers.watching import count_answers
from consumers.sinks.places import Place, open_database
from schemas.errors import Fatal, Rejected, Unavailable
from schemas.ops.logs import get_logger
from schemas.ops.serving import LOOPBACK, Serving

PATH: Final = "/answers"
_LONGEST: Final = 1024 * 1024
_MOST: Final = 1000
_log = get_logger()

Said = Sequence[dict[str, Any]]


def answers_at(place: Place, kind: str, member: str) -> Callable[[Said], list[Taken]]:
    """What takes a call's answers in a database: each call opens it, so that any thread may."""

    def take(said: Said) -> list[Taken]:
        database = open_database(place, kind, member, None)
        try:
            taken = AnswerTaker(database, member).say(said, "call")
        finally:
            database.close()
        count_answers(member, list(taken))
        return taken

    return take


def serve_answers(port: int, take: Callable[[Said], list[Taken]], token: str | None = None) -> Serving:
    """Take calls from a daemon thread; port 0: any free one.

    Args:
        port: to listen on, at 127.0.0.1.
        take: takes all of a call's answers, or none.
        token: what a caller must show as ``Authorization: Bearer``; None: nothing.

    Raises:
        Fatal: the port cannot be had.
    """

    class Answer(_Call):
        _take = staticmethod(take)
        _token = token

    try:
        return Serving(_Server((LOOPBACK, port), Answer), "answers-server")
    except (OSError, OverflowError) as error:
        raise Fatal(
            f"answers: expected a free port, {LOOPBACK}:{port} cannot be listened on; end the process that has it, or "
            "name another with --answers-port"
        ) from error


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  the library's signature
        _log.warning("a call with answers failed", exc_info=True)


class _Call(BaseHTTPRequestHandler):
    _take: Callable[[Said], list[Taken]]
    _token: str | None
    server_version = "huecry"
    sys_version = ""
    timeout = 10.0  # seconds that a silent caller may hold its thread

    def do_POST(self) -> None:
        if self.path.partition("?")[0] != PATH:
            self._tell(404, {"error": "no such path", "expected": f"POST {PATH}"})
        elif self.headers.get("Origin") is not None:
            # A page in somebody's browser may call any port of that machine; receiving systems send no such header.
            self._tell(403, {"error": "expected a call of a receiving system, and this one comes from a web page"})
        elif self._token is not None and not self._shows(self._token):
            self._tell(401, {"error": "expected Authorization: Bearer, and the token that this consumer was given"})
        else:
            self._take_body()

    def do_GET(self) -> None:
        self._tell(405, {"error": f"expected POST {PATH}; what waits is in the view awaiting"})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's signature
        """Keep no access log: normal operation is silent."""

    def _shows(self, token: str) -> bool:
        shown = self.headers.get("Authorization", "")
        return hmac.compare_digest(shown.encode(), f"Bearer {token}".encode())

    def _take_body(self) -> None:
        try:
            taken = self._take(_answers(self._body()))
        except Rejected as error:
            self._tell(400, {"error": str(error), "reason": error.reason, "remedy": error.remedy})
        except Unavailable as error:
            self._tell(503, {"error": str(error), "retry_after_s": error.retry_after_s})
        else:
            self._tell(202, {"taken": [_told(one) for one in taken]})

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > _LONGEST:
            self.close_connection = True
            raise Rejected("bad-answer", f"expected a body with a Content-Length of at most {_LONGEST} bytes")
        return self.rfile.read(int(length))

    def _tell(self, status: int, body: dict[str, Any]) -> None:
        told = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        if status == 401:
            self.send_header("WWW-Authenticate", "Bearer")
        self.end_headers()
        self.wfile.write(told)


def _answers(body: bytes) -> Said:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Rejected("bad-answer", "expected JSON: one answer, or a list of answers") from None
    answers = said if isinstance(said, list) else [said]
    if not answers or len(answers) > _MOST or not all(isinstance(one, dict) for one in answers):
        raise Rejected("bad-answer", f"expected an answer as a JSON object, or a list of 1 to {_MOST} of them")
    return answers


def _told(taken: Taken) -> dict[str, Any]:
    return {
        "answer_number": taken.answer_number,
        "kind": taken.kind,
        "origin": taken.origin,
        "incident_id": taken.incident_id,
        "answers": list(taken.answers),
        "is_repeat": taken.is_repeat,
    }
