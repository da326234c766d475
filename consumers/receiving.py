"""A member's consumer, put together: its partner topic into its own database, receipted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from threading import Event

from consumers.delivery import Delivery, delivery_opener
from consumers.receipts import ReceiptSender
from consumers.runner import Counted, Progress, Runner
from consumers.settings import ConsumerSettings
from consumers.sinks.sql import SqlSink
from consumers.subscriber import Subscriber
from schemas.ops import metrics
from schemas.ops.health import Health
from schemas.topics import partner_topic

_LAST_RECEIPTS_S = 5.0


def receive(
    settings: ConsumerSettings,
    stop: Event,
    health: Health,
    *,
    until_idle_s: float | None = None,
    started: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Write what the member receives into its database until `stop` is set, or nothing has come for so long.

    Call it from the thread that may block; `started` is given the progress, which any thread may read. What is not
    durable when it ends, however it ends, comes again.

    Raises:
        Rejected: the member does not receive, or the database is not this member's.
        Fatal: this process cannot go on.
    """
    settings.must("receives")
    metrics.declare("receive_seconds", recipient=settings.member)
    clients, member = settings.clients, settings.member
    with ExitStack() as closing:
        sink = SqlSink(settings.into, member)
        closing.callback(sink.close)
        producer = clients.producer_config(settings.exchange.limits)
        receipts = ReceiptSender(sink, member, producer)
        closing.callback(receipts.close, _LAST_RECEIPTS_S)
        consumer = clients.consumer_config(settings.group("consume"))
        subscriber = Subscriber(consumer, [partner_topic(member)], sink.positions, sink.note_gap, health)
        closing.callback(subscriber.close)
        opener = delivery_opener(settings.most_bytes, settings.lookup)
        counted = Counted(member, "receiving")
        runner: Runner[Delivery] = Runner(counted, subscriber, opener, sink, health=health, receipts=receipts)
        started(runner.progress)
        runner.run(stop, until_idle_s)
        return runner.progress
