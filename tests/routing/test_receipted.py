"""Receipts become feedback to each origin they are about, and a false one goes back to its writer."""

from __future__ import annotations

from typing import Any

import pytest

from routing.effects import Effects, Record
from routing.route import route
from schemas.codec import encode
from schemas.partitioner import partition_of
from tests.routing.scene import NOW, a_policy, a_record, on, one, stock

POLICY = a_policy()


def entry(origin: str, event: str, **changes: Any) -> dict[str, Any]:
    return {
        "origin": origin,
        "incident_id": "i-1",
        "event_id": event,
        "delivery_id": f"d-{event}",
        "at": NOW,
        **changes,
    }


def a_receipt(*entries: dict[str, Any], kind: str = "DELIVERED", member: str = "west", topic: str = "") -> Record:
    value = encode("Receipt", {"member": member, "kind": kind, "sent_at": NOW, "entries": list(entries)})
    # On the partition of the incident, which is that of the stream it was delivered in.
    place = partition_of(b"i-1", 6)
    return a_record(value, topic=topic or f"receipts.{member}", key=f"{member}/{place}".encode(), partition=place)


def routed(record: Record) -> Effects:
    return route(record, POLICY, NOW)


def test_each_origin_hears_of_its_own_events_and_of_no_others():
    effects = routed(a_receipt(entry("north", "e-1"), entry("south", "e-2"), entry("north", "e-3")))
    assert effects.fate == "receipted"
    assert effects.feedback == (("north", "delivered"), ("south", "delivered"))
    north, south = one(effects, "feedback", "north"), one(effects, "feedback", "south")
    assert [e["event_id"] for e in north["entries"]] == ["e-1", "e-3"]
    assert [e["event_id"] for e in south["entries"]] == ["e-2"]
    for told in (north, south):
        assert (told["kind"], told["member"], told["at"]) == ("DELIVERED", "west", NOW)


def test_feedback_names_the_delivery_and_when_it_was_so_at_the_member():
    told = one(routed(a_receipt(entry("north", "e-1", reference="WAS-77"), kind="ACCEPTED")), "feedback")
    named = {"incident_id": "i-1", "event_id": "e-1", "delivery_id": "d-e-1", "at": NOW, "reference": "WAS-77"}
    assert told["entries"] == [named | {"cause": None, "passed_to": None, "by_role": None}]
    assert told["kind"] == "ACCEPTED"


def test_why_a_delivery_was_rejected_reaches_the_origin():
    told = one(routed(a_receipt(entry("north", "e-1", cause="not-our-area"), kind="REJECTED")), "feedback")
    assert (told["kind"], told["reason"]) == ("REJECTED", "not-our-area")


def test_the_same_receipt_again_gives_the_same_feedback_ids():
    record = a_receipt(entry("north", "e-1"), entry("south", "e-2"))
    assert [o.key for o in routed(record).outputs] == [o.key for o in routed(record).outputs]
    assert len({o.key for o in routed(record).outputs}) == 2


def test_a_receipt_of_nothing_tells_nobody_anything():
    assert routed(a_receipt()).outputs == ()


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (a_receipt(entry("north", "e-1"), member="south", topic="receipts.west"), "wrong-member"),
        (a_receipt(entry("nobody", "e-1")), "unknown-origin"),
        (a_receipt(entry("north", "e-1"), entry("west", "e-1")), "unknown-origin"),
        (a_receipt(entry("north", "e-1"), kind="UNKNOWN"), "unsupported-receipt"),
        (a_record(b"nonsense", topic="receipts.west"), "not-framed"),
        (a_record(a_receipt(entry("north", "e-1")).value[:-1], topic="receipts.west"), "truncated"),
        (a_record(topic="receipts.west"), "wrong-record"),
    ],
)
def test_a_false_receipt_is_quarantined_for_the_member_that_wrote_it(record, reason):
    effects = routed(record)
    assert (effects.fate, effects.reason) == ("quarantined", reason)
    kept = one(effects, "quarantine", "west")
    assert (kept["reason"], kept["value"]) == (reason, record.value)
    assert not on(effects, "feedback"), "west publishes nothing and has no feedback topic; north is not to blame"


def test_a_false_receipt_of_a_force_is_told_on_its_own_feedback_topic():
    effects = routed(a_receipt(entry("nobody", "e-1"), member="south"))
    assert [output.topic for output in effects.outputs] == ["quarantine.south", "feedback.south"]
    assert stock(effects.outputs[1].value)["kind"] == "QUARANTINED"
