"""Times as people say and read them: Europe/London, and how long it is until then."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from consumers.ledger_queries import LONDON
from schemas.errors import Rejected

_SPAN: Final = re.compile(r"\+?(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?")
_CLOCK: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


def moment_said(text: str, now: datetime) -> datetime:
    """The moment that a person means: ``2h30m`` from now, ``03:45`` next, or a day and a time in Europe/London.

    >>> moment_said("2h", datetime(2026, 6, 1, 12, tzinfo=UTC)).isoformat()
    '2026-06-01T14:00:00+00:00'
    >>> moment_said("03:45", datetime(2026, 6, 1, 12, tzinfo=UTC)).isoformat()
    '2026-06-02T02:45:00+00:00'

    A local time that comes twice (clocks go back) is its first: what may be done ends no later than was meant.

    Raises:
        Rejected: ``bad-time``.
    """
    if (span := _SPAN.fullmatch(text)) and any(span.groups()):
        days, hours, minutes = (int(number or 0) for number in span.groups())
        return now + timedelta(days=days, hours=hours, minutes=minutes)
    if clock := _CLOCK.fullmatch(text):
        here = now.astimezone(LONDON)
        said = here.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0, fold=0)
        return (said if said > here else said + _DAY).astimezone(UTC)
    try:
        stated = datetime.fromisoformat(text)
    except ValueError:
        raise Rejected("bad-time", f"expected a time as in 2h30m, 03:45 or 2026-11-29T03:45, got {text[:40]}") from None
    return (stated if stated.tzinfo else stated.replace(tzinfo=LONDON)).astimezone(UTC)


def moment_of(text: str) -> datetime:
    """A time of the ledger."""
    return datetime.fromisoformat(text)


def clock(moment: datetime, now: datetime) -> str:
    """03:25; with its day unless that is today."""
    here = moment.astimezone(LONDON)
    day = "" if here.date() == now.astimezone(LONDON).date() else f"{here:%a} {here.day} {here:%b} "
    return f"{day}{here:%H:%M}"


def distance(moment: datetime, now: datetime) -> str:
    """In 14 min, or 3 min ago."""
    return f"in {span(moment - now)}" if moment >= now else f"{span(now - moment)} ago"


def span(length: timedelta) -> str:
    """40 s, 14 min, 2 h 5 min, 3 d 4 h."""
    if length < _MINUTE:
        return f"{length // timedelta(seconds=1)} s"
    if length < _HOUR:
        return f"{length // _MINUTE} min"
    if length < _DAY:
        minutes = length % _HOUR // _MINUTE
        return f"{length // _HOUR} h{f' {minutes} min' if minutes else ''}"
    hours = length % _DAY // _HOUR
    return f"{length // _DAY} d{f' {hours} h' if hours else ''}"
