"""PromQL over catalogued metrics: a name or label that the catalogue does not hold cannot get into a dashboard.

>>> at_most_now("policy_version")
'max (huecry_policy_version)'
>>> per_second("delivered_total", "recipient", outcome="written")
'sum by (recipient) (rate(huecry_delivered_total{outcome="written"}[$__rate_interval]))'

What a process said last stands for as long as it is scraped: after it has gone, ``last_known`` still finds it.
"""

from __future__ import annotations

from typing import Final

from schemas.ops.metric_catalogue import CATALOGUE, CounterName, GaugeName, HistogramName, MetricName
from schemas.ops.metrics import PREFIX

REMEMBERED: Final = "1d"
"""How long a value outlives the process that said it, where a panel asks since when something is silent."""
RECENTLY: Final = "5m"
"""Over how long latencies are taken: long enough for a quiet force, short enough to see trouble."""
OF_LATE: Final = "1h"
"""Over how long rare events are counted."""

Value = str | tuple[str, ...]
"""What a label must be: this, or one of these."""


def series(name: MetricName, /, **labels: Value) -> str:
    """A selector.

    Raises:
        ValueError: no such metric, label, or value of a label that lists its values.
    """
    return _selector(name, PREFIX + name, labels)


def per_second(name: CounterName, /, *by: str, **labels: Value) -> str:
    """How often it happens."""
    return f"sum{_by(name, by)}(rate({series(name, **labels)}[$__rate_interval]))"


def of_late(name: CounterName, /, *by: str, **labels: Value) -> str:
    """How many in the last hour, the very first of a series included.

    A counter whose labels name a reason appears with its first event, already at 1: ``increase`` sees no rise in it.
    What was not there an hour ago has counted since then, so its value is the answer.
    """
    selector = series(name, **labels)
    young = f"({selector} unless {selector} offset {OF_LATE})"
    return f"sum{_by(name, by)}({young} or increase({selector}[{OF_LATE}]))"


def at_most_now(name: GaugeName, /, *by: str, **labels: Value) -> str:
    """The highest that any process says."""
    return f"max{_by(name, by)}({series(name, **labels)})"


def at_least_now(name: GaugeName, /, *by: str, **labels: Value) -> str:
    """The lowest that any process says."""
    return f"min{_by(name, by)}({series(name, **labels)})"


def in_all_now(name: GaugeName, /, *by: str, **labels: Value) -> str:
    """What all processes say, added up."""
    return f"sum{_by(name, by)}({series(name, **labels)})"


def last_known(name: GaugeName, /, *by: str, **labels: Value) -> str:
    """The highest that any process has said in the last day, even if it has gone since: for points in time."""
    return f"max{_by(name, by)}(max_over_time({series(name, **labels)}[{REMEMBERED}]))"


def quantile(share: float, name: HistogramName, /, *by: str, **labels: Value) -> str:
    """The value that this share of recent observations does not exceed, by interpolation within a bucket."""
    buckets = _selector(name, f"{PREFIX}{name}_bucket", labels)
    return f"histogram_quantile({share}, sum{_by(name, (*by, 'le'))}(rate({buckets}[{RECENTLY}])))"


def mean(name: HistogramName, /, *by: str, **labels: Value) -> str:
    """The mean of recent observations."""
    total, count = (f"rate({_selector(name, PREFIX + name + part, labels)}[{RECENTLY}])" for part in ("_sum", "_count"))
    return f"sum{_by(name, by)}({total}) / sum{_by(name, by)}({count})"


def as_member(expression: str, label: str) -> str:
    """The same with its `label` (origin or recipient) called member, so that columns of one table meet."""
    return f'label_replace({expression}, "member", "$1", "{label}", "(.+)")'


def or_none(expression: str) -> str:
    """0 where there is nothing to add up; only for expressions without labels."""
    return f"{expression} or vector(0)"


def _selector(name: MetricName, written: str, labels: dict[str, Value]) -> str:
    known = _known(name)
    matchers = [_matcher(name, label, value, known) for label, value in labels.items()]
    return written + (f"{{{', '.join(matchers)}}}" if matchers else "")


def _matcher(name: MetricName, label: str, value: Value, known: dict[str, tuple[str, ...] | None]) -> str:
    values = (value,) if isinstance(value, str) else value
    closed = known.get(label, ())
    if label not in known or (closed is not None and not set(values) <= set(closed)):
        raise ValueError(f"metric {name} has no {label}={'|'.join(values)}: see schemas/ops/metric_catalogue.py")
    return f'{label}="{value}"' if isinstance(value, str) else f'{label}=~"{"|".join(value)}"'


def _by(name: MetricName, labels: tuple[str, ...]) -> str:
    known = _known(name)
    if unknown := [label for label in labels if label not in known]:
        raise ValueError(f"metric {name} has no label {unknown[0]}: see schemas/ops/metric_catalogue.py")
    return f" by ({', '.join(labels)}) " if labels else " "


def _known(name: MetricName) -> dict[str, tuple[str, ...] | None]:
    """The labels of a metric, with those that come of scraping and of buckets."""
    if name not in CATALOGUE:
        raise ValueError(f"no metric {name!r} in schemas/ops/metric_catalogue.py")
    buckets = {"le": None} if CATALOGUE[name].kind == "histogram" else {}
    return {**CATALOGUE[name].labels, "instance": None, **buckets}
