"""How long `huecry agreements simulate` takes over a million recorded decisions on one core, and `replay` over a tenth.

    python -m tests.bench.simulate [--quick]

The ledger is in SQLite, made by the router and the ledger's own sink: a thousand events, then told again under other
ids with what rules read of them drawn anew, so that few are decided twice. What was decided is told again as it was:
so `replay` finds that nearly all differ, and says only what it costs. Writes build/simulate.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from consumers.ledger_queries import Ledger
from deploy.agreement_tools.replaying import Replaying
from deploy.agreement_tools.simulating import Simulation
from routing.effects import Policy
from schemas.codes import codes
from tests.bench.rules import bench_bundle, bench_exchange
from tests.deploy.agreement_tools.test_replay_command import BETWEEN, decided

OUT: Final = Path("build/simulate.json")
TARGET_S: Final = 60.0
_EVENTS: Final = 1_000
_EVENTS_QUICK: Final = 20
_DISTRICTS: Final = ("Calderdale", "Kirklees", "Leeds", "Wakefield", "Barnsley", "Bradford", "Hull", "York")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.simulate", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few decisions, to see that it works")
    parser.add_argument("--out", type=Path, default=OUT, help=f"where to write the figures (default: {OUT})")
    asked = parser.parse_args(arguments)
    figures = measure(_EVENTS_QUICK, 2_000) if asked.quick else measure(_EVENTS, 1_000_000)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(figures) + "\n", "utf-8")
    for what, target in (("simulate", f" (target: a million in {TARGET_S:g} s)"), ("replay", "")):
        print(
            f"{what}: {figures[f'{what}_decisions']:,.0f} recorded decisions made again in "
            f"{figures[f'{what}_s']:.1f} s, {figures[f'{what}_cpu_s']:.1f} s of CPU{target}"
        )


def measure(events: int, decisions: int) -> dict[str, float]:
    """Decisions made again, and what that took, on one core."""
    with TemporaryDirectory() as folder:
        policy = Policy(bench_bundle(), bench_exchange("simulate"), {})
        print("making the ledger ...", file=sys.stderr)
        ledger = decided(Path(folder) / "ledger.db", policy, events)
        shapes = multiplied(ledger, decisions)
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        with Ledger(ledger) as opened:
            print("deciding again ...", file=sys.stderr)
            simulated = _timed("simulate", lambda: _simulated(policy, opened))
            few = opened.count_events_between(*BETWEEN) // 10
            replayed = _timed("replay", lambda: _replayed(policy, opened, few))
    return {"shapes": shapes, **simulated, **replayed}


def _timed(what: str, work: Callable[[], int]) -> dict[str, float]:
    started, started_cpu = time.perf_counter(), time.process_time()
    decisions = work()
    seconds, cpu = time.perf_counter() - started, time.process_time() - started_cpu
    return {f"{what}_decisions": decisions, f"{what}_s": round(seconds, 2), f"{what}_cpu_s": round(cpu, 2)}


def _simulated(policy: Policy, ledger: Ledger) -> int:
    simulation = Simulation(policy.bundle, BETWEEN[0].date())
    simulation.run(ledger.recorded_between(*BETWEEN))
    return sum(tally.decisions for tally in simulation.tallies.values())


def _replayed(policy: Policy, ledger: Ledger, events: int) -> int:
    return Replaying(policy.bundle).run(islice(ledger.whole_between(*BETWEEN), events)).decisions


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
