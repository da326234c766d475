"""What is delivered, and what is recorded of it: they agree, and nothing goes out that was not granted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from routing.agreements import considered_from_dict, decide, recipients
from routing.agreements.model import Condition, Rule
from routing.effects import Effects, Policy
from routing.route import route
from schemas.avro_form import Form
from schemas.catalogue import Catalogue, Entry, catalogue, compose_delivery, event_schema_of
from schemas.codec import EventCodec, encode_address, encode_terms, stable_id
from schemas.codes import codes, enum_symbol
from schemas.event import IncidentEvent
from schemas.sections import SECTIONS
from tests.routing.scene import (
    ALL,
    CODEC,
    NOW,
    TERMS,
    a_forbid,
    a_policy,
    a_record,
    a_share,
    an_exchange,
    control,
    event_dict,
    event_record,
    item,
    mark,
    on,
    one,
    stock,
)

RECEIVERS = ("north", "south", "west")
EVERYTHING = a_share("everything", RECEIVERS, SECTIONS)


def deliveries(effects: Effects) -> dict[str, dict[str, Any]]:
    """Every delivery, by recipient, as stock fastavro reads it."""
    return {output.topic.removeprefix("partner."): stock(output.value) for output in on(effects, "partner")}


members = st.sets(st.sampled_from(RECEIVERS), min_size=1).map(sorted)
sections = st.sets(st.sampled_from(SECTIONS))
conditions = st.sampled_from(
    [
        (),
        (Condition("caveats", ("source-sensitive",)),),
        (Condition("flags", ("child",)),),
        (Condition("grade", ("emergency",)),),
        (Condition("has", ("suspects",)),),
        (Condition("addressed"),),
        (Condition("district", ("Calderdale",)),),
    ]
)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    rules: list[Rule] = [EVERYTHING] if draw(st.booleans()) else []
    rules += [
        a_share(f"share-{number}", draw(members), draw(sections), *draw(conditions))
        for number in range(draw(st.integers(0, 3)))
    ]
    for number in range(draw(st.integers(0, 2))):
        parts = draw(st.one_of(sections, st.just(set(ALL)))) or {"facts"}
        rules.append(a_forbid(f"forbid-{number}", draw(members), parts, *draw(conditions)))
    suspended = draw(st.sampled_from([{}, {"west": "missing-topic"}, {"south": "refused", "west": "missing-topic"}]))
    return a_policy(*(rules or [a_share("head", RECEIVERS, [])]), suspended=suspended)


a_set = st.one_of(st.none(), st.just([]), st.just(["child"]), st.just(["source-sensitive"]), st.just(["unknown"]))


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """Whole events: each section absent, with one marked item, or with two."""
    filled = {name: [item(name)] * draw(st.integers(0, 2)) for name in SECTIONS if name != "classification"}
    if draw(st.booleans()):
        filled["classification"] = [item("classification") | {"flags": draw(a_set), "qualifiers": draw(a_set)}]
    else:
        filled["classification"] = []
    places = draw(st.sampled_from([[], [item("locations")], [item("locations") | {"kind": "", "district": None}]]))
    codes_of = {name: draw(st.sampled_from(codes(name))) for name in ("grade", "status", "mode", "marking")}
    kind = draw(st.sampled_from([code for code in codes("kind") if code != "retract"]))
    addressees = draw(st.sets(st.sampled_from([*RECEIVERS, "nobody"])).map(sorted))
    return event_dict(
        **filled | {"locations": places},
        **{name: enum_symbol(code) for name, code in codes_of.items()},
        kind=enum_symbol(kind),
        handling=draw(a_set),
        control=control(caveats=draw(a_set), addressees=addressees),
    )


def routed(event: dict[str, Any], policy: Policy, codec: EventCodec = CODEC) -> Effects:
    effects = route(a_record(CODEC.encode(event)), policy, NOW, codec)
    assert effects.fate == "routed"
    return effects


@settings(max_examples=80, deadline=None)
@given(event=events(), policy=policies())
def test_a_delivery_holds_the_sections_granted_and_nothing_else(event, policy):
    """Checked on the decoded delivery and, since a decoder may not look everywhere, by marks in the raw bytes."""
    whole = stock(CODEC.encode(event))
    for output in on(routed(event, policy), "partner"):
        delivery = stock(output.value)
        covers = delivery["disclosure"]["covers"]
        assert "control" not in covers
        for section in ("control", *SECTIONS):
            kept = section in covers
            assert delivery["event"][section] == (whole[section] if kept else [])
            assert kept or mark(section).encode() not in output.value
        head = {name: value for name, value in whole.items() if name not in ("control", *SECTIONS)}
        assert head.items() <= delivery["event"].items()


@settings(max_examples=80, deadline=None)
@given(event=events(), policy=policies())
def test_the_record_and_the_deliveries_agree_to_the_letter(event, policy):
    effects = routed(event, policy)
    record, made = one(effects, "disclosures", "north"), deliveries(effects)
    decided = {r["member"]: (group, r) for group in record["decisions"] for r in group["recipients"]}
    assert sorted(decided) == list(recipients(policy.bundle, "north"))
    for member, (group, recipient) in decided.items():
        granted = group["head"] == "GRANTED"
        assert recipient["undeliverable"] == (policy.suspended.get(member) if granted else None)
        assert (recipient["delivery_id"] is not None) == (granted and member not in policy.suspended)
        assert (member in made) == (recipient["delivery_id"] is not None)
        if member not in made:
            continue
        disclosure = made[member]["disclosure"]
        assert disclosure["delivery_id"] == recipient["delivery_id"]
        assert disclosure["covers"] == [s["section"] for s in group["sections"] if s["state"] == "GRANTED"]
        for name in ("grounds", "retain_days", "onward", "under_review"):
            assert disclosure[name] == group[name]
    ids = [delivery["disclosure"]["delivery_id"] for delivery in made.values()]
    assert len(set(ids)) == len(ids)


@settings(max_examples=80, deadline=None)
@given(event=events(), policy=policies())
def test_every_record_is_to_the_byte_what_fastavro_writes_of_it(event, policy):
    for output in on(routed(event, policy), "disclosures"):
        entry = catalogue().find(int.from_bytes(output.value[1:5], "big"))
        assert output.value[5:] == Form(entry.schema).encode(stock(output.value))


@settings(max_examples=80, deadline=None)
@given(event=events(), policy=policies())
def test_every_delivery_is_to_the_byte_what_fastavro_writes_of_its_terms_and_the_cut_event(event, policy):
    for output in on(routed(event, policy), "partner"):
        delivery = stock(output.value)
        terms = delivery["disclosure"]
        numbers = terms["number"], terms["stream_sequence"]
        assert numbers == (1, 1)
        address = encode_address(terms["delivery_id"], terms["to"], terms["stream"], *numbers)
        body = CODEC.encode(delivery["event"])[5:]
        assert output.value[5:] == address + encode_terms(terms) + body
        assert terms["delivery_id"] == stable_id(
            "delivery",
            "north",
            delivery["event"]["incident_id"],
            delivery["event"]["event_id"],
            terms["to"],
            "share",
            "event",
        )


@settings(max_examples=80, deadline=None)
@given(event=events(), policy=policies())
def test_deciding_again_from_what_was_recorded_gives_the_same_decisions(event, policy):
    record = one(routed(event, policy), "disclosures")
    assert record["policy"] == {"version": policy.bundle.version, "hash": policy.bundle.hash}
    considered = considered_from_dict(record["considered"] | {name: record[name] for name in ("origin", "sequence")})
    for group in record["decisions"]:
        for recipient in group["recipients"]:
            again = decide(policy.bundle, considered, recipient["member"], record["decided_at"])
            assert group["outcome"] == enum_symbol(again.outcome)
            assert group["head"] == enum_symbol(again.head)
            assert {s["section"]: s["state"] for s in group["sections"]} == {
                section: enum_symbol(state) for section, state in again.sections.items()
            }
            assert [(g["section"], g["agreement"], g["rule"]) for g in group["grounds"]] == [
                (g.section, g.agreement, g.rule) for g in again.grounds
            ]
            assert [(r["rule"], r["turned_on_unknown"]) for r in group["rules"]] == [
                (r.rule, r.turned_on_unknown) for r in again.rules
            ]


@given(event=events(), policy=policies())
def test_no_record_of_a_decision_or_feedback_holds_what_a_person_typed(event, policy):
    for output in routed(event, policy).outputs:
        if not output.topic.startswith("partner."):
            assert not [part for part in ("control", *SECTIONS) if mark(part).encode() in output.value]


@given(event=events(), policy=policies())
def test_outcomes_counted_are_those_recorded(event, policy):
    effects = routed(event, policy)
    record = one(effects, "disclosures")
    recorded = {
        r["member"]: "undeliverable" if r["undeliverable"] else group["outcome"].lower().replace("_", "-")
        for group in record["decisions"]
        for r in group["recipients"]
    }
    assert dict(effects.outcomes) == recorded


def test_members_with_equal_decisions_stand_together_in_one_group():
    policy = a_policy(EVERYTHING)
    (group,) = one(route(event_record(), policy, NOW), "disclosures")["decisions"]
    assert [recipient["member"] for recipient in group["recipients"]] == ["south", "west"]
    apart = a_policy(EVERYTHING, a_forbid("not-west", ["west"], ["suspects"]))
    groups = one(route(event_record(), apart, NOW), "disclosures")["decisions"]
    assert [[r["member"] for r in group["recipients"]] for group in groups] == [["south"], ["west"]]


def test_an_event_that_nobody_gets_is_recorded_all_the_same():
    effects = route(event_record(), a_policy(a_forbid("never", RECEIVERS, ALL)), NOW)
    assert {output.topic for output in effects.outputs} == {"disclosures.north"}
    assert [g["outcome"] for g in one(effects, "disclosures")["decisions"]] == ["FORBIDDEN"]


def test_the_same_event_routed_again_later_has_the_same_ids():
    def ids(effects: Effects) -> list[str]:
        made = [delivery["disclosure"]["delivery_id"] for delivery in deliveries(effects).values()]
        return [*made, one(effects, "disclosures")["record_id"]]

    first = route(event_record(), a_policy(EVERYTHING), NOW)
    record = event_record()
    moved = type(record)(record.topic, record.partition, 9_999, record.key, record.value)
    later = route(moved, a_policy(EVERYTHING, exchange=an_exchange()), NOW + timedelta(hours=5))
    assert ids(first) == ids(later)
    assert set(ids(first)).isdisjoint(ids(route(event_record(event="e-2"), a_policy(EVERYTHING), NOW)))


def test_deliveries_say_to_whom_and_keep_the_incident_key_and_their_stream():
    record = event_record(control=control(addressees=["west"]))
    effects = route(record, a_policy(EVERYTHING), NOW)
    for output in on(effects, "partner"):
        disclosure = stock(output.value)["disclosure"]
        member = output.topic.removeprefix("partner.")
        assert (disclosure["to"], disclosure["stream"]) == (member, f"{member}/{record.partition}")
        assert output.key == record.key
        assert disclosure["action"] == "SHARE"
        assert disclosure["addressed_to_you"] == (member == "west")
        assert disclosure["policy_version"] == 7


def test_retention_counts_from_closing_and_is_open_while_the_incident_is():
    for changes, until in (
        ({}, None),
        ({"kind": "CLOSED", "status": "RESOLVED"}, NOW + timedelta(days=TERMS.retain_days)),
        ({"kind": "UPDATED", "status": "CLOSED"}, NOW + timedelta(days=TERMS.retain_days)),
        ({"kind": "REOPENED", "status": "OPEN"}, None),
    ):
        for delivery in deliveries(route(event_record(**changes), a_policy(EVERYTHING), NOW)).values():
            assert delivery["disclosure"]["retain_until"] == until
            assert delivery["disclosure"]["retain_days"] == TERMS.retain_days


def test_a_correction_names_only_the_fields_that_its_reader_can_see():
    paths = ["grade", "suspects[0].names", "locations[a].address", "control.caveats", "links", "nothing-we-know"]
    changes = [{"path": path, "reason": "wrong-place", "wrong_from_start": True} for path in paths]
    record = event_record(kind="CORRECTED", control=control(changes=changes))
    policy = a_policy(a_share("place", ["south"], ["locations"]), a_share("head", ["west"], []))
    seen = {
        member: [change["path"] for change in delivery["disclosure"]["changes"]]
        for member, delivery in deliveries(route(record, policy, NOW)).items()
    }
    assert seen == {"south": ["grade", "locations[a].address"], "west": ["grade"]}


def test_a_member_that_cannot_be_reached_is_recorded_and_its_origin_told():
    policy = a_policy(EVERYTHING, suspended={"west": "missing-topic"})
    effects = route(event_record(), policy, NOW)
    assert deliveries(effects).keys() == {"south"}
    told = one(effects, "feedback", "north")
    assert (told["kind"], told["member"], told["reason"]) == ("UNDELIVERABLE", "west", "missing-topic")
    assert [(e["incident_id"], e["event_id"]) for e in told["entries"]] == [("i-1", "e-1")]
    assert "telephone" in told["remedy"]
    again = one(route(event_record(), policy, NOW), "feedback", "north")
    assert again["feedback_id"] == told["feedback_id"]


def test_a_member_that_would_get_nothing_is_not_undeliverable():
    effects = route(event_record(), a_policy(a_share("s", ["south"], []), suspended={"west": "refused"}), NOW)
    assert not on(effects, "feedback")


def second_version() -> EventCodec:
    """A catalogue with a made-up next version of the event: one section more, and a default for readers without it."""
    known = catalogue()
    event = known.current("IncidentEvent")
    beasts = {
        "type": "array",
        "items": {"type": "record", "name": "Beast", "fields": [{"name": "name", "type": "string"}]},
    }
    schema = {**event.schema, "fields": [*event.schema["fields"], {"name": "beasts", "type": beasts, "section": True}]}
    pair = known.current("Delivery")
    plain = {
        **pair.schema,
        "fields": [pair.schema["fields"][0], {**pair.schema["fields"][1], "type": "huecry.event.IncidentEvent"}],
    }
    return EventCodec(
        Catalogue(
            [
                *known.entries,
                Entry(1212500902, "IncidentEvent", 2, schema),
                Entry(1212501902, "Delivery", pair.version, compose_delivery(plain, schema), event_version=2),
            ]
        )
    )


def test_an_event_of_a_newer_version_travels_in_that_version_and_its_new_section_is_always_cut():
    codec = second_version()
    value = codec.encode({**event_dict(), "beasts": [{"name": "secret lion"}]}, version=2)
    effects = route(a_record(value), a_policy(EVERYTHING), NOW, codec)
    assert effects.fate == "routed"
    for output in on(effects, "partner"):
        assert int.from_bytes(output.value[1:5], "big") == 1212501902
        assert b"secret lion" not in output.value
        event = stock(output.value, codec.catalogue)["event"]
        assert event["beasts"] == []
        assert event["suspects"] == stock(value, codec.catalogue)["suspects"]


def test_an_event_of_an_older_version_is_still_delivered_in_its_own_version():
    codec = second_version()
    assert [e.version for e in codec.catalogue.versions("IncidentEvent")] == [1, 2]
    value = codec.encode(event_dict(), version=1)
    for output in on(route(a_record(value), a_policy(EVERYTHING), NOW, codec), "partner"):
        entry = codec.catalogue.find(int.from_bytes(output.value[1:5], "big"))
        assert entry is not None
        assert entry.event_version == 1
        assert event_schema_of(entry) == codec.catalogue.versions("IncidentEvent")[0].schema


def test_what_is_delivered_is_a_valid_event_model():
    for delivery in deliveries(route(event_record(), a_policy(EVERYTHING), NOW)).values():
        assert IncidentEvent.from_avro(delivery["event"]).incident_id == "i-1"
