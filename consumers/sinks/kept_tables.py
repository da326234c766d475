"""The tables that every database of a subscriber has besides its own: whose it is, how far it is, what went wrong."""

from __future__ import annotations

from typing import Final

from consumers.sinks.table import Table

META: Final = Table("meta", "name", "name TEXT NOT NULL\nvalue TEXT NOT NULL")
POSITION: Final = Table(
    "position",
    "topic, partition",
    """
    topic TEXT NOT NULL
    partition INTEGER NOT NULL
    next_offset INTEGER NOT NULL  -- record to read next: everything before it is in this database
    first_offset INTEGER  -- first record ever read: 0 says that nothing came before
    """,
    kept=("first_offset",),
)
SET_ASIDE: Final = Table(
    "set_aside",
    "topic, partition, record_offset",
    """
    topic TEXT NOT NULL
    partition INTEGER NOT NULL
    record_offset INTEGER NOT NULL
    set_aside_at TIME NOT NULL
    reason TEXT NOT NULL  -- code
    detail TEXT NOT NULL  -- what was expected and what came
    remedy TEXT NOT NULL
    origin TEXT  -- this and the next three: NULL where it could not be read
    incident_id TEXT
    event_id TEXT
    delivery_id TEXT
    value BYTES  -- the record as it came
    """,
)
GAP: Final = Table(
    "gap",
    "topic, partition, first_offset",
    """
    topic TEXT NOT NULL
    partition INTEGER NOT NULL
    first_offset INTEGER NOT NULL  -- first record lost: it was no longer in Kafka when this system came to read it
    last_offset INTEGER NOT NULL
    noticed_at TIME NOT NULL
    """,
)
KEPT_BY_ALL: Final = (META, POSITION, SET_ASIDE, GAP)
"""The tables that every database has besides its own."""
