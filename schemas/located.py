"""A section with its places told coarsely: cut in as bytes, like the sections themselves.

Only what tells a place is decoded; the rest of the section passes as it came. Of a place its kind, cell and cell size
remain, and nothing else, in whichever section it stands. Where a vehicle is heading remains if it is a point of the
compass; where a hazard is, in words, goes; references of places go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from schemas.avro_form import Form
from schemas.codes import codes
from schemas.cut import EventForm, OpenEvent, sized_block
from schemas.errors import Rejected
from schemas.places import DIRECTION, LOCATION, REFERENCES, TELL_WHERE
from schemas.walk import Spot
from schemas.wire import read_long

_NULL: Final = b"\x00"
_QUARTERS: Final = ("north", "east", "south", "west")
_BOUND: Final = ("", "bound")
_COMPASS: Final = frozenset(
    {
        *("n", "ne", "e", "se", "s", "sw", "w", "nw"),
        *(f"{quarter}{bound}" for quarter in _QUARTERS for bound in (*_BOUND, "erly")),
        *(
            f"{one}{other}{bound}"
            for one in ("north", "south")
            for other in ("east", "west")
            for bound in ("", "bound")
        ),
    }
)
_OF_STATEMENT: Final = frozenset({"kind", "location_ref", "source", "verified", "as_of", "quality"})
"""What a location says that is no coordinate and no address, nor any part of one."""


class Told(NamedTuple):
    """What stands in for a position."""

    cell: str
    cell_size: str


Tell = Callable[[float, float, float], Told | None]
"""From longitude, latitude and radius in metres; None: nothing but the kind may be told."""


def placed_sections(event: OpenEvent) -> frozenset[str]:
    """The sections that state a coordinate or an address, which telling places coarsely would replace.

    One that is malformed counts: that it states none cannot be told.
    """
    return _interned(tuple([name for name in _candidates(event.form, event.names) if _is_placed(event, name)]))


@lru_cache(maxsize=1_024)
def _candidates(form: EventForm, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in form.can_hold(TELL_WHERE) if name in names)


@lru_cache(maxsize=1_024)
def _interned(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(names)


def _is_placed(event: OpenEvent, section: str) -> bool:
    try:
        checked = event.checked(section)
    except Rejected:
        return True
    if checked is None:
        return False
    if checked.states_where is None:
        block = event.block(section)
        checked.states_where = any(_tells_where(event.form, block, spot) for spot in event.spots(section))
    return checked.states_where


def located(event: OpenEvent, section: str, tell: Tell) -> bytes:
    """The section's bytes with every place told as ``tell`` tells it.

    Raises:
        Rejected: its bytes are not what an honest writer writes.
    """
    block, spots = event.block(section), event.spots(section)
    if not spots:
        return block
    count, at = read_long(block, 0)
    _size, at = read_long(block, at)
    parts: list[bytes] = []
    for part, start, end in spots:
        parts += (block[at:start], _instead(event, part, block[start:end], tell))
        at = end
    parts.append(block[at:-1])
    return sized_block(-count, b"".join(parts))


def _instead(event: OpenEvent, part: str, as_it_came: bytes, tell: Tell) -> bytes:
    """What stands in the place of a part."""
    if part == LOCATION:
        location = event.form.location.decode(as_it_came, "a place")
        return event.form.location.encode(coarse_location(location, tell))
    if part == DIRECTION and _is_of_compass(as_it_came):
        return as_it_came
    return _of_no_place(event, as_it_came) if part == REFERENCES else _NULL


def coarse_location(location: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """What remains of a place: its kind, if that is a code, and the cell that it lies in.

    A cell that came with it in the place of a position is not passed on: how it was found is not known here.
    """
    kind = location["kind"]
    remains: dict[str, Any] = {"kind": kind if kind in _kinds() else ""}
    if (point := location["point"]) is not None:
        told = tell(point["longitude"], point["latitude"], location["radius_m"] or 0.0)
        if told is not None:
            remains |= {"cell": told.cell, "cell_size": told.cell_size}
    return remains


def _tells_where(form: EventForm, body: bytes, spot: Spot) -> bool:
    part, start, end = spot
    if part != LOCATION:
        return body[start] != 0 and part in TELL_WHERE and not _is_of_compass(body[start:end])
    at = start
    for _ in ("location_ref", "kind"):
        size, at = read_long(body, at)
        at += size
    if body[at]:
        return True
    # Nothing but nulls is left.
    if not body[at:end].strip(_NULL):
        return False
    location = form.location.decode(body[start:end], "a place")
    return any(value is not None for name, value in location.items() if name not in _OF_STATEMENT)


def _is_of_compass(optional_text: bytes) -> bool:
    """Whether a text, if there is one, is a point of the compass and nothing else."""
    size, at = read_long(optional_text, 1) if optional_text != _NULL else (0, 1)
    return optional_text[at : at + size].decode().strip().lower() in _COMPASS if size else True


def _of_no_place(event: OpenEvent, references: bytes) -> bytes:
    """A line's references but those of places; none at all where the places of the event cannot be read."""
    try:
        places = _references_of_places(event)
    except Rejected:
        return _NULL
    about = _references_form().decode(references, "references")["about"]
    return _references_form().encode({"about": [each for each in about if each not in places]})


def _references_of_places(event: OpenEvent) -> frozenset[str]:
    found = set()
    for section in event.form.can_hold({LOCATION}):
        block = event.block(section)
        for part, start, _end in event.spots(section):
            if part == LOCATION:
                size, at = read_long(block, start)
                found.add(block[at : at + size].decode())
    return frozenset(found)


@cache
def _kinds() -> frozenset[str]:
    return frozenset(codes("location-kind"))


@cache
def _references_form() -> Form:
    about = {"name": "about", "type": {"type": "array", "items": "string"}}
    return Form({"type": "record", "name": "huecry.References", "fields": [about]})
