"""The topics of an exchange follow from its members and the catalogue."""

from __future__ import annotations

from schemas.catalogue import catalogue
from schemas.exchange import Exchange
from schemas.topics import (
    cases_topic,
    disclosures_topic,
    families,
    family_of,
    feedback_topic,
    inbox_topic,
    incidents_topic,
    input_topics,
    member_of,
    partner_topic,
    policy_topic,
    quarantine_topic,
    receipts_topic,
    rulings_topic,
    state_topic,
    topic_specs,
)

EXCHANGE = Exchange.model_validate(
    {
        "exchange": "north",
        "partitions": 3,
        "members": {
            "force": {"name": "A force", "publishes": True, "receives": True},
            "ambulance": {"name": "An ambulance trust", "receives": True},
            "reporter": {"name": "Only publishes", "publishes": True},
        },
    }
)


def test_each_member_has_the_topics_of_what_it_does() -> None:
    names = [spec.name for spec in topic_specs(EXCHANGE)]
    assert names == [
        "incidents.force",
        "incidents.reporter",
        "receipts.ambulance",
        "receipts.force",
        "rulings.force",
        "rulings.reporter",
        "partner.ambulance",
        "partner.force",
        "feedback.force",
        "feedback.reporter",
        "quarantine.ambulance",
        "quarantine.force",
        "quarantine.reporter",
        "disclosures.force",
        "disclosures.reporter",
        "cases.force",
        "cases.reporter",
        "policy",
        "routing.state.north",
        "routing.inbox.north",
    ]


def test_name_functions_agree_with_the_catalogue() -> None:
    named = {
        incidents_topic("force"),
        receipts_topic("force"),
        partner_topic("force"),
        feedback_topic("force"),
        quarantine_topic("force"),
        disclosures_topic("force"),
        cases_topic("force"),
        rulings_topic("force"),
        policy_topic(),
        state_topic("north"),
        inbox_topic("north"),
    }
    assert {spec.name for spec in topic_specs(EXCHANGE) if spec.member in {"force", None}} == named


def test_the_member_and_the_family_are_read_from_the_name() -> None:
    for spec in topic_specs(EXCHANGE):
        assert (family_of(spec.name), member_of(spec.name)) == (spec.family, spec.member)
    assert member_of("__consumer_offsets") is None
    assert member_of("somebody.else") is None
    assert family_of("somebody.else") is None


def test_inputs_and_what_routers_remember_share_one_partition_count_and_all_else_has_one_partition() -> None:
    inputs = set(input_topics(EXCHANGE))
    assert inputs == {
        *("incidents.force", "incidents.reporter", "receipts.ambulance", "receipts.force"),
        *("rulings.force", "rulings.reporter", "routing.inbox.north"),
    }
    for spec in topic_specs(EXCHANGE):
        assert spec.partitions == (3 if spec.name in inputs or spec.family == "routing.state" else 1), spec.name


def test_every_record_named_is_a_released_one_and_every_released_one_has_a_topic() -> None:
    released = {entry.record for entry in catalogue().entries}
    assert {family.record for family in families().values()} - {None} == released


def test_an_output_takes_64_kib_more_than_an_input() -> None:
    sizes = {spec.family: int(spec.config["max.message.bytes"]) for spec in topic_specs(EXCHANGE)}
    assert sizes["incidents"] > EXCHANGE.limits.max_event_bytes
    assert sizes["partner"] == sizes["disclosures"] == sizes["quarantine"] == sizes["incidents"] + 64 * 1024


def test_copies_decide_how_many_must_have_a_record() -> None:
    for replication, needed in ((1, "1"), (2, "1"), (3, "2"), (5, "2")):
        exchange = EXCHANGE.model_copy(update={"replication": replication})
        assert {spec.config["min.insync.replicas"] for spec in topic_specs(exchange)} == {needed}


def test_times_kept_are_those_of_the_catalogue() -> None:
    kept = {spec.family: spec.config["retention.ms"] for spec in topic_specs(EXCHANGE)}
    assert kept["incidents"] == kept["partner"] == kept["receipts"] == str(7 * 86_400_000)
    assert kept["feedback"] == kept["quarantine"] == str(30 * 86_400_000)
    assert kept["disclosures"] == kept["policy"] == kept["routing.state"] == "-1"


def test_only_what_routers_remember_is_compacted() -> None:
    compacted = {spec.name for spec in topic_specs(EXCHANGE) if spec.config["cleanup.policy"] == "compact"}
    assert compacted == {state_topic("north")}
