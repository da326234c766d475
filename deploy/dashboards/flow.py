"""Rows about events that move: how many, and how long they take."""

from __future__ import annotations

from typing import Final

from deploy.dashboards.panels import Graph, Look, Query, Row
from deploy.dashboards.promql import at_most_now, per_second, quantile

RATE: Final = Look("suffix: /s")
SECONDS: Final = Look("s")


def flow_row() -> Row:
    """What is published, decided and delivered, in the whole exchange."""
    return Row(
        "Flow: is it moving?",
        (
            Graph(
                title="Published",
                about="Events a second that Kafka has taken from each force. A line that falls to nothing while the "
                "others go on is a force that has stopped, or whose own system has.",
                alerts=("NothingFromForce",),
                width=8,
                queries=(Query(per_second("produced_events_total", "origin", outcome="acknowledged"), "{{origin}}"),),
                look=RATE,
            ),
            Graph(
                title="Decided",
                about="Decisions a second by outcome: one for each event and each member. Shared and shared-in-part "
                "are delivered; undeliverable means that a member is suspended.",
                width=8,
                queries=(Query(per_second("decisions_total", "outcome"), "{{outcome}}"),),
                look=RATE,
            ),
            Graph(
                title="Delivered",
                about="Deliveries a second that became durable at each recipient.",
                alerts=("MemberTakesNothing",),
                width=8,
                queries=(
                    Query(
                        per_second("delivered_total", "recipient", store="receiving", outcome="written"),
                        "{{recipient}}",
                    ),
                ),
                look=RATE,
            ),
        ),
    )


def latency_row() -> Row:
    """How long events take and wait, in the whole exchange."""
    return Row(
        "Latency: is it late?",
        (
            Graph(
                title="End to end, by origin",
                about="From recorded at the origin to durable at a recipient: the middle (p50) and the slowest of a "
                "hundred (p99) over five minutes. It is interpolated within the buckets of a histogram.",
                alerts=("DeliveriesLate",),
                width=12,
                queries=(
                    Query(quantile(0.5, "end_to_end_seconds", "origin"), "{{origin}} p50"),
                    Query(quantile(0.99, "end_to_end_seconds", "origin"), "{{origin}} p99"),
                ),
                look=SECONDS,
            ),
            Graph(
                title="End to end, by recipient",
                about="The same journeys by where they end. One recipient slow: its consumer or its database. All "
                "slow: the router, Kafka, or an origin that records late.",
                alerts=("DeliveriesLate",),
                width=12,
                queries=(
                    Query(quantile(0.5, "receive_seconds", "recipient"), "{{recipient}} p50"),
                    Query(quantile(0.99, "receive_seconds", "recipient"), "{{recipient}} p99"),
                ),
                look=SECONDS,
            ),
            Graph(
                title="Waiting to be routed",
                about="Age of the oldest event of each origin that no router has decided yet.",
                alerts=("RoutingBehind",),
                width=12,
                queries=(Query(at_most_now("input_lag_seconds", "origin"), "{{origin}}"),),
                look=SECONDS,
            ),
            Graph(
                title="Waiting to be durable",
                about="Age of the oldest delivery to each recipient, or record for a force's ledger, that its database "
                "does not have yet.",
                alerts=("DeliveryBehind", "LedgerBehind", "FeedbackBehind"),
                width=12,
                queries=(Query(at_most_now("consumer_lag_seconds", "recipient", "store"), "{{recipient}} {{store}}"),),
                look=SECONDS,
            ),
            Graph(
                title="Later than the objective allows",
                about="The share of each recipient's deliveries of the last hour that took longer than the objective "
                "says. Above 1 % for days, the objective is missed; above 14 %, it is used up in two days.",
                alerts=("DeliveriesLate", "DeliveriesOftenLate"),
                width=12,
                queries=(Query("recipient:huecry_late_deliveries:ratio_rate1h", "{{recipient}}"),),
                look=Look("percentunit", colours=((0.01, "yellow"), (0.144, "red"))),
            ),
            Graph(
                title="Receipts that Kafka did not take",
                about="A second, by recipient. They wait in its database and are sent again; until then the origin is "
                "not told that its event has arrived.",
                alerts=("ReceiptsNotTaken",),
                width=12,
                queries=(Query(per_second("receipts_total", "recipient", outcome="not-taken"), "{{recipient}}"),),
                look=RATE,
            ),
        ),
    )
