"""Tables as data: their definition and the statements over them, so that no column is named twice.

The statements are the SQL that SQLite and PostgreSQL share, but for how a parameter is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

_COMMENT: Final = "--"
_AS_IT_IS: Final = frozenset({type(None), str, int, float, bytes})


class Table:
    r"""One table, and the statements that write it.

    `body` has a line for each column: name, type, and after ``--`` what it means, which the database keeps.

    >>> Table("position", "topic", "topic TEXT NOT NULL\nnext_offset INTEGER").insert
    'INSERT INTO position (topic, next_offset) VALUES (?, ?)'
    """

    def __init__(
        self, name: str, key: str, body: str, *, indexes: Sequence[str] = (), kept: Sequence[str] = ()
    ) -> None:
        """Define a table.

        Args:
            name: its name.
            key: primary key: columns with commas.
            body: the columns.
            indexes: columns, with commas, of each further index.
            kept: columns that `upsert` leaves as they are in a row that is there.
        """
        self.name = name
        self.key = tuple(column.strip() for column in key.split(","))
        self._lines = [line.strip() for line in body.splitlines() if line.strip()]
        self.columns = tuple(line.split()[0] for line in self._lines)
        self._indexes = indexes
        marks = ", ".join("?" * len(self.columns))
        changing = [column for column in self.columns if column not in self.key and column not in kept]
        values = ", ".join(f"{column} = excluded.{column}" for column in changing)
        conflict = f"ON CONFLICT ({', '.join(self.key)}) DO"
        self.insert = f"INSERT INTO {name} ({', '.join(self.columns)}) VALUES ({marks})"  # noqa: S608  our own names
        """Adds a row; a second of the same key is an error."""
        self.insert_new = f"{self.insert} {conflict} NOTHING"
        """Adds a row unless one of the same key is there."""
        self.upsert = f"{self.insert} {conflict} UPDATE SET {values}"
        """Adds a row, or puts its values in the row of the same key."""

    def create(self) -> list[str]:
        """The statements that make the table and its indexes."""
        columns = "\n".join(f"  {_with_comma(line)}" for line in self._lines)
        statements = [f"CREATE TABLE {self.name} (\n{columns}\n  PRIMARY KEY ({', '.join(self.key)})\n)"]
        for index in self._indexes:
            name = f"{self.name}_by_{index.replace(', ', '_and_')}"
            statements.append(f"CREATE INDEX {name} ON {self.name} ({index})")
        return statements

    def select(self, keys: int) -> str:
        """All columns of the rows that have one of so many primary keys."""
        wanted = ", ".join([f"({', '.join('?' * len(self.key))})"] * keys)
        columns = ", ".join(f"{self.name}.{column}" for column in self.columns)
        same = " AND ".join(f"{self.name}.{column} = wanted.{column}" for column in self.key)
        # SQLite looks pairs up in an index only when it is told to go through the pairs: so a cross join.
        return (
            f"WITH wanted ({', '.join(self.key)}) AS (VALUES {wanted})"  # noqa: S608  our own names
            f" SELECT {columns} FROM wanted CROSS JOIN {self.name} WHERE {same}"
        )

    def delete(self, *columns: str) -> str:
        """Remove the rows where all of these columns have given values."""
        return f"DELETE FROM {self.name} WHERE {' AND '.join(f'{column} = ?' for column in columns)}"  # noqa: S608

    def row(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the columns, as SQL holds them; a column not named is NULL."""
        row = list(map(values.get, self.columns))
        for position, value in enumerate(row):
            if value.__class__ not in _AS_IT_IS:
                row[position] = sql_value(value)
        return row

    def rows(self, values: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
        """`row` for each."""
        return [self.row(one) for one in values]


def _with_comma(line: str) -> str:
    definition, dashes, comment = line.partition(_COMMENT)
    return f"{definition.rstrip()},  {dashes}{comment}".rstrip()


def sql_value(value: Any) -> Any:  # noqa: ANN401  whatever Avro holds
    """A value as every SQL database takes it: times as text in UTC, lists and records as JSON, booleans as 0 or 1."""
    if value.__class__ in _AS_IT_IS:
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return to_json(value)


def iso(moment: datetime) -> str:
    """A time as text that sorts as time does: 2026-01-31T08:00:00.000Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_json(value: Any) -> str:  # noqa: ANN401
    """A value as JSON, times as text."""
    return _JSON.encode(value)


def _json_default(value: object) -> str:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)


_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_json_default)
