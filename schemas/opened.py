"""An event whose sections have been found but not decoded, and what is known of sections that came before.

An update repeats most sections of the event before it, letter for letter. So the bytes of a section that were checked
are remembered, and whatever equals them is the same object for all that is made of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from schemas.walk import Spot

if TYPE_CHECKING:
    from schemas.cut import EventForm

EMPTY: Final = b"\x00"
CONTROL: Final = "control"

Span = tuple[int, int]
"""Where a section's bytes start and end."""

REMEMBERED_MOST: Final = 32_768
"""Sections of one schema version that are known to be honest: the updates of an hour or two find theirs among them."""
REMEMBERED_BYTES: Final = 2_048
"""A larger section is checked each time: nobody can fill the memory of others."""
NOTHING_ELSE: Final[Mapping[str, bytes]] = {}


class Checked:
    """A section as an honest writer writes it. Compared by identity: equal ones are one while they are remembered."""

    __slots__ = ("block", "spots", "states_where")

    def __init__(self, block: bytes, spots: tuple[Spot, ...]) -> None:
        self.block = block
        """One sized block and its end; of a large section nothing, lest an event be held twice."""
        self.spots = spots
        """Where the parts of `schemas.places` stand in it, in order."""
        self.states_where: bool | None = None
        """Whether it states a coordinate or an address; None: nobody has asked (`schemas.located`)."""


class Seen:
    """Sections of one schema version that were checked; what nobody needs while as many others come is forgotten."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._count = 0
        self.recent: dict[str, dict[bytes, Checked]] = {name: {} for name in self._names}
        """By section and bytes. For whoever looks often: all others ask `find`."""
        self._earlier = self.recent
        self._begun: dict[bytes, Checked] = {}

    def find(self, name: str, block: bytes) -> Checked | None:
        """What is known of these bytes."""
        found = self.recent[name].get(block)
        if found is None and (found := self._earlier[name].get(block)) is not None:
            self.recent[name][block] = found
            self._count += 1
        return found

    def begun_with(self, beginning: bytes) -> Checked | None:
        """The last section that began so: a log that grew begins with what it was."""
        return self._begun.get(beginning)

    def keep(self, name: str, checked: Checked, beginning: bytes) -> None:
        """Remember a section that is not too large."""
        if self._count >= REMEMBERED_MOST // 2:
            self._earlier, self.recent, self._count = self.recent, {each: {} for each in self._names}, 0
            self._begun = {}
        self.recent[name][checked.block] = checked
        self._begun[beginning] = checked
        self._count += 1


class OpenEvent:
    """An event whose sections have been found but not decoded. Reading one section checks that section."""

    __slots__ = ("_checked", "_end_of_head", "_found", "_names", "body", "form", "head")

    def __init__(
        self, form: EventForm, body: bytes, head: Mapping[str, Any], end_of_head: int, found: Mapping[str, Span]
    ) -> None:
        self.form = form
        self.body = body
        self.head = head
        """Times as integers."""
        self._end_of_head = end_of_head
        self._found = found
        self._names = tuple(found)
        self._checked: dict[str, Checked] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the sections that are not empty, control included, in order."""
        return self._names

    @property
    def non_empty(self) -> frozenset[str]:
        """The same, as a set."""
        return _names_of(self._names)

    def section(self, name: str) -> list[dict[str, Any]]:
        """The items of a section, times as integers; empty if this schema version has no such section.

        Raises:
            Rejected: its bytes are not what an honest writer writes.
        """
        return self.form.items(name, self.block(name))

    def block(self, name: str) -> bytes:
        """The bytes of a section, checked: one sized block; nothing if it is empty or this version has no such section.

        Raises:
            Rejected: they are not what an honest writer writes.
        """
        checked = self.checked(name)
        if checked is None:
            return b""
        start, end = self._found[name]
        return checked.block or self.body[start:end]

    def checked(self, name: str) -> Checked | None:
        """A section, checked; None if it is empty or this version has no such section.

        Raises:
            Rejected: its bytes are not what an honest writer writes.
        """
        known = self._checked.get(name)
        if known is None and name in self._found:
            start, end = self._found[name]
            block = self.body[start:end]
            known = self.form.seen.recent[name].get(block) or self.form.check(name, block, self.body, start)
            self._checked[name] = known
        return known

    def bytes_of(self, names: Iterable[str]) -> int:
        """How many bytes the head and some sections take."""
        size = self._end_of_head
        for name in names:
            if name in self._found:
                start, end = self._found[name]
                size += end - start
        return size

    def span(self, name: str) -> Span:
        """Where the bytes of a section that is not empty start and end."""
        return self._found[name]

    def spots(self, name: str) -> tuple[Spot, ...]:
        """Where the parts of `schemas.places` stand in the bytes of a section (`block`), in order.

        Raises:
            Rejected: its bytes are not what an honest writer writes.
        """
        checked = self.checked(name)
        if checked is None:
            return ()
        return checked.spots if checked.block else self.form.spots(name, self.block(name)) or ()

    def view(self, keep: Collection[str], instead: Mapping[str, bytes] = NOTHING_ELSE) -> bytes:
        """The body with every section blank but those named; control is always blank.

        Args:
            keep: the sections to pass on.
            instead: bytes that stand for some of them, as `schemas.located` makes them.

        Raises:
            Rejected: a section to keep is not what an honest writer writes.
        """
        return b"".join(self.cut(plan_of(self.form.index, self._names, tuple(keep), tuple(instead)), instead))

    def cut(self, plan: Plan, instead: Mapping[str, bytes] = NOTHING_ELSE) -> list[bytes]:
        """The parts of a view, in order.

        Args:
            plan: for an event with just these sections (`names`).
            instead: bytes for the sections of which the plan says that something is told in their place.

        Raises:
            Rejected: a section to keep is not what an honest writer writes.
        """
        checked, found, body = self._checked, self._found, self.body
        for name in plan.passed_on:
            if name not in checked:
                self.checked(name)
        parts: list[bytes] = []
        since = 0
        for first, last, filler in plan.replaced:
            parts.append(body[since : found[first][0]])
            parts.append(filler or instead[first])
            since = found[last][1]
        parts.append(body[since:])
        return parts


class Plan(NamedTuple):
    """Of the sections that are not empty: what a view does with each, in order."""

    passed_on: tuple[str, ...]
    replaced: tuple[tuple[str, str, bytes], ...]
    """From one section to another, with what stands in their place: blanks; or nothing yet, then it is one section of
    which something is told otherwise."""


class Index(dict[str, int]):
    """Where each section of a form stands. Compared by identity: what is planned for a form is remembered by this."""

    __hash__ = object.__hash__  # type: ignore[assignment]
    __eq__ = object.__eq__


@lru_cache(maxsize=4_096)
def plan_of(index: Index, names: tuple[str, ...], keep: tuple[str, ...], instead: tuple[str, ...]) -> Plan:
    """How to cut a view.

    Args:
        index: of the event's form.
        names: the sections that are not empty.
        keep: those to pass on.
        instead: those of them in whose place something else is told.
    """
    kept = [name for name in names if name in keep and name != CONTROL]
    passed_on = tuple(name for name in kept if name not in instead)
    replaced: list[tuple[str, str, bytes]] = []
    before = ""
    for name in names:
        if name in passed_on:
            before = ""
        elif name in kept:
            replaced.append((name, name, b""))
            before = ""
        elif before:
            # Sections between the two are empty, which is a blank byte for each.
            first = replaced.pop()[0]
            replaced.append((first, name, EMPTY * (index[name] - index[first] + 1)))
        else:
            replaced.append((before := name, name, EMPTY))
    return Plan(passed_on, tuple(replaced))


@lru_cache(maxsize=4_096)
def _names_of(found: tuple[str, ...]) -> frozenset[str]:
    return frozenset(found)
