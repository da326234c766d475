"""Rows about what goes wrong, and about the router's own work."""

from __future__ import annotations

from typing import Final

from deploy.dashboards.flow import SECONDS
from deploy.dashboards.panels import COUNTED, Column, Graph, Look, Query, Row, Table
from deploy.dashboards.promql import at_most_now, in_all_now, mean, of_late, quantile, series

EVENTS: Final = Look("none")


def causes_row() -> Row:
    """What is refused, what piles up at the edges, and what ended."""
    return Row("Causes: what goes wrong?", (*_refused(), *_people(), *_edges(), *_router_trouble()))


def _refused() -> tuple[Table | Graph, ...]:
    return (
        Table(
            title="Quarantined in the last hour",
            about="Records that the router refused, by member and reason. They are on quarantine.<member>: see "
            "`huecry quarantine list`. The origin has been told.",
            alerts=("RecordsQuarantined", "MostEventsQuarantined", "RouterFault"),
            width=8,
            by={"member": "Member", "reason": "Reason"},
            columns=(Column(Query(of_late("quarantined_records_total", "member", "reason"), "Records"), COUNTED),),
        ),
        Graph(
            title="Set aside, waiting for a person",
            about="Records that a force's mapping could not turn into an event. See `huecry setaside list` at that "
            "force; they are mapped again with `huecry setaside retry`.",
            alerts=("RecordsSetAside", "MostRecordsSetAside"),
            width=8,
            queries=(Query(in_all_now("set_aside_records", "origin"), "{{origin}}"),),
            look=EVENTS,
        ),
        Table(
            title="Deliveries that failed in the last hour",
            about="Set aside: a delivery that a receiving system can never take. Repeated ones do no harm.",
            alerts=("DeliveriesSetAside", "LedgerIncomplete", "FeedbackSetAside"),
            width=8,
            by={"recipient": "Recipient", "store": "Database", "outcome": "What became of it"},
            columns=(
                Column(
                    Query(
                        of_late("delivered_total", "recipient", "store", "outcome", outcome=("set-aside", "repeated")),
                        "Deliveries",
                    ),
                    COUNTED,
                ),
            ),
        ),
    )


def _people() -> tuple[Table, ...]:
    return (
        Table(
            title="Who is waited for",
            about="What waits for a member, and what is overdue: cases for its people to rule on; answers that it owes "
            "to transfers, requests and corrections, and about what was taken back. Origins are told whom to call.",
            alerts=("RetractionUnconfirmed", "AnswersOverdue"),
            width=12,
            by={"member": "Member", "kind": "Kind"},
            columns=(
                Column(Query(in_all_now("waiting_matters", "member", "kind"), "Waiting")),
                Column(Query(in_all_now("overdue_matters", "member", "kind"), "Overdue"), COUNTED),
            ),
        ),
        Table(
            title="People's rulings in the last hour",
            about="Rulings that the router took, or did not, and cases that passed to the next in their path.",
            alerts=("CasesPassedOn",),
            width=12,
            by={"origin": "Origin", "outcome": "Outcome"},
            columns=(Column(Query(of_late("rulings_total", "origin", "outcome"), "Rulings")),),
        ),
    )


def _edges() -> tuple[Graph, ...]:
    return (
        Graph(
            title="Spool depth",
            about="Events on each force's own disk that Kafka has not acknowledged. None is lost; they are late.",
            alerts=("SpoolFilling",),
            width=8,
            queries=(Query(in_all_now("spool_events", "origin"), "{{origin}}"),),
            look=EVENTS,
        ),
        Graph(
            title="Spool age",
            about="Age of the oldest event in each force's spool.",
            alerts=("SpoolWaiting",),
            width=8,
            queries=(Query(at_most_now("spool_oldest_seconds", "origin"), "{{origin}}"),),
            look=SECONDS,
        ),
        Graph(
            title="Consumers waiting for their database",
            about="1 while a database of a recipient (receiving) or of a force (ledger) is away, or what a desk tells "
            "people by (desk), and its consumer waits. Nothing is lost; it is late.",
            alerts=("ReceivingDatabaseAway", "DeskCannotNotify"),
            width=8,
            queries=(Query(at_most_now("sink_waiting", "recipient", "store"), "{{recipient}} {{store}}"),),
            look=EVENTS,
        ),
    )


def _router_trouble() -> tuple[Table | Graph, ...]:
    return (
        Table(
            title="Transactions in the last hour",
            about="How the router's Kafka transactions ended. A few aborted ones are normal when workers change. "
            "Indefinite: Kafka did not say, the worker asked again.",
            alerts=("TransactionsFailing",),
            width=6,
            by={"outcome": "Outcome"},
            columns=(Column(Query(of_late("transactions_total", "outcome"), "Transactions")),),
        ),
        Table(
            title="Router producers made afresh (1 h)",
            about="Transactional producers thrown away after a doubtful outcome, by reason.",
            alerts=("TransactionsFailing",),
            width=6,
            by={"reason": "Reason"},
            columns=(Column(Query(of_late("producers_recycled_total", "reason"), "Producers")),),
        ),
        Table(
            title="Workers replaced (1 h)",
            about="Workers that died or were stuck and were ended, by reason.",
            alerts=("WorkerReplaced", "WorkersKeepFailing"),
            width=6,
            by={"reason": "Reason"},
            columns=(Column(Query(of_late("workers_replaced_total", "reason"), "Workers"), COUNTED),),
        ),
        Table(
            title="Not ready",
            about="Parts of processes that say that they do not do their work. /health/ready of the process says why.",
            alerts=("KafkaAway", "ProcessNotReady", "ProcessStuck"),
            width=6,
            by={"instance": "Process", "component": "Part"},
            columns=(Column(Query(f"1 - {series('component_ready')} > 0", "Not ready"), COUNTED),),
        ),
    )


def work_row() -> Row:
    """How the router and the receiving databases do their work."""
    return Row(
        "Work: is it slow, and where?",
        (
            Graph(
                title="Deciding one event",
                about="Time to decide one event for all recipients: the mean within a transaction.",
                width=6,
                queries=(
                    Query(quantile(0.5, "decide_seconds"), "p50"),
                    Query(quantile(0.99, "decide_seconds"), "p99"),
                ),
                look=SECONDS,
            ),
            Graph(
                title="Transaction",
                about="From begin to the end of commit. Every recipient waits for it.",
                width=6,
                queries=(
                    Query(quantile(0.5, "transaction_seconds"), "p50"),
                    Query(quantile(0.99, "transaction_seconds"), "p99"),
                ),
                look=SECONDS,
            ),
            Graph(
                title="Records in a batch",
                about="The mean of a transaction of the router, and of a batch written by a consumer. Large ones mean "
                "that it catches up.",
                width=6,
                queries=(
                    Query(mean("transaction_events"), "transaction"),
                    Query(mean("sink_batch_events"), "sink batch"),
                ),
                look=EVENTS,
            ),
            Graph(
                title="Making a batch durable",
                about="Time that each recipient's database takes for one batch (p99).",
                alerts=("ReceivingDatabaseAway",),
                width=6,
                queries=(Query(quantile(0.99, "sink_seconds", "recipient", "store"), "{{recipient}} {{store}}"),),
                look=SECONDS,
            ),
        ),
    )
