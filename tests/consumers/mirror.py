"""A PostgreSQL database copied into an SQLite file, so that whatever looks into the one looks into the other.

It reads with types of its own, not through the sink's: what a person's program sees is what is copied.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg

from consumers import ledger_tables
from consumers.sinks import tables
from consumers.sinks.kept_tables import KEPT_BY_ALL
from consumers.sinks.sqlite_database import create_statements
from consumers.sinks.table import Table

RECEIVING: Sequence[Table] = (*KEPT_BY_ALL, *tables.TABLES)
LEDGER: Sequence[Table] = (*KEPT_BY_ALL, *ledger_tables.TABLES)


def mirror(url: str, into: Path, of: Sequence[Table] = RECEIVING) -> Path:
    """Copy the tables of a PostgreSQL database into a new SQLite file, all as of one moment."""
    into.unlink(missing_ok=True)
    with closing(sqlite3.connect(into)) as copy, psycopg.connect(url) as original:
        original.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        copy.execute("PRAGMA synchronous=OFF")
        for table in of:
            for statement in create_statements(table):
                copy.execute(statement)
            columns = ", ".join(table.columns)
            rows = original.execute(f"SELECT {columns} FROM {table.name}").fetchall()  # noqa: S608
            marks = ", ".join("?" * len(table.columns))
            insert = f"INSERT INTO {table.name} ({columns}) VALUES ({marks})"  # noqa: S608
            copy.executemany(insert, [[_in_sqlite(value) for value in row] for row in rows])
        copy.commit()
    return into


def _in_sqlite(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value


def contents(path: Path, of: Sequence[Table] = RECEIVING) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of an SQLite database, by key, JSON opened."""
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return {
            table.name: [
                {column.name: _opened(column.type, row[column.name]) for column in table.body}
                for row in database.execute(
                    f"SELECT * FROM {table.name} ORDER BY {', '.join(table.key)}"  # noqa: S608
                )
            ]
            for table in of
        }


def _opened(kind: str, value: Any) -> Any:
    return json.loads(value) if kind in ("JSON", "RECORD") and value is not None else value
