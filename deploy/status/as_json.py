"""The report as one JSON object; its keys are listed in docs/status.md."""

from __future__ import annotations

from datetime import UTC, datetime

from deploy.status.fault import Fault
from deploy.status.figures import Counted, MemberFigures
from deploy.status.flow import Flow
from deploy.status.picture import Picture, Process
from deploy.status.telling import sentence
from deploy.status.watch import Report

Json = dict[str, object]


def as_json(report: Report) -> Json:
    """Plain data: times in ISO 8601 (UTC), durations in seconds, null where nobody tells."""
    return {
        "at": _time(report.at),
        "window_s": round(report.window_s, 3),
        "flowing": report.is_flowing and report.is_answered,
        "faults": [_fault(fault, report) for fault in report.faults],
        "members": [_member(one, report) for one in report.members],
        "processes": [_process(process, report.at) for process in report.processes],
    }


def _fault(fault: Fault, report: Report) -> Json:
    return {
        "kind": fault.kind,
        "grave": fault.is_grave,
        "member": fault.member or None,
        "address": fault.address or None,
        # What was there at the first look may have been there long before.
        "since": None if fault.since == report.watched_since else _time(fault.since),
        "words": sentence(fault, report),
    }


def _member(one: MemberFigures, report: Report) -> Json:
    return {
        "member": one.member,
        "name": one.name,
        "published": one.published.total if one.published.is_told else None,
        "published_per_s": _rate(one.published, report, *one.published.lately),
        "last_published_at": _time(one.last_published_at),
        "decided": dict(sorted(one.decided.ever.items())),
        "decided_per_s": _rates(one.decided, report),
        "delivered": dict(sorted(one.delivered.ever.items())),
        "delivered_per_s": _rate(one.delivered, report, "written"),
        "last_delivered_at": _time(one.last_delivered_at),
        "routing_lag_s": one.routing_lag_s,
        "delivery_lag_s": one.delivery_lag_s,
        "p50_ms": _ms(one.p50_s),
        "p99_ms": _ms(one.p99_s),
        "quarantined": dict(sorted(one.quarantined.ever.items())),
        "set_aside": one.set_aside,
        "spool_events": one.spool_events,
        "spool_oldest_s": one.spool_oldest_s,
        "suspended": one.is_suspended,
        "paused": one.is_paused,
    }


def _process(process: Process, at: float) -> Json:
    alone = Flow(None, Picture(at, (process,)))
    return {
        "service": process.service,
        "whose": process.whose or None,
        "address": process.address,
        "up": process.is_up,
        "ready": process.is_ready,
        "reasons": dict(process.reasons),
        "trouble": process.trouble or None,
        "started_at": _time(process.started_at),
        "workers_replaced": dict(alone.standing("route", "workers_replaced_total", "reason")),
        "transactions": dict(alone.standing("route-worker", "transactions_total", "outcome")),
    }


def _time(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _rate(counted: Counted, report: Report, *outcomes: str) -> float | None:
    if not (report.window_s and counted.is_told):
        return None
    return round(sum(counted.lately.get(outcome, 0) for outcome in outcomes) / report.window_s, 3)


def _rates(counted: Counted, report: Report) -> dict[str, float | None]:
    return {outcome: _rate(counted, report, outcome) for outcome in sorted(counted.ever)}


def _ms(seconds: float | None) -> float | None:
    # JSON has no infinity: longer than the last bucket is told as null, and shows in delivery_lag_s.
    return None if seconds is None or seconds == float("inf") else round(seconds * 1000, 1)
