"""Hostile and careless YAML is refused quickly, in one sentence, with its line."""

from __future__ import annotations

import os
import time
import tracemalloc
from pathlib import Path

import pytest

from routing.agreements import read_bundle
from schemas.strict_yaml import MAX_BYTES, Faults, Listing, Place, Scalar, Table, read_yaml

MEMBERS = "version: 1\npublished_by: x\nmembers: {north: {name: N, publishes: true, receives: true}}\n"

HOSTILE = {
    "anchor": ("a: 1\nb: &x 2\n", 2, "anchors and aliases are not allowed"),
    "bomb": ("a: [&a [x, x], &b [*a, *a], &c [*b, *b]]\n", 1, "anchors and aliases are not allowed"),
    "alias before its anchor": ("a: *x\n", 1, ""),
    "tag": ("a: 1\nb: !!python/object/apply:os.system [ls]\n", 2, "tags are not allowed"),
    "own tag": ("b: !include other.yaml\n", 1, "tags are not allowed"),
    "two documents": ("a: 1\n---\nb: 1\n", 2, "a second document begins here"),
    "a list as key": ("a: 1\n[b]: 1\n", 2, "expected a word as key"),
    "a mapping as key": ("{a: b}: 1\n", 1, "expected a word as key"),
    "duplicate key": ("a: 1\nb: 2\na: 3\n", 3, "duplicate key `a`: it already stands in line 1"),
    "deep lists": ("[" * 200_000, 1, "nested deeper than"),
    "deep mappings": ("{a: " * 100_000, 1, "nested deeper than"),
    "deep blocks": ("\n".join(" " * n + "a:" for n in range(900)), 21, "nested deeper than"),
    "never closed": ("a: [1,\n", 2, "not YAML"),
    "a tab": ("a:\n\t- 1\n", 2, "not YAML"),
    "nothing": ("", 0, "the file is empty"),
    "only a comment": ("# nothing\n", 0, "the file is empty"),
    "a zero": ("a: \0\n", 0, "a character that YAML does not allow"),
    "an escape for a terminal": ('a: "\\e[31m"\n', 1, "a control character"),
    "not UTF-8": (b"a: 1\nb: caf\xe9\n", 2, "expected UTF-8"),
    "UTF-16": ("a: 1".encode("utf-16"), 1, "expected UTF-8"),
    "too large": ("#" * (MAX_BYTES + 1), 0, "larger than 512 KiB"),
    "a key of half a megabyte": ("? " + "x" * 400_000 + "\n: 1\n", 1, "is not a key"),
    "a value of half a megabyte": ("title: " + "y" * 500_000, 1, "longer than 1000 characters"),
    "unknown keys": ("".join(f"k{n}: 1\n" for n in range(40_000)), 1, "is not a key"),
    "one key again and again": ("a: 1\n" * 80_000, 2, "duplicate key"),
    "near words": ("from: [" + ",".join(f"norht{n}" for n in range(30_000)) + "]", 1, "is not a member"),
    "a merge key": ("<<: {a: 1}\n", 1, "`<<` is not a key"),
    "deep keys": ("? " * 200_000, 1, "nested deeper than"),
    "a directive for tags": ("%TAG ! tag:x,2000:\n---\na: !b 1\n", 3, "tags are not allowed"),
    "a newer YAML": ("%YAML 3.0\n---\na: 1\n", 1, "not YAML"),
    "a comment that ends unseen": ("a: 1\n# signed\u2028rules: []\n", 2, "the character U+2028 is not allowed"),
    "another": ("# signed\x85rules: []\n", 1, "the character U+0085 is not allowed"),
    "an end of line of old": ("# signed\rrules: []\n", 1, "the character U+000D is not allowed"),
    "text turned round": ("a: 1\ntitle: \u202etirof\n", 2, "the character U+202E is not allowed"),
    "a space without a width": ("from\u200b: [north]\n", 1, "the character U+200B is not allowed"),
    "a mark within": ("a: 1\nb: \ufeff2\n", 2, "the character U+FEFF is not allowed"),
    "half a character": ('a: "\\ud800"\n', 1, ""),
    "a zero in quotes": ('a: "\\0"\n', 1, "a control character"),
    "lists": ("x: [" + "[]," * 170_000 + "]", 1, "is not a key"),
    "mappings": ("rules: [" + "{a: 1}," * 74_000 + "]", 1, "a rule needs `outcome`"),
    "a number of half a megabyte": ("starts: " + "9" * 500_000, 1, "expected a day"),
    "rules": ("rules:\n" + "- {outcome: share, when: {category: [a, b, c]}}\n" * 8_000, 2, "is not a category"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_quickly_with_its_line(tmp_path: Path, name: str):
    content, line, words = HOSTILE[name]
    (tmp_path / "agreements").mkdir()
    (tmp_path / "bundle.yaml").write_text(MEMBERS, "utf-8")
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "agreements" / "a.yaml").write_bytes(data)
    began = time.process_time()
    reading = read_bundle(tmp_path)
    assert time.process_time() - began < 5
    assert reading.bundle is None
    assert len(reading.faults) <= 100
    assert any(fault.line == line and words in fault.message for fault in reading.faults), reading.faults[:3]
    assert all(len(fault.message) < 1000 for fault in reading.faults)


SURPRISES = {
    # As written, in line 2: what YAML would make of it, and what the loader says.
    "title: no": 'expected the title, got a yes/no value: put it in quotes, "no"',
    "title: On": "got a yes/no value",
    "title: ~": "expected the title, got nothing",
    "title:": "expected the title, got nothing",
    "title: 12": "got a number",
    "title: 1_000": "got a number",
    "title: 0x1F": "got a number",
    "title: 012": "got a number",
    "title: 19:30": 'got a number: put it in quotes, "19:30"',
    "title: 1e3": "",
    "title: .inf": "got a number",
    "title: 2026-01-01": "got a date: put it in quotes",
    "title: 2026-01-01 10:00:00": "got a date",
    "title: <<": "put it in quotes",
    "title: [a]": "expected the title, got a list",
    "title: {a: b}": "expected the title, got a mapping",
    "starts: 2026-1-1": "expected a day, as in 2026-02-01",
    "starts: 2026-02-30": "there is no day 2026-02-30 in the calendar",
    "starts: 2026-02-01T00:00:00Z": "expected a day",
    "starts: 20260201": "expected a day",
    "starts: 0000-00-00": "there is no day",
    "from: north": "expected a list",
    "from: [no]": "expected a member that publishes, got a yes/no value",
    "from: [12]": "expected a member that publishes, got a number",
    "from: [~]": "got nothing",
    "retain: 90": "expected a duration, as in 90d",
    "retain: 1:30": "expected a duration",
    "retain: 90 d": "expected a duration",
    "retain: 090d": "expected a duration",
    "retain: 99999999d": "expected a duration",
    "retain: 90h": "expected a duration, as in 90d",
    "standing: yes": "`standing` can only be true",
    "standing: 'true'": "`standing` can only be true",
    "onward: off": "expected what a recipient may do with it onward, got a yes/no value",
    "y: 1": "`y` is not a key",
    "true: 1": "`true` is not a key",
    "12: 1": "`12` is not a key",
    "? ~\n: 1": "is not a key",
}


@pytest.mark.parametrize("line", SURPRISES)
def test_what_yaml_makes_something_else_of_is_told_where_it_stands(tmp_path: Path, line: str):
    (tmp_path / "agreements").mkdir()
    (tmp_path / "bundle.yaml").write_text(MEMBERS, "utf-8")
    (tmp_path / "agreements" / "a.yaml").write_text(f"agreement: A\n{line}\n", "utf-8")
    reading = read_bundle(tmp_path)
    there = [fault.message for fault in reading.faults if fault.line == 2]
    if SURPRISES[line]:
        assert any(SURPRISES[line] in message for message in there), reading.faults
    else:
        assert not there, "this is a text in every YAML"


def test_memory_is_bounded_whatever_the_file_holds(tmp_path: Path):
    (tmp_path / "agreements").mkdir()
    (tmp_path / "bundle.yaml").write_text(MEMBERS, "utf-8")
    content, _, _ = HOSTILE["mappings"]
    (tmp_path / "agreements" / "a.yaml").write_text(str(content), "utf-8")
    tracemalloc.start()
    try:
        read_bundle(tmp_path)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 128 * 2**20


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path):
    (tmp_path / "agreements").mkdir()
    (tmp_path / "bundle.yaml").write_text(MEMBERS + "areas: {hill: pipe}\n", "utf-8")
    os.mkfifo(tmp_path / "agreements" / "a.yaml")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "agreements" / "b.yaml").symlink_to("/dev/zero")
    (tmp_path / "agreements" / "c.yaml").mkdir()
    (tmp_path / "agreements" / "d.yaml").symlink_to("nowhere")
    told = {(fault.file, fault.message) for fault in read_bundle(tmp_path).faults}
    assert ("agreements/a.yaml", "cannot be read: not a regular file") in told
    assert ("agreements/b.yaml", "cannot be read: not a regular file") in told
    assert ("agreements/c.yaml", "cannot be read: Is a directory") in told
    assert ("agreements/d.yaml", "cannot be read: No such file or directory") in told
    assert any("pipe" in message and "not a regular file" in message for _, message in told)


def test_a_folder_of_more_files_than_any_bundle_has_is_refused_at_once(tmp_path: Path):
    (tmp_path / "agreements").mkdir()
    (tmp_path / "bundle.yaml").write_text(MEMBERS, "utf-8")
    for number in range(2_001):
        (tmp_path / "agreements" / f"{number}.yaml").touch()
    (fault,) = read_bundle(tmp_path).faults
    assert "more than 2000 files" in fault.message


def test_a_country_that_yaml_takes_for_no_is_told_to_be_quoted(tmp_path: Path):
    (tmp_path / "bundle.yaml").write_text(MEMBERS.replace("receives: true", "receives: true, country: NO"), "utf-8")
    told = [str(fault) for fault in read_bundle(tmp_path).faults]
    assert any(each.startswith("bundle.yaml:3:") and 'put it in quotes, "NO"' in each for each in told), told


def test_a_bundle_file_is_read_with_the_same_care(tmp_path: Path):
    (tmp_path / "bundle.yaml").write_text("version: &v 1\n", "utf-8")
    assert "anchors" in str(read_bundle(tmp_path).faults[0])


def test_nodes_know_their_lines_and_what_yaml_takes_them_for(tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_text("\ufeffa: text\nb:\n  - 1\n  - '1'\n  - no\n  - ~\n  - 2026-01-01\n  - 1.5\non: x\n", "utf-8")
    faults = Faults("a.yaml")
    root = read_yaml(path, faults)
    assert isinstance(root, Table)
    assert faults.noted == []
    assert {key: (place.line, place.column) for key, place, _ in root.items()} == {
        "a": (1, 1),
        "b": (2, 1),
        "on": (9, 1),
    }
    listing = root.get("b")
    assert isinstance(listing, Listing)
    kinds = [(item.place.line, item.kind) for item in listing.items if isinstance(item, Scalar)]
    assert kinds == [(3, "integer"), (4, "text"), (5, "truth"), (6, "null"), (7, "date"), (8, "other")]
    assert root.get("a") == Scalar(Place(1, 4), "text", "text")
