"""What tests of every part share: one real broker per run, and names that no other test uses."""

from __future__ import annotations

import gc
import re
import uuid
from collections.abc import Iterator

import pytest

from deploy.broker import SHORT_LIVED, EmbeddedBroker


@pytest.fixture(scope="session")
def broker() -> Iterator[EmbeddedBroker]:
    """A real Kafka (``.bootstrap``), started by the first test that asks and shared by all: name topics ``unique``."""
    with EmbeddedBroker(java_options=SHORT_LIVED) as running:
        yield running
        # Clients that tests let go of are ended while there is a broker to tell, or they would complain till the end.
        gc.collect()


@pytest.fixture
def unique(request: pytest.FixtureRequest) -> str:
    """A prefix for topics, groups and transactional ids that no other test uses; also a valid member or exchange id."""
    test = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:30].strip("-")
    return f"t-{test}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def exchange_name(unique: str) -> str:
    """The name of an exchange of this test's own: transactional ids and groups begin with it."""
    return unique
