"""Claims about loading a mapping file: all faults at once, each with its place and what is allowed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from producers.mapping_load import load_mapping
from schemas.errors import Rejected

GOOD = """\
mapping: test
system: cad
incident_key: URN
event_key: [URN, Version]
fields:
  kind: {constant: created}
  mode: {constant: actual}
  recorded_at: {now: true}
"""


def faults(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(Rejected) as refused:
        load_mapping(path)
    assert refused.value.reason == "bad-mapping"
    return [line.removeprefix(f"{path}:") for line in str(refused.value).splitlines()]


def fault(tmp_path: Path, field: str, rest: str = "") -> str:
    """The only fault of one more field, which stands on line 9."""
    found = faults(tmp_path, f"{GOOD}  {field}\n{rest}")
    assert len(found) == 1, found
    return found[0]


def test_a_whole_mapping_loads(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(GOOD)
    mapping = load_mapping(path)
    assert (mapping.name, mapping.system, mapping.columns) == ("test", "cad", ("URN", "Version"))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("gradee: Grade", r"9:3: field 'gradee' is not known here: did you mean 'grade'\?"),
        ("victims[0].nmes.family: X", r"9:3: field 'nmes' .* did you mean 'names'"),
        ("victims.role: X", r"9:3: victims holds several: say which, as in victims\[0\]\.field"),
        ("classification[1].category: X", r"9:3: classification has one element"),
        ("locations[0]: X", r"9:3: locations\[0\] holds several fields: name one of location_ref"),
        ("event_id: X", r"9:3: event_id cannot be mapped: the spool makes it"),
        ("category: X", r"9:3: category cannot be mapped: .* classification\.category"),
        ("grade: {colum: X}", r"9:11: key 'colum' .* did you mean 'column'"),
        ("grade: {column: X, constant: priority}", r"9:10: grade: expected exactly one of column, columns, constant"),
        ("grade: {constant: prio}", r"9:21: 'prio' is no code of 'grade': .*expected one of emergency"),
        (
            "classification.category: {constant: crime/thef}",
            r"9:39: 'crime/thef' is no code of 'category': did you mean 'crime/theft'",
        ),
        ("grade: {column: X, codes: grads}", r"9:29: code list 'grads' is not known here"),
        ("grade: {column: X, codes: {I: urgent}}", r"9:33: 'urgent' is no code of 'grade'"),
        ("grade: {column: X, default: unknown}", r"9:22: grade: `default` is for codes"),
        ("occurred_at: At", r"9:16: occurred_at: how is the time written\?"),
        ("occurred_at: {column: At, date: iso}", r"9:35: occurred_at: in which time zone\?"),
        ("occurred_at: {column: At, date: '%Q', zone: UTC}", r"9:35: occurred_at: expected `iso` or a format"),
        ("occurred_at: {column: At, date: '%Y-%m', zone: UTC}", r"9:35: occurred_at: expected `iso` or a format"),
        ("occurred_at: {column: At, date: iso, zone: Mars}", r"9:46: expected the name of a time zone"),
        ("local_ref: {now: true}", r"9:15: local_ref: `now: true` is for times only"),
        ("local_ref: {column: X, split: ','}", r"9:26: local_ref: takes text, `split` is not for it"),
        ("local_ref: [A, B]", r"9:14: local_ref: takes text: one source"),
        ("locations[0].point: Point", r"9:23: locations\[0\]\.point: takes a latitude and a longitude"),
        ("locations[0].point: {latitude: A}", r"9:23: .* expected {latitude: COLUMN, longitude: COLUMN}"),
        ("local_ref: {column: X, match: '('}", r"9:33: expected a regular expression"),
        ("local_ref: {column: X, match: 'a'}", r"9:33: expected a regular expression with one \(group\)"),
        ("local_ref: ''", r"9:14: expected the name of a column"),
        ("kind: Kind", "9:3: duplicate key `kind`: it already stands in line 6"),
        ("hazards[0].certainty: X", r"9:3: hazards\[0\]\.kind is missing: without it this element cannot be"),
        ("victims: X", r"9:12: victims: expected {each: COLUMN, fields: {\.\.\.}}"),
        ("victims: {each: V, fields: {rol: X}}", r"9:31: field 'rol' .* did you mean 'role'"),
        ("resources: {each: V, fields: {kind: X}}", r"9:32: resources: callsign is missing"),
        ("facts: {log: L, pattern: '(.*)'}", r"9:28: facts: expected named groups"),
        ("facts: {log: L, pattern: '(?P<at>.) (?P<text>.*)'}", r"9:10: facts: how is `at` written\?"),
    ],
)
def test_a_fault_names_its_line_and_column_and_what_is_allowed(tmp_path, field, expected):
    assert re.match(expected, fault(tmp_path, field)), fault(tmp_path, field)


@pytest.mark.parametrize("path", ["classification.qualifiers", "classification.flags", "control.caveats", "handling"])
@pytest.mark.parametrize("invented", ["[]", "[domestic]", "domestic"])
def test_a_mapping_may_not_invent_what_a_record_is_not(tmp_path, path, invented):
    """The difference between none and not stated decides what is shared (agreements, never-states)."""
    found = faults(tmp_path, f"{GOOD}  {path}: {{constant: {invented}}}\n")
    assert any("a constant would say of every record what it is not" in each for each in found)
    assert "cannot say that there are none" in fault(tmp_path, f"{path}: {{column: X, codes: {{}}, default: []}}")


def test_a_constant_set_that_admits_more_is_allowed(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(GOOD + "  classification.qualifiers: {constant: [domestic, unknown]}\n")
    load_mapping(path)


@pytest.mark.parametrize("key", ["incident_key", "event_key"])
def test_without_its_keys_a_mapping_is_refused(tmp_path, key):
    text = re.sub(rf"^{key}:.*\n", "", GOOD, flags=re.MULTILINE)
    (found,) = faults(tmp_path, text)
    assert f"{key} is missing: list the columns that make it" in found
    assert "file-digest-and-line" in found


@pytest.mark.parametrize("name", ["kind", "mode", "recorded_at"])
def test_without_a_required_field_a_mapping_is_refused(tmp_path, name):
    text = re.sub(rf"^  {name}:.*\n", "", GOOD, flags=re.MULTILINE)
    assert f"{name} is missing: every event needs it" in faults(tmp_path, text)[0]


def test_all_faults_are_reported_at_once_in_the_order_of_the_file(tmp_path):
    found = faults(tmp_path, f"{GOOD}  gradee: X\n  statuss: Y\n  kind: Z\nsorce: {{}}\n")
    assert [each.split(":")[0] for each in found] == ["9", "10", "11", "12"]


def test_a_code_list_that_nothing_uses_is_a_fault(tmp_path):
    assert "code list 'grades' is not used" in fault(tmp_path, "local_ref: X", "codes:\n  grades: {I: emergency}\n")


def test_codes_are_read_as_they_are_written(tmp_path):
    """Plain YAML reads NO as false, 012 as ten, and 1.0 as a number."""
    path = tmp_path / "m.yaml"
    path.write_text(GOOD + "  grade: {column: G, codes: {NO: priority, 012: emergency, 1.0: scheduled}}\n")
    load_mapping(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "empty"),
        ("a: [", "not YAML"),
        ("- a", "expected keys"),
        ("a: &a [*a]", "anchors and aliases are not allowed"),
        ("? [a]\n: b", "expected a word as key"),
    ],
)
def test_what_is_no_mapping_at_all_is_refused(tmp_path, text, expected):
    assert expected in "\n".join(faults(tmp_path, text))


def test_an_unreadable_file_is_refused(tmp_path):
    with pytest.raises(Rejected, match="cannot be read"):
        load_mapping(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"mapping: \xe9")
    with pytest.raises(Rejected, match="UTF-8"):
        load_mapping(tmp_path / "latin.yaml")


def test_the_source_is_described_within_bounds(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(GOOD + "source: {format: csv, delimiter: ';', encoding: cp1252, blank: [N/K]}\n")
    form = load_mapping(path).record_format
    assert (form.kind, form.delimiter, form.encoding, form.blank) == ("csv", ";", "cp1252", {"N/K"})
    for wrong in ("format: xls", "delimiter: ';;'", "encoding: utf-16", "encoding: klingon", "quote: x"):
        assert len(faults(tmp_path, GOOD + f"source: {{{wrong}}}\n")) == 1
