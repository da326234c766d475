"""Every metric of Hue and Cry, as data: the one place where a metric is named.

What is exposed carries the prefix ``huecry_``; code, dashboards' sources and this catalogue leave it off. Names bear
their unit (``_seconds``, ``_events``, ``_records``), counters end in ``_total``. docs/reference/metrics.md is generated
from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

CounterName = Literal[
    "produced_events_total",
    "publisher_restarts_total",
    "routed_events_total",
    "routed_receipts_total",
    "decisions_total",
    "quarantined_records_total",
    "transactions_total",
    "producers_recycled_total",
    "batches_halved_total",
    "workers_replaced_total",
    "feedback_total",
    "rulings_total",
    "deadlines_passed_total",
    "delivered_total",
    "receipts_total",
    "answers_total",
    "stream_faults_total",
    "disposed_incidents_total",
]
GaugeName = Literal[
    "spool_events",
    "spool_oldest_seconds",
    "set_aside_records",
    "last_captured_timestamp_seconds",
    "workers",
    "member_suspended",
    "origin_paused",
    "policy_version",
    "policy_loaded",
    "waiting_matters",
    "overdue_matters",
    "input_lag_seconds",
    "last_routed_timestamp_seconds",
    "consumer_lag_seconds",
    "last_delivered_timestamp_seconds",
    "sink_waiting",
    "missing_deliveries",
    "awaited_answers",
    "component_ready",
    "process_info",
    "loop_silent_seconds",
]
HistogramName = Literal[
    "transaction_seconds",
    "transaction_events",
    "decide_seconds",
    "end_to_end_seconds",
    "receive_seconds",
    "sink_batch_events",
    "sink_seconds",
]
MetricName = Literal[CounterName, GaugeName, HistogramName]
"""What a metric may be called: a misspelt or miscast name is a type error before it is a run-time one."""

Part = Literal["producers", "routing", "consumers", "every process"]
Kind = Literal["counter", "gauge", "histogram"]

SERVICES: Final = ("produce", "route", "route-worker", "consume", "ledger", "desk", "feedback", "registry", "broker")
"""What a process may be: the command that runs it; a router is a supervisor (route) and its workers."""

SLUG: Final = None
"""In place of a label's values: any slug, such as a member's id or a reason code."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: ``labels`` maps each label to its closed values, or to ``SLUG``."""

    part: Part
    kind: Kind
    help: str
    labels: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram, in the unit of its name; +Inf is added."""


_ORIGIN: Final = {"origin": SLUG}
_RECIPIENT: Final = {"recipient": SLUG}
_MATTER: Final = {
    "member": SLUG,
    "kind": ("case", "retract", "withdraw", "correct", "transfer", "assistance"),
}
STORES: Final = ("receiving", "ledger", "desk", "feedback", "feedback-webhook", "feedback-file")
"""Where a subscriber writes: what a member receives; a force's own disclosures and feedback; what its desk was told;
its feedback where its people see it."""
_STORED: Final = {**_RECIPIENT, "store": STORES}
"""Whose, and which."""
_JOURNEY_SECONDS: Final = (
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600,
)  # fmt: skip
_CALL_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_DECIDE_SECONDS: Final = (
    0.000002,
    0.000005,
    0.00001,
    0.00002,
    0.00005,
    0.0001,
    0.0002,
    0.0005,
    0.001,
    0.005,
    0.02,
    0.1,
)
_BATCH_EVENTS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)

CATALOGUE: Final[Mapping[MetricName, Metric]] = {
    "produced_events_total": Metric(
        "producers",
        "counter",
        "Records of a source by what became of them.",
        {**_ORIGIN, "outcome": ("read", "spooled", "acknowledged", "set-aside", "repeated", "refused")},
    ),
    "spool_events": Metric("producers", "gauge", "Events in the spool that Kafka has not acknowledged.", _ORIGIN),
    "spool_oldest_seconds": Metric("producers", "gauge", "Age of the oldest event waiting in the spool.", _ORIGIN),
    "set_aside_records": Metric("producers", "gauge", "Records set aside at the origin, awaiting a person.", _ORIGIN),
    "last_captured_timestamp_seconds": Metric(
        "producers", "gauge", "When the source last had a record, in seconds since 1970.", _ORIGIN
    ),
    "publisher_restarts_total": Metric(
        "producers", "counter", "Kafka producers discarded after a failed report, and made afresh.", _ORIGIN
    ),
    "routed_events_total": Metric(
        "routing",
        "counter",
        "Events read from an origin by what became of them.",
        {**_ORIGIN, "outcome": ("routed", "quarantined", "repeated")},
    ),
    "routed_receipts_total": Metric(
        "routing",
        "counter",
        "Receipts read from a member by what became of them.",
        {"member": SLUG, "outcome": ("routed", "quarantined")},
    ),
    "decisions_total": Metric(
        "routing",
        "counter",
        "Decisions by origin, recipient and outcome: one for each event and recipient.",
        {
            **_ORIGIN,
            **_RECIPIENT,
            "outcome": ("shared", "shared-in-part", "referred", "withheld", "forbidden", "undeliverable"),
        },
    ),
    "quarantined_records_total": Metric(
        "routing",
        "counter",
        "Records of a member that the router refused, by reason code.",
        {"member": SLUG, "reason": SLUG},
    ),
    "transactions_total": Metric(
        "routing",
        "counter",
        "Kafka transactions by how they ended; indefinite: not known, the producer was recycled.",
        {"outcome": ("committed", "aborted", "indefinite")},
    ),
    "transaction_seconds": Metric(
        "routing", "histogram", "Time from begin to the end of commit.", buckets=_CALL_SECONDS
    ),
    "transaction_events": Metric("routing", "histogram", "Records in one transaction.", buckets=_BATCH_EVENTS),
    "producers_recycled_total": Metric(
        "routing",
        "counter",
        "Transactional producers discarded and made afresh, by reason code.",
        {
            "reason": (
                "abort-failed",
                "begin-failed",
                "error-callback",
                "failed-delivery",
                "indefinite",
                "slow-abort",
                "slow-commit",
            )
        },
    ),
    "batches_halved_total": Metric(
        "routing", "counter", "Batches replayed in halves, to find the record that failed them."
    ),
    "workers": Metric(
        "routing",
        "gauge",
        "Workers of a supervisor by state.",
        {"state": ("starting", "running")},
    ),
    "workers_replaced_total": Metric(
        "routing",
        "counter",
        "Workers that were ended or had died, and were replaced, by reason code.",
        {"reason": SLUG},
    ),
    "member_suspended": Metric(
        "routing", "gauge", "1 while a member's topic is missing or refuses writes, else 0.", {"member": SLUG}
    ),
    "origin_paused": Metric(
        "routing", "gauge", "1 while an origin's topic is paused, as for a schema this router does not know.", _ORIGIN
    ),
    "policy_version": Metric(
        "routing", "gauge", "Version of the newest policy bundle this worker has seen; 0 while there is none."
    ),
    "policy_loaded": Metric(
        "routing", "gauge", "1 while this worker has that policy bundle in force, 0 while it cannot and routes nothing."
    ),
    "input_lag_seconds": Metric(
        "routing",
        "gauge",
        "How long the oldest event of an origin has been in Kafka without being routed; 0 when caught up. While Kafka "
        "does not answer or the worker hangs, at least for how long.",
        _ORIGIN,
    ),
    "last_routed_timestamp_seconds": Metric(
        "routing", "gauge", "When this worker last routed an event of an origin, in seconds since 1970.", _ORIGIN
    ),
    "decide_seconds": Metric(
        "routing", "histogram", "Time to decide one event for all recipients.", buckets=_DECIDE_SECONDS
    ),
    "rulings_total": Metric(
        "routing",
        "counter",
        "Rulings of an origin's people: taken, or not taken, as when somebody had ruled before.",
        {**_ORIGIN, "outcome": ("taken", "not-taken", "quarantined")},
    ),
    "deadlines_passed_total": Metric(
        "routing", "counter", "Incidents of an origin of which a deadline passed and was acted on.", _ORIGIN
    ),
    "waiting_matters": Metric(
        "routing",
        "gauge",
        "What waits for a member: cases of its own for its people to rule on, and answers that it owes to origins.",
        _MATTER,
    ),
    "overdue_matters": Metric(
        "routing", "gauge", "Of what waits for a member, what has waited beyond a deadline.", _MATTER
    ),
    "feedback_total": Metric(
        "routing", "counter", "Feedback records written to a member, by kind.", {"member": SLUG, "kind": SLUG}
    ),
    "delivered_total": Metric(
        "consumers",
        "counter",
        "Deliveries, or a ledger's records, by what became of them in the database.",
        {**_STORED, "outcome": ("written", "repeated", "set-aside")},
    ),
    "end_to_end_seconds": Metric(
        "consumers",
        "histogram",
        "Recorded at the origin to durable in the receiving system, by origin.",
        _ORIGIN,
        _JOURNEY_SECONDS,
    ),
    "receive_seconds": Metric(
        "consumers",
        "histogram",
        "Recorded at the origin to durable in the receiving system, by recipient.",
        _RECIPIENT,
        _JOURNEY_SECONDS,
    ),
    "consumer_lag_seconds": Metric(
        "consumers",
        "gauge",
        "How long the oldest delivery, or record of a ledger, has been in Kafka without being durable here; 0 when "
        "caught up. While Kafka does not answer or the consumer hangs, at least for how long.",
        _STORED,
    ),
    "last_delivered_timestamp_seconds": Metric(
        "consumers",
        "gauge",
        "When a delivery, or record of a ledger, last became durable, in seconds since 1970.",
        _STORED,
    ),
    "receipts_total": Metric(
        "consumers", "counter", "Receipts by kind, and those Kafka did not take.", {**_RECIPIENT, "outcome": SLUG}
    ),
    "answers_total": Metric(
        "consumers",
        "counter",
        "Answers of the receiving system by what became of them; refused: see column problem of table answer.",
        {**_RECIPIENT, "outcome": ("taken", "repeated", "refused")},
    ),
    "awaited_answers": Metric(
        "consumers",
        "gauge",
        "What waits for this member's answer: transfers, assistance, corrections, what was withdrawn or retracted.",
        {
            **_RECIPIENT,
            "what": ("transfer", "assistance", "correct", "withdraw", "retract"),
            "due": ("in-time", "overdue"),
        },
    ),
    "stream_faults_total": Metric(
        "consumers",
        "counter",
        "Numbers of a member's streams that no delivery bore when a later one came, or that two deliveries bear.",
        {**_RECIPIENT, "fault": ("missing", "reused")},
    ),
    "missing_deliveries": Metric(
        "consumers",
        "gauge",
        "Deliveries that a stream's numbers say are missing, and that have not come since.",
        _RECIPIENT,
    ),
    "disposed_incidents_total": Metric(
        "consumers", "counter", "Incidents deleted because their retain_until came.", _RECIPIENT
    ),
    "sink_batch_events": Metric("consumers", "histogram", "Deliveries in one batch of a sink.", buckets=_BATCH_EVENTS),
    "sink_seconds": Metric("consumers", "histogram", "Time to make one batch durable.", _STORED, _CALL_SECONDS),
    "sink_waiting": Metric("consumers", "gauge", "1 while the sink is away and its subscriber waits, else 0.", _STORED),
    "component_ready": Metric(
        "every process", "gauge", "1 while a component of the process is ready, else 0.", {"component": SLUG}
    ),
    "process_info": Metric(
        "every process",
        "gauge",
        "1; its labels say which service this process is, and whose: a member's, or the exchange's.",
        {"service": SERVICES, "whose": SLUG},
    ),
    "loop_silent_seconds": Metric(
        "every process", "gauge", "How long ago the main loop last came round; 0 before it first does."
    ),
}
"""Name → metric, by part, in the order in which an event passes them."""
