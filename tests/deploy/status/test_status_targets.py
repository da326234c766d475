"""One file tells Prometheus and huecry status which processes there are."""

from __future__ import annotations

import json

import pytest
import yaml

from deploy.status.targets import Target, all_targets, read_targets, target, targets_document
from schemas.errors import Rejected

TARGETS = [Target("127.0.0.1:9400", "route"), Target("[::1]:9401", "consume", "north"), Target("kent.example:9402")]


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump], ids=["JSON", "YAML"])
def test_what_is_written_for_prometheus_is_read_back(tmp_path, write):
    file = tmp_path / "targets"
    file.write_text(write(targets_document(TARGETS)))
    assert read_targets(file) == tuple(TARGETS)


def test_groups_share_their_labels_and_other_labels_are_prometheus_s_own(tmp_path):
    file = tmp_path / "targets.yaml"
    file.write_text("- targets: [a:1, b:2]\n  labels: {job: ledger, member: north, site: leeds}\n")
    assert read_targets(file) == (Target("a:1", "ledger", "north"), Target("b:2", "ledger", "north"))


def test_an_address_that_is_named_twice_is_asked_once_and_the_file_says_what_it_is(tmp_path):
    file = tmp_path / "targets.yaml"
    file.write_text("- {targets: ['a:1'], labels: {job: route}}\n")
    assert all_targets(["b:2", "a:1"], [file]) == (Target("a:1", "route"), Target("b:2"))


@pytest.mark.parametrize(
    "address", ["", "host", ":9400", "host:", "host:0", "host:65536", "host:http", "host:٣", "host:-1"]
)
def test_what_is_no_address_is_refused_with_an_example(address):
    with pytest.raises(Rejected, match=r"expected host:port, as in 127\.0\.0\.1:9400"):
        target(address)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "expected JSON or YAML"),
        ("targets: [a:1]", "expected a list of targets"),
        ("- {targets: a}", "0.targets"),
        ("- {targets: [a:1], label: {}}", "0.label"),
        ("- {targets: [a]}", "expected host:port"),
    ],
)
def test_a_faulty_file_is_refused_with_its_name_and_why(tmp_path, text, told):
    file = tmp_path / "targets.yaml"
    file.write_text(text)
    with pytest.raises(Rejected, match=r"targets\.yaml: ") as refused:
        read_targets(file)
    assert told in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(Rejected, match="cannot be read"):
        read_targets(tmp_path / "none.yaml")
