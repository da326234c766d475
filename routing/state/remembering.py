"""What is remembered of an incident after an event, and for how long."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from routing.agreements.considered import Considered
from routing.agreements.following import SILENT_MOST
from routing.agreements.history import history_after
from routing.agreements.state import History, Holding
from routing.state.encoding import kept_history, kept_holdings, kept_numbers, kept_rulings
from routing.state.incident import Incident, Kept, Numbers, Rulings

_DAY_MS: Final = 24 * 60 * 60 * 1000
_SILENT_MOST_MS: Final = int(SILENT_MOST.total_seconds() * 1000)
REPEATS_UNTIL_DAYS: Final = 30
"""A spool remembers what it has sent for so long, so repeats may come until then."""
_REMEMBERED_MOST: Final = 8_192
_USUAL_BYTES: Final = 2_048

NO_NUMBERS: Final[Kept[Numbers]] = kept_numbers({})
NO_HOLDINGS: Final[Kept[tuple[Holding, ...]]] = kept_holdings(())
NO_HISTORY: Final[Kept[History]] = kept_history(History())
NO_RULINGS: Final[Kept[Rulings]] = kept_rulings(Rulings())


class Told(NamedTuple):
    """What an event led to: whom it was delivered to, and what is held since."""

    numbers: Kept[Numbers]
    holdings: Kept[tuple[Holding, ...]]


NOBODY: Final = Told(NO_NUMBERS, NO_HOLDINGS)
"""Of an incident that nobody has heard of."""


def next_incident(
    before: Incident | None, event: Considered, seen: bytes, times: tuple[int, int | None], told: Told
) -> Incident:
    """What is remembered after an event.

    Args:
        before: what was remembered until now.
        event: what conditions read of it.
        seen: what repeats are told by since.
        times: when it was decided, and when the incident closed, as of that decision; milliseconds since 1970.
        told: what it led to.
    """
    rulings = before.rulings if before is not None else NO_RULINGS
    at_ms, closed_ms = times
    return Incident(
        keep_until_ms=_keep_until(at_ms, closed_ms, told.holdings.value, rulings.value),
        sequence=event.sequence,
        last_event_ms=at_ms,
        closed_ms=closed_ms,
        seen=seen,
        numbers=told.numbers,
        holdings=told.holdings,
        history=_history(before.history if before is not None else NO_HISTORY, event),
        rulings=rulings,
    )


@lru_cache(maxsize=_REMEMBERED_MOST)
def numbered(numbers: Kept[Numbers], members: tuple[str, ...]) -> Kept[Numbers]:
    """The numbers once each of these members has been sent one more delivery of the incident."""
    counted = dict(numbers.value)
    for member in members:
        counted[member] = counted.get(member, 0) + 1
    return kept_numbers(counted)


_histories: dict[tuple[int, int], tuple[Kept[History], Considered, Kept[History]]] = {}
"""By the identity of a history and of what an event stated, which are kept with what follows: comparing is dear."""


def _history(before: Kept[History], event: Considered) -> Kept[History]:
    key = (id(before), id(event))
    if (known := _histories.get(key)) is not None:
        return known[2]
    stated = history_after(before.value, event)
    after = before if stated == before.value else kept_history(stated)
    if len(before.encoded) <= _USUAL_BYTES:
        if len(_histories) >= _REMEMBERED_MOST:
            _histories.clear()
        _histories[key] = before, event, after
    return after


def _keep_until(at_ms: int, closed_ms: int | None, holdings: Iterable[Holding], rulings: Rulings) -> int | None:
    """The last retain_until of any holder; never while somebody is barred or is yet to rule.

    An incident that is open counts as closed once it has been silent for long enough.
    """
    if rulings.barred or rulings.lines:
        return None
    closing_ms = at_ms + _SILENT_MOST_MS if closed_ms is None else closed_ms
    retain_days = max((holding.retain_days for holding in holdings), default=0)
    return max(closing_ms + retain_days * _DAY_MS, at_ms + REPEATS_UNTIL_DAYS * _DAY_MS)
