"""The ledger: a force's own record of what was decided about its events, and of what became of them.

The same subscriber and loop as for deliveries, over the force's own disclosures, feedback, cases and rulings, into a
database made to be asked: by event, by incident, by time (`consumers.ledger_queries`), and by who must rule
(`consumers.ledger_cases`). A record that comes again, as it may after a router was killed, has the same identifier and
is kept once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Event
from typing import Final

from consumers.delivery import Batch, Positions, SetAside
from consumers.ledger_case_tables import CASE_LINE, CASE_NOTICE, CASE_RECORD, INCIDENT_CASE, RULING
from consumers.ledger_rows import LedgerEntry, ledger_opener
from consumers.ledger_tables import DECISION, DISCLOSURE, FEEDBACK, KIND, TABLES
from consumers.runner import Counted, Progress, Runner
from consumers.settings import ConsumerSettings
from consumers.sinks import Gap, Written
from consumers.sinks.places import Place, open_database
from consumers.sinks.storable import take_storable
from consumers.sinks.table import Table
from consumers.subscriber import Subscriber
from schemas.errors import Rejected
from schemas.ops.health import Health
from schemas.topics import cases_topic, disclosures_topic, feedback_topic, rulings_topic

__all__ = ["LedgerEntry", "LedgerSink", "keep_ledger", "ledger_opener"]

_ADDED: Final = (DISCLOSURE, DECISION, FEEDBACK, CASE_RECORD, CASE_NOTICE, RULING)
_WITH_IDENTITY: Final = (DISCLOSURE, FEEDBACK, CASE_RECORD, RULING)


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
        for table in _ADDED:
            rows = (row for entry in entries for of, row in entry.rows if of is table)
            self._database.write(table.insert_new, table.rows(rows))
        self._let_stand(entries)
        return list(entries), []

    def _let_stand(self, entries: Iterable[LedgerEntry]) -> None:
        """Of each case that these are about, how it stands after the last of them."""
        last = {row["incident_id"]: entry.standing for entry in entries for _, row in entry.standing[:1]}
        self._database.write(CASE_LINE.delete("incident_id"), [(incident_id,) for incident_id in last])
        for table, statement in ((INCIDENT_CASE, INCIDENT_CASE.upsert), (CASE_LINE, CASE_LINE.insert_new)):
            rows = (row for standing in last.values() for of, row in standing if of is table)
            self._database.write(statement, table.rows(rows))

    def _new(self, entries: Iterable[LedgerEntry]) -> list[LedgerEntry]:
        """One of each identity, less those that are here: a record is kept whole as it first came, or not at all."""
        new: dict[tuple[Table, str], LedgerEntry] = {}
        for entry in entries:
            new.setdefault(entry.identity, entry)
        for table in _WITH_IDENTITY:
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
    """Write what is decided for a force into its ledger until `stop` is set, or nothing has come for so long.

    Raises:
        Rejected: the member does not publish, or the database is not this force's ledger.
        Fatal: this process cannot go on.
    """
    settings.must("publishes")
    force = settings.member
    with ExitStack() as closing:
        sink = LedgerSink(settings.into, force)
        closing.callback(sink.close)
        topics = [topic_of(force) for topic_of in (disclosures_topic, feedback_topic, cases_topic, rulings_topic)]
        consumer = settings.clients.consumer_config(settings.group("ledger"))
        subscriber = Subscriber(consumer, topics, sink.positions, sink.note_gap, health)
        closing.callback(subscriber.close)
        opener = ledger_opener(settings.most_bytes, settings.lookup)
        counted = Counted(force, "ledger")
        runner: Runner[LedgerEntry] = Runner(counted, subscriber, opener, sink, health=health)
        started(runner.progress)
        runner.run(stop, until_idle_s)
        return runner.progress
