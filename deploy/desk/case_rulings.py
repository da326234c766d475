"""A ruling on a case: what it is about, what its maker has seen, and in which role it may be made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from consumers.ledger_cases import CaseBook, WholeCase
from deploy.desk.desk import Desk
from deploy.desk.looking import Seen, seen
from deploy.desk.rulings import a_ruling, limit_of, parts_of, recipients_of
from routing.agreements.model import Locate
from schemas.casework import Ruling
from schemas.errors import Rejected

CaseRuling = Literal["release", "refuse", "extend", "ask-again"]
_ON_WHAT_IS_KNOWN: Final = frozenset({"release", "refuse"})
"""Whoever extends or asks again rules on nothing that the incident says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a person says to rule on a case."""

    asked: str
    """Incident, log number or case."""
    kind: CaseRuling
    to: Sequence[str]
    sections: Sequence[str] = ()
    because: str
    locate: Locate = "exact"
    until: datetime | None = None
    seen: int | None = None
    """The event that the person states to have seen; None: what was shown last counts."""


def case_ruling(desk: Desk, words: Words, now: datetime, agrees: Callable[[Seen], bool]) -> tuple[str, Ruling]:
    """The ruling, and the force whose it is.

    Args:
        desk: where it is made.
        words: what the person says.
        now: when.
        agrees: asked where the incident has changed since the person looked; is shown what came since.

    Raises:
        Rejected: ``no-such-case``, ``not-looked``, ``stale-view``, ``unknown-person``, ``no-role``, ``which-role``,
            ``bad-recipient``, ``bad-part``, ``bad-time``, ``no-reason``.
    """
    with CaseBook(desk.ledger, who=desk.caller.reader) as book:
        force = book.force
        to, parts, until = (
            recipients_of(desk.exchange, force, words.to),
            parts_of(words.sections),
            limit_of(words.until, now),
        )
        case = book.whole_case(book.incident_of(words.asked))
        ruler = desk.ruler(force, roles_asked(case, to))
        sequence = _sequence(book, case, desk, words, now, agrees)
    incident_id = case.now["incident_id"]
    ruling = a_ruling(
        force,
        incident_id,
        words.kind,
        ruler,
        now,
        recipients=to,
        sections=parts,
        seen_sequence=sequence,
        because=words.because,
        locate=words.locate,
        until=until,
    )
    return force, ruling


def roles_asked(case: WholeCase, to: Sequence[str]) -> frozenset[str]:
    """The roles in the paths of the open lines for these members: those that may rule."""
    return frozenset(step["role"] for line in case.lines if line["recipient"] in to for step in line["path"])


def _sequence(
    book: CaseBook, case: WholeCase, desk: Desk, words: Words, now: datetime, agrees: Callable[[Seen], bool]
) -> int:
    latest = case.records[-1]
    if words.kind not in _ON_WHAT_IS_KNOWN:
        return int(latest["sequence"])
    reader, incident_id = desk.caller.reader, case.now["incident_id"]
    known = seen(case, book.last_view(reader, incident_id), words.seen)
    if not known.is_stale:
        return known.sequence
    if not agrees(known):
        raise Rejected(
            "stale-view",
            f"you have seen event {known.sequence} of the incident, the latest is {known.latest}: nothing was ruled",
            remedy=f"look at what came since: huecry cases show {incident_id}; then rule again",
        )
    book.has_looked(reader, latest, now)
    return known.latest
