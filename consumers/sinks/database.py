"""An SQLite database that a subscriber writes to: opened with care, and what every sink in SQLite keeps.

WAL, so that anyone may read while it is written; ``synchronous=FULL``, so that what was committed survives a power cut.
Several processes may write: each transaction takes the write lock first and reads what it depends on within it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from consumers.delivery import Positions, SetAside
from consumers.sinks import Gap
from consumers.sinks.table import Table, iso
from schemas.errors import Fatal, Rejected, Unavailable

SCHEMA_VERSION: Final = 1
_BUSY_S: Final = 5.0
_RETRY_S: Final = 1.0
# SQLite's oldest limit on parameters is 999; PostgreSQL's is 65,535.
_PARAMETERS: Final = 900

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
    set_aside_at TEXT NOT NULL
    reason TEXT NOT NULL  -- code
    detail TEXT NOT NULL  -- what was expected and what came
    remedy TEXT NOT NULL
    origin TEXT  -- this and the next three: NULL where it could not be read
    incident_id TEXT
    event_id TEXT
    delivery_id TEXT
    value BLOB  -- the record as it came
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
    noticed_at TEXT NOT NULL
    """,
)
_COMMON: Final = (META, POSITION, SET_ASIDE, GAP)


class Database:
    """One database file of one kind (``receiving``, ``ledger``) for one member."""

    def __init__(self, path: Path, kind: str, member: str | None, create: Iterable[str] | None) -> None:
        """Open the file, made afresh if it is not there.

        Args:
            path: the file.
            kind: what it must be.
            member: whose it must be; None: anyone's that is there.
            create: the statements that make its own tables; None: it must be there.

        Raises:
            Rejected: it is something else's, another member's, or a newer release's.
            Unavailable: it cannot be opened now.
        """
        self.path = path
        try:
            self._connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        except sqlite3.Error as error:
            raise Rejected("bad-database", f"{path}: cannot be opened: {error}", remedy="name another file") from error
        try:
            self._prepare(kind, member, create)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, kind: str, member: str | None, create: Iterable[str] | None) -> None:
        with errors_by_what_to_do(self.path):
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
        with self.transaction():
            found = self._meta()
            if not found and create is not None:
                for statement in (*(made for table in _COMMON for made in table.create()), *create):
                    self.execute(statement)
                found = {"schema_version": str(SCHEMA_VERSION), "kind": kind, "member": str(member)}
                self.write(META.insert, list(found.items()))
        self._check(found, kind, member)

    def _meta(self) -> dict[str, str]:
        if not self.query("SELECT 1 FROM sqlite_master LIMIT 1"):
            return {}
        if not self.query("SELECT 1 FROM sqlite_master WHERE name = 'meta'"):
            raise Rejected(
                "bad-database", f"{self.path} is a database of something else", remedy="name a file that does not exist"
            )
        return dict(self.query("SELECT name, value FROM meta"))

    def _check(self, found: Mapping[str, str], kind: str, member: str | None) -> None:
        if found.get("kind") != kind or (member is not None and found.get("member") != member):
            is_found = f"the {found['kind']} database of {found['member']}" if found else "nothing"
            raise Rejected(
                "bad-database",
                f"{self.path}: expected the {kind} database of {member or 'a member'}, found {is_found}: "
                "name another file",
            )
        version = found.get("schema_version", "")
        if not version.isdigit() or int(version) > SCHEMA_VERSION:
            raise Rejected(
                "newer-database",
                f"{self.path} has tables of version {version}, and this release knows up to {SCHEMA_VERSION}: "
                "upgrade this release",
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within takes effect together, durably, when this ends; or nothing does.

        Raises:
            Unavailable: the disk is full, the file is locked, and the like: try again.
            Fatal: the file is damaged.
        """
        with errors_by_what_to_do(self.path):
            # At once: a reader that becomes a writer later may find that what it read has changed.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Run one statement."""
        self._connection.execute(statement, values)

    def write(self, statement: str, rows: Collection[Sequence[Any]]) -> None:
        """Run one statement for each row."""
        if rows:
            self._connection.executemany(statement, rows)

    def query(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self._connection.execute(statement, values).fetchall()

    def rows_by_key(self, table: Table, keys: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
        """The rows that have one of these primary keys, as column → value."""
        wanted = list(keys)
        step = _PARAMETERS // len(table.key)
        for start in range(0, len(wanted), step):
            some = wanted[start : start + step]
            for row in self.query(table.select(len(some)), [value for key in some for value in key]):
                yield dict(zip(table.columns, row, strict=True))

    def known(self, table: Table, column: str, values: Sequence[str]) -> set[str]:
        """Which of these values the column has."""
        found: set[str] = set()
        for start in range(0, len(values), _PARAMETERS):
            some = values[start : start + _PARAMETERS]
            marks = ", ".join("?" * len(some))
            found.update(
                value
                for (value,) in self.query(
                    f"SELECT {column} FROM {table.name} WHERE {column} IN ({marks})",  # noqa: S608  our own names
                    some,
                )
            )
        return found

    def positions(self) -> dict[tuple[str, int], int]:
        """(topic, partition) → record to read next."""
        with errors_by_what_to_do(self.path):
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

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


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


@contextmanager
def errors_by_what_to_do(path: Path) -> Iterator[None]:
    """SQLite's errors as ours. What is wrong with a value (`sqlite3.DataError` and the like) passes as it is."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # our own statement is wrong: waiting would not help
            raise Fatal(f"{path}: its tables are not those of this release: {error}") from error
        raise Unavailable(f"{path}: the database cannot be used now: {error}", retry_after_s=_RETRY_S) from error
    except (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError):
        raise
    except sqlite3.DatabaseError as error:
        raise Fatal(f"{path}: expected an SQLite database, and it is none or is damaged: {error}") from error
