"""Decisions remembered: events that look alike to every rule from their origin to a recipient are decided once.

The interpreter alone decides. What it may read of an event is narrowed here, before it is asked, to what those rules
name; so a remembered decision depends on nothing but what it is remembered by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any, Final
from zoneinfo import ZoneInfo

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.agreements.decision import Decision
from routing.agreements.force import london_day
from routing.agreements.interpret import decide, recipients
from routing.agreements.model import Attribute, Limit, Rule, Share
from routing.wording import Wording, wording

REMEMBERED_MOST: Final = 16_384
"""Decisions of one process; equal ones share most of their memory."""
REMEMBERED_CHARACTERS: Final = 2_000
"""An event that states more for rules to read is decided afresh: nobody can fill the memory of others."""

READS: Final[Mapping[Attribute, tuple[str, ...]]] = {
    # Protections look at the opening and the closing category too.
    "category": ("category", "opening_category", "closing_category"),
    "area": ("places", "regions"),
    "near": ("places", "regions"),
    "district": ("places",),
    "has": ("sections",),
    # Of the state of the incident, which is not here yet.
    "holder": (),
    "addressed": ("addressees",),
    **{name: (name,) for name in ("qualifiers", "flags", "caveats", "handling")},
    **{name: (name,) for name in ("grade", "status", "kind", "mode", "marking")},
}
"""Which fields of what is considered a condition reads, by the attribute it names."""

# The mode turns every share rule; the outcome is a matter of which sections are not empty.
_ALWAYS_READ: Final = frozenset({"mode", "sections"})
_NOTHING_STATED: Final = Considered(
    origin="",
    category=None,
    qualifiers=None,
    flags=None,
    caveats=None,
    handling=None,
    grade="unknown",
    status="unknown",
    kind="unknown",
    mode="unknown",
    marking="unknown",
    places=(),
    sections=frozenset(),
    addressees=frozenset(),
)
_NOON: Final = time(12, tzinfo=ZoneInfo("Europe/London"))


@dataclass(frozen=True, slots=True)
class Decided:
    """What one recipient gets of one event."""

    recipient: str
    wording: Wording

    @property
    def decision(self) -> Decision:
        """The decision, with no name in it: equal ones are one."""
        return self.wording.decision


def decide_all(bundle: Bundle, considered: Considered, now: datetime) -> list[Decided]:
    """What each recipient gets of one event, in the order of `recipients`: exactly as the interpreter decides it.

    ``now`` must know its time zone.
    """
    day = london_day(now)
    pairs = _pairs(_Policy(bundle.hash, bundle), considered.origin)
    decide_one = _remembered if _characters(considered) <= REMEMBERED_CHARACTERS else _Pair.decide
    return [decide_one(pair, day, pair.read(considered)) for pair in pairs]


@dataclass(frozen=True, slots=True)
class _Policy:
    """A bundle, told from others by its hash."""

    hash: str
    bundle: Bundle = field(compare=False)


class _Pair:
    """One origin and one recipient under one bundle. Compared by identity."""

    def __init__(self, bundle: Bundle, origin: str, recipient: str) -> None:
        self._bundle = bundle
        self._origin = origin
        self._recipient = recipient
        rules = (rule for _, rule in bundle.rules_between(origin, recipient))
        self._fields = tuple(sorted(_ALWAYS_READ.union(*map(_fields_read, rules))))
        self.read: attrgetter[tuple[Any, ...]] = attrgetter(*self._fields)

    def decide(self, day: date, values: tuple[Any, ...]) -> Decided:
        """Ask the interpreter about an event that states what was read and nothing else, at noon of the day."""
        event = replace(_NOTHING_STATED, origin=self._origin, **dict(zip(self._fields, values, strict=True)))
        decision = decide(self._bundle, event, self._recipient, datetime.combine(day, _NOON))
        return Decided(self._recipient, wording(decision, self._bundle.version))


@lru_cache(maxsize=1_024)
def _pairs(policy: _Policy, origin: str) -> tuple[_Pair, ...]:
    return tuple(_Pair(policy.bundle, origin, recipient) for recipient in recipients(policy.bundle, origin))


@lru_cache(maxsize=REMEMBERED_MOST)
def _remembered(pair: _Pair, day: date, values: tuple[Any, ...]) -> Decided:
    return pair.decide(day, values)


def _characters(considered: Considered) -> int:
    """How much the event states in words of its own; a code counts one more, so that many of none count too."""
    sets = (considered.qualifiers, considered.flags, considered.caveats, considered.handling, considered.addressees)
    codes = [code for each in sets if each for code in each]
    for place in considered.places:
        codes += (place.kind or "", place.district or "", *place.inside, *place.partly)
    return len(considered.category or "") + len("".join(codes)) + len(codes)


def _fields_read(rule: Rule) -> set[str]:
    read = {name for condition in chain(rule.when, *rule.unless) for name in READS[condition.attribute]}
    # Whether something was replaced is told of the event as a whole.
    return read | {"placed"} if isinstance(rule, Share | Limit) and rule.locate != "exact" else read
