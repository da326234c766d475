"""From what stands in a column to what a field takes, or a `Rejected` that says what was expected.

No message holds what stood in the column: it may be personal data, and the original is kept with its owner anyway.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final
from zoneinfo import ZoneInfo

from producers.mapping_targets import Takes
from schemas.codes import codes, is_code
from schemas.errors import Rejected

_INT_MAX: Final = 2**31 - 1
_YES: Final = frozenset(("yes", "y", "true", "t", "1"))
_NO: Final = frozenset(("no", "n", "false", "f", "0"))
_STEPS: Final = re.compile(r"([^.\[\]]+)|\[(\d{1,4})\]")
ISO: Final = "iso"

Convert = Callable[[Any], Any]


def column_value(columns: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  any JSON value
    """What stands in a column, texts stripped; None if there is nothing.

    In JSON a column may be a path: ``caller.phones[0]``. A column of exactly that name comes first.
    """
    value = columns.get(name)
    if value is None and ("." in name or "[" in name):
        value = _follow(columns, name)
    if isinstance(value, str):
        return value.strip() or None
    return value


def _follow(columns: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401
    here: Any = columns
    for word, index in _STEPS.findall(path):
        if index:
            here = here[int(index)] if isinstance(here, list) and int(index) < len(here) else None
        else:
            here = here.get(word) if isinstance(here, Mapping) else None
    return here


def as_text(value: Any, column: str) -> str:  # noqa: ANN401
    """One value as text.

    Raises:
        Rejected: a list or an object stands there, or text that no Unicode encoding can hold.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, int | float):
        return repr(value)
    if not isinstance(value, str):
        raise Rejected("bad-text", f"column {column!r}: expected one value, a {type(value).__name__} came")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Rejected("bad-text", f"column {column!r}: expected Unicode text, half a character came") from None
    return value


def converter(takes: Takes, column: str, date_format: str | None, zone: ZoneInfo | None) -> Convert:
    """What turns one value of a column into what the field takes."""
    match takes:
        case Takes.TIME:
            return lambda value: time_of(as_text(value, column), column, date_format or ISO, zone)
        case Takes.DATE:
            return lambda value: _date(as_text(value, column), column, date_format or ISO)
        case Takes.WHOLE_NUMBER:
            return lambda value: _whole_number(as_text(value, column), column)
        case Takes.NUMBER:
            return lambda value: number(as_text(value, column), column)
        case Takes.YES_OR_NO:
            return lambda value: _yes_or_no(as_text(value, column), column)
        case _:
            return lambda value: as_text(value, column)


def time_of(text: str, column: str, date_format: str, zone: ZoneInfo | None) -> dt.datetime:
    """A moment, in UTC. Local times of the hour that comes twice in autumn are taken as the first.

    Raises:
        Rejected: another format; a local time that never was, in the hour skipped in spring; no zone.
    """
    try:
        moment = dt.datetime.fromisoformat(text) if date_format == ISO else dt.datetime.strptime(text, date_format)  # noqa: DTZ007
    except ValueError:
        raise Rejected("bad-time", f"column {column!r}: expected a time as {_shown(date_format)}") from None
    try:
        if moment.tzinfo is None:
            if zone is None:
                raise Rejected("bad-time", f"column {column!r}: expected a time with its offset from UTC")
            moment = moment.replace(tzinfo=zone)
            if moment.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) != moment.replace(tzinfo=None):
                raise Rejected("bad-time", f"column {column!r}: no clock in {zone.key} ever showed this local time")
        return moment.astimezone(dt.UTC)
    except OverflowError:
        raise Rejected("bad-time", f"column {column!r}: expected a time in our era") from None


def _date(text: str, column: str, date_format: str) -> dt.date:
    try:
        if date_format == ISO:
            return dt.date.fromisoformat(text)
        return dt.datetime.strptime(text, date_format).date()  # noqa: DTZ007  a day has no zone
    except ValueError:
        raise Rejected("bad-time", f"column {column!r}: expected a date as {_shown(date_format)}") from None


def _shown(date_format: str) -> str:
    return "ISO 8601, as in 2026-03-06T20:15:00+00:00" if date_format == ISO else date_format


def _whole_number(text: str, column: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", text) or abs(int(text)) > _INT_MAX:
        raise Rejected("bad-number", f"column {column!r}: expected a whole number below {_INT_MAX}")
    return int(text)


def number(text: str, column: str) -> float:
    """A finite decimal number.

    Raises:
        Rejected: it is none.
    """
    if len(text) <= 40 and re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", text, re.ASCII):
        value = float(text)
        if math.isfinite(value):
            return value
    raise Rejected("bad-number", f"column {column!r}: expected a number with a point before its decimals")


def _yes_or_no(text: str, column: str) -> bool:
    lowered = text.lower()
    if lowered in _YES or lowered in _NO:
        return lowered in _YES
    raise Rejected("bad-yes-or-no", f"column {column!r}: expected yes or no (y, n, true, false, 1, 0)")


def point(latitude: Any, longitude: Any, columns: tuple[str, str]) -> dict[str, float] | None:  # noqa: ANN401
    """A WGS84 position in degrees; None where neither coordinate is given.

    Raises:
        Rejected: one of them only, out of range, or 0, 0: systems write that for a place they do not know.
    """
    if latitude is None and longitude is None:
        return None
    names = f"columns {columns[0]!r} and {columns[1]!r}"
    if latitude is None or longitude is None:
        raise Rejected("bad-coordinates", f"{names}: expected both coordinates or neither, one is blank")
    north, east = number(as_text(latitude, columns[0]), columns[0]), number(as_text(longitude, columns[1]), columns[1])
    if not (-90 <= north <= 90 and -180 <= east <= 180):
        raise Rejected(
            "bad-coordinates",
            f"{names}: expected WGS84 degrees, latitude within 90 and longitude within 180 of zero",
            remedy="convert eastings and northings (OSGB36) to WGS84 before, with OSTN15",
        )
    if north == 0 and east == 0:
        raise Rejected(
            "bad-coordinates", f"{names}: 0, 0 lies in the Atlantic: leave both blank where the place is unknown"
        )
    return {"latitude": north, "longitude": east}


class CodeList:
    """A code list of the mapping file: the source's codes, and ours or none for each."""

    def __init__(self, name: str, pairs: Mapping[str, tuple[str, ...] | str | bool | None]) -> None:
        self.name = name
        self._pairs = {key.strip().casefold(): value for key, value in pairs.items()}
        self._written = tuple(pairs)

    def ours(self, code: str, column: str, default: object) -> Any:  # noqa: ANN401  what stands in the list
        """Our code for the source's; ``default`` for one that the list does not have, if there is a default.

        Raises:
            Rejected: the list does not have it; names the nearest codes that it has.
        """
        key = code.casefold()
        if key in self._pairs:
            return self._pairs[key]
        if default is not _NONE:
            return default
        near = get_close_matches(code, self._written, 3)
        hint = f"; nearest in the list: {', '.join(near)}" if near else ""
        raise Rejected(
            "unmapped-code",
            f"column {column!r}: code list {self.name!r} does not have this code{hint}",
            remedy=f"add the code to {self.name!r} in the mapping file, then: huecry setaside retry",
        )


class _None:
    """No default."""


_NONE: Final = _None()
NO_DEFAULT: Final[object] = _NONE


def check_code(code: str, list_name: str, column: str) -> str:
    """The code itself, if it is one of ours.

    Raises:
        Rejected: it is not.
    """
    if is_code(list_name, code):
        return code
    near = get_close_matches(code, codes(list_name), 3)
    hint = f"; nearest: {', '.join(near)}" if near else ""
    raise Rejected(
        "unmapped-code",
        f"column {column!r}: expected a code of our list {list_name!r}{hint}",
        remedy="map the column's codes to ours with `codes:`, then: huecry setaside retry",
    )
