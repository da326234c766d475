"""What a committed batch adds to the metrics: counted after the commit, so that an abort counts nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from routing.effects import Effects, Outcomes, Record
from schemas.exchange import Exchange
from schemas.ops import metrics
from schemas.ops.logs import get_logger
from schemas.topics import family_of, member_of

log = get_logger()


def open_accounts(exchange: Exchange) -> None:
    """Show what may happen as 0 before it does; not pairs of members, of which there are too many."""
    for origin in exchange.publishers():
        metrics.declare("routed_events_total", origin=origin)
    for member in exchange.receivers():
        metrics.declare("routed_receipts_total", member=member)
    for member in exchange.members:
        metrics.declare("quarantined_records_total", member=member, reason="internal")
    metrics.declare("transactions_total")
    metrics.declare("producers_recycled_total")
    metrics.declare("batches_halved_total")


def account(done: Sequence[tuple[Record, Effects]], deciding_s: float) -> None:
    """Count what became of the records of one committed transaction; a fault in counting never undoes it."""
    try:
        # One observation for each transaction: one for each event would cost a good part of deciding it.
        metrics.observe("decide_seconds", deciding_s / len(done))
        _count(done)
    except Exception:
        # If this went up, the loop would route again what is committed.
        log.exception("metrics of a batch are incomplete", records=len(done))


def _count(done: Sequence[tuple[Record, Effects]]) -> None:
    metrics.observe("transaction_events", len(done))
    by_topic: dict[str, list[tuple[Record, Effects]]] = {}
    for each in done:
        by_topic.setdefault(each[0].topic, []).append(each)
    for topic, records in by_topic.items():
        _count_topic(topic, records)
    told = Counter(news for _, effects in done for news in effects.feedback)
    for (member, kind), times in told.items():
        metrics.increment("feedback_total", times, member=member, kind=kind)


def _count_topic(topic: str, records: Sequence[tuple[Record, Effects]]) -> None:
    member = str(member_of(topic))
    if events := [effects for _, effects in records if effects.fate == "routed"]:
        metrics.increment("routed_events_total", len(events), origin=member, outcome="routed")
        _count_decisions(member, events)
    if receipts := sum(effects.fate == "receipted" for _, effects in records):
        metrics.increment("routed_receipts_total", receipts, member=member, outcome="routed")
    for record, effects in records:
        if effects.fate == "quarantined":
            _quarantined(record, member, effects.reason)
    if family_of(topic) == "incidents":
        metrics.set_gauge("last_routed_timestamp_seconds", time.time(), origin=member)


def _count_decisions(origin: str, events: Sequence[Effects]) -> None:
    """Added up first: an event is decided for every member, and to count is dearer than to add."""
    # Events that are decided alike have one and the same tuple of outcomes.
    alike = Counter(id(effects.outcomes) for effects in events)
    outcomes = {id(effects.outcomes): effects.outcomes for effects in events}
    decisions: Counter[tuple[str, str]] = Counter()
    everybody: Counter[tuple[str, ...]] = Counter()
    for which, times in alike.items():
        told = _told(outcomes[which])
        everybody[told.recipients] += times
        for recipient, outcome in told.unusual:
            decisions[recipient, outcome] += times
            decisions[recipient, _USUAL] -= times
    for recipients, times in everybody.items():
        for recipient in recipients:
            decisions[recipient, _USUAL] += times
    for (recipient, outcome), times in decisions.items():
        if times:
            metrics.increment("decisions_total", times, origin=origin, recipient=recipient, outcome=outcome)


class _Told(NamedTuple):
    """The outcomes of an event: for most members it is the usual one."""

    recipients: tuple[str, ...]
    unusual: tuple[tuple[str, str], ...]


_USUAL: Final = "withheld"
_REMEMBERED_MOST: Final = 4_096
_known: dict[int, tuple[Outcomes, _Told]] = {}
"""By the identity of outcomes, which are kept with it: a tuple of hundreds is dear to compare."""


def _told(outcomes: Outcomes) -> _Told:
    found = _known.get(id(outcomes))
    if found is None:
        unusual = tuple(each for each in outcomes if each[1] != _USUAL)
        found = outcomes, _Told(tuple(recipient for recipient, _ in outcomes), unusual)
        if len(_known) >= _REMEMBERED_MOST:
            _known.clear()
        _known[id(outcomes)] = found
    return found[1]


def _quarantined(record: Record, member: str, reason: str) -> None:
    metrics.increment("quarantined_records_total", member=member, reason=reason)
    if record.topic.startswith("incidents."):
        metrics.increment("routed_events_total", origin=member, outcome="quarantined")
    else:
        metrics.increment("routed_receipts_total", member=member, outcome="quarantined")
    level = log.error if reason == "internal" else log.warning
    level("record quarantined", topic=record.topic, partition=record.partition, offset=record.offset, reason=reason)
