"""Why a member got an event, or did not: from the origin's own ledger, and from the agreements where they are at hand.

Shown to the origin only: a rule named to the refused tells what it hides. Who asks is written to the ledger's access
log (DPA 2018 s.62). `deploy.explaining_words` puts an explanation into words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from consumers.ledger_queries import Ledger, Row
from routing.agreements import Bundle, Considered, Decision, considered_from_dict, decide, explain_rules
from routing.agreements.explain import RuleTrace
from routing.agreements.state import FIRST_EVENT, State, state_from_dict
from schemas.errors import Rejected
from schemas.sections import SECTIONS


@dataclass(frozen=True, slots=True)
class Explanation:
    """One event, one member: what the record says, and what each rule made of it."""

    disclosure: Row
    decision: Row
    feedback: list[Row]
    """What the member said of the delivery, or why it could not be sent; oldest first."""
    rules: list[RuleTrace] | None
    """Every rule to that member; None where the bundle that decided is not at hand."""
    differs: tuple[str, ...] | None
    """The parts in which deciding again gives something else than was recorded; None where that could not be tried."""
    note: str
    """Why the rules are not there."""

    @property
    def same_decision(self) -> bool | None:
        """Whether deciding again gives what was recorded; None where that could not be tried."""
        return None if self.differs is None else not self.differs

    def held_back(self) -> dict[str, str]:
        """The sections that held something and were not granted, each with its state."""
        states = self.decision["sections"]
        return {name: states.get(name, self.decision["head"]) for name in self._full() if name not in self._covers()}

    def given(self) -> list[str]:
        """The sections that were granted and held something."""
        return [name for name in self.decision["covers"] if name in self._full()]

    def given_empty(self) -> list[str]:
        """The sections that were granted and are empty: the member learns that there is none."""
        return [name for name in self.decision["covers"] if name not in self._full()]

    def _full(self) -> Sequence[str]:
        return [name for name in SECTIONS if name in self.disclosure["considered"]["sections"]]

    def _covers(self) -> Sequence[str]:
        return [str(name) for name in self.decision["covers"]]


def explain_event(ledger: Ledger, event_id: str, member: str, bundle: Bundle | None) -> list[Explanation]:
    """The explanation of each decision about an event for a member: what was decided last is last.

    There is one more for each ruling by which it was decided again for that member.

    Raises:
        Rejected: the ledger has no such event, or no decision about it for that member.
    """
    found = ledger.find_event(event_id)
    feedback = ledger.feedback_for(event_id)
    if not found:
        raise _no_event(event_id, feedback)
    of_record = {row["record_id"]: row for row in ledger.decisions_for(event_id, member)}
    if not of_record:
        known = ", ".join(dict.fromkeys(row["member"] for row in ledger.decisions(event_id)))
        raise Rejected(
            "no-such-member",
            f"nothing was decided for {member} about event {event_id}; decisions were made for: {known or 'nobody'}",
        )
    told = [row for row in feedback if row["member"] == member]
    each = [
        (disclosure, of_record[disclosure["record_id"]]) for disclosure in found if disclosure["record_id"] in of_record
    ]
    if len(each) == 1:
        return [_explained(*each[0], told, bundle)]
    return [
        _explained(*one, [row for row in told if row["delivery_id"] == one[1]["delivery_id"]], bundle) for one in each
    ]


def _explained(disclosure: Row, decision: Row, told: list[Row], bundle: Bundle | None) -> Explanation:
    if bundle is None:
        note = "Name the folder of the agreements (--agreements DIR) to see every rule, and the decision made again."
        return Explanation(disclosure, decision, told, None, None, note)
    if bundle.hash != disclosure["policy_hash"]:
        return Explanation(disclosure, decision, told, None, None, _other_bundle(disclosure, bundle))
    member = decision["member"]
    event, at = considered_of(disclosure), datetime.fromisoformat(disclosure["decided_at"])
    before = state_of(disclosure)
    differs = differing(decide(bundle, event, member, at, before), decision)
    return Explanation(disclosure, decision, told, explain_rules(bundle, event, member, at, before), differs, "")


def _no_event(event_id: str, feedback: Sequence[Row]) -> Rejected:
    for row in feedback:
        if row["kind"] == "quarantined":
            return Rejected(
                "quarantined",
                f"event {event_id} was given to nobody: the router refused it at {row['at']} ({row['reason']}: "
                f"{row['detail']}); huecry quarantine show {row['feedback_id'][:12]} tells more",
            )
    return Rejected(
        "no-such-event",
        f"this ledger has no event {event_id}: is the id right and whole, is it this force's event, and does huecry "
        "ledger run, so that it may be here by now?",
    )


def _other_bundle(disclosure: Row, bundle: Bundle) -> str:
    return (
        f"The agreements at hand (version {bundle.version}, {bundle.hash[:12]}) are not those that decided (version "
        f"{disclosure['policy_version']}, {disclosure['policy_hash'][:12]}): this is what the record says."
    )


def differing(again: Decision, recorded: Row) -> tuple[str, ...]:
    """In what the decision made again is not the one in the record."""
    return differing_from(as_recorded(again), recorded)


def as_recorded(decision: Decision) -> dict[str, Any]:
    """All that a record says of a decision, as the ledger keeps it."""
    return {
        "outcome": decision.outcome,
        "head": decision.head,
        "sections": dict(decision.sections),
        "covers": list(decision.covers),
        "grounds": [asdict(ground) for ground in decision.grounds],
        "rules": [asdict(match) for match in decision.rules],
        "retain_days": decision.retain_days,
        "onward": decision.onward or "",
    }


def differing_from(made: Mapping[str, Any], recorded: Row) -> tuple[str, ...]:
    """The names under which a decision made again, `as_recorded`, is not the one in the record."""
    return tuple([name for name, value in made.items() if value != recorded[name]])


def considered_of(disclosure: Row) -> Considered:
    """What conditions could read when this record was made."""
    return considered_from_dict({name: disclosure[name] for name in ("origin", "sequence")} | disclosure["considered"])


def state_of(disclosure: Row) -> State:
    """What came before in the incident when this record was made."""
    return FIRST_EVENT if disclosure["state"] is None else state_from_dict(json.loads(disclosure["state"]))


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation as plain data."""
    disclosure, decision = explanation.disclosure, explanation.decision
    taken = ("outcome", "head", "sections", "covers", "grounds", "retain_days", "onward", "delivery_id")
    rules = None if explanation.rules is None else [asdict(trace) for trace in explanation.rules]
    return {
        **{name: disclosure[name] for name in ("event_id", "incident_id", "sequence", "origin")},
        "recipient": decision["member"],
        "decided_at": disclosure["decided_at"],
        "policy": {"version": disclosure["policy_version"], "hash": disclosure["policy_hash"]},
        "considered": disclosure["considered"],
        **{name: decision[name] for name in taken},
        "held_back": explanation.held_back(),
        "undeliverable": decision["undeliverable"],
        "matched": decision["rules"],
        "receipts": [
            {
                "kind": row["kind"],
                "at": row["was_at"] or row["at"],
                "reason": row["reason"],
                "reference": row["reference"],
            }
            for row in explanation.feedback
        ],
        "rules": rules,
        "same_decision": explanation.same_decision,
        "differs_in": explanation.differs,
        "note": explanation.note,
    }
