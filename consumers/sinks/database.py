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
from consumers.sinks.kept_tables import GAP, KEPT_BY_ALL, META, POSITION, SET_ASIDE
from consumers.sinks.table import Column, Table, View, iso
from schemas.errors import Rejected

SCHEMA_VERSION: Final = 1


class Database(ABC):
    """One database of one kind (``receiving``, ``ledger``) for one member. Use it from one thread.

    Statements are written once for all kinds of databases, with ``?`` for each value. Values go in as `Table.row`
    makes them, and come out so: times and JSON as text, booleans as 0 or 1. What is wrong with a value passes as one
    of `unstorable`, inside a transaction; every other trouble is `Unavailable`, `Rejected` or `Fatal`.
    """

    unstorable: tuple[type[Exception], ...]
    """What the database or its driver says of a value that it cannot hold."""

    def __init__(
        self, name: str, kind: str, member: str | None, tables: Sequence[Table] | None, views: Sequence[View] = ()
    ) -> None:
        """Remember what it must be.

        Args:
            name: how messages name it; without passwords.
            kind: what it must be.
            member: whose it must be; None: anyone's that is there.
            tables: its own, made if nothing is there; None: they must be there.
            views: over these tables, made with them.
        """
        self.name = name
        self._kind = kind
        self._member = member
        self._tables = tables
        self._views = views

    def _prepare(self) -> None:
        """Make the tables if nothing is there, and see that it is what it must be; then what a later release brought.

        Raises:
            Rejected: it is something else's, another member's, or a newer release's.
        """
        with self.transaction():
            found = self._meta()
            if not found and self._tables is not None:
                for table in (*KEPT_BY_ALL, *self._tables):
                    self._create(table)
                for view in self._views:
                    self._create_view(view)
                found = {"schema_version": str(SCHEMA_VERSION), "kind": self._kind, "member": str(self._member)}
                self.write(META.insert, list(found.items()))
        self._check(found)
        if self._tables is not None:
            own = (*KEPT_BY_ALL, *self._tables)
            if self._lacks(own):
                with self.transaction():
                    self._complete(own)
            self._complete_indexes(own)

    def _lacks(self, tables: Sequence[Table]) -> bool:
        """Whether a table, column or view is missing that came with a later release than this database."""
        here, names = self._columns(), self._names()
        return any(set(table.columns) - here.get(table.name, set()) for table in tables) or any(
            view.name not in names for view in self._views
        )

    def _complete(self, tables: Sequence[Table]) -> None:
        """Make the tables, columns and views that are missing, within a transaction: another may have, meanwhile."""
        here, names = self._columns(), self._names()
        if self._lacks(tables) and not self._may_create():
            raise Rejected(
                "older-database",
                f"{self.name}: tables or columns of this release are missing, and this role cannot make them",
                remedy="start once as the owner of the tables, then grant what docs/receiving.md lists",
            )
        for table in tables:
            if table.name not in here:
                self._create(table)
                continue
            for column in table.body:
                if column.name not in here[table.name]:
                    self._add_column(table, column)
        for view in self._views:
            if view.name not in names:
                self._create_view(view)

    def _complete_indexes(self, tables: Sequence[Table]) -> None:
        """Make the indexes that came with a later release than the tables. Slow where many rows are there, once."""
        here = self._indexes()
        for table in tables:
            for name, statement in table.indexes.items():
                if name not in here and self._may_index(table):
                    with self.transaction():
                        self.execute(statement)

    def _may_create(self) -> bool:
        """Whether tables may be made and changed."""
        return True

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
        """The tables and views that are here, ours or not."""

    @abstractmethod
    def _columns(self) -> dict[str, set[str]]:
        """The columns of each table that is here, ours or not."""

    @abstractmethod
    def _indexes(self) -> set[str]:
        """The indexes that are here, ours or not."""

    @abstractmethod
    def _create(self, table: Table) -> None:
        """Make a table with its indexes."""

    @abstractmethod
    def _add_column(self, table: Table, column: Column) -> None:
        """Add a column, which may be NULL, to a table that is here."""

    @abstractmethod
    def _create_view(self, view: View) -> None:
        """Make a view."""

    def positions(self) -> dict[tuple[str, int], int]:
        """(topic, partition) → record to read next."""
        return {(t, p): at for t, p, at in self.query("SELECT topic, partition, next_offset FROM position")}

    def advance(self, stored: Positions, to: Positions, first: Positions | None = None) -> None:
        """Store new positions; never back. `first` are the records that these began with."""
        began = first or {}
        moved = [(*place, at, began.get(place)) for place, at in to.items() if at > stored.get(place, -1)]
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
