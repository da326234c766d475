"""A member's consumer, put together: its partner topic into its own database, receipted."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from threading import Event

from consumers.answers.calling import answers_at, serve_answers
from consumers.answers.watching import AnswerWatch
from consumers.chores import Chore
from consumers.delivery import Delivery, delivery_opener
from consumers.disposal import Disposal
from consumers.receipt_sender import ReceiptSender
from consumers.runner import Counted, Progress, Runner
from consumers.settings import AnswersByCall, ConsumerSettings
from consumers.sinks.sql import KIND, SqlSink
from consumers.streams.noting import missing_deliveries
from consumers.subscriber import Subscriber
from schemas.ops import metrics
from schemas.ops.health import Health
from schemas.topics import partner_topic

_LAST_RECEIPTS_S = 5.0
_ANSWERS_EVERY_S = 0.1
_COUNT_EVERY_S = 1.0
_DISPOSE_EVERY_S = 10.0


def receive(
    settings: ConsumerSettings,
    stop: Event,
    health: Health,
    *,
    until_idle_s: float | None = None,
    answers: AnswersByCall | None = None,
    started: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Write what the member receives into its database until `stop` is set, or nothing has come for so long.

    Call it from the thread that may block; `started` is given the progress, which any thread may read. What is not
    durable when it ends, however it ends, comes again. Answers are taken from table ``answer``, and by calls if
    `answers` says where.

    Raises:
        Rejected: the member does not receive, or the database is not this member's.
        Fatal: this process cannot go on.
    """
    settings.must("receives")
    metrics.declare("receive_seconds", recipient=settings.member)
    clients, member = settings.clients, settings.member
    with ExitStack() as closing:
        sink = SqlSink(settings.into, member, within=settings.exchange.answers)
        closing.callback(sink.close)
        producer = clients.producer_config(settings.exchange.limits)
        receipts = ReceiptSender(sink, member, producer)
        closing.callback(receipts.close, _LAST_RECEIPTS_S)
        consumer = clients.consumer_config(settings.group("consume"))
        subscriber = Subscriber(consumer, [partner_topic(member)], sink.positions, sink.note_gap, health)
        closing.callback(subscriber.close)
        opener = delivery_opener(settings.most_bytes, settings.lookup)
        counted = Counted(member, "receiving")
        if answers is not None:
            take = answers_at(settings.into, KIND, member)
            closing.callback(serve_answers(answers.port, take, answers.token).close)
        runner: Runner[Delivery] = Runner(counted, subscriber, opener, sink, health=health, receipts=receipts)
        runner.chores = _chores(sink, member, runner.progress)
        started(runner.progress)
        runner.run(stop, until_idle_s)
        return runner.progress


def _chores(sink: SqlSink, member: str, progress: Progress) -> list[Chore]:
    """What is done between batches: answers are taken, what waits is counted, what is past its time is deleted."""
    answers, disposal = AnswerWatch(sink.database, member), Disposal(sink.database, member)
    metrics.declare("stream_faults_total", recipient=member)

    def count() -> None:
        answers.count()
        progress.missing = missing_deliveries(sink.database)
        metrics.set_gauge("missing_deliveries", progress.missing, recipient=member)

    return [
        Chore(answers.take, _ANSWERS_EVERY_S),
        Chore(count, _COUNT_EVERY_S),
        Chore(disposal.dispose, _DISPOSE_EVERY_S, in_quiet=True),
    ]
