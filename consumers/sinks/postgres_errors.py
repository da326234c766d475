"""What PostgreSQL and its driver say, by what to do next.

The server's message is given only where it speaks of the server itself; where it may quote a value, which may be
personal data, only the code is.
"""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import errors

from schemas.errors import Fatal, HueCryError, Unavailable

UNSTORABLE: Final[tuple[type[Exception], ...]] = (
    psycopg.DataError,
    psycopg.IntegrityError,
    # A text too long for an index; and what the owner's own triggers say.
    errors.ProgramLimitExceeded,
    errors.RaiseException,
    OverflowError,
    TypeError,
    ValueError,
)
"""What is said of a value that cannot be held."""
_RETRY_S: Final = 1.0
# Connection, transaction rollback, resources, not now (locks), operator, system: these speak of the server.
_OF_THE_SERVER: Final = ("08", "25", "40", "53", "55", "57", "58")
_REMEDIES: Final = {
    "42501": "grant what docs/receiving.md lists",  # insufficient privilege
    "25006": "it is read-only: name the primary, or both with target_session_attrs=read-write",
}


def by_what_to_do(error: psycopg.Error, name: str) -> HueCryError:
    """An error of the server or the driver as ours; `name` is the database's, without secrets."""
    state = error.sqlstate
    if isinstance(error, psycopg.ProgrammingError) and state not in _REMEDIES:
        return Fatal(
            f"{name}: its tables are not those of this release ({_said(error)}); who keeps it (huecry ledger, huecry "
            "consume) adds what an earlier release had not, when next started as the tables' owner"
        )
    if isinstance(error, psycopg.InternalError) and state is not None and state.startswith("XX"):
        return Fatal(f"{name}: the server reports damage or a fault of its own ({_said(error)})")
    return Unavailable(f"{name}: the database cannot be used now: {_said(error)}", retry_after_s=_RETRY_S)


def cannot_connect(error: psycopg.Error, name: str) -> Unavailable:
    """Why there is no connection. What libpq says then names hosts, roles and databases, and never a password."""
    hint = ""
    if error.pgconn is not None and error.pgconn.needs_password:
        hint = "; it asks for a password, and none is in PGPASSFILE, PGPASSWORD, a service file or the URL"
    message = f"{name}: the database cannot be used now: {_one_line(str(error))}{hint}"
    return Unavailable(message, retry_after_s=_RETRY_S)


def _said(error: psycopg.Error) -> str:
    state = error.sqlstate
    if state is None:
        return _one_line(str(error))  # the driver's own words: the connection is lost
    kind = f"{type(error).__name__}, {state}"
    remedy = f": {_REMEDIES[state]}" if state in _REMEDIES else ""
    of_the_server = state.startswith(_OF_THE_SERVER) and error.diag.message_primary
    return f"{of_the_server} ({kind}){remedy}" if of_the_server else f"{kind}{remedy}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
