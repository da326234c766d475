"""A mapping tried out on the first records of a source: nothing is spooled, nothing is sent."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from producers.mapping import Draft, Maker
from producers.sources.source import Source
from schemas.codes import enum_code, enum_names
from schemas.errors import Rejected
from schemas.event import IncidentEvent

_AT_ONCE = 100


@dataclass
class Rehearsal:
    """What would become of the records."""

    records: int = 0
    events: int = 0
    incidents: int = 0
    repeated: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    """By reason."""
    messages: dict[str, list[str]] = field(default_factory=dict)
    """By reason: the first few, with their places. No field values."""
    filled: Counter[str] = field(default_factory=Counter)
    """How many events have each field, by path."""
    first: IncidentEvent | None = None


def rehearse(source: Source, make: Maker, now: datetime, most: int) -> Rehearsal:
    """Read and map ``most`` records at most, from the first.

    Raises:
        Rejected: there is nothing to read.
    """
    result = Rehearsal()
    incidents: set[str] = set()
    keys: set[str] = set()
    source.resume(None)
    while result.records < most and (records := source.read(min(_AT_ONCE, most - result.records))):
        for record in records:
            result.records += 1
            try:
                draft = make(record, now)
            except Rejected as rejected:
                _set_aside(result, record.where, rejected)
                continue
            if draft.event_key in keys:
                result.repeated += 1
                continue
            keys.add(draft.event_key)
            incidents.add(draft.event.incident_id)
            _made(result, draft)
    source.close()
    result.incidents = len(incidents)
    return result


_OF_QUALITY: Final = frozenset({"accuracy", "completeness", "reliability"})
_OF_HEAD: Final = frozenset(enum_names()) - _OF_QUALITY


def stated(event: IncidentEvent) -> dict[str, Any]:
    """What an event says, without what it leaves open; codes as the code lists and mapping files have them."""
    told: dict[str, Any] = _in_codes(event.model_dump(mode="json", exclude_defaults=True), _OF_QUALITY)
    return told | {name: enum_code(told[name]) for name in _OF_HEAD & told.keys()}


def _in_codes(value: Any, names: frozenset[str]) -> Any:  # noqa: ANN401  plain data
    """Plain data with the closed codes of these names as lists write them, and not as Avro does."""
    if isinstance(value, list):
        return [_in_codes(inner, names) for inner in value]
    if isinstance(value, dict):
        return {name: enum_code(inner) if name in names else _in_codes(inner, names) for name, inner in value.items()}
    return value


def _set_aside(result: Rehearsal, where: str, rejected: Rejected) -> None:
    result.set_aside[rejected.reason] += 1
    messages = result.messages.setdefault(rejected.reason, [])
    text = str(rejected) if where in str(rejected) else f"{where}: {rejected}"
    if len(messages) < 3:
        messages.append(text)


def _made(result: Rehearsal, draft: Draft) -> None:
    result.events += 1
    result.first = result.first or draft.event
    result.filled.update(_paths(stated(draft.event), ""))


def _paths(value: object, path: str) -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_paths(inner, f"{path}.{name}".lstrip(".")) for name, inner in value.items()))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return set().union(*(_paths(inner, f"{path}[]") for inner in value))
    return {path}
