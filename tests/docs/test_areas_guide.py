"""docs/areas.md: its area, bundle and agreement load as they stand, and the examples hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from routing.agreements import load_bundle
from routing.agreements.load import BundleRejected

GUIDE = (Path(__file__).parents[2] / "docs" / "areas.md").read_text("utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)
(AREA,) = [text for language, text in BLOCKS if language == "json"]
BUNDLE, AGREEMENT = [text for language, text in BLOCKS if language == "yaml"]
ROCHDALE = [[-2.3, 53.55], [-2.09, 53.55], [-2.09, 53.7], [-2.3, 53.7], [-2.3, 53.55]]


def a_bundle(folder: Path, agreement: str) -> Path:
    (folder / "agreements").mkdir()
    (folder / "areas").mkdir()
    (folder / "bundle.yaml").write_text(BUNDLE, "utf-8")
    (folder / "agreements" / "a.yaml").write_text(agreement, "utf-8")
    (folder / "areas" / "pennine-strip.geojson").write_text(AREA, "utf-8")
    district = {"type": "Polygon", "coordinates": [ROCHDALE]}
    named = {"type": "Feature", "properties": {"name": "Rochdale"}, "geometry": district}
    districts = {"type": "FeatureCollection", "features": [named]}
    (folder / "areas" / "districts.geojson").write_text(json.dumps(districts), "utf-8")
    return folder


def test_what_the_guide_shows_loads_and_its_examples_hold(tmp_path: Path) -> None:
    bundle = load_bundle(a_bundle(tmp_path, AGREEMENT))
    assert [area.name for area in bundle.areas] == ["pennine-strip", "rochdale"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("at: [53.65, -2.00]", "at: [53.80, -1.55]"),
        ("at: [53.62, -2.075]", "at: [53.62, -2.05]"),
        ("radius: 2km", "radius: 100m"),
        ("at: [53.80, -1.55]", "at: [53.65, -2.00]"),
    ],
)
def test_each_example_of_the_guide_can_fail(before: str, after: str, tmp_path: Path) -> None:
    assert before in AGREEMENT
    with pytest.raises(BundleRejected, match="fails"):
        load_bundle(a_bundle(tmp_path, AGREEMENT.replace(before, after)))
