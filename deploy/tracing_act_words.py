"""What people did, in words: a line or two for each act, beside the events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deploy.tracing_acts import RULED, Act
from deploy.tracing_lines import after, clock, day, wrapped

_ASKS: Final = frozenset({"referred", "escalated", "extended"})
_SAYS_WHY: Final = frozenset({"ruling-not-taken", "unanswered", "forbidden", "withheld"})
"""Of these the detail is told: it is what one wants to know."""


def as_lines(act: Act) -> Iterator[str]:
    """One act, line by line."""
    text = _ruling(act) if act.kind == RULED else _told(act)
    step = "" if act.step_ms is None else f" ({after(act.step_ms)} {_SINCE[act.since]})"
    yield from wrapped(f"{clock(act.at)}  {text}{step}", 6)
    if act.kind == RULED and act.because:
        yield from wrapped(f"because: {act.because}", 20)
    if act.kind in _SAYS_WHY and act.detail:
        yield from wrapped(f"{act.detail}{f'; {act.remedy}' if act.remedy else ''}", 20)


_SINCE: Final = {"asked": "asking", "ruled": "the ruling", "taken back": "it was taken back", "": ""}


def _ruling(act: Act) -> str:
    known = f", known by {act.authenticated_by}" if act.authenticated_by else ""
    about = ", ".join(act.sections)
    of = f": {about}" if about else ""
    to = ", ".join(act.recipients) or "every holder"
    until = f", until {_moment(act.deadline, act)}" if act.deadline else ""
    why = f" ({act.reason})" if act.reason else ""
    return f"RULED  {act.person} as {act.role}{known}: {act.ruling_kind} for {to}{of}{until}{why}"


def _told(act: Act) -> str:
    parts = [f"{act.kind}  {act.member}" if act.member else act.kind]
    if act.sections:
        parts.append(f": {', '.join(act.sections)}")
    if act.kind in _ASKS and act.role:
        parts.append(f"; {act.role} is asked until {_moment(act.deadline, act)}")
    elif act.deadline:
        parts.append(f"; until {_moment(act.deadline, act)}")
    if act.by_role:
        parts.append(f" by a person ({act.by_role})")
    if act.passed_to:
        parts.append(f" to {act.passed_to}")
    if act.reference:
        parts.append(f" as {act.reference}")
    if act.reason:
        parts.append(f" ({act.reason})")
    return "".join(parts)


def _moment(text: str | None, act: Act) -> str:
    if text is None:
        return "no time"
    return clock(text)[:8] if day(text) == day(act.at) else f"{day(text)} {clock(text)[:8]}"
