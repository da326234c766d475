"""What is remembered of an incident, as plain values: by the router, and by the reference."""

from __future__ import annotations

from typing import Any

from routing.state.incident import Incident, moment_of
from tests.life.kept import Incident as Kept


def remembered_by_router(incident: Incident | None) -> dict[str, Any] | None:
    if incident is None:
        return None
    rulings = incident.rulings.value
    return {
        "sequence": incident.sequence,
        "closed": None if incident.closed_ms is None else moment_of(incident.closed_ms),
        "numbers": incident.numbers.value,
        "barred": rulings.barred,
        "holders": {
            holding.member: (
                {
                    part.part: (part.locate, sorted((grant.agreement, grant.rule, grant.by) for grant in part.grants))
                    for part in holding.parts
                },
                holding.retain_days,
                holding.restricted,
            )
            for holding in incident.holdings.value
        },
        "lines": sorted(
            (line.recipient, line.agreement, line.rule, sorted(line.parts), line.role, line.deadline)
            for line in rulings.lines
        ),
        "owed": sorted(
            (each.member, each.kind, each.step, str(each.deadline), each.by_adapter, bool(each.delivery_id))
            for each in incident.expected.value
        ),
    }


def remembered_by_reference(incident: Kept | None) -> dict[str, Any] | None:
    if incident is None:
        return None
    return {
        "sequence": incident.sequence,
        "closed": incident.closed_at,
        "numbers": dict(incident.numbers),
        "barred": incident.barred,
        "holders": {
            member: (
                {
                    part: (
                        held.locate,
                        sorted((grant.agreement, grant.rule, grant.by) for grant in held.grants.values()),
                    )
                    for part, held in holds.parts.items()
                },
                holds.retain_days,
                holds.is_restricted,
            )
            for member, holds in incident.holders.items()
        },
        "lines": sorted(
            (line.recipient, line.ref.agreement, line.ref.rule, sorted(line.parts), line.role, line.deadline)
            for line in incident.lines.values()
        ),
        "owed": sorted(
            (each.member, each.kind, each.step, str(each.deadline), each.by_adapter, each.asked_by is not None)
            for each in incident.owed
        ),
    }
