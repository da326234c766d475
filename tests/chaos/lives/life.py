"""What must come of one incident, worked out anew: each recipient decided by the naive interpreter, one by one.

It keeps its own account of who holds what, what is asked of whom until when, and who owes an answer; of routing it uses
what deciding is defined by. Made for reading, not for speed. Whatever must be put out stands in `traces`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from routing.agreements import Bundle, Considered, Decision, Place, decide, recipients
from routing.agreements.following import closed_at
from routing.agreements.history import history_after
from routing.agreements.rulings import stands
from routing.agreements.state import CaseLine, History, Holding, Refusal, Release, State
from routing.state.holding import holding_after
from routing.state.incident import milliseconds_of, moment_of
from schemas.codec import stable_id
from schemas.codes import enum_code
from schemas.exchange import Exchange
from schemas.sections import SECTIONS
from tests.chaos.lives.happenings import Recorded, Sent, Shown, Told, Traces, filled_of
from tests.chaos.lives.seen import Value

_REQUESTS: Final = ("transfer", "assistance")
_ASKS_A_PERSON: Final = frozenset({"grade", "hazards", "locations", "classification.flags"})


class Rules(NamedTuple):
    """What an incident lives under."""

    bundle: Bundle
    exchange: Exchange


@dataclass(frozen=True)
class Line:
    """An open line of the case."""

    recipient: str
    agreement: str
    rule: str
    parts: frozenset[str]
    path: tuple[tuple[str, int], ...]
    """Roles, each with its seconds."""
    step: int
    deadline_ms: int

    @property
    def name(self) -> str:
        return f"{self.agreement}/{self.rule}"

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(role for role, _ in self.path)


@dataclass(frozen=True)
class Owed:
    """An answer that a member owes."""

    member: str
    kind: str
    delivery_id: str
    limits_s: tuple[int, ...]
    deadline_ms: int | None
    ruling_id: str = ""
    step: int = 0


@dataclass
class Life:
    """One incident, as far as it has come."""

    rules: Rules
    origin: str
    incident: str
    traces: Traces = field(default_factory=Traces)
    latest: Value = field(default_factory=dict)
    """The last event that says something: whoever rules sees that, and not that the incident was taken back."""
    sequence: int = 0
    """Of the last event, whatever it was."""
    history: History = field(default_factory=History)
    holdings: dict[str, Holding] = field(default_factory=dict)
    barred: frozenset[str] = frozenset()
    releases: list[Release] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    lines: dict[tuple[str, str, str], Line] = field(default_factory=dict)
    owed: list[Owed] = field(default_factory=list)
    closed_ms: int | None = None
    last_ms: int | None = None

    @property
    def seen_sequence(self) -> int:
        """Of the event that whoever rules must have seen."""
        return int(self.latest["control"][0]["sequence"]) if self.latest else 0

    def state(self) -> State:
        """As the interpreter reads it."""
        lines = (CaseLine(recipient=r, agreement=a, rule=n, parts=each.parts) for (r, a, n), each in self.lines.items())
        return State(
            history=self.history,
            holdings=tuple(self.holdings[member] for member in sorted(self.holdings)),
            barred=self.barred,
            releases=tuple(self.releases),
            refusals=tuple(self.refusals),
            lines=tuple(lines),
            closed_at=None if self.closed_ms is None else moment_of(self.closed_ms),
            last_event_at=None if self.last_ms is None else moment_of(self.last_ms),
        )

    # -- events

    def event(self, event: Value, at_ms: int) -> None:
        """The next event is decided, for each recipient by itself."""
        considered, now = considered_of(event), moment_of(at_ms)
        self.sequence = considered.sequence
        if considered.kind == "retract":
            self.record(at_ms, event["event_id"], "", {})
            self._remember(considered, at_ms)
            reason = next((each["reason"] for each in event["control"][0]["changes"]), "") or "superseded"
            members = considered.addressees or frozenset(self.holdings)
            retract(self, members, at_ms, TakenBack(event["event_id"], reason, "erase", event["event_id"]))
            return
        self.latest = event
        state = self.state()
        decisions = {
            member: decide(self.rules.bundle, considered, member, now, state)
            for member in recipients(self.rules.bundle, self.origin)
        }
        closed = closed_at(state, considered, now)
        self.closed_ms = None if closed is None else milliseconds_of(closed)
        self.deliver(decisions, at_ms, "")
        for member, decision in decisions.items():
            if decision.without_news:
                self.tell(at_ms, "holders-without-news", member)
        self._remember(considered, at_ms)
        self._keep_case(considered, decisions, at_ms)
        self._ask_members(considered, decisions, at_ms)

    def _remember(self, considered: Considered, at_ms: int) -> None:
        self.history = history_after(self.history, considered)
        self.last_ms = at_ms

    def deliver(self, decisions: Mapping[str, Decision], at_ms: int, ruling_id: str) -> None:
        """The latest event goes to whom it is granted, and who is only to be told is told; all of it is recorded."""
        cause, made = ruling_id or "event", {}
        for member, decision in decisions.items():
            for action in actions_of(decision):
                made[member] = self._send(member, decision, action, at_ms, cause)
            held = self.holdings.pop(member, None)
            if after := holding_after(self.rules.bundle, decision, member, held, self.releases):
                self.holdings[member] = after
        outcomes = {member: (decision.outcome, made.get(member, "")) for member, decision in decisions.items()}
        self.record(at_ms, self.latest["event_id"], ruling_id, outcomes)

    def _send(self, member: str, decision: Decision, action: str, at_ms: int, cause: str) -> str:
        event_id, control = self.latest["event_id"], self.latest["control"][0]
        delivery_id = stable_id("delivery", self.origin, self.incident, event_id, member, action, cause)
        if action in ("share", "correct"):
            visible = {*decision.covers, *self.latest} - {*SECTIONS, "control"} | {*decision.covers}
            paths = tuple(each["path"] for each in control["changes"] if root_of(each["path"]) in visible)
            filled = tuple(name for name in filled_of(self.latest) if name in decision.covers)
            addressed = member in {*control["addressees"], *self.stood_down()}
            sent = Sent(at_ms, action, delivery_id, event_id, decision.covers, filled, (), addressed, paths)
        else:
            withdraws = decision.withdraws if action == "withdraw" else ()
            sent = Sent(at_ms, action, delivery_id, "", withdraws=withdraws)
        self.traces.sent.setdefault(member, []).append(sent)
        return delivery_id

    def _keep_case(self, event: Considered, decisions: Mapping[str, Decision], at_ms: int) -> None:
        now = moment_of(at_ms)
        self.releases = [each for each in self.releases if each.until is None or now < each.until]
        self.refusals = [each for each in self.refusals if stands(each, event)]
        opened: list[tuple[str, Line, frozenset[str]]] = []
        for member, decision in decisions.items():
            for asked in decision.referrals:
                key, parts = (member, asked.agreement, asked.rule), frozenset(asked.parts)
                line = self.lines.get(key)
                if line is None:
                    path = tuple((step.role, step.within_s) for step in asked.path)
                    line = Line(*key, parts, path, 0, at_ms + path[0][1] * 1000)
                    opened.append(("opened", line, parts))
                elif parts - line.parts:
                    line = replace(line, parts=line.parts | parts)
                    opened.append(("opened", line, parts - self.lines[key].parts))
                self.lines[key] = line
        if self.lines or opened:
            self.show(at_ms, opened)

    def _ask_members(self, event: Considered, decisions: Mapping[str, Decision], at_ms: int) -> None:
        """Who is addressed owes an answer, or the origin hears that policy stops it; corrections ask for a person."""
        within = self.rules.exchange.answers
        if event.kind in _REQUESTS:
            limits = within.transfer_s if event.kind == "transfer" else within.assistance_s
            for member in event.addressees:
                decision = decisions[member]
                if decision.head == "granted":
                    self.owe(member, event.kind, self._delivery_id(member, "share"), limits, at_ms)
                else:
                    self.tell(at_ms, decision.head, member, reason=event.kind)
        elif event.kind == "stand-down":
            cancelled = self.stood_down()
            self.owed = [each for each in self.owed if each.kind not in _REQUESTS or each.member not in cancelled]
        elif event.kind == "corrected":
            paths = {each["path"].replace("[0]", "") for each in self.latest["control"][0]["changes"]}
            asking = {root_of(path) for path in paths if path in _ASKS_A_PERSON or root_of(path) in _ASKS_A_PERSON}
            for member, decision in decisions.items():
                if decision.action == "withdraw":
                    self.owe(member, "withdraw", self._delivery_id(member, "withdraw"), within.withdrawal_s, at_ms)
                corrects = decision.head == "granted" and decision.action in ("correct", "withdraw")
                if corrects and asking & {"grade", *decision.covers}:
                    self.owe(member, "correct", self._delivery_id(member, "correct"), within.correction_s, at_ms)

    def stood_down(self) -> frozenset[str]:
        """Members whose requests the latest event cancels: those addressed, or all that were asked."""
        if enum_code(self.latest["kind"]) != "stand-down":
            return frozenset()
        asked = frozenset(each.member for each in self.owed if each.kind in _REQUESTS)
        return asked & (frozenset(self.latest["control"][0]["addressees"]) or asked)

    def owe_released(self, member: str, ruling_id: str, at_ms: int) -> None:
        """Whom a request reaches only once a person released it, owes an answer from then on."""
        kind, within = enum_code(self.latest["kind"]), self.rules.exchange.answers
        if kind in _REQUESTS and member in self.latest["control"][0]["addressees"]:
            limits_s = within.transfer_s if kind == "transfer" else within.assistance_s
            self.owe(member, kind, self._delivery_id(member, "share", ruling_id), limits_s, at_ms)

    def _delivery_id(self, member: str, action: str, cause: str = "event") -> str:
        return stable_id("delivery", self.origin, self.incident, self.latest["event_id"], member, action, cause)

    # -- what is put out, and what is asked

    def owe(
        self, member: str, kind: str, delivery_id: str, limits_s: tuple[int, ...], at_ms: int, ruling_id: str = ""
    ) -> Owed:
        """A member owes an answer from now on, instead of one of that kind that it owed; what it is to remove adds up."""
        owed = Owed(member, kind, delivery_id, limits_s, at_ms + limits_s[0] * 1000, ruling_id)
        moot = () if kind == "withdraw" else ((member, kind),)
        self.owed = [*(each for each in self.owed if (each.member, each.kind) not in moot), owed]
        return owed

    def notify(self, member: str, action: str, cause: str, event_id: str, at_ms: int, **said: Any) -> str:
        """A member is sent a notice that something is taken back."""
        delivery_id = stable_id("delivery", self.origin, self.incident, event_id, member, action, cause)
        self.traces.sent.setdefault(member, []).append(Sent(at_ms, action, delivery_id, "", **said))
        return delivery_id

    def tell(self, at_ms: int, kind: str, member: str, **said: Any) -> None:
        """The origin is told."""
        self.traces.told.append(Told(at_ms, kind, member, **said))

    def record(self, at_ms: int, event_id: str, ruling_id: str, outcomes: Mapping[str, tuple[str, str]]) -> None:
        """There is a disclosure record."""
        mark = (event_id, ruling_id) if ruling_id else (event_id,)
        record_id = stable_id("record", self.origin, self.incident, *mark)
        decided = tuple(sorted((member, *each) for member, each in outcomes.items()))
        self.traces.recorded.append(Recorded(at_ms, record_id, event_id, decided))

    def show(
        self,
        at_ms: int,
        notices: Iterable[tuple[str, Line, frozenset[str]]],
        ruling_id: str = "",
        sequence: int | None = None,
    ) -> None:
        """The desk is shown the case, with an event by its sequence, and the origin is told what happened to lines."""
        notices = list(notices)
        for kind, line, parts in notices:
            told_as = {"opened": "referred", "moot": "withheld"}.get(kind, kind)
            deadline_ms = line.deadline_ms if told_as in ("referred", "escalated") else None
            said = {"reason": line.name, "sections": tuple(sorted(parts)), "deadline_ms": deadline_ms}
            self.tell(at_ms, told_as, line.recipient, ruling_id=ruling_id, **said)
        shown = tuple(sorted((kind, line.recipient, line.name, tuple(sorted(parts))) for kind, line, parts in notices))
        lines = (self.lines[key] for key in sorted(self.lines))
        opened = tuple(
            (line.recipient, line.name, tuple(sorted(line.parts)), line.step, line.deadline_ms) for line in lines
        )
        self.traces.shown.append(Shown(at_ms, sequence or self.seen_sequence, shown, opened))


def actions_of(decision: Decision) -> list[str]:
    """What a decision has its recipient sent, in order."""
    notices = [decision.action] if decision.action in ("restricted", "withdraw") else []
    if decision.head != "granted":
        return notices
    return [*notices, "share" if decision.action == "share" else "correct"]


class TakenBack(NamedTuple):
    """Why and how an incident is taken back."""

    cause: str
    """The ruling or the event, by its id."""
    reason: str
    ask: str
    event_id: str
    """The event that the notices are about."""

    @property
    def ruling_id(self) -> str:
        return "" if self.cause == self.event_id else self.cause


def retract(life: Life, members: Iterable[str], at_ms: int, what: TakenBack) -> None:
    """The incident is barred for these members; each that holds it is asked to give it back."""
    members = sorted(members)
    life.barred |= frozenset(members)
    moot = [line for line in life.lines.values() if line.recipient in members]
    life.lines = {key: line for key, line in life.lines.items() if line not in moot}
    for member in members:
        delivery_id, deadline_ms = "", None
        if life.holdings.pop(member, None) is not None:
            said = {"reason": what.reason, "ask": what.ask}
            delivery_id = life.notify(member, "retract", what.cause, what.event_id, at_ms, **said)
            life.owed = [each for each in life.owed if each.member != member]
            limits_s = life.rules.exchange.answers.retraction_s
            deadline_ms = life.owe(member, "retract", delivery_id, limits_s, at_ms, what.ruling_id).deadline_ms
        told = {"delivery_id": delivery_id, "ruling_id": what.ruling_id, "deadline_ms": deadline_ms}
        life.tell(at_ms, "retracted", member, reason=what.reason, **told)
    if moot:
        sequence = life.seen_sequence if what.ruling_id else life.sequence
        life.show(at_ms, [("moot", line, line.parts) for line in moot], what.ruling_id, sequence)


def root_of(path: str) -> str:
    """The section, or field of the head, that a path of a change begins with."""
    return path.partition("[")[0].partition(".")[0]


def considered_of(event: Value) -> Considered:
    """What conditions may read of an event, from what a stock library decodes."""
    classification, control = (event["classification"] or [{}])[0], event["control"][0]
    paths = {change["path"] for change in control["changes"]}
    named = {"flags": "classification.flags", "caveats": "control.caveats"}
    kind = enum_code(event["kind"])
    return Considered(
        origin=event["origin"],
        category=classification.get("category") or event["category"],
        qualifiers=_set(classification.get("qualifiers")),
        flags=_set(classification.get("flags")),
        caveats=_set(control["caveats"]),
        handling=_set(event["handling"]),
        grade=enum_code(event["grade"]),
        status=enum_code(event["status"]),
        kind=kind,
        mode=enum_code(event["mode"]),
        marking=enum_code(event["marking"]),
        places=tuple(Place(each["kind"], each["district"]) for each in event["locations"]),
        sections=frozenset(filled_of(event)) - {"control"},
        addressees=frozenset(control["addressees"]),
        hazards=frozenset(each["kind"] for each in event["hazards"]),
        placed=frozenset({"locations"} if event["locations"] else ()),
        changes=frozenset(name for name, path in named.items() if path in paths)
        if kind == "corrected"
        else frozenset(),
        sequence=control["sequence"],
    )


def _set(codes: list[str] | None) -> frozenset[str] | None:
    return None if codes is None else frozenset(codes)
