"""What members say became of deliveries: told to each origin, and taken off what the member owes an answer to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from routing.consequences import Consequences, Setting
from routing.effects import Effects, Known, Output, Policy, Record
from routing.forwarding import forwarded
from routing.state.incident import Incident
from routing.state.memory import incident_key
from routing.telling import About
from schemas.codec import EventCodec, decode_foreign, encode, stable_id
from schemas.codes import enum_code
from schemas.errors import Rejected
from schemas.exchange import Exchange
from schemas.partitioner import partition_of
from schemas.topics import feedback_topic

_ANSWERS: Final = frozenset({"accepted", "rejected", "erased", "restricted"})
"""What a member may owe; other receipts change nothing that is remembered."""
_TOLD: Final = frozenset({"delivered", "failed", "acted-upon", "passed-on"}) | _ANSWERS

Entry = dict[str, Any]


def receipted(record: Record, member: str, policy: Policy, now: datetime, known: Known, codec: EventCodec) -> Effects:
    """What follows from a member's receipt: feedback for each origin it names, and answers taken off what is owed.

    An answer about an incident of another partition goes there, where what is owed is remembered.

    Raises:
        Rejected: it is not a receipt of that member, or names an origin that there is not.
    """
    receipt = decode_foreign("Receipt", record.value, policy.exchange.limits.max_event_bytes)
    if receipt["member"] != member:
        raise Rejected("wrong-member", "the receipt names another member than the topic it arrived on")
    kind = enum_code(receipt["kind"])
    if kind not in _TOLD:
        raise Rejected("unsupported-receipt", f"expected one of {', '.join(sorted(_TOLD))}, got {kind}")
    _check_origins(receipt["entries"], policy)
    here: list[Entry] = receipt["entries"]
    elsewhere: list[Output] = []
    if kind in _ANSWERS:
        here, elsewhere = _by_partition(receipt["entries"], record, policy.exchange)
    by_origin: dict[str, list[Entry]] = {}
    for entry in here:
        by_origin.setdefault(entry["origin"], []).append(entry)
    setting = Setting(policy, codec, record.partition, known.stream)
    settled, answered = _settle(record, member, kind, here, setting, known, now)
    outputs = [
        _feedback(record, receipt, origin, entries, now, answered.get(origin, set()))
        for origin, entries in sorted(by_origin.items())
    ]
    outputs += elsewhere
    return Effects(
        fate="receipted" if here or not elsewhere else "forwarded",
        outputs=tuple(outputs),
        feedback=tuple((origin, kind) for origin in sorted(by_origin)),
        others=settled,
    )


def _check_origins(entries: Iterable[Entry], policy: Policy) -> None:
    publishers = policy.exchange.publishers()
    if any(entry["origin"] not in publishers for entry in entries):
        raise Rejected("unknown-origin", "an entry names an origin that does not publish in this exchange")


def _by_partition(entries: Sequence[Entry], record: Record, exchange: Exchange) -> tuple[list[Entry], list[Output]]:
    """The entries whose incidents are of this partition, and the record forwarded to those of the others."""
    places = [partition_of(entry["incident_id"].encode(), exchange.partitions) for entry in entries]
    here = [entry for entry, place in zip(entries, places, strict=True) if place == record.partition]
    if record.by_way_of:  # each partition that it concerns has it
        return here, []
    return here, [forwarded(record, place, exchange.exchange) for place in sorted(set(places) - {record.partition})]


def _settle(
    record: Record, member: str, kind: str, entries: Iterable[Entry], setting: Setting, known: Known, now: datetime
) -> tuple[tuple[tuple[bytes, Incident], ...], dict[str, set[str]]]:
    """What is remembered of each incident once these answers are taken off what the member owes.

    And by origin, the kinds of what was answered.
    """
    answered: dict[str, set[str]] = {}
    if kind not in _ANSWERS:
        return (), answered
    drawn: dict[bytes, Consequences] = {}
    for entry in entries:
        key = incident_key(entry["origin"], entry["incident_id"])
        if key not in drawn:
            incident = known.find(key)
            if incident is None or not incident.expected.value:
                continue
            matter = About(entry["origin"], entry["incident_id"], entry["event_id"], now, record)
            drawn[key] = Consequences(matter, incident, setting)
        answered.setdefault(entry["origin"], set()).update(_answer(member, kind, entry, drawn[key]))
    return tuple((key, each.incident()) for key, each in drawn.items()), answered


def _answer(member: str, kind: str, entry: Entry, drawn: Consequences) -> set[str]:
    """Take an answer off what is owed, and give the kinds of what it answers.

    Of a retraction and of a correction a system's word is not enough: a person there has yet to say so.
    """
    left = []
    answered: set[str] = set()
    for owed in drawn.expected:
        is_meant = owed.member == member and owed.delivery_id == entry["delivery_id"] and not owed.is_unsent
        if not is_meant or kind not in _SETTLES[owed.kind]:
            left.append(owed)
        else:
            answered.add(owed.kind)
            if owed.kind in _BY_A_PERSON and entry["by_role"] is None:
                left.append(owed.confirmed_by_adapter())
    drawn.expected = tuple(left)
    return answered


_BY_A_PERSON: Final = frozenset({"retract", "correct"})
"""What a system's word alone does not answer."""
_SETTLES: Final = {
    "retract": ("erased", "restricted"),
    "withdraw": ("erased", "restricted"),
    "correct": ("accepted", "rejected"),
    "transfer": ("accepted", "rejected"),
    "assistance": ("accepted", "rejected"),
}
"""What answers what."""


_TAKEN_OVER: Final = "the member has taken the incident over: primacy is its, and its control room is in command"
_KEPT: Final = ("incident_id", "event_id", "delivery_id", "at", "reference", "cause", "passed_to", "by_role")


def _feedback(
    record: Record, receipt: Entry, origin: str, entries: list[Entry], now: datetime, answered: set[str]
) -> Output:
    """One Feedback record; its reason is a cause, or else what was answered."""
    identifier = stable_id("receipt", record.lies_on, str(record.partition), str(record.offset), origin)
    causes = sorted({entry["cause"] for entry in entries if entry["cause"]})
    value = {
        "feedback_id": identifier,
        "to": origin,
        "kind": receipt["kind"],
        "member": receipt["member"],
        "at": now,
        "reason": next(iter(causes or sorted(answered)), ""),
        "detail": _TAKEN_OVER if receipt["kind"] == "ACCEPTED" and "transfer" in answered else "",
        "entries": [{name: entry[name] for name in _KEPT} for entry in entries],
        "source": {"topic": record.lies_on, "partition": record.partition, "offset": record.offset},
    }
    return Output(feedback_topic(origin), identifier.encode(), encode("Feedback", value))
