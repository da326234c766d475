"""Our image, built once per run; skipped aloud where it cannot be."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.images.engine import build_image, docker, image_of, need, why_no_compose, why_no_image, why_not


@pytest.fixture(scope="session")
def image() -> Iterator[str]:
    """The name of our image, built from this repository as it is."""
    need(why_not())
    tag = f"huecry-test:{uuid.uuid4().hex[:12]}"
    build_image(tag)
    yield tag
    docker("image", "rm", "--force", tag)


@pytest.fixture(scope="session")
def servers(image: str) -> dict[str, str]:
    """Service → image of Kafka and PostgreSQL."""
    for service in ("kafka", "postgres"):
        need(why_no_image(image_of(service)))
    return {service: image_of(service) for service in ("kafka", "postgres")}


@pytest.fixture(scope="session")
def compose(servers: dict[str, str]) -> dict[str, str]:
    """Service → image of all that compose.yaml runs beside ours; without those that this engine has not."""
    need(why_no_compose())
    watching = ("prometheus", "grafana")
    return servers | {service: image_of(service) for service in watching if not why_no_image(image_of(service))}
