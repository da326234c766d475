"""Receiving databases of both kinds, for suites that hold in each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from consumers.sinks.places import Place
from consumers.sinks.postgres_url import PostgresUrl
from tests.postgres_server import PostgresServer


def _in_postgres(_folder: Path, request: pytest.FixtureRequest) -> Place:
    server: PostgresServer = request.getfixturevalue("postgres")
    return PostgresUrl(server.make_database())


def _in_sqlite(folder: Path, _request: pytest.FixtureRequest) -> Place:
    return folder / "received.db"


PLACES: dict[str, Callable[[Path, pytest.FixtureRequest], Place]] = {"postgres": _in_postgres, "sqlite": _in_sqlite}
"""Kind of database → where a new one of a test's own is."""
