"""The first screen of the whole exchange: is anything not flowing, for whom, since when, and why."""

from __future__ import annotations

from typing import Final

from deploy.dashboards.alerting import firing, firing_by_member, firing_since, silent_processes
from deploy.dashboards.panels import COUNTED, Column, Figure, Look, Panel, Query, Row, Table
from deploy.dashboards.promql import (
    REMEMBERED,
    as_member,
    at_least_now,
    at_most_now,
    in_all_now,
    last_known,
    of_late,
    series,
)

_LOOKED: Final = "15s"
"""How closely it is looked when something was last seen: what lived for less may not be found."""
AGO: Final = Look("dateTimeFromNow")
LAG: Final = Look("s", colours=((5, "yellow"), (30, "red")))
YES: Final = Look(colours=((1, "red"),), words={0: "no", 1: "yes"})
QUIET_COUNT: Final = Look(colours=((1, "yellow"),))


def first_screen(exchange: str, member_link: str) -> Row:
    """The row; `member_link` is where a member's own dashboard is, ``${__value.text}`` its id, or nothing."""
    return Row("", (*_figures(), _members(exchange, member_link), _why(), _gone()))


def _figures() -> tuple[Panel, ...]:
    return (
        Figure(
            title="Alerts firing",
            about="How many alerts fire now. What they are, about whom and since when stands below.",
            width=3,
            queries=(Query(firing()),),
            look=COUNTED,
        ),
        Figure(
            title="Longest wait to be routed",
            about="Age of the oldest event, of whichever force, that no router has decided yet.",
            alerts=("RoutingBehind",),
            width=3,
            queries=(Query(at_most_now("input_lag_seconds")),),
            look=LAG,
        ),
        Figure(
            title="Longest wait to be durable",
            about="Age of the oldest delivery, to whichever recipient, that its consumer has not written yet.",
            alerts=("DeliveryBehind",),
            width=3,
            queries=(Query(at_most_now("consumer_lag_seconds")),),
            look=LAG,
        ),
        Figure(
            title="Members suspended",
            about="Members whose topic is missing or refuses writes: what would go to them is recorded undeliverable.",
            alerts=("MemberSuspended",),
            width=3,
            queries=(Query(f"sum({at_most_now('member_suspended', 'member')})"),),
            look=COUNTED,
        ),
        Figure(
            title="Forces paused",
            about="Forces whose topic the router leaves alone: one of their own topics is missing, or they write a "
            "schema that this release does not know. Their events wait.",
            alerts=("OriginPaused",),
            width=3,
            queries=(Query(f"sum({at_most_now('origin_paused', 'origin')})"),),
            look=COUNTED,
        ),
        Figure(
            title="Policy in force",
            about="The oldest and newest version of the policy that any worker has seen. They differ for a second "
            "after a publication; if for longer, a worker is stuck.",
            alerts=("PoliciesDiffer", "PolicyNotLoaded"),
            width=3,
            queries=(
                Query(at_least_now("policy_version"), "oldest"),
                Query(at_most_now("policy_version"), "newest"),
            ),
        ),
        Figure(
            title="Workers",
            about="Routing processes that have their partitions and work, those that do not yet, and those that cannot "
            "load the newest policy and so route nothing.",
            alerts=("NoRouter", "PolicyNotLoaded", "WorkersKeepFailing"),
            width=3,
            queries=(
                Query(in_all_now("workers", state="running"), "running"),
                Query(in_all_now("workers", state="starting"), "starting"),
                Query(f"sum(1 - {series('policy_loaded')})", "without policy"),
            ),
        ),
        Figure(
            title="Processes silent",
            about="Processes that Prometheus was told of and that do not answer it: stopped, cut off, or hanging.",
            alerts=("ProcessDown", "NothingWatched"),
            width=3,
            queries=(Query(silent_processes()),),
            look=COUNTED,
        ),
    )


def _members(exchange: str, member_link: str) -> Table:
    captured = last_known("last_captured_timestamp_seconds", "origin")
    routed = last_known("last_routed_timestamp_seconds", "origin")
    durable = last_known("last_delivered_timestamp_seconds", "recipient", store="receiving")
    to_be_routed = at_most_now("input_lag_seconds", "origin")
    to_be_durable = at_most_now("consumer_lag_seconds", "recipient", store="receiving")
    return Table(
        title="Members",
        about="One line for each member. Captured: when its source last had a record. Routed: when an event of it was "
        "last decided. Durable: when a delivery to it last became durable. All three are remembered for a day after "
        "their process has gone. Empty: it has no such part, or nobody has reported it for a day.",
        alerts=("NothingFromForce", "MemberTakesNothing", "RoutingBehind", "DeliveryBehind"),
        width=24,
        height=9,
        by={"member": "Member"},
        link=member_link,
        columns=(
            Column(Query(f"{firing_by_member(exchange)} or {_known_members()}", "Alerts"), COUNTED),
            Column(Query(as_member(f"{captured} * 1000", "origin"), "Captured"), AGO),
            Column(Query(as_member(f"{routed} * 1000", "origin"), "Routed"), AGO),
            Column(Query(as_member(to_be_routed, "origin"), "To be routed"), LAG),
            Column(Query(as_member(f"{durable} * 1000", "recipient"), "Durable"), AGO),
            Column(Query(as_member(to_be_durable, "recipient"), "To be durable"), LAG),
            Column(Query(at_most_now("member_suspended", "member"), "Suspended"), YES),
            Column(Query(as_member(at_most_now("origin_paused", "origin"), "origin"), "Paused"), YES),
            Column(Query(as_member(in_all_now("spool_events", "origin"), "origin"), "In spool"), QUIET_COUNT),
            Column(Query(of_late("quarantined_records_total", "member"), "Quarantined (1 h)"), COUNTED),
        ),
    )


def _known_members() -> str:
    """0 for every member that a router or producer has named in the last day, so that none drops out of the table."""
    suspended = f"last_over_time({series('member_suspended')}[{REMEMBERED}])"
    paused = as_member(f"last_over_time({series('origin_paused')}[{REMEMBERED}])", "origin")
    return f"0 * max by (member) ({suspended} or {paused})"


def _why() -> Table:
    return Table(
        title="Why: alerts that fire",
        about="Each alert, whom it is about, and since when what it says has held. Its page in docs/runbook says what "
        "it means, how to see more and what to do.",
        width=14,
        height=7,
        by={
            "alertname": "Alert",
            "severity": "Severity",
            "member": "Whom",
            "service": "Service",
            "instance": "Process",
        },
        columns=(Column(Query(firing_since(), "Since"), AGO),),
    )


def _gone() -> Table:
    running = series("process_info")
    seen = f"max by (service, whose) (max_over_time(timestamp({running})[{REMEMBERED}:{_LOOKED}])) * 1000"
    gone = f"{seen} unless max by (service, whose) ({running})"
    return Table(
        title="Processes that are gone",
        about="Services that somebody ran within the last day and nobody runs now, or whose metrics cannot be read, "
        "and when they were last seen.",
        alerts=("ProcessDown",),
        width=10,
        height=7,
        by={"service": "Service", "whose": "Whose"},
        columns=(Column(Query(gone, "Last seen"), AGO),),
    )
