"""One POST to a webhook: signed, with an idempotency key, and told apart by what to do about its answer."""

from __future__ import annotations

import hashlib
import hmac
import ssl
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult, urlsplit

from schemas.errors import Rejected, Unavailable

_TIMEOUT_S: Final = 10.0
_LONGEST_WAIT_S: Final = 300.0
# The receiver is set up wrongly, or not yet: nothing is wrong with the record, and setting it aside would lose it.
_WAITS: Final = frozenset({401, 403, 404, 405, 407, 408, 421, 425, 429})


class Webhook:
    """A place that takes JSON by POST. Use it from one thread."""

    def __init__(self, url: str, secret: str | None = None) -> None:
        """Read the URL; nothing is sent yet.

        Args:
            url: http or https; passwords do not belong into it.
            secret: signs each request (HMAC-SHA256); None: it is not signed.

        Raises:
            Rejected: it is no such URL. The message does not repeat it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise _unreadable() from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise _unreadable()
        self.name = parts.hostname if port is None else f"{parts.hostname}:{port}"
        """How messages call it: without path and query, which may be secret."""
        self._parts = parts
        self._secret = secret
        self._connection: HTTPConnection | None = None

    def post(self, body: bytes, key: str) -> None:
        """Send a body, and return once the receiver has said that it has it.

        Args:
            body: JSON.
            key: the same whenever the same is sent again: the receiver drops what it has.

        Raises:
            Rejected: it can never be taken: the receiver refuses this very body.
            Unavailable: it is away, or not ready to take anything.
        """
        answer = self._answer(body, key)
        status = answer.status
        if 200 <= status < 300:
            return
        told = f"webhook at {self.name}: expected 2xx, got {status}"
        if status in _WAITS or not 400 <= status < 500:
            raise Unavailable(told, retry_after_s=_retry_after_s(answer))
        raise Rejected("refused-by-webhook", told, remedy="see in the receiver's log why it does not take this record")

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _answer(self, body: bytes, key: str) -> HTTPResponse:
        is_fresh = self._connection is None
        try:
            return self._request(body, key)
        except (OSError, HTTPException) as error:
            self.close()
            trouble = type(error).__name__
        if not is_fresh:  # the receiver may just have closed a connection that was idle
            with suppress(OSError, HTTPException):
                return self._request(body, key)
            self.close()
        raise Unavailable(f"webhook at {self.name}: cannot be reached ({trouble})")

    def _request(self, body: bytes, key: str) -> HTTPResponse:
        if self._connection is None:
            self._connection = _connection(self._parts)
        self._connection.request("POST", _path(self._parts), body, self._headers(body, key))
        answer = self._connection.getresponse()
        answer.read()
        return answer

    def _headers(self, body: bytes, key: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "huecry", "Idempotency-Key": key}
        if self._secret is not None:
            moment = str(int(time.time()))
            headers |= {"Huecry-Timestamp": moment, "Huecry-Signature": signature(self._secret, moment, body)}
        return headers


def signature(secret: str, moment: str, body: bytes) -> str:
    """What stands in ``Huecry-Signature``: HMAC-SHA256 over the timestamp's text, a full stop and the body.

    >>> signature("secret", "1769868000", b"{}")
    'sha256=122e55b2541efe1a2879055af0c2e8d7cf9e4925c843725c5dd67d82985b01d6'
    """
    return f"sha256={hmac.new(secret.encode(), moment.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


def _connection(parts: SplitResult) -> HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        return HTTPSConnection(host, parts.port, timeout=_TIMEOUT_S, context=ssl.create_default_context())
    return HTTPConnection(host, parts.port, timeout=_TIMEOUT_S)


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _retry_after_s(answer: HTTPResponse) -> float:
    said = answer.getheader("Retry-After", "")
    return min(float(said), _LONGEST_WAIT_S) if said.isascii() and said.isdigit() else 1.0


def _unreadable() -> Rejected:
    return Rejected(
        "bad-webhook",
        "expected the webhook's URL as in https://cad.force.example/feedback, without a user or password in it",
        remedy="a secret belongs into the file of --webhook-secret-file",
    )
