"""What must follow from events: the first part of the reference (`tests.life.reference`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from routing.agreements import decide
from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.agreements.decision import HEAD, Decision
from routing.agreements.model import Share
from routing.agreements.state import HeldGrant, RuleRef
from schemas.partitioner import partition_of
from tests.life.agreed import EXCHANGE, WITHIN
from tests.life.happenings import Event, Key
from tests.life.kept import Held, Holds, Incident, Line, Owed
from tests.life.seen import Recorded, Seen, Sent, Shown

LIMITS = {
    "transfer": WITHIN.transfer_s,
    "assistance": WITHIN.assistance_s,
    "correct": WITHIN.correction_s,
    "retract": WITHIN.retraction_s,
    "withdraw": WITHIN.withdrawal_s,
}
PARTS_OF_PATHS = {
    "grade": HEAD,
    "hazards[0].kind": "hazards",
    "locations": "locations",
    "locations[0].address": "locations",
    "classification.flags": "classification",
    "classification": "classification",
}
"""What of a correction a person must accept (grade, hazard, weapon flag, place), and the part it stands in."""
TOLD_AS = {"opened": "referred", "moot": "withheld"}
ASKING = ("opened", "escalated", "extended")
Notice = tuple[str, Line, frozenset[str]]


class Events:
    """What must follow from events. Steps come in as they happen; each gives what everybody must see of it."""

    def __init__(self, bundle: Bundle, now: datetime) -> None:
        self.bundle = bundle
        self.now = now
        self.unreachable: frozenset[str] = frozenset()
        self.incidents: dict[Key, Incident] = {}
        self.places: Counter[tuple[int, str]] = Counter()
        """By partition and member: how many deliveries are in the stream."""
        self._known_terms: dict[tuple[str, str], HeldGrant] = {}

    # -- events

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

    def take_back(self, incident: Incident, members: frozenset[str], reason: str, ask: str, seen: Seen) -> list[Notice]:
        """A retraction: members are barred, whoever holds it is asked to erase or restrict it, and nobody else hears.

        Returns:
            The lines of the case that nobody need rule on any more.
        """
        members = members or frozenset(incident.holders)
        incident.barred |= members
        for member in sorted(members):
            if incident.holders.pop(member, None) is None:
                seen.tell(incident.key[0], "retracted", member, reason)
                continue
            incident.owed = [each for each in incident.owed if each.member != member]
            owed = incident.owe(member, "retract", None, LIMITS["retract"], self.now)
            owed.reason, owed.ask = reason, ask
            self.ask_to_remove(incident, owed, seen)
            seen.tell(incident.key[0], "retracted", member, reason, owed.deadline)
        moot = [line for line in incident.lines.values() if line.recipient in members]
        for line in moot:
            del incident.lines[line.recipient, line.ref]
        return [("moot", line, line.parts) for line in moot]

    def ask_to_remove(self, incident: Incident, owed: Owed, seen: Seen) -> None:
        """A retraction or withdrawal is sent, if its member can be reached."""
        if owed.member in self.unreachable:
            seen.tell(incident.key[0], "undeliverable", owed.member, "missing-topic")
            return
        said = {"withdraws": owed.withdraws, "reason": owed.reason, "ask": owed.ask}
        owed.asked_by = self.deliver(incident, owed.member, seen, action=owed.kind, **said)

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
        notices = self._open_lines(incident, decisions)
        incident.let_go(considered, self.now)
        if notices or incident.lines:
            self.show(incident, considered.sequence, notices, seen)
        self._ask_members(incident, decisions, sent, seen)

    # -- who is sent what, and holds what since

    def send(self, incident: Incident, member: str, decision: Decision, seen: Seen) -> list[Sent]:
        """What a decision has a member sent, and what it holds since; nothing if it cannot be reached."""
        granted = decision.head == "granted"
        is_notice = decision.action in ("restricted", "withdraw")
        if not (granted or is_notice):
            return []
        if member in self.unreachable:
            seen.tell(incident.key[0], "undeliverable", member, "missing-topic")
            return []
        sent = []
        if is_notice:
            sent.append(self.deliver(incident, member, seen, action=decision.action, withdraws=decision.withdraws))
        if granted:
            sent.append(self._share(incident, member, decision, seen))
        self._hold(incident, member, decision)
        return sent

    def _share(self, incident: Incident, member: str, decision: Decision, seen: Seen) -> Sent:
        assert incident.latest
        event, considered = incident.latest
        closed, days = incident.closed_at, decision.retain_days
        shown = frozenset(decision.covers) & considered.sections
        visible = {"grade", "local_ref", *decision.covers}
        return self.deliver(
            incident,
            member,
            seen,
            action="share" if decision.action == "share" else "correct",
            covers=decision.covers,
            shown=shown,
            placed="locations" in shown and decision.locate["locations"] == "exact",
            grounds=frozenset((each.section, each.agreement, each.rule) for each in decision.grounds),
            retain_until=None if closed is None or days is None else closed + timedelta(days=days),
            changes=tuple(path for path in event.paths if path.partition("[")[0].partition(".")[0] in visible),
            addressed=member in event.to or (not event.to and event.kind == "stand-down" and incident.is_asked(member)),
        )

    def deliver(self, incident: Incident, member: str, seen: Seen, **said: object) -> Sent:
        """Numbers go up by one, and so do places in the member's stream."""
        partition = partition_of(incident.key[1].encode(), EXCHANGE.partitions)
        incident.numbers[member] += 1
        self.places[partition, member] += 1
        number, place = incident.numbers[member], self.places[partition, member]
        sent = Sent(member, incident.key, number=number, place=place, **said)  # type: ignore[arg-type]
        seen.sent.append(sent)
        return sent

    def _hold(self, incident: Incident, member: str, decision: Decision) -> None:
        holds = incident.holders.setdefault(member, Holds())
        holds.is_restricted = decision.action == "restricted"
        for part in decision.withdraws:
            holds.parts.pop(part, None)
        if decision.head == "granted":
            holds.retain_days = decision.retain_days or 0
            for part in (HEAD, *decision.covers):
                earlier = holds.parts[part].grants if part in holds.parts else {}
                grants = self._grants(incident, part, decision)
                holds.parts[part] = Held(earlier | grants, decision.locate.get(part, "exact"))
        if not holds.parts:
            del incident.holders[member]

    def _grants(self, incident: Incident, part: str, decision: Decision) -> dict[tuple[str, str], HeldGrant]:
        """Its grounds; of a head beside sections, every share rule that matches, or whatever grants a section."""
        named = {(each.agreement, each.rule) for each in decision.grounds if part in (each.section, HEAD)}
        sharing = {(match.agreement, match.rule) for match in decision.rules if match.acts_as == "share"}
        if part == HEAD and decision.covers and sharing:
            named = sharing
        return {each: self._terms(each) for each in named}

    def _terms(self, named: tuple[str, str]) -> HeldGrant:
        """What granted something, on which terms: a rule, or a person's ruling under an agreement."""
        if named not in self._known_terms:
            agreement_id, rule_id = named
            agreement = self.bundle.agreement(agreement_id)
            assert agreement
            rule = next((rule for rule in agreement.rules if rule.id == rule_id), None)
            by = "rule" if isinstance(rule, Share) else "ruling"
            terms = rule.terms if isinstance(rule, Share) else agreement.ruling
            stated = terms.purpose, terms.legal_basis, terms.retain_days, agreement.onward
            self._known_terms[named] = HeldGrant(agreement_id, rule_id, by, *stated)  # type: ignore[arg-type]
        return self._known_terms[named]

    def record(
        self, incident: Incident, decisions: dict[str, Decision], sent: dict[str, list[Sent]], seen: Seen
    ) -> None:
        """One disclosure record says what was decided for each."""
        decided = frozenset(
            (member, each.outcome, each.action, each.withdraws, each.without_news, bool(sent[member]))
            for member, each in decisions.items()
        )
        assert incident.latest
        seen.records.append(Recorded(incident.key, incident.latest[1].sequence, decided))

    # -- who is asked

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

    def show(self, incident: Incident, sequence: int, notices: Iterable[Notice], seen: Seen) -> None:
        """The desk sees its case, and the origin hears what happened to lines of it."""
        told = list(notices)
        for kind, line, _ in told:
            deadline = line.deadline if kind in ASKING else None
            reason = f"{line.ref.agreement}/{line.ref.rule}"
            seen.tell(incident.key[0], TOLD_AS.get(kind, kind), line.recipient, reason, deadline)
        lines = frozenset(
            (line.recipient, line.ref.agreement, line.ref.rule, line.parts, line.role, line.deadline)
            for line in incident.lines.values()
        )
        of = frozenset((kind, line.recipient, line.ref.agreement, line.ref.rule, parts) for kind, line, parts in told)
        seen.cases.append(Shown(incident.key, sequence, lines, of))

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
            for member in decisions:
                self._ask_corrected(incident, event, sent[member])

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

    def _ask_corrected(self, incident: Incident, event: Event, sent: list[Sent]) -> None:
        for each in sent:
            if each.action == "withdraw":
                owed = incident.owe(each.member, "withdraw", each, LIMITS["withdraw"], self.now)
                owed.withdraws = each.withdraws
            parts = {PARTS_OF_PATHS[path] for path in event.paths if path in PARTS_OF_PATHS}
            if each.action == "correct" and parts & {HEAD, *each.covers}:
                incident.owe(each.member, "correct", each, LIMITS["correct"], self.now)
