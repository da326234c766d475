"""A force's own records into incident events, as its mapping file says (docs/mapping.md).

    mapping = load_mapping(Path("west-yorkshire.mapping.yaml"))
    draft = mapping.draft(record, now, origin="west-yorkshire", contact=contact)

Mapping is total: any record gives a draft or a `Rejected`, never another exception. It is pure: the same record, time
and file give the same draft. It never guesses: a code that no list has, a time that cannot be read, or a required field
that is blank sets the record aside.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from producers.mapping_rules import Rule, SectionRule, assembled
from producers.mapping_values import as_text, column_value
from producers.sources.source import SourceRecord
from schemas.errors import Rejected
from schemas.event import Contact, IncidentEvent

DIGEST_AND_LINE: Final = "file-digest-and-line"
REQUIRED: Final = ("kind", "mode", "recorded_at")
"""Without these no event: what happened; that it is no exercise; and the time from which delay is measured."""
_LOGS: Final = ("facts", "assessments", "narrative")
_NO_CONTACT: Final = Contact()


@dataclass(frozen=True, slots=True)
class Draft:
    """An event that has no sequence and no event_id yet: the spool gives them."""

    event_key: str
    event: IncidentEvent


Maker = Callable[[SourceRecord, datetime], Draft]
"""From a record and the present time to a draft; raises `Rejected` for a record that no event can be made of."""


@dataclass(frozen=True, slots=True)
class Key:
    """What makes an incident or event key: columns, or the record's place in its file."""

    columns: tuple[str, ...] | None

    def of(self, record: SourceRecord, what: str) -> str:
        """The key of a record.

        Raises:
            Rejected: one of its columns is blank.
        """
        if self.columns is None:
            return record.digest_and_line
        parts = []
        for name in self.columns:
            value = column_value(record.columns, name)
            if value is None:
                raise Rejected("missing-field", f"column {name!r}: blank, and {what} is made from it")
            parts.append(as_text(value, name))
        return parts[0] if len(parts) == 1 else json.dumps(parts, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class RecordFormat:
    """How the source writes its records."""

    kind: str | None = None
    """``csv`` or ``jsonl``; None: as the file's name says."""
    delimiter: str = ","
    encoding: str = "utf-8"
    blank: frozenset[str] = frozenset()
    """Texts that stand where the source has nothing to say: ``N/K``, ``No Location``."""


@dataclass(frozen=True)
class FieldMapping:
    """A mapping file that has been read and checked; make one with `producers.mapping_load.load_mapping`."""

    name: str
    system: str
    """The system the records come from: a spool belongs to one force and system."""
    incident_key: Key
    event_key: Key
    rules: tuple[Rule, ...]
    section_rules: tuple[SectionRule, ...]
    columns: tuple[str, ...]
    """Every column that is read."""
    record_format: RecordFormat = RecordFormat()

    def draft(self, record: SourceRecord, now: datetime, *, origin: str, contact: Contact = _NO_CONTACT) -> Draft:
        """The event that a record tells of.

        Raises:
            Rejected: none can be made; names columns and what was expected of them, never what stood in them.
        """
        if record.fault is not None:
            raise record.fault
        record = self._without_blank(record)
        incident_id = self.incident_key.of(record, "the incident key")
        event_key = self.event_key.of(record, "the event key")
        fields = assembled(self.rules, record.columns, now)
        for rule in self.section_rules:
            fields[rule.section] = rule.elements(record.columns, now)
        _require(fields)
        _name_lines(fields)
        category = next((c.get("category") for c in fields.get("classification", ())), None) or "unknown"
        produced = {"origin": origin, "incident_id": incident_id, "sent_at": now, "contact": contact}
        return Draft(event_key, _event({**fields, **produced, "category": category.partition("/")[0]}))

    def _without_blank(self, record: SourceRecord) -> SourceRecord:
        blank = self.record_format.blank
        if not blank:
            return record
        columns = {
            name: None if isinstance(value, str) and value.strip() in blank else value
            for name, value in record.columns.items()
        }
        return replace(record, columns=columns)

    def missing_columns(self, header: Mapping[str, Any] | tuple[str, ...]) -> tuple[str, ...]:
        """Columns that the mapping reads and a file's header does not have."""
        return tuple(name for name in self.columns if name not in header)


def _require(fields: Mapping[str, Any]) -> None:
    for name in REQUIRED:
        if fields.get(name) is None:
            raise Rejected("missing-field", f"{name}: every event needs it, and what it is mapped from is blank")


def _name_lines(fields: dict[str, Any]) -> None:
    """Log lines without an entry_id get one from their place, which stays the same while a log grows at its end."""
    for section in _LOGS:
        if section in fields:
            fields[section] = tuple(
                {"entry_id": f"{section}-{n}", **line} for n, line in enumerate(fields[section], start=1)
            )


def _event(fields: dict[str, Any]) -> IncidentEvent:
    try:
        return IncidentEvent.model_validate(fields)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(step) for step in fault["loc"])
        if fault["type"] == "missing":
            message = f"{where}: required where the rest of its element is filled, and it is blank"
            raise Rejected("missing-field", message) from None
        raise Rejected("invalid-event", f"{where}: {_expected(fault['type'])}") from None


def _expected(fault: str) -> str:
    """What pydantic expected, by the kind of fault; its own words may quote what came."""
    return {
        "string_too_long": "expected fewer characters (an incident id has 200 at most)",
        "string_too_short": "expected at least one character",
        "string_pattern_mismatch": "expected a member's name: lower case, digits and hyphens",
    }.get(fault, f"expected another value ({fault})")
