"""Garbage is looked for between two batches, when what a batch was made of is gone, and not in the middle of one.

What routing makes is freed as it is dropped, and what it remembers stays: to look through that every few hundred
objects costs an eighth of a busy worker's time, and holds up whatever is on its way. So only what is new is looked at,
and what is there still is set aside; all of it is looked at once in an hour.
"""

from __future__ import annotations

import gc
import time
from typing import Final

NEW_MOST: Final = 4_000
"""Objects that are new since the last look: a look at a thousand takes a quarter of a millisecond, if all are there
still."""
_REST_S: Final = 0.5
"""Between two looks: what a full batch is made of is always new while it is on its way, and no garbage."""
_ALL_EVERY_S: Final = 3_600.0
"""A look at everything takes tenths of a second."""


def collect_when_told() -> None:
    """Look no more unless told to, and set aside what is loaded by now."""
    gc.collect()
    gc.freeze()
    gc.disable()


class Garbage:
    """When to look."""

    def __init__(self) -> None:
        self._next = 0.0
        self._next_at_all = time.monotonic() + _ALL_EVERY_S

    def collect(self) -> None:
        """Look, if much is new since the last time, and that was a while ago."""
        if gc.get_count()[0] < NEW_MOST or (now := time.monotonic()) < self._next:
            return
        if now >= self._next_at_all:
            gc.unfreeze()
            gc.collect()
            self._next_at_all = now + _ALL_EVERY_S
        else:
            gc.collect(0)
        gc.freeze()
        self._next = time.monotonic() + _REST_S
