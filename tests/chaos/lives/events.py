"""What must come of an event: each recipient decided by the naive interpreter, what is asked, what is remembered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from routing.agreements import Considered, Decision, decide, recipients
from routing.agreements.following import closed_at
from routing.agreements.history import history_after
from routing.agreements.rulings import stands
from routing.state.holding import holding_after
from routing.state.incident import milliseconds_of, moment_of
from schemas.codec import stable_id
from schemas.codes import enum_code
from schemas.sections import SECTIONS
from tests.chaos.lives.considered import considered_of, root_of
from tests.chaos.lives.happenings import Sent, filled_of
from tests.chaos.lives.life import Life, Line
from tests.chaos.lives.seen import Value
from tests.chaos.lives.taking_back import TakenBack, retract

_REQUESTS: Final = ("transfer", "assistance")
_ASKS_A_PERSON: Final = frozenset({"grade", "hazards", "locations", "classification.flags"})


def told(life: Life, event: Value, at_ms: int) -> None:
    """The next event is decided, for each recipient by itlife."""
    considered, now = considered_of(event), moment_of(at_ms)
    life.sequence = considered.sequence
    if considered.kind == "retract":
        life.record(at_ms, event["event_id"], "", {})
        _remember(life, considered, at_ms)
        reason = next((each["reason"] for each in event["control"][0]["changes"]), "") or "superseded"
        members = considered.addressees or frozenset(life.holdings)
        retract(life, members, at_ms, TakenBack(event["event_id"], reason, "erase", event["event_id"]))
        return
    life.latest = event
    state = life.state()
    decisions = {
        member: decide(life.rules.bundle, considered, member, now, state)
        for member in recipients(life.rules.bundle, life.origin)
    }
    closed = closed_at(state, considered, now)
    life.closed_ms = None if closed is None else milliseconds_of(closed)
    deliver(life, decisions, at_ms, "")
    for member, decision in decisions.items():
        if decision.without_news:
            life.tell(at_ms, "holders-without-news", member)
    _remember(life, considered, at_ms)
    _keep_case(life, considered, decisions, at_ms)
    _ask_members(life, considered, decisions, at_ms)


def _remember(life: Life, considered: Considered, at_ms: int) -> None:
    life.history = history_after(life.history, considered)
    life.last_ms = at_ms


def deliver(life: Life, decisions: Mapping[str, Decision], at_ms: int, ruling_id: str) -> None:
    """The latest event goes to whom it is granted, and who is only to be told is told; all of it is recorded."""
    cause, made = ruling_id or "event", {}
    for member, decision in decisions.items():
        for action in actions_of(decision):
            made[member] = _send(life, member, decision, action, at_ms, cause)
        held = life.holdings.pop(member, None)
        if after := holding_after(life.rules.bundle, decision, member, held, life.releases):
            life.holdings[member] = after
    outcomes = {member: (decision.outcome, made.get(member, "")) for member, decision in decisions.items()}
    life.record(at_ms, life.latest["event_id"], ruling_id, outcomes)


def _send(life: Life, member: str, decision: Decision, action: str, at_ms: int, cause: str) -> str:
    event_id, control = life.latest["event_id"], life.latest["control"][0]
    delivery_id = stable_id("delivery", life.origin, life.incident, event_id, member, action, cause)
    if action in ("share", "correct"):
        visible = {*decision.covers, *life.latest} - {*SECTIONS, "control"} | {*decision.covers}
        paths = tuple(each["path"] for each in control["changes"] if root_of(each["path"]) in visible)
        filled = tuple(name for name in filled_of(life.latest) if name in decision.covers)
        addressed = member in {*control["addressees"], *stood_down(life)}
        sent = Sent(at_ms, action, delivery_id, event_id, decision.covers, filled, (), addressed, paths)
    else:
        withdraws = decision.withdraws if action == "withdraw" else ()
        sent = Sent(at_ms, action, delivery_id, "", withdraws=withdraws)
    life.traces.sent.setdefault(member, []).append(sent)
    return delivery_id


def _keep_case(life: Life, event: Considered, decisions: Mapping[str, Decision], at_ms: int) -> None:
    now = moment_of(at_ms)
    life.releases = [each for each in life.releases if each.until is None or now < each.until]
    life.refusals = [each for each in life.refusals if stands(each, event)]
    opened: list[tuple[str, Line, frozenset[str]]] = []
    for member, decision in decisions.items():
        for asked in decision.referrals:
            key, parts = (member, asked.agreement, asked.rule), frozenset(asked.parts)
            line = life.lines.get(key)
            if line is None:
                path = tuple((step.role, step.within_s) for step in asked.path)
                line = Line(*key, parts, path, 0, at_ms + path[0][1] * 1000)
                opened.append(("opened", line, parts))
            elif parts - line.parts:
                line = replace(line, parts=line.parts | parts)
                opened.append(("opened", line, parts - life.lines[key].parts))
            life.lines[key] = line
    if life.lines or opened:
        life.show(at_ms, opened)


def _ask_members(life: Life, event: Considered, decisions: Mapping[str, Decision], at_ms: int) -> None:
    """Who is addressed owes an answer, or the origin hears that policy stops it; corrections ask for a person."""
    within = life.rules.exchange.answers
    if event.kind in _REQUESTS:
        limits = within.transfer_s if event.kind == "transfer" else within.assistance_s
        for member in event.addressees:
            decision = decisions[member]
            if decision.head == "granted":
                life.owe(member, event.kind, _delivery_id(life, member, "share"), limits, at_ms)
            else:
                life.tell(at_ms, decision.head, member, reason=event.kind)
    elif event.kind == "stand-down":
        cancelled = stood_down(life)
        life.owed = [each for each in life.owed if each.kind not in _REQUESTS or each.member not in cancelled]
    elif event.kind == "corrected":
        paths = {each["path"].replace("[0]", "") for each in life.latest["control"][0]["changes"]}
        asking = {root_of(path) for path in paths if path in _ASKS_A_PERSON or root_of(path) in _ASKS_A_PERSON}
        for member, decision in decisions.items():
            if decision.action == "withdraw":
                life.owe(member, "withdraw", _delivery_id(life, member, "withdraw"), within.withdrawal_s, at_ms)
            corrects = decision.head == "granted" and decision.action in ("correct", "withdraw")
            if corrects and asking & {"grade", *decision.covers}:
                life.owe(member, "correct", _delivery_id(life, member, "correct"), within.correction_s, at_ms)


def stood_down(life: Life) -> frozenset[str]:
    """Members whose requests the latest event cancels: those addressed, or all that were asked."""
    if enum_code(life.latest["kind"]) != "stand-down":
        return frozenset()
    asked = frozenset(each.member for each in life.owed if each.kind in _REQUESTS)
    return asked & (frozenset(life.latest["control"][0]["addressees"]) or asked)


def owe_released(life: Life, member: str, ruling_id: str, at_ms: int) -> None:
    """Whom a request reaches only once a person released it, owes an answer from then on."""
    kind, within = enum_code(life.latest["kind"]), life.rules.exchange.answers
    if kind in _REQUESTS and member in life.latest["control"][0]["addressees"]:
        limits_s = within.transfer_s if kind == "transfer" else within.assistance_s
        life.owe(member, kind, _delivery_id(life, member, "share", ruling_id), limits_s, at_ms)


def _delivery_id(life: Life, member: str, action: str, cause: str = "event") -> str:
    return stable_id("delivery", life.origin, life.incident, life.latest["event_id"], member, action, cause)


def actions_of(decision: Decision) -> list[str]:
    """What a decision has its recipient sent, in order."""
    notices = [decision.action] if decision.action in ("restricted", "withdraw") else []
    if decision.head != "granted":
        return notices
    return [*notices, "share" if decision.action == "share" else "correct"]
