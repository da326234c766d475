"""Claims about the synthetic control room."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

from producers.sources.stories import STORIES
from producers.sources.synthetic import OPEN_AT_ONCE, synthetic_events
from schemas.codec import EventCodec
from schemas.codes import is_code
from schemas.event import IncidentEvent
from schemas.exchange import Limits
from schemas.sections import SECTIONS

EVENTS = list(synthetic_events("west-yorkshire", seed=11, incidents=300))


def by_incident() -> dict[str, list[IncidentEvent]]:
    incidents = defaultdict(list)
    for event in EVENTS:
        incidents[event.incident_id].append(event)
    return incidents


def test_the_same_seed_tells_the_same_events_and_another_seed_tells_others():
    again = list(synthetic_events("west-yorkshire", seed=11, incidents=300))
    other = list(synthetic_events("west-yorkshire", seed=12, incidents=300))
    assert again == EVENTS
    assert not {e.event_id for e in other} & {e.event_id for e in EVENTS}


def test_another_start_and_rate_change_times_only():
    later = synthetic_events("west-yorkshire", 11, 300, starts_at=datetime(2026, 5, 1, tzinfo=UTC), rate=1000)
    for event, moved in zip(EVENTS, later, strict=True):
        assert (moved.event_id, moved.kind, moved.victims) == (event.event_id, event.kind, event.victims)
        assert [line.text for line in moved.facts] == [line.text for line in event.facts]


def test_events_are_recorded_at_the_rate():
    start = datetime(2026, 5, 1, tzinfo=UTC)
    told = list(islice(synthetic_events("kent", 1, starts_at=start, rate=4), 9))
    assert [e.recorded_at for e in told] == [start + timedelta(seconds=n / 4) for n in range(9)]


def test_every_incident_is_created_then_updated_then_closed_in_sequence():
    assert len(by_incident()) == 300
    for events in by_incident().values():
        kinds = [event.kind for event in events]
        assert kinds == ["created", *["updated"] * (len(kinds) - 2), "closed"]
        assert [event.control[0].sequence for event in events] == list(range(1, len(events) + 1))


def test_every_event_is_a_whole_snapshot_whose_lines_keep_their_ids_and_words():
    for events in by_incident().values():
        for before, after in pairwise(events):
            for section in ("facts", "assessments", "narrative"):
                lines = getattr(before, section)
                assert getattr(after, section)[: len(lines)] == lines
            for section in SECTIONS:
                assert len(getattr(after, section)) >= len(getattr(before, section))


def test_incidents_overlap_as_they_do_in_a_control_room():
    open_now: set[str] = set()
    most = 0
    for event in EVENTS:
        open_now.add(event.incident_id)
        most = max(most, len(open_now))
        if event.kind == "closed":
            open_now.discard(event.incident_id)
    assert 5 < most <= OPEN_AT_ONCE


def test_every_section_but_none_is_used_and_sets_are_stated_empty_and_unstated():
    filled = {section for event in EVENTS for section in SECTIONS if getattr(event, section)}
    assert filled == set(SECTIONS)
    for states in (
        {event.classification[0].flags for event in EVENTS},
        {event.control[0].caveats for event in EVENTS},
    ):
        assert None in states
        assert () in states
        assert any(states - {None, ()})


def test_grades_change_within_incidents():
    assert any(len({event.grade for event in events}) > 1 for events in by_incident().values())


def test_codes_are_of_our_lists():
    for event in EVENTS:
        classified = event.classification[0]
        assert is_code("category", classified.category or "unknown")
        assert classified.category is not None
        assert event.category == classified.category.split("/")[0]
        for name, codes in (
            ("qualifiers", classified.qualifiers),
            ("flags", classified.flags),
            ("caveats", event.control[0].caveats),
            ("handling", event.handling),
        ):
            assert all(is_code(name, code) for code in codes or ())
        for section in ("suspects", "convicted", "victims", "witnesses", "callers", "subjects", "associates"):
            assert all(is_code(f"{section}-role", person.role) for person in getattr(event, section))
        assert all(is_code("hazard", hazard.kind) for hazard in event.hazards)
        assert all(is_code("location-kind", place.kind) for place in event.locations)


def test_a_call_back_number_stands_with_callers_and_reaches_nobody():
    for event in EVENTS:
        phones = [phone for caller in event.callers for phone in caller.phones]
        assert all(phone.startswith("+447700900") for phone in phones)


def test_a_person_in_two_sections_is_one_person():
    for event in EVENTS:
        named = defaultdict(set)
        for section in ("callers", "victims", "suspects", "subjects", "witnesses"):
            for person in getattr(event, section):
                named[person.person_ref].add((person.names, person.age_band, person.sex))
        assert all(len(faces) == 1 for faces in named.values())


def test_incidents_happen_in_known_districts_some_across_the_border():
    districts = [event.locations[0].district for event in EVENTS]
    assert {"Leeds", "Bradford"} <= set(districts)
    assert {"Rochdale", "Harrogate", "Barnsley", "Pendle"} & set(districts)
    assert all(event.locations[0].point for event in EVENTS)


def test_every_story_is_told():
    assert len({event.classification[0].opening_category for event in EVENTS}) == len(STORIES)


def test_every_event_encodes_and_opens_within_the_limit():
    codec, most = EventCodec(), Limits().max_event_bytes
    for event in EVENTS[:200]:
        _, opened = codec.open(codec.encode(event.to_avro()), most)
        assert opened.head["incident_id"] == event.incident_id
        assert {name for name in SECTIONS if getattr(event, name)} <= opened.non_empty
