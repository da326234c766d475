"""The alert rules, their unit tests and their metrics, as tests read them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from schemas.ops.metric_catalogue import CATALOGUE, Metric
from schemas.ops.metrics import PREFIX

ROOT: Final = Path(__file__).parents[2]
PROMETHEUS: Final = ROOT / "deploy" / "prometheus"
RULES: Final = sorted((PROMETHEUS / "rules").glob("*.yaml"))
UNIT_TESTS: Final = sorted((PROMETHEUS / "tests").glob("*.yaml"))
RUNBOOK: Final = ROOT / "docs" / "runbook"

BY_PROMETHEUS: Final = {"up": {"job"}, "process_resident_memory_bytes": set()}
"""Metrics that Prometheus and its client library make, with the labels that are used of them."""
EVERYWHERE: Final = {"instance", "job"}
"""Labels that Prometheus gives to every series."""
_OF_A_HISTOGRAM: Final = re.compile(r"_(bucket|count|sum)$")
_SELECTOR: Final = re.compile(r"(?<![\w:\"])((?:huecry_|up\b|process_)\w*)(?:\{([^}]*)\})?")
_MATCHER: Final = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_GROUPING: Final = re.compile(r"\b(?:by|on|without|group_left|group_right)\s*\(([^)]*)\)")
_RECORDED: Final = re.compile(r"\b[a-z]+:[a-z0-9_]+:[a-z0-9_]+\b")


def rules() -> list[dict[str, Any]]:
    """Every rule of every file."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text("utf-8"))["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """Every alert by its name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def recorded() -> set[str]:
    """The names that recording rules make."""
    return {rule["record"] for rule in rules() if "record" in rule}


@dataclass(frozen=True)
class Selector:
    """One metric as a query names it, with what it asks of its labels."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]

    def metric(self) -> Metric | None:
        """What the catalogue says of it; None: nothing."""
        bare = self.name.removeprefix(PREFIX)
        found = CATALOGUE.get(bare)  # type: ignore[call-overload]
        if found is None and (of := CATALOGUE.get(_OF_A_HISTOGRAM.sub("", bare))) and of.kind == "histogram":  # type: ignore[call-overload]
            return of
        return None if found is not None and found.kind == "histogram" else found


def faults_of(expr: str) -> list[str]:
    """What a query names that is not there: metrics, labels, values of closed labels, recorded names."""
    found = [f"nothing records {name}" for name in set(_RECORDED.findall(expr)) - recorded()]
    without_text = re.sub(r'"[^"]*"', '""', re.sub(r"\{[^}]*\}", "", _RECORDED.sub("", expr)))
    grouped = {label.strip() for labels in _GROUPING.findall(without_text) for label in labels.split(",")} - {""}
    found += [f"no metric has a label {name}" for name in sorted(grouped - _all_labels())]
    for selector in selectors(expr):
        found += _faults_of_selector(selector)
    return found


def selectors(expr: str) -> Iterator[Selector]:
    """The metrics that a query names, other than recorded ones."""
    for name, inside in _SELECTOR.findall(_RECORDED.sub("", expr)):
        yield Selector(name, tuple(_MATCHER.findall(inside)))


def _faults_of_selector(selector: Selector) -> list[str]:
    if selector.name in BY_PROMETHEUS:
        extra = {label for label, _, _ in selector.matchers} - BY_PROMETHEUS[selector.name] - EVERYWHERE
        return [f"{selector.name} has no label {label}" for label in sorted(extra)]
    metric = selector.metric()
    if metric is None:
        return [f"the catalogue has no {selector.name}"]
    labels: Mapping[str, tuple[str, ...] | None] = metric.labels
    found = []
    for label, operator, value in selector.matchers:
        if label == "le" and selector.name.endswith("_bucket"):
            found += [] if float(value) in metric.buckets else [f"{selector.name} has no bucket up to {value}"]
        elif label not in labels and label not in EVERYWHERE:
            found.append(f"{selector.name} has no label {label}")
        elif (closed := labels.get(label)) is not None:
            asked = value.split("|") if "~" in operator else [value]
            found += [f"{selector.name}: {label} is never {each}" for each in asked if each not in closed]
    return found


def _all_labels() -> set[str]:
    return {label for metric in CATALOGUE.values() for label in metric.labels} | EVERYWHERE | {"le"}


def unit_tests() -> list[dict[str, Any]]:
    """Every unit test of every file."""
    return [test for path in UNIT_TESTS for test in yaml.safe_load(path.read_text("utf-8"))["tests"]]
