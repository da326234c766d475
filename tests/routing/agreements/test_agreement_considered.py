"""What was considered stands in a record as plain data, and comes back as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from routing.agreements import Place, considered_from_dict, considered_to_dict
from schemas.errors import Rejected

NOWHERE = {"has_coordinates": False, "inside": [], "partly": []}


def test_it_survives_as_json(desk: Any):
    considered = desk.event(
        category=None,
        flags=None,
        caveats=frozenset({"refuge", "arrest-planned"}),
        places=(
            Place("incident", "Leeds", True, frozenset({"a+5000m", "a"}), frozenset({"b"})),
            Place(None, None),
        ),
        sections=frozenset({"facts"}),
        addressees=frozenset({"south"}),
    )
    plain = considered_to_dict(considered)
    assert plain["caveats"] == ["arrest-planned", "refuge"]
    assert plain["flags"] is None
    assert plain["places"] == [
        {"kind": "incident", "district": "Leeds", "has_coordinates": True, "inside": ["a", "a+5000m"], "partly": ["b"]},
        {"kind": None, "district": None, **NOWHERE},
    ]
    assert considered_from_dict(json.loads(json.dumps(plain))) == considered


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"flags": "child"}, "flags: expected a list of texts, got str"),
        ({"flags": [1]}, "flags: expected a list of texts"),
        ({"sections": None}, "sections: expected a list of texts"),
        ({"grade": None}, "grade: expected a text, got NoneType"),
        ({"grade": ["emergency"]}, "grade: expected a text, got list"),
        ({"places": None}, "places: expected a list"),
        ({"places": ["Leeds"]}, "places: expected mappings"),
        ({"places": [{"kind": "incident"}]}, "places: expected mappings"),
        ({"places": [{"kind": 1, "district": None, **NOWHERE}]}, "places: expected mappings"),
        ({"places": [{"kind": None, "district": None, **NOWHERE, "inside": "a"}]}, "places: expected mappings"),
        ({"sequence": True}, "sequence: expected a whole number, got bool"),
        ({"holdings": []}, "differing: holdings"),
    ],
)
def test_nothing_is_filled_in_or_left_out(desk: Any, change: dict[str, Any], words: str):
    with pytest.raises(Rejected, match=words) as refused:
        considered_from_dict(considered_to_dict(desk.event()) | change)
    assert refused.value.reason == "bad-considered"


@pytest.mark.parametrize("name", list(considered_to_dict.__globals__["_ATTRIBUTES"]))
def test_an_attribute_that_is_missing_is_not_guessed(desk: Any, name: str):
    plain = considered_to_dict(desk.event())
    del plain[name]
    with pytest.raises(Rejected, match=name):
        considered_from_dict(plain)
