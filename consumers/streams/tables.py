"""The tables of the streams' numbers."""

from __future__ import annotations

from typing import Final

from consumers.sinks.table import Table

STREAM: Final = Table(
    "stream",
    "stream",
    """
    stream TEXT NOT NULL  -- recipient and router partition
    first_number INTEGER NOT NULL  -- lowest number seen: what was sent before this database began is not missing
    last_number INTEGER NOT NULL  -- highest number seen
    """,
)

STREAM_GAP: Final = Table(
    "stream_gap",
    "stream, fault, first_number",
    """
    stream TEXT NOT NULL
    fault TEXT NOT NULL  -- missing: numbers without a delivery; reused: a number that two deliveries bear
    first_number INTEGER NOT NULL
    last_number INTEGER NOT NULL
    noticed_at TIME NOT NULL
    delivery_id TEXT  -- of reused: the second that bears it
    filled_at TIME  -- of missing: when the last of them came; NULL: it has not
    """,
    indexes=("filled_at",),
)
