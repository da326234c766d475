"""Routing ahead: while the broker commits one batch, what comes meanwhile is routed, and waits to be produced.

Routing is pure, so nobody sees anything of it before the commit is known to have happened; if it did not, what was
routed on top of it is dropped. Exactly-once hangs on none of this: at most one transaction is ever open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from routing.batch import Routed
from routing.effects import Effects, Record
from routing.session import Session
from schemas.ops.logs import get_logger

log = get_logger()

_AT_ONCE: Final = 16
"""Records between two looks at whether the commit is over: a millisecond or two of routing."""
_WAIT_S: Final = 0.05
"""The end of the commit ends it too."""


def route_ahead(session: Session, most: int, take: Callable[[Record], Effects | None]) -> list[Routed]:
    """Records that come while a commit is on its way, in the order of routing; what follows from them is remembered.

    Args:
        session: whose commit is on its way.
        most: records.
        take: what follows from a record; None: that must wait until the commit is over.
    """
    ahead: list[Routed] = []
    while session.is_committing:
        records = session.intake.take(min(_AT_ONCE, most - len(ahead)))
        if not records:
            session.take_in(_WAIT_S)
            continue
        left = _take(session, records, take, ahead)
        if left:
            session.intake.put_back(left)
            break
    return ahead


def _take(
    session: Session, records: list[Record], take: Callable[[Record], Effects | None], ahead: list[Routed]
) -> list[Record]:
    """Route some records; returns those that must wait, with all that were routed ahead if routing failed."""
    for number, record in enumerate(records):
        try:
            effects = take(record)
        except Exception as error:  # noqa: BLE001  the transaction that it will be in meets it again, and sees to it
            log.warning("routing ahead failed", records=len(ahead) + len(records), error=type(error).__name__)
            session.recollection.dropped()
            left = [*(routed for routed, _ in ahead), *records[number:]]
            ahead.clear()
            return left
        if effects is None:
            return records[number:]
        session.recollection.remember(record, effects)
        ahead.append((record, effects))
    return []
