"""Released schemas: frozen, sound by themselves, and every version of a record reads every other."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from itertools import combinations

import pytest

from schemas.catalogue import catalogue
from tests.schemas.evolution import faults, incompatibilities

AVRO = files("schemas").joinpath("avro")
RECORDS = sorted({entry.record for entry in catalogue().entries})
FIRST_ID = 1_212_500_000


def released() -> dict[str, str]:
    lines = AVRO.joinpath("released.sha256").read_text().splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


@pytest.mark.parametrize("name", sorted(path.name for path in AVRO.iterdir() if path.name.endswith(".avsc")))
def test_a_released_schema_never_changes(name):
    digest = hashlib.sha256(AVRO.joinpath(name).read_bytes()).hexdigest()

    assert name in released(), f"{name} is not in avro/released.sha256: add it when it is released, and never change it"
    assert digest == released()[name], (
        f"{name} is released and was changed: others hold it under its id for good. Put the file back, "
        f"and write the change as the next version beside it, with an id of its own in catalogue.yaml"
    )


def test_no_released_schema_is_lost():
    assert [name for name in released() if not AVRO.joinpath(name).is_file()] == []


def test_ids_are_this_exchanges_own_and_pinned():
    pinned = {
        ("IncidentEvent", 1, None): 1_212_500_001,
        ("Delivery", 1, 1): 1_212_501_001,
        ("Receipt", 1, None): 1_212_502_001,
        ("Feedback", 1, None): 1_212_503_001,
        ("DisclosureRecord", 1, None): 1_212_504_001,
        ("Quarantined", 1, None): 1_212_505_001,
        ("RoutingState", 1, None): 1_212_506_001,
    }
    found = {(entry.record, entry.version, entry.event_version): entry.schema_id for entry in catalogue().entries}

    assert pinned.items() <= found.items(), "an id once released keeps its meaning"
    assert all(FIRST_ID < schema_id < 1 << 31 for schema_id in found.values())


def test_every_version_of_the_event_has_a_delivery_that_carries_it():
    for entry in catalogue().versions("IncidentEvent"):
        assert catalogue().delivery_of(entry.version).event_version == entry.version


def test_versions_are_listed_oldest_first():
    for record in RECORDS:
        order = [(entry.version, entry.event_version or 0) for entry in catalogue().versions(record)]
        assert order == sorted(order)


@pytest.mark.parametrize("entry", catalogue().entries, ids=lambda entry: f"{entry.record}-{entry.schema_id}")
def test_a_released_schema_is_sound(entry):
    assert faults(entry.schema) == []


@pytest.mark.parametrize("record", RECORDS)
def test_every_version_of_a_record_reads_every_other(record):
    for one, other in combinations(catalogue().versions(record), 2):
        assert incompatibilities(one.schema, other.schema) == [], f"{one} and {other}"
