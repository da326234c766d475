"""What a committed batch adds to the metrics: counted after the commit, so that an abort counts nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final

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
        metrics.declare("rulings_total", origin=origin)
        metrics.declare("deadlines_passed_total", origin=origin)
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


def account_of_time(passed: Sequence[tuple[str, Effects]]) -> None:
    """Count what happened of itself in one committed transaction: origins, each with what followed."""
    for origin, effects in passed:
        metrics.increment("deadlines_passed_total", origin=origin)
        for member, kind in effects.feedback:
            metrics.increment("feedback_total", member=member, kind=kind)


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
    member = member_of(topic)
    if member is None:
        _count_forwarded(records)
        return
    if family_of(topic) == "rulings":
        for _, effects in records:
            _count_ruling(member, effects)
    if events := [effects for _, effects in records if effects.fate == "routed"]:
        metrics.increment("routed_events_total", len(events), origin=member, outcome="routed")
        _count_decisions(member, events)
    if repeats := sum(effects.fate == "repeated" for _, effects in records):
        metrics.increment("routed_events_total", repeats, origin=member, outcome="repeated")
    if receipts := sum(effects.fate == "receipted" for _, effects in records):
        metrics.increment("routed_receipts_total", receipts, member=member, outcome="routed")
    for record, effects in records:
        if effects.fate == "quarantined":
            _quarantined(record, member, effects.reason)
    if family_of(topic) == "incidents":
        metrics.set_gauge("last_routed_timestamp_seconds", time.time(), origin=member)


def _count_forwarded(records: Sequence[tuple[Record, Effects]]) -> None:
    """What was passed on was counted where it arrived; what is none of that is a fault of ours."""
    for record, effects in records:
        if effects.fate == "quarantined":
            metrics.increment("quarantined_records_total", member="routing", reason=effects.reason)
            log.error("record quarantined", topic=record.topic, offset=record.offset, reason=effects.reason)


def _count_ruling(origin: str, effects: Effects) -> None:
    if effects.fate == "ruled":
        metrics.increment("rulings_total", origin=origin, outcome="not-taken" if effects.reason else "taken")


def _count_decisions(origin: str, events: Sequence[Effects]) -> None:
    """Added up first, as numbers: an event is decided for every member, and to count is dearer than to add."""
    alike = Counter([id(effects.outcomes) for effects in events])
    decided: Counter[int] = Counter()
    several: list[tuple[int, ...]] = []
    for effects in events:
        times = alike.pop(id(effects.outcomes), 0)
        if times == 1:
            several.append(_numbered(effects.outcomes))
        elif times:
            for number in _numbered(effects.outcomes):
                decided[number] += times
    decided.update(chain.from_iterable(several))
    counters = _counters.setdefault(origin, {})
    for number, times in decided.items():
        count = counters.get(number)
        if count is None:
            recipient, outcome = _pairs[number]
            labels = {"origin": origin, "recipient": recipient, "outcome": outcome}
            count = counters[number] = metrics.counter("decisions_total", **labels)
        count(times)


_REMEMBERED_MOST: Final = 4_096
_pairs: list[tuple[str, str]] = []
"""Recipients, each with an outcome: a few for each member."""
_numbers: dict[tuple[str, str], int] = {}
_counters: dict[str, dict[int, Callable[[float], None]]] = {}
"""By origin, what counts the decisions of a number."""
_known: dict[int, tuple[Outcomes, tuple[int, ...]]] = {}
"""By the identity of outcomes, which are kept with their numbers: a tuple of hundreds is dear to compare."""


def _numbered(outcomes: Outcomes) -> tuple[int, ...]:
    found = _known.get(id(outcomes))
    if found is None:
        found = outcomes, tuple(map(_number, outcomes))
        if len(_known) >= _REMEMBERED_MOST:
            _known.clear()
        _known[id(outcomes)] = found
    return found[1]


def _number(pair: tuple[str, str]) -> int:
    number = _numbers.setdefault(pair, len(_pairs))
    if number == len(_pairs):
        _pairs.append(pair)
    return number


def _quarantined(record: Record, member: str, reason: str) -> None:
    metrics.increment("quarantined_records_total", member=member, reason=reason)
    if record.topic.startswith("incidents."):
        metrics.increment("routed_events_total", origin=member, outcome="quarantined")
    elif record.topic.startswith("rulings."):
        metrics.increment("rulings_total", origin=member, outcome="quarantined")
    else:
        metrics.increment("routed_receipts_total", member=member, outcome="quarantined")
    level = log.error if reason == "internal" else log.warning
    level("record quarantined", topic=record.topic, partition=record.partition, offset=record.offset, reason=reason)
