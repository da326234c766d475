"""How a trace writes times, spans and lines. Times are Europe/London's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from textwrap import wrap
from typing import Final

from consumers.ledger_queries import LONDON

_LINE: Final = 118
_S_MS: Final = 1000
_MIN_MS: Final = 60 * _S_MS
_H_MS: Final = 60 * _MIN_MS
_DAY_MS: Final = 24 * _H_MS


def wrapped(text: str, indent: int) -> Iterator[str]:
    """A text in lines at most so wide, the first indented so far, the others further."""
    yield from wrap(
        text,
        _LINE,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )


def after(ms: int) -> str:
    """42 ms after; below 0 two machines' clocks differ."""
    return f"{span(ms)} after" if ms >= 0 else f"{span(-ms)} before: their clock and ours differ"


def span(ms: int) -> str:
    """A time as people say it: 42 ms, 4.2 s, 4 min 10 s, 2 h 5 min, 1 d 0 h."""
    if ms < _S_MS:
        return f"{ms} ms"
    if ms < _MIN_MS:
        return f"{ms / _S_MS:.1f} s"
    if ms < _H_MS:
        return f"{ms // _MIN_MS} min {ms % _MIN_MS // _S_MS} s"
    if ms < _DAY_MS:
        return f"{ms // _H_MS} h {ms % _H_MS // _MIN_MS} min"
    return f"{ms // _DAY_MS} d {ms % _DAY_MS // _H_MS} h"


def clock(text: str) -> str:
    """22:14:03.042, of a time of the ledger."""
    return _local(text).isoformat(timespec="milliseconds")[11:23]


def day(text: str) -> str:
    """Fri 5 Jun 2026, of a time of the ledger."""
    return f"{_local(text):%a} {_local(text).day} {_local(text):%b %Y}"


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(LONDON)
