"""Anything that may happen to some incidents, in any order."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from routing.effects import Policy
from routing.state.incident import moment_of
from tests.life.agreed import CHANGES, EVERYBODY, EXCHANGE, INSPECTOR, MANAGER, PEOPLE, SUPERINTENDENT, bundle
from tests.life.compared import KEYS, Compared
from tests.life.happenings import STATED, Event, Key, Published, Words, events

MINUTES = st.sampled_from((1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 240, 1440, 1500))
LATER = st.sampled_from((0, 0, 0, 1, 15, 40))
To = tuple[str, ...]
Parts = frozenset[str]
RECIPIENTS = st.sampled_from((("south",), ("west",), ("east",), ("south", "west"), ("east", "south", "west")))
ROLES = st.sampled_from((MANAGER, MANAGER, INSPECTOR, SUPERINTENDENT))
PARTS = st.frozensets(st.sampled_from(("head", *STATED)), max_size=3)


class Life(Compared):
    """Some incidents, whose life is known twice."""

    # -- events

    @rule(key=st.sampled_from(KEYS), event=events())
    def event(self, key: Key, event: Event) -> None:
        self.tell(key, event)

    @rule(key=st.sampled_from(KEYS), event=events())
    def another_event(self, key: Key, event: Event) -> None:
        self.tell(key, event)

    @precondition(lambda self: self.events)
    @rule(key=st.sampled_from(KEYS), event=events(), left_out=st.integers(1, 2))
    def event_after_others_that_nobody_saw(self, key: Key, event: Event, left_out: int) -> None:
        self.sequences[key] += left_out
        self.tell(key, event)

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        self.send(data.draw(st.sampled_from(self.events[-6:])))

    @precondition(lambda self: self.events)
    @rule(data=st.data(), event=events(), is_id_used=st.booleans())
    def event_that_contradicts(self, data: st.DataObject, event: Event, is_id_used: bool) -> None:
        key, _, event_id, sequence, _ = data.draw(st.sampled_from(self.events[-6:]))
        event_id = event_id if is_id_used else f"{event_id}-other"
        self.send(Published(key, event, event_id, sequence, event.framed(key, event_id, sequence, self.router.now)))

    # -- people

    @precondition(lambda self: any(each.lines for each in self.reference.incidents.values()))
    @rule(data=st.data(), kind=st.sampled_from(("release", "release", "refuse", "extend")), late=LATER)
    def somebody_answers_a_case(self, data: st.DataObject, kind: str, late: int) -> None:
        asked = {key: each for key, each in self.reference.incidents.items() if each.lines}
        key = data.draw(st.sampled_from(sorted(asked)))
        line = data.draw(st.sampled_from(list(asked[key].lines.values())))
        role = data.draw(st.sampled_from([step.role for step in line.path] * 3 + list(PEOPLE)))
        parts = data.draw(st.sampled_from((frozenset(), frozenset(), line.parts, frozenset({"locations"}))))
        to = data.draw(st.sampled_from(((line.recipient,), ("east", "west"), ("east", "south", "west"))))
        said = {"locate": data.draw(st.sampled_from(("exact", "1km"))), "until": self._limit(data, kind)}
        self.rule_on(key, Words(kind, role, to=to, sections=parts, seen=self._seen(data, key), **said), late)

    @precondition(lambda self: self.reference.incidents)
    @rule(data=st.data(), kind=st.sampled_from(("release", "refuse", "extend")), to=RECIPIENTS, role=ROLES)
    def somebody_answers_what_nobody_asks(self, data: st.DataObject, kind: str, to: To, role: str) -> None:
        key = self._some_key(data)
        self.rule_on(key, Words(kind, role, to=to, seen=self._seen(data, key), until=self._limit(data, kind)))

    @precondition(lambda self: self.reference.incidents)
    @rule(data=st.data(), kind=st.sampled_from(("discretion", "override")), role=ROLES, to=RECIPIENTS, parts=PARTS)
    def somebody_shares_beyond_the_rules(self, data: st.DataObject, kind: str, role: str, to: To, parts: Parts) -> None:
        key = self._some_key(data)
        agreement = data.draw(st.sampled_from(("BDR", "BDR", "CHD")))
        said = {"until": self._limit(data, kind), "later_events": data.draw(st.booleans()), "agreement": agreement}
        self.rule_on(key, Words(kind, role, to=to, sections=parts, seen=self._seen(data, key), **said))

    @precondition(lambda self: self.reference.incidents)
    @rule(data=st.data(), to=RECIPIENTS, parts=PARTS)
    def the_origin_asks_again(self, data: st.DataObject, to: To, parts: Parts) -> None:
        self.rule_on(self._some_key(data), Words("ask-again", to=to, sections=parts))

    @precondition(lambda self: self.reference.incidents)
    @rule(data=st.data(), kind=st.sampled_from(("retract", "withdraw")), to=st.just(()) | RECIPIENTS, parts=PARTS)
    def somebody_takes_it_back(self, data: st.DataObject, kind: str, to: To, parts: Parts) -> None:
        reason = data.draw(st.sampled_from(("unlawful", "wrong-recipient", "excessive", None)))
        ask = data.draw(st.sampled_from((None, "erase", "restrict")))
        self.rule_on(self._some_key(data), Words(kind, to=to, sections=parts, reason=reason, ask=ask))

    @precondition(lambda self: any(each.barred for each in self.reference.incidents.values()))
    @rule(data=st.data(), to=st.just(()) | RECIPIENTS)
    def somebody_lifts_the_bar(self, data: st.DataObject, to: To) -> None:
        barred = sorted(key for key, each in self.reference.incidents.items() if each.barred)
        self.rule_on(data.draw(st.sampled_from(barred)), Words("lift-bar", to=to))

    @rule(
        key=st.sampled_from(KEYS),
        kind=st.sampled_from(("retract", "release", "lift-bar", "override")),
        wrong=st.sampled_from(({"person": "mallory"}, {"role": "chief"}, {"to": ("nobody",)}, {"seen": -1})),
    )
    def somebody_without_the_right(self, key: Key, kind: str, wrong: dict[str, Any]) -> None:
        plain = {"to": ("south",), "sections": frozenset({"facts"}), "reason": "unlawful", "agreement": "BDR"}
        self.rule_on(key, Words(kind, **{**plain, "seen": self.sequences[key], **wrong}))

    def _some_key(self, data: st.DataObject) -> Key:
        return data.draw(st.sampled_from(sorted(self.reference.incidents)))

    def _seen(self, data: st.DataObject, key: Key) -> int:
        return self.sequences[key] - data.draw(st.sampled_from((0,) * 7 + (1,)))

    def _limit(self, data: st.DataObject, kind: str) -> datetime | None:
        minutes = data.draw(MINUTES if kind == "extend" else st.none() | MINUTES)
        return None if minutes is None else self.router.now + timedelta(minutes=minutes)

    # -- answers

    @precondition(lambda self: self.deliveries)
    @rule(
        data=st.data(),
        kind=st.sampled_from(
            (*["accepted", "rejected", "erased", "restricted"] * 2, "delivered", "passed-on", "failed")
        ),
        by_person=st.booleans(),
    )
    def answer(self, data: st.DataObject, kind: str, by_person: bool) -> None:
        owing = [each.asked_by for incident in self.reference.incidents.values() for each in incident.owed]
        wanted = [sent for sent, _ in self.deliveries if sent in owing] * 3
        sent = data.draw(st.sampled_from(wanted + [sent for sent, _ in self.deliveries[-8:]]))
        member = data.draw(st.sampled_from((sent.member,) * 3 + ("west",)))
        (delivery,) = [delivery for each, delivery in self.deliveries if each == sent]
        cause = "no-resource" if kind == "rejected" else ""
        said = {"by_role": "duty inspector" if by_person else None, "cause": cause or None}
        done = self.router.receipt(member, kind, delivery, **said)
        self._compare(done, self.reference.receipt(member, kind, sent, cause, by_person=by_person))

    # -- time

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        end = self.router.now + timedelta(minutes=minutes)
        while (due := self.router.next_due()) and moment_of(due[0]) <= end:
            self.set_clock(max(self.router.now, moment_of(due[0])))
            self.elapse(due)
        self.set_clock(end)

    @rule(days=st.sampled_from((1, 2, 4, 11, 31, 95)))
    def days_pass(self, days: int) -> None:
        self.time_passes(days * 24 * 60)

    @rule(minutes=MINUTES)
    def the_router_is_away(self, minutes: int) -> None:
        """And acts on all that fell due when it is back, once."""
        self.set_clock(self.router.now + timedelta(minutes=minutes))
        self.router.crash()
        while (due := self.router.next_due()) and moment_of(due[0]) <= self.router.now:
            self.elapse(due)

    # -- what goes wrong, and what owners change

    @rule()
    def crash(self) -> None:
        self.router.crash()

    @rule()
    def the_next_transaction_is_aborted(self) -> None:
        self.router.tears_next = True

    @rule(change=st.sampled_from(CHANGES))
    def the_policy_changes(self, change: str) -> None:
        self.done ^= {change}
        self.version += 1
        policy = bundle(self.version, self.done)
        self.reference.bundle = policy
        self.router.policy = Policy(policy, EXCHANGE, self.router.policy.suspended)

    @rule(member=st.sampled_from(EVERYBODY))
    def a_member_s_topic_comes_or_goes(self, member: str) -> None:
        self.reference.unreachable ^= {member}
        gone = dict.fromkeys(self.reference.unreachable, "missing-topic")
        self.router.policy = Policy(self.reference.bundle, EXCHANGE, gone)
