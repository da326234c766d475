"""Scaling touches durations and nothing else: what is seen to fire are the committed expressions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.operations.rule_scaling import LEAST_S, scaled_expression, scaled_rules, scaled_settings, shortened

KIT = Path(__file__).parents[2] / "deploy" / "prometheus"
RULE_FILES = sorted((KIT / "rules").glob("*.yaml"))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("rate(x[1h]) > 60", "rate(x[60000ms]) > 60"),
        ("x offset 23h30m", "x offset 1410000ms"),
        ("increase(x[25m] offset 5m) > 3", "increase(x[25000ms] offset 5000ms) > 3"),
        ("max_over_time(x[1d:1m])", "max_over_time(x[1440000ms:1000ms])"),
        ('x{reason="5m", le="5.0"} * 3600 > 14.4 * 0.01', 'x{reason="5m", le="5.0"} * 3600 > 14.4 * 0.01'),
        ("recipient:huecry_late_deliveries:ratio_rate1h", "recipient:huecry_late_deliveries:ratio_rate1h"),
    ],
)
def test_windows_and_offsets_are_shortened_and_numbers_are_not(written: str, expected: str) -> None:
    assert scaled_expression(written, 60) == expected


def test_no_window_is_shorter_than_rates_need() -> None:
    assert scaled_expression("rate(x[1m])", 3600) == f"rate(x[{LEAST_S}000ms])"
    assert shortened("1m", 3600) == "17ms"


def test_every_committed_rule_is_there_and_differs_in_durations_alone() -> None:
    written = [
        rule for path in RULE_FILES for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]
    ]
    scaled = [rule for group in scaled_rules(RULE_FILES, 60)["groups"] for rule in group["rules"]]
    assert len(written) == len(scaled) > 0
    for before, after in zip(written, scaled, strict=True):
        assert _without_durations(str(before["expr"])) == _without_durations(str(after["expr"]))
        durations = {"expr", "for", "keep_firing_for"}
        assert {k: v for k, v in before.items() if k not in durations} == {
            k: v for k, v in after.items() if k not in durations
        }
        assert ("for" in before) == ("for" in after)


def test_the_committed_settings_hold_but_for_their_pace_and_their_files() -> None:
    written = yaml.safe_load((KIT / "prometheus.yaml").read_text())
    scaled = scaled_settings(KIT / "prometheus.yaml", Path("rules"), Path("targets"))
    assert [job["job_name"] for job in scaled["scrape_configs"]] == [
        job["job_name"] for job in written["scrape_configs"]
    ]
    for before, after in zip(written["scrape_configs"], scaled["scrape_configs"], strict=True):
        assert before.get("relabel_configs") == after.get("relabel_configs")
        assert after["file_sd_configs"] == [{"files": ["targets"]}]
    assert scaled["rule_files"] == ["rules"]


def _without_durations(expr: str) -> str:
    return re.sub(r"(\[[^\]]*\]|offset \S+)", lambda found: re.sub(r"\d+(ms|[smhdwy])", "", found[0]), expr)
