"""Errors by what to do next, not by where they arose.

Every message says what was expected, what came, where, and what the reader can do. None ever holds personal data:
quote codes, sizes, positions and identifiers of records, never field values typed by a person.
"""

from __future__ import annotations


class HueCryError(Exception):
    """What every error of ours is; catch one of the three kinds below instead."""


class Unavailable(HueCryError):
    """Something outside is away: wait, then make the same call again."""

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Rejected(HueCryError):
    """This input can never be taken: set it aside where its owner finds it, and go on with the next.

    ``reason`` is a code (lower case, hyphenated) fit for a metric label and a record; ``remedy`` tells the owner what
    to do.
    """

    def __init__(self, reason: str, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.remedy = remedy


class Fatal(HueCryError):
    """This process cannot go on: stop it, and let its supervisor (or its operator) start it afresh."""
