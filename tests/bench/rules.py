"""The policy that is measured: 200 rules for 60 members, of the size design.md calls typical.

Every event of `tests.bench.workload` is granted to the same three members, each another part, and what it states
decides which further rules match: standing protections, referrals, limits. The other 56 members have agreements of
their own with the origin, about other places and other kinds of incident; each is decided for every event all the same.

About one event in twenty has to do with a case, which is already more than people could rule on at 540 events a
second. `bench_bundle` can be had with referrals that match one event in three, to see what cases cost.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from random import Random
from typing import Final

from routing.agreements.bundle import Bundle
from routing.agreements.model import (
    Agreement,
    Condition,
    Forbid,
    Limit,
    MemberFacts,
    Refer,
    Rule,
    Share,
    Signature,
    Step,
    Terms,
)
from schemas.exchange import Exchange, Member
from schemas.sections import SECTIONS

ORIGIN: Final = "west-yorkshire"
GRANTED: Final = ("greater-manchester", "south-yorkshire", "yorkshire-ambulance")
MEMBERS: Final = 60
RULES: Final = 200
_PUBLISHERS: Final = 44
_RULES_EACH: Final = 5
_ALL: Final = ("head", *SECTIONS)
_TERMS: Final = Terms("law-enforcement", "part-3", "DPA 2018 s.35(2)(b)", 90)
_OTHERS: Final = tuple(f"force-{number:02d}" for number in range(1, MEMBERS - len(GRANTED)))
_NAMES: Final = (ORIGIN, *GRANTED, *_OTHERS)
_TO_THREE: Final = (
    ("classification", "locations", "suspects", "vehicles", "facts", "hazards"),
    ("classification", "locations", "victims", "facts"),
    ("locations", "casualties", "hazards"),
)
_ELSEWHERE: Final = ("Craven", "Harrogate", "High Peak", "Oldham", "Rochdale", "Selby", "Barnsley", "Pendle")
FLAGS: Final = ("child", "high-risk", "vulnerable-adult", "repeat-victim", "weapon", "violence-to-crews", "suicidal")
QUALIFIERS: Final = ("alcohol", "drugs", "domestic", "injury", "youth-related", "repeat", "weapon-used", "business")
_OTHER_KINDS: Final = ("transport/rtc", "transport/rail", "crime/theft", "crime/burglary", "public-safety")


def bench_exchange(name: str) -> Exchange:
    """Sixty members under a name, since groups and transactional ids begin with it."""
    members = {
        member: Member(name=member, publishes=number < _PUBLISHERS, receives=True)
        for number, member in enumerate(_NAMES)
    }
    return Exchange(exchange=name, members=members)


def bench_bundle(*, refers_often: bool = False) -> Bundle:
    """Two hundred rules in forty agreements."""
    random = Random("rules")
    made = [_sort_of_rule(number, random) for number in range(RULES)]
    if not refers_often:
        made = [replace(rule, when=_rarer(rule)) if isinstance(rule, Refer) else rule for rule in made]
    agreements = tuple(
        _agreement(f"B-{first // _RULES_EACH + 1:02d}", made[first : first + _RULES_EACH])
        for first in range(0, RULES, _RULES_EACH)
    )
    members = tuple(
        MemberFacts(
            member, publishes=number < _PUBLISHERS, receives=True, country="gb", competent_authority=True, area=None
        )
        for number, member in enumerate(_NAMES)
    )
    return Bundle(1, "the policy desk", members, agreements)


def _agreement(name: str, rules: list[Rule]) -> Agreement:
    return Agreement(
        id=name,
        title=f"Sharing agreement {name}",
        owner="owner@example.org",
        starts=date(2026, 1, 1),
        origins=(ORIGIN,),
        rules=tuple(sorted(rules, key=lambda rule: rule.id)),
        signatures=(Signature(ORIGIN, "A. Chief", "ACC", date(2025, 12, 1)),),
        ceiling=SECTIONS,
        onward="ask",
    )


def _sort_of_rule(number: int, random: Random) -> Rule:
    """The first three grant; of the others three in five share elsewhere, and the rest protect, refer or limit."""
    name = f"r-{number:03d}"
    if number < len(GRANTED):
        where = Condition("district", ("Kirklees",))
        return Share(id=name, recipients=(GRANTED[number],), grant=_TO_THREE[number], terms=_TERMS, when=(where,))
    sort = number % 10
    if sort < 6:
        return _share_elsewhere(name, random)
    if sort < 8:
        return _protection(name, random)
    return _referral(name, random) if sort == 8 else _limit(name, random)


def _share_elsewhere(name: str, random: Random) -> Share:
    to = tuple(sorted(random.sample(_OTHERS, random.randrange(1, 7))))
    grant = tuple(section for section in SECTIONS if random.random() < 0.4)
    where = Condition("district", tuple(sorted(random.sample(_ELSEWHERE, 2))))
    what = Condition("category", (random.choice(_OTHER_KINDS),))
    when = random.choice(((where,), (what,), (where, what), (where, Condition("grade", ("emergency", "priority")))))
    return Share(id=name, recipients=to, grant=grant, terms=_TERMS, when=when)


def _protection(name: str, random: Random) -> Forbid:
    """Towards everybody or some, and of the three never the head: they are granted something of every event."""
    many = random.random() < 0.3
    to = random.sample(_OTHERS, len(_OTHERS) if many else random.randrange(2, 12))
    covered = random.choice((("victims",), ("victims", "witnesses"), ("suspects", "associates"), ("narrative",), _ALL))
    if covered is not _ALL:
        to += GRANTED
    return Forbid(id=name, recipients=tuple(sorted(to)), sections=covered, when=_stated(random))


def _referral(name: str, random: Random) -> Refer:
    to = tuple(sorted((random.choice(GRANTED), *random.sample(_OTHERS, 5))))
    path = (Step("duty-inspector", 900), Step("on-call-superintendent", 3_600))
    sections = random.choice((("suspects",), ("victims", "facts"), ("hazards",)))
    return Refer(id=name, recipients=to, sections=sections, path=path, when=_stated(random))


def _limit(name: str, random: Random) -> Limit:
    to = tuple(sorted((*GRANTED, *random.sample(_OTHERS, 10))))
    return Limit(id=name, recipients=to, when=_stated(random), retain_days=random.choice((14, 30, 60)), onward="ask")


def _rarer(rule: Refer) -> tuple[Condition, ...]:
    """What it asks for, and a flag besides where it reads qualifiers, or a qualifier where it reads flags."""
    first, *_ = rule.when
    name, codes = ("qualifiers", QUALIFIERS) if first.attribute == "flags" else ("flags", FLAGS)
    return (*rule.when, Condition(name, (Random(rule.id).choice(codes),)))


def _stated(random: Random) -> tuple[Condition, ...]:
    """Two conditions that some of the events meet."""
    categories = ("crime/violence/domestic", "crime/violence/homicide", "crime/robbery", "crime/weapons")
    first = random.choice(
        (Condition("flags", (random.choice(FLAGS),)), Condition("qualifiers", (random.choice(QUALIFIERS),)))
    )
    second = random.choice(
        (
            Condition("category", (random.choice(categories),)),
            Condition("grade", (random.choice(("emergency", "priority", "scheduled")),)),
            Condition("status", (random.choice(("open", "attending", "closed")),)),
            Condition("has", (random.choice(("vehicles", "hazards")),)),
        )
    )
    return (first, second)
