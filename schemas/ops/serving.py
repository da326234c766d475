"""A small HTTP server of one process, answered from a daemon thread."""

from __future__ import annotations

import threading
from http.server import ThreadingHTTPServer
from typing import Final, Self

HOST: Final = "127.0.0.1"


class Serving:
    """A running server; ``port`` is the one it listens on. Close it, or use it as a context manager."""

    def __init__(self, server: ThreadingHTTPServer, name: str) -> None:
        self._server = server
        self.port: int = server.server_port
        self.url = f"http://{HOST}:{self.port}"
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
