"""What is wrong, gravest first: for whom, what, why, and since when as far as the processes themselves tell."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal

from deploy.status.figures import MemberFigures
from deploy.status.flow import Flow
from deploy.status.picture import Picture, Process
from deploy.status.words import ailment, duration, of_things

Kind = Literal[
    "not-published",
    "not-routed",
    "not-delivered",
    "not-recorded",
    "suspended",
    "paused",
    "spool",
    "late",
    "process",
    "quarantine",
    "set-aside",
    "aborts",
    "replaced",
]

LATE_S: Final = 30.0
"""Older than this, what waits in a spool, at the router or at a consumer is a fault."""
STALLED_EVENTS: Final = 3
"""So many went in some time ago and none came out: more than the moments between two answers can explain."""
ABORTED_SHARE: Final = 0.05
"""Of the transactions of a window: more are a fault; a few follow from every restart."""

_SIDES: Final[tuple[tuple[str, Kind, str], ...]] = (
    ("produce", "not-published", "nothing published"),
    ("consume", "not-delivered", "nothing delivered"),
    ("ledger", "not-recorded", "nothing kept in its ledger"),
)
_ROUTERS: Final = ("route", "route-worker")
_OF_MEMBERS: Final = frozenset({service for service, _, _ in _SIDES})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    kind: Kind
    what: str
    """What does not happen, or has happened."""
    why: str
    member: str = ""
    """Whom it is about; empty: the exchange."""
    address: str = ""
    """The process, if it is about one."""
    is_grave: bool = True
    """Something does not flow; else, somebody should look at it."""
    since: float | None = None
    """Seconds since the epoch."""

    @property
    def key(self) -> tuple[str, str, str]:
        """The same from picture to picture, for as long as it is the same fault."""
        return self.kind, self.member, self.address


def faults(flow: Flow, settled: Picture | None, members: Sequence[MemberFigures]) -> tuple[Fault, ...]:
    """What is wrong, gravest first.

    Args:
        flow: from the beginning of the window to now.
        settled: a picture within the window, old enough that what was decided by then must have arrived by now.
        members: the figures of the same flow.
    """
    found = [
        *_of_the_router(flow),
        *chain.from_iterable(_of_sides(flow.now, figures) for figures in members),
        *chain.from_iterable(_of_member(figures) for figures in members),
        *_of_others(flow.now),
        *_of_transactions(flow),
        *_of_ledgers(flow),
    ]
    silenced = {(fault.kind, fault.member) for fault in found}
    if settled is not None:
        found += [
            fault
            for figures in members
            for fault in _stalled(flow, Flow(flow.before, settled), figures)
            if (fault.kind, fault.member) not in silenced
        ]
    # A spool that fills while its producer does nothing is told with that.
    found = [fault for fault in found if not (fault.kind == "spool" and ("not-published", fault.member) in silenced)]
    return tuple(sorted(found, key=lambda fault: not fault.is_grave))


def _of_the_router(flow: Flow) -> Iterator[Fault]:
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


def _of_sides(now: Picture, figures: MemberFigures) -> Iterator[Fault]:
    for service, kind, what in _SIDES:
        own = [process for process in now.of(service) if process.whose == figures.member]
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


def _of_member(figures: MemberFigures) -> Iterator[Fault]:
    member = figures.member
    if figures.is_suspended:
        yield Fault(
            "suspended",
            "suspended, its deliveries are recorded as undeliverable",
            "its topic is missing or refuses writes: see huecry provision plan",
            member,
        )
    if figures.is_paused:
        why = "a topic of its own is missing or refuses writes, or its schema is newer than the router"
        yield Fault("paused", "its events are not routed", why, member)
    if figures.spool_oldest_s > LATE_S:
        waiting = of_things(figures.spool_events, "event")
        yield Fault("spool", f"{waiting} wait in its spool", _oldest(figures.spool_oldest_s), member)
    if (figures.routing_lag_s or 0.0) > LATE_S:
        yield Fault("late", "its events are routed late", _oldest(figures.routing_lag_s), member, "routing")
    if (figures.delivery_lag_s or 0.0) > LATE_S:
        yield Fault("late", "deliveries to it are late", _oldest(figures.delivery_lag_s), member, "delivery")
    yield from _to_look_at(figures)


def _to_look_at(figures: MemberFigures) -> Iterator[Fault]:
    member = figures.member
    if figures.quarantined.recent:
        refused = of_things(figures.quarantined.recent, "record")
        why = f"{', '.join(sorted(figures.quarantined.lately))}; see huecry quarantine list --member {member}"
        yield Fault("quarantine", f"{refused} just refused by the router", why, member, is_grave=False)
    if figures.set_aside:
        aside = of_things(figures.set_aside, "record")
        yield Fault(
            "set-aside", f"{aside} set aside, awaiting a person", "see huecry setaside list", member, is_grave=False
        )
    if recent := figures.delivered.lately.get("set-aside", 0):
        aside = of_things(recent, "delivery", "deliveries")
        yield Fault(
            "set-aside",
            f"{aside} just set aside",
            "see table set_aside of its database",
            member,
            "received",
            is_grave=False,
        )


def _oldest(age_s: float | None) -> str:
    return f"the oldest is {duration(age_s or 0.0)} old"


def _of_others(now: Picture) -> Iterator[Fault]:
    """Processes that are no member's of whom figures speak, nor the router's."""
    for process in now.processes:
        if process.is_ready or process.service in _ROUTERS or (process.service in _OF_MEMBERS and process.whose):
            continue
        told = process.whose if process.service in _OF_MEMBERS else ""
        yield Fault("process", ailment(process), "", told, process.address, process.service == "broker")


def _of_transactions(flow: Flow) -> Iterator[Fault]:
    ended = flow.counted("route-worker", "transactions_total", "outcome")
    lost = ended["aborted"] + ended["indefinite"]
    if lost >= STALLED_EVENTS and lost > ABORTED_SHARE * ended.total():
        what = f"{lost} of {of_things(ended.total(), 'transaction')} aborted"
        yield Fault("aborts", what, "what they held was routed again", is_grave=False)
    replaced = flow.counted("route", "workers_replaced_total", "reason")
    if replaced:
        what = f"{of_things(replaced.total(), 'worker')} of the router replaced"
        yield Fault("replaced", what, _by_reason(replaced), is_grave=False)


def _of_ledgers(flow: Flow) -> Iterator[Fault]:
    for member, count in flow.counted("ledger", "delivered_total", "recipient", outcome="set-aside").items():
        aside = of_things(count, "record")
        why = "see table set_aside of its ledger"
        yield Fault("set-aside", f"{aside} of its ledger just set aside", why, member, "ledger", is_grave=False)


def _by_reason(counted: Counter[str]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counted.items()))


def _stalled(flow: Flow, until_settled: Flow, figures: MemberFigures) -> Iterator[Fault]:
    """What went in some time ago, and nothing came out."""
    member = figures.member
    went_in: Mapping[str, int] = defaultdict(
        int, until_settled.counted("route-worker", "decisions_total", "outcome", recipient=member)
    )
    granted = went_in["shared"] + went_in["shared-in-part"]
    if granted >= STALLED_EVENTS and any(_of(flow.now, "consume", member)) and not figures.delivered.recent:
        why = f"{of_things(granted, 'event')} granted to it in the last {duration(flow.window_s)}, none delivered"
        yield Fault("not-delivered", "nothing delivered", why, member)
    published = until_settled.count("produce", "produced_events_total", origin=member, outcome="acknowledged")
    routed = flow.count("route-worker", "routed_events_total", origin=member)
    if published >= STALLED_EVENTS and any(flow.now.of("route-worker")) and not routed:
        why = f"{of_things(published, 'event')} published in the last {duration(flow.window_s)}, none routed"
        yield Fault("not-routed", "its events are not routed", why, member)


def _of(now: Picture, service: str, member: str) -> Iterator[Process]:
    return (process for process in now.of(service) if process.whose == member)
