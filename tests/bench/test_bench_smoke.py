"""``make bench`` runs, and says all that it promises. What the figures are is not for a test to say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.targets import targets_of

ROOT = Path(__file__).parents[2]
DECIDING = (
    "warm_us_200_rules_60_members",
    "first_sight_us_200_rules_60_members",
    "compile_s_5000_rules_500_members",
    "first_sight_us_5000_rules_500_members",
)


def test_a_quick_bench_writes_every_figure_and_shows_them(tmp_path: Path) -> None:
    out = tmp_path / "build" / "bench.json"
    command = [sys.executable, "-m", "tests.bench.router", "--quick", "--out", str(out)]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)

    assert ran.returncode == 0, ran.stderr
    figures: dict[str, Any] = json.loads(out.read_text("utf-8"))
    kinds = ("raw", "router")
    rated = {f"{kind}_{what}" for kind in (*kinds, "routers") for what in ("events_per_s", "cpu_us_per_event")}
    measured = rated | {"router_to_raw", "routers_to_raw"}
    told = {name: figures[name] for name in measured} | {kind: figures["latency_ms"][kind] for kind in kinds}
    told |= {name: figures[name] for name in ("pieces_us", "places_us", "remembered")}
    assert [name for name, figure in flat(told) if not figure > 0] == []
    assert {"open_event", "view_per_recipient", "decide", "disclose"} < figures["pieces_us"].keys()
    assert figures["machine"]["cores"] >= 1
    assert {"python", "confluent-kafka", "librdkafka", "fastavro"} < figures["versions"].keys()
    assert "raw copy" in ran.stdout
    assert "router to raw" in ran.stdout
    assert {met for *_, met in figures["targets"]} <= {"met", "not met"}
    assert "≥ 0.2" in ran.stdout


def flat(figures: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Every figure with its name."""
    for name, figure in figures.items():
        if isinstance(figure, dict):
            yield from flat(figure, f"{prefix}{name}.")
        else:
            yield prefix + name, figure


def figures_of(ratio: float, cpu_us: float) -> dict[str, Any]:
    latency = {"raw": {"p50": 10.0, "p99": 40.0}, "router": {"p50": 15.0, "p99": 61.0}}
    places = {"place_in_60_areas": 3.0}
    return {
        "router_to_raw": ratio,
        "router_cpu_us_per_event": cpu_us,
        "latency_ms": latency,
        "places_us": places,
        "deciding": {},
    }


def test_each_target_says_whether_it_is_met() -> None:
    figures = figures_of(0.20, 60.1)
    told = [target.told(figures) for target in targets_of(figures)]
    assert [met for *_, met in told] == ["met", "not met", "met", "not met", "met"]
    assert told[0] == ("events/s, router to raw copy", "0.2", "≥ 0.2", "met")
    assert told[1][1:] == ("60.1", "≤ 60 µs", "not met")


def test_deciding_has_targets_where_it_was_measured() -> None:
    figures = figures_of(0.19, 59) | {"deciding": dict.fromkeys(DECIDING, 24.0)}
    met = [target.is_met(figures) for target in targets_of(figures)]
    assert met == [False, True, True, False, True, False, True, False, True]


def test_a_ledger_is_simulated_and_replayed(tmp_path: Path) -> None:
    out = tmp_path / "simulate.json"
    command = [sys.executable, "-m", "tests.bench.simulate", "--quick", "--out", str(out)]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)

    assert ran.returncode == 0, ran.stderr
    figures = json.loads(out.read_text("utf-8"))
    assert figures["simulate_decisions"] >= 2_000
    assert figures["replay_decisions"] > 100
    assert "(target: a million in 60 s)" in ran.stdout


def test_a_bench_of_trace_says_what_each_kind_of_question_took_beside_its_target(tmp_path: Path) -> None:
    out = tmp_path / "trace.json"
    command = [sys.executable, "-m", "tests.bench.trace", "--quick", "--out", str(out)]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)

    assert ran.returncode == 0, ran.stderr
    figures: dict[str, Any] = json.loads(out.read_text("utf-8"))
    assert figures["decisions"] >= 1000 * (figures["members"] - 1)
    assert len(figures["took_ms"]) == 6
    assert all(0 < took["p50"] <= took["worst"] for took in figures["took_ms"].values())
    assert "target: 1000 ms" in ran.stdout


def test_a_bench_of_retractions_says_how_soon_holders_hear_and_how_idle_the_machine_is(tmp_path: Path) -> None:
    out = tmp_path / "retraction.json"
    command = [sys.executable, "-m", "tests.bench.retraction", "--quick", "--out", str(out)]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)

    assert ran.returncode == 0, ran.stderr
    figures: dict[str, Any] = json.loads(out.read_text("utf-8"))
    retractions, receipts = figures["retraction_ms"], figures["receipts"]
    assert retractions["retractions"] >= 20
    assert 0 < retractions["p50"] <= retractions["p99"] <= retractions["worst"]
    assert 3 < receipts["fan_out"] <= 5
    assert {"router", "broker", "members", "driver"} == receipts["cores"].keys()
    assert all(share > 0 for share in receipts["cores"].values())
    assert "target: 1000 ms" in ran.stdout
    assert "target: 50%" in ran.stdout
