"""What a person says about an incident: a ruling before it was examined."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from routing.agreements.model import Locate

SaidKind = Literal["release", "refuse", "extend", "ask-again", "discretion", "override"]

_NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A person's words, authenticated: who, in which role, about whom and what, and why."""

    id: str
    kind: SaidKind
    person: str
    """As the bundle's roles name people."""
    role: str
    at: datetime
    """When the broker took it: not what the sender's clock said."""
    recipients: frozenset[str]
    parts: frozenset[str] = _NONE
    """The head and sections; none: all that the case asks about (not for discretion and override)."""
    seen_sequence: int
    """The latest event that the person had before their eyes."""
    because: str
    until: datetime | None = None
    locate: Locate = "exact"
    agreement: str = ""
    """Of discretion and override: whose terms hold."""
    later_events: bool = False
    """Of discretion: it covers later events too."""
