"""Metrics come from one catalogue, and no value given to a label can carry more than a slug."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
import threading
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from schemas.ops import metrics
from schemas.ops.metric_catalogue import CATALOGUE, CounterName, GaugeName, HistogramName, MetricName

NAMES_BY_KIND = {"counter": CounterName, "gauge": GaugeName, "histogram": HistogramName}


def exposed() -> str:
    return generate_latest(metrics.REGISTRY).decode()


def test_the_literal_type_and_the_catalogue_hold_the_same_names():
    assert set(get_args(MetricName)) == set(CATALOGUE)


@pytest.mark.parametrize("kind", NAMES_BY_KIND)
def test_each_kind_has_its_own_literal_so_that_a_miscast_metric_is_a_type_error(kind):
    assert set(get_args(NAMES_BY_KIND[kind])) == {name for name, metric in CATALOGUE.items() if metric.kind == kind}


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_metric_is_named_and_described_by_the_rules(name):
    metric = CATALOGUE[name]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
    assert name.endswith("_total") == (metric.kind == "counter")
    assert bool(metric.buckets) == (metric.kind == "histogram")
    assert list(metric.buckets) == sorted(set(metric.buckets))
    assert metric.help.endswith(".")
    if metric.kind == "histogram":
        assert name.endswith(("_seconds", "_events")), "a histogram's name bears its unit"


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_metric_is_exposed_with_our_prefix(name):
    assert f"# HELP huecry_{name} " in exposed()


def test_counters_add_up_gauges_hold_the_last_value_and_histograms_count():
    labels = {"origin": "counting-force", "outcome": "routed"}
    metrics.increment("routed_events_total", **labels)
    metrics.increment("routed_events_total", 4, **labels)
    metrics.set_gauge("input_lag_seconds", 7.5, origin="counting-force")
    metrics.set_gauge("input_lag_seconds", 2.5, origin="counting-force")
    metrics.observe("end_to_end_seconds", 0.004, origin="counting-force")
    assert metrics.reading("routed_events_total", **labels) == 5
    assert metrics.reading("input_lag_seconds", origin="counting-force") == 2.5
    assert metrics.reading("end_to_end_seconds", origin="counting-force") == 1
    assert 'huecry_end_to_end_seconds_bucket{le="0.005",origin="counting-force"} 1.0' in exposed()


def test_a_metric_without_labels_is_called_without_labels():
    before = metrics.reading("batches_halved_total")
    metrics.increment("batches_halved_total")
    assert metrics.reading("batches_halved_total") == before + 1


@pytest.mark.parametrize("labels", [{}, {"origin": "a"}, {"origin": "a", "outcome": "routed", "incident": "b"}])
def test_wrong_labels_raise_at_the_call_and_say_which_were_expected(labels):
    with pytest.raises(ValueError, match=r"routed_events_total has labels \['origin', 'outcome'\]"):
        metrics.increment("routed_events_total", **labels)


def test_a_name_outside_the_catalogue_raises_and_says_where_to_look():
    with pytest.raises(ValueError, match=r"metric_catalogue\.py"):
        metrics.increment("huecry_routed_events_total", origin="a", outcome="routed")  # type: ignore[arg-type]


def test_the_order_of_labels_does_not_matter():
    metrics.increment("delivered_total", recipient="order-member", store="ledger", outcome="written")
    metrics.increment("delivered_total", outcome="written", recipient="order-member", store="ledger")
    assert metrics.reading("delivered_total", recipient="order-member", store="ledger", outcome="written") == 2


@pytest.mark.parametrize(
    "value",
    ["Jane Ashworth", "jane ashworth", "07700 900123", "12 Mill Lane", "a" * 61, "", "wy_1", "-a", "ü", None, 3, ["a"]],
)
def test_a_value_that_is_no_slug_is_counted_as_other(value):
    before = metrics.reading("quarantined_records_total", member="shape-member", reason="other")
    metrics.increment("quarantined_records_total", member="shape-member", reason=value)
    assert metrics.reading("quarantined_records_total", member="shape-member", reason="other") == before + 1


@given(st.text())
def test_nothing_but_slugs_ever_stands_in_a_label(text):
    metrics.increment("producers_recycled_total", reason=text)
    reasons = re.findall(r'huecry_producers_recycled_total\{reason="(.*)"\}', exposed())
    assert all(re.fullmatch(r"[a-z0-9-]{1,60}", reason) for reason in reasons)


def test_an_outcome_the_catalogue_does_not_list_is_counted_as_other():
    metrics.increment("delivered_total", recipient="closed-member", store="receiving", outcome="jane")
    assert metrics.reading("delivered_total", recipient="closed-member", store="receiving", outcome="other") == 1
    assert 'outcome="jane"' not in exposed()


def test_a_flood_of_values_of_one_label_ends_in_other():
    for number in range(metrics.MAX_LABEL_VALUES + 50):
        metrics.set_gauge("origin_paused", 1, origin=f"flood-{number}")
    series = [line for line in exposed().splitlines() if line.startswith("huecry_origin_paused{")]
    assert len(series) <= metrics.MAX_LABEL_VALUES + 1
    assert any('"other"' in line for line in series)


def test_values_that_were_refused_are_not_remembered():
    for number in range(50):
        metrics.increment("workers_replaced_total", reason=f"Jane Ashworth {number}")
    assert not any("Jane" in str(key) for key in metrics._CHILDREN)


def test_counts_from_many_threads_all_arrive():
    def count() -> None:
        for _ in range(500):
            metrics.increment("publisher_restarts_total", origin="threads-force")

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert metrics.reading("publisher_restarts_total", origin="threads-force") == 4000


def samples(name: str) -> list[str]:
    return [line for line in exposed().splitlines() if line.startswith(f"huecry_{name}")]


def test_what_a_process_has_never_counted_has_no_value_there_that_could_be_taken_for_one():
    """A consumer that showed huecry_policy_loaded 0 would look like a router without a policy."""
    code = (
        "from prometheus_client import generate_latest; from schemas.ops import metrics;"
        "metrics.set_gauge('policy_version', 3); print(generate_latest(metrics.REGISTRY).decode())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    ours = [line for line in told.splitlines() if line.startswith("huecry_")]
    assert ours == ["huecry_policy_version 3.0"]


def test_what_is_declared_shows_as_0_for_every_closed_value_so_that_the_first_is_one_more():
    metrics.declare("produced_events_total", origin="declaring-force")
    found = [line for line in samples("produced_events_total") if "declaring-force" in line]
    assert len(found) == len(CATALOGUE["produced_events_total"].labels["outcome"])
    assert all(line.endswith(" 0.0") for line in found)
    metrics.increment("produced_events_total", origin="declaring-force", outcome="read")
    metrics.declare("produced_events_total", origin="declaring-force")
    assert metrics.reading("produced_events_total", origin="declaring-force", outcome="read") == 1


def test_a_label_without_closed_values_must_be_named_where_a_metric_is_declared():
    with pytest.raises(ValueError, match="has labels"):
        metrics.declare("produced_events_total")


def test_a_gauge_with_a_source_is_asked_at_each_scrape():
    values = iter([3.0, 4.0])
    metrics.set_gauge_source("input_lag_seconds", lambda: next(values), origin="asked-force")
    assert metrics.reading("input_lag_seconds", origin="asked-force") == 3
    assert metrics.reading("input_lag_seconds", origin="asked-force") == 4
    metrics.set_gauge_source("input_lag_seconds", lambda: 0.0, origin="asked-force")


def test_the_examples_in_the_docstring_hold():
    assert doctest.testmod(metrics).failed == 0
