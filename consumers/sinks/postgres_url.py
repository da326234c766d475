"""The URL of a PostgreSQL database, which may hold a password: it is never shown whole."""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import quote

from schemas.errors import Rejected

_SHOWN: Final = ("service", "host", "hostaddr", "port", "options", "target_session_attrs", "sslmode")
"""What may be shown of it besides user and database; everything else may be secret."""
_UNLESS_SAID: Final = {
    # A server that is gone without a word is noticed within half a minute.
    "connect_timeout": "10",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",
}


class PostgresUrl:
    """A PostgreSQL database by URL, as libpq reads it; as text, without what may be secret.

    >>> str(PostgresUrl("postgresql://huecry:geheim@db.force.example/receiving"))
    'postgresql://huecry@/receiving?host=db.force.example'
    """

    def __init__(self, text: str) -> None:
        """Read it.

        Raises:
            Rejected: it cannot be read, or the driver is not installed. Nothing of the URL is in the message.
        """
        try:
            from psycopg import ProgrammingError  # noqa: PLC0415  an extra
            from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415
        except ImportError:
            raise Rejected(
                "no-driver",
                "expected the driver of PostgreSQL, and it is not installed",
                remedy="pip install 'huecry[postgres]'",
            ) from None
        try:
            said = conninfo_to_dict(text)
        except ProgrammingError:  # its text quotes what it stumbled over, which may be the password
            raise _unreadable() from None
        self._said = {name: str(value) for name, value in said.items()}
        # An @ or / in a password that is not encoded makes the rest of it the host, the port or the database.
        ports = self._said.get("port", "").replace(",", "")
        if (ports and not ports.isdigit()) or any("@" in self._said.get(part, "") for part in ("host", "dbname")):
            raise _unreadable()

    def parameters(self) -> dict[str, str]:
        """What to connect with, secrets included: what the URL says, our time-outs where nobody says other."""
        said = {"fallback_application_name": "huecry", **self._said, "client_encoding": "UTF8"}
        if "service" in said or "PGSERVICE" in os.environ:  # what is said there must hold, and we cannot see it
            return said
        ours = {name: value for name, value in _UNLESS_SAID.items() if f"PG{name.upper()}" not in os.environ}
        return {**ours, **said}

    def __str__(self) -> str:
        said = self._said
        user = f"{quote(said['user'], safe='')}@" if "user" in said else ""
        shown = "&".join(f"{name}={quote(said[name], safe='/,:')}" for name in _SHOWN if name in said)
        return f"postgresql://{user}/{quote(said.get('dbname', ''), safe='')}{'?' if shown else ''}{shown}"

    def __repr__(self) -> str:
        return f"PostgresUrl({str(self)!r})"


def _unreadable() -> Rejected:
    return Rejected(
        "bad-database",
        "expected postgresql://user@host/database, and this URL cannot be read as one",
        remedy="in a user's name or password write %40 for @, %2F for /, %3A for :, %25 for %; better leave the "
        "password out: PGPASSFILE or a service file keeps it from the list of processes",
    )
