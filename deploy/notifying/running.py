"""A desk that notifies, put together: the subscriber of a force's cases, and the sink that tells."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from threading import Event

from consumers.runner import Counted, Progress, Runner
from consumers.settings import ConsumerSettings
from consumers.subscriber import Subscriber
from deploy.notifying.notices import CaseNews, news_opener
from deploy.notifying.notifiers import Notifier
from deploy.notifying.telling import TellingSink
from schemas.ops.health import Health
from schemas.topics import cases_topic


def notify(
    settings: ConsumerSettings,
    notifier: Notifier,
    stop: Event,
    health: Health,
    *,
    until_idle_s: float | None = None,
    started: Callable[[Progress], None] = lambda _: None,
) -> Progress:
    """Tell of a force's cases until `stop` is set, or nothing has come for so long.

    Raises:
        Rejected: the member does not publish, or the database is not this force's memory of what was told.
        Fatal: this process cannot go on.
    """
    settings.must("publishes")
    force = settings.member
    with ExitStack() as closing:
        sink = TellingSink(settings.into, force, notifier)
        closing.callback(sink.close)
        consumer = settings.clients.consumer_config(settings.group("desk"))
        subscriber = Subscriber(consumer, [cases_topic(force)], sink.positions, sink.note_gap, health)
        closing.callback(subscriber.close)
        opener = news_opener(settings.most_bytes, settings.lookup)
        runner: Runner[CaseNews] = Runner(Counted(force, "desk"), subscriber, opener, sink, health=health)
        started(runner.progress)
        runner.run(stop, until_idle_s)
        return runner.progress
