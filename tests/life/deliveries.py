"""Who is sent what, and holds what since; what is recorded, and what desks are shown: the ground of the reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from routing.agreements.bundle import Bundle
from routing.agreements.decision import HEAD, Decision
from routing.agreements.model import Share
from routing.agreements.state import HeldGrant
from schemas.partitioner import partition_of
from tests.life.agreed import EXCHANGE
from tests.life.happenings import Key
from tests.life.kept import Held, Holds, Incident, Line
from tests.life.seen import Recorded, Seen, Sent, Shown

TOLD_AS = {"opened": "referred", "moot": "withheld"}
ASKING = ("opened", "escalated", "extended")
Notice = tuple[str, Line, frozenset[str]]
"""What happened to a line, and about which of its parts."""


class Deliveries:
    """What the reference knows of an exchange, and how it tells of it."""

    def __init__(self, bundle: Bundle, now: datetime) -> None:
        self.bundle = bundle
        self.now = now
        self.unreachable: frozenset[str] = frozenset()
        self.incidents: dict[Key, Incident] = {}
        self.places: Counter[tuple[int, str]] = Counter()
        """By partition and member: how many deliveries are in the stream."""
        self._known_terms: dict[tuple[str, str], HeldGrant] = {}

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

    # -- what is recorded, and shown

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

    def show_latest(self, incident: Incident, notices: Iterable[Notice], seen: Seen) -> None:
        """The same, with the event that was decided last."""
        sequence = incident.latest[1].sequence if incident.latest else incident.sequence
        self.show(incident, sequence, notices, seen)
