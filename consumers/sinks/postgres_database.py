"""A database in PostgreSQL: the tables of one kind, for one member, in one schema.

A batch is one transaction, and durable when COMMIT returns. Rows go one statement each, prepared, many in flight: with
a few rows, as live traffic has, that took two thirds of the time of COPY or of JSON expanded by the server, with
thousands a third more than COPY, and it needs no temporary table; `unnest` and multi-row VALUES were slower (measured
on a Unix socket).

Writers take an advisory lock for as long as their transaction lasts: what they read stays as it is, numbers are given
out in the order of commits, and whoever comes back after a COMMIT that was never answered waits until it is decided.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any, Final

import psycopg

from consumers.sinks.database import Database
from consumers.sinks.postgres_errors import UNSTORABLE, by_what_to_do, cannot_connect
from consumers.sinks.postgres_session import BEGIN, LOCK, SESSION, TABLES_HERE, WHERE, adapt
from consumers.sinks.postgres_tables import (
    COLUMNS_HERE,
    INDEXES_HERE,
    MAY_CREATE,
    MAY_INDEX,
    column_statements,
    create_statements,
    view_statement,
)
from consumers.sinks.postgres_url import PostgresUrl
from consumers.sinks.table import Column, Table, View
from schemas.errors import Rejected, Unavailable
from schemas.ops.logs import get_logger

_ARRAYS: Final = {"TEXT": "text[]", "INTEGER": "bigint[]"}
_log = get_logger()


class PostgresDatabase(Database):
    """One schema of a PostgreSQL database: the first that ``search_path`` names and that is there.

    A connection that is lost is made again by the next call. Who keeps the database goes on without one until then;
    who only reads is told at once.
    """

    unstorable = UNSTORABLE

    def __init__(
        self,
        url: PostgresUrl,
        kind: str,
        member: str | None,
        tables: Sequence[Table] | None,
        views: Sequence[View] = (),
    ) -> None:
        """Connect, and make the tables if there are none and `tables` says which.

        Raises:
            Rejected: the schema is something else's, another member's, or a newer release's.
            Unavailable: it cannot be used now, and `tables` is None.
        """
        super().__init__(str(url), kind, member, tables, views)
        self._url = url
        self._connection: psycopg.Connection | None = None
        self._within = False
        """A transaction is open: what belongs to it may not go through another connection."""
        try:
            self._connected()
        except Unavailable:
            if tables is None:
                raise

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """See `Database`."""
        self.execute(BEGIN)
        self._within = True
        try:
            self.execute(LOCK)
            yield
            self._commit()
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._within = False

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """See `Database`."""
        with self._errors() as connection:
            connection.execute(_marked(statement), values)

    def write(self, statement: str, rows: Collection[Sequence[Any]]) -> None:
        """See `Database`."""
        if rows:
            with self._errors() as connection, connection.cursor() as cursor:
                cursor.executemany(_marked(statement), rows)

    def query(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See `Database`."""
        with self._errors() as connection:
            return connection.execute(_marked(statement), values).fetchall()

    def rows_by_key(self, table: Table, keys: Iterable[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
        """See `Database`."""
        if wanted := list(keys):
            for row in self.query(_select(table), [list(values) for values in zip(*wanted, strict=True)]):
                yield dict(zip(table.columns, row, strict=True))

    def known(self, table: Table, column: str, values: Sequence[str]) -> set[str]:
        """See `Database`."""
        select = f"SELECT {column} FROM {table.name} WHERE {column} = ANY(?::text[])"  # noqa: S608  our own names
        return {value for (value,) in self.query(select, [list(values)])} if values else set()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with suppress(psycopg.Error):
                connection.close()

    def _commit(self) -> None:
        with self._errors() as connection:
            # PostgreSQL answers the COMMIT of a transaction that has failed with ROLLBACK, and with no error.
            if connection.execute("COMMIT").statusmessage != "COMMIT":
                raise Unavailable(f"{self.name}: the database did not commit")

    def _roll_back(self) -> None:
        if self._connection is not None:
            try:
                self._connection.execute("ROLLBACK")
            except psycopg.Error:
                self.close()

    @contextmanager
    def _errors(self) -> Iterator[psycopg.Connection]:
        """The connection; its errors as ours. What is wrong with a value passes as it is."""
        try:
            yield self._connected()
        except UNSTORABLE:
            raise
        except psycopg.Error as error:
            # Whatever was under way is undone by the server; the next call begins afresh.
            self.close()
            raise by_what_to_do(error, self.name) from None

    def _connected(self) -> psycopg.Connection:
        if self._connection is None:
            if self._within:
                raise Unavailable(f"{self.name}: the connection was lost within a transaction")
            try:
                self._connection = psycopg.connect(autocommit=True, **self._url.parameters())  # type: ignore[arg-type]
            except psycopg.Error as error:  # `from None`: it holds the parameters, and so the password
                raise cannot_connect(error, self.name) from None
            try:
                self._begin_session(self._connection)
                self._prepare()
            except BaseException:
                self.close()
                raise
        return self._connection

    def _begin_session(self, connection: psycopg.Connection) -> None:
        adapt(connection)
        ((schema, encoding, fsync),) = self.query(WHERE)
        if schema is None:
            raise Rejected(
                "bad-database",
                f"{self.name}: expected a schema for the tables, and search_path names none that is there",
                remedy="CREATE SCHEMA, and GRANT USAGE on it, as docs/receiving.md shows",
            )
        if encoding != "UTF8":
            raise Rejected("bad-database", f"{self.name}: expected a database in encoding UTF8, got {encoding}")
        if fsync != "on":
            _log.warning("the receiving server runs with fsync off: what was written may not survive a power cut")
        self.execute(SESSION)

    def _names(self) -> set[str]:
        return {name for (name,) in self.query(TABLES_HERE)}

    def _indexes(self) -> set[str]:
        return {name for (name,) in self.query(INDEXES_HERE)}

    def _columns(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for table, column in self.query(COLUMNS_HERE):
            found.setdefault(table, set()).add(column)
        return found

    def _may_create(self) -> bool:
        ((may,),) = self.query(MAY_CREATE)
        return bool(may)

    def _may_index(self, table: Table) -> bool:
        ((may,),) = self.query(MAY_INDEX, [table.name])
        if not may:
            _log.warning("some questions will be slow: an index is missing, which only the tables' owner can make")
        return bool(may)

    def _create(self, table: Table) -> None:
        for statement in create_statements(table):
            self.execute(statement)

    def _add_column(self, table: Table, column: Column) -> None:
        for statement in column_statements(table, column):
            self.execute(statement)

    def _create_view(self, view: View) -> None:
        self.execute(view_statement(view))


@lru_cache(maxsize=512)
def _marked(statement: str) -> str:
    """The statement with its parameters as psycopg marks them."""
    return statement.replace("?", "%s")


def _select(table: Table) -> str:
    """All columns of the rows whose primary keys are the parameters, a list for each column of the key."""
    types = {column.name: _ARRAYS[column.type] for column in table.body if column.name in table.key}
    lists = ", ".join(f"?::{types[column]}" for column in table.key)
    columns = ", ".join(f"{table.name}.{column}" for column in table.columns)
    key = ", ".join(table.key)
    return f"SELECT {columns} FROM unnest({lists}) AS wanted ({key}) JOIN {table.name} USING ({key})"  # noqa: S608
