"""What people shared beyond the rules on one day, for whoever reviews it the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from consumers.ledger_reader import Row
from consumers.ledger_taken_back import SharedBeyond
from deploy.desk.case_screen import wrapped
from deploy.desk.moments import clock, moment_of
from deploy.desk.sending import NOT_TAKEN

_HOW: Final = {"discretion": "at discretion", "override": "OVER A FORBID, life at risk"}


def as_lines(found: SharedBeyond, day: str) -> Iterator[str]:
    """Every one, line by line, in the order of time."""
    if not found.rulings:
        yield f"Nothing was shared beyond the rules on {day}."
        return
    yield f"Shared beyond the rules on {day}: {len(found.rulings)} (times are Europe/London)"
    for ruling in found.rulings:
        yield ""
        yield from _ruling(ruling, said_of(ruling, found.feedback))


def said_of(ruling: Row, feedback: Sequence[Row]) -> list[Row]:
    """What the router said of one ruling, and members of what it sent them."""
    return [row for row in feedback if row["ruling_id"] == ruling["ruling_id"]]


def _ruling(ruling: Row, said: Sequence[Row]) -> Iterator[str]:
    at = moment_of(ruling["taken_at"])
    yield f"{clock(at, at)}  {_HOW[ruling['kind']]}: incident {ruling['incident_id']}, event {ruling['seen_sequence']}"
    parts, to = ", ".join(ruling["sections"]) or "nothing named", ", ".join(ruling["recipients"])
    finely = "" if ruling["locate"] == "exact" else f", places no finer than {ruling['locate']}"
    later = ", later events too" if ruling["later_events"] else ""
    until = f", until {clock(moment_of(ruling['until']), at)}" if ruling["until"] else ""
    yield from wrapped(f"  to {to}: {parts}{finely}{later}{until}")
    yield from wrapped(f"  by {ruling['person']} as {ruling['role']}, known by {ruling['authenticated_by']}")
    yield from wrapped(f"  because: {ruling['because']}")
    yield from wrapped(f"  basis: {ruling['basis'] or 'NONE STATED'}; on the terms of {ruling['agreement'] or 'none'}")
    yield from wrapped(f"  {_outcome(said, at)}")


def _outcome(said: Sequence[Row], at: datetime) -> str:
    if not said:
        return "NOT KNOWN: no router has said whether it counts"
    words = []
    for row in said:
        kind = f"NOT TAKEN ({row['reason']})" if row["kind"] == NOT_TAKEN else row["kind"]
        words.append(f"{kind} {row['member'] or ''} {clock(moment_of(row['at']), at)}".replace("  ", " "))
    return "; ".join(words)


def as_json(found: SharedBeyond) -> list[dict[str, Any]]:
    """The same as plain data; times in UTC."""
    return [{**ruling, "said": said_of(ruling, found.feedback)} for ruling in found.rulings]
