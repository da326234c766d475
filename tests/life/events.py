"""What must follow from events."""

from __future__ import annotations

from datetime import timedelta

from routing.agreements import decide
from routing.agreements.considered import Considered
from routing.agreements.decision import Decision
from routing.agreements.state import RuleRef
from tests.life.corrected import Corrected
from tests.life.deliveries import Notice
from tests.life.happenings import Event, Key
from tests.life.kept import Incident, Line
from tests.life.seen import Recorded, Seen, Sent
from tests.life.taken_back import LIMITS


class Events(Corrected):
    """What must follow from events."""

    def event(self, key: Key, event: Event, event_id: str, sequence: int, value: bytes) -> Seen:
        """An event comes."""
        incident = self.incidents.get(key) or Incident(key)
        if incident.taken.get(event_id) == value:
            return Seen("repeated")
        if event_id in incident.taken:
            return self._set_aside(key, "event-id-reused")
        if sequence <= incident.sequence:
            return self._set_aside(key, "out-of-sequence")
        seen = Seen("routed")
        if incident.last_at and sequence > incident.sequence + 1:
            seen.tell(key[0], "sequence-gap", None, "")
        self.incidents[key] = incident
        incident.taken[event_id] = value
        considered = event.considered(key[0], sequence)
        if event.kind == "retract":
            self._retraction_by_event(incident, event, considered, seen)
        else:
            self._decided(incident, event, considered, seen)
        return seen

    def _set_aside(self, key: Key, reason: str) -> Seen:
        seen = Seen("quarantined", reason)
        seen.tell(key[0], "quarantined", None, reason)
        return seen

    def _retraction_by_event(self, incident: Incident, event: Event, considered: Considered, seen: Seen) -> None:
        closed = incident.closed_at
        incident.hear(considered, self.now)
        incident.closed_at = closed
        seen.records.append(Recorded(incident.key, considered.sequence, frozenset()))
        if notices := self.take_back(incident, event.to, "superseded", "erase", seen):
            self.show(incident, considered.sequence, notices, seen)

    def _decided(self, incident: Incident, event: Event, considered: Considered, seen: Seen) -> None:
        state = incident.state()
        incident.hear(considered, self.now)
        incident.latest = event, considered
        recipients = [member for member in self.bundle.receivers if member != incident.key[0]]
        decisions = {member: decide(self.bundle, considered, member, self.now, state) for member in recipients}
        sent = {member: self.send(incident, member, decision, seen) for member, decision in decisions.items()}
        self.record(incident, decisions, sent, seen)
        for member, decision in decisions.items():
            if decision.without_news:
                seen.tell(incident.key[0], "holders-without-news", member, "")
        self.bring(incident, decisions, sent)
        notices = self._open_lines(incident, decisions)
        incident.let_go(considered, self.now)
        if notices or incident.lines:
            self.show(incident, considered.sequence, notices, seen)
        self._ask_members(incident, decisions, sent, seen)

    def _open_lines(self, incident: Incident, decisions: dict[str, Decision]) -> list[Notice]:
        notices: list[Notice] = []
        for member, decision in decisions.items():
            for asked in decision.referrals:
                named, parts = (member, RuleRef(asked.agreement, asked.rule)), frozenset(asked.parts)
                line = incident.lines.get(named)
                if line is None:
                    deadline = self.now + timedelta(seconds=asked.path[0].within_s)
                    line = incident.lines[named] = Line(member, named[1], parts, asked.path, deadline)
                    notices.append(("opened", line, parts))
                elif parts - line.parts:
                    notices.append(("opened", line, parts - line.parts))
                    line.parts |= parts
        return notices

    # -- who owes an answer

    def _ask_members(
        self, incident: Incident, decisions: dict[str, Decision], sent: dict[str, list[Sent]], seen: Seen
    ) -> None:
        assert incident.latest
        event, _ = incident.latest
        if event.kind in ("transfer", "assistance"):
            self.ask_addressees(incident, decisions, sent, seen)
        if event.kind == "stand-down":
            incident.owed = [
                each
                for each in incident.owed
                if each.kind not in ("transfer", "assistance") or (event.to and each.member not in event.to)
            ]
        if event.kind == "corrected":
            self.ask_corrected(incident, event, decisions, sent, seen)

    def ask_addressees(
        self, incident: Incident, decisions: dict[str, Decision], sent: dict[str, list[Sent]], seen: Seen
    ) -> None:
        """Whoever is addressed and was sent it owes an answer; of whoever policy stops, the origin hears at once."""
        assert incident.latest
        kind = incident.latest[0].kind
        for member in incident.latest[0].to:
            decision = decisions.get(member)
            if decision is None:
                seen.tell(incident.key[0], "undeliverable", member, kind)
            elif decision.head != "granted":
                seen.tell(incident.key[0], decision.head, member, kind)
            elif sent[member]:
                incident.owe(member, kind, sent[member][-1], LIMITS[kind], self.now)
