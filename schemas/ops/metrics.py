"""Counting and timing: three calls, over the names of one catalogue.

>>> increment("produced_events_total", origin="example-force", outcome="spooled")
>>> reading("produced_events_total", origin="example-force", outcome="spooled")
1.0

Names are literal types, so a misspelt metric, or a gauge that is incremented, fails mypy. Wrong labels raise
``ValueError`` at the call. Label *values* are bounded, so that neither personal data nor a flood can get in: a value
that is not a slug, not among the label's closed values, or the 601st of its label, is counted as ``other``.

Calls are thread-safe and cost two to three microseconds once a combination of labels has been seen; in a loop over
events, add up first and increment once with the ``amount``.

What a process has never counted has a name here and no value: a consumer says nothing of a policy. What it will count
it must ``declare`` when it starts, or the first of a kind is not seen to be one more than before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import product
from typing import Final

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client import Metric as Family
from prometheus_client.registry import Collector

from schemas.ops.metric_catalogue import CATALOGUE, CounterName, GaugeName, HistogramName, Metric, MetricName

PREFIX: Final = "huecry_"
OTHER: Final = "other"
MAX_LABEL_VALUES: Final = 600
"""Distinct values of one label of one metric; an exchange has at most 500 members (design.md, sizes to plan for)."""

REGISTRY: Final = CollectorRegistry()
"""What ``/metrics`` serves: the catalogue, and this process's memory, processor time and open files."""

_SLUG: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_SLUG: Final = 60

_Series = Counter | Gauge | Histogram
_LabelValues = tuple[tuple[str, str], ...]


def _make(name: str, metric: Metric) -> _Series:
    full_name, labels = PREFIX + name, tuple(metric.labels)
    if metric.kind == "histogram":
        return Histogram(full_name, metric.help, labels, buckets=metric.buckets, registry=None)
    kind = Counter if metric.kind == "counter" else Gauge
    return kind(full_name, metric.help, labels, registry=None)


class _Catalogued(Collector):
    """The catalogue's series; one without labels has no sample until it is used, as one with labels has none."""

    def collect(self) -> Iterable[Family]:
        for name, series in _SERIES.items():
            for family in series.collect():
                if not CATALOGUE[name].labels and (name, ()) not in _CHILDREN:
                    family.samples = []
                yield family


# A second series per counter that nobody reads: it would double what Prometheus stores.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
ProcessCollector(registry=REGISTRY)
_SERIES: Final = {name: _make(name, metric) for name, metric in CATALOGUE.items()}
_CHILDREN: Final[dict[tuple[str, _LabelValues], _Series]] = {}
_ADMITTED: Final[dict[tuple[str, str], set[str]]] = {}
REGISTRY.register(_Catalogued())


def declare(name: CounterName | HistogramName, **labels: str) -> None:
    """Show what has not happened yet as 0, so that the first time it does is seen as one more.

    A label with closed values may be left out: each of them is declared.

    Raises:
        ValueError: the labels given, and those with closed values, are not those of the catalogue.
    """
    closed = {label: values for label, values in CATALOGUE[name].labels.items() if values and label not in labels}
    for values in product(*closed.values()):
        _child(name, labels | dict(zip(closed, values, strict=True)))


def increment(name: CounterName, amount: float = 1.0, **labels: str) -> None:
    """Count ``amount`` more.

    Raises:
        ValueError: the labels are not exactly those of the catalogue, or the amount is negative.
    """
    _child(name, labels).inc(amount)  # type: ignore[union-attr]


def counter(name: CounterName, **labels: str) -> Callable[[float], None]:
    """What counts so many more of always the same, for whoever does so all the time: a third of what `increment` costs.

    Raises:
        ValueError: the labels are not exactly those of the catalogue.
    """
    count: Callable[[float], None] = _child(name, labels).inc  # type: ignore[union-attr]
    return count


def set_gauge(name: GaugeName, value: float, **labels: str) -> None:
    """State the present value.

    Raises:
        ValueError: the labels are not exactly those of the catalogue.
    """
    _child(name, labels).set(value)  # type: ignore[union-attr]


def set_gauge_source(name: GaugeName, source: Callable[[], float], **labels: str) -> None:
    """Have the value asked for at each scrape: it stays true while the thread that would state it hangs.

    The source is called from other threads and must not fail.

    Raises:
        ValueError: the labels are not exactly those of the catalogue.
    """
    _child(name, labels).set_function(source)  # type: ignore[union-attr]


def observe(name: HistogramName, value: float, **labels: str) -> None:
    """Record one observation, in the unit of the metric's name.

    Raises:
        ValueError: the labels are not exactly those of the catalogue.
    """
    _child(name, labels).observe(value)  # type: ignore[union-attr]


def reading(name: MetricName, **labels: str) -> float:
    """What this process has counted so far: a counter's or gauge's value, a histogram's number of observations.

    Raises:
        ValueError: the labels are not exactly those of the catalogue.
    """
    suffix = "_count" if CATALOGUE[name].kind == "histogram" else ""
    bounded = {label: _bounded(name, label, value) for label, value in _checked(name, labels).items()}
    return REGISTRY.get_sample_value(PREFIX + name + suffix, bounded) or 0.0


def _child(name: MetricName, labels: dict[str, str]) -> _Series:
    key = (name, tuple(labels.items()))
    try:
        return _CHILDREN[key]
    except (KeyError, TypeError):  # TypeError: an unhashable label value, which becomes "other"
        return _new_child(name, labels)


def _new_child(name: MetricName, labels: dict[str, str]) -> _Series:
    bounded = {label: _bounded(name, label, value) for label, value in _checked(name, labels).items()}
    series = _SERIES[name]
    child = series.labels(**bounded) if bounded else series
    # Only admitted values are remembered: what became "other" may be personal, and there is no end of it.
    if bounded == labels:
        _CHILDREN[name, tuple(labels.items())] = child
    return child


def _checked(name: MetricName, labels: dict[str, str]) -> dict[str, str]:
    if name not in CATALOGUE:
        raise ValueError(f"no metric {name!r} in schemas/ops/metric_catalogue.py: name one that is, without {PREFIX}")
    expected = CATALOGUE[name].labels
    if labels.keys() != expected.keys():
        raise ValueError(f"metric {name} has labels {sorted(expected)}, called with {sorted(labels)}")
    return labels


def _bounded(name: MetricName, label: str, value: object) -> str:
    closed = CATALOGUE[name].labels[label]
    if not isinstance(value, str) or len(value) > _MAX_SLUG or not _SLUG.fullmatch(value):
        return OTHER
    if closed is not None:
        return str(value) if value in closed else OTHER
    admitted = _ADMITTED.setdefault((name, label), set())
    if value not in admitted:
        if len(admitted) >= MAX_LABEL_VALUES:
            return OTHER
        admitted.add(value)
    return str(value)
