"""The search for the one record that fails a batch: the batch once more, then its halves, at last the culprit alone."""

from __future__ import annotations

from datetime import datetime

from routing.effects import Effects, Known, Policy, Record
from routing.quarantine import quarantined
from schemas.errors import Fatal, Rejected
from schemas.ops import metrics
from schemas.ops.logs import get_logger
from schemas.topics import member_of

log = get_logger()

ABORTS_WHILE_HALVING = 5
"""How often in a row Kafka may abort a part before the search begins again with the whole batch."""


class Part:
    """Records to route together, and how often that failed without a Kafka cause."""

    def __init__(self, records: list[Record], failures: int) -> None:
        self.records = records
        self.failures = failures
        self._aborts_left = ABORTS_WHILE_HALVING if failures else 0

    @property
    def is_culprit(self) -> bool:
        """Whether this one record has failed twice, alone or in company."""
        return len(self.records) == 1 and self.failures >= 2

    def may_be_aborted_again(self) -> bool:
        """Whether to go on at once, so that an abort does not undo the search for a culprit."""
        self._aborts_left -= 1
        return self._aborts_left >= 0

    def next_tries(self, error: Exception) -> list[Part]:
        """The same once more; after the second failure its halves, and at last the culprit alone.

        Raises:
            Fatal: the culprit cannot even be quarantined.
        """
        failures = self.failures + 1
        log.error("batch failed", records=len(self.records), attempts=failures, exc_info=error)
        if self.is_culprit:
            raise Fatal("a record can neither be routed nor quarantined: see the error logged before this one")
        if failures < 2 or len(self.records) == 1:
            return [Part(self.records, failures)]
        metrics.increment("batches_halved_total")
        middle = len(self.records) // 2
        return [Part(self.records[:middle], 1), Part(self.records[middle:], 1)]


def refuse(record: Record, policy: Policy, now: datetime, *, known: Known) -> Effects:  # noqa: ARG001  a Router
    """The effects of a record that routing itself fails on: nothing is remembered of it."""
    why = Rejected(
        "internal",
        "routing failed on this record and on no other of its batch",
        remedy="the operators of the exchange have an alert; the event is kept here and can be resubmitted",
    )
    return quarantined(record, str(member_of(record.topic)), why, policy, now)
