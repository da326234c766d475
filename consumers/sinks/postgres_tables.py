"""Tables as PostgreSQL makes them: times with time zone, JSON that can be asked, real booleans, and comments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from consumers.sinks.table import Column, Table

_TYPES: Final = {
    # Compared byte by byte, everywhere: the order is SQLite's, LIKE 'AB%' finds its index, and no later version of an
    # operating system's collation can spoil an index.
    "TEXT": 'text COLLATE "C"',
    "INTEGER": "bigint",
    "REAL": "double precision",
    "BOOLEAN": "boolean",
    "TIME": "timestamp with time zone",
    "DATE": "date",
    "JSON": "jsonb",
    "RECORD": "json",
    "BYTES": "bytea",
    "NUMBERED": "bigint GENERATED ALWAYS AS IDENTITY",
}
INDEXES_HERE: Final = """
SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relkind IN ('i', 'I')
"""
MAY_INDEX: Final = """
SELECT coalesce(bool_or(pg_has_role(c.relowner, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')), false)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() AND c.relname = ?
"""


def create_statements(table: Table) -> Iterator[str]:
    """What makes the table, its indexes and its comments."""
    columns = ", ".join(_definition(column) for column in table.body)
    yield f"CREATE TABLE {table.name} ({columns}, PRIMARY KEY ({', '.join(table.key)}))"
    yield from table.indexes.values()
    for column in table.body:
        if column.meaning:
            meaning = column.meaning.replace("'", "''")
            yield f"COMMENT ON COLUMN {table.name}.{column.name} IS '{meaning}'"


def _definition(column: Column) -> str:
    return f"{column.name} {_TYPES[column.type]} {column.rest}".rstrip()
