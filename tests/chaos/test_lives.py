"""The life of incidents on a real broker, with workers killed, stopped beyond their session and joined by others.

HUECRY_CHAOS_SEED=7 .venv/bin/pytest tests/chaos/test_lives.py        # the plan and the stories of one seed again
make chaos                                                           # at full length

Two workers route while control rooms tell, desks rule, members answer, and limits pass on a clock that runs fast. What
the topics hold in the end is compared with what must follow, incident by incident (`tests.chaos.lives.checker`).
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker
from deploy.provision import provision
from routing.worker import Assignment
from schemas.kafka import ClientSettings
from tests.chaos.lives.checker import shown, violations
from tests.chaos.lives.disturbing import SETTINGS, Disturber, plan, supervised
from tests.chaos.lives.exchange import Parties
from tests.chaos.lives.kafka import KafkaWire, read, wait_for
from tests.chaos.lives.playing import Playing
from tests.chaos.lives.seen import Seen
from tests.routing.clocks import Fast

FACTOR = 150.0
"""How many times as fast the clock runs: the longest limit, ten minutes, is over in four seconds."""
LONGEST_S = 700.0
READY_S = 120.0


@dataclass(frozen=True)
class Size:
    """How much of it."""

    incidents: int
    """Of both origins together."""
    rate: float
    """Incidents begun in a second."""
    disturbances: int


SHORT = Size(incidents=240, rate=14, disturbances=4)
FULL = Size(incidents=5_000, rate=12, disturbances=45)


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(SHORT, id="short", marks=pytest.mark.timeout(270)),
        pytest.param(FULL, id="full", marks=[pytest.mark.long, pytest.mark.timeout(2400)]),
    ],
)
def test_whatever_becomes_of_workers_incidents_live_as_they_must(
    size: Size, broker: EmbeddedBroker, unique: str, tmp_path: Path
) -> None:
    seed = int(os.environ.get("HUECRY_CHAOS_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"HUECRY_CHAOS_SEED={seed}; what routers remember: {tmp_path}")
    seen, done = lived(size, seed, ClientSettings(broker.bootstrap), Parties(tmp_path / "lives", unique, unique[-8:]))
    began = time.monotonic()
    found = violations(seen)
    print(f"checked in {time.monotonic() - began:.1f} s: {told_of(seen)}")
    assert found == [], shown(found)
    assert done.total() == size.disturbances
    assert done.keys() == {"kill", "stop", "join"}
    shutil.rmtree(tmp_path)


def lived(size: Size, seed: int, clients: ClientSettings, parties: Parties) -> tuple[Seen, Counter[str]]:
    """What is left on the topics once everything has happened, and who was disturbed how often."""
    exchange, bundle = parties.write()
    provision(clients, exchange)
    clock = Fast(datetime.now(UTC), FACTOR)
    settings = SETTINGS.model_copy(update={"state_folder": parties.folder / "routers"})
    assignment = Assignment(exchange, settings, clients, bundle.to_bytes(), bundle.hash, slot=0, clock=clock)
    with supervised(assignment) as (supervisor, health):
        wait_for(lambda: not health.reasons(), "two workers are ready", READY_S)
        began = time.monotonic()
        disturber = Disturber(
            assignment, supervisor, health, plan(seed, size.disturbances), lambda: playing.begun / size.incidents
        )
        wire = KafkaWire(clients, exchange, clock, LONGEST_S, lambda: disturber.is_over and not health.reasons())
        playing = Playing(wire, exchange, seed, size.incidents // 2, every_s=2 / size.rate * FACTOR)
        try:
            with disturber.running():
                playing.play()
        finally:
            wire.close()
        assert not disturber.failed, disturber.failed
        print(f"{time.monotonic() - began:6.1f} s everything has happened, and nothing more comes")
        return read(clients, exchange, bundle, clock), disturber.done


def told_of(seen: Seen) -> str:
    """What there was, so that a run that held too little shows."""
    actions = Counter(
        delivery["disclosure"]["action"]
        for member in seen.exchange.receivers()
        for delivery in seen.of("partner", member)
    )
    news = Counter(told["kind"] for origin in seen.exchange.publishers() for told in seen.of("feedback", origin))
    counted = ", ".join(f"{kind.lower().replace('_', '-')} {number}" for kind, number in (actions + news).most_common())
    return f"{sum(1 for _ in seen.put('incidents'))} events; {counted}"
