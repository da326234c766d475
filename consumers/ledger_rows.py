"""The records of a force's own topics as rows of its ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from consumers.delivery import Record, check_identifiers, without_nul
from consumers.ledger_case_tables import CASE_LINE, CASE_NOTICE, CASE_RECORD, INCIDENT_CASE, RULING
from consumers.ledger_tables import DECISION, DISCLOSURE, FEEDBACK
from consumers.sinks.table import Table
from schemas.catalogue import Record as RecordName
from schemas.codec import SchemaLookup, decode
from schemas.codes import enum_code
from schemas.topics import family_of

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One record as rows. `identity` is of its first table's rows: (table, identifier)."""

    record: Record
    identity: tuple[Table, str]
    rows: tuple[tuple[Table, Row], ...]
    """What is added, and stays."""
    standing: tuple[tuple[Table, Row], ...] = ()
    """Of a case: how it stands now, in place of how it stood."""

    def without_nul(self) -> LedgerEntry:
        """The same with U+FFFD wherever U+0000 stands, which not every database can hold."""
        rows, standing = (
            tuple((table, without_nul(row)) for table, row in each) for each in (self.rows, self.standing)
        )
        return LedgerEntry(self.record, self.identity, rows, standing)


def ledger_opener(max_bytes: int, lookup: SchemaLookup | None = None) -> Callable[[Record], LedgerEntry]:
    """What opens the records of a force's topics of disclosures, feedback, cases and rulings.

    Args:
        max_bytes: most bytes of a record that are looked at.
        lookup: where to find schemas newer than this release.
    """

    def open_entry(record: Record) -> LedgerEntry:
        name, as_entry = _OF_FAMILY[family_of(record.topic) or ""]
        value = decode(name, record.value, max_bytes, lookup)
        entry = as_entry(record, value)
        check_identifiers(entry.identity[1], str(value.get("incident_id", "")))
        return entry

    return open_entry


def _disclosure(record: Record, value: Mapping[str, Any]) -> LedgerEntry:
    considered = value["considered"]
    stated = {name: considered[name] for name in ("category", "grade", "status", "kind", "mode")}
    row = {
        **value,
        **_source(value["source"]),
        **stated,
        "policy_version": value["policy"]["version"],
        "policy_hash": value["policy"]["hash"],
    }
    decisions = [
        (DECISION, _decision(value["record_id"], group, recipient))
        for group in value["decisions"]
        for recipient in group["recipients"]
    ]
    return LedgerEntry(record, (DISCLOSURE, value["record_id"]), ((DISCLOSURE, row), *decisions))


def _decision(record_id: str, group: Mapping[str, Any], recipient: Mapping[str, Any]) -> Row:
    states = {of["section"]: enum_code(of["state"]) for of in group["sections"]}
    return {
        **group,
        **recipient,
        "record_id": record_id,
        # What was recorded by an earlier release names neither.
        "action": group.get("action", ""),
        "withdraws": group.get("withdraws", []),
        "outcome": enum_code(group["outcome"]),
        "head": enum_code(group["head"]),
        "sections": states,
        "covers": [section for section, state in states.items() if state == "granted"],
    }


def _feedback(record: Record, value: Mapping[str, Any]) -> LedgerEntry:
    said = {**value, "kind": enum_code(value["kind"]), **(_source(value["source"]) if value["source"] else {})}
    entries: Iterable[Row] = (
        {**entry, "was_at": entry["at"], "entry": number} for number, entry in enumerate(value["entries"], start=1)
    )
    nothing: Row = {"entry": 0, "incident_id": "", "event_id": ""}
    rows = tuple((FEEDBACK, {**entry, **said}) for entry in entries) or ((FEEDBACK, {**nothing, **said}),)
    return LedgerEntry(record, (FEEDBACK, value["feedback_id"]), rows)


def _source(source: Mapping[str, Any]) -> Row:
    return {"topic": source["topic"], "partition": source["partition"], "record_offset": source["offset"]}


def _case(record: Record, value: Mapping[str, Any]) -> LedgerEntry:
    of_it = {name: value[name] for name in ("record_id", "incident_id", "at")}
    lines = value["lines"]
    notices = [
        (CASE_NOTICE, {**notice, **of_it, "notice": number}) for number, notice in enumerate(value["notices"], start=1)
    ]
    now = {**value, "open_lines": len(lines), "next_deadline": min((line["deadline"] for line in lines), default=None)}
    standing = [(CASE_LINE, {**line, **_asked(line), "incident_id": value["incident_id"]}) for line in lines]
    kept = (CASE_RECORD, {**value, "record_offset": record.offset})
    identity = (CASE_RECORD, value["record_id"])
    return LedgerEntry(record, identity, (kept, *notices), ((INCIDENT_CASE, now), *standing))


def _asked(line: Mapping[str, Any]) -> Row:
    """Who is asked now."""
    path, step = line["path"], line["step"]
    return {"role": path[step]["role"] if 0 <= step < len(path) else ""}


def _ruling(record: Record, value: Mapping[str, Any]) -> LedgerEntry:
    row = {
        **value,
        "topic": record.topic,
        "partition": record.partition,
        "record_offset": record.offset,
        "kind": enum_code(value["kind"]),
        "taken_at": datetime.fromtimestamp(record.timestamp_ms / 1000, UTC),
    }
    return LedgerEntry(record, (RULING, value["ruling_id"]), ((RULING, row),))


_OF_FAMILY: Final[dict[str, tuple[RecordName, Callable[[Record, Mapping[str, Any]], LedgerEntry]]]] = {
    "disclosures": ("DisclosureRecord", _disclosure),
    "feedback": ("Feedback", _feedback),
    "cases": ("Case", _case),
    "rulings": ("Ruling", _ruling),
}
