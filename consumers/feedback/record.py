"""One feedback record: opened, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from consumers.delivery import Record, check_identifiers, without_nul
from consumers.sinks.table import iso
from schemas.codec import SchemaLookup, decode
from schemas.codes import enum_code


@dataclass(frozen=True, slots=True)
class Told:
    """What the origin is told: `value` by the fields of the newest Feedback, `kind` as a code."""

    record: Record
    value: Mapping[str, Any]

    @property
    def feedback_id(self) -> str:
        """The same however often it is made."""
        return str(self.value["feedback_id"])

    @property
    def kind(self) -> str:
        """What happened."""
        return str(self.value["kind"])

    def without_nul(self) -> Told:
        """The same with U+FFFD wherever U+0000 stands, which not every database can hold."""
        return Told(self.record, without_nul(self.value))

    def as_json(self) -> str:
        """The record on one line: codes, times in UTC, every field that the newest version has."""
        return json.dumps(self.value, ensure_ascii=False, separators=(",", ":"), default=_time)


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(type(value).__name__)


_IDENTIFIERS: Final = ("incident_id", "event_id", "delivery_id")


def feedback_opener(max_bytes: int, lookup: SchemaLookup | None = None) -> Callable[[Record], Told]:
    """What opens the records of a feedback topic, of any released version.

    Args:
        max_bytes: most bytes of a record that are looked at.
        lookup: where to find schemas newer than this release.
    """

    def open_feedback(record: Record) -> Told:
        value = decode("Feedback", record.value, max_bytes, lookup)
        named = (entry[name] for entry in value["entries"] for name in _IDENTIFIERS)
        check_identifiers(value["feedback_id"], value["member"] or "", *(one for one in named if one))
        return Told(record, {**value, "kind": enum_code(value["kind"])})

    return open_feedback
