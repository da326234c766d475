"""Committed rules and scrape settings, with every duration shortened by one factor, so that hours pass in seconds.

What is mechanical: durations in square brackets, after ``offset``, and in ``for`` and ``keep_firing_for``. Nothing else
of an expression is touched: what is compared with a number of seconds waits for as many. A window holds as many samples
as rates need: none becomes shorter than `LEAST_S`, and no step of a subquery than `SCRAPE_S`. Everything is scraped,
and every rule asked, each `SCRAPE_S`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

SCRAPE_S: Final = 1
LEAST_S: Final = 4 * SCRAPE_S

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_IN_BRACKETS: Final = re.compile(r"\[([^\]]*)\]")
_OFFSET: Final = re.compile(r"\boffset\s+((?:\d+(?:ms|[smhdwy]))+)")


def shortened(duration: str, factor: float, least_s: float = 0.0) -> str:
    """The duration divided by the factor, in whole milliseconds.

    >>> shortened("1h30m", 60)
    '90000ms'
    """
    return f"{max(round(seconds(duration) / factor, 3), least_s) * 1000:.0f}ms"


def seconds(duration: str) -> float:
    """How long a duration of Prometheus lasts.

    >>> seconds("1h30m")
    5400.0
    """
    return sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(duration))


def scaled_expression(expr: str, factor: float) -> str:
    """The expression with shorter windows and offsets.

    >>> scaled_expression("rate(x[5m]) > 60 or y offset 1h", 60)
    'rate(x[5000ms]) > 60 or y offset 60000ms'
    """

    def window(found: re.Match[str]) -> str:
        lasts, colon, step = found[1].partition(":")
        return f"[{shortened(lasts, factor, LEAST_S)}{colon}{shortened(step, factor, SCRAPE_S) if step else ''}]"

    expr = _IN_BRACKETS.sub(window, expr)
    return _OFFSET.sub(lambda found: f"offset {shortened(found[1], factor)}", expr)


def scaled_rules(paths: Iterable[Path], factor: float) -> dict[str, Any]:
    """All groups of the rule files, as one file."""
    groups = [group for path in paths for group in yaml.safe_load(path.read_text("utf-8"))["groups"]]
    return {"groups": [_group(group, factor) for group in groups]}


def scaled_settings(committed: Path, rules: Path, targets: Path) -> dict[str, Any]:
    """The committed configuration of Prometheus, quicker, with these rules and these targets in place of its own."""
    settings: dict[str, Any] = yaml.safe_load(committed.read_text("utf-8"))
    each = f"{SCRAPE_S}s"
    settings["global"] |= {"scrape_interval": each, "scrape_timeout": each, "evaluation_interval": each}
    settings["rule_files"] = [str(rules)]
    for job in settings["scrape_configs"]:
        job["file_sd_configs"] = [{"files": [str(targets)]}]
    return settings


def _group(group: Mapping[str, Any], factor: float) -> dict[str, Any]:
    rules = []
    for rule in group["rules"]:
        scaled = dict(rule) | {"expr": scaled_expression(str(rule["expr"]), factor)}
        for key in ("for", "keep_firing_for"):
            if key in rule:
                scaled[key] = shortened(str(rule[key]), factor)
        rules.append(scaled)
    return {"name": group["name"], "rules": rules}
