"""Reading a ledger: rows as dictionaries, and who asks written down before the answer is read.

Whoever asks is written to ``access_log`` (DPA 2018 s.62): who, what, when. Where that cannot be written, there is no
answer.
"""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Self

from consumers.ledger_tables import ACCESS_LOG, KIND
from consumers.sinks.kept_tables import META
from consumers.sinks.places import Place, open_database
from consumers.sinks.table import Table, iso
from schemas.sections import SECTIONS

Row = dict[str, Any]

_JSON_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "considered": (),
    "covers": (),
    "withdraws": (),
    "sections": SECTIONS,
    "grounds": ("section", "agreement", "rule", "purpose", "legal_basis"),
    "rules": ("agreement", "rule", "outcome", "turned_on_unknown", "acts_as"),
    "path": ("role", "within_s"),
    "recipients": (),
}
"""The columns to open, and the order of the names in their records, which ``jsonb`` does not keep."""


def os_user() -> str:
    """The operating system's name for whoever runs this; not what the environment claims, where it can be told."""
    try:
        import pwd  # noqa: PLC0415  not on every system

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        return getpass.getuser()


class LedgerReader:
    """One force's ledger, to be read: rows as dictionaries, JSON columns opened, times as text in UTC."""

    def __init__(self, place: Place, force: str | None = None, who: str | None = None) -> None:
        """Open a ledger that is there.

        Args:
            place: the database that `huecry ledger` keeps.
            force: whose it must be; None: anyone's.
            who: for the access log; None: the operating system's user.

        Raises:
            Rejected: there is none, or it is not that force's ledger.
        """
        self._database = open_database(place, KIND, force, None)
        self.who = who or os_user()
        """Who asks, as the access log has it."""

    @property
    def force(self) -> str:
        """Whose ledger it is."""
        ((force,),) = self._database.query(f"SELECT value FROM {META.name} WHERE name = 'member'")  # noqa: S608
        return str(force)

    def note(self, what: str, subject: str) -> None:
        """Write down who asks, before anything is read.

        Args:
            what: the question.
            subject: event, incident or time that is asked about.
        """
        with self._database.transaction():
            self._database.execute(ACCESS_LOG.insert, (iso(datetime.now(UTC)), self.who, what, subject))

    def rows(self, table: Table, where: str, values: Sequence[Any], order: str, limit: int | None = None) -> list[Row]:
        """The rows of a table where a condition holds, in an order, then in that of the key. Note first who asks."""
        columns, by = ", ".join(table.columns), ", ".join((order, *table.key))
        query = f"SELECT {columns} FROM {table.name} WHERE {where} ORDER BY {by}"  # noqa: S608  our own names
        rows = self._database.query(query if limit is None else f"{query} LIMIT {limit:d}", values)
        known: dict[tuple[str, str], Any] = {}  # members decided alike have the same text in most columns
        return [_opened(dict(zip(table.columns, row, strict=True)), known) for row in rows]

    def write(self, statement: str, values: Sequence[Any]) -> None:
        """One statement, durable when this returns: what a reader leaves in a ledger, as what was looked at."""
        with self._database.transaction():
            self._database.execute(statement, values)

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _opened(row: Row, known: dict[tuple[str, str], Any]) -> Row:
    for name in _JSON_COLUMNS:
        text = row.get(name)
        if text is not None:
            if (name, text) not in known:
                known[name, text] = _ordered(json.loads(text), _JSON_COLUMNS[name])
            row[name] = known[name, text]
    return row


def _ordered(value: Any, names: Sequence[str]) -> Any:  # noqa: ANN401  whatever JSON holds
    if isinstance(value, list):
        return [_ordered(one, names) for one in value]
    if not isinstance(value, dict) or not names:
        return value
    return {name: value[name] for name in (*(n for n in names if n in value), *(n for n in value if n not in names))}
