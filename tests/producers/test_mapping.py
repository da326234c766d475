"""Claims about mapping: what a record becomes, and that nothing is guessed, invented or given away."""

from __future__ import annotations

import json
import textwrap
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producers.mapping import Draft, FieldMapping
from producers.mapping_load import load_mapping
from producers.sources.source import SourceRecord
from schemas.codec import EventCodec
from schemas.errors import Rejected
from schemas.event import Contact, IncidentEvent

NOW = datetime(2026, 3, 6, 20, 15, tzinfo=UTC)
HEAD = """
mapping: test
system: cad
time_zone: Europe/London
incident_key: URN
event_key: [URN, Version]
"""
BASE = """
fields:
  kind: {constant: updated}
  mode: {constant: actual}
  recorded_at: {now: true}
"""


def mapped(tmp_path: Path, fields: str, rest: str = "", head: str = HEAD) -> FieldMapping:
    path = tmp_path / "test.mapping.yaml"
    path.write_text(head + BASE + textwrap.indent(textwrap.dedent(fields).strip("\n"), "  ") + "\n" + rest)
    return load_mapping(path)


def record(**columns: Any) -> SourceRecord:
    return SourceRecord("p", "line 2", "d-2", {"URN": "U1", "Version": "1", **columns})


def event(mapping: FieldMapping, **columns: Any) -> IncidentEvent:
    return mapping.draft(record(**columns), NOW, origin="kent").event


def reason(mapping: FieldMapping, **columns: Any) -> Rejected:
    with pytest.raises(Rejected) as refused:
        event(mapping, **columns)
    return refused.value


def test_a_record_becomes_an_event_of_the_force_with_its_keys(tmp_path):
    draft = mapped(tmp_path, "local_ref: Log").draft(
        record(Log="0042"), NOW, origin="kent", contact=Contact(desk="FCR")
    )
    assert draft.event_key == '["U1", "1"]'
    assert (draft.event.origin, draft.event.incident_id, draft.event.local_ref) == ("kent", "U1", "0042")
    assert (draft.event.sent_at, draft.event.recorded_at, draft.event.contact.desk) == (NOW, NOW, "FCR")


def test_fields_take_columns_joined_columns_constants_and_parts_of_text(tmp_path):
    mapping = mapped(
        tmp_path,
        r"""
        locations[0].kind: {constant: incident}
        locations[0].address: {columns: [House, Street], join: ", "}
        locations[0].district: {column: LSOA, match: "^(.+) \\S+$"}
        victims[0].names.family: Surname
        victims[0].age_stated: Age
        vehicles[0].speed_kmh: Speed
        locations[0].verified: Checked
        """,
    )
    told = event(mapping, House="7", Street="High St", LSOA="East Riding 003A", Surname=" Bell ", Age="42", Speed="9.5")
    assert told.locations[0].address == "7, High St"
    assert told.locations[0].district == "East Riding"
    assert told.victims[0].names is not None
    assert (told.victims[0].names.family, told.victims[0].age_stated) == ("Bell", 42)
    assert told.vehicles[0].speed_kmh == 9.5
    assert event(mapping, House="", Street="High St", Checked="Y").locations[0].verified is True
    assert event(mapping, Street="High St").locations[0].address == "High St"


def test_what_a_record_does_not_say_is_not_stated(tmp_path):
    mapping = mapped(
        tmp_path,
        """
        classification.qualifiers: {column: Qualifiers, split: ";"}
        handling: Handling
        victims[0].names.family: Surname
        victims[0].phones: Phone
        status: Status
        """,
    )
    told = event(mapping, Qualifiers="", Handling="  ", Surname=None, Phone="")
    assert told.classification == ()
    assert told.handling is None
    assert told.victims == ()
    assert (told.grade, told.status) == ("unknown", "unknown")


def test_a_constant_makes_no_element_of_its_own(tmp_path):
    mapping = mapped(
        tmp_path,
        """
        locations[0].kind: {constant: incident}
        locations[0].quality.accuracy: {constant: confirmed}
        locations[0].road: Road
        victims[0].role: {constant: victim}
        victims[0].identifiers[0].kind: {constant: local}
        victims[0].identifiers[0].value: Nominal
        victims[0].names.family: Surname
        """,
    )
    assert event(mapping).locations == event(mapping).victims == ()
    told = event(mapping, Road="A1", Surname="Bell")
    assert (told.locations[0].kind, told.locations[0].quality.accuracy) == ("incident", "confirmed")
    assert (told.victims[0].role, told.victims[0].identifiers) == ("victim", ())
    assert event(mapping, Nominal="N7").victims[0].identifiers[0].value == "N7"


CODES = """
codes:
  grades: {I: emergency, S: priority, "NO": no-attendance}
  markers: {CH: child, DV: [domestic-abuse, child], NONE: [], "N/K": null}
"""


def test_codes_are_translated_and_capitals_do_not_count(tmp_path):
    mapping = mapped(tmp_path, "grade: {column: Grade, codes: grades}", CODES.replace("  markers", "  #"))
    assert event(mapping, Grade="i").grade == "emergency"
    assert event(mapping, Grade=" NO ").grade == "no-attendance"
    assert event(mapping, Grade="").grade == "unknown"


def test_a_code_that_no_list_has_is_set_aside_with_the_list_and_the_nearest_never_guessed(tmp_path):
    mapping = mapped(
        tmp_path,
        """
        classification.category: {column: Type, codes: types}
        """,
        "codes:\n  types: {Burglary: crime/burglary, Robbery: crime/robbery}",
    )
    refused = reason(mapping, Type="Burglry of SMITH")
    assert refused.reason == "unmapped-code"
    assert "'Type'" in str(refused)
    assert "'types'" in str(refused)
    assert "SMITH" not in str(refused) + refused.remedy
    assert "Burglary" in str(reason(mapping, Type="Burglry"))


def test_a_default_is_what_the_mapping_says_for_other_codes(tmp_path):
    mapping = mapped(
        tmp_path, "grade: {column: Grade, codes: grades, default: unknown}", "codes:\n  grades: {I: emergency}"
    )
    assert event(mapping, Grade="X").grade == "unknown"


def test_our_own_codes_need_no_list_and_others_are_set_aside(tmp_path):
    mapping = mapped(tmp_path, "grade: Grade\nclassification.category: Category")
    assert event(mapping, Grade="priority", Category="crime/theft").category == "crime"
    assert reason(mapping, Grade="prio").reason == "unmapped-code"
    assert "crime/theft" in str(reason(mapping, Category="crime/thef"))


def test_a_set_is_null_or_what_the_source_says_and_unknown_where_some_columns_are_blank(tmp_path):
    one = mapped(
        tmp_path,
        'classification.flags: {column: Markers, split: ",", codes: markers}',
        CODES.replace("  grades", "  #"),
    )

    def flags(**columns: Any) -> Any:
        classified = event(one, **columns).classification
        return classified[0].flags if classified else "absent"

    assert flags(Markers="CH, DV") == ("child", "domestic-abuse")
    assert flags(Markers="NONE") == ()
    assert flags(Markers="N/K") == "absent"
    assert flags(Markers=" , ") == "absent"
    assert flags(Markers=[]) == ()
    several = mapped(
        tmp_path,
        """
        classification.flags:
          - {column: Child, codes: {Y: child, N: []}}
          - {column: Suicidal, codes: {Y: suicidal, N: []}}
        """,
    )
    assert event(several, Child="Y", Suicidal="N").classification[0].flags == ("child",)
    assert event(several, Child="N", Suicidal="N").classification[0].flags == ()
    assert event(several, Child="N").classification[0].flags == ("unknown",)
    assert event(several).classification == ()


@pytest.mark.parametrize(
    ("written", "text", "moment"),
    [
        ('date: "%d/%m/%Y %H:%M"', "06/03/2026 20:15", datetime(2026, 3, 6, 20, 15, tzinfo=UTC)),
        ('date: "%d/%m/%Y %H:%M"', "06/07/2026 20:15", datetime(2026, 7, 6, 19, 15, tzinfo=UTC)),
        ('date: "%d/%m/%Y %H:%M", zone: UTC', "06/07/2026 20:15", datetime(2026, 7, 6, 20, 15, tzinfo=UTC)),
        ("date: iso", "2026-07-06T20:15:00+02:00", datetime(2026, 7, 6, 18, 15, tzinfo=UTC)),
        ("date: iso", "2026-07-06 20:15", datetime(2026, 7, 6, 19, 15, tzinfo=UTC)),
        ('date: "%Y-%m-%dT%H:%M:%S%z"', "2026-07-06T20:15:00-0100", datetime(2026, 7, 6, 21, 15, tzinfo=UTC)),
        # The hour that comes twice is taken as the first.
        ('date: "%d/%m/%Y %H:%M"', "25/10/2026 01:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_their_format_and_zone(tmp_path, written, text, moment):
    mapping = mapped(tmp_path, f"occurred_at: {{column: At, {written}}}")
    assert event(mapping, At=text).occurred_at == moment


@pytest.mark.parametrize("text", ["2026-03-06", "31/02/2026 10:00", "29/03/2026 01:30", "soon"])
def test_a_time_that_cannot_be_is_set_aside(tmp_path, text):
    mapping = mapped(tmp_path, 'occurred_at: {column: At, date: "%d/%m/%Y %H:%M", zone: Europe/London}')
    refused = reason(mapping, At=text)
    assert refused.reason == "bad-time"
    assert text not in str(refused)


def test_dates_of_birth_are_days(tmp_path):
    mapping = mapped(tmp_path, 'victims[0].date_of_birth: {column: DOB, date: "%d/%m/%Y"}')
    assert event(mapping, DOB="01/02/1990").victims[0].date_of_birth == date(1990, 2, 1)


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [("53.6", ""), ("", "-1.5"), ("91", "0.1"), ("53,6", "-1,5"), ("0", "0.0"), ("429157", "434006"), ("NaN", "1")],
)
def test_coordinates_that_are_none_set_the_record_aside(tmp_path, latitude, longitude):
    mapping = mapped(tmp_path, "locations[0].point: {latitude: Lat, longitude: Lon}")
    assert reason(mapping, Lat=latitude, Lon=longitude).reason in {"bad-coordinates", "bad-number"}
    point = event(mapping, Lat="53.6", Lon="-1.5").locations[0].point
    assert point is not None
    assert (point.latitude, point.longitude) == (53.6, -1.5)
    assert event(mapping).locations == ()


def test_a_log_in_one_column_becomes_lines_that_keep_their_ids_as_it_grows(tmp_path):
    mapping = mapped(
        tmp_path,
        r"""
        narrative:
          log: Log
          pattern: "(?P<at>\\S+ \\S+) \\[(?P<author_role>[^]]*)\\] (?P<text>.*)"
          date: "%d/%m/%Y %H:%M:%S"
        """,
    )
    first = "06/03/2026 20:15:00 [call-taker] Smoke seen"
    then = f"{first}\n06/03/2026 20:16:00 [dispatcher] Unit sent\n\nno time on this one"
    before, after = event(mapping, Log=first).narrative, event(mapping, Log=then).narrative
    assert after[: len(before)] == before
    assert [(line.entry_id, line.author_role, line.text) for line in after] == [
        ("narrative-1", "call-taker", "Smoke seen"),
        ("narrative-2", "dispatcher", "Unit sent"),
        ("narrative-3", "", "no time on this one"),
    ]
    assert after[1].at == datetime(2026, 3, 6, 20, 16, tzinfo=UTC)


def test_the_newest_line_may_stand_first(tmp_path):
    mapping = mapped(tmp_path, "facts: {log: Log, newest_first: true, separator: '|'}")
    assert [line.text for line in event(mapping, Log="two|one").facts] == ["one", "two"]


def test_lists_in_a_record_fill_a_section_element_by_element(tmp_path):
    mapping = mapped(
        tmp_path,
        """
        victims:
          each: people.victims
          fields:
            role: {constant: victim}
            names.family: surname
            phones: phones
        narrative:
          each: log
          fields: {entry_id: id, at: {column: time, date: iso}, text: text}
        """,
    )
    told = event(
        mapping,
        people={"victims": [{"surname": "Bell", "phones": ["1", "2"]}, {}, {"surname": "Ode"}]},
        log=[{"id": 7, "time": "2026-03-06T20:15:00Z", "text": "Smoke"}],
    )
    assert [(p.role, p.names.family, p.phones) for p in told.victims if p.names] == [
        ("victim", "Bell", ("1", "2")),
        ("victim", "Ode", ()),
    ]
    assert (told.narrative[0].entry_id, told.narrative[0].at) == ("7", NOW)
    assert reason(mapping, people={"victims": "Bell"}).reason == "bad-list"
    assert reason(mapping, log=[{"id": 1}]).reason == "missing-field"


@pytest.mark.parametrize("blank", [{"URN": ""}, {"Version": None}, {"Version": "  "}])
def test_without_its_keys_a_record_is_set_aside(tmp_path, blank):
    assert reason(mapped(tmp_path, "local_ref: Log"), **blank).reason == "missing-field"


def test_without_a_required_field_a_record_is_set_aside(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(HEAD + "fields: {kind: Kind, mode: {constant: actual}, recorded_at: {column: At, date: iso}}")
    mapping = load_mapping(path)
    assert "kind" in str(reason(mapping, Kind="", At="2026-03-06T20:15:00Z"))
    assert "recorded_at" in str(reason(mapping, Kind="created", At=""))
    assert event(mapping, Kind="created", At="2026-03-06T20:15:00Z").kind == "created"


def test_texts_that_mean_nothing_are_blank(tmp_path):
    mapping = mapped(tmp_path, "local_ref: Log", head=HEAD + "source: {blank: [N/K, '-']}\n")
    assert event(mapping, Log=" N/K ").local_ref == ""
    assert reason(mapping, URN="-").reason == "missing-field"


def test_the_place_in_a_file_may_be_the_key(tmp_path):
    head = HEAD.replace("event_key: [URN, Version]", "event_key: file-digest-and-line")
    draft = mapped(tmp_path, "local_ref: Log", head=head).draft(record(), NOW, origin="kent")
    assert draft.event_key == "d-2"


EVERYTHING = """
mapping: everything
system: cad
time_zone: Europe/London
source: {blank: N/K}
incident_key: a
event_key: [a, b]
fields:
  kind: {column: c, codes: kinds}
  mode: {constant: actual}
  recorded_at: {column: d, date: iso}
  occurred_at: {columns: [d, e], date: "%d/%m/%Y %H:%M"}
  status: e
  local_ref: {column: f, match: "(.)"}
  handling: {columns: [e, f], split: ","}
  classification.category: c
  classification.flags: [{column: g, codes: {y: child, n: []}}, h]
  control.caveats: h
  control.addressees: a
  locations[0].point: {latitude: i, longitude: j}
  locations[0].radius_m: i
  locations[0].verified: k
  locations[1].uprn: a
  victims[0].age_stated: i
  victims[0].date_of_birth: {column: d, date: iso}
  victims[0].names.aliases: {column: l, split: ";"}
  victims[0].home.postcode: b
  vehicles: {each: l, fields: {role: a, occupants: b, position.point: {latitude: i, longitude: j}}}
  facts: {log: f, pattern: "(?P<at>.{3,}) (?P<text>.*)", date: iso}
  narrative: {each: l, fields: {text: a, at: {column: d, date: iso}}}
  hazards[0].kind: {column: m, codes: {x: fire}, default: dog}
codes:
  kinds: {1: created, 2: updated}
"""

plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(
        ["created", "1", "2", "N/K", "2026-03-06T20:15:00Z", "53.5", "-1.5", "y", "n", "x", "0", "child", "crime"]
    ),
)
nested = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abdij"), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def everything(tmp_path_factory) -> FieldMapping:
    path = tmp_path_factory.mktemp("mapping") / "everything.yaml"
    path.write_text(EVERYTHING)
    return load_mapping(path)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(columns=st.dictionaries(st.sampled_from("abcdefghijklm"), nested))
def test_any_record_gives_an_event_that_encodes_or_a_reason_that_quotes_nothing(everything, columns):
    """Mapping is total: an event or a `Rejected`, never another exception."""
    given_record = SourceRecord("p", "line 2", "d-2", columns)
    try:
        draft = everything.draft(given_record, NOW, origin="kent")
    except Rejected as rejected:
        told = str(rejected) + rejected.remedy
        quoted = [text for text in texts(columns) if len(text) > 12 and text in told]
    else:
        quoted = []
        assert isinstance(draft, Draft)
        assert_encodes(draft)
    assert not quoted


def assert_encodes(draft: Draft) -> None:
    framed = EventCodec().encode(draft.event.to_avro())
    _, opened = EventCodec().open(framed, 10**6)
    assert opened.head["incident_id"] == draft.event.incident_id


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns=st.fixed_dictionaries(
        {"a": st.text(min_size=1, max_size=5), "b": plain, "c": st.sampled_from(["1", "2", "3"]), "d": plain},
        optional=dict.fromkeys("efghijklm", nested),
    )
)
def test_the_same_record_and_time_give_the_same_draft(everything, columns):
    def outcome() -> object:
        try:
            return everything.draft(SourceRecord("p", "line 2", "d-2", columns), NOW, origin="kent")
        except Rejected as rejected:
            return rejected.reason, str(rejected)

    assert outcome() == outcome()


def texts(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


def test_a_record_that_could_not_be_read_stays_set_aside(everything):
    fault = Rejected("bad-record", "line 9: expected 3 columns")
    with pytest.raises(Rejected, match="line 9"):
        everything.draft(SourceRecord("p", "line 9", "d-9", {"raw": "x"}, fault), NOW, origin="kent")


def test_an_original_is_json_and_the_same_for_the_same_content():
    one = SourceRecord("p1", "line 2", "d", {"b": "\ud800", "a": 1})
    other = SourceRecord("p9", "line 7", "e", {"a": 1, "b": "\ud800"})
    assert one.original() == other.original()
    assert json.loads(one.original()) == {"a": 1, "b": "\ud800"}
