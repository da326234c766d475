"""Bundles and events made at random from a seed, of few words, so that rules meet and miss each other."""

from __future__ import annotations

import random
from datetime import date
from typing import Any, Final

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered, Place
from routing.agreements.model import (
    Agreement,
    Area,
    Condition,
    Forbid,
    Limit,
    MemberFacts,
    NeverState,
    Refer,
    Rule,
    Share,
    Signature,
    Step,
    Terms,
)
from routing.agreements.state import HeldPart, History, Holding, State
from schemas.sections import SECTIONS

DAY: Final = date(2026, 6, 10)
ORIGIN: Final = "north"
RECIPIENTS: Final = ("south", "west")
CATEGORIES: Final = (
    "crime",
    "crime/violence",
    "crime/violence/homicide",
    "transport",
    "transport/rtc",
    "transport/rtc/injury",
)
CODES: Final = {
    "qualifiers": ("hate", "hate/race", "repeat"),
    "flags": ("child", "high-risk"),
    "caveats": ("refuge", "source-sensitive"),
    "handling": ("no-media",),
}
WORDS: Final = {
    "grade": ("emergency", "priority", "scheduled"),
    "status": ("open", "closed"),
    "kind": ("created", "updated", "closed"),
    "mode": ("actual", "exercise"),
    "marking": ("official", "official-sensitive"),
}
AREAS: Final = ("hill", "moor")
DISTRICTS: Final = ("Leeds", "York")
PARTS: Final = ("classification", "locations", "victims", "narrative")


def a_condition(rng: random.Random) -> Condition:  # noqa: PLR0911  one for each row
    kind = rng.choice(
        ("category", "set", "set", "word", "word", "area", "near", "district", "has", "holder", "addressed")
    )
    place = rng.choice(((), (), ("last-seen",)))
    if kind == "category":
        return Condition("category", tuple(rng.sample(CATEGORIES, rng.randint(1, 2))))
    if kind == "set":
        name: Any = rng.choice(sorted(CODES))
        values = tuple(rng.sample(CODES[name], rng.randint(1, len(CODES[name]))))
        return Condition(name, values, needs_all=rng.random() < 0.3)
    if kind == "word":
        word: Any = rng.choice(sorted(WORDS))
        return Condition(word, (rng.choice(WORDS[word]),))
    if kind == "area":
        return Condition("area", tuple(rng.sample(AREAS, rng.randint(1, 2))), place=place)
    if kind == "near":
        return Condition(
            "near", (rng.choice(("north", "recipient", "west")),), place=place, within_m=rng.choice((0, 5000))
        )
    if kind == "district":
        return Condition("district", tuple(rng.sample(DISTRICTS, rng.randint(1, 2))), place=place)
    if kind == "has":
        return Condition("has", tuple(rng.sample(PARTS, rng.randint(1, 2))), needs_all=rng.random() < 0.3)
    return Condition("holder" if kind == "holder" else "addressed")


def a_rule(rng: random.Random, number: int) -> Rule:
    given: dict[str, Any] = {
        "id": f"r{number}",
        "recipients": tuple(sorted(rng.sample(RECIPIENTS, rng.randint(1, 2)))),
        "when": tuple(a_condition(rng) for _ in range(rng.randint(0, 2))),
        "unless": tuple((a_condition(rng),) for _ in range(rng.choice((0, 0, 1)))),
    }
    covers = (
        ("head", *SECTIONS) if rng.random() < 0.3 else tuple(p for p in PARTS if rng.random() < 0.5) or ("victims",)
    )
    grants = tuple(part for part in PARTS if rng.random() < 0.6)
    roll = rng.random()
    if roll < 0.55:
        terms = Terms("law-enforcement", "part-3", "s.35", rng.choice((30, 90)))
        locate: Any = rng.choice(("exact", "exact", "1km"))
        return Share(**given, grant=grants, terms=terms, locate=locate, on_doubt_share=rng.random() < 0.2)
    if roll < 0.75:
        override = ("chief",) if rng.random() < 0.3 else ()
        return Forbid(**given, sections=covers, override=override)
    if roll < 0.92:
        return Refer(**given, sections=covers, path=(Step("inspector", 600),), invite=rng.random() < 0.3)
    return Limit(**given, locate=rng.choice(("exact", "10km")), retain_days=rng.choice((7, 30)))


def a_bundle(rng: random.Random, version: int = 1) -> Bundle:
    agreements = []
    for number in range(rng.randint(1, 3)):
        rules = tuple(a_rule(rng, place) for place in range(rng.randint(1, 4)))
        doubt = (Step("superintendent", 900),) if rng.random() < 0.3 else ()
        agreements.append(_agreement(f"A{number}", rules, doubt, ends=rng.choice((None, None, None, date(2026, 6, 9)))))
    members = tuple(
        MemberFacts(name, publishes=True, receives=True, country="GB", competent_authority=True, area=area)
        for name, area in (("north", "hill"), ("south", "moor"), ("west", None))
    )
    return Bundle(
        version,
        "tests",
        members,
        tuple(agreements),
        never_states=(NeverState("north", "caveats", "no such field"),) if rng.random() < 0.4 else (),
        areas=tuple(Area(name, "{}") for name in AREAS),
    )


def _agreement(name: str, rules: tuple[Rule, ...], doubt: tuple[Step, ...], ends: date | None) -> Agreement:
    return Agreement(
        id=name,
        title=name,
        owner="tests",
        starts=date(2026, 1, 1),
        ends=ends,
        origins=(ORIGIN,),
        rules=rules,
        signatures=(Signature(ORIGIN, "A", "B", date(2026, 1, 1)),),
        doubt=doubt,
    )


def changed(rng: random.Random, bundle: Bundle) -> Bundle:
    """The same bundle with one agreement's rules rewritten in part."""
    agreements = list(bundle.agreements)
    place = rng.randrange(len(agreements))
    old = agreements[place]
    rules = list(old.rules)
    which = rng.randrange(len(rules))
    rules[which] = a_rule(rng, which)
    agreements[place] = _agreement(old.id, tuple(rules), old.doubt, old.ends)
    return Bundle(2, "tests", bundle.members, tuple(agreements), never_states=bundle.never_states, areas=bundle.areas)


def an_event(rng: random.Random, recipient: str) -> tuple[Considered, State]:
    filled = {part for part in SECTIONS if rng.random() < 0.5}
    places = tuple(_place(rng) for _ in range(rng.randint(0, 2)))
    if places:
        filled.add("locations")
    sets: dict[str, Any] = {name: _codes(rng, name) for name in CODES}
    if "classification" not in filled:
        sets["qualifiers"] = sets["flags"] = None
    category = rng.choice((*CATEGORIES, "crime/unknown", None))
    if category and "classification" not in filled:
        category = category.split("/")[0]
    event = Considered(
        origin=ORIGIN,
        category=category,
        **sets,
        **{name: rng.choice((*words, "unknown")) for name, words in WORDS.items() if name != "mode"},
        mode=rng.choice(("actual", "actual", "actual", "exercise", "unknown")),
        places=places,
        sections=frozenset(filled),
        addressees=frozenset({recipient}) if rng.random() < 0.3 else frozenset(),
        regions=frozenset({*AREAS, "hill+5000m", "moor+5000m"}),
    )
    earlier: dict[str, Any] = {
        name: frozenset(code for code in codes if rng.random() < 0.15) for name, codes in CODES.items()
    }
    history = History(category=frozenset(rng.sample(CATEGORIES, rng.choice((0, 0, 1)))), **earlier)
    holdings = (Holding(recipient, (HeldPart("head", ()),)),) if rng.random() < 0.3 else ()
    return event, State(history=history, holdings=holdings)


def _codes(rng: random.Random, name: str) -> frozenset[str] | None:
    if rng.random() < 0.25:
        return None
    return frozenset(code for code in (*CODES[name], "unknown") if rng.random() < 0.3)


def _place(rng: random.Random) -> Place:
    has_coordinates = rng.random() < 0.7
    inside: set[str] = set()
    partly: set[str] = set()
    for region in (*AREAS, "hill+5000m", "moor+5000m"):
        roll = rng.random()
        nearer = region.removesuffix("+5000m")
        if has_coordinates and (roll < 0.35 or nearer in inside):
            inside.add(region)
        elif has_coordinates and (roll < 0.6 or nearer in partly):
            partly.add(region)
    kind = rng.choice(("incident", "last-seen", "destination", "unknown", None))
    return Place(kind, rng.choice((*DISTRICTS, "Hull", None)), has_coordinates, frozenset(inside), frozenset(partly))
