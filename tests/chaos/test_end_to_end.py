"""Everything at once on a real broker, and anybody killed at any moment: every receiver ends with exactly what it must.

HUECRY_CHAOS_SEED=7 .venv/bin/pytest tests/chaos/test_end_to_end.py        # the plan of one seed again
make chaos                                                                # at full length
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker
from deploy.provision import provision
from deploy.topic_reader import records_of
from producers.sources.synthetic import DEFAULT_START, synthetic_events
from routing.agreements import Bundle
from schemas.event import Contact, IncidentEvent
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.topics import incidents_topic, partner_topic
from tests.chaos.checker import World, shown, violations
from tests.chaos.exchange import Parties
from tests.chaos.expectation import expect
from tests.chaos.kills import Killer, Role, plan_kills
from tests.chaos.processes import Processes
from tests.chaos.progress import Goal, Progress
from tests.chaos.topics import Published, Sent

_LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Size:
    """How much of it."""

    events: int
    """Of both origins together."""
    rate: float
    """Events a second, of both together."""
    kills: int
    deadline_s: float
    """From the start until everything has arrived."""


SHORT = Size(events=2_000, rate=64, kills=8, deadline_s=150)
FULL = Size(events=20_000, rate=120, kills=26, deadline_s=840)


@dataclass
class Run:
    """One run: its processes, what they are told, and what must come of it."""

    parties: Parties
    size: Size
    seed: int
    broker: EmbeddedBroker
    exchange: Exchange
    bundle: Bundle
    processes: Processes

    def told(self, origin: str, starts_at: datetime = DEFAULT_START) -> list[IncidentEvent]:
        """What an origin's control room tells, if it opened at that time."""
        room = self.exchange.members[origin].contact
        contact = Contact(desk=room.desk, phone=room.phone, email=room.email)
        rate = self.size.rate / 2
        events = synthetic_events(origin, self.seed, starts_at=starts_at, rate=rate, contact=contact)
        return list(islice(events, self.size.events // 2))

    def told_then(self, origin: str) -> list[IncidentEvent]:
        """What it told: when it opened stands in its spool."""
        with closing(sqlite3.connect(self.processes.spool(origin))) as spool:
            ((position,),) = spool.execute("SELECT position FROM positions")
        return self.told(origin, datetime.fromisoformat(json.loads(position)["starts_at"]))

    def goal(self) -> Goal:
        """How much must arrive; when an event is told decides nothing."""
        events = [event for origin in self.parties.origins for event in self.told(origin)]
        return Goal.of(expect(events, self.exchange, self.bundle, datetime.now(UTC)))

    def world(self) -> World:
        """What went in and what came out, for the checker."""
        settings = ClientSettings(self.broker.bootstrap)
        published = {
            origin: [
                Published.of(record.partition() or 0, record.offset() or 0, record.key(), record.value() or b"")
                for record in records_of(settings, incidents_topic(origin))
            ]
            for origin in self.parties.origins
        }
        sent = {
            member: [Sent.of(record.value() or b"") for record in records_of(settings, partner_topic(member))]
            for member in self.parties.recipients
        }
        return World(
            exchange=self.exchange,
            bundle=self.bundle,
            on=datetime.now(UTC),
            told={origin: self.told_then(origin) for origin in self.parties.origins},
            published=published,
            sent=sent,
            receiving={member: self.processes.receiving(member) for member in self.parties.recipients},
            ledgers={origin: self.processes.ledger(origin) for origin in self.parties.origins},
        )


@pytest.fixture
def run(request: pytest.FixtureRequest, broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Iterator[Run]:
    """A run with the size that the test names, provisioned and not started; what it wrote is kept if it fails."""
    seed = int(os.environ.get("HUECRY_CHAOS_SEED") or random.SystemRandom().randrange(1 << 32))
    size: Size = request.param
    parties = Parties(tmp_path / "run", unique, unique[-8:])
    parties.folder.mkdir()
    exchange, bundle = parties.write()
    provision(ClientSettings(broker.bootstrap), exchange)
    processes = Processes(parties, broker.bootstrap, seed=seed, events=size.events // 2, rate=size.rate / 2)
    print(f"HUECRY_CHAOS_SEED={seed}; databases and logs: {parties.folder}")
    try:
        yield Run(parties, size, seed, broker, exchange, bundle, processes)
    finally:
        processes.kill()


def run_and_kill(run: Run) -> Counter[Role]:
    """Start everything, kill by the plan, and return when everything has arrived; how often each role was killed."""
    began = time.monotonic()
    progress = Progress(run.processes, run.goal())
    killer = Killer(run.processes, plan_kills(run.seed, run.size.kills))
    for process in run.processes.all:
        process.start()
    while not killer.finished or progress.missing():
        if (done := killer.look(progress.published(), progress.durable())) is not None:
            print(f"{time.monotonic() - began:6.1f} s {done}")
        run.processes.check()
        if time.monotonic() - began > run.size.deadline_s:
            left = [f"{len(killer.plan)} kills of the plan are left"] if killer.plan else []
            pytest.fail(f"after {run.size.deadline_s:.0f} s: {'; '.join(progress.missing() + left)}")
        time.sleep(_LOOK_EVERY_S)
    took = time.monotonic() - began
    deliveries = sum(progress.goal.delivered.values())
    print(
        f"{took:6.1f} s everything arrived: {run.size.events} events, {deliveries} deliveries,"
        f" {killer.done.total()} kills ({dict(killer.done)}), {run.size.events / took:.0f} events/s"
    )
    return killer.done


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(SHORT, id="short", marks=pytest.mark.timeout(270)),
        pytest.param(FULL, id="full", marks=[pytest.mark.long, pytest.mark.timeout(1200)]),
    ],
    indirect=True,
)
def test_whoever_is_killed_every_receiver_has_exactly_what_it_must_once_and_in_order(run: Run) -> None:
    killed = run_and_kill(run)
    began = time.monotonic()
    codes = run.processes.stop()
    stopped = time.monotonic()
    found = violations(run.world())
    print(f"stopped in {stopped - began:.1f} s, checked in {time.monotonic() - stopped:.1f} s")

    assert found == [], shown(found)
    assert -signal.SIGKILL not in codes.values(), f"did not end when asked: {codes}"
    assert killed.total() >= run.size.kills
    assert killed.keys() == {"producer", "worker", "supervisor", "consumer", "ledger"}
    shutil.rmtree(run.parties.folder)


def test_a_seed_gives_one_plan_in_which_everybody_is_killed() -> None:
    plan = plan_kills(7, 26)
    assert plan == plan_kills(7, 26) != plan_kills(8, 26)
    assert len(plan) == 26
    assert {kill.role for kill in plan} == {"producer", "worker", "supervisor", "consumer", "ledger"}
