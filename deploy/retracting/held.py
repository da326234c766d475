"""What each member was sent of an incident and was not asked to give back: whether it has confirmed either or not.

Who was sent something may have it, so it counts as held from when it was sent; what it was asked to remove counts as
gone from when it was asked. That is what can still be taken back; what is in fact there, only the member knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from consumers.ledger_queries import Row, WholeIncident
from routing.agreements.decision import HEAD
from schemas.sections import SECTIONS

_PARTS: Final = (HEAD, *SECTIONS)


@dataclass(frozen=True, slots=True)
class Held:
    """What one member holds."""

    member: str
    parts: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    """The head and sections → the disclosure records under which each was sent, oldest first."""
    retain_days: int | None = None
    """From the closing, as last sent."""

    @property
    def names(self) -> tuple[str, ...]:
        """The parts in the order that they have on the wire."""
        return tuple(part for part in _PARTS if part in self.parts)


class _Step(NamedTuple):
    at: str
    member: str
    gives: tuple[str, ...]
    takes: tuple[str, ...]
    record: Row | None
    retain_days: int | None


def held_of(whole: WholeIncident, now: datetime) -> tuple[Held, ...]:
    """What members hold of an incident, by member; nobody whose time to keep it is over."""
    found: dict[str, Held] = {}
    for step in sorted(_steps(whole), key=lambda step: step.at):
        held = _after(found.get(step.member) or Held(step.member), step)
        found[step.member] = held
    closed_at = closed_since(whole.disclosures)
    kept = (held for held in found.values() if held.parts and not _is_over(held, closed_at, now))
    return tuple(sorted(kept, key=lambda held: held.member))


def closed_since(disclosures: Iterable[Row]) -> datetime | None:
    """When the incident was closed; None: it is open."""
    closed_at: datetime | None = None
    for row in disclosures:
        if row["kind"] == "reopened":
            closed_at = None
        elif "closed" in (row["kind"], row["status"]) and closed_at is None:
            closed_at = datetime.fromisoformat(row["decided_at"])
    return closed_at


def _is_over(held: Held, closed_at: datetime | None, now: datetime) -> bool:
    return closed_at is not None and now >= closed_at + timedelta(days=held.retain_days or 0)


def _steps(whole: WholeIncident) -> Iterator[_Step]:
    for record in whole.disclosures:
        for decision in whole.decisions[record["record_id"]]:
            if decision["delivery_id"]:
                yield _of_decision(record, decision)
    for row in whole.feedback:
        if row["member"] and (takes := _asked_back(row)):
            yield _Step(row["at"], row["member"], (), takes, None, None)


def _asked_back(told: Row) -> tuple[str, ...]:
    """What a member was asked to give back, as the origin was told; a withdrawal that found nothing names nothing."""
    if told["kind"] == "retracted":
        return _PARTS
    return _taken(told["sections"]) if told["kind"] == "withdrawn" and told["sections"] else ()


def _of_decision(record: Row, decision: Row) -> _Step:
    gives = (HEAD, *decision["covers"]) if decision["head"] == "granted" else ()
    takes = _taken(decision["withdraws"])
    return _Step(record["decided_at"], decision["member"], gives, takes, record, decision["retain_days"])


def _taken(named: Iterable[Any]) -> tuple[str, ...]:
    """What is taken back: everything, where the head is."""
    parts = tuple(str(part) for part in named)
    return _PARTS if HEAD in parts else parts


def _after(held: Held, step: _Step) -> Held:
    parts = {part: records for part, records in held.parts.items() if part not in step.takes}
    if step.record is not None:
        for part in step.gives:
            parts[part] = (*parts.get(part, ()), step.record)
    return Held(held.member, parts, step.retain_days if step.gives else held.retain_days)
