"""What was taken back, from whom, and what came of it: each retraction of each member, from the ledger.

A retraction is over when a person at the member has confirmed it, erased or restricted. That the member's adapter hid
the data at once is told, and is no end of it. Passed on and acted upon are told beside: they say whom to ask next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from consumers.ledger_reader import Row
from deploy.desk.moments import moment_of
from schemas.errors import Rejected

Status = Literal["asked", "delivered", "hidden", "confirmed", "holds-nothing"]

BREACHES: Final = frozenset({"wrong-recipient", "unlawful"})
"""Reasons that make a retraction a personal data breach."""
NOTIFY_WITHIN: Final = timedelta(hours=72)
"""In which a breach is notified to the Commissioner where it must be (DPA 2018 s.67, UK GDPR Art. 33)."""
_CONFIRMS: Final = ("erased", "restricted")
_ASKS: Final = "retracted"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """One thing that the member said of it."""

    kind: str
    """erased, restricted, acted-upon, passed-on."""
    at: str
    by_role: str | None
    """Of the person at the member; None: its adapter."""
    passed_to: str | None


@dataclass(frozen=True, slots=True)
class Retraction:
    """What one member was asked to give back of one incident. Times are text in UTC, as the ledger has them."""

    incident_id: str
    member: str
    asked_at: str
    reason: str
    """Code list `change-reason`; empty: not recorded."""
    ask: str
    """erase or restrict; empty: not recorded."""
    person: str
    """Who took it back; empty: the origin's own system did."""
    role: str
    because: str
    deadline: str | None
    status: Status
    said: tuple[Confirmed, ...]
    """What the member said, oldest first."""
    unanswered: tuple[str, ...]
    """When limits passed without an answer."""

    @property
    def is_open(self) -> bool:
        """Whether no person has confirmed it yet."""
        return self.status not in {"confirmed", "holds-nothing"}

    @property
    def is_breach(self) -> bool:
        """Whether it is a breach record: somebody had what they must not have had."""
        return self.reason in BREACHES

    def is_overdue(self, now: datetime) -> bool:
        """Whether a limit has passed and no person has confirmed it."""
        late = self.deadline is not None and moment_of(self.deadline) <= now
        return self.is_open and (late or bool(self.unanswered))

    def hours_since(self, now: datetime) -> int:
        """Whole hours since it was taken back: since the force knew."""
        return (now - moment_of(self.asked_at)) // timedelta(hours=1)


def retractions_of(feedback: Iterable[Row], rulings: Iterable[Row]) -> tuple[Retraction, ...]:
    """Every retraction that feedback tells of, oldest first.

    Args:
        feedback: all feedback of the incidents concerned.
        rulings: every ruling of kind retract among them.
    """
    of_ruling = {row["ruling_id"]: row for row in rulings}
    by_member: dict[tuple[str, str], list[Row]] = {}
    for row in feedback:
        if row["member"]:
            by_member.setdefault((row["incident_id"], row["member"]), []).append(row)
    found = [each for rows in by_member.values() for each in _of_member(rows, of_ruling)]
    return tuple(sorted(found, key=lambda each: (each.asked_at, each.incident_id, each.member)))


def _of_member(rows: Sequence[Row], of_ruling: Mapping[str, Row]) -> Iterator[Retraction]:
    rows = sorted(rows, key=lambda row: row["at"])
    asked = [row for row in rows if row["kind"] == _ASKS]
    for number, row in enumerate(asked):
        until = asked[number + 1]["at"] if number + 1 < len(asked) else None
        answers = [one for one in rows if one is not row and _answers(one, row, until)]
        yield _retraction(row, answers, of_ruling.get(row["ruling_id"] or "", {}))


def _answers(one: Row, asked: Row, until: str | None) -> bool:
    """Whether one thing that was said is about this retraction: by its delivery, where both name one."""
    if one["kind"] == "unanswered" and one["reason"] != "retract":
        return False
    if asked["delivery_id"] and one["delivery_id"]:
        return bool(asked["delivery_id"] == one["delivery_id"])
    return bool(one["at"] >= asked["at"] and (until is None or one["at"] < until))


def _retraction(asked: Row, answers: Sequence[Row], ruling: Row) -> Retraction:
    said = tuple(
        Confirmed(row["kind"], row["was_at"] or row["at"], row["by_role"], row["passed_to"])
        for row in answers
        if row["kind"] in (*_CONFIRMS, "acted-upon", "passed-on")
    )
    late = [row for row in answers if row["kind"] == "unanswered"]
    return Retraction(
        incident_id=asked["incident_id"],
        member=asked["member"],
        asked_at=ruling.get("taken_at") or asked["at"],
        reason=ruling.get("reason") or asked["reason"],
        ask=ruling.get("ask") or "",
        person=ruling.get("person") or asked["person"] or "",
        role=ruling.get("role") or asked["role"] or "",
        because=ruling.get("because") or "",
        deadline=([row["deadline"] for row in late] or [asked["deadline"]])[-1],
        status=_status(said, answers) if asked["delivery_id"] or asked["deadline"] or answers else "holds-nothing",
        said=said,
        unanswered=tuple(row["at"] for row in late),
    )


def _status(said: Iterable[Confirmed], answers: Iterable[Row]) -> Status:
    confirms = [one for one in said if one.kind in _CONFIRMS]
    if any(one.by_role for one in confirms):
        return "confirmed"
    if confirms:
        return "hidden"
    return "delivered" if any(row["kind"] in {"delivered", "accepted"} for row in answers) else "asked"


@dataclass(frozen=True, slots=True)
class Bar:
    """A member to whom nothing of an incident flows, until a person lifts it."""

    incident_id: str
    member: str
    since: str
    reason: str


def bars_of(feedback: Iterable[Row], rulings: Iterable[Row]) -> tuple[Bar, ...]:
    """The bars that stand: after each retraction, until one is lifted."""
    of_ruling = {row["ruling_id"]: row for row in rulings}
    standing: dict[tuple[str, str], Bar] = {}
    for row in sorted(feedback, key=lambda row: row["at"]):
        key = (row["incident_id"], row["member"] or "")
        if row["kind"] == _ASKS:
            reason = of_ruling.get(row["ruling_id"] or "", {}).get("reason") or row["reason"]
            standing[key] = Bar(*key, row["at"], reason)
        elif row["kind"] == "bar-lifted":
            standing.pop(key, None)
    return tuple(standing.values())


def only_member(found: Sequence[Retraction], member: str | None) -> tuple[Retraction, ...]:
    """Those of one member, or all.

    Raises:
        Rejected: nothing was ever taken back from that member.
    """
    if member is None:
        return tuple(found)
    its = tuple(each for each in found if each.member == member)
    if not its:
        known = ", ".join(sorted({each.member for each in found})) or "nobody"
        raise Rejected("no-such-member", f"nothing was taken back from {member}; it was from: {known}")
    return its
