"""What was counted between two pictures, and how long it took."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from deploy.status.exposition import Labels, Samples, Series, has, label
from deploy.status.picture import Picture
from schemas.ops.metric_catalogue import CounterName, HistogramName


@dataclass(frozen=True)
class Flow:
    """From an earlier picture to this one; from none, nothing was counted.

    A router of a large exchange tells of every pair of members: what was added up once is kept by label.
    """

    before: Picture | None
    now: Picture
    _kept: dict[tuple[str, ...], Mapping[str, Series]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def window_s(self) -> float:
        """Seconds between the two; 0 without an earlier one."""
        return 0.0 if self.before is None else self.now.at - self.before.at

    def counted(self, service: str, name: CounterName, by: str, **labels: str) -> Counter[str]:
        """What the processes of a service counted in between, by the values of one label."""
        grown = self._of("grown", service, name, labels, lambda: self._grown(service, lambda one: one.counter(name)))
        return _by(grown, by, labels)

    def count(self, service: str, name: CounterName, **labels: str) -> int:
        """The same in all."""
        return self.counted(service, name, "", **labels).total()

    def standing(self, service: str, name: CounterName, by: str, **labels: str) -> Counter[str]:
        """What the processes of a service have counted since each of them started, by the values of one label."""
        stands = self._of("stands", service, name, labels, lambda: self._standing(service, name))
        return _by(stands, by, labels)

    def quantile_s(self, service: str, name: HistogramName, share: float, **labels: str) -> float | None:
        """Within which time this share of what was observed in between lay; None if nothing was.

        Within a bucket values are taken to lie evenly; above the last bound, infinity.
        """
        grown = self._of("grown", service, name, labels, lambda: self._grown(service, lambda one: one.buckets(name)))
        cumulative: dict[float, float] = {}
        for series, amount in grown.items():
            if has(series, labels):
                bound = float(label(series, "le"))
                cumulative[bound] = cumulative.get(bound, 0.0) + amount
        return _quantile(sorted(cumulative.items()), share)

    def _of(
        self, what: str, service: str, name: str, labels: Mapping[str, str], read: Callable[[], Iterable[Series]]
    ) -> Series:
        """What all processes of a service say together, of those series that bear the first of these labels."""
        first = next(iter(labels), "")
        key = (what, service, name, first)
        if key not in self._kept:
            self._kept[key] = _grouped(read(), first)
        return self._kept[key].get(labels[first] if first else "", {})

    def _grown(self, service: str, read: Callable[[Samples], Series]) -> Iterator[Series]:
        for process in self.now.of(service):
            if self.before is None or process.samples is None:
                continue
            earlier = self.before.at_address(process.address)
            if earlier is None or earlier.samples is None:
                started_at = process.started_at
                if started_at is not None and started_at > self.before.at:
                    yield read(process.samples)
            elif earlier.started_at == process.started_at:
                yield _difference(read(earlier.samples), read(process.samples))
            else:
                yield read(process.samples)

    def _standing(self, service: str, name: CounterName) -> Iterator[Series]:
        return (process.samples.counter(name) for process in self.now.of(service) if process.samples is not None)


def _grouped(parts: Iterable[Series], by: str) -> Mapping[str, Series]:
    """The sums of all parts, by the value of one label."""
    groups: dict[str, dict[Labels, float]] = {}
    for part in parts:
        for labels, amount in part.items():
            group = groups.setdefault(label(labels, by), {})
            group[labels] = group.get(labels, 0.0) + amount
    return groups


def _by(series: Series, by: str, wanted: Mapping[str, str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for labels, amount in series.items():
        if amount and has(labels, wanted):
            found[label(labels, by)] += round(amount)
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
