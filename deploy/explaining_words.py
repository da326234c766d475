"""An explanation in words, for a person: the answer first, then why, then what the rules could read."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from deploy.explaining import Explanation
from routing.agreements.explain import RuleTrace

_WIDTH: Final = 16
"""Of the names on the left, where none is longer."""
_LINE: Final = 108
_STATES: Final = ("matched", "not matched", "not in force")
_ANSWERS: Final = {
    "shared": "was sent all of this event",
    "shared-in-part": "was sent a part of this event",
    "withheld": "was sent nothing of this event: no agreement grants it",
    "forbidden": "was sent nothing of this event: an agreement forbids it",
}
_IN_DOUBT: Final = " (in doubt: what is not known counts against sharing)"
_NEWS: Final = {
    "delivered": "has it since",
    "accepted": "accepted at",
    "rejected": "rejected at",
    "failed": "failed at",
}


def as_lines(explanation: Explanation) -> Iterator[str]:
    """The explanation, line by line."""
    disclosure, decision = explanation.disclosure, explanation.decision
    yield _answer(explanation)
    yield from _facts(
        {
            "decision": decision["outcome"],
            "event": f"{disclosure['event_id']}, number {disclosure['sequence']} of its incident",
            "incident": disclosure["incident_id"],
            "decided": f"{_when(disclosure['decided_at'])}, policy version {disclosure['policy_version']} "
            f"({disclosure['policy_hash'][:12]})",
            "sent": _given(explanation),
            "held back": _held_back(explanation),
            "terms": _terms(explanation),
        }
    )
    yield from _news(explanation)
    yield ""
    yield from _why(explanation)
    yield ""
    yield "What the rules could read of the event (no names, no coordinates):"
    yield from _facts({name: _in_words(value) for name, value in disclosure["considered"].items()})


def _answer(explanation: Explanation) -> str:
    decision = explanation.decision
    if decision["undeliverable"]:
        return f"{decision['member']} was to be sent this event, and it COULD NOT BE SENT ({decision['undeliverable']})"
    return f"{decision['member']} {_ANSWERS.get(decision['outcome'], decision['outcome'])}"


def _given(explanation: Explanation) -> str:
    if explanation.decision["head"] != "granted":
        return ""
    parts = ["the head", *explanation.given()]
    empty = explanation.given_empty()
    return ", ".join(parts) + (f"; and that there are no {', '.join(empty)}" if empty else "")


def _held_back(explanation: Explanation) -> str:
    by_state: dict[str, list[str]] = {}
    for name, state in explanation.held_back().items():
        by_state.setdefault(state, []).append(name)
    return "; ".join(f"{', '.join(names)} ({state})" for state, names in by_state.items())


def _terms(explanation: Explanation) -> str:
    decision = explanation.decision
    if decision["head"] != "granted":
        return ""
    kept = "" if decision["retain_days"] is None else f"to be kept {decision['retain_days']} days from closing; "
    return f"{kept}passing on: {decision['onward'] or 'not stated'}"


def _news(explanation: Explanation) -> Iterator[str]:
    sent = explanation.decision["delivery_id"]
    if sent:
        yield from _facts({"delivery": sent})
    for row in explanation.feedback:
        reference = f", their reference {row['reference']}" if row["reference"] else ""
        told = _NEWS.get(row["kind"], f"{row['kind']} at")
        because = f" ({row['reason']})" if row["reason"] else ""
        remedy = f"; {row['remedy']}" if row["remedy"] else ""
        yield from _facts({"receipt": f"{told} {_when(row['was_at'] or row['at'])}{because}{reference}{remedy}"})
    if sent and not explanation.feedback:
        yield from _facts({"receipt": "none yet"})


def _why(explanation: Explanation) -> Iterator[str]:
    yield from _grounds(explanation)
    if explanation.rules is None:
        yield from _recorded(explanation)
        return
    origin, member = explanation.disclosure["origin"], explanation.decision["member"]
    yield f"Every rule from {origin} to {member}:" if explanation.rules else f"No rule names {origin} and {member}."
    for trace in sorted(explanation.rules, key=lambda trace: _STATES.index(trace.state)):
        yield from _rule(trace)
    if explanation.same_decision:
        yield "Decided again just now from the record: the same decision."
    else:
        differs = ", ".join(explanation.differs or ())
        yield f"DECIDED AGAIN JUST NOW FROM THE RECORD: NOT THE SAME ({differs}). Tell whoever runs the exchange."


def _recorded(explanation: Explanation) -> Iterator[str]:
    matched = explanation.decision["rules"]
    yield "Rules that matched:" if matched else "No rule matched, and what nobody wrote down stays home."
    for match in matched:
        doubt = _IN_DOUBT if match["turned_on_unknown"] else ""
        yield f"  {match['outcome']:8}{match['agreement']} / {match['rule']}{doubt}"
    yield explanation.note


def _grounds(explanation: Explanation) -> Iterator[str]:
    grounds: dict[tuple[str, ...], list[str]] = {}
    for ground in explanation.decision["grounds"]:
        key = tuple(ground[name] for name in ("agreement", "rule", "purpose", "legal_basis"))
        grounds.setdefault(key, []).append(ground["section"])
    if grounds:
        yield "Sent under:"
    for (agreement, rule, purpose, legal_basis), sections in grounds.items():
        yield f"  {agreement} / {rule} ({purpose}; {legal_basis}): {', '.join(sections)}"
    if grounds:
        yield ""


def _rule(trace: RuleTrace) -> Iterator[str]:
    doubt = _IN_DOUBT if trace.turned_on_unknown else ""
    yield f"  {trace.state:14}{trace.outcome:8}{trace.agreement} / {trace.rule}{doubt}"
    for words in (trace.words, *trace.notes):
        yield f"{'':24}{words}"


def _facts(facts: dict[str, str]) -> Iterator[str]:
    width = max(_WIDTH, *(len(name) + 2 for name in facts))
    for name, value in facts.items():
        for number, line in enumerate(wrap(value, _LINE - width - 2, break_long_words=False)):
            yield f"  {'' if number else name:{width}}{line}"


def _when(text: str) -> str:
    """A time of the ledger (ISO 8601 in UTC) as a person reads it."""
    return text.replace("T", " ").replace("Z", " UTC")


def _in_words(value: object) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, list):
        return ", ".join(_in_words(each) for each in value) or "none"
    if isinstance(value, dict):
        stated = [str(value[name]) for name in ("kind", "district") if value.get(name)]
        measured = (*value.get("inside", ()), *(f"perhaps {area}" for area in value.get("partly", ())))
        where = f" (lies in {', '.join(measured)})" if measured else ""
        return (" in ".join(stated) or "a place, nothing stated of it") + where
    return str(value)
