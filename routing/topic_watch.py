"""Looking which topics exist, every so often.

In a thread of its own: the broker's list takes milliseconds, now and then tens of them, that everybody's events would
wait for.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from schemas.errors import Unavailable

_ASK_AGAIN_S: Final = 1.0
"""After the broker did not answer."""


class TopicWatch:
    """When to look, and what was seen. Not for threads."""

    def __init__(self, ask: Callable[[], frozenset[str]], every_s: float) -> None:
        """``ask`` gives the topics that exist, for any thread, or raises Unavailable."""
        self._ask = ask
        self._every_s = every_s
        self._next = 0.0
        self._is_waited_for = True
        self._answer: Future[frozenset[str]] | None = None
        self._asking = ThreadPoolExecutor(1, thread_name_prefix="watching-topics")

    def soon(self) -> None:
        """Look at once, whatever is being looked at now: the next `seen` waits for it."""
        self._next, self._is_waited_for, self._answer = 0.0, True, None

    def seen(self) -> frozenset[str] | None:
        """The topics that exist, if somebody has looked since the last time; the first look is waited for."""
        if self._answer is None:
            if time.monotonic() < self._next:
                return None
            self._answer = self._asking.submit(self._ask)
        if not self._is_waited_for and not self._answer.done():
            return None
        answer, self._answer = self._answer, None
        self._next = time.monotonic() + self._every_s
        try:
            topics = answer.result()
        except Unavailable:
            self._next = min(self._next, time.monotonic() + _ASK_AGAIN_S)
            return None
        self._is_waited_for = False
        return topics

    def close(self) -> None:
        """Look no more."""
        self._asking.shutdown(wait=False, cancel_futures=True)
