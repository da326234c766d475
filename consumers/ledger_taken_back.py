"""Asking the ledger what was taken back, and what a force's people shared beyond the rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from consumers.ledger_case_tables import RULING
from consumers.ledger_reader import LedgerReader, Row
from consumers.ledger_tables import FEEDBACK
from consumers.sinks.table import iso

_RETRACTED_SINCE: Final = "incident_id IN (SELECT incident_id FROM feedback WHERE kind = 'retracted' AND at >= ?)"
_BEYOND: Final = ("discretion", "override")


class TakenBack(NamedTuple):
    """All that a ledger has of incidents of which something was taken back."""

    feedback: list[Row]
    rulings: list[Row]
    """Those of kind retract."""


class SharedBeyond(NamedTuple):
    """What people shared that no rule grants, and what the router said of it."""

    rulings: list[Row]
    """Discretions and overrides, in the order in which the broker took them."""
    feedback: list[Row]
    """All that was said of them."""


class Beyond(LedgerReader):
    """One force's ledger, asked about what its people took back and what they shared beyond the rules."""

    def taken_back(self, since: datetime) -> TakenBack:
        """What is known of every incident of which something was taken back since then."""
        self.note("taken_back", iso(since))
        values = (iso(since),)
        return TakenBack(
            self.rows(FEEDBACK, _RETRACTED_SINCE, values, "at"),
            self.rows(RULING, f"{_RETRACTED_SINCE} AND kind = 'retract'", values, "taken_at"),
        )

    def shared_beyond(self, since: datetime, until: datetime) -> SharedBeyond:
        """What people shared at discretion or over a forbid, from `since` to before `until`."""
        self.note("shared_beyond", f"{iso(since)}/{iso(until)}")
        times = (iso(since), iso(until))
        rulings: list[Row] = []
        for kind in _BEYOND:
            rulings += self.rows(RULING, "kind = ? AND taken_at >= ? AND taken_at < ?", (kind, *times), "taken_at")
        rulings.sort(key=lambda row: row["taken_at"])
        return SharedBeyond(rulings, self._said_of(rulings))

    def _said_of(self, rulings: Sequence[Row]) -> list[Row]:
        return [row for ruling in rulings for row in self.rows(FEEDBACK, "ruling_id = ?", (ruling["ruling_id"],), "at")]
