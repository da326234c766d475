"""Two pictures tell what was counted between them, whatever was restarted or missing meanwhile."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.utils import floatToGoString

from deploy.status.exposition import parse
from deploy.status.flow import Flow
from deploy.status.picture import Picture
from schemas.errors import Rejected
from schemas.ops import metrics
from schemas.ops.metric_catalogue import CATALOGUE
from tests.deploy.status.telling import NOON, down, every, up


def shared(count: int, recipient: str = "north") -> str:
    return f'decisions_total{{origin="south",recipient="{recipient}",outcome="shared"}} {count}\n'


def buckets(*counts: tuple[str, int]) -> str:
    """So many received within each bound."""
    return "\n".join(f'receive_seconds_bucket{{recipient="north",le="{bound}"}} {count}' for bound, count in counts)


def test_what_was_counted_is_the_difference_and_only_of_the_label_asked_for():
    flow = Flow(
        *every(2, (up("route-worker", "x", shared(5) + shared(7, "east")),), (up("route-worker", "x", shared(9)),))
    )
    assert flow.window_s == 2
    assert flow.count("route-worker", "decisions_total", recipient="north") == 4
    assert flow.counted("route-worker", "decisions_total", "outcome", recipient="north") == {"shared": 4}


def test_counts_of_several_processes_add_up_and_other_services_count_for_nothing():
    before, now = every(
        2,
        (up("route-worker", "x", shared(1)), up("route-worker", "x", shared(2), at="b:1")),
        (
            up("route-worker", "x", shared(2)),
            up("route-worker", "x", shared(4), at="b:1"),
            up("consume", "north", shared(50), at="c:1"),
        ),
    )
    assert Flow(before, now).count("route-worker", "decisions_total") == 3
    assert Flow(None, now).standing("route-worker", "decisions_total", "recipient") == {"north": 6}


@pytest.mark.parametrize(
    ("earlier", "later", "counted"),
    [
        (up("route-worker", "x", shared(5)), up("route-worker", "x", shared(3), started_at=NOON), 3),
        (up("route-worker", "x", shared(5)), up("route-worker", "x", shared(8), started_at=NOON), 8),
        (
            up("route-worker", "x", shared(5), started_at=None),
            up("route-worker", "x", shared(3), started_at=None),
            3,
        ),
        (down("route-worker", "x"), up("route-worker", "x", shared(3), started_at=NOON + 1), 3),
        (down("route-worker", "x"), up("route-worker", "x", shared(3)), 0),
        (up("route-worker", "x", shared(5)), down("route-worker", "x"), 0),
        (up("route-worker", "x"), up("route-worker", "x", shared(3)), 3),
    ],
    ids=[
        "restarted",
        "restarted, and further than it was",
        "restarted where the start is not told",
        "started since",
        "not reachable before, and for how long it counted nobody knows",
        "not reachable now",
        "the first of its kind",
    ],
)
def test_what_a_restart_or_a_silence_leaves_known_is_counted_and_no_more(earlier, later, counted):
    flow = Flow(*every(2, (earlier,), (later,)))
    assert flow.count("route-worker", "decisions_total", recipient="north") == counted


def test_without_an_earlier_picture_nothing_is_known():
    flow = Flow(None, Picture(NOON, (up("route-worker", "x", shared(5)),)))
    assert (flow.window_s, flow.count("route-worker", "decisions_total")) == (0.0, 0)
    assert flow.quantile_s("consume", "receive_seconds", 0.5) is None


def test_quantiles_are_those_of_the_window_and_not_of_all_time():
    slow = up("consume", "north", buckets(("0.1", 0), ("1", 1000), ("+Inf", 1000)))
    fast = up("consume", "north", buckets(("0.1", 10), ("1", 1010), ("+Inf", 1010)))
    flow = Flow(*every(2, (slow,), (fast,)))
    assert flow.quantile_s("consume", "receive_seconds", 0.5, recipient="north") == pytest.approx(0.05)
    assert flow.quantile_s("consume", "receive_seconds", 0.99, recipient="north") == pytest.approx(0.099)
    assert flow.quantile_s("consume", "receive_seconds", 0.5, recipient="east") is None


def test_above_the_last_bound_a_quantile_is_infinity():
    none = up("consume", "north", buckets(("1", 0), ("+Inf", 0)))
    late = up("consume", "north", buckets(("1", 1), ("+Inf", 4)))
    flow = Flow(*every(2, (none,), (late,)))
    assert flow.quantile_s("consume", "receive_seconds", 0.99) == math.inf


@given(st.lists(st.integers(0, len(CATALOGUE["receive_seconds"].buckets)), min_size=1), st.floats(0.01, 1))
def test_a_quantile_lies_in_the_bucket_of_the_value_of_its_rank(places, share):
    bounds = [*CATALOGUE["receive_seconds"].buckets, math.inf]
    counts = [sum(place <= number for place in places) for number in range(len(bounds))]
    lines = buckets(*((floatToGoString(bound), count) for bound, count in zip(bounds, counts, strict=True)))
    flow = Flow(*every(2, (up("consume", "north"),), (up("consume", "north", lines),)))
    found = flow.quantile_s("consume", "receive_seconds", share)
    place = sorted(places)[max(0, math.ceil(share * len(places) - 1e-9) - 1)]
    assert found is not None
    assert (bounds[place - 1] if place else 0.0) <= found <= bounds[place]


# ---------------------------------------------------------------------------------------------------- exposition


def test_what_a_process_of_ours_exposes_is_read_as_it_was_counted():
    from prometheus_client import generate_latest

    metrics.increment("quarantined_records_total", 3, member="exposition", reason="bad-key")
    metrics.observe("receive_seconds", 0.04, recipient="exposition")
    samples = parse(generate_latest(metrics.REGISTRY).decode())
    labels = frozenset({("member", "exposition"), ("reason", "bad-key")})
    assert samples.counter("quarantined_records_total")[labels] == 3
    bounds = {
        dict(labels)["le"] for labels in samples.buckets("receive_seconds") if ("recipient", "exposition") in labels
    }
    assert len(bounds) == len(CATALOGUE["receive_seconds"].buckets) + 1
    assert samples.started_at is not None


@pytest.mark.parametrize("text", ["", "<html>hello</html>", "go_goroutines 7\n", 'huecry_x{a="'])
def test_what_is_no_metrics_of_ours_is_refused_and_not_repeated(text):
    with pytest.raises(Rejected) as refused:
        parse(text)
    assert not text or text.strip() not in str(refused.value)
