"""Recipients parted by which rules match for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from routing.agreements.said import Said

# Plain pairs, and no function of its own for the innermost step: this is done for every event that is not remembered.
Spoken = tuple[int, Said]
"""What is said of some recipients, as bits of members."""
Part = tuple[int, tuple[Said, ...]]
"""Recipients of whom all the same is said, as bits of members."""


def partition(spoken: Iterable[Spoken], recipients: int) -> list[Part]:
    """Recipients parted so that of all of a part the same is said.

    Sets of recipients split the parts found so far; those of one member, of which there may be hundreds, are taken
    out at the end.
    """
    parts: list[Part] = [(recipients, ())] if recipients else []
    single: dict[int, tuple[Said, ...]] = {}
    for named, said in spoken:
        those = named & recipients
        if not those & (those - 1):
            if those:
                single[those] = (*single.get(those, ()), said)
            continue
        split = []
        for part in parts:
            members, heard = part
            if inside := members & those:
                split.append((inside, (*heard, said)))
                if inside != members:
                    split.append((members ^ inside, heard))
            else:
                split.append(part)
        parts = split
    return list(_taken_out(parts, single)) if single else parts


def _taken_out(parts: list[Part], single: dict[int, tuple[Said, ...]]) -> Iterator[Part]:
    for recipients, said in parts:
        mine = [bit for bit in single if bit & recipients]
        if left := recipients & ~sum(mine):
            yield left, said
        for bit in mine:
            yield bit, (*said, *single[bit])
