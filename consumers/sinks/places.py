"""Where a database is: a file, which is SQLite's, or the URL of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from consumers.sinks.database import Database
from consumers.sinks.postgres_url import PostgresUrl
from consumers.sinks.sqlite_database import SqliteDatabase
from consumers.sinks.table import Table, View
from schemas.errors import Rejected

Place = Path | PostgresUrl
"""Where a database is."""


def read_place(text: str) -> Place:
    """What a person names a database by: a path, or ``postgresql://user@host/database``.

    Raises:
        Rejected: the URL is none of PostgreSQL's, cannot be read, or the driver is not installed.
    """
    scheme, separator, _ = text.partition("://")
    if not separator:
        return Path(text)
    if scheme not in ("postgresql", "postgres"):
        raise Rejected("bad-database", f"expected a file or postgresql://user@host/database, got {scheme}://")
    return PostgresUrl(text)


def open_database(
    place: Place, kind: str, member: str | None, tables: Sequence[Table] | None, views: Sequence[View] = ()
) -> Database:
    """Open a member's database of a kind; `tables` are made if nothing is there, None: they must be.

    What of these tables and `views` a later release brought is made in a database that is there.

    Raises:
        Rejected: it is something else's, another member's, or a newer release's.
        Unavailable: it cannot be used now.
    """
    if isinstance(place, Path):
        return SqliteDatabase(place, kind, member, tables, views)
    from consumers.sinks.postgres_database import PostgresDatabase  # noqa: PLC0415  its driver may not be there

    return PostgresDatabase(place, kind, member, tables, views)
