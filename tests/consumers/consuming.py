"""A member's consumer in a thread of this process, so that a test sees its progress, health and metrics."""

from __future__ import annotations

import threading
from typing import Any, Self

from consumers.receiving import receive
from consumers.runner import Progress
from consumers.settings import ConsumerSettings
from consumers.sinks.places import Place
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings
from schemas.ops.health import Health
from tests.consumers.kafka_side import Exchange, wait_until


class Consuming:
    """`receive` in a thread of this process."""

    def __init__(self, exchange: Exchange, into: Place, **options: Any) -> None:
        self.into = into
        self.stop = threading.Event()
        self.health = Health()
        self.progress = Progress()
        self.error: BaseException | None = None
        clients = ClientSettings(exchange.bootstrap, {"session.timeout.ms": "1500", "heartbeat.interval.ms": "300"})
        self._settings = ConsumerSettings(load_exchange(exchange.file), exchange.member, clients, into)
        self._options = options
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        def started(progress: Progress) -> None:
            self.progress = progress

        try:
            receive(self._settings, self.stop, self.health, started=started, **self._options)
        except BaseException as error:  # noqa: BLE001  handed to the test
            self.error = error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.join()

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()

    def wait_for(self, events: int) -> None:
        wait_until(lambda: self.error is not None or self.progress.written >= events, f"{events} deliveries")
        assert self.error is None, self.error
