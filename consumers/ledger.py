"""The ledger: a force's own record of what was decided about its events, and of what became of them.

The same subscriber and loop as for deliveries, over ``disclosures.<force>`` and ``feedback.<force>``, into a database
made to be asked: by event, by incident, by time (`consumers.ledger_queries`). A record that comes again, as it may
after a router was killed, has the same identifier and is kept once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Any

from consumers.delivery import Batch, Positions, Record, SetAside, check_identifiers, without_nul
from consumers.ledger_tables import DECISION, DISCLOSURE, FEEDBACK, KIND, TABLES
from consumers.runner import Counted, Progress, Runner
from consumers.settings import ConsumerSettings
from consumers.sinks import Gap, Written
from consumers.sinks.places import Place, open_database
from consumers.sinks.storable import take_storable
from consumers.sinks.table import Table
from consumers.subscriber import Subscriber
from schemas.codec import SchemaLookup, decode
from schemas.codes import enum_code
from schemas.errors import Rejected
from schemas.ops.health import Health
from schemas.topics import disclosures_topic, feedback_topic

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One record as rows. `identity` is of its first table's rows: (table, identifier)."""

    record: Record
    identity: tuple[Table, str]
    rows: tuple[tuple[Table, Row], ...]

    def without_nul(self) -> LedgerEntry:
        """The same with U+FFFD wherever U+0000 stands, which not every database can hold."""
        return LedgerEntry(self.record, self.identity, tuple((table, without_nul(row)) for table, row in self.rows))


def ledger_opener(force: str, max_bytes: int, lookup: SchemaLookup | None = None) -> Callable[[Record], LedgerEntry]:
    """What opens the records of a force's disclosure and feedback topics.

    Args:
        force: whose ledger it is.
        max_bytes: most bytes of a record that are looked at.
        lookup: where to find schemas newer than this release.
    """
    disclosures = disclosures_topic(force)

    def open_entry(record: Record) -> LedgerEntry:
        if record.topic == disclosures:
            entry = _disclosure(record, decode("DisclosureRecord", record.value, max_bytes, lookup))
        else:
            entry = _feedback(record, decode("Feedback", record.value, max_bytes, lookup))
        check_identifiers(entry.identity[1])
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


def _set_aside(entry: LedgerEntry, why: Rejected) -> SetAside:
    return SetAside.of(entry.record, why)


class LedgerSink:
    """One force's ledger. Fulfils `Sink[LedgerEntry]`."""

    def __init__(self, place: Place, force: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Open the force's ledger, with tables made afresh if there are none.

        Raises:
            Rejected: it is something else's, another force's, or a newer release's.
        """
        self._clock = clock
        self._database = open_database(place, KIND, force, TABLES)

    def write(self, batch: Batch[LedgerEntry]) -> Written[LedgerEntry]:
        """Make a batch durable; see `consumers.sinks`."""
        with self._database.transaction():
            stored = self._database.positions()
            new = self._new([entry for entry in batch.taken if not entry.record.is_before(stored)])
            written, unfit = take_storable(self._database, new, self._take, _set_aside)
            refused = [*(one for one in batch.set_aside if not one.record.is_before(stored)), *unfit]
            self._database.set_aside(refused, self._clock())
            self._database.advance(stored, batch.positions)
        return Written(tuple(written), len(batch.taken) - len(new), tuple(refused))

    def _take(self, entries: Sequence[LedgerEntry]) -> tuple[list[LedgerEntry], list[SetAside]]:
        for table in (DISCLOSURE, DECISION, FEEDBACK):
            rows = (row for entry in entries for of, row in entry.rows if of is table)
            self._database.write(table.insert_new, table.rows(rows))
        return list(entries), []

    def _new(self, entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
        """One of each identity, less those that are here: a record is kept whole as it first came, or not at all."""
        new: dict[tuple[Table, str], LedgerEntry] = {}
        for entry in entries:
            new.setdefault(entry.identity, entry)
        for table in (DISCLOSURE, FEEDBACK):
            identifiers = [identifier for of, identifier in new if of is table]
            for known in self._database.known(table, table.key[0], identifiers):
                del new[table, known]
        return list(new.values())

    def positions(self) -> Positions:
        """Where to read on."""
        return self._database.positions()

    def note_gap(self, gap: Gap) -> None:
        """Keep that records were lost to retention, in the table `gap`."""
        self._database.note_gap(gap, self._clock())

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def keep_ledger(
    settings: ConsumerSettings,
    stop: Event,
    health: Health,
    *,
    until_idle_s: float | None = None,
    started: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Write a force's disclosures and feedback into its ledger until `stop` is set, or nothing has come for so long.

    Raises:
        Rejected: the member does not publish, or the database is not this force's ledger.
        Fatal: this process cannot go on.
    """
    settings.must("publishes")
    force = settings.member
    with ExitStack() as closing:
        sink = LedgerSink(settings.into, force)
        closing.callback(sink.close)
        topics = [disclosures_topic(force), feedback_topic(force)]
        consumer = settings.clients.consumer_config(settings.group("ledger"))
        subscriber = Subscriber(consumer, topics, sink.positions, sink.note_gap, health)
        closing.callback(subscriber.close)
        opener = ledger_opener(force, settings.most_bytes, settings.lookup)
        counted = Counted(force, "ledger")
        runner: Runner[LedgerEntry] = Runner(counted, subscriber, opener, sink, health=health)
        started(runner.progress)
        runner.run(stop, until_idle_s)
        return runner.progress
