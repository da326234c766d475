"""Parts joined in order are the record."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

import pytest

from schemas.avro_form import Form
from schemas.catalogue import catalogue
from schemas.codec import encode_terms
from schemas.parts import around_ids, decided_form, disclosure_record_head, in_parts, terms_parts

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GROUND = {"section": "head", "agreement": "A-1", "rule": "r", "purpose": "p", "legal_basis": "law"}
TERMS: dict[str, Any] = {
    "action": "SHARE",
    "covers": ["locations", "hazards"],
    "addressed_to_you": True,
    "changes": [{"path": "locations[0].road", "reason": "wrong-place", "wrong_from_start": True}],
    "grounds": [GROUND],
    "decided_at": NOW,
    "retain_until": NOW,
    "retain_days": 30,
    "onward": "ask",
    "policy_version": 7,
    "under_review": True,
}
GROUP: dict[str, Any] = {
    "recipients": [{"member": "north", "delivery_id": "d" * 32, "undeliverable": None}],
    "outcome": "SHARED_IN_PART",
    "head": "GRANTED",
    "sections": [{"section": "locations", "state": "GRANTED"}, {"section": "victims", "state": "WITHHELD"}],
    "grounds": [GROUND],
    "rules": [{"agreement": "A-1", "rule": "r", "outcome": "share", "turned_on_unknown": False}],
    "retain_days": 30,
    "onward": "forbidden",
    "under_review": False,
}
RECORD: dict[str, Any] = {
    "record_id": "r" * 32,
    "origin": "west",
    "incident_id": "i",
    "event_id": "e",
    "sequence": 3,
    "source": {"topic": "incidents.west", "partition": 2, "offset": 99},
    "decided_at": NOW,
    "policy": {"version": 7, "hash": "0" * 64},
    "considered": {
        "category": "crime/robbery",
        "qualifiers": None,
        "flags": [],
        "caveats": ["restricted-log"],
        "handling": None,
        **dict.fromkeys(("grade", "status", "kind", "mode", "marking"), "unknown"),
        "places": [{"kind": "incident", "district": None}],
        "sections": ["locations"],
        "addressees": [],
    },
    "decisions": [GROUP],
}


def test_the_parts_of_a_disclosures_terms_are_the_terms() -> None:
    assert b"".join(part.encode(TERMS) for part in terms_parts()) == encode_terms(TERMS)


@pytest.mark.parametrize(
    "recipients",
    [
        [("north", "d" * 32, None)],
        [("north", "d" * 32, None), ("south", "e" * 32, None)],
        [("north", None, "missing-topic"), ("south" * 20, None, None), ("west", "d" * 32, None)],
        [("west", "d" * 32, None), ("north", None, "missing-topic")],
        [],
    ],
)
def test_the_parts_of_a_disclosure_record_are_the_record(recipients: list[tuple[str, str | None, str | None]]) -> None:
    names = ("member", "delivery_id", "undeliverable")
    group = GROUP | {"recipients": [dict(zip(names, each, strict=True)) for each in recipients]}

    whole = Form(catalogue().current("DisclosureRecord").schema).encode(RECORD | {"decisions": [group]})

    parts = [
        disclosure_record_head().encode(RECORD),
        b"\x02",
        _filled(around_ids([(member, made is not None, why) for member, made, why in recipients]), recipients),
        decided_form().encode(group),
    ]
    assert b"".join(parts) + b"\x00" == whole


def _filled(around: list[bytes], recipients: list[tuple[str, str | None, str | None]]) -> bytes:
    ids = [made.encode() for _, made, _ in recipients if made is not None]
    return b"".join(part for pair in zip_longest(around, ids, fillvalue=b"") for part in pair)


def test_parts_are_named_in_the_order_of_the_schema() -> None:
    schema = catalogue().current("DisclosureRecord").schema
    with pytest.raises(ValueError, match="in the order of the schema"):
        in_parts(schema, "decisions", "origin")
    with pytest.raises(ValueError, match="none of them the first"):
        in_parts(schema, "record_id")
