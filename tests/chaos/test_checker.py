"""The checker that the chaos test relies on sees every kind of bug, and nothing where there is none.

Each test runs the whole path in one process, plants one bug, and asks the checker that the chaos test uses.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consumers.delivery import Batch, Delivery
from consumers.sinks import Written
from consumers.sinks.sql import SqlSink
from schemas.codec import decode, encode, encode_address, encode_terms
from schemas.event import IncidentEvent
from schemas.sections import CONTROL, SECTIONS
from schemas.topics import disclosures_topic, feedback_topic, incidents_topic, partner_topic
from tests.chaos.checker import World, shown, violations
from tests.chaos.exchange import Parties
from tests.chaos.expectation import sequence_of
from tests.chaos.pipeline import CODEC, MOST_BYTES, Bug, Message, Pipeline, Stage, Topics
from tests.chaos.topics import Published

SEED = 1285
INCIDENTS = 12
NORTH, POLICE, AMBULANCE, AGENCY = "north", "police", "ambulance", "agency"

Check = Callable[..., list[str]]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Run everything with a bug planted, and return what the checker says."""

    def run(stage: Stage = "routed", bug: Bug | None = None, sink: type[SqlSink] = SqlSink) -> list[str]:
        return violations(pipeline(tmp_path, stage, bug, sink))

    return run


def pipeline(folder: Path, stage: Stage = "routed", bug: Bug | None = None, sink: type[SqlSink] = SqlSink) -> World:
    bugs: dict[Stage, Bug] = {stage: bug} if bug else {}
    return Pipeline(Parties(folder, "planted"), SEED, INCIDENTS, bugs, sink).run()


def says(found: list[str], *words: str) -> bool:
    """Whether one violation has all these words; else tell what there is."""
    assert any(all(word in fault for word in words) for fault in found), shown(found)
    return True


class Opened:
    """A delivery on a partner topic, taken apart so that it can be spoilt and put together again."""

    def __init__(self, message: Message) -> None:
        self.message = message
        decoded = decode("Delivery", message.value, MOST_BYTES)
        self.terms: dict[str, Any] = decoded["disclosure"]
        self.event: dict[str, Any] = decoded["event"]

    @property
    def incident(self) -> tuple[str, str]:
        return self.event["origin"], self.event["incident_id"]

    def closed(self) -> Message:
        frame = CODEC.delivery_frame(CODEC.catalogue.current("IncidentEvent"))
        names = ("delivery_id", "to", "stream", "number", "stream_sequence")
        address = encode_address(*(self.terms[name] for name in names))
        event = CODEC.encode(self.event)[5:]
        return replace(self.message, value=frame + address + encode_terms(self.terms) + event)


def opened(topics: Topics, member: str) -> Iterator[tuple[int, Opened]]:
    """The deliveries on a member's topic, with their places."""
    yield from ((place, Opened(message)) for place, message in enumerate(topics.of(partner_topic(member))))


def told(topics: Topics, origin: str) -> Iterator[tuple[int, IncidentEvent]]:
    """The events on an origin's topic, with their places."""
    for place, message in enumerate(topics.of(incidents_topic(origin))):
        yield place, Published.of(0, place, message.key, message.value).event


def two_of_one_incident(topics: Topics, member: str) -> tuple[int, int]:
    """The places of a delivery and of the next of the same incident, which says something else of the place."""
    last: dict[tuple[str, str], int] = {}
    for place, delivery in opened(topics, member):
        if delivery.incident in last:
            return last[delivery.incident], place
        last[delivery.incident] = place
    raise AssertionError("no incident with two deliveries")


def test_a_run_without_bugs_has_no_violations(check: Check) -> None:
    assert check() == []


def test_a_run_holds_what_bugs_could_spoil(tmp_path: Path) -> None:
    """Every recipient is covered a section and then not, and not everything is shared."""
    world = pipeline(tmp_path)
    uncovered = set()
    for member, path in world.receiving.items():
        with closing(sqlite3.connect(path)) as database:
            rows = database.execute("SELECT incident_id, covers FROM delivery ORDER BY record_offset").fetchall()
        covered: dict[str, set[str]] = {}
        for incident, covers in rows:
            now = set(json.loads(covers))
            if covered.setdefault(incident, set()) - now:
                uncovered.add(member)
            covered[incident] |= now
    assert uncovered == {POLICE, AMBULANCE, AGENCY}
    outcomes = set()
    for path in world.ledgers.values():
        with closing(sqlite3.connect(path)) as database:
            outcomes |= {row[0] for row in database.execute("SELECT DISTINCT outcome FROM decision")}
    assert outcomes >= {"shared-in-part", "withheld", "forbidden"}


def test_a_dropped_delivery_is_seen(check: Check) -> None:
    def drop(topics: Topics) -> None:
        del topics.of(partner_topic(POLICE))[7]

    found = check("routed", drop)
    assert says(found, "police: event", "was not delivered")
    assert says(found, "ledger", "is recorded, and police does not have it")


def test_a_delivery_dropped_by_the_consumer_is_seen(check: Check) -> None:
    class Dropping(SqlSink):
        """Drops the last delivery of every batch."""

        def write(self, batch: Batch[Delivery]) -> Written[Delivery]:
            return super().write(replace(batch, taken=batch.taken[:-1]))

    assert says(check(sink=Dropping), "was not delivered")


def test_a_delivery_made_twice_under_two_ids_is_seen(check: Check) -> None:
    def duplicate(topics: Topics) -> None:
        again = Opened(topics.of(partner_topic(POLICE))[7])
        again.terms["delivery_id"] = "0" * 32
        topics.of(partner_topic(POLICE)).insert(8, again.closed())

    found = check("routed", duplicate)
    assert says(found, "police: delivery", "was delivered before")
    assert says(found, "police has delivery 0000", "which is not recorded")


def test_a_delivery_repeated_under_one_id_is_written_once_and_seen_on_the_topic(check: Check) -> None:
    def repeat(topics: Topics) -> None:
        messages = topics.of(partner_topic(POLICE))
        messages.append(messages[7])

    found = check("routed", repeat)
    assert says(found, "police: on its topic", "stands there twice")
    assert says(found, "police: the deliveries of stream", "are not numbered")
    assert all("on its topic" in fault or "numbered" in fault or "it was sent" in fault for fault in found)


@pytest.mark.parametrize("what", ["number", "stream_sequence"])
def test_a_gap_in_what_deliveries_are_numbered_by_is_seen(check: Check, what: str) -> None:
    def skip(topics: Topics) -> None:
        messages = topics.of(partner_topic(POLICE))
        last = {delivery.incident: place for place, delivery in opened(topics, POLICE)}
        place = last[Opened(messages[-1]).incident]
        delivery = Opened(messages[place])
        delivery.terms[what] += 1
        messages[place] = delivery.closed()

    found = check("routed", skip)
    assert says(found, "police: the deliveries of", "are not numbered from 1 without a gap")


def test_a_holder_that_is_not_told_that_there_is_no_news_is_seen(check: Check) -> None:
    def forget(topics: Topics) -> None:
        place, _ = next((place, one) for place, one in opened(topics, AGENCY) if one.terms["action"] == "RESTRICTED")
        del topics.of(partner_topic(AGENCY))[place]

    found = check("routed", forget)
    assert says(found, "agency: of incident", "expected, in order", "restricted")
    assert says(found, "agency: incident", "restricted")


def test_an_origin_that_does_not_hear_which_holders_learn_nothing_is_seen(check: Check) -> None:
    def forget(topics: Topics) -> None:
        for origin in Parties(Path(), "").origins:
            told = topics.of(feedback_topic(origin))
            told[:] = [each for each in told if b"the member holds this incident" not in each.value]

    assert says(check("receipted", forget), "was not told that", "learns nothing of event")


def test_a_record_that_does_not_say_what_came_before_is_seen(check: Check) -> None:
    def forget(topics: Topics) -> None:
        messages = topics.of(disclosures_topic(NORTH))
        for place, message in enumerate(messages):
            record = decode("DisclosureRecord", message.value, MOST_BYTES)
            messages[place] = replace(message, value=encode("DisclosureRecord", record | {"state": None}))

    assert says(check("routed", forget), "ledger of north: record", "something else came before it")


def test_two_deliveries_that_change_places_are_seen(check: Check) -> None:
    def swap(topics: Topics) -> None:
        messages = topics.of(partner_topic(POLICE))
        earlier, later = two_of_one_incident(topics, POLICE)
        messages[earlier], messages[later] = messages[later], messages[earlier]

    assert says(check("routed", swap), "police: event", "came after sequence")


def test_a_section_covered_that_is_not_granted_is_seen(check: Check) -> None:
    def leak(topics: Topics) -> None:
        delivery = Opened(topics.of(partner_topic(AMBULANCE))[3])
        whole = next(
            event
            for origin in Parties(Path(), "").origins
            for _, event in told(topics, origin)
            if event.event_id == delivery.event["event_id"]
        )
        delivery.event["classification"] = whole.to_avro()["classification"]
        delivery.terms["covers"] = ["classification", *delivery.terms["covers"]]
        topics.of(partner_topic(AMBULANCE))[3] = delivery.closed()

    found = check("routed", leak)
    assert says(found, "ambulance: delivery", "covers classification, not granted")
    assert says(found, "ambulance: section classification", "was never granted")


@pytest.mark.parametrize("section", [CONTROL, "narrative"])
def test_a_section_that_travels_without_being_covered_is_seen(check: Check, section: str) -> None:
    """A consumer of ours would not keep it, but whoever reads the topic has it."""

    def leak(topics: Topics) -> None:
        delivery = Opened(topics.of(partner_topic(AMBULANCE))[3])
        origin = delivery.event["origin"]
        _, some = next((place, event) for place, event in told(topics, origin) if event.narrative)
        delivery.event[section] = some.to_avro()[section]
        topics.of(partner_topic(AMBULANCE))[3] = delivery.closed()

    assert says(check("routed", leak), "ambulance: on its topic", f"tells {section}, not granted")


def test_a_section_blanked_that_is_granted_is_seen(check: Check) -> None:
    def blank(topics: Topics) -> None:
        place, delivery = next(
            (place, delivery)
            for place, delivery in opened(topics, AMBULANCE)
            if delivery.event["kind"] == "CLOSED" and delivery.event["locations"]
        )
        delivery.event["locations"] = []
        topics.of(partner_topic(AMBULANCE))[place] = delivery.closed()

    assert says(check("routed", blank), "ambulance: section locations", "content differs")


def test_a_sink_that_erases_what_is_not_covered_is_seen(check: Check) -> None:
    class Erasing(SqlSink):
        """Takes a snapshot for the whole truth."""

        def __init__(self, path: Path, member: str) -> None:
            super().__init__(path, member)
            self._path = path

        def write(self, batch: Batch[Delivery]) -> Written[Delivery]:
            written = super().write(batch)
            with closing(sqlite3.connect(self._path)) as database, database:
                for delivery in written.written:
                    for section in set(SECTIONS) - set(delivery.terms["covers"]):
                        database.execute(
                            "DELETE FROM section WHERE origin = ? AND incident_id = ? AND section = ?",
                            (*delivery.key, section),
                        )
            return written

    found = check(sink=Erasing)
    assert all(any(fault.startswith(f"{member}: section") for fault in found) for member in (POLICE, AGENCY))
    assert says(found, "was granted, and is not held")


def test_rows_that_a_sink_leaves_behind_are_seen(check: Check) -> None:
    class Leaving(SqlSink):
        """Forgets to remove the units of a section that shrank: here, one that never was."""

        def __init__(self, path: Path, member: str) -> None:
            super().__init__(path, member)
            self._path = path

        def write(self, batch: Batch[Delivery]) -> Written[Delivery]:
            written = super().write(batch)
            with closing(sqlite3.connect(self._path)) as database, database:
                database.execute("UPDATE OR IGNORE vehicle SET ordinal = 9, incident_id = 'another'")
            return written

    assert says(check(sink=Leaving), "police: table vehicle", "rows, expected")


def test_a_delivery_on_another_members_topic_is_seen(check: Check) -> None:
    def misplace(topics: Topics) -> None:
        topics.of(partner_topic(AGENCY)).append(topics.of(partner_topic(POLICE))[0])

    found = check("routed", misplace)
    assert says(found, "agency: on its topic", "is for police")
    assert says(found, "agency: 1 rows in set_aside")


def test_a_delivery_to_a_member_that_is_granted_nothing_is_seen(check: Check) -> None:
    def readdress(topics: Topics) -> None:
        granted = {delivery.event["event_id"] for _, delivery in opened(topics, AMBULANCE)}
        delivery = next(one for _, one in opened(topics, POLICE) if one.event["event_id"] not in granted)
        delivery.terms["to"] = AMBULANCE
        topics.of(partner_topic(AMBULANCE)).append(delivery.closed())

    found = check("routed", readdress)
    assert says(found, "ambulance: delivery", "is withheld, and was delivered")
    assert says(found, "ambulance: on its topic", "is not granted")


def test_the_content_of_an_earlier_event_is_seen(check: Check) -> None:
    def stale(topics: Topics) -> None:
        earlier, later = two_of_one_incident(topics, POLICE)
        messages = topics.of(partner_topic(POLICE))
        old, new = Opened(messages[earlier]), Opened(messages[later])
        new.event["classification"] = [{**old.event["classification"][0], "local_text": "of an earlier event"}]
        del messages[later:]
        messages.append(new.closed())

    assert says(check("routed", stale), "police: section classification", "content differs from that of event")


def test_a_disclosure_without_its_record_is_seen(check: Check) -> None:
    def forget(topics: Topics) -> None:
        del topics.of(disclosures_topic(NORTH))[4]

    found = check("routed", forget)
    assert says(found, "ledger of north: event", "has no record")
    assert says(found, "which is not recorded")


def test_a_record_without_a_disclosure_is_seen(check: Check) -> None:
    def invent(topics: Topics) -> None:
        record = decode("DisclosureRecord", topics.of(disclosures_topic(NORTH))[4].value, MOST_BYTES)
        record |= {"record_id": "0" * 32, "event_id": "1" * 32}
        topics.of(disclosures_topic(NORTH)).append(Message(b"", encode("DisclosureRecord", record)))

    assert says(check("routed", invent), "ledger of north: record 0000", "no such event was published")


def test_a_record_that_says_something_else_than_was_decided_is_seen(check: Check) -> None:
    def lie(topics: Topics) -> None:
        messages = topics.of(disclosures_topic(NORTH))
        record = decode("DisclosureRecord", messages[4].value, MOST_BYTES)
        record["decisions"][0]["outcome"] = "REFERRED"
        record["considered"]["grade"] = "no-attendance"
        messages[4] = Message(b"", encode("DisclosureRecord", record))

    found = check("routed", lie)
    assert says(found, "referred with the head granted, expected")
    assert says(found, "considered other grade")


def test_an_event_that_is_never_published_is_seen(check: Check) -> None:
    def lose(topics: Topics) -> None:
        del topics.of(incidents_topic(NORTH))[-1]

    assert says(check("published", lose), "north: sequence", "was told and not published")


def test_an_event_published_under_two_ids_is_seen(check: Check) -> None:
    def double(topics: Topics) -> None:
        messages = topics.of(incidents_topic(NORTH))
        _, event = next(told(topics, NORTH))
        again = event.model_copy(update={"event_id": "0" * 32})
        messages.insert(1, replace(messages[0], value=CODEC.encode(again.to_avro())))

    assert says(check("published", double), "north: event 0000", "was published before as")


def test_an_event_published_with_other_content_is_seen(check: Check) -> None:
    def alter(topics: Topics) -> None:
        messages = topics.of(incidents_topic(NORTH))
        _, event = next(told(topics, NORTH))
        messages[0] = replace(messages[0], value=CODEC.encode(event.model_copy(update={"local_ref": "x"}).to_avro()))

    assert says(check("published", alter), "was published with other local_ref than told")


def test_an_event_that_is_overtaken_on_its_way_to_kafka_is_seen(check: Check) -> None:
    def overtake(topics: Topics) -> None:
        messages = topics.of(incidents_topic(NORTH))
        place, second = next((place, event) for place, event in told(topics, NORTH) if sequence_of(event) == 2)
        earlier = next(at for at, event in told(topics, NORTH) if event.incident_id == second.incident_id)
        messages[earlier], messages[place] = messages[place], messages[earlier]

    assert says(check("published", overtake), "was published after a later one")


def test_a_receipt_that_never_becomes_feedback_is_seen(check: Check) -> None:
    def lose(topics: Topics) -> None:
        del topics.of(feedback_topic(NORTH))[-1]

    assert says(check("receipted", lose), "ledger of north", "not fed back")


def test_no_violation_tells_what_is_in_an_event(check: Check) -> None:
    def spoil(topics: Topics) -> None:
        for member in (POLICE, AMBULANCE, AGENCY):
            messages = topics.of(partner_topic(member))
            for place, delivery in opened(topics, member):
                for person in delivery.event["subjects"] + delivery.event["suspects"]:
                    person["clothing"] = "PERSONAL"
                for line in delivery.event["facts"] + delivery.event["narrative"]:
                    line["text"] = "PERSONAL"
                messages[place] = delivery.closed()

    found = check("routed", spoil)
    assert says(found, "content differs")
    assert not any("PERSONAL" in fault for fault in found)
