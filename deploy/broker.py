"""A real Apache Kafka on this machine: one node, KRaft, transactions, on 127.0.0.1 only.

    with EmbeddedBroker() as broker:
        Producer({"bootstrap.servers": broker.bootstrap})

The caller may assume that a transaction has been committed on it before ``start`` returns; that its Java ends when the
process that started it ends, however that happens; and that ``stop`` followed by ``start`` finds the same data on the
same port. One node keeps one copy: it serves demonstrations, tests and small installations. Where the loss of one disk
must not lose an incident, use a cluster of three and ``--bootstrap``.
"""

from __future__ import annotations

import base64
import fcntl
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from deploy.broker_ready import prove_transactions
from deploy.child_process import end_child, start_child
from deploy.kafka_jars import KafkaRuntime, kafka_runtime, to_stderr
from schemas.errors import Fatal

START_S: Final = 90
STOP_S: Final = 20
SMALL: Final = ("-Xmx512m", "-XX:+UseSerialGC")
"""Options of a JVM that takes little memory. Collecting its garbage stops it for tens of milliseconds at a time, and
now and then for a fifth of a second."""
SHORT_LIVED: Final = (*SMALL, "-XX:TieredStopAtLevel=1")
"""Of one that lives for a minute or so: it does better without its slow compiler."""
STEADY: Final = ("-Xms1g", "-Xmx1g", "-Xmn600m", "-XX:+UseParallelGC")
"""Of one whose pauses must not be taken for ours."""
_PORTS: Final = range(12_000, 32_000)

_SETTINGS: Final = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    # A misspelt topic must fail, not appear.
    "auto.create.topics.enable": "false",
    # One node: one replica of everything, and few partitions of what Kafka keeps for itself.
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    # A broker that was killed is let in again only when its former self's session has ended.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # A dead router's partitions move as soon as its session ends; sessions may be short.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.min.heartbeat.interval.ms": "500",
    # A dead router's open transaction holds readers back for its timeout and this, not for ten seconds more.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "message.max.bytes": str(2 * 1024 * 1024),
    "log.retention.hours": "168",
    "log.segment.bytes": str(256 * 1024 * 1024),
    # The default of 128 MB is a quarter of the heap, and the compacted topics of one node are small.
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
}


class EmbeddedBroker:
    """One Kafka node as a child process.

    ``data_dir`` is kept between runs; without one, data lies in a temporary folder that ``close`` removes. Port 0 means
    any free one, chosen at the first start and kept. ``java_options``, for its JVM: `SMALL`, `SHORT_LIVED` or `STEADY`.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        port: int = 0,
        *,
        java_options: Sequence[str] = SMALL,
        progress: Callable[[str], None] = to_stderr,
    ) -> None:
        self._java_options = java_options
        self._temporary = data_dir is None
        self.data_dir = (data_dir or Path(tempfile.gettempdir(), f"huecry-broker-{uuid.uuid4().hex[:12]}")).resolve()
        self._port = port
        self._progress = progress
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """``host:port`` for clients."""
        if not self._port:
            raise Fatal("the broker has no address yet: start it first")
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The process id of Java."""
        if self._process is None:
            raise Fatal("the broker is not running: start it first")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether Java runs; readiness was proven when ``start`` returned."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> Path:
        """What Kafka writes about itself: warnings and errors."""
        return self.data_dir / "broker.log"

    def start(self) -> None:
        """Start Kafka and return once a transaction has been committed on it.

        Raises:
            Fatal: no jars, a changed jar, a port or data directory in use, or Kafka ended or was not ready in time
                (with its last words).
        """
        if self.running:
            return
        runtime = kafka_runtime(self._progress)
        if self._port and not _is_free(self._port):
            raise Fatal(
                f"port {self._port} of 127.0.0.1 is in use: stop what listens there, or choose another: --port N"
            )
        self._port = self._port or _free_port()
        with self._claim() as claim:
            properties = self._write_properties()
            self._format(runtime, properties)
            self._process = self._java(runtime, "kafka.Kafka", str(properties), holding=[claim])
        try:
            prove_transactions(self.bootstrap, time.monotonic() + START_S, lambda: self.running)
        except Fatal as error:
            self.stop()
            raise Fatal(f"{error}; its last words:\n{self.last_words()}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End Kafka in good order, by force if it takes longer than 20 s; its data stays."""
        process, self._process = self._process, None
        if process is not None:
            end_child(process, STOP_S)

    def wait(self) -> None:
        """Return when Kafka has ended by itself."""
        if self._process is not None:
            self._process.wait()

    def close(self) -> None:
        """Stop, and remove the data if it was temporary."""
        self.stop()
        if self._temporary:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _claim(self) -> Iterator[int]:
        """Keep two brokers from one data directory: Kafka itself notices only after it has spoilt the metadata log.

        Java inherits the descriptor of the lock, so the claim lasts as long as Java does, whatever becomes of us.
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "claimed.lock").open("w") as claim:
            try:
                fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                message = f"{self.data_dir} belongs to a broker that is running: stop it, or choose another: --data DIR"
                raise Fatal(message) from error
            yield claim.fileno()

    def _write_properties(self) -> Path:
        controller = f"127.0.0.1:{_free_port()}"
        listeners = f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}"
        settings = _SETTINGS | {
            "listeners": listeners,
            "advertised.listeners": listeners,
            "controller.quorum.bootstrap.servers": controller,
            "log.dirs": str(self.data_dir / "log"),
        }
        path = self.data_dir / "server.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")
        return path

    def _format(self, runtime: KafkaRuntime, properties: Path) -> None:
        """Give a new data directory its cluster id; an old one keeps what it has."""
        if (self.data_dir / "log" / "meta.properties").exists():
            return
        tool = ("kafka.tools.StorageTool", "format", "--standalone", "-t", _cluster_id(), "-c", str(properties))
        child = self._java(runtime, *tool)
        try:
            code = child.wait()
        finally:  # interrupted: it must not go on writing into a folder that is being removed
            end_child(child, 0)
        if code:
            raise Fatal(f"Kafka could not format {self.data_dir} (exit code {code}):\n{self.last_words()}")

    def _java(self, runtime: KafkaRuntime, *arguments: str, holding: Sequence[int] = ()) -> subprocess.Popen[bytes]:
        java = [str(runtime.java), *self._java_options, "-Djava.awt.headless=true"]
        quiet = ("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", runtime.classpath)
        return start_child([*java, *quiet, *arguments], self.log, holding=holding)

    def last_words(self) -> str:
        """The end of the log, for an error message."""
        return "\n".join(self.log.read_text("utf-8", errors="replace").splitlines()[-15:])


def _cluster_id() -> str:
    """A new one; none that the tool would take for an option."""
    while (identifier := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return identifier


def _free_port() -> int:
    """A port nobody listens on, from below the range that systems take outgoing connections' ports from.

    Seconds pass until Kafka binds it, and a port of that range may by then be the near end of somebody's connection.
    """
    while not _is_free(port := secrets.choice(_PORTS)):
        pass
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As Kafka itself will: connections of an earlier broker that linger do not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
