"""Garbage is looked for between two batches, when what a batch was made of is gone, and not in the middle of one.

What routing makes is freed as it is dropped, and what it remembers stays: to look through that every few hundred
objects costs an eighth of a busy worker's time, and holds up whatever is on its way.
"""

from __future__ import annotations

import gc
from typing import Final

NEW_MOST: Final = 10_000
"""Objects that are new since the last look: a look at ten thousand takes three milliseconds, if all are there still."""
_LOOKS_MOST: Final = 50
"""At what is new, before one at what was new then."""
_LONGER_LOOKS_MOST: Final = 100
"""Of those, before one at everything."""


def collect_when_told() -> None:
    """Look no more unless told to, and never again at what is loaded by now."""
    gc.collect()
    gc.freeze()
    gc.disable()


def collect() -> None:
    """Look, if much is new since the last time."""
    new, looks, longer = gc.get_count()
    if new >= NEW_MOST:
        gc.collect(2 if longer > _LONGER_LOOKS_MOST else 1 if looks > _LOOKS_MOST else 0)
