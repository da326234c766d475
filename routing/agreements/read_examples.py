"""Examples out of nodes. What an example does not write is what the language says: sets empty, all else unknown."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from typing import Any, Final

from routing.agreements.considered import Considered, Place
from routing.agreements.decision import HEAD
from routing.agreements.examples import Example, Expectation, Position
from routing.agreements.known import Known
from routing.agreements.language.examples import ALL, EXAMPLE, EXPECTATION, GIVEN, PLACE, PLACE_KIND, SETS, UNWRITTEN
from routing.agreements.model import Agreement
from routing.agreements.read_conditions import code_vocabulary, sections_of
from routing.agreements.read_terms import located_of
from routing.agreements.words import (
    Fields,
    Vocabulary,
    day_of,
    distance_of,
    items_of,
    seen_as,
    text_of,
    word_of,
    words_of,
)
from schemas.codes import UNKNOWN, is_code
from schemas.sections import SECTIONS
from schemas.strict_yaml import Faults, Listing, Node, Scalar, quoted

_Placed = tuple[Place, Position | None]
_COORDINATE: Final = re.compile("-?[0-9]{1,3}([.][0-9]{1,15})?")


def examples_of(node: Node | None, agreement: Agreement, known: Known, faults: Faults) -> tuple[Example, ...]:
    """The examples of a file, every fault noted."""
    if node is None:
        return ()
    items = items_of(node, "an example", faults)
    read = (_example(item, number, agreement, known, faults) for number, item in enumerate(items, 1))
    return tuple(example for example in read if example is not None)


def _example(node: Node, number: int, agreement: Agreement, known: Known, faults: Faults) -> Example | None:
    stated = Fields(node, EXAMPLE.what, EXAMPLE.names, faults)
    given, expect = stated.need("given"), stated.need("expect")
    if given is None:
        return None
    event = Fields(given, GIVEN.what, GIVEN.names, faults)
    stated_places = _places(event, faults)
    places = tuple(place for place, _ in stated_places)
    considered = replace(_considered(event, agreement, known, faults), places=places)
    return Example(
        agreement=agreement.id,
        file=faults.file,
        place=node.place,
        name=text_of(title, "a name", faults) if (title := stated.get("name")) else f"example {number}",
        considered=considered,
        on=_day(stated, event, agreement.starts, faults),
        expectations=_expectations(expect, considered.origin, known, faults) if expect else (),
        positions=tuple(position for _, position in stated_places),
        dated=bool(stated.get("on") or event.get("on")),
    )


def _day(stated: Fields, event: Fields, starts: date, faults: Faults) -> date:
    """``on`` may stand beside ``given`` or in it; without it the example runs on the day the agreement starts."""
    node = stated.get("on") or event.get("on")
    return day_of(node, faults) if node else starts


def _considered(event: Fields, agreement: Agreement, known: Known, faults: Faults) -> Considered:
    stated: dict[str, Any] = {name: _set(event.get(name), name, faults) for name in SETS}
    stated |= {name: _word(event.get(name), name, faults) for name in UNWRITTEN}
    origin, sections, addressed = event.need("origin"), event.get("sections"), event.get("addressed")
    everyone = Vocabulary("a member of the exchange", sorted(known.members))
    # Where `from` has a fault it may name nobody: that is told there, and not again here.
    origins = Vocabulary("an origin of this file", agreement.origins or known.publishers)
    return Considered(
        origin=origins.word(origin, faults) if origin else "",
        category=_code(node, "category", faults) if (node := event.get("category")) else None,
        places=(),
        sections=frozenset(sections_of(sections, faults, may_be_empty=True) if sections else SECTIONS),
        addressees=frozenset(words_of(addressed, everyone, faults, may_be_empty=True) if addressed else ()),
        **stated,
    )


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.kind == "null"


def _code(node: Node, attribute: str, faults: Faults) -> str | None:
    """A code as an event may have it: ``unknown``, and null for not stated, are allowed."""
    if _is_null(node):
        return None
    code = word_of(node, "a code", faults)
    if code and not is_code(attribute, code):
        vocabulary = code_vocabulary(attribute)
        faults.add(node, f"{quoted(code)} is not {vocabulary.name}{vocabulary.hint(code, faults)}")
    return code or None


def _word(node: Node | None, attribute: str, faults: Faults) -> str:
    return UNWRITTEN[attribute] if node is None else _code(node, attribute, faults) or UNKNOWN


def _set(node: Node | None, attribute: str, faults: Faults) -> frozenset[str] | None:
    """Unwritten is empty; null is not stated."""
    if node is None or (isinstance(node, Listing) and not node.items):
        return frozenset()
    if _is_null(node):
        return None
    return frozenset(
        _code(item, attribute, faults) or UNKNOWN for item in items_of(node, "a code (null for not stated)", faults)
    )


def _places(event: Fields, faults: Faults) -> list[_Placed]:
    """One location of kind incident for ``at`` and ``district``, and those written out in ``places``."""
    at, district, listed = event.get("at"), event.get("district"), event.get("places")
    found: list[_Placed] = []
    if at or district:
        place = Place("incident", text_of(district, "a district", faults) if district else None)
        found.append((place, _position(at, 0.0, faults) if at else None))
    if listed is not None:
        found += [_place(item, faults) for item in items_of(listed, "a place", faults)]
    return found


def _position(node: Node, radius_m: float, faults: Faults) -> Position | None:
    try:
        latitude, longitude = map(_coordinate, node.items if isinstance(node, Listing) else ())
    except ValueError:
        faults.add(node, "expected [latitude, longitude] in degrees, as in [53.64, -1.96]")
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        faults.add(node, "expected a latitude between -90 and 90, then a longitude between -180 and 180")
        return None
    return Position(latitude, longitude, radius_m)


def _coordinate(node: Node) -> float:
    """Degrees as written: a number, and none of the other ways in which YAML writes one."""
    if not isinstance(node, Scalar) or node.kind == "text" or not _COORDINATE.fullmatch(node.text):
        raise ValueError
    return float(node.text)


def _place(node: Node, faults: Faults) -> _Placed:
    stated = Fields(node, PLACE.what, PLACE.names, faults)
    kinds = Vocabulary("a kind of location", PLACE_KIND.words)
    kind, district, at, radius = map(stated.get, PLACE.names)
    if radius and not at:
        faults.add(radius, "`radius` is how far the place may be from `at`: it needs `at` beside it")
    place = Place(
        kinds.word(kind, faults) if kind and not _is_null(kind) else None,
        text_of(district, "a district", faults) if district and not _is_null(district) else None,
    )
    return place, _position(at, float(distance_of(radius, faults)) if radius else 0.0, faults) if at else None


def _expectations(node: Node, origin: str, known: Known, faults: Faults) -> tuple[Expectation, ...]:
    others = [member for member in known.receivers if member != origin]
    stated = Fields(node, "`expect` (of members that receive, the origin excepted)", others, faults)
    found = tuple(_expectation(to, expected, faults) for to in others if (expected := stated.get(to)))
    if not found:
        faults.add(node, "the example expects nothing: name a recipient and what it gets")
    return found


def _expectation(recipient: str, node: Node, faults: Faults) -> Expectation:
    stated = Fields(node, f"what {recipient} gets", EXPECTATION.names, faults)
    share, refer, forbid, withhold, locate = map(stated.get, EXPECTATION.names)
    if not (share or refer or forbid or withhold):
        faults.add(node, "expected `share`, `refer`, `forbid` or `withhold`")
    if withhold:
        Vocabulary("what withhold may say", ALL.words).word(withhold, faults)
    if locate and not share:
        faults.add(locate, "`locate` says how coarsely the shared sections tell places: it needs `share` beside it")
    return Expectation(
        recipient=recipient,
        share=sections_of(share, faults, may_be_empty=True) if share else None,
        refer=_sections_or_all(refer, faults) if refer else None,
        forbid=_sections_or_all(forbid, faults) if forbid else None,
        withhold=withhold is not None,
        locate=located_of(locate, faults),
    )


def _sections_or_all(node: Node, faults: Faults) -> tuple[str, ...]:
    if not isinstance(node, Scalar):
        return sections_of(node, faults, head=True)
    if node.text != "all":
        faults.add(node, f"expected a list of sections, or `all`; got {seen_as(node)}")
    return (HEAD, *SECTIONS)
