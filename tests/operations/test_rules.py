"""Alerts name what there is, fire when they should and not otherwise, and each says whom it is about and what to do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from schemas.ops.metrics import PREFIX
from tests.operations.alert_rules import (
    BY_PROMETHEUS,
    EVERYWHERE,
    PROMETHEUS,
    RULES,
    RUNBOOK,
    UNIT_TESTS,
    alerts,
    faults_of,
    rules,
    selectors,
    unit_tests,
)
from tests.operations.rule_scaling import seconds

ALERTS = alerts()
MEMBER_LABELS = ("member", "origin", "recipient")


@pytest.fixture
def promtool():
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool here: apt-get install prometheus, or put Prometheus' own on the PATH")

    def run(*arguments: str | Path) -> str:
        ran = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=840, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout + ran.stderr

    return run


def test_prometheus_understands_its_configuration_and_finds_every_rule(promtool):
    told = promtool("check", "config", PROMETHEUS / "prometheus.yaml")
    assert f"{len(RULES)} rule files found" in told
    assert len(RULES) >= 6


@pytest.mark.timeout(900)  # weeks of samples: twenty seconds of a processor, and many times that where others want it
@pytest.mark.parametrize("path", UNIT_TESTS, ids=lambda path: path.stem)
def test_alerts_fire_when_they_should_and_not_otherwise(promtool, path):
    promtool("test", "rules", path)


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_has_a_unit_test_in_which_it_fires_and_one_in_which_it_does_not(name):
    expectations = [
        bool(case["exp_alerts"])
        for test in unit_tests()
        for case in test["alert_rule_test"]
        if case["alertname"] == name
    ]
    assert set(expectations) == {True, False}


@pytest.mark.parametrize("name", ALERTS)
def test_every_alert_has_a_severity_a_sentence_a_page_and_waits_before_it_wakes_anybody(name):
    rule = ALERTS[name]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["runbook_url"] == f"docs/runbook/{name}.md"
    assert (RUNBOOK / f"{name}.md").is_file()
    assert re.fullmatch(r'["A-Z{].{20,240}[^.\s]', rule["annotations"]["summary"])
    assert 60 <= seconds(rule["for"]) <= 15 * 60
    assert rule["labels"]["severity"] == "ticket" or seconds(rule["for"]) <= 5 * 60, "who is paged must hear it in time"


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_about_a_member_names_it_in_words_and_in_the_label_member(name):
    rule = ALERTS[name]
    about = {label for label in MEMBER_LABELS if re.search(rf"by \([^)]*\b{label}\b[^)]*\)", rule["expr"])}
    about |= {"origin"} if "origin:huecry" in rule["expr"] else set()
    about |= {"recipient"} if "recipient:huecry" in rule["expr"] else set()
    if about:
        (label,) = about if len(about) == 1 else {"member"}
        assert f"$labels.{label}" in rule["annotations"]["summary"]
        assert label == "member" or rule["labels"]["member"] == f"{{{{ $labels.{label} }}}}"


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.get("alert", rule.get("record")))
def test_every_rule_names_metrics_labels_and_values_that_there_are(rule):
    assert faults_of(rule["expr"]) == []


@pytest.mark.parametrize(
    ("expr", "fault"),
    [
        ("huecry_spool_oldest > 1", "the catalogue has no huecry_spool_oldest"),
        ("rate(huecry_receive_seconds[5m])", "the catalogue has no huecry_receive_seconds"),
        ('huecry_spool_events{recipient="a"}', "huecry_spool_events has no label recipient"),
        ('huecry_transactions_total{outcome=~"aborted|lost"}', "huecry_transactions_total: outcome is never lost"),
        ('huecry_receive_seconds_bucket{le="4.0"}', "huecry_receive_seconds_bucket has no bucket up to 4.0"),
        ("sum by (orign) (huecry_spool_events)", "no metric has a label orign"),
        ("origin:huecry_nothing:rate1m > 0", "nothing records origin:huecry_nothing:rate1m"),
    ],
)
def test_what_is_not_there_would_be_found(expr, fault):
    assert faults_of(expr) == [fault]


@pytest.mark.parametrize("test", unit_tests(), ids=lambda test: test["name"][:60])
def test_unit_tests_are_made_of_series_as_our_processes_expose_them(test):
    for series in test["input_series"]:
        (selector,) = selectors(series["series"])
        assert faults_of(series["series"]) == []
        if selector.name not in BY_PROMETHEUS:
            metric = selector.metric()
            assert metric is not None
            given = {label for label, _, _ in selector.matchers} - EVERYWHERE - {"le"}
            assert given == set(metric.labels), f"{selector.name} is exposed with {sorted(metric.labels)}"
            assert selector.name.startswith(PREFIX)


def test_no_unit_test_tells_of_an_alert_that_there_is_not():
    told = {case["alertname"] for test in unit_tests() for case in test["alert_rule_test"]}
    assert told == set(ALERTS)
