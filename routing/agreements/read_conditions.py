"""``when`` and ``unless``: blocks of conditions out of nodes."""

from __future__ import annotations

from typing import Final, get_args

from routing.agreements.known import Known
from routing.agreements.language import BLOCK
from routing.agreements.language.conditions import NEAR, NEAR_MEMBER, OF_PLACES, PLACE_KINDS, TAKE_ALL
from routing.agreements.model import Attribute, Block, Condition
from routing.agreements.words import Fields, Vocabulary, distance_of, items_of, text_of, true_of, words_of
from schemas.codes import UNKNOWN, codes
from schemas.sections import CONTROL, SECTIONS
from schemas.strict_yaml import Faults, Listing, Node, Scalar, Table, quoted

_ATTRIBUTES: Final[tuple[Attribute, ...]] = tuple(sorted(get_args(Attribute), key=BLOCK.names.index))
_CODE_NAMES: Final = {
    "category": "a category",
    "qualifiers": "a qualifier",
    "flags": "a flag",
    "caveats": "a caveat",
    "handling": "a handling code",
    "grade": "a grade",
    "status": "a status",
    "kind": "a kind",
    "mode": "a mode",
    "marking": "a marking",
}
_ABOVE_SENSITIVE: Final = ("confidential", "secret", "top-secret")


def code_vocabulary(attribute: str) -> Vocabulary:
    """The codes of an attribute, as its code list has them."""
    return Vocabulary(_CODE_NAMES[attribute], codes(attribute))


def sections_of(node: Node, faults: Faults, *, head: bool = False, may_be_empty: bool = False) -> tuple[str, ...]:
    """Sections in wire order; with ``head`` that word may stand among them, and comes first."""
    if isinstance(node, Listing):
        for item in node.items:
            if getattr(item, "text", None) == CONTROL:
                faults.add(item, "control is never granted and never delivered: no rule may name it")
                return ()
    allowed = ("head", *SECTIONS) if head else SECTIONS
    named = words_of(node, Vocabulary("a section", allowed), faults, may_be_empty=may_be_empty)
    return tuple(section for section in allowed if section in named)


def when_of(node: Node | None, known: Known, faults: Faults) -> Block:
    """The block of a ``when``; none always holds."""
    return () if node is None else _block(node, "`when`", known, faults)


def unless_of(node: Node | None, known: Known, faults: Faults) -> tuple[Block, ...]:
    """The blocks of an ``unless``: a list, or a single block if it has one condition."""
    if node is None:
        return ()
    if isinstance(node, Table):
        names = [key for key in node.entries if key != "place"]
        if len(names) > 1:
            faults.add(node, _both_readings(names))
        return (_block(node, "`unless`", known, faults),)
    items = items_of(node, "a block of conditions", faults)
    return tuple(_block(item, "a block of `unless`", known, faults) for item in items)


def _both_readings(names: list[str]) -> str:
    together = ", ".join(f"{name[:40]}: …" for name in names[:6])
    apart = ", ".join(f"{{{name[:40]}: …}}" for name in names[:6])
    return (
        "`unless` with several conditions can be read in two ways: write a list, "
        f"`[{{{together}}}]` if they prevent the rule only together, `[{apart}]` if any one of them does"
    )


def _block(node: Node, what: str, known: Known, faults: Faults) -> Block:
    fields = Fields(node, what, BLOCK.names, faults)
    if isinstance(node, Table) and not node.entries:
        faults.add(node, f"{what} is empty and would always hold: leave it out, or say when")
    kinds = _place_kinds(fields, faults)
    return tuple(
        _of_places(attribute, value, kinds, known, faults)
        if attribute in OF_PLACES
        else _condition(attribute, value, faults)
        for attribute in _ATTRIBUTES
        if (value := fields.get(attribute))
    )


def _place_kinds(fields: Fields, faults: Faults) -> tuple[str, ...]:
    if (node := fields.get("place")) is None:
        return ()
    if not any(fields.get(attribute) for attribute in OF_PLACES):
        message = "`place` says which locations `area`, `near` and `district` look at: it cannot stand alone"
        faults.add(fields.place_of("place"), message)
    return words_of(node, Vocabulary("a kind of location", PLACE_KINDS.words), faults)


def _of_places(attribute: Attribute, node: Node, kinds: tuple[str, ...], known: Known, faults: Faults) -> Condition:
    if attribute == "near":
        return _near(node, kinds, known, faults)
    if isinstance(node, Table):
        _all_of(attribute, node, faults)
        return Condition(attribute)
    if attribute == "area":
        areas = words_of(node, Vocabulary("an area of the bundle", known.areas), faults)
        return Condition(attribute, areas, place=kinds)
    return Condition(attribute, _districts(node, faults), place=kinds)


def _near(node: Node, kinds: tuple[str, ...], known: Known, faults: Faults) -> Condition:
    fields = Fields(node, NEAR.what, NEAR.names, faults)
    member, within = fields.need("member"), fields.need("within", "a distance, as in 5km")
    everyone = Vocabulary("a member, `recipient` or `origin`", (*NEAR_MEMBER.words, *sorted(known.members)))
    name = everyone.word(member, faults) if member else ""
    if member and name in known.members and known.members[name].area is None:
        faults.add(member, f"{quoted(name)} has no area that anything could be near to: give it one in `members`")
    return Condition("near", (name,), place=kinds, within_m=distance_of(within, faults) if within else 0)


def _condition(attribute: Attribute, node: Node, faults: Faults) -> Condition:
    if attribute in ("addressed", "holder"):
        true_of(node, attribute, faults)
        return Condition(attribute)
    needs_all = isinstance(node, Table)
    if isinstance(node, Table):
        if (listed := _all_of(attribute, node, faults)) is None:
            return Condition(attribute)
        node = listed
    if attribute == "has":
        return Condition(attribute, sections_of(node, faults), needs_all)
    if attribute == "marking" and _above_sensitive(node, faults):
        return Condition(attribute)
    return Condition(attribute, words_of(node, code_vocabulary(attribute), faults), needs_all)


def _all_of(attribute: str, node: Table, faults: Faults) -> Node | None:
    """The list under ``all``, where that may stand."""
    if attribute not in TAKE_ALL:
        faults.add(node, f"`{attribute}` takes a list of values, any of which will do; `all` is for sets and `has`")
    elif set(node.entries) != {"all"}:
        faults.add(node, "expected a list, any value of which is enough, or `{all: […]}`")
    else:
        return node.get("all")
    return None


def _districts(node: Node, faults: Faults) -> tuple[str, ...]:
    found = tuple(
        text_of(item, "the name of a district", faults) for item in items_of(node, "the name of a district", faults)
    )
    if any(district.casefold() == UNKNOWN for district in found):
        faults.add(node, f"{UNKNOWN} is not a value: what is not known is never written")
    return found


def _above_sensitive(node: Node, faults: Faults) -> bool:
    items = node.items if isinstance(node, Listing) else ()
    above = [item for item in items if isinstance(item, Scalar) and item.text.lower() in _ABOVE_SENSITIVE]
    for item in above:
        faults.add(item, f"{quoted(item.text)}: nothing marked above OFFICIAL-SENSITIVE may travel on this exchange")
    return bool(above)
