"""What is wrong with processes: who does not answer, who is not ready, and what that stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from deploy.status.fault import Fault, Kind
from deploy.status.figures import MemberFigures
from deploy.status.flow import Flow
from deploy.status.picture import Picture, Process
from deploy.status.words import ailment, of_things

ABORTED_SHARE: Final = 0.05
"""Of the transactions of a window: more are a fault; a few follow from every restart."""
_FEW_ABORTED: Final = 3

_SIDES: Final[tuple[tuple[str, Kind, str], ...]] = (
    ("produce", "not-published", "nothing published"),
    ("consume", "not-delivered", "nothing delivered"),
    ("ledger", "not-recorded", "nothing kept in its ledger"),
)
_ROUTERS: Final = ("route", "route-worker")
_CLIENTS: Final = ("produce", "route-worker", "consume", "ledger", "desk", "feedback")
_KAFKA: Final = "kafka"
"""The component that says whether Kafka answers."""
_OF_MEMBERS: Final = frozenset({service for service, _, _ in _SIDES})


def cut_off(now: Picture) -> frozenset[str]:
    """The addresses of those whom Kafka does not answer, where they are most of all: then it is Kafka's trouble."""
    clients = [process for process in now.of(*_CLIENTS) if process.is_up]
    without = frozenset(process.address for process in clients if _KAFKA in process.reasons)
    return without if len(without) > max(1, len(clients) // 2) else frozenset()


def of_kafka(now: Picture, away: Collection[str]) -> Iterator[Fault]:
    """Told once, where it is not one process alone that Kafka does not answer."""
    if away:
        one = next(process for process in now.processes if process.address in away)
        why = f"{of_things(len(away), 'process', 'processes')} cannot work with it; {one.reasons[_KAFKA]}"
        yield Fault("kafka", "nothing flows, Kafka is away", why)


def of_the_router(flow: Flow, away: Collection[str]) -> Iterator[Fault]:
    """A router none of whose workers does its work routes nothing; one of several is missed."""
    if any(process.address in away for process in flow.now.of("route-worker")):
        return
    routers = list(flow.now.of(*_ROUTERS))
    at_work = list(flow.now.of("route-worker")) or routers
    ailing = [process for process in routers if not process.is_ready]
    if at_work and not any(process.is_ready for process in at_work):
        # What a worker says is nearer to the cause than its supervisor's count of workers.
        telling = next((process for process in at_work if process.is_up), ailing[0])
        yield Fault("not-routed", "nothing routed", ailment(telling))
        return
    for process in ailing:
        yield Fault("process", ailment(process), "others route in its place", address=process.address, is_grave=False)


def of_sides(now: Picture, figures: MemberFigures, away: Collection[str]) -> Iterator[Fault]:
    """What of a member's own does nothing: producer, consumer, ledger; but for those whom Kafka keeps away."""
    for service, kind, what in _SIDES:
        own = [one for one in now.of(service) if one.whose == figures.member and one.address not in away]
        ailing = [process for process in own if not process.is_ready]
        if ailing and len(ailing) == len(own):
            why, since = ailment(_most_telling(ailing)), None
            if service == "produce" and figures.spool_events:
                why += f"; {of_things(figures.spool_events, 'event')} wait in its spool"
                since = now.at - figures.spool_oldest_s
            yield Fault(kind, what, why, figures.member, since=since)
        else:
            yield from (
                Fault(
                    "process", ailment(process), "others do its work", figures.member, process.address, is_grave=False
                )
                for process in ailing
            )


def _most_telling(ailing: Sequence[Process]) -> Process:
    return next((process for process in ailing if process.is_up), ailing[0])


def of_others(now: Picture) -> Iterator[Fault]:
    """Processes that are no member's of whom figures speak, nor the router's."""
    for process in now.processes:
        if process.is_ready or process.service in _ROUTERS or (process.service in _OF_MEMBERS and process.whose):
            continue
        told = process.whose if process.service in _OF_MEMBERS else ""
        yield Fault("process", ailment(process), "", told, process.address, process.service == "broker")


def of_transactions(flow: Flow) -> Iterator[Fault]:
    """Transactions that were lost, and workers that were replaced."""
    ended = flow.counted("route-worker", "transactions_total", "outcome")
    lost = ended["aborted"] + ended["indefinite"]
    if lost >= _FEW_ABORTED and lost > ABORTED_SHARE * ended.total():
        what = f"{lost} of {of_things(ended.total(), 'transaction')} aborted"
        yield Fault("aborts", what, "what they held was routed again", is_grave=False)
    replaced = flow.counted("route", "workers_replaced_total", "reason")
    if replaced:
        what = f"{of_things(replaced.total(), 'worker')} of the router replaced"
        yield Fault("replaced", what, _by_reason(replaced), is_grave=False)


def of_ledgers(flow: Flow) -> Iterator[Fault]:
    """Records that a ledger could not take."""
    for member, count in flow.counted("ledger", "delivered_total", "recipient", outcome="set-aside").items():
        aside = of_things(count, "record")
        why = "see table set_aside of its ledger"
        yield Fault("set-aside", f"{aside} of its ledger just set aside", why, member, "ledger", is_grave=False)


def _by_reason(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counted.items()))
