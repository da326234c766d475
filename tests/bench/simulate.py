"""How long `huecry agreements simulate` takes over a million recorded decisions, on one core.

    python -m tests.bench.simulate [--decisions N]

The ledger is in SQLite, made by the router and the ledger's own sink: a thousand events, then told again under other
ids with what rules read of them drawn anew, so that few are decided twice. Writes build/simulate.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from consumers.ledger_queries import Ledger
from deploy.agreement_tools.simulating import Simulation
from routing.effects import Policy
from schemas.codes import codes
from tests.bench.rules import bench_bundle, bench_exchange
from tests.deploy.agreement_tools.test_replay_command import BETWEEN, decided

OUT: Final = Path("build/simulate.json")
_EVENTS: Final = 1_000
_DISTRICTS: Final = ("Calderdale", "Kirklees", "Leeds", "Wakefield", "Barnsley", "Bradford", "Hull", "York")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--decisions", type=int, default=1_000_000)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        policy = Policy(bench_bundle(), bench_exchange("simulate"), {})
        print("making the ledger ...", file=sys.stderr)
        ledger = decided(Path(folder) / "ledger.db", policy, _EVENTS)
        shapes = multiplied(ledger, asked.decisions)
        simulation = Simulation(policy.bundle, BETWEEN[0].date())
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        started, started_cpu = time.perf_counter(), time.process_time()
        with Ledger(ledger) as opened:
            simulation.run(opened.recorded_between(*BETWEEN))
        seconds, cpu = time.perf_counter() - started, time.process_time() - started_cpu
    decisions = sum(tally.decisions for tally in simulation.tallies.values())
    figures = {"decisions": decisions, "shapes": shapes, "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1)}
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(figures) + "\n", "utf-8")
    print(f"{decisions} recorded decisions of {shapes} shapes, decided again in {seconds:.1f} s ({cpu:.1f} s of CPU)")


def multiplied(ledger: Path, decisions: int) -> int:
    """Tell the events again until there are so many decisions; how many distinct things were considered."""
    rng = Random(1285)
    shapes = set()
    with closing(sqlite3.connect(ledger)) as database, database:
        database.execute("PRAGMA synchronous = OFF")
        columns = [name for _, name, *_ in database.execute("PRAGMA table_info(disclosure)")]
        events = [dict(zip(columns, row, strict=True)) for row in database.execute("SELECT * FROM disclosure")]
        decided_of: dict[str, list[tuple[Any, ...]]] = {}
        for row in database.execute("SELECT * FROM decision"):
            decided_of.setdefault(row[0], []).append(row)
        here = sum(map(len, decided_of.values()))
        again = 0
        while here < decisions:
            again += 1
            told, made = [], []
            for event in events:
                record_id = f"{event['record_id']}-{again}"
                considered = drawn_anew(rng, event["considered"])
                shapes.add(hash(considered))
                told.append(tuple({**event, "record_id": record_id, "considered": considered}.values()))
                made += [(record_id, *row[1:]) for row in decided_of[event["record_id"]]]
            database.executemany(f"INSERT INTO disclosure VALUES ({', '.join('?' * len(columns))})", told)  # noqa: S608
            database.executemany(f"INSERT INTO decision VALUES ({', '.join('?' * len(made[0]))})", made)  # noqa: S608
            here += len(made)
    return len(shapes)


def drawn_anew(rng: Random, considered: str) -> str:
    """Another event's attributes, as likely to be met by a rule."""
    event = json.loads(considered)
    event["category"] = rng.choice(codes("category"))
    event["grade"] = rng.choice(codes("grade"))
    event["flags"] = sorted(rng.sample(codes("flags"), rng.randint(0, 3)))
    for place in event["places"]:
        place["district"] = rng.choice(_DISTRICTS)
    return json.dumps(event, separators=(",", ":"))


if __name__ == "__main__":
    main()
