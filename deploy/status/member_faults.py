"""What stands in a member's way, as counts and ages tell it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from deploy.status.fault import Fault
from deploy.status.figures import MemberFigures
from deploy.status.flow import Flow
from deploy.status.picture import Picture, Process
from deploy.status.words import duration, of_things

LATE_S: Final = 30.0
"""Older than this, what waits in a spool, at the router or at a consumer is a fault."""
STALLED_EVENTS: Final = 3
"""So many went in some time ago and none came out: more than the moments between two answers can explain."""


def of_member(figures: MemberFigures) -> Iterator[Fault]:
    """What stands in a member's way, and what somebody should look at."""
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
    yield from _missing(figures)
    yield from _to_look_at(figures)


def _missing(figures: MemberFigures) -> Iterator[Fault]:
    """What the numbers of its streams tell."""
    if figures.missing:
        gone = of_things(figures.missing, "delivery", "deliveries")
        yield Fault("missing", f"{gone} to it missing", "read again with huecry replay", figures.member)
    if figures.reused:
        twice = of_things(figures.reused, "number")
        why = "a router has lost its count: see docs/runbook/StreamNumbersReused.md"
        yield Fault("missing", f"{twice} of its streams given out twice", why, figures.member, "numbers")


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
    if figures.overdue:
        waiting = ", ".join(f"{count} {what}" for what, count in figures.overdue.items())
        why = "see huecry answer --list, and telephone its control room"
        yield Fault("unanswered", f"not answered in time: {waiting}", why, member, is_grave=False)
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


def stalled(flow: Flow, until_settled: Flow, figures: MemberFigures) -> Iterator[Fault]:
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
