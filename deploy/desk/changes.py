"""What came since somebody looked: two snapshots of one incident, compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from deploy.desk.snapshots import Item, Snapshot

Mark = Literal["", "new", "changed", "gone"]


@dataclass(frozen=True, slots=True)
class Marked:
    """One thing that an event states, or that an earlier one did."""

    part: str
    """A field of the head, or a section."""
    words: str
    mark: Mark = ""
    was: str = ""
    """Of something changed: what was said before."""


_TIMES = frozenset({"sent_at", "recorded_at", "kind"})
"""Of every event another: no news."""


def marked(now: Snapshot, before: Snapshot | None) -> tuple[Marked, ...]:
    """All that an event states, marked where an earlier one said otherwise; without one nothing is marked."""
    return (*_of_head(now, before), *_of_sections(now, before))


def news(now: Snapshot, before: Snapshot) -> tuple[Marked, ...]:
    """Only what is marked."""
    return tuple(each for each in marked(now, before) if each.mark)


def _of_head(now: Snapshot, before: Snapshot | None) -> Iterator[Marked]:
    earlier = now.head if before is None else before.head
    for name, words in now.head.items():
        was = earlier.get(name, "")
        if words == was or name in _TIMES:
            yield Marked(name, words)
        else:
            yield Marked(name, words, "changed" if was else "new", was)
    for name, was in earlier.items():
        if name not in now.head and name not in _TIMES:
            yield Marked(name, was, "gone")


def _of_sections(now: Snapshot, before: Snapshot | None) -> Iterator[Marked]:
    earlier = now.sections if before is None else before.sections
    for section in dict.fromkeys((*now.sections, *earlier)):
        yield from _of_section(section, now.sections.get(section, ()), earlier.get(section, ()))


def _of_section(section: str, now: tuple[Item, ...], earlier: tuple[Item, ...]) -> Iterator[Marked]:
    said = [item.words() for item in earlier]
    known = {item.key: item for item in earlier}
    keys = {item.key for item in now}
    for item in now:
        words = item.words()
        if words in said:
            yield Marked(section, words)
        elif item.key in known:
            yield Marked(section, words, "changed", known[item.key].words())
        else:
            yield Marked(section, words, "new")
    stated = {item.words() for item in now}
    for item in earlier:
        if item.key not in keys and item.words() not in stated:
            yield Marked(section, item.words(), "gone")
