"""A database that a subscriber writes to: what every sink in SQL keeps, whichever kind of database it is.

Several processes may write: each transaction takes the write lock first and reads what it depends on within it.
`consumers.sinks.places` opens one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final

from consumers.delivery import Positions, SetAside
from consumers.sinks import Gap
from consumers.sinks.table import Table, iso
from schemas.errors import Rejected

SCHEMA_VERSION: Final = 1

META: Final = Table("meta", "name", "name TEXT NOT NULL\nvalue TEXT NOT NULL")
POSITION: Final = Table(
    "position",
    "topic, partition",
    """
    topic TEXT NOT NULL
    partition INTEGER NOT NULL
    next_offset INTEGER NOT NULL  -- record to read next: everything before it is in this database
    """,
)
SET_ASIDE: Final = Table(
    "set_aside",
    "topic, partition, record_offset",
    """
    topic TEXT NOT NULL
    partition INTEGER NOT NULL
    record_offset INTEGER NOT NULL
    set_aside_at TIME NOT NULL
    reason TEXT NOT NULL  -- code
    detail TEXT NOT NULL  -- what was expected and what came
    remedy TEXT NOT NULL
    origin TEXT  -- this and the next three: NULL where it could not be read
    incident_id TEXT
    event_id TEXT
    delivery_id TEXT
    value BYTES  -- the record as it came
    """,
)
GAP: Final = Table(
    "gap",
    "topic, partition, first_offset",
    """
    topic TEXT NOT NULL
    partition INTEGER NOT NULL
    first_offset INTEGER NOT NULL  -- first record lost: it was no longer in Kafka when this system came to read it
    last_offset INTEGER NOT NULL
    noticed_at TIME NOT NULL
    """,
)
KEPT_BY_ALL: Final = (META, POSITION, SET_ASIDE, GAP)
"""The tables that every database has besides its own."""


class Database(ABC):
    """One database of one kind (``receiving``, ``ledger``) for one member. Use it from one thread.

    Statements are written once for all kinds of databases, with ``?`` for each value. Values go in as `Table.row`
    makes them, and come out so: times and JSON as text, booleans as 0 or 1. What is wrong with a value passes as one
    of `unstorable`, inside a transaction; every other trouble is `Unavailable`, `Rejected` or `Fatal`.
    """

    unstorable: tuple[type[Exception], ...]
    """What the database or its driver says of a value that it cannot hold."""

    def __init__(self, name: str, kind: str, member: str | None, tables: Sequence[Table] | None) -> None:
        """Remember what it must be.

        Args:
            name: how messages name it; without passwords.
            kind: what it must be.
            member: whose it must be; None: anyone's that is there.
            tables: its own, made if nothing is there; None: they must be there.
        """
        self.name = name
        self._kind = kind
        self._member = member
        self._tables = tables

    def _prepare(self) -> None:
        """Make the tables if nothing is there, and see that it is what it must be; then indexes that it lacks.

        Raises:
            Rejected: it is something else's, another member's, or a newer release's.
        """
        with self.transaction():
            found = self._meta()
            if not found and self._tables is not None:
                for table in (*KEPT_BY_ALL, *self._tables):
                    self._create(table)
                found = {"schema_version": str(SCHEMA_VERSION), "kind": self._kind, "member": str(self._member)}
                self.write(META.insert, list(found.items()))
        self._check(found)
        if self._tables is not None:
            self._complete_indexes(self._tables)

    def _complete_indexes(self, tables: Sequence[Table]) -> None:
        """Make the indexes that came with a later release than the tables. Slow where many rows are there, once."""
        here = self._indexes()
        for table in tables:
            for name, statement in table.indexes.items():
                if name not in here and self._may_index(table):
                    with self.transaction():
                        self.execute(statement)

    def _may_index(self, table: Table) -> bool:  # noqa: ARG002  where anyone who may write may do anything
        """Whether an index may be added to a table that is there."""
        return True

    def _meta(self) -> dict[str, str]:
        here = self._names()
        if not here:
            return {}
        if META.name not in here:
            raise Rejected(
                "bad-database", f"{self.name} is a database of something else", remedy="name one that is not there yet"
            )
        return dict(self.query("SELECT name, value FROM meta"))

    def _check(self, found: Mapping[str, str]) -> None:
        kind, member = self._kind, self._member
        if found.get("kind") != kind or (member is not None and found.get("member") != member):
            is_found = f"the {found['kind']} database of {found['member']}" if found else "nothing"
            raise Rejected(
                "bad-database",
                f"{self.name}: expected the {kind} database of {member or 'a member'}, found {is_found}: name another",
            )
        version = found.get("schema_version", "")
        if not version.isdigit() or int(version) > SCHEMA_VERSION:
            raise Rejected(
                "newer-database",
                f"{self.name} has tables of version {version}, and this release knows up to {SCHEMA_VERSION}: "
                "upgrade this release",
            )

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """All that is written within takes effect together, durably, when this ends; or nothing does.

        Raises:
            Unavailable: the database is away, full, locked, and the like: try again.
            Fatal: it is damaged.
        """

    @abstractmethod
    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Run one statement."""

    @abstractmethod
    def write(self, statement: str, rows: Collection[Sequence[Any]]) -> None:
        """Run one statement for each row."""

    @abstractmethod
    def query(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""

    @abstractmethod
    def rows_by_key(self, table: Table, keys: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
        """The rows that have one of these primary keys, as column → value."""

    @abstractmethod
    def known(self, table: Table, column: str, values: Sequence[str]) -> set[str]:
        """Which of these values the column has."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""

    @abstractmethod
    def _names(self) -> set[str]:
        """The tables that are here, ours or not."""

    @abstractmethod
    def _indexes(self) -> set[str]:
        """The indexes that are here, ours or not."""

    @abstractmethod
    def _create(self, table: Table) -> None:
        """Make a table with its indexes."""

    def positions(self) -> dict[tuple[str, int], int]:
        """(topic, partition) → record to read next."""
        return {(t, p): at for t, p, at in self.query("SELECT topic, partition, next_offset FROM position")}

    def advance(self, stored: Positions, to: Positions) -> None:
        """Store new positions; never back."""
        moved = [(*place, at) for place, at in to.items() if at > stored.get(place, -1)]
        self.write(POSITION.upsert, moved)

    def set_aside(self, refused: Iterable[SetAside], at: datetime) -> None:
        """Keep what can never be taken, where its owner finds it."""
        self.write(SET_ASIDE.upsert, SET_ASIDE.rows(_set_aside_row(one, at) for one in refused))

    def note_gap(self, gap: Gap, at: datetime) -> None:
        """Keep that records were lost before they could be read."""
        with self.transaction():
            self.execute(GAP.upsert, (*gap, iso(at)))


def _set_aside_row(refused: SetAside, at: datetime) -> dict[str, Any]:
    record, delivery = refused.record, refused.delivery
    of_delivery = {} if delivery is None else {**delivery.event, "delivery_id": delivery.delivery_id}
    return {
        **of_delivery,
        "topic": record.topic,
        "partition": record.partition,
        "record_offset": record.offset,
        "set_aside_at": at,
        "reason": refused.reason,
        "detail": refused.detail,
        "remedy": refused.remedy,
        "value": record.value,
    }
