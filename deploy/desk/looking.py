"""What somebody who looks at a case is shown: how it stands, and what came since that person last looked."""

from __future__ import annotations

from dataclasses import dataclass

from consumers.ledger_cases import WholeCase
from consumers.ledger_reader import Row
from deploy.desk.changes import Marked, marked, news
from deploy.desk.snapshots import Snapshot, snapshot_of
from schemas.errors import Rejected


@dataclass(frozen=True, slots=True)
class Look:
    """One case as one reader sees it."""

    case: WholeCase
    latest: Row
    """The latest record of the case."""
    before: Row | None
    """The record that it is compared with; None: this is all there was."""
    looked_at: str | None
    """When the reader last looked; None: never, and it is compared with how the case opened."""
    event: Snapshot | None
    """The latest event; None: it is no longer there to be read."""
    parts: tuple[Marked, ...]
    """All that it states, marked where that came since."""
    new_records: frozenset[str]
    """record_id of what happened since."""


def look(case: WholeCase, last_view: Row | None) -> Look:
    """What a reader sees of a case.

    Args:
        case: as the ledger has it.
        last_view: what the reader was last shown, if anything.
    """
    latest = case.records[-1]
    before = _record(case, last_view["record_id"]) if last_view else None
    before = before or _as_opened(case)
    event = snapshot_of(latest["event"], latest["sequence"])
    compared = snapshot_of(before["event"], before["sequence"])
    places = [record["record_id"] for record in case.records]
    return Look(
        case=case,
        latest=latest,
        before=before if before is not latest else None,
        looked_at=last_view["at"] if last_view else None,
        event=event,
        parts=marked(event, compared) if event else (),
        new_records=frozenset(places[places.index(before["record_id"]) + 1 :]),
    )


def _record(case: WholeCase, record_id: str) -> Row | None:
    return next((record for record in case.records if record["record_id"] == record_id), None)


def _as_opened(case: WholeCase) -> Row:
    """How it stood when the oldest open line was opened; of a closed case, how it began."""
    sequence = min((line["opened_sequence"] for line in case.lines), default=case.records[0]["sequence"])
    return next((record for record in case.records if record["sequence"] >= sequence), case.records[0])


@dataclass(frozen=True, slots=True)
class Seen:
    """The event that somebody rules on, and what has come since that they have not seen."""

    sequence: int
    latest: int
    changes: tuple[Marked, ...]
    """What the latest event says otherwise; empty where the events are not there to be compared."""

    @property
    def is_stale(self) -> bool:
        """Whether the incident has changed since."""
        return self.sequence < self.latest


def seen(case: WholeCase, last_view: Row | None, stated: int | None) -> Seen:
    """What somebody has seen of a case, by what they state or by what they were last shown.

    Raises:
        Rejected: ``not-looked``: nothing, and nobody rules on what they have not seen.
    """
    if stated is None and last_view is None:
        raise Rejected(
            "not-looked",
            "you have not looked at this case, and nobody rules on what they have not seen",
            remedy=f"look first: huecry cases show {case.now['incident_id']}",
        )
    sequence = stated if stated is not None else (last_view or {})["sequence"]
    latest = case.records[-1]
    if sequence >= latest["sequence"]:
        return Seen(sequence, latest["sequence"], ())
    record = next((one for one in reversed(case.records) if one["sequence"] <= sequence), case.records[0])
    before, now = (snapshot_of(one["event"], one["sequence"]) for one in (record, latest))
    return Seen(sequence, latest["sequence"], news(now, before) if now and before else ())
