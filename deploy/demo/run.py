"""The demonstration: the whole path on one machine, with a real broker and one process for each part.

West Yorkshire replays real, published police records; a synthetic control room plays Greater Manchester, and its duty
desk five incidents with a life of their own (`lives`). Every part is an ordinary ``huecry`` command with its own log;
this module starts them, watches the databases they write, and waits until everything published has been decided,
everything granted is in its receiver's database, and those lives are over.
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
from deploy.demo.acting import Places, write_token
from deploy.demo.crew import Crew
from deploy.demo.figures import Figures, read_figures, rows
from deploy.demo.lives import FORCE, SYSTEM, Lives
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
KINDS: Final = {REPLAYING: "real records of July 2018", SYNTHETIC: "synthetic and invented"}
_MARK: Final = ".huecry-demo"
_LOOK_EVERY_S: Final = 0.5
DUTY_DESK: Final = f"{FORCE}.{SYSTEM}"
"""The second system of a force: it has a spool of its own."""
PRODUCERS: Final = (f"produce-{REPLAYING}", f"produce-{SYNTHETIC}", f"produce-{DUTY_DESK}")


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
    desk_rate: float = 2.0
    """Records of the duty desk a second."""
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
    lives: Lives = field(init=False)

    def __post_init__(self) -> None:
        token = self.plan.folder / "inspector.token"
        self.lives = Lives(Places(self.crew, self.ledgers[FORCE], self.receiving, self.common, token))

    @property
    def common(self) -> tuple[str, str, str, str]:
        """The options that say which exchange this is, and where its broker."""
        return "--exchange", str(HERE / "exchange.yaml"), "--bootstrap", self.broker.bootstrap

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
        """The spool of each force, and of the duty desk."""
        return {name: self.plan.folder / f"{name}-spool.db" for name in (*self.exchange.publishers(), DUTY_DESK)}

    def published(self) -> dict[str, int]:
        """Events that Kafka has acknowledged, by force."""
        query = "SELECT count(*) AS n FROM events WHERE state = 'acknowledged'"
        published = dict.fromkeys(self.exchange.publishers(), 0)
        for name, path in self.spools.items():
            published[name.partition(".")[0]] += sum(row["n"] for row in rows(path, query))
        return published

    def look(self) -> Figures:
        """Read the figures anew, let people act on what they see, and see that every process is well."""
        self.crew.check(may_finish=PRODUCERS)
        self.lives.go_on()
        self.figures = read_figures(self.receiving, self.ledgers)
        return self.figures

    def is_complete(self) -> bool:
        """Whether everything published is decided, everything granted is where it belongs, and the lives are over."""
        if not (self.crew.finished(PRODUCERS) and self.lives.are_over()):
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
    write_token(plan.folder / "inspector.token")
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
    common = demo.common
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
    """Start the three producers."""
    plan = demo.plan
    inputs = {
        REPLAYING: (*_of_file(REPLAYING, _sample(plan)), "--rate", str(plan.rate)),
        SYNTHETIC: (
            *("--synthetic", "--seed", str(plan.seed), "--incidents", str(plan.incidents)),
            *("--rate", str(plan.synthetic_rate)),
        ),
        DUTY_DESK: (*_of_file(FORCE, HERE / f"{FORCE}-invented.jsonl"), "--rate", str(plan.desk_rate)),
    }
    for name, (whose, told) in zip(PRODUCERS, inputs.items(), strict=True):
        force, spool = whose.partition(".")[0], str(demo.spools[whose])
        demo.crew.start(name, "produce", *demo.common, "--force", force, *told, "--spool", spool)


def _of_file(force: str, records: Path) -> tuple[str, ...]:
    return "--mapping", str(HERE / f"{force}.mapping.yaml"), "--source", str(records)


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
