"""Tables as data: their definition and the statements over them, so that no column is named twice.

Column types are words of ours, which each kind of database says in its own way: TEXT, INTEGER, REAL, BOOLEAN, TIME,
DATE, JSON, RECORD (JSON that is kept letter for letter), BYTES, and NUMBERED, which the database counts up. The
statements are the SQL that SQLite and PostgreSQL share, but for how a parameter is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

_COMMENT: Final = "--"
_AS_IT_IS: Final = frozenset({type(None), str, int, float, bytes})
_NUMBERED: Final = "NUMBERED"


class Column(NamedTuple):
    """One column: `type` is a word of ours, `rest` what SQL says besides, `meaning` what a person reads."""

    name: str
    type: str
    rest: str
    meaning: str

    @property
    def is_numbered(self) -> bool:
        """Whether the database fills it in, counting up."""
        return self.type == _NUMBERED


class Table:
    r"""One table, and the statements that write it.

    `body` has a line for each column: name, type, and after ``--`` what it means, which the database keeps.

    >>> Table("position", "topic", "topic TEXT NOT NULL\nnext_offset INTEGER").insert
    'INSERT INTO position (topic, next_offset) VALUES (?, ?)'
    """

    def __init__(
        self,
        name: str,
        key: str,
        body: str,
        *,
        indexes: Sequence[str] = (),
        indexed_where_stated: Sequence[str] = (),
        kept: Sequence[str] = (),
    ) -> None:
        """Define a table.

        Args:
            name: its name.
            key: primary key: columns with commas.
            body: the columns.
            indexes: columns, with commas, of each further index.
            indexed_where_stated: columns of which each has an index of the rows where it is not NULL.
            kept: columns that `upsert` leaves as they are in a row that is there.
        """
        self.name = name
        self.key = tuple(column.strip() for column in key.split(","))
        self.body = tuple(_column(line) for line in body.splitlines() if line.strip())
        self.columns = tuple(column.name for column in self.body)
        indexed = {f"{name}_by_{index.replace(', ', '_and_')}": f"({index})" for index in indexes}
        indexed |= {f"{name}_by_{one}": f"({one}) WHERE {one} IS NOT NULL" for one in indexed_where_stated}
        self.indexes = {index: f"CREATE INDEX IF NOT EXISTS {index} ON {name} {of}" for index, of in indexed.items()}
        """Name of each further index, and what makes it."""
        self._written = tuple(column.name for column in self.body if not column.is_numbered)
        marks = ", ".join("?" * len(self._written))
        changing = [column for column in self._written if column not in self.key and column not in kept]
        values = ", ".join(f"{column} = excluded.{column}" for column in changing)
        conflict = f"ON CONFLICT ({', '.join(self.key)}) DO"
        self.insert = f"INSERT INTO {name} ({', '.join(self._written)}) VALUES ({marks})"  # noqa: S608  our own names
        """Adds a row; a second of the same key is an error."""
        self.insert_new = f"{self.insert} {conflict} NOTHING"
        """Adds a row unless one of the same key is there."""
        self.upsert = f"{self.insert} {conflict} UPDATE SET {values}"
        """Adds a row, or puts its values in the row of the same key."""

    def delete(self, *columns: str) -> str:
        """Remove the rows where all of these columns have given values."""
        return f"DELETE FROM {self.name} WHERE {' AND '.join(f'{column} = ?' for column in columns)}"  # noqa: S608

    def row(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the columns, as SQL takes them; a column not named is NULL."""
        row = list(map(values.get, self._written))
        for position, value in enumerate(row):
            if value.__class__ not in _AS_IT_IS:
                row[position] = sql_value(value)
        return row

    def rows(self, values: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
        """`row` for each."""
        return [self.row(one) for one in values]


class View(NamedTuple):
    """One view: `query` is SQL that SQLite and PostgreSQL share, with ``{now}`` for the present time."""

    name: str
    query: str


def _column(line: str) -> Column:
    definition, _, meaning = line.partition(_COMMENT)
    name, kind, *rest = definition.split()
    return Column(name, kind, " ".join(rest), meaning.strip())


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
