"""What is remembered of an incident after an event, and for how long."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from routing.agreements.considered import Considered
from routing.agreements.following import SILENT_MOST
from routing.agreements.history import history_after
from routing.agreements.state import History, Holding
from routing.answers.expected import Expected
from routing.state.encoding import kept_expected, kept_history, kept_holdings, kept_numbers, kept_rulings
from routing.state.incident import Incident, Latest, Numbers, Rulings
from routing.state.kept import Kept

_DAY_MS: Final = 24 * 60 * 60 * 1000
SILENT_MOST_MS: Final = int(SILENT_MOST.total_seconds() * 1000)
REPEATS_UNTIL_DAYS: Final = 30
"""A spool remembers what it has sent for so long, so repeats may come until then."""
_REMEMBERED_MOST: Final = 8_192
USUAL_BYTES: Final = 2_048
"""Of a part: what follows from more is not remembered, so nobody can fill the memory of others."""

NO_NUMBERS: Final[Kept[Numbers]] = kept_numbers({})
NO_HOLDINGS: Final[Kept[tuple[Holding, ...]]] = kept_holdings(())
NO_HISTORY: Final[Kept[History]] = kept_history(History())
NO_RULINGS: Final[Kept[Rulings]] = kept_rulings(Rulings())
NO_EXPECTED: Final[Kept[tuple[Expected, ...]]] = kept_expected(())


NOT_KNOWN: Final = Latest()
"""Of an incident whose latest event cannot be read again."""


class Told:
    """What an event led to: whom it was delivered to, and what is held since."""

    __slots__ = ("expected", "holdings", "numbers", "rulings")

    def __init__(
        self,
        numbers: Kept[Numbers],
        holdings: Kept[tuple[Holding, ...]],
        rulings: Kept[Rulings] = NO_RULINGS,
        expected: Kept[tuple[Expected, ...]] = NO_EXPECTED,
    ) -> None:
        self.numbers = numbers
        self.holdings = holdings
        self.rulings = rulings
        """What people ruled that still counts, and what they have yet to rule."""
        self.expected = expected


NOBODY: Final = Told(NO_NUMBERS, NO_HOLDINGS)
"""Of an incident that nobody has heard of."""


def next_incident(
    sequence: int,
    history: Kept[History],
    seen: bytes,
    times: tuple[int, int | None],
    told: Told,
    latest: Latest = NOT_KNOWN,
) -> Incident:
    """What is remembered after an event.

    Args:
        sequence: the event's.
        history: what was stated, the event included (`history_with`).
        seen: what repeats are told by since.
        times: when it was decided, and when the incident closed, as of that decision; milliseconds since 1970.
        told: what it led to.
        latest: where the event stands.
    """
    at_ms, closed_ms = times
    return Incident(
        keep_until(at_ms, closed_ms, told),
        sequence,
        at_ms,
        closed_ms,
        seen,
        told.numbers,
        told.holdings,
        history,
        told.rulings,
        latest,
        told.expected,
    )


def changed(incident: Incident, told: Told) -> Incident:
    """What is remembered once something happened to an incident that is no event of its origin."""
    return incident._replace(
        keep_until_ms=keep_until(incident.last_event_ms, incident.closed_ms, told),
        numbers=told.numbers,
        holdings=told.holdings,
        rulings=told.rulings,
        expected=told.expected,
    )


def is_untouched(incident: Incident) -> bool:
    """Whether nobody ruled on an incident, and nobody is asked to."""
    return incident.rulings is NO_RULINGS or not any(incident.rulings.value)


def told_of(incident: Incident | None) -> Told:
    """What an incident has led to so far."""
    if incident is None:
        return NOBODY
    return Told(incident.numbers, incident.holdings, incident.rulings, incident.expected)


@lru_cache(maxsize=_REMEMBERED_MOST)
def numbered(numbers: Kept[Numbers], members: tuple[str, ...]) -> Kept[Numbers]:
    """The numbers once each of these members has been sent one more delivery of the incident."""
    counted = dict(numbers.value)
    for member in members:
        counted[member] = counted.get(member, 0) + 1
    return kept_numbers(counted)


_histories: dict[tuple[int, int], tuple[Kept[History], Considered, Kept[History]]] = {}
"""By the identity of a history and of what an event stated, which are kept with what follows: comparing is dear."""


def history_with(before: Kept[History], event: Considered) -> Kept[History]:
    """What was stated, once an event has stated what it does."""
    key = (id(before), id(event))
    if (known := _histories.get(key)) is not None:
        return known[2]
    stated = history_after(before.value, event)
    after = before if stated == before.value else kept_history(stated)
    if len(before.encoded) <= USUAL_BYTES:
        if len(_histories) >= _REMEMBERED_MOST:
            _histories.clear()
        _histories[key] = before, event, after
    return after


def keep_until(at_ms: int, closed_ms: int | None, told: Told) -> int | None:
    """The last retain_until of any holder; never while somebody is barred, is yet to rule or owes an answer.

    An incident that is open counts as closed once it has been silent for long enough.
    """
    rulings = told.rulings.value
    if rulings.barred or rulings.lines or told.expected.value:
        return None
    closing_ms = at_ms + SILENT_MOST_MS if closed_ms is None else closed_ms
    retain_days = max((holding.retain_days for holding in told.holdings.value), default=0)
    return max(closing_ms + retain_days * _DAY_MS, at_ms + REPEATS_UNTIL_DAYS * _DAY_MS)
