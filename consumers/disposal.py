"""Disposal: what may be kept no longer is deleted, unless somebody holds it, and leaves a tombstone.

The last ``retain_until`` that the origin stated decides. A row in ``hold`` keeps an incident while that row is there.
What a person keeps as evidence of a retracted incident is that person's to dispose of. The rows of ``delivery`` stay:
they say what came when, and why, and nothing of what was in it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from consumers.fold_actions import head_names
from consumers.sinks.database import Database
from consumers.sinks.store import clear_incidents
from consumers.sinks.table import iso
from schemas.ops import metrics

_MOST_AT_ONCE: Final = 50
_DUE: Final = (
    "SELECT i.origin, i.incident_id FROM incident i WHERE i.retain_until <= ? AND i.disposed_at IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.origin = i.origin AND h.incident_id = i.incident_id)"
    " ORDER BY i.retain_until LIMIT ?"
)
_HEAD: Final = ", ".join(f"{name} = NULL" for name in head_names())
# Without numbers, nothing that was sent before the last event comes back; with them, nothing up to the last number.
_TOMBSTONE: Final = (
    "UPDATE incident SET disposed_at = ?, cleared_number = latest_number,"  # noqa: S608  our own names
    f" retracted_sent_at = coalesce(retracted_sent_at, sent_at), {_HEAD}, links = '[]', addressed_to_us = ?"
    " WHERE origin = ? AND incident_id = ?"
)
_SEALED: Final = "DELETE FROM sealed WHERE origin = ? AND incident_id = ? AND kept_as_evidence_at IS NULL"


class Disposal:
    """Deletes what is due in a member's receiving database, a few incidents at a time."""

    def __init__(
        self, database: Database, member: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._member = member
        self._clock = clock
        metrics.declare("disposed_incidents_total", recipient=member)

    def dispose(self) -> int:
        """Delete what is due, at most `_MOST_AT_ONCE` incidents; how many there were.

        Raises:
            Unavailable: the database is away; nothing was deleted.
        """
        now = iso(self._clock())
        if not self._database.query(_DUE, (now, 1)):
            return 0
        with self._database.transaction():
            keys = [(origin, incident_id) for origin, incident_id in self._database.query(_DUE, (now, _MOST_AT_ONCE))]
            clear_incidents(self._database, keys)
            self._database.write(_SEALED, keys)
            self._database.write(_TOMBSTONE, [(now, 0, *key) for key in keys])
        metrics.increment("disposed_incidents_total", len(keys), recipient=self._member)
        return len(keys)
