"""Worker processes for tests: the real one, and some that are made worse on purpose. Importable, so that they spawn."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, MutableSequence
from pathlib import Path

from routing import session
from routing.effects import Record
from routing.heart import Heart
from routing.intake import Intake
from routing.worker import Assignment, work

HANGS_ONCE = "HUECRY_TEST_HANGS_ONCE"
"""Names a file: while there is none, the worker hangs in a call, and makes it."""


def hangs_once(assignment: Assignment, cells: MutableSequence[float]) -> None:
    """A worker whose first transactional call never returns, as in librdkafka 5456; the one after it is a real one."""
    flag = Path(os.environ[HANGS_ONCE])
    if flag.exists():
        work(assignment, cells)
        return
    flag.touch()
    heart = Heart(cells)
    heart.beat()
    heart.set_ready(ready=True)
    with heart.call():
        time.sleep(3600)


class InFetchedOrder(Intake):
    """The plain thing: first fetched, first routed."""

    def __init__(self) -> None:
        super().__init__()
        self._line: deque[Record] = deque()

    def add(self, records: Iterable[Record]) -> None:
        fetched = list(records)
        super().add(fetched)
        self._line.extend(fetched)

    def put_back(self, records: Iterable[Record]) -> None:
        back = list(records)
        super().put_back(back)
        self._line.extendleft(reversed(back))

    def take(self, most: int) -> list[Record]:
        super().take(most)
        return [self._line.popleft() for _ in range(min(most, len(self._line)))]


def work_in_fetched_order(assignment: Assignment, cells: MutableSequence[float]) -> None:
    """A worker without fairness."""
    session.Intake = InFetchedOrder  # type: ignore[misc]
    work(assignment, cells)
