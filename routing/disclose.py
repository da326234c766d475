"""From decisions to bytes: one delivery for each recipient that gets something, one record of all that was decided.

Recipients with equal decisions share their terms, and recipients with equal coverage share one cut event: both are
built once for each event, however many partners there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from routing.agreements.considered import Considered, considered_to_dict
from routing.agreements.decision import Decision
from routing.effects import Output, Policy, Record
from schemas.catalogue import Entry
from schemas.codec import EventCodec, encode, encode_address, encode_terms, stable_id
from schemas.codes import enum_symbol
from schemas.cut import OpenEvent
from schemas.topics import disclosures_topic, partner_topic


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event that was opened and checked, with where it stands and what conditions read of it."""

    record: Record
    entry: Entry
    event: OpenEvent
    considered: Considered
    now: datetime

    @property
    def identity(self) -> tuple[str, str, str]:
        """Origin, incident, event."""
        head = self.event.head
        return head["origin"], head["incident_id"], head["event_id"]


def delivery_id(arrived: Arrived, recipient: str) -> str:
    """Made from origin, incident, event, recipient, action and cause: the same however often it is made."""
    return stable_id("delivery", *arrived.identity, recipient, "share", "event")


def deliveries(arrived: Arrived, decisions: Iterable[Decision], codec: EventCodec, policy_version: int) -> list[Output]:
    """One Delivery for each decision whose head is granted.

    Raises:
        Rejected: a section that somebody is granted is malformed; then nobody gets anything of the event.
    """
    views: dict[tuple[str, ...], bytes] = {}
    terms: dict[tuple[Decision, bool], bytes] = {}
    framed = codec.delivery_frame(arrived.entry)
    key = arrived.record.key or b""
    outputs = []
    for decision in decisions:
        recipient, covers = decision.recipient, decision.covers
        addressed = recipient in arrived.considered.addressees
        same = (replace(decision, recipient=""), addressed)
        if covers not in views:
            views[covers] = arrived.event.view(covers)
        if same not in terms:
            terms[same] = encode_terms(_terms(arrived, decision, policy_version, addressed=addressed))
        address = encode_address(delivery_id(arrived, recipient), recipient, f"{recipient}/{arrived.record.partition}")
        outputs.append(Output(partner_topic(recipient), key, b"".join((framed, address, terms[same], views[covers]))))
    return outputs


def _terms(arrived: Arrived, decision: Decision, policy_version: int, *, addressed: bool) -> dict[str, Any]:
    return {
        "action": "SHARE",
        "covers": decision.covers,
        "addressed_to_you": addressed,
        "changes": _changes_for(arrived.event, decision.covers),
        "grounds": [_ground(ground) for ground in decision.grounds],
        "decided_at": arrived.now,
        "retain_until": _retain_until(arrived, decision),
        "retain_days": decision.retain_days,
        "onward": decision.onward or "",
        "policy_version": policy_version,
        "under_review": decision.under_review,
    }


def _changes_for(event: OpenEvent, covers: tuple[str, ...]) -> list[dict[str, Any]]:
    """The corrections of fields that this recipient can see: of the head, and of the sections covered."""
    visible = {*covers, *event.head}
    control = event.section("control")[0]
    return [change for change in control["changes"] if change["path"].partition("[")[0].partition(".")[0] in visible]


def _retain_until(arrived: Arrived, decision: Decision) -> datetime | None:
    """Null while the incident is open; from this decision once it is closed."""
    closed = arrived.considered.kind == "closed" or arrived.considered.status == "closed"
    if not closed or decision.retain_days is None:
        return None
    return arrived.now + timedelta(days=decision.retain_days)


def disclosure_record(arrived: Arrived, decisions: Iterable[Decision], policy: Policy) -> Output:
    """What was decided about the event for every member: DPA 2018 s.62."""
    origin, incident_id, event_id = arrived.identity
    record = arrived.record
    groups: dict[Decision, list[dict[str, Any]]] = {}
    for decision in decisions:
        groups.setdefault(replace(decision, recipient=""), []).append(_recipient(arrived, decision, policy))
    value = {
        "record_id": stable_id("record", origin, incident_id, event_id),
        "origin": origin,
        "incident_id": incident_id,
        "event_id": event_id,
        "sequence": arrived.event.section("control")[0]["sequence"],
        "source": {"topic": record.topic, "partition": record.partition, "offset": record.offset},
        "decided_at": arrived.now,
        "policy": {"version": policy.bundle.version, "hash": policy.bundle.hash},
        "considered": {k: v for k, v in considered_to_dict(arrived.considered).items() if k != "origin"},
        "decisions": [_group(decision, members) for decision, members in groups.items()],
    }
    return Output(disclosures_topic(origin), record.key or b"", encode("DisclosureRecord", value))


def _recipient(arrived: Arrived, decision: Decision, policy: Policy) -> dict[str, Any]:
    member = decision.recipient
    if decision.head != "granted":
        return {"member": member, "delivery_id": None, "undeliverable": None}
    undeliverable = policy.suspended.get(member)
    made = None if undeliverable else delivery_id(arrived, member)
    return {"member": member, "delivery_id": made, "undeliverable": undeliverable}


def _group(decision: Decision, members: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "recipients": members,
        "outcome": enum_symbol(decision.outcome),
        "head": enum_symbol(decision.head),
        "sections": [{"section": name, "state": enum_symbol(state)} for name, state in decision.sections.items()],
        "grounds": [_ground(ground) for ground in decision.grounds],
        "rules": [
            {
                "agreement": match.agreement,
                "rule": match.rule,
                "outcome": match.outcome,
                "turned_on_unknown": match.turned_on_unknown,
            }
            for match in decision.rules
        ],
        "retain_days": decision.retain_days,
        "onward": decision.onward or "",
        "under_review": decision.under_review,
    }


def _ground(ground: Any) -> Mapping[str, str]:  # noqa: ANN401
    return {
        "section": ground.section,
        "agreement": ground.agreement,
        "rule": ground.rule,
        "purpose": ground.purpose,
        "legal_basis": ground.legal_basis,
    }
