"""Settings of a router."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from schemas.exchange import Slug


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
    fetched_most: int = Field(default=4_000, ge=100)
    """Most records of one partition kept in memory before fetching it pauses."""
    fetched_most_bytes: int = Field(default=8 * 1024 * 1024, ge=64 * 1024)
    """Most bytes of one partition kept in memory before fetching it pauses."""
