"""Recipients parted by which rules match for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from routing.agreements.personal import Some
from routing.agreements.said import Said


class Part(NamedTuple):
    """Recipients, as bits of members, of whom all the same is said."""

    recipients: int
    said: tuple[Said, ...]


def partition(spoken: Iterable[Some], recipients: int) -> list[Part]:
    """Recipients parted so that of all of a part the same is said.

    Sets of recipients split the parts found so far; those of one member, of which there may be hundreds, are taken
    out at the end.
    """
    parts = [Part(recipients, ())] if recipients else []
    single: dict[int, tuple[Said, ...]] = {}
    for named, said in spoken:
        those = named & recipients
        if those & (those - 1):
            parts = list(_split(parts, those, said))
        elif those:
            single[those] = (*single.get(those, ()), said)
    return list(_taken_out(parts, single)) if single else parts


def _split(parts: list[Part], those: int, said: Said) -> Iterator[Part]:
    for part in parts:
        inside = part.recipients & those
        if not inside:
            yield part
            continue
        if inside != part.recipients:
            yield Part(part.recipients ^ inside, part.said)
        yield Part(inside, (*part.said, said))


def _taken_out(parts: list[Part], single: dict[int, tuple[Said, ...]]) -> Iterator[Part]:
    for recipients, said in parts:
        mine = [bit for bit in single if bit & recipients]
        left = recipients & ~sum(mine)
        if left:
            yield Part(left, said)
        for bit in mine:
            yield Part(bit, (*said, *single[bit]))
