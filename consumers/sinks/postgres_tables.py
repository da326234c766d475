"""Tables as PostgreSQL makes them: times with time zone, JSON that can be asked, real booleans, and comments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from consumers.sinks.table import Column, Table, View

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
COLUMNS_HERE: Final = """
SELECT c.relname::text, a.attname::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
"""
MAY_CREATE: Final = """
SELECT has_schema_privilege(n.oid, 'CREATE')
  AND coalesce(bool_and(pg_has_role(c.relowner, 'USAGE')) FILTER (WHERE c.relname = 'meta'), true)
FROM pg_namespace n LEFT JOIN pg_class c ON n.oid = c.relnamespace
WHERE n.nspname = current_schema() GROUP BY n.oid
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
        yield from _comment(table, column)


def column_statements(table: Table, column: Column) -> Iterator[str]:
    """What adds a column to a table that is there."""
    yield f"ALTER TABLE {table.name} ADD COLUMN {_definition(column)}"
    yield from _comment(table, column)


def view_statement(view: View) -> str:
    """What makes a view."""
    return f"CREATE VIEW {view.name} AS {view.query.format(now='now()')}"


def _comment(table: Table, column: Column) -> Iterator[str]:
    if column.meaning:
        meaning = column.meaning.replace("'", "''")
        yield f"COMMENT ON COLUMN {table.name}.{column.name} IS '{meaning}'"


def _definition(column: Column) -> str:
    return f"{column.name} {_TYPES[column.type]} {column.rest}".rstrip()
