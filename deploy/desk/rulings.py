"""A person's words as a ruling: checked as far as the desk can, before anything is sent.

Whether it counts, the router says: it knows the incident as it is. What is refused here could not count in any case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final
from uuid import uuid4

from deploy.desk.persons import Ruler
from routing.agreements.decision import HEAD
from routing.agreements.model import FINEST_FIRST
from schemas.casework import Ruling
from schemas.errors import Rejected
from schemas.exchange import Exchange
from schemas.sections import SECTIONS

PARTS: Final = (HEAD, *SECTIONS)
"""What a ruling may name."""
LOCATES: Final = FINEST_FIRST
"""How finely a ruling may let places be told."""
_MOST_WORDS: Final = 2000


def a_ruling(force: str, incident_id: str, kind: str, ruler: Ruler, now: datetime, **said: Any) -> Ruling:  # noqa: ANN401
    """A ruling, as it is sent.

    Args:
        force: whose incident it is.
        incident_id: which.
        kind: what is ruled.
        ruler: who rules.
        now: when.
        said: the other fields of `Ruling`.

    Raises:
        Rejected: ``no-reason``: nothing is said in `because`.
    """
    because = str(said.pop("because", "")).strip()
    if not because or len(because) > _MOST_WORDS:
        raise Rejected("no-reason", f"expected why, in 1 to {_MOST_WORDS} characters, got {len(because)}")
    return Ruling(
        ruling_id=uuid4().hex,
        member=force,
        incident_id=incident_id,
        kind=kind,
        person=ruler.person,
        role=ruler.role,
        authenticated_by=ruler.authenticated_by,
        made_at=now,
        because=because,
        **said,
    )


def recipients_of(exchange: Exchange, force: str, named: Sequence[str]) -> tuple[str, ...]:
    """The members named, each of which receives and is not the force itself.

    Raises:
        Rejected: ``bad-recipient``.
    """
    return _each_of(named, [each for each in exchange.receivers() if each != force], "bad-recipient", "a member")


def parts_of(named: Iterable[str]) -> tuple[str, ...]:
    """The head and sections named, in the order that they have on the wire; commas may stand between them.

    Raises:
        Rejected: ``bad-part``.
    """
    words = [word for each in named for word in each.replace(",", " ").split()]
    found = _each_of(words, PARTS, "bad-part", "head or a section")
    return tuple(part for part in PARTS if part in found)


def _each_of(named: Iterable[str], known: Sequence[str], reason: str, what: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(named))
    for each in found:
        if each not in known:
            near = get_close_matches(each[:60], known, n=2)
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            raise Rejected(reason, f"expected {what}, got {each[:60]}{meant} Known are: {', '.join(known)}")
    return found


def limit_of(until: datetime | None, now: datetime) -> datetime | None:
    """Until when it counts.

    Raises:
        Rejected: ``bad-time``: that is over already.
    """
    if until is not None and until <= now:
        raise Rejected("bad-time", "expected a time that is still to come, got one that is over")
    return until
