"""The spool's file: its tables, its lock, and what it means when SQLite refuses.

WAL with ``synchronous=FULL``: what a transaction has committed survives a power cut. The file holds personal data, and
is readable by its owner only.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from schemas.errors import Fatal, Rejected, Unavailable

_VERSION: Final = 1
_TABLES: Final = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE positions (source TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE incidents (incident_id TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    event_key TEXT NOT NULL UNIQUE,
    event_id TEXT NOT NULL UNIQUE,
    incident_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    rank INTEGER NOT NULL,              -- 0 is the most urgent grade
    digest BLOB NOT NULL,               -- of the record as it came
    record TEXT NOT NULL,               -- the record as it came, and where
    framed BLOB,                        -- what Kafka gets; NULL once it has it
    state TEXT NOT NULL CHECK (state IN ('waiting', 'acknowledged', 'refused')),
    made_ms INTEGER NOT NULL,
    done_ms INTEGER
);
CREATE INDEX waiting_events ON events (row) WHERE state = 'waiting';
CREATE INDEX done_events ON events (done_ms) WHERE done_ms IS NOT NULL;
CREATE TABLE set_aside (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    record_key TEXT NOT NULL UNIQUE,    -- the same record is set aside once
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    remedy TEXT NOT NULL,
    record TEXT NOT NULL,
    event_id TEXT,                      -- the event that Kafka refused, if that is why
    state TEXT NOT NULL CHECK (state IN ('waiting', 'retried')),
    at_ms INTEGER NOT NULL
);
CREATE INDEX waiting_set_aside ON set_aside (number) WHERE state = 'waiting';
"""


class SpoolFile:
    """A connection to a spool. ``locked``: as the one process that publishes from it."""

    def __init__(self, path: Path, owner: dict[str, str] | None, *, locked: bool) -> None:
        self.path = path
        self._lock = _lock(path) if locked else None
        try:
            self.connection = _connect(path, create=owner is not None)
            self._check(owner)
        except BaseException:
            self.close()
            raise

    def about(self) -> dict[str, str]:
        """What the spool says of itself: ``origin`` and ``system``."""
        return dict(self.connection.execute("SELECT name, value FROM about"))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, durable when it ends.

        Raises:
            Unavailable: the disk is full, or another process writes for long.
            Fatal: the file is damaged.
        """
        with refusals(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file and give up the lock. Safe to repeat."""
        if hasattr(self, "connection"):
            self.connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _check(self, owner: dict[str, str] | None) -> None:
        with refusals(self.path):
            if self.connection.execute("PRAGMA user_version").fetchone()[0] == 0 and owner is not None:
                # One transaction: killed in the middle, it is no spool yet, and the next start makes it.
                self.connection.executescript(f"BEGIN IMMEDIATE;{_TABLES}PRAGMA user_version = {_VERSION};")
                self.connection.executemany("INSERT INTO about VALUES (?, ?)", owner.items())
                self.connection.execute("COMMIT")
            version = self.connection.execute("PRAGMA user_version").fetchone()[0]
            if version != _VERSION:
                raise Rejected(
                    "not-a-spool", f"{self.path}: expected a spool of version {_VERSION}, this has version {version}"
                )
            found = self.about()
        if owner is not None and found != owner:
            raise Rejected(
                "foreign-spool",
                f"{self.path}: is the spool of {found['origin']} and its system {found['system']}; "
                f"expected {owner['origin']} and {owner['system']}",
                remedy="a force has one spool for each of its systems: name another file with --spool",
            )


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """SQLite's refusals as errors of ours; what it quotes of the data is left out.

    Raises:
        Unavailable: full or busy: wait.
        Fatal: damaged, or no spool at all.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorname", "")
        raise Unavailable(
            f"{path}: the spool cannot be written now ({code}): is the disk full?", retry_after_s=1.0
        ) from None
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorname", "")
        raise Fatal(
            f"{path}: expected a spool, SQLite cannot use the file ({code}); restore it or name another"
        ) from None


def _connect(path: Path, *, create: bool) -> sqlite3.Connection:
    try:
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        elif not path.exists():
            raise Rejected("no-spool", f"{path}: there is no spool", remedy="name the file that produce wrote: --spool")
    except OSError as error:
        raise Fatal(f"{path}: the spool cannot be made: {error.strerror}") from None
    with refusals(path):
        connection = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    return connection


def _lock(path: Path) -> int:
    """Hold ``<spool>.lock`` until this process ends, however it ends.

    Raises:
        Fatal: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(handle, 20).decode("ascii", "replace").strip() or "unknown"
        os.close(handle)
        raise Fatal(
            f"{path}: another process publishes from this spool (process {holder}): stop it first, or wait for its end"
        ) from None
    os.truncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle
