"""The numbers of one stream, as they come: pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Met = Literal["next", "filled", "missing", "reused", "known", "earlier"]
"""What a number was: the next; one of a hole; beyond a hole; another delivery's; a repeat; before all that is known."""


@dataclass(slots=True)
class Counted:
    """A stream as far as it is known: all numbers from first to last, but for the holes."""

    first: int
    last: int
    holes: set[tuple[int, int]] = field(default_factory=set)

    def meet(self, number: int, *, is_new: bool) -> Met:
        """Take in one number; `is_new` tells whether its delivery is here for the first time."""
        if number == self.last + 1:
            self.last = number
            return "next"
        if number > self.last:
            self.holes.add((self.last + 1, number - 1))
            self.last = number
            return "missing"
        if number < self.first:
            self.first = number
            return "earlier"
        hole = next((one for one in self.holes if one[0] <= number <= one[1]), None)
        if hole is None:
            return "reused" if is_new else "known"
        self.holes.remove(hole)
        self.holes |= {part for part in ((hole[0], number - 1), (number + 1, hole[1])) if part[0] <= part[1]}
        return "filled"
