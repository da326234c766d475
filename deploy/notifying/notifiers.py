"""How people are told: a webhook or a command. Neither an address's path nor what a command prints reaches a log."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import ssl
import subprocess
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from schemas.errors import Rejected, Unavailable

AUTHORIZATION_VARIABLE: Final = "HUECRY_NOTIFY_AUTHORIZATION"
"""The environment variable whose value a webhook gets as its Authorization header, if it is set."""
_ANSWER_S: Final = 10.0
_COMMAND_S: Final = 30.0
_RETRY_S: Final = 1.0
_LEAST_OK: Final = 200
_LEAST_NOT_OK: Final = 300


class Notifier(Protocol):
    """Tells somebody of one notice."""

    def tell(self, body: Mapping[str, Any]) -> None:
        """Tell it; returns once whoever tells it on has it.

        Raises:
            Unavailable: it was not told, or it is not known whether it was: tell it again.
        """
        ...


def notifier_of(target: str, environment: Mapping[str, str] = os.environ) -> Notifier:
    """The notifier that a person names: an http or https URL, or a command.

    Raises:
        Rejected: it is neither.
    """
    scheme, separator, _ = target.partition("://")
    if separator:
        if scheme not in {"http", "https"}:
            raise Rejected("bad-target", f"expected an http or https URL, or a command, got {scheme[:20]}://")
        return Webhook(target, environment.get(AUTHORIZATION_VARIABLE, ""))
    try:
        words = shlex.split(target)
    except ValueError as error:
        raise Rejected("bad-target", f"expected a command with its arguments: {error}") from None
    if not words:
        raise Rejected("bad-target", "expected an http or https URL, or a command, got nothing")
    return Command(words)


class Webhook:
    """Posts each notice as JSON; a notice that comes again has the same Idempotency-Key.

    Any answer but 2xx is a reason to try again: a mistaken address is mended, and nobody is left untold meanwhile.
    Redirections are not followed: they would send it where nobody said.
    """

    def __init__(self, url: str, authorization: str = "") -> None:
        """Where to post.

        Raises:
            Rejected: the URL names no host.
        """
        parts = urlsplit(url)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.username:
            raise Rejected(
                "bad-target", f"expected a URL with a host and no user; secrets go to {AUTHORIZATION_VARIABLE}"
            )
        self.named = f"{parts.scheme}://{host}"
        """How messages name it: a path may be a secret."""
        self._path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        self._headers = {"Content-Type": "application/json"} | (
            {"Authorization": authorization} if authorization else {}
        )
        self._connect: Callable[[], http.client.HTTPConnection]
        if parts.scheme == "https":
            context = ssl.create_default_context()
            self._connect = lambda: http.client.HTTPSConnection(host, port, timeout=_ANSWER_S, context=context)
        else:
            self._connect = lambda: http.client.HTTPConnection(host, port, timeout=_ANSWER_S)

    def tell(self, body: Mapping[str, Any]) -> None:
        """See `Notifier`."""
        headers = self._headers | {"Idempotency-Key": str(body["notice_id"])}
        connection = self._connect()
        try:
            connection.request("POST", self._path, json.dumps(body), headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            message = f"the webhook at {self.named} does not answer: {type(error).__name__}"
            raise Unavailable(message, retry_after_s=_RETRY_S) from None
        finally:
            connection.close()
        if not _LEAST_OK <= status < _LEAST_NOT_OK:
            raise Unavailable(f"the webhook at {self.named} answers {status}, expected 2xx", retry_after_s=_RETRY_S)


class Command:
    """Runs a command for each notice, which it reads as JSON on its standard input; exit code 0: it is told."""

    def __init__(self, words: list[str]) -> None:
        self._words = words

    def tell(self, body: Mapping[str, Any]) -> None:
        """See `Notifier`."""
        name = os.path.basename(self._words[0])  # noqa: PTH119  of what is no path, the same
        try:
            done = subprocess.run(
                self._words,
                input=json.dumps(body).encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_COMMAND_S,
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            message = f"the command {name} could not be run to its end: {type(error).__name__}"
            raise Unavailable(message, retry_after_s=_RETRY_S) from None
        if done.returncode != 0:
            raise Unavailable(f"the command {name} ended with exit code {done.returncode}", retry_after_s=_RETRY_S)
