"""What is asked of a session of PostgreSQL, and how values go to and fro in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.types.string import TextLoader

from consumers.sinks.table import iso

# Whatever the server's administrator has set stands, but for what would make "durable" or "once" untrue.
SESSION: Final = """
SELECT set_config('search_path', quote_ident(current_schema()), false),
  set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
    ELSE current_setting('synchronous_commit') END, false),
  set_config('lock_timeout', CASE current_setting('lock_timeout') WHEN '0' THEN '5s'
    ELSE current_setting('lock_timeout') END, false),
  set_config('datestyle', 'ISO', false),
  set_config('timezone', 'UTC', false)
"""
WHERE: Final = "SELECT current_schema(), current_setting('server_encoding'), current_setting('fsync')"
TABLES_HERE: Final = """
SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
  )
"""
"""Extensions' own tables are nobody's: PostGIS puts some in every database that has it."""
LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('huecry ' || current_schema(), 0))"
# A transaction that sees one moment throughout would not see what was written while it waited for the lock.
BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED"


def adapt(connection: psycopg.Connection[Any]) -> None:
    """Have values come out as `consumers.sinks.database.Database` promises them."""
    adapters = connection.adapters
    adapters.register_dumper(int, _Untyped)
    adapters.register_loader("timestamptz", _IsoTime)
    adapters.register_loader("json", TextLoader)
    adapters.register_loader("jsonb", TextLoader)
    adapters.register_loader("bool", _NoughtOrOne)


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
