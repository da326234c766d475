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
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.types.string import TextLoader

from consumers.sinks.database import Database
from consumers.sinks.postgres_errors import UNSTORABLE, by_what_to_do, cannot_connect
from consumers.sinks.postgres_tables import INDEXES_HERE, MAY_INDEX, create_statements
from consumers.sinks.postgres_url import PostgresUrl
from consumers.sinks.table import Table, iso
from schemas.errors import Rejected, Unavailable
from schemas.ops.logs import get_logger

# Whatever the server's administrator has set stands, but for what would make "durable" or "once" untrue.
_SESSION: Final = """
SELECT set_config('search_path', quote_ident(current_schema()), false),
  set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
    ELSE current_setting('synchronous_commit') END, false),
  set_config('lock_timeout', CASE current_setting('lock_timeout') WHEN '0' THEN '5s'
    ELSE current_setting('lock_timeout') END, false),
  set_config('datestyle', 'ISO', false),
  set_config('timezone', 'UTC', false)
"""
_WHERE: Final = "SELECT current_schema(), current_setting('server_encoding'), current_setting('fsync')"
_TABLES_HERE: Final = """
SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
"""
"""Extensions' own tables are nobody's: PostGIS puts some in every database that has it."""
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('huecry ' || current_schema(), 0))"
# A transaction that sees one moment throughout would not see what was written while it waited for the lock.
_BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"
_ARRAYS: Final = {"TEXT": "text[]", "INTEGER": "bigint[]"}
_log = get_logger()


class PostgresDatabase(Database):
    """One schema of a PostgreSQL database: the first that ``search_path`` names and that is there.

    A connection that is lost is made again by the next call. Who keeps the database goes on without one until then;
    who only reads is told at once.
    """

    unstorable = UNSTORABLE

    def __init__(self, url: PostgresUrl, kind: str, member: str | None, tables: Sequence[Table] | None) -> None:
        """Connect, and make the tables if there are none and `tables` says which.

        Raises:
            Rejected: the schema is something else's, another member's, or a newer release's.
            Unavailable: it cannot be used now, and `tables` is None.
        """
        super().__init__(str(url), kind, member, tables)
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
        self.execute(_BEGIN)
        self._within = True
        try:
            self.execute(_LOCK)
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
        adapters = connection.adapters
        adapters.register_dumper(int, _Untyped)
        adapters.register_loader("timestamptz", _IsoTime)
        adapters.register_loader("json", TextLoader)
        adapters.register_loader("jsonb", TextLoader)
        adapters.register_loader("bool", _NoughtOrOne)
        ((schema, encoding, fsync),) = self.query(_WHERE)
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
        self.execute(_SESSION)

    def _names(self) -> set[str]:
        return {name for (name,) in self.query(_TABLES_HERE)}

    def _indexes(self) -> set[str]:
        return {name for (name,) in self.query(INDEXES_HERE)}

    def _may_index(self, table: Table) -> bool:
        ((may,),) = self.query(MAY_INDEX, [table.name])
        if not may:
            _log.warning("some questions will be slow: an index is missing, which only the tables' owner can make")
        return bool(may)

    def _create(self, table: Table) -> None:
        for statement in create_statements(table):
            self.execute(statement)


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


class _Untyped(Dumper):
    """A number as text without a type: the server takes it for what the column is, a boolean too."""

    def dump(self, obj: int) -> Buffer:
        return b"%d" % obj


class _IsoTime(Loader):
    """A time as `iso` writes it."""

    def load(self, data: Buffer) -> str:
        return iso(datetime.fromisoformat(bytes(data).decode()))


class _NoughtOrOne(Loader):
    """A boolean as SQLite has it."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data) == b"t")
