"""Hostile and careless YAML is refused quickly, in one sentence, with its line."""

from __future__ import annotations

import time
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
