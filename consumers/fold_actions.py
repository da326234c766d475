"""What each action does to what is held of an incident, where it is the newest: pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from consumers.change import HEAD, Change, Row, Section
from consumers.delivery import Delivery
from consumers.sinks.table import iso
from schemas.codes import enum_code
from schemas.sections import SECTIONS

_ENUMS: Final = ("kind", "mode", "grade", "status", "marking")
_PLAIN: Final = (
    "event_id local_ref occurred_at recorded_at sent_at effective_at category primacy handling".split()  # noqa: SIM905
)
_QUALITY: Final = ("accuracy", "completeness", "reliability")


def share(change: Change, delivery: Delivery) -> None:
    """The head and every covered section are replaced."""
    change.sections.update(stated_sections(delivery))
    state_head(change, delivery)


def stated_sections(delivery: Delivery) -> Iterator[tuple[str, Section]]:
    """The sections that a delivery covers, empty or not."""
    terms, event = delivery.terms, delivery.event
    stated_at = event["recorded_at"] or event["sent_at"]
    for name in terms["covers"]:
        if name in SECTIONS:
            items = [plain(item) for item in event[name]]
            yield name, Section(items, stated_at, event["event_id"], delivery.delivery_id, terms["number"])


def state_head(change: Change, delivery: Delivery) -> None:
    """The head is this event's, and so are the terms of the whole; nothing counts as taken back any more."""
    terms = delivery.terms
    change.row.update(
        head_columns(delivery.event),
        head_number=terms["number"],
        addressed_to_us=terms["addressed_to_you"],
        links=terms["links"],
        retain_until=terms["retain_until"],
        retain_days=terms["retain_days"],
        onward=terms["onward"],
        withdrawn_at=None,
        disposed_at=None,
        retracted_at=None,
        retracted_sent_at=None,
        retract_reason=None,
        retract_ask=None,
    )


def withdraw(change: Change, delivery: Delivery) -> None:
    """The named sections go, and leave a mark; where the head is named, so does everything."""
    named = delivery.terms["withdraws"]
    keep_until(change, delivery)
    if HEAD in named:
        change.clear()
        withdraw_head(change, delivery)
    change.sections.update((name, withdrawn(delivery)) for name in named if name in SECTIONS)


def withdraw_head(change: Change, delivery: Delivery) -> None:
    """The head goes, and leaves a mark."""
    change.row.update(
        dict.fromkeys(head_names()),
        addressed_to_us=False,
        links=[],
        taken_over_at=None,
        withdrawn_at=delivery.terms["decided_at"],
        cleared_number=delivery.terms["number"],
    )


def withdrawn(delivery: Delivery) -> Section:
    """The mark that a withdrawal leaves of a section."""
    event = delivery.event
    return Section(None, event["sent_at"], event["event_id"], delivery.delivery_id, delivery.terms["number"])


def take_back(change: Change, delivery: Delivery) -> None:
    """Everything is sealed and goes, and a tombstone stays."""
    by = delivery.delivery_id
    change.sealed += [(by, name, section.items) for name, section in change.sections.items() if section.items]
    change.clear(sealed_by=by)
    take_head_back(change, delivery)


def take_head_back(change: Change, delivery: Delivery) -> None:
    """The head is sealed and goes; what stays of the row is the tombstone."""
    terms = delivery.terms
    if change.row.get("event_id"):
        head = {name: change.row.get(name) for name in head_names()}
        change.sealed.append((delivery.delivery_id, HEAD, head))
    change.row.update(
        dict.fromkeys(head_names()),
        addressed_to_us=False,
        links=[],
        taken_over_at=None,
        cleared_number=terms["number"],
        retracted_at=terms["decided_at"],
        retracted_sent_at=iso(delivery.event["sent_at"]),
        retract_reason=terms["reason"],
        retract_ask=terms["ask"],
    )


def keep_until(change: Change, delivery: Delivery) -> None:
    """A notice may say until when what is held may be kept; what it does not say stands."""
    if delivery.terms["retain_until"] is not None:
        change.row.update(retain_until=delivery.terms["retain_until"], retain_days=delivery.terms["retain_days"])


def head_names() -> tuple[str, ...]:
    """The columns that show the head."""
    return (*_PLAIN, *_ENUMS, *_QUALITY, "quality_as_of")


def head_columns(event: Mapping[str, Any]) -> Row:
    """The head of an event as columns: codes instead of symbols, quality beside the rest."""
    quality = event["quality"] or {}
    return {
        **{name: event[name] for name in _PLAIN},
        **{name: enum_code(event[name]) for name in _ENUMS},
        **{name: enum_code(quality[name]) if quality else None for name in _QUALITY},
        "quality_as_of": quality.get("as_of"),
    }


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of a section without what is not stated, codes instead of symbols."""
    found: dict[str, Any] = {}
    for name, value in item.items():
        if type(value) is dict:
            found[name] = _plain_quality(value) if name == "quality" else plain(value)
        elif value is not None:
            found[name] = value
    return found


def _plain_quality(quality: Mapping[str, Any]) -> dict[str, Any]:
    stated = {name: enum_code(quality[name]) for name in _QUALITY}
    return stated if quality["as_of"] is None else {**stated, "as_of": quality["as_of"]}
