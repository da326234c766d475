"""The demonstration: its figures are those of its databases, everything granted arrives, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner

from deploy.cli import cli
from deploy.cli.demo import demo
from deploy.demo.figures import percentile, rows
from deploy.demo.run import HERE, prepare
from schemas.errors import Rejected
from schemas.exchange import load_exchange
from tests.deploy.demo_databases import (
    DELIVERED,
    five_lives_are_lived,
    query,
    released,
    the_ledger_has_their_cases_and_rulings,
    the_receivers_have_what_they_came_to,
)
from tests.ending import still_running

MEMBERS = set(load_exchange(HERE / "exchange.yaml").receivers())
PATIENCE_S = 420
"""The claim is thirty seconds on an idle machine of two cores; a test does not know what else runs."""


@contextmanager
def played(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A demonstration in a process of its own, as `make demo` starts it, with small numbers."""
    command = [sys.executable, "-W", "error", "-c", "from deploy.cli import main; main()", "demo"]
    command += ["--json", "--records", "120", "--incidents", "20", "--folder", str(folder), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ends_with_all_its_children(process: subprocess.Popen[str]) -> int:
    """Interrupt it as Ctrl-C does; its exit code, when none of its processes is there any more."""
    deadline = time.monotonic() + 120
    while not (children := psutil.Process(process.pid).children(recursive=True)):
        assert time.monotonic() < deadline, "it starts nothing"
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    code = process.wait(60)
    assert not still_running(children, within_s=1)
    return code


def said(process: subprocess.Popen[str], words: str) -> None:
    """Wait until it has said this on stderr."""
    assert process.stderr is not None
    heard = []
    for line in process.stderr:
        heard.append(line)
        if words in line:
            return
    pytest.fail(f"it ended without saying {words!r}: {''.join(heard)}")


@pytest.mark.timeout(PATIENCE_S)
def test_every_granted_decision_is_a_delivery_and_the_figures_are_those_of_the_databases(tmp_path: Path) -> None:
    with played(tmp_path / "demo", "--keep") as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        _figures_agree(told)
        _nothing_granted_is_missing(told)
        five_lives_are_lived(told)
        the_ledger_has_their_cases_and_rulings(told)
        the_receivers_have_what_they_came_to(told)
        _invented_says_so(told)
        _decided_again_it_is_the_same(tmp_path / "demo", told)
        said(process, "All is left running")
        _status_finds_what_runs(tmp_path / "demo" / "targets.json")
        assert ends_with_all_its_children(process) == 0
        assert process.stdout.read() == "", "the object is all that stands on stdout"


def _figures_agree(told: dict[str, Any]) -> None:
    assert {"published", "decisions", "delivered", "quarantined", "latency_ms", "databases"} <= set(told)
    for part in ("decisions", "delivered", "latency_ms", "databases"):
        assert set(told[part]) == MEMBERS
    assert told["published_by"]["west-yorkshire"] == 120
    assert told["published"] == sum(told["published_by"].values()) > 120 + 20
    assert told["quarantined"] == 0
    for member, path in told["databases"].items():
        decided = told["decisions"][member]
        origins = set(told["published_by"]) - {member}
        events = sum(told["published_by"][origin] for origin in origins)
        ruled = sum(released(told, origin).count(member) for origin in origins)
        assert sum(decided.values()) == events + ruled, member
        assert told["delivered"][member] == decided["shared"] + decided["shared-in-part"]
        assert len(query(path, DELIVERED)) == told["delivered"][member]
        latency = told["latency_ms"][member]
        assert set(latency) == {"p50", "p99"}
        if told["delivered"][member]:
            assert 0 < latency["p50"] <= latency["p99"]
    assert told["delivered"]["west-yorkshire"] > 0
    assert told["delivered"]["greater-manchester"] > 0
    assert [member for member, decided in told["decisions"].items() if decided["referred"]] == ["north-yorkshire"]


def _decided_again_it_is_the_same(folder: Path, told: dict[str, Any]) -> None:
    for force, published in told["published_by"].items():
        ledger = ("--ledger", str(folder / f"{force}-ledger.db"), "--since", "1h")
        replayed = CliRunner().invoke(cli, ["agreements", "replay", str(HERE / "agreements"), *ledger, "--json"])
        assert replayed.exit_code == 0, (replayed.output, replayed.exception)
        found = json.loads(replayed.output)
        decided = published + len(released(told, force))
        assert (found["events"], found["differing"], found["other_bundles"]) == (decided, {}, [])


def _nothing_granted_is_missing(told: dict[str, Any]) -> None:
    sql = "SELECT member, delivery_id FROM decision WHERE head = 'granted'"
    granted = {row for ledger in told["ledgers"].values() for row in query(ledger, sql)}
    held = {
        (member, delivery_id) for member, path in told["databases"].items() for (delivery_id,) in query(path, DELIVERED)
    }
    assert granted == held


def _invented_says_so(told: dict[str, Any]) -> None:
    sql = "SELECT items FROM section WHERE section = 'vehicles' AND origin = 'west-yorkshire' AND items <> '[]'"
    plates = [
        vehicle["vrm"]
        for path in told["databases"].values()
        for (items,) in query(path, sql)
        for vehicle in json.loads(items)
    ]
    assert plates, "some are shared"
    assert all(plate.startswith("INVENTED ") for plate in plates)


def _status_finds_what_runs(targets: Path) -> None:
    result = CliRunner().invoke(cli, ["status", "--json", "--targets", str(targets), "--timeout", "30"])
    told = json.loads(result.stdout)
    assert told["flowing"], told["faults"]
    assert sorted((one["service"], one["up"]) for one in told["processes"]) == sorted(
        [("route", True), *[("route-worker", True)] * 2, *[("consume", True)] * len(MEMBERS), *[("ledger", True)] * 2]
    )


@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.parametrize("moment", ["starting a real Kafka broker", "published"])
def test_ctrl_c_in_the_middle_leaves_no_process_behind(tmp_path: Path, moment: str) -> None:
    with played(tmp_path / "demo") as process:
        said(process, moment)
        assert ends_with_all_its_children(process) == 130
        said(process, f"Stopped. What had arrived by then is in {tmp_path / 'demo'}")


# ------------------------------------------------------------------------------------------ without running it


def test_a_folder_that_holds_anything_else_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(Rejected, match="holds something that no demonstration made: name another folder"):
        prepare(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_an_earlier_demonstration_makes_way(tmp_path: Path) -> None:
    prepare(tmp_path / "demo")
    (tmp_path / "demo" / "old.db").touch()
    prepare(tmp_path / "demo")
    assert not (tmp_path / "demo" / "old.db").exists()


@pytest.mark.parametrize(("percent", "expected"), [(50, 3), (99, 5), (1, 1)])
def test_percentiles_are_by_nearest_rank(percent: int, expected: float) -> None:
    assert percentile([1, 2, 3, 4, 5], percent) == expected
    assert percentile([], percent) is None


def test_a_database_that_is_not_made_yet_has_no_rows_and_a_wrong_query_is_an_error(tmp_path: Path) -> None:
    assert rows(tmp_path / "none.db", "SELECT 1") == []
    empty = tmp_path / "empty.db"
    sqlite3.connect(empty).close()
    empty.touch()
    assert rows(empty, "SELECT * FROM delivery") == []
    with closing(sqlite3.connect(empty)) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        rows(empty, "SELECT * FROM delivery")


def test_every_option_says_what_it_is_for() -> None:
    assert all(getattr(option, "help", None) for option in demo.params)
