"""What members hold that the policy in force would not let them have: decided again from the ledger alone.

A change of an incident's own grade, place or status withdraws nothing, so it does not matter what the policy makes of
the latest event. What counts is whether it would have let *some* event be shared with which the member was sent the
part: on the day that was decided, or today. What is granted only because the member held it already does not count, for
that is what the old policy did. A forbid counts as it reads the latest event: prohibition always wins.

Where the policy looks at areas that were not measured then, doubt would take back what may be allowed: such a part is
told, and never taken back without being named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from consumers.ledger_queries import Row, WholeIncident
from deploy.explaining import considered_of, state_of
from deploy.retracting.held import Held, held_of
from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.agreements.decision import HEAD, Decision
from routing.agreements.regions import regions_between
from routing.agreements.state import State
from routing.deciding import decide_all


@dataclass(frozen=True, slots=True)
class Lost:
    """What one member would lose of one incident."""

    incident_id: str
    member: str
    sequence: int
    """Of the latest event."""
    parts: Mapping[str, str]
    """The head or sections → why the policy in force would not let the member have it."""
    uncertain: Mapping[str, str]
    """The same, of what cannot be told for certain from what was considered then."""
    keeps: tuple[str, ...]
    """What it holds besides, and may have."""


def no_longer_permitted(whole: WholeIncident, bundle: Bundle, now: datetime) -> Iterator[Lost]:
    """Who would lose what of one incident, by member."""
    again = _Again(bundle, now)
    latest = max(whole.disclosures, key=lambda row: (row["sequence"], row["decided_at"]))
    for held in held_of(whole, now):
        verdicts = {part: again.verdict(held, part, latest) for part in held.names}
        if HEAD in verdicts and verdicts[HEAD].why:
            # Without the head nothing may be had.
            verdicts = {part: verdict if verdict.why else verdicts[HEAD] for part, verdict in verdicts.items()}
        lost = {part: verdict for part, verdict in verdicts.items() if verdict.why}
        if lost:
            yield Lost(
                incident_id=latest["incident_id"],
                member=held.member,
                sequence=latest["sequence"],
                parts={part: verdict.why for part, verdict in lost.items() if verdict.is_certain},
                uncertain={part: verdict.why for part, verdict in lost.items() if not verdict.is_certain},
                keeps=tuple(part for part, verdict in verdicts.items() if not verdict.why),
            )


@dataclass(frozen=True, slots=True)
class _Verdict:
    why: str
    """Empty: the member may have it."""
    is_certain: bool = True


class _Again:
    """Recorded events decided again, each once for all members."""

    def __init__(self, bundle: Bundle, now: datetime) -> None:
        self._bundle = bundle
        self._now = now
        self._decided: dict[tuple[str, datetime], dict[str, Decision]] = {}

    def verdict(self, held: Held, part: str, latest: Row) -> _Verdict:
        """Whether a member may have a part that it holds."""
        certain = self._is_certain(held.member, (latest, *held.parts[part]))
        decision = self._decision(latest, self._now, held.member)
        if decision is not None and _state(decision, part) == "forbidden":
            return _Verdict(f"forbidden by {_rules(decision, 'forbid') or 'a rule'}", certain)
        last: Decision | None = decision
        for record in reversed(held.parts[part]):
            for at in (datetime.fromisoformat(record["decided_at"]), self._now):
                last = self._decision(record, at, held.member)
                if last is not None and _is_granted_anew(last, part, state_of(record)):
                    return _Verdict("")
        if last is not None and _state(last, part) == "referred":
            return _Verdict(f"a person would be asked first: {_rules(last, 'refer')}", certain)
        return _Verdict("no rule grants it", certain)

    def _decision(self, record: Row, at: datetime, member: str) -> Decision | None:
        key = (record["record_id"], at)
        if key not in self._decided:
            made = decide_all(self._bundle, considered_of(record), at, state_of(record))
            self._decided[key] = {each.recipient: each.decision for each in made}
        return self._decided[key].get(member)

    def _is_certain(self, member: str, records: Iterable[Row]) -> bool:
        return all(_is_measured(self._bundle, considered_of(record), member) for record in records)


def _is_measured(bundle: Bundle, event: Considered, member: str) -> bool:
    """Whether the event's places were measured against all that rules to this member look at now."""
    if not any(place.has_coordinates for place in event.places):
        return True
    return not regions_between(bundle, event.origin, member) - event.regions


def _state(decision: Decision, part: str) -> str:
    return decision.head if part == HEAD else decision.sections[part]


def _is_granted_anew(decision: Decision, part: str, state: State) -> bool:
    """Granted by a rule that matches, or by a person: not only because the member held it already."""
    if _state(decision, part) != "granted":
        return False
    ruled = {ruling.id for ruling in (*state.releases, *state.discretions, *state.overrides)}
    sharing = {(match.agreement, match.rule) for match in decision.rules if match.acts_as == "share"}
    if part == HEAD:
        return bool(sharing) or any(ground.rule in ruled for ground in decision.grounds)
    grounds = [ground for ground in decision.grounds if ground.section == part]
    return any((ground.agreement, ground.rule) in sharing or ground.rule in ruled for ground in grounds)


def _rules(decision: Decision, acts_as: str) -> str:
    named = (f"{match.agreement} / {match.rule}" for match in decision.rules if match.acts_as == acts_as)
    return "; ".join(dict.fromkeys(named))
