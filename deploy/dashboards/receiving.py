"""The row about the receiving side: deliveries that never came, and answers that members owe."""

from __future__ import annotations

from deploy.dashboards.causes import EVENTS
from deploy.dashboards.panels import COUNTED, Column, Graph, Query, Row, Table
from deploy.dashboards.promql import at_most_now, of_late


def receiving_row() -> Row:
    """Whether everything that was sent has come, and whether it was answered."""
    return Row("The receiving side: is anything missing, or unanswered?", (*_lost(), *_answers()))


def _lost() -> tuple[Graph | Table, ...]:
    return (
        Graph(
            title="Deliveries missing",
            about="Numbers of a member's streams that were passed over, and that have not come since. "
            "`huecry replay` reads them again.",
            alerts=("DeliveriesMissing",),
            width=6,
            queries=(Query(at_most_now("missing_deliveries", "recipient"), "{{recipient}}"),),
            look=EVENTS,
        ),
        Table(
            title="Faults of the streams' numbers (1 h)",
            about="Missing: passed over when a later one came. Reused: two deliveries bear it; a router has lost its "
            "count.",
            alerts=("StreamNumbersReused", "DeliveriesMissing"),
            width=6,
            by={"recipient": "Recipient", "fault": "Fault"},
            columns=(Column(Query(of_late("stream_faults_total", "recipient", "fault"), "Numbers"), COUNTED),),
        ),
    )


def _answers() -> tuple[Graph | Table, ...]:
    return (
        Graph(
            title="Waiting for a member's answer",
            about="Transfers, requests for assistance, corrections that a person must accept, and what was taken back; "
            "in time and overdue. See `huecry answer --list` at that member.",
            alerts=("AwaitedAnswersOverdue",),
            width=6,
            queries=(
                Query(at_most_now("awaited_answers", "recipient", "what", "due"), "{{recipient}} {{what}} {{due}}"),
            ),
            look=EVENTS,
        ),
        Table(
            title="Answers of receiving systems (1 h)",
            about="Refused: it could not be taken, and column `problem` of table `answer` says what was expected.",
            alerts=("AnswersNotTaken",),
            width=6,
            by={"recipient": "Recipient", "outcome": "What became of it"},
            columns=(Column(Query(of_late("answers_total", "recipient", "outcome"), "Answers"), COUNTED),),
        ),
    )
