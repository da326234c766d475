"""An event out of a solution: what conditions may read of it, and what came before."""

from __future__ import annotations

import z3

from deploy.agreement_tools.analysis.space import OTHER, WORDS, CodeSet, PlaceSlot, Space, holds
from routing.agreements.considered import Considered, Place
from routing.agreements.state import HeldPart, History, Holding, State
from schemas.codes import codes
from schemas.sections import SECTIONS


def witness(space: Space, model: z3.ModelRef) -> tuple[Considered, State]:
    """The event and the state of its incident that a solution stands for; the interpreter can decide them."""
    sets = {name: _codes(each, model) for name, each in space.sets.items()}
    filled = frozenset(section for section in SECTIONS if holds(model, space.filled[section]))
    places = tuple(_place(slot, model) for slot in space.places if holds(model, slot.present))
    words = {name: _word(space, name, model) for name in WORDS}
    event = Considered(
        origin=space.origin,
        category=space.category.chosen(model),
        qualifiers=sets["qualifiers"],
        flags=sets["flags"],
        caveats=sets["caveats"],
        handling=sets["handling"],
        grade=words["grade"],
        status=words["status"],
        kind=words["kind"],
        mode=words["mode"],
        marking=words["marking"],
        places=places,
        sections=filled,
        addressees=frozenset({space.recipient}) if holds(model, space.addressed) else frozenset(),
        regions=frozenset(region for slot in space.places[:1] for region in slot.inside),
        sequence=2,
    )
    held = Holding(space.recipient, (HeldPart("head", ()),))
    return event, State(history=_history(space, model), holdings=(held,) if holds(model, space.holds) else ())


def _codes(codes_of: CodeSet, model: z3.ModelRef) -> frozenset[str] | None:
    if holds(model, codes_of.null):
        return None
    return frozenset(code for code, stated in codes_of.now.items() if holds(model, stated))


def _word(space: Space, name: str, model: z3.ModelRef) -> str:
    chosen = space.words[name].chosen(model)
    if chosen != OTHER:
        return str(chosen)
    return next((code for code in codes(name) if code not in space.words[name].options), OTHER)


def _place(slot: PlaceSlot, model: z3.ModelRef) -> Place:
    district = slot.district.chosen(model)
    return Place(
        slot.kind.chosen(model),
        "elsewhere" if district == OTHER else district,
        has_coordinates=holds(model, slot.has_coordinates),
        inside=frozenset(region for region, inside in slot.inside.items() if holds(model, inside)),
        partly=frozenset(region for region, partly in slot.partly.items() if holds(model, partly)),
    )


def _history(space: Space, model: z3.ModelRef) -> History:
    earlier = {
        name: frozenset(code for code, stated in each.earlier.items() if holds(model, stated))
        for name, each in space.sets.items()
    }
    ever = frozenset(code for code, stated in space.ever.items() if holds(model, stated))
    return History(opening_category=ever, **earlier)
