"""A force's feedback, carried where it wants it: each way with a loop, a position and a consumer group of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Final, Literal

from consumers.feedback.record import Told, feedback_opener
from consumers.runner import Counted, Progress, Runner
from consumers.sinks import Sink
from consumers.subscriber import Subscriber
from schemas.codec import SchemaLookup
from schemas.errors import Rejected
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.ops.health import Health
from schemas.topics import OUTPUT_EXTRA_BYTES, feedback_topic

_LOOK_S: Final = 0.2

Store = Literal["feedback", "feedback-webhook", "feedback-file"]


@dataclass(frozen=True)
class FeedbackSettings:
    """Whose feedback, from which cluster."""

    exchange: Exchange
    force: str
    clients: ClientSettings
    lookup: SchemaLookup | None = None
    """Where to find schemas newer than this release."""

    def __post_init__(self) -> None:
        """See that it is told anything.

        Raises:
            Rejected: it does not publish.
        """
        publishers = self.exchange.publishers()
        if self.force not in publishers:
            raise Rejected(
                "no-such-member",
                f"expected a member of {self.exchange.exchange} that publishes ({', '.join(publishers)}), "
                f"got {self.force!r}",
            )

    def names(self) -> dict[str, str]:
        """Member → its name, as a dispatcher knows it."""
        return {member: facts.name for member, facts in self.exchange.members.items()}


@dataclass(frozen=True)
class Way:
    """One of the places that a force wants its feedback in; `open` is called in the thread that uses it."""

    store: Store
    open: Callable[[], Sink[Told]]


def carry_feedback(
    settings: FeedbackSettings,
    ways: Sequence[Way],
    stop: Event,
    health: Health,
    *,
    until_idle_s: float | None = None,
    started: Callable[[Progress], None] = lambda _: None,
) -> list[Progress]:
    """Carry feedback until `stop` is set, or nothing has come for so long; what each way has done, in their order.

    Args:
        settings: whose, and from where.
        ways: where to; one that is away holds up none of the others.
        stop: ends it.
        health: ready while every way is; live while every loop turns.
        until_idle_s: how long nothing may come; None: for ever.
        started: given the progress of each way.

    Raises:
        Rejected: a place is none that can be used.
        Fatal: this process cannot go on.
    """
    if len(ways) == 1:
        return [_carry(settings, ways[0], stop, health, until_idle_s, started)]
    loops = [_Loop(settings, way, stop, until_idle_s, started) for way in ways]
    for loop in loops:
        health.watch(loop.name, loop.trouble)
        loop.start()
    health.ready()
    while any(loop.is_alive() for loop in loops):
        if all(loop.health.is_live() for loop in loops):
            health.beat()
        for loop in loops:
            loop.join(_LOOK_S)
        if any(loop.error is not None for loop in loops):
            stop.set()
    for loop in loops:
        loop.join()
        if loop.error is not None:
            raise loop.error
    return [loop.progress for loop in loops]


class _Loop(threading.Thread):
    """One way, in a thread of its own."""

    def __init__(
        self,
        settings: FeedbackSettings,
        way: Way,
        stop: Event,
        until_idle_s: float | None,
        started: Callable[[Progress], None],
    ) -> None:
        super().__init__(name=way.store)
        self.health = Health()
        self.progress = Progress()
        self.error: BaseException | None = None
        self._work: Callable[[], Progress] = partial(_carry, settings, way, stop, self.health, until_idle_s, started)

    def run(self) -> None:
        """Carry until told to stop; what ends it early is kept for whoever joins."""
        try:
            self.progress = self._work()
        except BaseException as error:  # noqa: BLE001  raised again in the main thread
            self.error = error

    def trouble(self) -> str:
        """Why this way does not do its work; empty: it does."""
        return "; ".join(self.health.reasons().values())


def _carry(
    settings: FeedbackSettings,
    way: Way,
    stop: Event,
    health: Health,
    until_idle_s: float | None,
    started: Callable[[Progress], None],
) -> Progress:
    force = settings.force
    with ExitStack() as closing:
        sink = way.open()
        closing.callback(sink.close)
        group = f"{settings.exchange.exchange}.{way.store}.{force}"
        consumer = settings.clients.consumer_config(group)
        subscriber = Subscriber(consumer, [feedback_topic(force)], sink.positions, sink.note_gap, health)
        closing.callback(subscriber.close)
        opener = feedback_opener(settings.exchange.limits.max_event_bytes + OUTPUT_EXTRA_BYTES, settings.lookup)
        runner: Runner[Told] = Runner(Counted(force, way.store), subscriber, opener, sink, health=health)
        started(runner.progress)
        runner.run(stop, until_idle_s)
        return runner.progress
