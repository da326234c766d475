"""What must follow from people's rulings about what may flow."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta

from routing.agreements import decide
from routing.agreements.decision import HEAD
from routing.agreements.model import Forbid
from routing.agreements.state import Discretion, Override, Refusal, Release
from tests.life.agreed import PEOPLE
from tests.life.deliveries import Notice
from tests.life.events import Events
from tests.life.happenings import Key, Words
from tests.life.kept import Incident, Line, refused, without
from tests.life.seen import Seen
from tests.life.taken_back import Objection, object_if

Granting = Release | Discretion | Override


class Rulings(Events):
    """What must follow from rulings."""

    def ruling(self, key: Key, words: Words, ruling_id: str, said_at: datetime) -> Seen:
        """A ruling comes, which the broker took at a time: whatever was due by then has happened before it."""
        seen = Seen("ruled")
        if key not in self.incidents:
            return _not_taken(key, "unknown-incident")
        before = self.incidents[key]
        self.incidents[key] = deepcopy(before)
        try:
            self._rule(self.incidents[key], words, ruling_id, said_at, seen)
        except Objection as why:
            self.incidents[key] = before
            return _not_taken(key, str(why))
        return seen

    def _rule(self, incident: Incident, words: Words, ruling_id: str, at: datetime, seen: Seen) -> None:
        self.pass_time(incident, at, seen)
        takes_back = words.kind in ("retract", "lift-bar", "withdraw")
        object_if(incident.latest is None and not takes_back, "event-gone")
        object_if(PEOPLE.get(words.role) != words.who, "not-in-role")
        if takes_back:
            self.rule_on_what_was_sent(incident, words, seen)
            return
        object_if(not words.to, "nothing-named")
        object_if(not set(words.to) <= set(self.bundle.receivers) - {incident.key[0]}, "bad-recipient")
        object_if(words.until is not None and words.until <= at, "bad-limit")
        assert incident.latest
        is_view_needed = words.kind not in ("extend", "ask-again")
        object_if(is_view_needed and words.seen < incident.latest[1].sequence, "stale-view")
        match words.kind:
            case "release":
                self._release(incident, words, ruling_id, at, seen)
            case "refuse":
                self._refuse(incident, words, seen)
            case "extend":
                self._extend(incident, words, at, seen)
            case "ask-again":
                self._ask_again(incident, words, seen)
            case "discretion":
                self._at_discretion(incident, words, ruling_id, at, seen)
            case "override":
                self._override(incident, words, ruling_id, at, seen)

    def pass_time(self, incident: Incident, at: datetime, seen: Seen) -> None:
        """Who has not answered by a time is passed by, and the next has all their time; after the last, it lapses."""
        notices: list[Notice] = []
        for named, line in list(incident.lines.items()):
            if at < line.deadline:
                continue
            if line.step + 1 < len(line.path):
                line.step += 1
                line.deadline = self.now + timedelta(seconds=line.path[line.step].within_s)
                notices.append(("escalated", line, line.parts))
            else:
                assert incident.latest
                del incident.lines[named]
                incident.refusals.append(refused("lapse", line.recipient, line.parts, (line.ref,), incident.latest[1]))
                notices.append(("lapsed", line, line.parts))
        if notices:
            self.show_latest(incident, notices, seen)

    # -- of the case

    def _answered(self, incident: Incident, words: Words) -> list[tuple[Line, frozenset[str]]]:
        """The lines that it answers, with the parts it speaks of."""
        about = [
            (line, parts)
            for _, line in sorted(incident.lines.items(), key=lambda each: (each[0][0], *_ref(each[1])))
            if line.recipient in words.to and (parts := line.parts & (words.sections or line.parts))
        ]
        object_if(not about, _why_nothing_is_open(incident, words))
        answered = [(line, parts) for line, parts in about if words.role in {step.role for step in line.path}]
        object_if(not answered, "role-not-in-path")
        return answered

    def _release(self, incident: Incident, words: Words, ruling_id: str, at: datetime, seen: Seen) -> None:
        assert incident.latest
        answered = self._answered(incident, words)
        stated, present = incident.stated["caveats"], incident.latest[1].caveats
        made: list[Granting] = [
            Release(
                id=ruling_id,
                role=words.role,
                agreement=line.ref.agreement,
                rule=line.ref.rule,
                recipients=frozenset({line.recipient}),
                parts=parts,
                at=at,
                until=words.until,
                locate=words.locate,  # type: ignore[arg-type]
                rules=tuple(other.ref for other in incident.lines.values() if other.recipient == line.recipient),
                filled=incident.latest[1].sections,
                caveats=stated | (frozenset({"unknown"}) if present is None else present),
            )
            for line, parts in answered
        ]
        notices: list[Notice] = [("released", replace(line), parts) for line, parts in answered]
        for line, parts in answered:
            self._leave(incident, line, parts)
        incident.releases += [each for each in made if isinstance(each, Release)]
        self.show_latest(incident, notices, seen)
        self._deliver_latest(incident, words, made, seen)

    def _refuse(self, incident: Incident, words: Words, seen: Seen) -> None:
        assert incident.latest
        answered = self._answered(incident, words)
        notices: list[Notice] = []
        for recipient in sorted({line.recipient for line, _ in answered}):
            no = frozenset().union(*(parts for line, parts in answered if line.recipient == recipient))
            moot = [line for line in incident.lines.values() if line.recipient == recipient and line.parts & no]
            notices += [("refused", replace(line), line.parts & no) for line in moot]
            refs = tuple(line.ref for line in moot)
            incident.refusals.append(refused("refusal", recipient, no, refs, incident.latest[1]))
            for line in moot:
                self._leave(incident, line, no)
        self.show_latest(incident, notices, seen)

    def _extend(self, incident: Incident, words: Words, at: datetime, seen: Seen) -> None:
        object_if(words.until is None or words.until > at + timedelta(hours=24), "bad-limit")
        assert words.until
        answered = self._answered(incident, words)
        for line, _ in answered:
            line.deadline = words.until
        self.show_latest(incident, [("extended", line, line.parts) for line, _ in answered], seen)

    def _ask_again(self, incident: Incident, words: Words, seen: Seen) -> None:
        kept: list[Refusal] = []
        for refusal in incident.refusals:
            is_meant = bool(refusal.recipients & set(words.to))
            kept += without(refusal, words.sections or refusal.parts) if is_meant else [refusal]
        object_if(kept == incident.refusals, "nothing-refused")
        incident.refusals = kept
        for member in words.to:
            seen.tell(incident.key[0], "asked-again", member, "")

    # -- beyond the rules

    def _at_discretion(self, incident: Incident, words: Words, ruling_id: str, at: datetime, seen: Seen) -> None:
        assert incident.latest
        object_if(words.role not in self.bundle.discretion, "not-at-discretion")
        self._check_terms(words)
        waits = any(line.recipient in words.to and line.parts & words.sections for line in incident.lines.values())
        object_if(waits, "referred")
        sequence = None if words.later_events else incident.latest[1].sequence
        ruling = Discretion(**_beyond(words, ruling_id, at), until=words.until, sequence=sequence)
        incident.discretions.append(ruling)
        self._tell_all(incident, words, "shared-at-discretion", words.until, seen)
        self._deliver_latest(incident, words, [ruling], seen)

    def _override(self, incident: Incident, words: Words, ruling_id: str, at: datetime, seen: Seen) -> None:
        self._check_terms(words)
        agreement = self.bundle.agreement(words.agreement)
        assert agreement
        lifts = [rule for rule in agreement.rules if isinstance(rule, Forbid) and words.role in rule.override]
        object_if(any(not any(to in rule.recipients for rule in lifts) for to in words.to), "no-override")
        until = words.until or at + timedelta(hours=4)
        object_if(until > at + timedelta(hours=4), "bad-limit")
        # Whoever is shown a section sees the head.
        named = replace(words, sections=words.sections | {HEAD})
        ruling = Override(**_beyond(named, ruling_id, at), until=until)
        incident.overrides.append(ruling)
        self._tell_all(incident, words, "overridden", words.until, seen)
        self._deliver_latest(incident, words, [ruling], seen)

    def _check_terms(self, words: Words) -> None:
        object_if(not words.sections, "nothing-named")
        stopped = {each.agreement for each in self.bundle.suspended}
        in_force = self.bundle.agreement(words.agreement) is not None and words.agreement not in stopped
        object_if(not in_force, "unknown-agreement")

    def _tell_all(self, incident: Incident, words: Words, kind: str, deadline: datetime | None, seen: Seen) -> None:
        for member in words.to:
            seen.tell(incident.key[0], kind, member, "", deadline)

    def _deliver_latest(self, incident: Incident, words: Words, made: list[Granting], seen: Seen) -> None:
        """The latest event, decided again, goes to each for whom something of what was ruled flows."""
        assert incident.latest
        event, considered = incident.latest
        state = incident.state()
        decisions, sent = {}, {}
        for member in sorted(frozenset().union(*(each.recipients for each in made))):
            decision = decide(self.bundle, considered, member, self.now, state)
            parts = frozenset().union(*(each.parts for each in made if member in each.recipients))
            if decision.head == "granted" and parts & {HEAD, *decision.covers}:
                decisions[member] = decision
            else:
                still = "withheld" if decision.head == "granted" else decision.head
                seen.tell(incident.key[0], still, member, "", words.until)
        for member, decision in decisions.items():
            sent[member] = self.send(incident, member, decision, seen)
        self.bring(incident, decisions, sent)
        if decisions:
            self.record(incident, decisions, sent, seen)
        self.owe_requested(incident, event, sent)

    # -- small change

    def _leave(self, incident: Incident, line: Line, parts: frozenset[str]) -> None:
        line.parts -= parts
        if not line.parts:
            del incident.lines[line.recipient, line.ref]


def _ref(line: Line) -> tuple[str, str]:
    return line.ref.agreement, line.ref.rule


def _not_taken(key: Key, why: str) -> Seen:
    seen = Seen("ruled", why)
    seen.tell(key[0], "ruling-not-taken", None, why)
    return seen


def _why_nothing_is_open(incident: Incident, words: Words) -> str:
    def is_about(ruling: Refusal | Release) -> bool:
        return bool(ruling.recipients & set(words.to) and (ruling.parts & (words.sections or ruling.parts)))

    for refusal in filter(is_about, incident.refusals):
        return "lapsed" if refusal.kind == "lapse" else "already-ruled"
    return "already-ruled" if any(map(is_about, incident.releases)) else "no-open-line"


def _beyond(words: Words, ruling_id: str, at: datetime) -> dict[str, object]:
    return {
        "id": ruling_id,
        "role": words.role,
        "agreement": words.agreement,
        "recipients": frozenset(words.to),
        "parts": words.sections,
        "at": at,
        "locate": words.locate,
    }
