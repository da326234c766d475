"""Recipients parted by which rules match for them."""

from __future__ import annotations

from collections.abc import Iterator

from routing.agreements.compile import Compiled
from routing.agreements.evaluate import Evaluated
from routing.agreements.masks import bits
from routing.agreements.personal import Matched


def partition(found: Evaluated, recipients: int, compiled: Compiled) -> list[int]:
    """Recipients as bits, parted so that the same rules match for all of a part.

    Sets of recipients split the parts found so far; those of one member, of which there may be hundreds, are taken
    out at the end.
    """
    parts = [recipients] if recipients else []
    single = 0
    for named in _sets_named(found, compiled):
        those = named & recipients
        if those & (those - 1):
            parts = list(_split(parts, those))
        else:
            single |= those
    if single:
        parts = [part & ~single for part in parts if part & ~single] + [1 << number for number in bits(single)]
    return parts


def _split(parts: list[int], those: int) -> Iterator[int]:
    for part in parts:
        inside = part & those
        if inside and inside != part:
            yield part ^ inside
            yield inside
        else:
            yield part


def _sets_named(found: Evaluated, compiled: Compiled) -> set[int]:
    rules = compiled.rules
    named = {rules[number].recipients for number in bits(found.alike.rules | found.alike.possible)}
    named.update([some.recipients for some in found.personal])
    return named


def matched_for(found: Evaluated, number: int, compiled: Compiled) -> Matched:
    """The rules that match for the member of a number."""
    mine = compiled.rules_to(number)
    alike = found.alike
    if not found.personal:
        return Matched(alike.rules & mine, alike.in_doubt & mine, alike.possible & mine)
    rules, in_doubt, possible = alike.rules & mine, alike.in_doubt & mine, alike.possible & mine
    for matched, recipients in found.personal:
        if recipients >> number & 1:
            rules |= matched.rules
            in_doubt |= matched.in_doubt
            possible |= matched.possible
    return Matched(rules, in_doubt, possible)


def lowest(part: int) -> int:
    """The number of some member of a part."""
    return (part & -part).bit_length() - 1
