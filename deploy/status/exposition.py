"""What a process's ``/metrics`` says, as values that can be asked for by name and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from schemas.errors import Rejected
from schemas.ops.metric_catalogue import CounterName, GaugeName, HistogramName
from schemas.ops.metrics import PREFIX

Labels = frozenset[tuple[str, str]]
Series = Mapping[Labels, float]

_STARTED: Final = "process_start_time_seconds"
_NOTHING: Final[Series] = {}


@dataclass(frozen=True, slots=True)
class Samples:
    """All that one process exposed at one time: name as exposed → labels → value."""

    by_name: Mapping[str, Series] = field(default_factory=dict, repr=False)

    def counter(self, name: CounterName) -> Series:
        """What a counter stands at, for each combination of labels."""
        return self.by_name.get(PREFIX + name, _NOTHING)

    def gauge(self, name: GaugeName) -> Series:
        """A gauge's present values, for each combination of labels."""
        return self.by_name.get(PREFIX + name, _NOTHING)

    def buckets(self, name: HistogramName) -> Series:
        """A histogram's cumulative counts; the label ``le`` is a bucket's upper bound."""
        return self.by_name.get(f"{PREFIX}{name}_bucket", _NOTHING)

    @property
    def started_at(self) -> float | None:
        """When the process started, in seconds since the epoch; None where its platform does not tell."""
        return next(iter(self.by_name.get(_STARTED, _NOTHING).values()), None)


def parse(text: str) -> Samples:
    """Read the text exposition format; what is not a metric of ours is left out.

    Raises:
        Rejected: it is not that format, or a process of ours did not write it.
    """
    by_name: dict[str, dict[Labels, float]] = {}
    try:
        for family in text_string_to_metric_families("\n".join(_ours(text)) + "\n"):
            for sample in family.samples:
                by_name.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
    except ValueError:
        raise Rejected("not-metrics", "what it answers is not in Prometheus' text format") from None
    if not any(name.startswith(PREFIX) for name in by_name):
        raise Rejected("not-ours", "it is no huecry process: its metrics are another program's")
    return Samples(by_name)


def _ours(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line.startswith((PREFIX, _STARTED)))


def has(labels: Labels, wanted: Mapping[str, str]) -> bool:
    """Whether these labels are among them."""
    return wanted.items() <= labels


def label(labels: Labels, name: str) -> str:
    """The value of one label; empty if it has none of this name."""
    return next((value for key, value in labels if key == name), "")
