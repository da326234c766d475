"""Who of the people that may rule is named in an incident: nobody rules on what names them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from routing.agreements.model import Person
from schemas.cut import OpenEvent

_OF_PERSONS: Final = ("suspects", "convicted", "victims", "witnesses", "callers", "subjects", "associates")


def named_in(event: OpenEvent, people: Iterable[Person]) -> frozenset[str]:
    """The people, by their ids, whose name a person of the event bears.

    A policy mostly gives initials ("A. Smith"), so a given name is compared by its first letter. Whoever merely bears
    the name of somebody in the incident has somebody else rule.
    """
    known = [(person.id, *_parts(person.name)) for person in people if person.name.strip()]
    if not known:
        return frozenset()
    stated = {pair for section in _OF_PERSONS for one in event.section(section) for pair in _stated(one)}
    return frozenset(
        who
        for who, initial, family in known
        if any(family == theirs and (not initial or not first or initial == first) for first, theirs in stated)
    )


def _stated(person: dict[str, Any]) -> Iterator[tuple[str, str]]:
    names = person["names"]
    if names is None:
        return
    if names["family"]:
        yield (names["given"] or "")[:1].casefold(), names["family"].strip().casefold()
    for alias in names["aliases"] or ():
        yield _parts(alias)


def _parts(name: str) -> tuple[str, str]:
    """The first letter of the given name, and the family name."""
    *given, family = name.casefold().split() or [""]
    return (given[0][:1] if given else ""), family
