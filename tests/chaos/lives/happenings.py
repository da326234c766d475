"""What a run shows of each incident, as plain values that what must be and what was are both put into.

Times are milliseconds by the run's clock: of whatever routing put out, those that stand on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from routing.state.incident import milliseconds_of
from schemas.codes import enum_code
from tests.chaos.lives.seen import IncidentKey, Seen, Value


class Sent(NamedTuple):
    """One delivery to a member."""

    at_ms: int
    action: str
    delivery_id: str
    event_id: str
    """Empty in a notice."""
    covers: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    """The sections that hold something."""
    withdraws: tuple[str, ...] = ()
    addressed: bool = False
    changes: tuple[str, ...] = ()
    """Paths."""
    reason: str = ""
    ask: str = ""


class Told(NamedTuple):
    """One thing that the origin was told, answers apart."""

    at_ms: int
    kind: str
    member: str
    reason: str = ""
    sections: tuple[str, ...] = ()
    delivery_id: str = ""
    ruling_id: str = ""
    deadline_ms: int | None = None


class Shown(NamedTuple):
    """One record of a case."""

    at_ms: int
    sequence: int
    notices: tuple[tuple[str, str, str, tuple[str, ...]], ...]
    """What happened: kind, recipient, rule, sections."""
    lines: tuple[tuple[str, str, tuple[str, ...], int, int], ...]
    """What is open: recipient, rule, sections, step, deadline in ms."""


class Recorded(NamedTuple):
    """One disclosure record."""

    at_ms: int
    record_id: str
    event_id: str
    decided: tuple[tuple[str, str, str], ...]
    """Members, each with the outcome and the delivery that came of it, if one did."""


@dataclass
class Traces:
    """Of one incident, in the order of each topic."""

    sent: dict[str, list[Sent]] = field(default_factory=dict)
    """By member."""
    told: list[Told] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)


ANSWERS = frozenset({"delivered", "failed", "accepted", "rejected", "erased", "restricted", "acted-upon", "passed-on"})
"""Kinds of news that pass on what a member said."""


def traces_of(seen: Seen) -> Mapping[IncidentKey, Traces]:
    """What was seen of each incident."""
    found: dict[IncidentKey, Traces] = {}
    for member in seen.exchange.receivers():
        for delivery in seen.of("partner", member):
            event = delivery["event"]
            traces = found.setdefault((event["origin"], event["incident_id"]), Traces())
            traces.sent.setdefault(member, []).append(sent_of(delivery))
    for origin in seen.exchange.publishers():
        for record in seen.of("disclosures", origin):
            found.setdefault((origin, record["incident_id"]), Traces()).recorded.append(_recorded(record))
        for case in seen.of("cases", origin):
            found.setdefault((origin, case["incident_id"]), Traces()).shown.append(_shown(case))
        for news in seen.of("feedback", origin):
            if enum_code(news["kind"]) not in ANSWERS:
                found.setdefault((origin, news["entries"][0]["incident_id"]), Traces()).told.append(told_of(news))
    return found


def sent_of(delivery: Value) -> Sent:
    """A delivery as it stands on a partner topic."""
    terms, event = delivery["disclosure"], delivery["event"]
    return Sent(
        _ms(terms["decided_at"]),
        enum_code(terms["action"]),
        terms["delivery_id"],
        event["event_id"],
        tuple(terms["covers"]),
        filled_of(event),
        tuple(terms["withdraws"]),
        terms["addressed_to_you"],
        tuple(change["path"] for change in terms["changes"]),
        terms["reason"] or "",
        terms["ask"] or "",
    )


def filled_of(event: Value) -> tuple[str, ...]:
    """The sections of an event that hold something, `control` among them if it does."""
    return tuple(name for name, value in event.items() if isinstance(value, list) and value and name != "handling")


def told_of(news: Value) -> Told:
    """A Feedback about one event."""
    (entry,) = news["entries"]
    return Told(
        _ms(news["at"]),
        enum_code(news["kind"]),
        news["member"] or "",
        news["reason"],
        tuple(news["sections"]),
        entry["delivery_id"] or "",
        news["ruling_id"] or "",
        None if news["deadline"] is None else _ms(news["deadline"]),
    )


def _shown(case: Value) -> Shown:
    return Shown(
        _ms(case["at"]),
        case["sequence"],
        tuple(
            sorted(
                (each["kind"], each["recipient"], rule_of(each), tuple(each["sections"])) for each in case["notices"]
            )
        ),
        tuple(
            (each["recipient"], rule_of(each), tuple(each["sections"]), each["step"], _ms(each["deadline"]))
            for each in case["lines"]
        ),
    )


def rule_of(line: Value) -> str:
    """A line's rule, by its agreement's id and its own."""
    return f"{line['agreement']}/{line['rule']}"


def _recorded(record: Value) -> Recorded:
    decided = sorted(
        (to["member"], enum_code(group["outcome"]), to["delivery_id"] or "")
        for group in record["decisions"]
        for to in group["recipients"]
    )
    return Recorded(_ms(record["decided_at"]), record["record_id"], record["event_id"], tuple(decided))


def _ms(moment: datetime) -> int:
    return milliseconds_of(moment)


class Happening(NamedTuple):
    """Something that routing took, or did of itself, for one incident."""

    at_ms: int
    kind: str
    """event, ruling, answer, time."""
    which: Any
    """The event's id, the ruling's id, the answer's reference; of time, what was told that it brought."""


def happenings(seen: Seen) -> Mapping[IncidentKey, list[Happening]]:
    """What happened to each incident, in the order in which routing dealt with it; each once, even if told twice."""
    found: dict[IncidentKey, dict[Happening, None]] = {}
    for origin in seen.exchange.publishers():
        for record in seen.of("disclosures", origin):
            if record["source"]["topic"].startswith("incidents."):
                happened = Happening(_ms(record["decided_at"]), "event", record["event_id"])
                found.setdefault((origin, record["incident_id"]), {})[happened] = None
        for news in seen.of("feedback", origin):
            for incident, happened in _of_news(news):
                found.setdefault((origin, incident), {})[happened] = None
    return {key: sorted(each, key=lambda happened: happened.at_ms) for key, each in found.items()}


def _of_news(news: Value) -> Iterator[tuple[str, Happening]]:
    at_ms, kind = _ms(news["at"]), enum_code(news["kind"])
    for entry in news["entries"]:
        if kind in ANSWERS:
            yield entry["incident_id"], Happening(at_ms, "answer", entry["reference"])
        elif news["source"] is None:
            passed = kind, news["member"], news["reason"], entry["delivery_id"] or ""
            yield entry["incident_id"], Happening(at_ms, "time", passed)
        elif news["ruling_id"]:
            yield entry["incident_id"], Happening(at_ms, "ruling", news["ruling_id"])
