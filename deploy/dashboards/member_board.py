"""The rows of one member's own dashboard: the same questions from its point of view, as origin and as recipient.

It asks nothing of what others decided to keep from this member: a partner must not learn that something was held back.
"""

from __future__ import annotations

from typing import Final

from deploy.dashboards.alerting import firing_about, firing_about_since
from deploy.dashboards.causes import EVENTS
from deploy.dashboards.first_screen import AGO, LAG, QUIET_COUNT, YES
from deploy.dashboards.flow import RATE, SECONDS
from deploy.dashboards.panels import COUNTED, Column, Figure, Graph, Look, Panel, Query, Row, Table
from deploy.dashboards.promql import (
    at_most_now,
    in_all_now,
    last_known,
    of_late,
    per_second,
    quantile,
)
from schemas.exchange import Member
from schemas.ops.metric_catalogue import HistogramName

TOLD_TO_RECIPIENTS: Final = ("shared", "shared-in-part", "undeliverable")
"""Outcomes that the recipient sees anyway: what it is sent, and what could not be sent to it."""


def member_rows(member: str, facts: Member) -> tuple[Row, ...]:
    """The rows that fit what the member does."""
    rows = [_now(member, facts)]
    if facts.publishes:
        rows.append(_as_origin(member))
    if facts.receives:
        rows.append(_as_recipient(member))
    return tuple(rows)


def _now(member: str, facts: Member) -> Row:
    figures = [
        Figure(
            title="Alerts firing",
            about="How many alerts fire now about this member.",
            width=3,
            queries=(Query(firing_about(member)),),
            look=COUNTED,
        ),
        *(_origin_figures(member) if facts.publishes else ()),
        *(_recipient_figures(member) if facts.receives else ()),
    ]
    why = Table(
        title="Why: alerts that fire about this member",
        about="Each alert, and since when what it says has held. Its page in docs/runbook says what to do.",
        width=24,
        height=5,
        by={"alertname": "Alert", "severity": "Severity", "service": "Service", "instance": "Process"},
        columns=(Column(Query(firing_about_since(member), "Since"), AGO),),
    )
    return Row("", (*figures, why))


def _origin_figures(member: str) -> tuple[Panel, ...]:
    return (
        Figure(
            title="Last record captured",
            about="When this force's source last had a record; remembered for a day.",
            alerts=("NothingFromForce",),
            width=3,
            queries=(Query(f"{last_known('last_captured_timestamp_seconds', origin=member)} * 1000"),),
            look=AGO,
        ),
        Figure(
            title="Waiting to be routed",
            about="Age of its oldest event that no router has decided yet.",
            alerts=("RoutingBehind",),
            width=3,
            queries=(Query(at_most_now("input_lag_seconds", origin=member)),),
            look=LAG,
        ),
        Figure(
            title="Waiting in the spool",
            about="Events on its own disk that Kafka has not acknowledged.",
            alerts=("SpoolWaiting", "SpoolFilling"),
            width=3,
            queries=(Query(in_all_now("spool_events", origin=member)),),
            look=QUIET_COUNT,
        ),
        Figure(
            title="Paused",
            about="Whether the router leaves its events alone, as one of its own topics is missing or it writes a "
            "schema that the router does not know.",
            alerts=("OriginPaused",),
            width=3,
            queries=(Query(at_most_now("origin_paused", origin=member)),),
            look=YES,
        ),
    )


def _recipient_figures(member: str) -> tuple[Panel, ...]:
    return (
        Figure(
            title="Last delivery durable",
            about="When a delivery last became durable in its database; remembered for a day.",
            alerts=("MemberTakesNothing",),
            width=3,
            queries=(
                Query(f"{last_known('last_delivered_timestamp_seconds', recipient=member, store='receiving')} * 1000"),
            ),
            look=AGO,
        ),
        Figure(
            title="Waiting to be durable",
            about="Age of the oldest delivery that its consumer has not written yet.",
            alerts=("DeliveryBehind",),
            width=3,
            queries=(Query(at_most_now("consumer_lag_seconds", recipient=member, store="receiving")),),
            look=LAG,
        ),
        Figure(
            title="Suspended",
            about="Whether its topic is missing or refuses writes: then what would go to it is recorded undeliverable.",
            alerts=("MemberSuspended",),
            width=3,
            queries=(Query(at_most_now("member_suspended", member=member)),),
            look=YES,
        ),
    )


def _as_origin(member: str) -> Row:
    refused = of_late("quarantined_records_total", "reason", member=member)
    return Row(
        "As origin: what becomes of its events",
        (
            Graph(
                title="Records of its source",
                about="A second, by what became of them: read, captured in the spool, acknowledged by Kafka, set "
                "aside, repeated, refused by Kafka for good.",
                width=8,
                queries=(Query(per_second("produced_events_total", "outcome", origin=member), "{{outcome}}"),),
                look=RATE,
            ),
            Graph(
                title="Routed or refused",
                about="Its events a second by what the router did with them.",
                width=8,
                queries=(Query(per_second("routed_events_total", "outcome", origin=member), "{{outcome}}"),),
                look=RATE,
            ),
            Graph(
                title="Shared with",
                about="Decisions a second to share its events, in whole or in part, by recipient.",
                width=8,
                queries=(
                    Query(
                        per_second("decisions_total", "recipient", origin=member, outcome=("shared", "shared-in-part")),
                        "{{recipient}}",
                    ),
                ),
                look=RATE,
            ),
            Graph(
                title="End to end",
                about="From recorded here to durable at its recipients: the middle and the slowest of a hundred.",
                alerts=("DeliveriesLate",),
                width=8,
                queries=_p50_p99("end_to_end_seconds", origin=member),
                look=SECONDS,
            ),
            Graph(
                title="Spool age",
                about="Age of the oldest event on its own disk that Kafka has not acknowledged.",
                alerts=("SpoolWaiting",),
                width=8,
                queries=(Query(at_most_now("spool_oldest_seconds", origin=member), "oldest"),),
                look=SECONDS,
            ),
            Graph(
                title="Set aside, waiting for a person",
                about="Records that its mapping could not turn into an event: `huecry setaside list`.",
                alerts=("RecordsSetAside", "MostRecordsSetAside"),
                width=8,
                queries=(Query(in_all_now("set_aside_records", origin=member), "set aside"),),
                look=EVENTS,
            ),
            Table(
                title="Decisions on its events in the last hour",
                about="By recipient and outcome. Its ledger holds each of them: `huecry explain`.",
                width=12,
                by={"recipient": "Recipient", "outcome": "Outcome"},
                columns=(Column(Query(of_late("decisions_total", "recipient", "outcome", origin=member), "Events")),),
            ),
            Table(
                title="Refused in the last hour",
                about="Records of this member that the router quarantined, by reason: `huecry quarantine list`.",
                alerts=("RecordsQuarantined", "MostEventsQuarantined"),
                width=6,
                by={"reason": "Reason"},
                columns=(Column(Query(refused, "Records"), COUNTED),),
            ),
            Table(
                title="Told to it in the last hour",
                about="Feedback that the router wrote for this force, by kind.",
                width=6,
                by={"kind": "Kind"},
                columns=(Column(Query(of_late("feedback_total", "kind", member=member), "Records")),),
            ),
        ),
    )


def _as_recipient(member: str) -> Row:
    store = {"recipient": member, "store": "receiving"}
    shared = per_second("decisions_total", "origin", "outcome", recipient=member, outcome=TOLD_TO_RECIPIENTS)
    return Row(
        "As recipient: what reaches it",
        (
            Graph(
                title="Shared with it",
                about="Decisions a second to share an event with it, in whole or in part, by origin; undeliverable "
                "while it is suspended.",
                width=8,
                queries=(Query(shared, "{{origin}} {{outcome}}"),),
                look=RATE,
            ),
            Graph(
                title="Deliveries",
                about="A second, by what became of them in its database. Repeated ones do no harm; one set aside can "
                "never be taken: see table set_aside.",
                alerts=("DeliveriesSetAside",),
                width=8,
                queries=(Query(per_second("delivered_total", "outcome", **store), "{{outcome}}"),),
                look=RATE,
            ),
            Graph(
                title="Receipts",
                about="Receipts a second by kind, and those that Kafka did not take (not-taken): they are sent again.",
                alerts=("ReceiptsNotTaken",),
                width=8,
                queries=(Query(per_second("receipts_total", "outcome", recipient=member), "{{outcome}}"),),
                look=RATE,
            ),
            Graph(
                title="End to end",
                about="From recorded at the origin to durable here: the middle and the slowest of a hundred.",
                alerts=("DeliveriesLate",),
                width=8,
                queries=_p50_p99("receive_seconds", recipient=member),
                look=SECONDS,
            ),
            Graph(
                title="Waiting to be durable",
                about="Age of the oldest delivery that its consumer has not written yet.",
                alerts=("DeliveryBehind",),
                width=8,
                queries=(Query(at_most_now("consumer_lag_seconds", **store), "oldest"),),
                look=SECONDS,
            ),
            Graph(
                title="Its database",
                about="Time to make one batch durable (p99), and whether the consumer waits for the database (1) or "
                "not (0).",
                alerts=("ReceivingDatabaseAway",),
                width=8,
                queries=(
                    Query(quantile(0.99, "sink_seconds", **store), "p99"),
                    Query(at_most_now("sink_waiting", **store), "waiting"),
                ),
                look=Look("s"),
            ),
        ),
    )


def _p50_p99(name: HistogramName, **labels: str) -> tuple[Query, ...]:
    return tuple(Query(quantile(share, name, **labels), f"p{share * 100:.0f}") for share in (0.5, 0.99))
