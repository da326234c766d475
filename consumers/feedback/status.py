"""What a dispatcher reads of one incident at one member, in one line: pure.

>>> at = datetime.fromisoformat
>>> said = told([], "delivered", at("2026-01-31T14:02:03Z"), {})
>>> said = told(said, "accepted", at("2026-01-31T14:02:40Z"), {"reference": "GMP-1234"})
>>> line("Greater Manchester", said)
'Greater Manchester: delivered 14:02:03, accepted 14:02:40 as GMP-1234'

Times are Europe/London's, as in the room where it is read; a day is named where it is not that of the first step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

_LONDON: Final = ZoneInfo("Europe/London")
_ENDS: Final[Mapping[str, tuple[str, ...]]] = {
    # What came before and is not so any more.
    "delivered": ("undeliverable", "failed", "holders-without-news"),
    "accepted": ("unanswered", "rejected"),
    "rejected": ("unanswered", "accepted"),
    "erased": ("unanswered", "restricted"),
    "erased-by-adapter": ("unanswered", "restricted"),
    "restricted": ("unanswered",),
    "retracted": ("unanswered",),
    "released": ("referred", "escalated", "extended", "asked-again", "refused", "lapsed"),
    "refused": ("referred", "escalated", "extended", "asked-again", "released"),
    "lapsed": ("referred", "escalated", "extended", "asked-again"),
    "escalated": ("referred",),
    "asked-again": ("refused", "lapsed"),
    "bar-lifted": ("retracted",),
}
_WORDS: Final[Mapping[str, str]] = {
    "updated": "latest update delivered",
    "holders-without-news": "without news since",
    "retracted": "taken back",
    "erased-by-adapter": "removed there",
    "restricted-by-adapter": "hidden there",
    "restricted": "kept there as evidence",
    "acted-upon": "had been acted upon, said",
    "shared-at-discretion": "shared at discretion",
    "sequence-gap": "gap in the sequence",
}


class Step(NamedTuple):
    """Something that happened: what, when (UTC), and what is said besides."""

    kind: str
    at: datetime
    more: str = ""


Steps = Sequence[Step]


def told(steps: Steps, kind: str, at: datetime, said: Mapping[str, Any]) -> list[Step]:
    """The steps once this is told too, oldest first.

    Of each kind the latest is kept; of what is delivered the first, and the latest as an update.

    Args:
        steps: so far.
        kind: of feedback.
        at: when it was so.
        said: fields of the feedback and of its entry.
    """
    named = _named(kind, said)
    kept = [step for step in steps if step.kind not in _ENDS.get(named, ())]
    if kind == "delivered" and (before := [step for step in kept if step.kind == "delivered"]):
        first = min(before[0].at, at)
        others = [step for step in kept if step.kind not in ("delivered", "updated")]
        latest = max([at, *(step.at for step in kept if step.kind in ("delivered", "updated"))])
        kept = [*others, Step("delivered", first), *([Step("updated", latest)] if latest > first else [])]
        return _in_order(kept)
    more = _more(kind, said)
    if kind == "passed-on":
        others = [step for step in kept if (step.kind, step.more) != (named, more)]
    else:
        others = [step for step in kept if step.kind != named]
    return _in_order([*others, Step(named, at, more)])


def line(name: str, steps: Steps) -> str:
    """What a dispatcher reads; `name` is the member's, empty where it is about no member."""
    first = steps[0].at.astimezone(_LONDON).date() if steps else None
    happened = ", ".join(_words(step, is_same_day=step.at.astimezone(_LONDON).date() == first) for step in steps)
    return f"{name}: {happened}" if name else happened


def _in_order(steps: Iterable[Step]) -> list[Step]:
    return sorted(steps, key=lambda step: step.at)


def _named(kind: str, said: Mapping[str, Any]) -> str:
    """What an adapter confirms is told apart from what a person does."""
    return f"{kind}-by-adapter" if kind in ("erased", "restricted") and not said.get("by_role") else kind


def _more(kind: str, said: Mapping[str, Any]) -> str:
    """What is said besides the time: the member's number, the cause, who, to whom, whom to call."""
    parts = _SAID.get(kind, ())
    return " ".join(words for words in (part(said) for part in parts) if words)


def _field(name: str, before: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda said: f"{before} {said[name]}" if said.get(name) else ""


def _in_brackets(said: Mapping[str, Any]) -> str:
    return f"({said['reason']})" if said.get("reason") else ""


def _remedy(said: Mapping[str, Any]) -> str:
    return f"- {said['remedy']}" if said.get("remedy") else ""


def _cause(said: Mapping[str, Any]) -> str:
    return f"({said['cause']})" if said.get("cause") else _in_brackets(said)


def _until(said: Mapping[str, Any]) -> str:
    return f"until {_clock(said['deadline'])}" if said.get("deadline") else ""


_BY_PERSON: Final = (_field("by_role", "by"),)
_RULED: Final = (_field("role", "by"),)
_ASKED: Final = (_field("role", "to"), _until)
_WHY: Final = (_in_brackets, _remedy)
_SAID: Final[Mapping[str, tuple[Callable[[Mapping[str, Any]], str], ...]]] = {
    "accepted": (_field("reference", "as"),),
    "rejected": (_cause,),
    "failed": (_cause,),
    "passed-on": (_field("passed_to", "to"),),
    **dict.fromkeys(("erased", "restricted", "acted-upon"), _BY_PERSON),
    **dict.fromkeys(("released", "refused", "lapsed", "shared-at-discretion", "overridden"), _RULED),
    **dict.fromkeys(("referred", "escalated", "extended", "asked-again"), _ASKED),
    **dict.fromkeys(
        ("unanswered", "withheld", "forbidden", "undeliverable", "quarantined", "retracted", "withdrawn"), _WHY
    ),
}


def _words(step: Step, *, is_same_day: bool) -> str:
    day = "" if is_same_day else f"{step.at.astimezone(_LONDON).day} {step.at.astimezone(_LONDON):%b} "
    what = _WORDS.get(step.kind, step.kind.replace("-", " "))
    return " ".join(part for part in (what, f"{day}{_clock(step.at)}", step.more) if part)


def _clock(at: datetime) -> str:
    return at.astimezone(_LONDON).strftime("%H:%M:%S")
