"""huecry status against real servers: what scripts get, and that whoever hangs holds up nobody."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest
from click.testing import CliRunner

from deploy.cli import cli
from deploy.cli.process import ops
from deploy.demo.crew import free_ports
from deploy.demo.run import HERE
from deploy.status.looking import Looker
from deploy.status.targets import Target
from schemas.ops import metrics
from tests.deploy.status.telling import exposed, serving

CONSUMER = exposed("consume", "south", 'delivered_total{recipient="south",outcome="written"} 7')


def run(*arguments: str, **environment: str):
    return CliRunner(env={"COLUMNS": "80"}).invoke(cli, ["status", "--interval", "0.1", *arguments], env=environment)


def told(*arguments: str, **environment: str):
    result = run("--json", *arguments, **environment)
    return result.exit_code, json.loads(result.stdout)


@contextmanager
def hanging():
    """A server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def dribbling():
    """A server that answers without end, a byte at a time: no read of it ever times out."""
    ended = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection:
            try:
                connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not ended.wait(0.05):
                    connection.sendall(b"#")
            except OSError:
                return

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=answer, args=(connection,)))
            threads[-1].start()

    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threads.append(threading.Thread(target=serve))
        threads[0].start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        ended.set()
        server.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(10)


def test_a_process_of_ours_is_known_by_what_it_says_of_itself():
    port = free_ports(1)
    metrics.increment("delivered_total", 4, recipient="told-by-itself", store="receiving", outcome="written")
    with ops(port, "consume", "told-by-itself") as health:
        health.ready()
        code, report = told("--target", f"127.0.0.1:{port}")
    assert code == 0
    (process,) = report["processes"]
    assert (process["up"], process["ready"], process["address"]) == (True, True, f"127.0.0.1:{port}")
    assert "told-by-itself" in {one["member"] for one in report["members"]}


def test_exit_codes_tell_scripts_how_it_is():
    with serving(CONSUMER) as well, serving(CONSUMER, {"sink": "the database is away"}) as ill:
        assert run("--once", "--target", well).exit_code == 0
        assert run("--once", "--target", ill).exit_code == 1
    nobody = f"127.0.0.1:{free_ports(1)}"
    assert run("--once", "--target", nobody).exit_code == 2


@pytest.mark.parametrize(
    "arguments",
    [(), ("--target", "nowhere"), ("--targets", "/no/such/file"), ("--targets", "{empty}"), ("--interval", "0")],
)
def test_wrong_usage_is_2_and_says_what_is_expected(arguments, tmp_path):
    empty = tmp_path / "empty.yaml"
    empty.write_text("[]")
    result = CliRunner().invoke(cli, ["status", "--once", *(one.format(empty=empty) for one in arguments)])
    assert result.exit_code == 2
    assert "Error: " in result.stderr


def test_what_is_wrong_is_told_first_by_the_members_name_and_with_why(tmp_path):
    targets = tmp_path / "targets.json"
    nobody = f"127.0.0.1:{free_ports(1)}"
    labels = {"job": "consume", "member": "greater-manchester"}
    with serving(CONSUMER) as well:
        targets.write_text(json.dumps([{"targets": [nobody], "labels": labels}, {"targets": [well]}]))
        result = run("--once", "--exchange", str(HERE / "exchange.yaml"), HUECRY_TARGETS=str(targets))
    assert result.exit_code == 1
    said = " ".join(result.stdout.split())
    assert said.startswith("Not everything flows")
    told_so = f"Greater Manchester Police: nothing delivered: consumer not reachable ({nobody}: connection refused)"
    assert told_so in said
    assert "1 of 2 processes ready" in said


def test_without_targets_the_process_of_this_machine_is_asked():
    with serving(CONSUMER) as well:
        host, _, port = well.partition(":")
        code, report = told(HUECRY_METRICS_PORT=port, HUECRY_METRICS_HOST=host)
        assert (code, report["processes"][0]["address"]) == (0, well)
        assert run("--once", HUECRY_METRICS_PORT=port, HUECRY_METRICS_HOST="0.0.0.0").exit_code == 0  # noqa: S104


def test_a_stranger_is_told_as_one_and_what_it_says_is_not_repeated():
    with serving("Penhaligon 1\n") as other, serving(CONSUMER) as well:
        code, report = told("--target", other, "--target", well)
    assert code == 1
    stranger = next(one for one in report["processes"] if one["address"] == other)
    assert "no huecry process" in stranger["trouble"]
    assert "Penhaligon" not in json.dumps(report)


def test_whoever_hangs_or_dribbles_holds_up_nobody():
    with ExitStack() as running:
        silent, slow = running.enter_context(hanging()), running.enter_context(dribbling())
        well = [running.enter_context(serving(CONSUMER)) for _ in range(20)]
        looker = Looker(timeout_s=1.0)
        for _ in range(2):
            began = time.monotonic()
            picture = looker.look([Target(one) for one in (silent, slow, *well)])
            assert time.monotonic() - began < 10
            assert [process.is_up for process in picture.processes] == [False, False, *[True] * 20]
            assert "1 s" in picture.processes[1].trouble
        questions = [thread for thread in looker._asking.values() if thread.is_alive()]
        assert len(questions) <= 2, "no question is asked twice while the first hangs"


def test_targets_are_read_anew_at_each_look_and_a_half_written_file_changes_nothing(tmp_path):
    from deploy.cli.status import _Targets

    file = tmp_path / "targets.yaml"
    file.write_text("- {targets: ['a:1']}")
    targets = _Targets((), (file,))
    file.write_text("- {targets: ['a:1', 'b:2']}")
    assert [one.address for one in targets.now()] == ["a:1", "b:2"]
    file.write_text("- {targets: ['a:1',")
    assert [one.address for one in targets.now()] == ["a:1", "b:2"]
