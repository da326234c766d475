"""One routing process: a session, the loop, and its own metrics and health."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import MutableSequence
from dataclasses import dataclass, field
from types import FrameType

from routing.agreements.bundle import Bundle
from routing.clock import Clock, SystemClock
from routing.effects import Policy
from routing.garbage import Garbage, collect_when_told
from routing.heart import Heart
from routing.loop import KnownElsewhere, Loop
from routing.policy_topic import InForce, OnePolicy, Policies, PolicyTopic
from routing.preparing import Preparation
from routing.session import Session
from routing.settings import RouterSettings
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.ops import metrics
from schemas.ops.health import Health, serve_ops
from schemas.ops.logs import configure_logs, get_logger
from schemas.ops.serving import LOOPBACK

log = get_logger()


@dataclass(frozen=True, slots=True)
class Assignment:
    """All that a worker is given by its supervisor; it reads no file of its own."""

    exchange: Exchange
    settings: RouterSettings
    clients: ClientSettings
    bundle: bytes | None
    """What to route under for good; None: what stands on the policy topic."""
    bundle_hash: str
    slot: int
    metrics_port: int | None = None
    metrics_host: str = LOOPBACK
    registry: str | None = None
    clock: Clock = field(default_factory=SystemClock)
    """What time it is; tests give others."""


def work(assignment: Assignment, cells: MutableSequence[float]) -> None:
    """Route until told to stop. The entry of a worker process: exits 0 when told to, 3 when a fresh one is needed."""
    configure_logs("route")
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_supervisor, daemon=True).start()
    heart = Heart(cells, assignment.clients.bootstrap)
    heart.beat()
    health = Health()
    metrics.set_gauge("process_info", 1, service="route-worker", whose=assignment.exchange.exchange)
    port = assignment.metrics_port
    ops = serve_ops(port, health, assignment.metrics_host) if port is not None else None
    collect_when_told()
    try:
        _run(assignment, heart, health, stop)
    except Exception:
        # Left to multiprocessing, a library's message would reach stderr in full, whatever it quotes.
        log.exception("worker ends", slot=assignment.slot)
        sys.exit(3)
    finally:
        if ops is not None:
            ops.close()


def _end_with_supervisor() -> None:
    """End this process when its supervisor has gone, be it in a call into librdkafka that never returns.

    Nobody watches it then, and a new supervisor starts workers of its own; what is not committed, those will route.
    """
    supervisor = multiprocessing.parent_process()
    if supervisor is not None:
        supervisor.join()
        os._exit(4)


def _run(assignment: Assignment, heart: Heart, health: Health, stop: threading.Event) -> None:
    health.unready("waiting for partitions")
    health.watch("kafka", heart.kafka.trouble)
    metrics.set_gauge("policy_loaded", 0)
    policies, preparation, garbage = _policies(assignment), Preparation(), Garbage()
    session = Session(
        assignment.exchange, assignment.settings, assignment.slot, assignment.clients, heart, assignment.clock
    )
    loop = Loop(
        session,
        assignment.exchange,
        None,
        topic_check_s=assignment.settings.topic_check_s,
        known_elsewhere=_known_elsewhere(assignment.registry),
        blind_s=lambda: max(heart.kafka.silence_s(), health.stalled_s()),
    )
    try:
        while not stop.is_set():
            heart.beat()
            health.beat()
            _follow(preparation.ready(policies.in_force()), loop, assignment.exchange, health)
            loop.turn()
            garbage.collect()
            if session.is_ready:
                health.ready()
            else:
                health.unready(session.waits_for)
            heart.set_ready(ready=not health.reasons())
    finally:
        heart.set_ready(ready=False)
        loop.close()
        session.close()
        policies.close()


def _policies(assignment: Assignment) -> Policies:
    if assignment.bundle is None:
        return PolicyTopic(assignment.clients, assignment.exchange.exchange)
    return OnePolicy(Bundle.from_bytes(assignment.bundle, assignment.bundle_hash))


def _follow(now: InForce, loop: Loop, exchange: Exchange, health: Health) -> None:
    """Between two transactions: let the loop decide by what is in force now, or not at all."""
    if now.bundle is None:
        health.unready(now.reason, "policy")
    else:
        health.ready("policy")
    metrics.set_gauge("policy_version", now.version)
    metrics.set_gauge("policy_loaded", float(now.bundle is not None))
    loop.change_policy(Policy(now.bundle, exchange) if now.bundle else None)


def _known_elsewhere(url: str | None) -> KnownElsewhere:
    """Whether a registry knows a schema id; without a registry nobody does."""
    if url is None:
        return lambda _schema_id: False
    from schemas.registry import RegistryLookup  # noqa: PLC0415  its HTTP client is slow to load, and few need it

    lookup = RegistryLookup(url)
    return lambda schema_id: lookup(schema_id) is not None
