"""What a consumer does between batches: each chore in its turn, none so often or so long that deliveries wait."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Chore:
    """One thing to be done now and then; it may raise `Unavailable`, and is then done again."""

    act: Callable[[], object]
    every_s: float
    """Not more often than that."""
    in_quiet: bool = False
    """Only when nothing has just come; but it is never put off for more than `LONGEST_PUT_OFF` turns of its own."""
    next_at: float = 0.0


LONGEST_PUT_OFF = 6


def tend(chores: Sequence[Chore], *, is_quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
    """Do whatever is due.

    Raises:
        Unavailable: something is away; what is due stays due.
    """
    for chore in chores:
        now = clock()
        put_off = chore.in_quiet and not is_quiet and now < chore.next_at + LONGEST_PUT_OFF * chore.every_s
        if now >= chore.next_at and not put_off:
            chore.act()
            chore.next_at = clock() + chore.every_s
