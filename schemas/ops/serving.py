"""A small HTTP server of one process, answered from a daemon thread.

It listens on this machine alone unless an operator names another address: what it serves asks nobody who they are.
"""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from typing import Final, Self

LOOPBACK: Final = "127.0.0.1"
"""Where every server of ours listens unless told otherwise."""


class Serving:
    """A running server; ``port`` is the one it listens on. Close it, or use it as a context manager."""

    def __init__(self, server: ThreadingHTTPServer, name: str) -> None:
        self._server = server
        self.port: int = server.server_port
        self.url = f"http://{server.server_address[0]!s}:{self.port}"
        self._thread = threading.Thread(target=server.serve_forever, args=(0.05,), name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; returns when the port is free again. Safe to repeat."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
