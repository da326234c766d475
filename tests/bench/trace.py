"""How long `huecry trace` takes from a ledger of ten million decisions; the target is 1 s.

    python -m tests.bench.trace [--quick] [--decisions N] [--questions N] [--folder DIR] [--out FILE]

The ledger is in SQLite: what the router decided about a thousand events under 200 rules for 60 members, kept by the
ledger's own sink, then told again under other ids until there are so many decisions, each delivery with its receipt.
Incidents have five events, but for one that has a hundred; of each a person was asked something, and ruled.
Asked with the file in memory and with it on disk only, by incident and by a member's reference; in one process, and as
the command a person types. Writes build/trace.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from consumers.ledger_case_tables import RULING
from consumers.ledger_queries import Ledger
from consumers.ledger_tables import DECISION, DISCLOSURE, FEEDBACK
from deploy.tracing import trace_incident
from deploy.tracing_words import as_lines
from routing.effects import Policy
from tests.bench.rules import MEMBERS, bench_bundle, bench_exchange
from tests.deploy.agreement_tools.test_replay_command import decided

OUT: Final = Path("build/trace.json")
TARGET_MS: Final = 1_000
LONG: Final = "an-incident-of-a-hundred-events"
_EVENTS: Final = 1_000
_LONG_EVENTS: Final = 100
_COMMANDS: Final = 10
_AT: Final = DECISION.columns.index("delivery_id")
_TABLES: Final = (DISCLOSURE, DECISION, FEEDBACK, RULING)

Row = tuple[Any, ...]


def main(arguments: Sequence[str] | None = None) -> None:
    """Build, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.trace")
    parser.add_argument("--decisions", type=int, default=200_000)
    parser.add_argument("--questions", type=int, default=100, help="of each kind")
    parser.add_argument("--quick", action="store_true", help="a small ledger, two questions of each kind")
    parser.add_argument("--folder", type=Path, help="where the ledger is made, and removed (default: a temporary one)")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    with TemporaryDirectory(dir=options.folder) as folder:
        scale = (1, 2) if options.quick else (options.decisions, options.questions)
        figures = measured(Path(folder) / "ledger.db", *scale)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    show(figures)


def measured(ledger: Path, decisions: int, questions: int) -> dict[str, Any]:
    """Every figure."""
    started = time.perf_counter()
    made = Multiplied(decided(ledger, Policy(bench_bundle(), bench_exchange("trace"), {}), _EVENTS), decisions)
    made.write()
    built_s = time.perf_counter() - started
    say(f"a ledger of {made.decisions:,} decisions in {built_s:.0f} s")
    rng = Random(1285)
    incidents = [made.incident(rng.randrange(made.copies), rng) for _ in range(questions)]
    references = [f"REF-{rng.randrange(made.copies)}" for _ in range(questions)]
    forget = _forgetting(ledger)
    return {
        "decisions": made.decisions,
        "events": made.events,
        "feedback": made.feedback,
        "ledger_gb": round(ledger.stat().st_size / 1e9, 2),
        "built_s": round(built_s),
        "members": MEMBERS,
        "target_ms": TARGET_MS,
        "took_ms": {
            "5 events": _took(ledger, incidents),
            "5 events, nothing in memory": _took(ledger, incidents, forget),
            "by reference, nothing in memory": _took(ledger, references, forget),
            f"{_LONG_EVENTS} events": _took(ledger, [LONG] * questions),
            f"{_LONG_EVENTS} events, nothing in memory": _took(ledger, [LONG] * questions, forget),
            "5 events, the whole command": _summary([_command(ledger, one) for one in incidents[:_COMMANDS]]),
        },
    }


class Multiplied:
    """A small ledger's rows told again under other ids, as often as it takes."""

    def __init__(self, ledger: Path, decisions: int) -> None:
        self._ledger = ledger
        with closing(sqlite3.connect(ledger)) as database:
            self._disclosures = _all(database, DISCLOSURE.name, DISCLOSURE.columns)
            self._decisions: dict[str, list[Row]] = {}
            for row in _all(database, DECISION.name, DECISION.columns):
                self._decisions.setdefault(row["record_id"], []).append(tuple(row.values()))
        each = sum(map(len, self._decisions.values()))
        self.copies = max(1, -(-decisions // each) - 1)
        self.decisions, self.events, self.feedback = each, len(self._disclosures), 0

    def incident(self, copy: int, rng: Random) -> str:
        """One incident of a copy."""
        return f"{rng.choice(self._disclosures)['incident_id']}-{copy}"

    def write(self) -> None:
        """Write all copies, without the further indexes, which are made when all is there."""
        with closing(sqlite3.connect(self._ledger, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode = OFF")
            database.execute("PRAGMA synchronous = OFF")
            for name in (name for table in _TABLES for name in table.indexes):
                database.execute(f"DROP INDEX {name}")
            for copy in range(self.copies):
                self._write(database, [(row, f"{row['incident_id']}-{copy}") for row in self._disclosures], copy)
            a_hundred = self._disclosures[:_LONG_EVENTS]
            self._write(database, [(row | {"sequence": n}, LONG) for n, row in enumerate(a_hundred, 1)], -1)
            for statement in (statement for table in _TABLES for statement in table.indexes.values()):
                database.execute(statement)
            database.execute("PRAGMA journal_mode = WAL")
        # Nobody asks while gigabytes are on their way to the disk: a ledger grows by the day.
        with self._ledger.open("rb+") as file:
            os.fsync(file.fileno())

    def _write(self, database: sqlite3.Connection, told: Sequence[tuple[dict[str, Any], str]], copy: int) -> None:
        disclosures, decisions, feedback = [], [], []
        for row, incident_id in told:
            record_id = _digest(row["record_id"], copy)
            renamed = {"record_id": record_id, "incident_id": incident_id, "event_id": f"{row['event_id']}-{copy}"}
            disclosures.append({**row, **renamed})
            for decision in self._decisions[row["record_id"]]:
                sent = decision[_AT] and _digest(decision[_AT], copy)
                decisions.append((record_id, *decision[1:_AT], sent, *decision[_AT + 1 :]))
                if sent:
                    feedback.append(_receipt(renamed, sent, decision[1], row["decided_at"]))
        for incident_id, row in {renamed: row for row, renamed in told}.items():
            feedback += _asked_and_released(incident_id, row["decided_at"])
        accepted = {"feedback_id": f"accepted-{copy}", "kind": "accepted", "reference": f"REF-{copy}"}
        feedback.append(feedback[0] | accepted)
        database.execute("BEGIN")
        database.executemany(DISCLOSURE.insert, DISCLOSURE.rows(disclosures))
        database.executemany(DECISION.insert, decisions)
        database.executemany(FEEDBACK.insert, FEEDBACK.rows(feedback))
        database.executemany(
            RULING.insert, RULING.rows(_ruling(incident_id) for incident_id in {each for _, each in told})
        )
        database.execute("COMMIT")
        self.events += len(disclosures)
        self.decisions += len(decisions)
        self.feedback += len(feedback)


def _receipt(of: dict[str, str], delivery_id: str, member: str, at: str) -> dict[str, Any]:
    said = {"kind": "delivered", "member": member, "at": at, "was_at": at, "reason": "", "detail": "", "remedy": ""}
    return {**of, **said, "feedback_id": f"f-{delivery_id}", "entry": 1, "delivery_id": delivery_id}


_NOON: Final = "2026-06-01T12:00:00.000Z"


def _asked_and_released(incident_id: str, at: str) -> list[dict[str, Any]]:
    """What the origin was told of the one line of an incident's case."""
    said = {
        "entry": 1,
        "incident_id": incident_id,
        "event_id": "",
        "member": "m-01",
        "at": at,
        "detail": "",
        "remedy": "",
    }
    about = {"reason": "A-1/ask", "sections": ["locations"], "role": "duty-inspector"}
    return [
        {**said, **about, "feedback_id": f"{kind}-{incident_id}", "kind": kind, "ruling_id": f"r-{incident_id}"}
        for kind in ("referred", "released")
    ]


def _ruling(incident_id: str) -> dict[str, Any]:
    text = dict.fromkeys(
        ("person", "role", "authenticated_by", "because", "locate", "agreement", "basis", "topic"), "x"
    )
    times = {"made_at": _NOON, "taken_at": _NOON}
    place = {"partition": 0, "record_offset": 0, "seen_sequence": 1, "later_events": False}
    lists = {"recipients": ["m-01"], "sections": ["locations"]}
    return {
        **text,
        **times,
        **place,
        **lists,
        "ruling_id": f"r-{incident_id}",
        "incident_id": incident_id,
        "kind": "release",
    }


def _digest(identifier: str, copy: int) -> str:
    """Another identifier of the same length, as far from its neighbours as real ones are."""
    return hashlib.sha256(f"{identifier}/{copy}".encode()).hexdigest()[: len(identifier)]


def _all(database: sqlite3.Connection, table: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    rows = database.execute(f"SELECT {', '.join(columns)} FROM {table}")  # noqa: S608  our own names
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _took(ledger: Path, asked: Sequence[str], before: Callable[[], None] = lambda: None) -> dict[str, float]:
    """One question each, as the command asks it: opened, logged, read, put into words."""
    took = []
    for one in asked:
        before()
        started = time.perf_counter()
        with Ledger(ledger) as opened:
            lines = list(as_lines(trace_incident(opened, one)))
        took.append((time.perf_counter() - started) * 1000)
        if "What each member has now" not in lines:
            raise RuntimeError(f"expected the whole of {one}")
    return _summary(took)


def _command(ledger: Path, incident: str) -> float:
    command = [sys.executable, "-c", "from deploy.cli import main; main()", "trace", incident, "--ledger", str(ledger)]
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return (time.perf_counter() - started) * 1000


def _forgetting(ledger: Path) -> Callable[[], None]:
    """What puts the ledger's file out of the system's memory, where the system can be told so."""

    def forget() -> None:
        with ledger.open("rb+") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    return forget if hasattr(os, "posix_fadvise") else lambda: None


def _summary(took_ms: Sequence[float]) -> dict[str, float]:
    return {"p50": round(median(took_ms), 1), "worst": round(max(took_ms), 1)}


def show(figures: dict[str, Any]) -> None:
    """The figures as a person reads them."""
    print(
        f"huecry trace, ledger of {figures['decisions']:,} decisions about {figures['events']:,} events, "
        f"{figures['ledger_gb']} GB; target: {TARGET_MS} ms"
    )
    for what, took in figures["took_ms"].items():
        met = "met" if took["worst"] <= TARGET_MS else "not met"
        print(f"  {what:36} p50 {took['p50']:8.1f} ms   worst {took['worst']:8.1f} ms   {met}")


def say(progress: str) -> None:
    """A line of progress."""
    print(progress, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
