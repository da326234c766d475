"""Decisions remembered: events that look alike to every rule from their origin to a recipient are decided once.

The interpreter alone decides. What it may read of an event is narrowed here, before it is asked, to what those rules
name; so a remembered decision depends on nothing but what it is remembered by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from functools import lru_cache
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any, Final, NamedTuple
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


class Decided(NamedTuple):
    """What one recipient gets of one event."""

    recipient: str
    wording: Wording

    @property
    def decision(self) -> Decision:
        """The decision, with no name in it: equal ones are one."""
        return self.wording.decision


class Decisions:
    """What each recipient gets of events that are alike. Compared by identity: what follows from it is remembered."""

    __slots__ = ("each",)

    def __init__(self, each: tuple[Decided, ...]) -> None:
        self.each = each
        """In the order of `recipients`."""

    def __iter__(self) -> Iterator[Decided]:
        return iter(self.each)


def decide_all(bundle: Bundle, considered: Considered, now: datetime) -> Decisions:
    """What each recipient gets of one event, exactly as the interpreter decides it; remembered.

    ``now`` must know its time zone.
    """
    origin = _origin(_Policy(bundle.hash, bundle), considered.origin)
    return _remembered(origin, london_day(now), origin.read(considered))


def decide_afresh(bundle: Bundle, considered: Considered, now: datetime) -> Decisions:
    """The same, of an event that states more than may be remembered of it: nobody can fill the memory of others."""
    origin = _origin(_Policy(bundle.hash, bundle), considered.origin)
    return Decisions(origin.decide(london_day(now), origin.read(considered), _Pair.decide))


@dataclass(frozen=True, slots=True)
class _Policy:
    """A bundle, told from others by its hash."""

    hash: str
    bundle: Bundle = field(compare=False)


class _Origin:
    """The events of one origin under one bundle. Compared by identity."""

    def __init__(self, bundle: Bundle, origin: str) -> None:
        self._pairs = tuple(_Pair(bundle, origin, recipient) for recipient in recipients(bundle, origin))
        fields = _ALWAYS_READ.union(*(pair.fields for pair in self._pairs))
        self._fields = tuple(sorted(fields))
        self.read: attrgetter[tuple[Any, ...]] = attrgetter(*self._fields)
        self._of_pairs = [itemgetter(*map(self._fields.index, pair.fields)) for pair in self._pairs]

    def decide(
        self, day: date, values: tuple[Any, ...], decide_one: Callable[[_Pair, date, tuple[Any, ...]], Decided]
    ) -> tuple[Decided, ...]:
        """Ask for each recipient what the rules that concern it say."""
        pairs = zip(self._pairs, self._of_pairs, strict=True)
        return tuple(decide_one(pair, day, values_of(values)) for pair, values_of in pairs)


class _Pair:
    """One origin and one recipient under one bundle. Compared by identity."""

    def __init__(self, bundle: Bundle, origin: str, recipient: str) -> None:
        self._bundle = bundle
        self._origin = origin
        self._recipient = recipient
        rules = (rule for _, rule in bundle.rules_between(origin, recipient))
        self.fields = tuple(sorted(_ALWAYS_READ.union(*map(_fields_read, rules))))

    def decide(self, day: date, values: tuple[Any, ...]) -> Decided:
        """Ask the interpreter about an event that states what was read and nothing else, at noon of the day."""
        event = replace(_NOTHING_STATED, origin=self._origin, **dict(zip(self.fields, values, strict=True)))
        decision = decide(self._bundle, event, self._recipient, datetime.combine(day, _NOON))
        return Decided(self._recipient, wording(decision, self._bundle.version))


@lru_cache(maxsize=1_024)
def _origin(policy: _Policy, origin: str) -> _Origin:
    return _Origin(policy.bundle, origin)


@lru_cache(maxsize=REMEMBERED_MOST)
def _remembered(origin: _Origin, day: date, values: tuple[Any, ...]) -> Decisions:
    return _equal_as_one(origin.decide(day, values, _remembered_of_pair))


@lru_cache(maxsize=4_096)
def _equal_as_one(each: tuple[Decided, ...]) -> Decisions:
    return Decisions(each)


@lru_cache(maxsize=REMEMBERED_MOST)
def _remembered_of_pair(pair: _Pair, day: date, values: tuple[Any, ...]) -> Decided:
    return pair.decide(day, values)


def _fields_read(rule: Rule) -> set[str]:
    read = {name for condition in chain(rule.when, *rule.unless) for name in READS[condition.attribute]}
    # Whether something was replaced is told of the event as a whole.
    return read | {"placed"} if isinstance(rule, Share | Limit) and rule.locate != "exact" else read
