"""Which corrections a person must accept."""

from __future__ import annotations

import pytest

from schemas.corrections import asks_acceptance


@pytest.mark.parametrize(
    ("paths", "asked"),
    [
        (["grade"], True),
        (["classification.local_grade"], True),
        (["classification.flags"], True),
        (["classification"], True),
        (["hazards"], True),
        (["hazards[2].kind"], True),
        (["locations[0].point"], True),
        (["vehicles[0].vrm", "locations[].address"], True),
        ([], False),
        (["vehicles[0].vrm"], False),
        (["classification.category", "classification.local_text"], False),
        (["handling", "status"], False),
    ],
)
def test_grade_hazards_weapon_flags_and_places_ask_for_a_person(paths: list[str], asked: bool) -> None:
    assert asks_acceptance(paths) is asked
