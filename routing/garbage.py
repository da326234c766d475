"""Garbage is looked for when it suits: while the broker commits and nothing is to be routed, or between two batches.

What routing makes is freed as it is dropped, and what it remembers stays: to look through that every few hundred
objects costs an eighth of a busy worker's time, and holds up whatever is on its way.
"""

from __future__ import annotations

import gc
from typing import Final

_NEW_MOST: Final = 10_000
"""Objects that are new since the last look: a look at ten thousand takes three milliseconds, if all are there still."""
_LOOKS_MOST: Final = 50
"""At what is new, before one at what was new then."""
_LONGER_LOOKS_MOST: Final = 100
"""Of those, before one at everything."""
WITHOUT_LEISURE: Final = 50_000
"""New objects after which a busy worker looks all the same."""


def collect_when_told() -> None:
    """Look no more unless told to, and never again at what is loaded by now."""
    gc.collect()
    gc.freeze()
    gc.disable()


def collect(new_most: int = _NEW_MOST) -> None:
    """Look if so many objects are new; nothing, where Python looks of its own accord."""
    new, looks, longer = gc.get_count()
    if new >= new_most and not gc.isenabled():
        gc.collect(2 if longer > _LONGER_LOOKS_MOST else 1 if looks > _LOOKS_MOST else 0)
