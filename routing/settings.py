"""Settings of a router."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import Rejected
from schemas.exchange import Exchange, Slug


class RouterSettings(BaseModel):
    """What an operator may set, in the units the names say. The defaults are for one machine beside its broker."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance: Slug = "router"
    """Stable name of this router in its exchange: transactional ids and group members are named after it."""
    workers: int = Field(default=1, ge=1, le=64)
    """Processes that route; partitions are shared out among the workers of all instances."""
    session_timeout_ms: int = Field(default=10_000, ge=1_000, le=120_000)
    """How long a worker may be silent before its partitions go to others."""
    transaction_timeout_ms: int = Field(default=10_000, ge=1_000, le=60_000)
    """How long the broker waits before it aborts a transaction that its worker left open."""
    slow_commit_ms: int = Field(default=1_000, ge=10)
    """A commit slower than this makes its outcome suspect: the producer is recycled."""
    stuck_call_s: float = Field(default=20.0, ge=1)
    """How long one transactional call may take before the supervisor ends the worker."""
    silent_worker_s: float = Field(default=30.0, ge=2)
    """How long a worker's loop may be silent before the supervisor ends it."""
    topic_check_s: float = Field(default=5.0, ge=0.2)
    """How often to look whether members' topics exist."""
    state_folder: Path | None = None
    """Where what the router remembers is kept on disk; none: in the folder `huecry` of XDG_STATE_HOME."""
    state_memory_mb: int = Field(default=64, ge=4, le=16_384)
    """Memory of each worker for what it reads from there and has yet to write."""
    fetched_most: int = Field(default=4_000, ge=100)
    """Most records of one partition kept in memory before fetching it pauses."""
    fetched_most_bytes: int = Field(default=8 * 1024 * 1024, ge=64 * 1024)
    """Most bytes of one partition kept in memory before fetching it pauses."""


def producing(settings: RouterSettings) -> Mapping[str, str | int | float | bool]:
    """What a routing producer asks of librdkafka besides what every producer of ours does."""
    return {
        "transaction.timeout.ms": settings.transaction_timeout_ms,
        # After a commit the next transaction's first use of the same partitions may meet CONCURRENT_TRANSACTIONS.
        "retry.backoff.ms": 1,
        "retry.backoff.max.ms": 20,
        # The commit sends what is left at once; before it, a few large requests cost half of what many small ones do.
        "linger.ms": 50,
        # A topic that has gone is noticed before the transaction times out.
        "topic.metadata.propagation.max.ms": 2_000,
    }


def joining(settings: RouterSettings, name: str) -> Mapping[str, str | int | float | bool]:
    """What a router's membership of its group asks of librdkafka besides what every consumer of ours does."""
    return {
        "group.instance.id": name,
        # Gives one process partition n of every input topic.
        "partition.assignment.strategy": "range",
        "session.timeout.ms": settings.session_timeout_ms,
        "heartbeat.interval.ms": max(300, settings.session_timeout_ms // 10),
        "topic.metadata.refresh.interval.ms": 10_000,
    }


def fetching(settings: RouterSettings, exchange: Exchange) -> Mapping[str, str | int | float | bool]:
    """What each of a router's clients that fetch asks of librdkafka besides what every consumer of ours does."""
    return {
        # They are in no group, and yet librdkafka compares it with what a file may say of polling.
        "session.timeout.ms": settings.session_timeout_ms,
        "fetch.wait.max.ms": 100,
        # What one topic can put in front of the others in librdkafka's own queue.
        "fetch.message.max.bytes": max(512 * 1024, 2 * exchange.limits.max_event_bytes),
        "queued.max.messages.kbytes": 4_096,
        # That queue is shared by topics: while one force's flood fills it, another's few are not fetched for this long.
        "fetch.queue.backoff.ms": 5,
    }


def state_folder(exchange: str, settings: RouterSettings) -> Path:
    """Where a router keeps its copy of what it remembers: always the same, whoever starts it from where."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "huecry"
    return (settings.state_folder or home) / f"{exchange}.route.{settings.instance}"


def check_state_folder(exchange: str, settings: RouterSettings) -> None:
    """That what the router remembers can be kept where it is to be.

    Raises:
        Rejected: ``not-writable``.
    """
    folder = state_folder(exchange, settings)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Rejected(
            "not-writable",
            f"what the router remembers cannot be kept in {folder}: {error.strerror}",
            remedy="name a folder on a disk of this machine that it may write to: --state DIR",
        ) from None
