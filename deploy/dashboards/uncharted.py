"""The last row: a panel for every catalogued metric that nothing above asks for, made from its catalogue entry.

A metric that somebody adds to the catalogue is on the dashboard of the exchange from then on, without another word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, cast

from deploy.dashboards.panels import Graph, Look, Query, Row, Unit
from deploy.dashboards.promql import at_most_now, per_second, quantile
from schemas.ops.metric_catalogue import CATALOGUE, CounterName, GaugeName, HistogramName, Metric, MetricName
from schemas.ops.metrics import PREFIX

_NAME = re.compile(rf"(?<![\w:]){PREFIX}([a-z0-9_]+)")
_TIMESTAMP: Final = "_timestamp_seconds"
_SUFFIX = re.compile(r"_(bucket|sum|count)$")


def metrics_asked(expressions: Iterable[str]) -> set[str]:
    """The metrics, without prefix, that expressions name; a histogram's parts count as the histogram."""
    found = {name for expression in expressions for name in _NAME.findall(expression)}
    return {name if name in CATALOGUE else _SUFFIX.sub("", name) for name in found}


def uncharted_row(above: Iterable[Row]) -> Row | None:
    """The row, or nothing if the panels above leave nothing out."""
    asked = metrics_asked(query.expr for row in above for panel in row.panels for query in panel.asks())
    left = [(name, metric) for name, metric in CATALOGUE.items() if name not in asked]
    return (
        Row("Everything else that is counted", tuple(_panel(name, metric) for name, metric in left)) if left else None
    )


def _panel(name: MetricName, metric: Metric) -> Graph:
    title = re.sub(r"_(total|timestamp_seconds)$", "", name).replace("_", " ").capitalize()
    return Graph(
        title=f"{title}: how long ago" if name.endswith(_TIMESTAMP) else title,
        about=metric.help,
        width=6,
        queries=_queries(name, metric),
        look=Look(_unit(name, metric)),
    )


def _queries(name: MetricName, metric: Metric) -> tuple[Query, ...]:
    labels = tuple(metric.labels)
    legend = " ".join(f"{{{{{label}}}}}" for label in labels)
    match metric.kind:
        case "counter":
            return (Query(per_second(cast("CounterName", name), *labels), legend),)
        case "gauge":
            present = at_most_now(cast("GaugeName", name), *labels)
            return (Query(f"time() - {present}" if name.endswith(_TIMESTAMP) else present, legend),)
        case "histogram":
            return tuple(
                Query(quantile(share, cast("HistogramName", name), *labels), f"{legend} p{share * 100:.0f}".strip())
                for share in (0.5, 0.99)
            )


def _unit(name: str, metric: Metric) -> Unit:
    if metric.kind == "counter":
        return "suffix: /s"
    return "s" if name.endswith("_seconds") else "none"
