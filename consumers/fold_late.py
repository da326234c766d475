"""A delivery that comes after newer ones of its incident, as what was missing does in a replay: pure.

It takes its own place. What it states is shown where nothing newer stated, withdrew or took it back; what it withdraws
or takes back still goes, as far as nothing newer stated it again. The latest number and action stay the newest's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from consumers.change import HEAD, Change, Numbers, Row
from consumers.delivery import Delivery
from consumers.fold_actions import state_head, stated_sections, take_head_back, withdraw_head, withdrawn
from schemas.sections import SECTIONS

_NEWEST: Final = 1 << 63


def take_late(change: Change, delivery: Delivery, numbers: Numbers) -> bool:
    """Take in a delivery whose number is not above the latest; False: it changes nothing.

    Args:
        change: of its incident.
        delivery: with a number.
        numbers: of the incident's sections as they stand, with the number that stated or withdrew each.
    """
    number, row = delivery.terms["number"], change.row
    if number == row.get("latest_number"):
        return False
    has_newer_head = _head_number(row) > number
    match delivery.action:
        case "share" | "correct":
            return number > _cleared(row) and _fill(change, delivery, numbers, has_newer_head)
        case "withdraw":
            return _remove(change, delivery, numbers, has_newer_head)
        case "retract":
            return _take_back(change, delivery, numbers, has_newer_head)
        case _:
            return False


def _head_number(row: Row) -> int:
    """The number of the delivery that stated the head; the highest there is where that is not known."""
    stated: int | None = row.get("head_number") if row.get("event_id") is not None else 0
    return _NEWEST if stated is None else stated


def _cleared(row: Row) -> int:
    """Nothing up to this number comes back."""
    return row.get("cleared_number") or 0


def _older(names: Iterable[str], numbers: Numbers, number: int) -> set[str]:
    """Those sections that are held, and were last stated or withdrawn before."""
    return {name for name in names if name in numbers and (numbers[name] or _NEWEST) < number}


def _fill(change: Change, delivery: Delivery, numbers: Numbers, has_newer_head: bool) -> bool:  # noqa: FBT001
    stated = dict(stated_sections(delivery))
    filled = {name for name in stated if name not in numbers} | _older(stated, numbers, delivery.terms["number"])
    change.sections.update((name, stated[name]) for name in filled)
    if not has_newer_head:
        kept = {name: change.row.get(name) for name in ("retain_until", "retain_days")}
        state_head(change, delivery)
        change.row.update((name, value) for name, value in kept.items() if value is not None)
    return bool(filled) or not has_newer_head


def _remove(change: Change, delivery: Delivery, numbers: Numbers, has_newer_head: bool) -> bool:  # noqa: FBT001
    """What is not held is marked too: it may come later still."""
    named, number = delivery.terms["withdraws"], delivery.terms["number"]
    if HEAD in named:
        cleared = _cleared(change.row)
        _drop(change, numbers, number, None)
        if not has_newer_head and (number > cleared or change.row.get("withdrawn_at") is None):
            withdraw_head(change, delivery)
        change.row["cleared_number"] = max(number, cleared)
    marked = {name for name in named if name in SECTIONS and name not in numbers} | _older(named, numbers, number)
    change.sections.update((name, withdrawn(delivery)) for name in marked)
    return HEAD in named or bool(marked)


def _take_back(change: Change, delivery: Delivery, numbers: Numbers, has_newer_head: bool) -> bool:  # noqa: FBT001
    """What is older is sealed and goes; what was shared again since stays."""
    number, cleared = delivery.terms["number"], _cleared(change.row)
    _drop(change, numbers, number, delivery.delivery_id)
    if not has_newer_head and (number > cleared or change.row.get("retracted_at") is None):
        take_head_back(change, delivery)
    change.row["cleared_number"] = max(number, cleared)
    return True


def _drop(change: Change, numbers: Numbers, number: int, sealed_by: str | None) -> None:
    """The sections that were last stated before this number go; sealed, where that is asked."""
    for name in _older(numbers, numbers, number):
        section = change.sections.pop(name, None)
        if sealed_by is not None and section is not None and section.items:
            change.sealed.append((sealed_by, name, section.items))
        change.drop(name, sealed_by)
