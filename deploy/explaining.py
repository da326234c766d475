"""Why a member got an event, or did not: from the origin's own ledger, and from the agreements where they are at hand.

Shown to the origin only: a rule named to the refused tells what it hides. Who asks is written to the ledger's access
log (DPA 2018 s.62).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from consumers.ledger_queries import Ledger, Row
from routing.agreements import Bundle, Considered, considered_from_dict, decide, explain_rules
from routing.agreements.explain import RuleTrace
from schemas.errors import Rejected

_WIDTH: Final = 16


@dataclass(frozen=True, slots=True)
class Explanation:
    """One event, one member: what the record says, and what each rule made of it."""

    disclosure: Row
    decision: Row
    feedback: list[Row]
    """What the member said of the delivery."""
    rules: list[RuleTrace] | None
    """Every rule to that member; None where the bundle that decided is not at hand."""
    same_decision: bool | None
    """Whether deciding again gives what was recorded; None where the bundle that decided is not at hand."""
    note: str


def explain_event(ledger: Ledger, event_id: str, member: str, bundle: Bundle | None) -> Explanation:
    """The explanation of one decision.

    Raises:
        Rejected: the ledger has no such event, or no decision about it for that member.
    """
    found = ledger.find_event(event_id)
    if not found:
        raise Rejected(
            "no-such-event",
            f"the ledger has no event {event_id}: it may be in quarantine, another force's, or not here yet",
        )
    disclosure = found[-1]
    decision = ledger.decision(event_id, member)
    if decision is None:
        known = ", ".join(row["member"] for row in ledger.decisions(event_id))
        raise Rejected("no-such-member", f"nothing was decided for {member} about {event_id}; there are {known}")
    told = [row for row in ledger.feedback_for(event_id) if row["member"] == member]
    if bundle is None:
        note = "name the folder of the bundle with --agreements to see every rule, and the decision made again"
        return Explanation(disclosure, decision, told, None, None, note)
    if bundle.hash != disclosure["policy_hash"]:
        note = (
            f"the bundle at hand is not the one that decided (version {disclosure['policy_version']}, "
            f"hash {disclosure['policy_hash'][:12]}...): the rules cannot be shown"
        )
        return Explanation(disclosure, decision, told, None, None, note)
    return _with_rules(disclosure, decision, told, bundle)


def _with_rules(disclosure: Row, decision: Row, told: list[Row], bundle: Bundle) -> Explanation:
    event, at = considered_of(disclosure), datetime.fromisoformat(disclosure["decided_at"])
    again = decide(bundle, event, decision["member"], at)
    same = again.outcome == decision["outcome"] and list(again.covers) == decision["covers"]
    return Explanation(
        disclosure, decision, told, explain_rules(bundle, event, decision["member"], at), same_decision=same, note=""
    )


def considered_of(disclosure: Row) -> Considered:
    """What conditions could read when this record was made."""
    return considered_from_dict({"origin": disclosure["origin"], **disclosure["considered"]})


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation as plain data."""
    return {
        "event_id": explanation.disclosure["event_id"],
        "incident_id": explanation.disclosure["incident_id"],
        "origin": explanation.disclosure["origin"],
        "recipient": explanation.decision["member"],
        "decided_at": explanation.disclosure["decided_at"],
        "policy": {
            "version": explanation.disclosure["policy_version"],
            "hash": explanation.disclosure["policy_hash"],
        },
        "considered": explanation.disclosure["considered"],
        **{
            name: explanation.decision[name]
            for name in ("outcome", "head", "sections", "covers", "grounds", "delivery_id", "undeliverable")
        },
        "matched": explanation.decision["rules"],
        "receipts": [
            {"kind": row["kind"], "at": row["was_at"] or row["at"], "reference": row["reference"]}
            for row in explanation.feedback
        ],
        "rules": None
        if explanation.rules is None
        else [
            {"agreement": t.agreement, "rule": t.rule, "outcome": t.outcome, "state": t.state, "words": t.words}
            for t in explanation.rules
        ],
        "same_decision": explanation.same_decision,
        "note": explanation.note,
    }


def as_lines(explanation: Explanation) -> Iterator[str]:
    """The explanation for a person: the answer first, then why, then what was read."""
    disclosure, decision = explanation.disclosure, explanation.decision
    yield f"{decision['member']}: {decision['outcome']}"
    yield from _facts(
        {
            "event": f"{disclosure['event_id']}, number {disclosure['sequence']} of {disclosure['incident_id']}",
            "decided": f"{disclosure['decided_at']} under policy version {disclosure['policy_version']}",
            "given": ", ".join(decision["covers"])
            or ("the head alone" if decision["head"] == "granted" else "nothing"),
            "not sent": decision["undeliverable"] or "",
        }
    )
    for row in explanation.feedback:
        yield f"  {row['kind']:{_WIDTH}}{row['was_at'] or row['at']} {row['reference'] or ''}".rstrip()
    yield ""
    yield from _why(explanation)
    yield ""
    yield "What the rules could read:"
    yield from _facts({name: _in_words(value) for name, value in disclosure["considered"].items()})


def _why(explanation: Explanation) -> Iterator[str]:
    if explanation.rules is None:
        matched = explanation.decision["rules"]
        yield "Rules that matched:" if matched else "No rule matched, and what nobody wrote down stays home."
        for match in matched:
            doubt = ", because something is not known" if match["turned_on_unknown"] else ""
            yield f"  {match['outcome']:8}{match['agreement']} / {match['rule']}{doubt}"
        yield f"({explanation.note})"
        return
    yield f"Every rule to {explanation.decision['member']}:" if explanation.rules else "No rule names this member."
    for trace in explanation.rules:
        yield f"  {trace.state:13}{trace.outcome:8}{trace.agreement} / {trace.rule}: {trace.words}"
        for each in trace.notes:
            yield f"               {each}"
    if explanation.same_decision:
        yield "Decided again just now from the record: the same."
    else:
        yield "DECIDED AGAIN JUST NOW FROM THE RECORD: NOT THE SAME. Tell whoever runs the exchange."


def _facts(facts: dict[str, str]) -> Iterator[str]:
    for name, value in facts.items():
        if value:
            yield f"  {name:{_WIDTH}}{value}"


def _in_words(value: object) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, list):
        return ", ".join(_in_words(each) for each in value) or "none"
    if isinstance(value, dict):
        return " in ".join(str(each) for each in value.values() if each)
    return str(value)
