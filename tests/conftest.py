"""What tests of every part share: one real broker and one database server per run, and names no other test uses."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from deploy.broker import SHORT_LIVED, EmbeddedBroker

if TYPE_CHECKING:
    from tests.postgres_server import PostgresServer

# What processes keep on disk where nobody names a folder must not land in a person's home.
_STATE_HOME = TemporaryDirectory(prefix="huecry-tests-", ignore_cleanup_errors=True)
os.environ["XDG_STATE_HOME"] = _STATE_HOME.name

_BROKER = pytest.StashKey[EmbeddedBroker]()


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> EmbeddedBroker:
    """A real Kafka (``.bootstrap``), started by the first test that asks and shared by all: name topics ``unique``."""
    running = EmbeddedBroker(java_options=SHORT_LIVED)
    request.config.stash[_BROKER] = running
    running.start()
    return running


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL, started by the first test that asks and shared by all: each makes databases of its own."""
    from tests.postgres_server import NoPostgres, PostgresServer  # its driver is an extra

    try:
        server = PostgresServer()
    except NoPostgres as error:
        pytest.skip(f"no PostgreSQL runs here: {error}")
    yield server
    server.close()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the broker when all has been said: clients that tests let go of would complain of it beneath the result."""
    if (running := config.stash.get(_BROKER, None)) is not None:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        running.close()


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> str:
    """A prefix for topics, groups and transactional ids that no other test uses; also a valid member or exchange id."""
    test = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:30].strip("-")
    return f"t-{test}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def exchange_name(unique: str) -> str:
    """The name of an exchange of this test's own: transactional ids and groups begin with it."""
    return unique
