"""``make bench`` runs, and says all that it promises. What the figures are is not for a test to say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def test_a_quick_bench_writes_every_figure_and_shows_them(tmp_path: Path) -> None:
    out = tmp_path / "build" / "bench.json"
    command = [sys.executable, "-m", "tests.bench.router", "--quick", "--out", str(out)]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)

    assert ran.returncode == 0, ran.stderr
    figures: dict[str, Any] = json.loads(out.read_text("utf-8"))
    measured = [
        figures[f"{kind}_{what}"] for kind in ("raw", "router") for what in ("events_per_s", "cpu_us_per_event")
    ]
    measured += [figures["latency_ms"][kind][share] for kind in ("raw", "router") for share in ("p50", "p99")]
    measured += [figures["router_to_raw"], *figures["pieces_us"].values(), *figures["places_us"].values()]
    assert all(figure > 0 for figure in measured)
    assert {"open_event", "view_per_recipient", "decide", "disclose"} < figures["pieces_us"].keys()
    assert figures["machine"]["cores"] >= 1
    assert {"python", "confluent-kafka", "librdkafka", "fastavro"} < figures["versions"].keys()
    assert "raw copy" in ran.stdout
    assert "router to raw" in ran.stdout
