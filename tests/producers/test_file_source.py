"""Claims about file sources: every record once, from wherever a restart finds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producers.sources.files import LARGEST_RECORD_BYTES, FileSource
from producers.sources.source import SourceRecord
from schemas.errors import Rejected

OPENED: list[FileSource] = []


@pytest.fixture(autouse=True)
def _closed():
    yield
    close_all()


def close_all() -> None:
    while OPENED:
        OPENED.pop().close()


def source(path: Path, text: str | bytes | None = None, *, position: str | None = None, **told) -> FileSource:
    if text is not None:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    made = FileSource(path, **{"kind": "csv", **told})
    OPENED.append(made)
    made.resume(position)
    return made


def everything(opened: FileSource) -> list[SourceRecord]:
    found: list[SourceRecord] = []
    while records := opened.read(3):
        found += records
    return found


def columns(records: list[SourceRecord]) -> list[dict]:
    return [dict(record.columns) for record in records]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "records.csv"


def test_csv_records_have_the_columns_of_the_header(path):
    opened = source(path, '\ufeffURN, Text\n1,one\n2,"two, or\nmore ""lines"""\n\n3,three')
    records = everything(opened)
    assert columns(records) == [
        {"URN": "1", "Text": "one"},
        {"URN": "2", "Text": 'two, or\nmore "lines"'},
        {"URN": "3", "Text": "three"},
    ]
    assert [record.where for record in records] == ["line 2", "line 3", "line 6"]
    assert opened.exhausted


def test_json_lines_are_objects(path):
    opened = source(path, '{"a": {"b": [1]}}\n\n[1]\n{"a": 1\n{"a": NaN}\n', kind="jsonl")
    records = everything(opened)
    assert [record.fault is None for record in records] == [True, False, False, True]
    assert "a list came" in str(records[1].fault)
    assert records[2].columns == {"raw": '{"a": 1\n'}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"1,2,3\n", "expected 2 columns as in the header, 3 came"),
        (b"1\n", "expected 2 columns as in the header, 1 came"),
        (b"1,\xff\n", "expected utf-8 text"),
        (b'1,"a"b\n', "expected CSV"),
        (b"1,a\r2,b\n", "expected one record to a line"),
    ],
)
def test_a_line_that_cannot_be_read_is_a_record_with_a_fault_and_the_next_is_read(path, line, expected):
    records = everything(source(path, b"URN,Text\n" + line + b"9,nine\n"))
    assert expected in str(records[0].fault)
    assert records[0].where == "line 2"
    assert records[-1].columns == {"URN": "9", "Text": "nine"}
    assert records[-1].fault is None


def test_a_quote_that_never_closes_does_not_swallow_the_file(path):
    lines = "".join(f"{n},{'x' * 1000}\n" for n in range(LARGEST_RECORD_BYTES // 500))
    records = everything(source(path, 'URN,Text\n1,"open\n' + lines))
    assert len(records) == 1 + LARGEST_RECORD_BYTES // 500
    assert [record.fault is None for record in records[:3]] == [False, True, True]


def test_other_delimiters_and_encodings(path):
    opened = source(path, "URN;Text\n1;caf\xe9, \x80\n".encode("latin-1"), delimiter=";", encoding="cp1252")
    assert columns(everything(opened)) == [{"URN": "1", "Text": "café, €"}]


def test_unicode_line_separators_end_no_record(path):
    assert len(everything(source(path, "URN,Text\n1,a\u2028b\x85c\x0bd\n"))) == 1


@pytest.mark.parametrize("header", ["", "\n", "a,a\n", "a,,b\n", '"a\n'])
def test_a_file_without_a_header_is_refused(path, header):
    with pytest.raises(Rejected, match="names of the columns"):
        source(path, header + "1,2\n" if header else "")


def test_a_file_that_is_not_there_is_refused(path):
    with pytest.raises(Rejected, match="expected a file to read"):
        source(path)


def test_a_record_is_named_by_the_content_before_it_whatever_the_file_is_called(tmp_path):
    text = "URN,Text\n1,a\n2,b\n"
    one = everything(source(tmp_path / "one.csv", text))
    other = everything(source(tmp_path / "other.csv", text + "3,c\n"))
    changed = everything(source(tmp_path / "changed.csv", text.replace("1,a", "1,z")))
    keys = [record.digest_and_line for record in one]
    assert keys == [record.digest_and_line for record in other][:2]
    assert not set(keys) & {record.digest_and_line for record in changed}
    assert len(set(keys)) == 2


def test_a_file_that_has_grown_goes_on_where_it_was(path):
    first = everything(source(path, "URN,Text\n1,a\n2,b\n"))
    path.write_text("URN,Text\n1,a\n2,b\n3,c\n")
    assert columns(everything(source(path, position=first[-1].position))) == [{"URN": "3", "Text": "c"}]


@pytest.mark.parametrize("now", ["URN,Text\n9,z\n8,y\n7,x\n", "URN,Text\n1,a\n", "Text,URN\na,1\nb,2\n"])
def test_a_file_that_was_replaced_is_read_from_its_first_record(path, now):
    first = everything(source(path, "URN,Text\n1,a\n2,b\n"))
    path.write_text(now)
    again = everything(source(path, position=first[-1].position))
    assert len(again) == now.count("\n") - 1
    assert again[0].where == "line 2"


def test_a_followed_file_gives_what_is_appended_and_leaves_a_half_written_line(path):
    opened = source(path, "URN,Text\n1,a\n2,b", follow=True)
    assert columns(everything(opened)) == [{"URN": "1", "Text": "a"}]
    assert not opened.exhausted
    with path.open("a") as file:
        file.write('cd\n3,"x')
        file.flush()
        assert columns(everything(opened)) == [{"URN": "2", "Text": "bcd"}]
        file.write('\ny"\n')
    assert columns(everything(opened)) == [{"URN": "3", "Text": "x\ny"}]


def test_a_followed_file_that_is_rotated_is_read_anew(path, tmp_path):
    opened = source(path, "URN,Text\n1,a\n", follow=True)
    everything(opened)
    path.rename(tmp_path / "records.1.csv")
    assert opened.read(10) == []
    path.write_text("URN,Text\n2,b\n")
    opened.read(10)
    assert columns(everything(opened)) == [{"URN": "2", "Text": "b"}]
    path.write_text("URN,Text\n")
    opened.read(10)
    with path.open("a") as file:
        file.write("3,c\n")
    assert columns(everything(opened)) == [{"URN": "3", "Text": "c"}]


fields = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(fields, fields), max_size=8), cut=st.integers(0, 8))
def test_whatever_was_written_is_read_once_however_often_it_is_started(tmp_path, rows, cut):
    import csv

    path = tmp_path / "any.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(["a", "b"])
        writer.writerows(rows)
    whole = everything(source(path))
    assert [(record.columns["a"], record.columns["b"]) for record in whole] == rows
    cut = min(cut, len(whole))
    position = whole[cut - 1].position if cut else None
    assert everything(source(path, position=position)) == whole[cut:]
    assert all(json.loads(record.position) for record in whole)
    close_all()
