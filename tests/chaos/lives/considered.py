"""What conditions may read of an event, and what a path of a correction names, from what a stock library decodes."""

from __future__ import annotations

from routing.agreements import Considered, Place
from schemas.codes import enum_code
from tests.chaos.lives.happenings import filled_of
from tests.chaos.lives.seen import Value


def root_of(path: str) -> str:
    """The section, or field of the head, that a path of a change begins with."""
    return path.partition("[")[0].partition(".")[0]


def considered_of(event: Value) -> Considered:
    """What conditions may read of an event, from what a stock library decodes."""
    classification, control = (event["classification"] or [{}])[0], event["control"][0]
    paths = {change["path"] for change in control["changes"]}
    named = {"flags": "classification.flags", "caveats": "control.caveats"}
    kind = enum_code(event["kind"])
    return Considered(
        origin=event["origin"],
        category=classification.get("category") or event["category"],
        qualifiers=_set(classification.get("qualifiers")),
        flags=_set(classification.get("flags")),
        caveats=_set(control["caveats"]),
        handling=_set(event["handling"]),
        grade=enum_code(event["grade"]),
        status=enum_code(event["status"]),
        kind=kind,
        mode=enum_code(event["mode"]),
        marking=enum_code(event["marking"]),
        places=tuple(Place(each["kind"], each["district"]) for each in event["locations"]),
        sections=frozenset(filled_of(event)) - {"control"},
        addressees=frozenset(control["addressees"]),
        hazards=frozenset(each["kind"] for each in event["hazards"]),
        placed=frozenset({"locations"} if event["locations"] else ()),
        changes=frozenset(name for name, path in named.items() if path in paths)
        if kind == "corrected"
        else frozenset(),
        sequence=control["sequence"],
    )


def _set(codes: list[str] | None) -> frozenset[str] | None:
    return None if codes is None else frozenset(codes)
