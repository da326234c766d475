"""Items of sections as rows of plain columns: what is nested in a message stands side by side in a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consumers.delivery import IncidentKey


def content_row(key: IncidentKey, section: str, ordinal: int, item: Mapping[str, Any]) -> dict[str, Any]:
    """One item of a section by column; names that a table does not have are left out by it."""
    row = {"origin": key[0], "incident_id": key[1], "section": section, "ordinal": ordinal, **item}
    if quality := item.get("quality"):
        row.update(quality, as_of=item.get("as_of"), quality_as_of=quality.get("as_of"))
    if point := item.get("point") or item.get("position", {}).get("point"):
        row.update(point)
    if names := item.get("names"):
        row.update(names)
    if home := item.get("home"):
        row.update(home_address=home.get("address"), home_postcode=home.get("postcode"))
    return row
