"""What everybody sees of one step, as plain values: predicted by the reference, read from the router's topics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from schemas.codes import enum_code
from schemas.sections import SECTIONS
from tests.life.happenings import Key
from tests.life.router import Done


class Sent(NamedTuple):
    """One delivery."""

    member: str
    key: Key
    action: str
    number: int
    place: int
    """In the member's stream."""
    covers: tuple[str, ...] = ()
    withdraws: tuple[str, ...] = ()
    shown: frozenset[str] = frozenset()
    """The sections that are not empty in what it was sent."""
    placed: bool = False
    """Whether an address stands in it."""
    grounds: frozenset[tuple[str, str, str]] = frozenset()
    retain_until: datetime | None = None
    changes: tuple[str, ...] = ()
    addressed: bool = False
    reason: str | None = None
    ask: str | None = None


class Told(NamedTuple):
    """What an origin hears."""

    origin: str
    kind: str
    member: str | None
    reason: str
    deadline: datetime | None = None


class Shown(NamedTuple):
    """A case, as the origin's desk sees it."""

    key: Key
    sequence: int
    lines: frozenset[tuple[str, str, str, frozenset[str], str, datetime]]
    """Recipient, agreement, rule, parts, who is asked, until when."""
    notices: frozenset[tuple[str, str, str, str, frozenset[str]]]


class Recorded(NamedTuple):
    """A disclosure record: of whom it says what."""

    key: Key
    sequence: int
    decided: frozenset[tuple[str, str, str, tuple[str, ...], bool, bool]]
    """Member, outcome, action, what is withdrawn, whether it is without news, whether it was delivered to."""


@dataclass
class Seen:
    """All of it; of an origin's news the order says nothing."""

    fate: str = ""
    reason: str = ""
    sent: list[Sent] = field(default_factory=list)
    told: Counter[Told] = field(default_factory=Counter)
    cases: list[Shown] = field(default_factory=list)
    records: list[Recorded] = field(default_factory=list)

    def tell(self, origin: str, kind: str, member: str | None, reason: str, deadline: datetime | None = None) -> None:
        self.told[Told(origin, kind, member, reason, deadline)] += 1


def seen_of(done: Done) -> Seen:
    """What the router put out."""
    seen = Seen(done.fate, done.reason)
    seen.sent = sorted((_sent(value) for _, value in done.on("partner")), key=lambda each: (each.member, each.place))
    for origin, value in done.on("feedback"):
        seen.tell(origin, enum_code(value["kind"]), value["member"], value["reason"], value["deadline"])
    seen.cases = [_shown(value) for _, value in done.on("cases")]
    seen.records = [_recorded(value) for _, value in done.on("disclosures")]
    return seen


def _sent(delivery: dict[str, Any]) -> Sent:
    terms, event = delivery["disclosure"], delivery["event"]
    return Sent(
        member=terms["to"],
        key=(event["origin"], event["incident_id"]),
        action=enum_code(terms["action"]),
        number=terms["number"],
        place=terms["stream_sequence"],
        covers=tuple(terms["covers"]),
        withdraws=tuple(terms["withdraws"]),
        shown=frozenset(section for section in SECTIONS if event[section]),
        placed=any(place["address"] for place in event["locations"]),
        grounds=frozenset((each["section"], each["agreement"], each["rule"]) for each in terms["grounds"]),
        retain_until=terms["retain_until"],
        changes=tuple(change["path"] for change in terms["changes"]),
        addressed=terms["addressed_to_you"],
        reason=terms["reason"] or None,
        ask=terms["ask"] or None,
    )


def _shown(case: dict[str, Any]) -> Shown:
    return Shown(
        (case["origin"], case["incident_id"]),
        case["sequence"],
        frozenset(
            (
                *(line[name] for name in ("recipient", "agreement", "rule")),
                frozenset(line["sections"]),
                line["path"][line["step"]]["role"],
                line["deadline"],
            )
            for line in case["lines"]
        ),
        frozenset(
            (*(notice[name] for name in ("kind", "recipient", "agreement", "rule")), frozenset(notice["sections"]))
            for notice in case["notices"]
        ),
    )


def _recorded(record: dict[str, Any]) -> Recorded:
    return Recorded(
        (record["origin"], record["incident_id"]),
        record["sequence"],
        frozenset(
            (
                recipient["member"],
                enum_code(group["outcome"]),
                group["action"],
                tuple(group["withdraws"]),
                group["without_news"],
                recipient["delivery_id"] is not None,
            )
            for group in record["decisions"]
            for recipient in group["recipients"]
        ),
    )
