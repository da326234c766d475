"""The demonstration: the whole path on one machine, with a real broker and one process for each part.

West Yorkshire replays real, published police records; a synthetic control room plays Greater Manchester. Every part is
an ordinary ``huecry`` command with its own log; this module starts them, watches the databases they write, and waits
until everything published has been decided and everything granted is in its receiver's database.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.broker import EmbeddedBroker
from deploy.demo.crew import Crew
from deploy.demo.figures import Figures, read_figures, rows
from deploy.policy_publishing import PolicyDesk
from deploy.provision import provision
from deploy.status.targets import targets_document
from routing.agreements import load_bundle
from schemas.errors import Fatal, Rejected
from schemas.exchange import Exchange, load_exchange
from schemas.kafka import ClientSettings

HERE: Final = Path(__file__).parent
REPLAYING: Final = "west-yorkshire"
SYNTHETIC: Final = "greater-manchester"
KINDS: Final = {REPLAYING: "real records of July 2018", SYNTHETIC: "synthetic"}
_MARK: Final = ".huecry-demo"
_LOOK_EVERY_S: Final = 0.5
PRODUCERS: Final = (f"produce-{REPLAYING}", f"produce-{SYNTHETIC}")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to play, and how fast."""

    folder: Path
    """Where databases, spools and logs go; made afresh."""
    records: int = 300
    """Real records to replay."""
    rate: float = 45.0
    """Real records a second."""
    incidents: int = 45
    """Synthetic incidents to play."""
    synthetic_rate: float = 27.0
    """Synthetic events a second."""
    seed: int = 7
    patience_s: float = 120.0
    """How long to wait for the end before something must be wrong."""


@dataclass
class Demo:
    """A running demonstration."""

    plan: Plan
    exchange: Exchange
    broker: EmbeddedBroker
    crew: Crew
    figures: Figures = field(default_factory=Figures)

    @property
    def receiving(self) -> dict[str, Path]:
        """Each receiver's database."""
        return {member: self.plan.folder / f"{member}.db" for member in self.exchange.receivers()}

    @property
    def ledgers(self) -> dict[str, Path]:
        """Each publishing force's ledger."""
        return {force: self.plan.folder / f"{force}-ledger.db" for force in self.exchange.publishers()}

    @property
    def spools(self) -> dict[str, Path]:
        """Each publishing force's spool."""
        return {force: self.plan.folder / f"{force}-spool.db" for force in self.exchange.publishers()}

    def published(self) -> dict[str, int]:
        """Events that Kafka has acknowledged, by force."""
        query = "SELECT count(*) AS n FROM events WHERE state = 'acknowledged'"
        return {force: sum(row["n"] for row in rows(path, query)) for force, path in self.spools.items()}

    def look(self) -> Figures:
        """Read the figures anew, and see that every process is well."""
        self.crew.check(may_finish=PRODUCERS)
        self.figures = read_figures(self.receiving, self.ledgers)
        return self.figures

    def is_complete(self) -> bool:
        """Whether everything published is decided, and everything granted is where it belongs."""
        if not self.crew.finished(PRODUCERS):
            return False
        published = self.published()
        decided = all(self.figures.decided.get(force, 0) >= count for force, count in published.items())
        return decided and all(
            self.figures.delivered[member] == _granted(self.figures.decisions[member]) for member in self.receiving
        )


def prepare(folder: Path) -> None:
    """Make the demonstration's folder afresh.

    Raises:
        Rejected: there is something in the way that no demonstration made.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / _MARK).exists():
        raise Rejected(
            "not-ours", f"{folder} holds something that no demonstration made: name another folder with --folder"
        )
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "logs").mkdir(parents=True)
    (folder / _MARK).touch()


@contextmanager
def started(plan: Plan, broker: EmbeddedBroker, say: Callable[[str], None]) -> Iterator[Demo]:
    """The exchange provisioned, and every process started but the producers; at the end, all are ended."""
    exchange = load_exchange(HERE / "exchange.yaml")
    demo = Demo(plan, exchange, broker, Crew(plan.folder / "logs"))
    say("making the exchange's topics")
    provision(ClientSettings(broker.bootstrap), exchange)
    say("putting the agreements in force")
    PolicyDesk(exchange, ClientSettings(broker.bootstrap)).publish(load_bundle(HERE / "agreements"))
    say("starting a router with two workers, six consumers, two ledgers")
    try:
        _start(demo)
        yield demo
    finally:
        demo.crew.stop()


def _start(demo: Demo) -> None:
    common = ("--exchange", str(HERE / "exchange.yaml"), "--bootstrap", demo.broker.bootstrap)
    demo.crew.start("route", "route", *common, "--workers", "2", "--state", str(demo.plan.folder / "routing"), ports=3)
    for member, database in demo.receiving.items():
        demo.crew.start(f"consume-{member}", "consume", *common, "--member", member, "--into", str(database))
    for force, database in demo.ledgers.items():
        demo.crew.start(f"ledger-{force}", "ledger", *common, "--force", force, "--into", str(database))


def wait_until_ready(demo: Demo) -> None:
    """Wait until the router has its partitions and every consumer its topic, so that latencies are those of work.

    Raises:
        Fatal: a process failed, or is not ready in time.
    """
    deadline = time.monotonic() + demo.plan.patience_s
    while not demo.crew.ready():
        demo.crew.check()
        if time.monotonic() > deadline:
            raise Fatal(f"not every process is ready after {demo.plan.patience_s:.0f} s: see {demo.crew.logs}")
        time.sleep(_LOOK_EVERY_S / 5)


def publish(demo: Demo) -> None:
    """Start the two producers."""
    plan = demo.plan
    common = ("--exchange", str(HERE / "exchange.yaml"), "--bootstrap", demo.broker.bootstrap)
    inputs = {
        REPLAYING: (
            *("--mapping", str(HERE / "west-yorkshire.mapping.yaml"), "--source", str(_sample(plan))),
            *("--rate", str(plan.rate)),
        ),
        SYNTHETIC: (
            *("--synthetic", "--seed", str(plan.seed), "--incidents", str(plan.incidents)),
            *("--rate", str(plan.synthetic_rate)),
        ),
    }
    for name, (force, told) in zip(PRODUCERS, inputs.items(), strict=True):
        demo.crew.start(name, "produce", *common, "--force", force, *told, "--spool", str(demo.spools[force]))


def watch(demo: Demo, show: Callable[[Figures, Mapping[str, int]], None]) -> None:
    """Show the figures until the demonstration is complete.

    Raises:
        Fatal: a process failed, or the end did not come in time.
    """
    deadline = time.monotonic() + demo.plan.patience_s
    while True:
        show(demo.look(), demo.published())
        if demo.is_complete():
            return
        if time.monotonic() > deadline:
            raise Fatal(f"not everything arrived within {demo.plan.patience_s:.0f} s; the logs are in {demo.crew.logs}")
        time.sleep(_LOOK_EVERY_S)


def write_targets(demo: Demo) -> Path:
    """A file by which ``huecry status`` and Prometheus find the processes that run."""
    file = demo.plan.folder / "targets.json"
    file.write_text(json.dumps(targets_document(demo.crew.targets()), indent=2), encoding="utf-8")
    return file


def _sample(plan: Plan) -> Path:
    """The first records of the sample, as many as the plan asks for."""
    with (HERE / "west-yorkshire-sample.csv").open(encoding="utf-8") as source:
        lines = source.readlines()
    target = plan.folder / "west-yorkshire.csv"
    target.write_text("".join(lines[: plan.records + 1]), encoding="utf-8")
    return target


def _granted(outcomes: Mapping[str, int]) -> int:
    return outcomes.get("shared", 0) + outcomes.get("shared-in-part", 0)
