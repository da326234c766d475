"""What was counted between two pictures, and how long it took."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from deploy.status.exposition import Labels, Samples, Series, has, label
from deploy.status.picture import Picture, Process
from schemas.ops.metric_catalogue import CounterName, HistogramName


@dataclass(frozen=True, slots=True)
class Flow:
    """From an earlier picture to this one; from none, nothing was counted."""

    before: Picture | None
    now: Picture

    @property
    def window_s(self) -> float:
        """Seconds between the two; 0 without an earlier one."""
        return 0.0 if self.before is None else self.now.at - self.before.at

    def counted(self, service: str, name: CounterName, by: str, **labels: str) -> Counter[str]:
        """What the processes of a service counted in between, by the values of one label."""
        found: Counter[str] = Counter()
        for _, grown in self._grown(service, lambda samples: samples.counter(name)):
            for series, amount in grown.items():
                if amount and has(series, labels):
                    found[label(series, by)] += round(amount)
        return found

    def count(self, service: str, name: CounterName, **labels: str) -> int:
        """The same in all."""
        return self.counted(service, name, "", **labels).total()

    def quantile_s(self, service: str, name: HistogramName, share: float, **labels: str) -> float | None:
        """Within which time this share of what was observed in between lay; None if nothing was.

        Within a bucket values are taken to lie evenly; above the last bound, infinity.
        """
        cumulative: dict[float, float] = {}
        for _, grown in self._grown(service, lambda samples: samples.buckets(name)):
            for series, amount in grown.items():
                if has(series, labels):
                    bound = float(label(series, "le"))
                    cumulative[bound] = cumulative.get(bound, 0.0) + amount
        return _quantile(sorted(cumulative.items()), share)

    def _grown(self, service: str, read: Callable[[Samples], Series]) -> Iterator[tuple[Process, Series]]:
        for process in self.now.of(service):
            if self.before is None or process.samples is None:
                continue
            earlier = self.before.at_address(process.address)
            if earlier is None or earlier.samples is None:
                started_at = process.started_at
                if started_at is not None and started_at > self.before.at:
                    yield process, read(process.samples)
            elif earlier.started_at == process.started_at:
                yield process, _difference(read(earlier.samples), read(process.samples))
            else:
                yield process, read(process.samples)


def standing(now: Picture, service: str, name: CounterName, by: str, **labels: str) -> Counter[str]:
    """What the processes of a service have counted since each of them started, by the values of one label."""
    found: Counter[str] = Counter()
    for process in now.of(service):
        for series, value in process.samples.counter(name).items() if process.samples else ():
            if has(series, labels):
                found[label(series, by)] += round(value)
    return found


def _difference(old: Series, new: Series) -> Mapping[Labels, float]:
    """What each has grown by; one that fell was begun anew."""
    return {
        labels: value - before if value >= (before := old.get(labels, 0.0)) else value for labels, value in new.items()
    }


def _quantile(cumulative: list[tuple[float, float]], share: float) -> float | None:
    if not cumulative or not cumulative[-1][1]:
        return None
    rank = share * cumulative[-1][1]
    below_bound = below = 0.0
    for bound, count in cumulative:
        if count >= rank:
            if math.isinf(bound):
                return bound
            return below_bound + (bound - below_bound) * (rank - below) / (count - below)
        below_bound, below = bound, count
    return None
