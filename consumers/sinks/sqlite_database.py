"""A database in an SQLite file.

WAL, so that anyone may read while it is written; ``synchronous=FULL``, so that what was committed survives a power cut.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from consumers.sinks.database import Database
from consumers.sinks.table import Column, Table, View
from schemas.errors import Fatal, Rejected, Unavailable

_BUSY_S: Final = 5.0
_RETRY_S: Final = 1.0
_PARAMETERS: Final = 900  # the oldest limit is 999
_NOW: Final = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
_COLUMNS: Final = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'"
_TYPES: Final = {
    "TEXT": "TEXT",
    "INTEGER": "INTEGER",
    "REAL": "REAL",
    "BOOLEAN": "INTEGER",
    "TIME": "TEXT",  # UTC, and sorts as time does
    "DATE": "TEXT",
    "JSON": "TEXT",
    "RECORD": "TEXT",
    "BYTES": "BLOB",
    "NUMBERED": "INTEGER PRIMARY KEY AUTOINCREMENT",
}


class SqliteDatabase(Database):
    """One database file."""

    unstorable = (
        sqlite3.DataError,
        sqlite3.IntegrityError,
        sqlite3.InterfaceError,
        sqlite3.ProgrammingError,
        OverflowError,
        TypeError,
        ValueError,
    )

    def __init__(
        self, path: Path, kind: str, member: str | None, tables: Sequence[Table] | None, views: Sequence[View] = ()
    ) -> None:
        """Open the file, made afresh if it is not there and `tables` says of what.

        Raises:
            Rejected: it cannot be opened, or is something else's, another member's, or a newer release's.
            Unavailable: it cannot be used now.
        """
        super().__init__(str(path), kind, member, tables, views)
        if tables is None and not path.is_file():
            raise Rejected(
                "bad-database",
                f"{path}: expected a {kind} database, and there is no such file: keep one with huecry ledger "
                "or huecry consume",
            )
        try:
            self._connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
        except sqlite3.Error as error:
            raise Rejected("bad-database", f"{path}: cannot be opened: {error}", remedy="name another file") from error
        try:
            self.execute("PRAGMA journal_mode=WAL")
            self.execute("PRAGMA synchronous=FULL")
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Database`."""
        # At once: a reader that becomes a writer later may find that what it read has changed.
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """See `Database`."""
        with self._errors():
            self._connection.execute(statement, values)

    def write(self, statement: str, rows: Collection[Sequence[Any]]) -> None:
        """See `Database`."""
        if rows:
            with self._errors():
                self._connection.executemany(statement, rows)

    def query(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See `Database`."""
        with self._errors():
            return self._connection.execute(statement, values).fetchall()

    def rows_by_key(self, table: Table, keys: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
        """See `Database`."""
        wanted = list(keys)
        step = _PARAMETERS // len(table.key)
        for start in range(0, len(wanted), step):
            some = wanted[start : start + step]
            for row in self.query(_select(table, len(some)), [value for key in some for value in key]):
                yield dict(zip(table.columns, row, strict=True))

    def known(self, table: Table, column: str, values: Sequence[str]) -> set[str]:
        """See `Database`."""
        found: set[str] = set()
        for start in range(0, len(values), _PARAMETERS):
            some = values[start : start + _PARAMETERS]
            marks = ", ".join("?" * len(some))
            select = f"SELECT {column} FROM {table.name} WHERE {column} IN ({marks})"  # noqa: S608  our own names
            found.update(value for (value,) in self.query(select, some))
        return found

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _names(self) -> set[str]:
        return {name for (name,) in self.query("SELECT name FROM sqlite_master")}

    def _indexes(self) -> set[str]:
        return self._names()

    def _columns(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for table, column in self.query(_COLUMNS):
            found.setdefault(table, set()).add(column)
        return found

    def _create(self, table: Table) -> None:
        for statement in create_statements(table):
            self.execute(statement)

    def _add_column(self, table: Table, column: Column) -> None:
        self.execute(f"ALTER TABLE {table.name} ADD COLUMN {_definition(column)[0]}")

    def _create_view(self, view: View) -> None:
        self.execute(f"CREATE VIEW {view.name} AS {view.query.format(now=_NOW)}")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """SQLite's errors as ours. What is wrong with a value passes as it is."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # our own statement is wrong: waiting would not help
                raise Fatal(
                    f"{self.name}: its tables are not those of this release: {error}; who keeps it (huecry ledger, "
                    "huecry consume) adds what an earlier release had not, when next started"
                ) from error
            message = f"{self.name}: the database cannot be used now: {error}"
            raise Unavailable(message, retry_after_s=_RETRY_S) from error
        except (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError):
            raise
        except sqlite3.DatabaseError as error:
            raise Fatal(f"{self.name}: expected an SQLite database, and it is none or is damaged: {error}") from error


def create_statements(table: Table) -> Iterator[str]:
    """What makes the table and its indexes; the file keeps the comments with it."""
    numbered = any(column.is_numbered for column in table.body)
    key = [] if numbered else [f"PRIMARY KEY ({', '.join(table.key)})"]
    definitions = [_definition(column) for column in table.body]
    lines = [
        f"  {text}{',' if place < len(definitions) + len(key) else ''}{comment}"
        for place, (text, comment) in enumerate([*definitions, *((line, "") for line in key)], start=1)
    ]
    yield "\n".join([f"CREATE TABLE {table.name} (", *lines, ")"])
    yield from table.indexes.values()


def _definition(column: Column) -> tuple[str, str]:
    return (
        f"{column.name} {_TYPES[column.type]} {column.rest}".rstrip(),
        f"  -- {column.meaning}" if column.meaning else "",
    )


def _select(table: Table, keys: int) -> str:
    """All columns of the rows that have one of so many primary keys."""
    wanted = ", ".join([f"({', '.join('?' * len(table.key))})"] * keys)
    columns = ", ".join(f"{table.name}.{column}" for column in table.columns)
    same = " AND ".join(f"{table.name}.{column} = wanted.{column}" for column in table.key)
    # SQLite looks pairs up in an index only when it is told to go through the pairs: so a cross join.
    return (
        f"WITH wanted ({', '.join(table.key)}) AS (VALUES {wanted})"  # noqa: S608  our own names
        f" SELECT {columns} FROM wanted CROSS JOIN {table.name} WHERE {same}"
    )
