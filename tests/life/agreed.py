"""What is agreed in the life that incidents lead here: two agreements and a standing protection, and how they change.

North and south publish; south, west and east receive, and north what south publishes. Each rule is there for one
sentence of the language: following, referral, invitation, override, doubt, silence, a limit, a holder, an addressee.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Final

from routing.agreements.bundle import Bundle
from routing.agreements.model import (
    Agreement,
    Condition,
    Forbid,
    Limit,
    MemberFacts,
    Refer,
    RoleHolders,
    Rule,
    RulingTerms,
    Share,
    Signature,
    Step,
    Suspension,
    Terms,
)
from schemas.exchange import AnswersWithin, ControlRoom, Exchange, Member
from schemas.sections import SECTIONS

ALL: Final = ("head", *SECTIONS)
EVERYBODY: Final = ("east", "north", "south", "west")
INSPECTOR, SUPERINTENDENT, MANAGER = "duty-inspector", "superintendent", "force-incident-manager"
PEOPLE: Final = {INSPECTOR: "insp.ahmed", SUPERINTENDENT: "supt.jones", MANAGER: "fim.lee"}
WITHIN: Final = AnswersWithin(
    transfer_s=(120, 180), assistance_s=(60,), correction_s=(300,), withdrawal_s=(600,), retraction_s=(900, 3600)
)
EXCHANGE: Final = Exchange(
    exchange="life",
    partitions=2,
    members={
        name: Member(name=name, publishes=name in ("north", "south"), receives=True, contact=ControlRoom(phone="01632"))
        for name in EVERYBODY
    },
    answers=WITHIN,
)

_POLICING: Final = Terms("law-enforcement", "part-3", "DPA 2018 s.35(2)(b)", 90)
_SAFEGUARDING: Final = Terms("safeguarding", "uk-gdpr", "Children Act 2004 s.11", 30)
RULED_AT_THE_BORDER: Final = RulingTerms("law-enforcement", "DPA 2018 s.35(2)(b)", 10)
_SIGNED: Final = tuple(Signature(member, "A. Chief", "ACC", date(2025, 12, 1)) for member in ("north", "south"))


def _if(attribute: str, *values: str) -> tuple[Condition, ...]:
    return (Condition(attribute, values),)  # type: ignore[arg-type]


def _sections(*named: str) -> tuple[str, ...]:
    return tuple(section for section in SECTIONS if section in named)


BORDER: Final = (
    Share(
        id="serious",
        recipients=("north", "south", "west"),
        grant=_sections("classification", "locations", "vehicles"),
        terms=_POLICING,
        when=_if("grade", "emergency", "priority"),
    ),
    Share(id="plain", recipients=("west",), grant=("classification",), terms=_POLICING),
    Share(
        id="held",
        recipients=("south",),
        grant=("hazards",),
        terms=replace(_POLICING, retain_days=7),
        when=_if("holder"),
    ),
    Refer(
        id="sensitive",
        recipients=("east", "south", "west"),
        sections=("locations",),
        path=(Step(INSPECTOR, 900), Step(SUPERINTENDENT, 1800)),
        ruling=RULED_AT_THE_BORDER,
        when=_if("flags", "sexual-offence"),
    ),
    Refer(
        id="whole",
        recipients=("south",),
        sections=ALL,
        path=(Step(MANAGER, 600),),
        silent=True,
        ruling=RULED_AT_THE_BORDER,
        when=_if("status", "deferred"),
    ),
    Forbid(
        id="source",
        recipients=EVERYBODY,
        sections=ALL,
        when=_if("caveats", "source-sensitive"),
        override=(MANAGER,),
        ruling=RULED_AT_THE_BORDER,
    ),
    Forbid(
        id="weapon",
        recipients=("south",),
        sections=("vehicles",),
        when=_if("flags", "firearm"),
        ruling=RULED_AT_THE_BORDER,
    ),
    Limit(id="coarse", recipients=("west",), locate="10km", when=_if("flags", "child")),
)
CHILDREN: Final = (
    Share(
        id="safe",
        recipients=("east", "south"),
        grant=_sections("facts", "subjects"),
        terms=_SAFEGUARDING,
        when=_if("flags", "child"),
    ),
    Share(
        id="asked",
        recipients=("east", "west"),
        grant=_sections("classification", "locations"),
        terms=_SAFEGUARDING,
        when=_if("addressed"),
        locate="1km",
    ),
    Refer(
        id="facts",
        recipients=("east", "south"),
        sections=("facts", "locations"),
        path=(Step(SUPERINTENDENT, 1200), Step(INSPECTOR, 300)),
        when=_if("flags", "sexual-offence"),
    ),
    Refer(
        id="invited",
        recipients=("east",),
        sections=_sections("classification", "facts"),
        invite=True,
        path=(Step(MANAGER, 600),),
        when=_if("status", "attending"),
    ),
)
REFUGES: Final = (
    Forbid(id="refuge", recipients=("south", "west"), sections=ALL, when=_if("caveats", "refuge")),
    Forbid(id="place", recipients=("west",), sections=("locations",), silent=True, when=_if("flags", "sexual-offence")),
)
DOUBT: Final = (Step(MANAGER, 600),)


def _agreement(name: str, rules: tuple[Rule, ...], **changes: object) -> Agreement:
    plain = Agreement(
        id=name,
        title=name,
        owner="owner@north.example",
        starts=date(2026, 1, 1),
        origins=("north", "south"),
        rules=tuple(sorted(rules, key=lambda rule: rule.id)),
        signatures=_SIGNED,
        ceiling=SECTIONS,
        onward="ask",
    )
    return replace(plain, **changes)


CHANGES: Final = (
    "suspend-border",
    "suspend-children",
    "drop-children",
    "refuges",
    "drop-plain",
    "drop-sensitive",
    "end-border",
)
"""What a policy owner may do; done again it is undone."""


def bundle(version: int, done: frozenset[str] = frozenset()) -> Bundle:
    """The policy in force once these changes were made."""
    dropped = {name.removeprefix("drop-") for name in done}
    border = tuple(rule for rule in BORDER if rule.id not in dropped)
    ends = date(2026, 6, 1) if "end-border" in done else None
    files = [_agreement("BDR", border, ends=ends, doubt=DOUBT, ruling=RulingTerms("law-enforcement", "s.35", 10))]
    if "drop-children" not in done:
        files.append(_agreement("CHD", CHILDREN, follow_hours=24, onward="forbidden"))
    if "refuges" in done:
        files.append(_agreement("REF", REFUGES, standing=True, signatures=()))
    who = {"suspend-border": "BDR", "suspend-children": "CHD"}
    suspended = tuple(Suspension(who[name], "the owner", "an error") for name in sorted(done & who.keys()))
    members = tuple(
        MemberFacts(name, facts.publishes, facts.receives, "GB", competent_authority=True, area=None)
        for name, facts in EXCHANGE.members.items()
    )
    roles = tuple(
        RoleHolders(role, origin, (person,)) for role, person in PEOPLE.items() for origin in ("north", "south")
    )
    return Bundle(
        version,
        "the policy desk",
        members,
        tuple(files),
        roles=roles,
        suspended=suspended,
        discretion=(MANAGER, INSPECTOR),
    )
