"""Route is total, and what it refuses stays with its owner."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.effects import Record
from routing.route import route
from schemas.codec import encode
from schemas.errors import HueCryError
from schemas.partitioner import partition_of
from schemas.sections import SECTIONS
from schemas.topics import input_topics
from schemas.wire import frame
from tests.routing.scene import (
    ALL,
    CODEC,
    NOW,
    a_policy,
    a_record,
    a_share,
    an_exchange,
    control,
    event_bytes,
    event_record,
    item,
    mark,
    on,
    one,
    stock,
)

POLICY = a_policy()
GENEROUS = a_policy(a_share("all", ["north", "south", "west"], SECTIONS))
INPUTS = input_topics(an_exchange())
GOOD = event_bytes()
IDS = st.sampled_from([entry.schema_id for entry in CODEC.catalogue.entries])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good event with some of its bytes changed, cut off or repeated."""
    data = bytearray(GOOD)
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    end = draw(st.integers(0, len(data)))
    return bytes(data[:end]) + draw(st.binary(max_size=8))


anything = st.one_of(
    st.none(), st.binary(max_size=200), damaged(), st.builds(lambda i, b: frame(i) + b, IDS, st.binary(max_size=200))
)


@given(
    topic=st.sampled_from(INPUTS),
    partition=st.integers(0, 5),
    key=st.one_of(st.none(), st.just(b"i-1"), st.binary(max_size=20)),
    value=anything,
)
def test_whatever_comes_is_routed_receipted_or_quarantined_and_nothing_is_raised(topic, partition, key, value):
    effects = route(Record(topic, partition, 0, key, value), GENEROUS, NOW)
    family = topic.partition(".")[0]
    fates = {"incidents": {"routed"}, "receipts": {"receipted"}, "rulings": {"ruled", "forwarded"}, "routing": set()}
    assert effects.fate in {"quarantined", *fates[family]}
    assert len(on(effects, "quarantine")) == (effects.fate == "quarantined" and family != "routing")
    assert len(on(effects, "disclosures")) == (effects.fate == "routed")
    if effects.fate == "quarantined":
        assert effects.reason
        assert not on(effects, "partner")
    for output in effects.outputs:
        stock(output.value)


@given(data=damaged())
def test_a_damaged_event_never_leaks_its_control_section(data):
    record = Record("incidents.north", partition_of(b"i-1", 6), 0, b"i-1", data)
    effects = route(record, GENEROUS, NOW)
    for output in on(effects, "partner"):
        assert stock(output.value)["event"]["control"] == []


def refused(record: Record, policy=POLICY):
    effects = route(record, policy, NOW)
    assert effects.fate == "quarantined"
    return effects


def oversize() -> Record:
    return event_record(narrative=[{"entry_id": "1", "text": "x" * 300_000}])


def on_another_partition() -> Record:
    good = event_record()
    return Record(good.topic, (good.partition + 1) % 6, good.offset, good.key, good.value)


@pytest.mark.parametrize(
    ("record", "reason", "remedy"),
    [
        (a_record(b"", key=b"i-1"), "empty", ""),
        (Record("incidents.north", 0, 1, b"i-1", None), "empty", ""),
        (a_record(b"not avro at all"), "not-framed", "Avro serialiser"),
        (a_record(frame(7) + b"body"), "unknown-schema", "registry"),
        (a_record(encode("Receipt", {"member": "north", "sent_at": NOW})), "wrong-record", "IncidentEvent"),
        (a_record(GOOD[:-1]), "truncated", ""),
        (a_record(GOOD + b"\x00"), "trailing", ""),
        (oversize(), "oversize", "limits.max_event_bytes"),
        (a_record(event_bytes(origin="south")), "wrong-origin", "only your own"),
        (a_record(key=b"another"), "wrong-key", "incident_id"),
        (a_record(key=None, partition=3), "wrong-key", "incident_id"),
        (on_another_partition(), "wrong-partition", "murmur2_random"),
        (event_record(category="transport/rtc"), "head-category", "classification.category"),
        (event_record(category="crime"), "head-category", "derive"),
        (event_record(control=[]), "no-control", "sequence"),
        (event_record(control=control() * 2), "too-many", ""),
        (event_record(classification=[item("classification")] * 2), "too-many", ""),
        (event_record(event=""), "missing-field", ""),
        (event_record(recorded_at=None), "missing-field", ""),
        (event_record(incident="i" * 201), "too-long", "short key"),
        (event_record(event="e" * 201), "too-long", "short key"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.islower() and " " not in value else "",
)
def test_what_cannot_be_routed_is_quarantined_with_its_reason_and_what_to_do(record, reason, remedy):
    effects = refused(record)
    kept, told = one(effects, "quarantine", "north"), one(effects, "feedback", "north")
    assert effects.reason == kept["reason"] == told["reason"] == reason
    assert remedy in kept["remedy"]
    assert kept["detail"]
    assert (kept["detail"], kept["remedy"]) == (told["detail"], told["remedy"])
    assert told["kind"] == "QUARANTINED"
    assert effects.feedback == (("north", "quarantined"),)


def test_a_refused_payload_is_kept_whole_for_its_owner_and_told_to_nobody_else():
    record = event_record(category="transport/rtc")
    effects = refused(record)
    kept = one(effects, "quarantine", "north")
    assert (kept["key"], kept["value"]) == (record.key, record.value)
    assert (kept["value_bytes"], kept["value_sha256"]) == (len(record.value), sha256(record.value).hexdigest())
    for output in effects.outputs:
        if output.topic != "quarantine.north":
            assert not [part for part in ALL if mark(part).encode() in output.value]
    assert {output.topic for output in effects.outputs} == {"quarantine.north", "feedback.north"}


def test_the_owner_finds_a_refused_event_by_its_ids_and_its_place():
    record = event_record(category="transport/rtc")
    effects = refused(record)
    for kept in (one(effects, "quarantine"), one(effects, "feedback")["entries"][0]):
        assert (kept["incident_id"], kept["event_id"]) == ("i-1", "e-1")
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    assert one(effects, "quarantine")["source"] == one(effects, "feedback")["source"] == place


def test_an_oversize_value_is_not_kept_and_its_size_and_digest_are():
    record = oversize()
    effects = refused(record)
    kept = one(effects, "quarantine")
    assert kept["value"] is None
    assert (kept["value_bytes"], kept["value_sha256"]) == (len(record.value), sha256(record.value).hexdigest())
    assert all(len(output.value) < 4096 for output in effects.outputs)


def test_a_huge_key_is_not_kept():
    kept = one(refused(a_record(key=b"k" * 5000)), "quarantine")
    assert kept["key"] is None


def test_refusing_the_same_record_again_gives_the_same_ids():
    first, again = refused(a_record(b"?")), refused(a_record(b"?"))
    assert [output.key for output in first.outputs] == [output.key for output in again.outputs]
    other = refused(a_record(b"?", offset=43))
    assert {output.key for output in other.outputs}.isdisjoint(output.key for output in first.outputs)


def test_an_unknown_schema_is_named_so_that_a_registry_can_be_asked():
    assert refused(a_record(frame(7) + b"body")).unknown_schema == 7
    assert refused(a_record(frame(7) + b"body", topic="receipts.west")).unknown_schema == 7
    assert refused(a_record(b"\x01")).unknown_schema is None


def test_a_topic_that_is_no_input_of_the_exchange_is_our_own_mistake():
    for topic in ("incidents.nobody", "partner", "incidents."):
        with pytest.raises(ValueError, match="not an input topic") as error:
            route(a_record(topic=topic), POLICY, NOW)
        assert not isinstance(error.value, HueCryError)


@given(secret=st.text(st.characters(categories=["Lu"]), min_size=12, max_size=12))
def test_a_refusal_never_quotes_what_was_typed(secret):
    """The head's free texts are the only ones read before a refusal; none may stand in a message."""
    bad = {
        "category": f"transport/{secret}",
        "local_ref": secret,
        "classification": [{"category": f"crime/{secret}", "local_text": secret}],
        "contact": {"desk": secret, "phone": secret, "email": secret},
    }
    effects = refused(event_record(**bad))
    kept = one(effects, "quarantine")
    assert secret not in kept["detail"] + kept["remedy"]
    assert secret.encode() not in on(effects, "feedback")[0].value
