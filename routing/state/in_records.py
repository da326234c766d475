"""The parts of what is remembered as plain records, field by field as ``routing_state.v1.avsc`` has them, and back.

Each pair of functions is inverse: what deciding reads after a restart is what it read before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from routing.agreements.model import Step
from routing.agreements.state import (
    Discretion,
    HeldGrant,
    HeldPart,
    History,
    Holding,
    Override,
    Refusal,
    Release,
    RuleRef,
    Ruling,
)
from routing.answers.expected import Expected
from routing.casework.case import Line
from routing.state.incident import Numbers, Rulings

Rows = list[Any]
_OF_HISTORY: Final = tuple(field.name for field in fields(History))
_OF_LINE: Final = (
    *("recipient", "agreement", "rule", "why", "opened_at", "opened_sequence"),
    *("step", "deadline"),
)
_OF_EXPECTED: Final = tuple(field.name for field in fields(Expected) if field.name not in ("limits_s", "sections"))
_OF_GRANT: Final = tuple(field.name for field in fields(HeldGrant))


def numbers_record(numbers: Numbers) -> dict[str, Rows]:
    """By member, sorted."""
    return {"numbers": [{"member": member, "number": numbers[member]} for member in sorted(numbers)]}


def numbers_of(record: Mapping[str, Rows]) -> Numbers:
    """The inverse of `numbers_record`."""
    return {row["member"]: row["number"] for row in record["numbers"]}


def holdings_record(holdings: Sequence[Holding]) -> dict[str, Rows]:
    """Holders that hold alike share a kind, and parts that were granted alike share grants."""
    grants: dict[HeldGrant, int] = {}
    kinds: dict[tuple[Any, ...], int] = {}
    holders = []
    for holding in holdings:
        kind = (holding.retain_days, holding.restricted, holding.parts)
        holders.append({"member": holding.member, "kind": kinds.setdefault(kind, len(kinds))})
        for part in holding.parts:
            for grant in part.grants:
                grants.setdefault(grant, len(grants))
    return {
        "grants": [{name: getattr(grant, name) for name in _OF_GRANT} for grant in grants],
        "kinds": [
            {"retain_days": days, "restricted": restricted, "parts": [_part_record(part, grants) for part in parts]}
            for days, restricted, parts in kinds
        ],
        "holders": holders,
    }


def _part_record(part: HeldPart, grants: Mapping[HeldGrant, int]) -> dict[str, Any]:
    return {"part": part.part, "locate": part.locate, "grants": [grants[grant] for grant in part.grants]}


def holdings_of(record: Mapping[str, Rows]) -> tuple[Holding, ...]:
    """The inverse of `holdings_record`."""
    grants = [HeldGrant(**row) for row in record["grants"]]
    kinds = [
        (
            tuple(
                HeldPart(part["part"], tuple(grants[at] for at in part["grants"]), part["locate"])
                for part in kind["parts"]
            ),
            kind["retain_days"],
            kind["restricted"],
        )
        for kind in record["kinds"]
    ]
    return tuple(Holding(row["member"], *kinds[row["kind"]]) for row in record["holders"])


def history_record(history: History) -> dict[str, Rows]:
    """Every code, by field and then by code."""
    rows = [{"field": name, "code": code} for name in _OF_HISTORY for code in sorted(getattr(history, name))]
    return {"stated": rows}


def history_of(record: Mapping[str, Rows]) -> History:
    """The inverse of `history_record`."""
    stated: dict[str, set[str]] = {}
    for row in record["stated"]:
        stated.setdefault(row["field"], set()).add(row["code"])
    return History(**{name: frozenset(found) for name, found in stated.items()})


def rulings_record(rulings: Rulings) -> dict[str, Rows]:
    """What people ruled; sets sorted."""
    ruled = [_ruling_record(each) for each in (*rulings.releases, *rulings.discretions, *rulings.overrides)]
    return {
        "barred": sorted(rulings.barred),
        "rulings": ruled,
        "refusals": [
            {
                "kind": refusal.kind,
                "recipients": sorted(refusal.recipients),
                "parts": sorted(refusal.parts),
                "rules": _refs_record(refusal.rules),
                "grade": refusal.grade,
                "flags": sorted(refusal.flags),
                "hazards": sorted(refusal.hazards),
            }
            for refusal in rulings.refusals
        ],
        "lines": [_line_record(line) for line in rulings.lines],
    }


def _ruling_record(ruling: Ruling) -> dict[str, Any]:
    release = ruling if isinstance(ruling, Release) else None
    return {
        "kind": type(ruling).__name__.lower(),
        "id": ruling.id,
        "role": ruling.role,
        "agreement": ruling.agreement,
        "rule": ruling.rule,
        "recipients": sorted(ruling.recipients),
        "parts": sorted(ruling.parts),
        "at": ruling.at,
        "until": ruling.until,
        "locate": ruling.locate,
        "rules": _refs_record(release.rules) if release else [],
        "filled": sorted(release.filled) if release else [],
        "caveats": sorted(release.caveats) if release else [],
        "sequence": ruling.sequence if isinstance(ruling, Discretion) else None,
    }


def _line_record(line: Line) -> dict[str, Any]:
    plain = {name: getattr(line, name) for name in _OF_LINE}
    path = [{"role": step.role, "within_s": step.within_s} for step in line.path]
    return plain | {"parts": sorted(line.parts), "path": path}


def _refs_record(refs: Sequence[RuleRef]) -> Rows:
    return [{"agreement": ref.agreement, "rule": ref.rule} for ref in refs]


def rulings_of(record: Mapping[str, Rows]) -> Rulings:
    """The inverse of `rulings_record`."""
    ruled = record["rulings"]
    return Rulings(
        barred=frozenset(record["barred"]),
        releases=tuple(_release(row) for row in ruled if row["kind"] == "release"),
        discretions=tuple(
            Discretion(**_ruling(row), sequence=row["sequence"]) for row in ruled if row["kind"] == "discretion"
        ),
        overrides=tuple(Override(**_ruling(row)) for row in ruled if row["kind"] == "override"),
        refusals=tuple(_refusal(row) for row in record["refusals"]),
        lines=tuple(_line(row) for row in record["lines"]),
    )


def _ruling(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = {name: row[name] for name in ("id", "role", "agreement", "rule", "at", "until", "locate")}
    return plain | {name: frozenset(row[name]) for name in ("recipients", "parts")}


def _release(row: Mapping[str, Any]) -> Release:
    return Release(
        **_ruling(row),
        rules=_refs(row["rules"]),
        filled=frozenset(row["filled"]),
        caveats=frozenset(row["caveats"]),
    )


def _refusal(row: Mapping[str, Any]) -> Refusal:
    sets = {name: frozenset(row[name]) for name in ("recipients", "parts", "flags", "hazards")}
    return Refusal(kind=row["kind"], rules=_refs(row["rules"]), grade=row["grade"], **sets)


def _line(row: Mapping[str, Any]) -> Line:
    path = tuple(Step(step["role"], step["within_s"]) for step in row["path"])
    return Line(**{name: row[name] for name in _OF_LINE}, parts=frozenset(row["parts"]), path=path)


def _refs(rows: Rows) -> tuple[RuleRef, ...]:
    return tuple(RuleRef(row["agreement"], row["rule"]) for row in rows)


def expected_record(expected: Sequence[Expected]) -> dict[str, Rows]:
    """Answers that members owe."""
    rows = [
        {name: getattr(each, name) for name in _OF_EXPECTED}
        | {"limits_s": list(each.limits_s), "sections": sorted(each.sections)}
        for each in expected
    ]
    return {"expected": rows}


def expected_of(record: Mapping[str, Rows]) -> tuple[Expected, ...]:
    """The inverse of `expected_record`."""
    return tuple(
        Expected(
            **{name: row[name] for name in _OF_EXPECTED},
            limits_s=tuple(row["limits_s"]),
            sections=frozenset(row["sections"]),
        )
        for row in record["expected"]
    )
