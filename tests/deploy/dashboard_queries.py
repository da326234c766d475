"""Reads dashboards as Grafana does, and PromQL as far as it takes to know which metrics and labels it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_MADE_LABEL = re.compile(r', "(\w+)", "\$\d+", "\w+", "')
_GROUPING = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^()]*)\)")
_MATCHERS = re.compile(r"([a-zA-Z_:][\w:]*)?\s*\{([^{}]*)\}")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_NAME = re.compile(r"(?<![\w:.$])[a-zA-Z_:][\w:]*(?!\s*\(|[\w:])")
_WORDS = {"and", "or", "unless", "offset", "bool", "inf", "nan", "start", "end"}


@dataclass(frozen=True)
class Asked:
    """One query of one panel, or the annotations of a dashboard."""

    dashboard: str
    panel: str
    expr: str
    instant: bool

    def __str__(self) -> str:
        return f"{self.dashboard} / {self.panel}: {self.expr}"


def panels(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every panel of a dashboard, rows' headings included."""
    found = list(dashboard["panels"])
    return found + [inner for panel in found for inner in panel.get("panels", ())]


def queries_of(dashboard: Mapping[str, Any], name: str) -> Iterator[Asked]:
    """Everything that a dashboard asks of Prometheus."""
    for panel in panels(dashboard):
        for target in panel.get("targets", ()):
            yield Asked(name, panel["title"], target["expr"], instant=bool(target.get("instant")))
    for mark in dashboard["annotations"]["list"]:
        yield Asked(name, f"marks: {mark['name']}", mark["expr"], instant=True)


def queries_in(directory: Path) -> list[Asked]:
    """Everything that the dashboards of a folder ask of Prometheus."""
    return [
        asked
        for path in sorted(directory.glob("*.json"))
        for asked in queries_of(json.loads(path.read_text()), path.stem)
    ]


def named(expr: str) -> tuple[set[str], set[str]]:
    """The metrics that an expression names, and the labels, those left out that it makes itself."""
    made = set(_MADE_LABEL.findall(expr))
    labels = {label for _, body in _MATCHERS.findall(expr) for label in _MATCHER.findall(body)}
    bare = _STRING.sub('""', expr)
    labels |= {label.strip() for _, body in _GROUPING.findall(bare) for label in body.split(",") if label.strip()}
    bare = _GROUPING.sub(" ", bare)
    bare = re.sub(r"\{[^{}]*\}|\[[^\]]*\]|offset \w+", " ", bare)
    return set(_NAME.findall(bare)) - _WORDS, labels - made


def in_seconds(expr: str, rate_interval_s: int) -> str:
    """The expression as Grafana sends it, with what it puts in place of its own variables."""
    return expr.replace("$__rate_interval", f"{rate_interval_s}s")
