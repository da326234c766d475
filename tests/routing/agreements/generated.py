"""Bundles, events and states made up at random from a seed, over few words, so that rules meet events often.

Everything that the language can say turns up: all outcomes and conditions, doubt paths, overrides, standing files,
never-states, suspensions, agreements not begun, ended or unsigned, limits, places in and partly in areas; and states
with history, holdings, rulings of every kind, refusals, open lines and bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final, TypeVar

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered, Place
from routing.agreements.model import (
    FINEST_FIRST,
    Agreement,
    Area,
    Block,
    Condition,
    Forbid,
    Limit,
    MemberFacts,
    NeverState,
    Onward,
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
from routing.agreements.regions import regions_of
from routing.agreements.state import (
    CaseLine,
    Discretion,
    HeldGrant,
    HeldPart,
    History,
    Holding,
    Override,
    Refusal,
    Release,
    RuleRef,
    State,
)
from schemas.sections import SECTIONS

T = TypeVar("T")

NAMES: Final = ("east", "north", "south", "west")
AREAS: Final = ("dales", "moor", "north-area", "south-area")
_NEAR_AND_PERSONAL: Final = ("near", "has", "holder", "addressed")
_WORDS: Final = ("grade", "kind", "mode", "marking", "status")
SETS: Final = ("qualifiers", "flags", "caveats", "handling")
CODES: Final = {
    "category": (
        "transport",
        "transport/rtc",
        "transport/rtc/injury",
        "crime",
        "crime/violence",
        "crime/violence/domestic",
    ),
    "qualifiers": ("hate", "hate/race", "repeat"),
    "flags": ("child", "high-risk", "weapon/firearm"),
    "caveats": ("refuge", "source-sensitive"),
    "handling": ("no-media", "no-media/press"),
    "grade": ("emergency", "priority", "scheduled"),
    "status": ("open", "at-scene", "closed"),
    "kind": ("created", "updated", "corrected", "closed", "reopened"),
    "mode": ("actual", "exercise", "test"),
    "marking": ("official", "official-sensitive"),
    "district": ("Leeds", "York"),
}
UPPER: Final = {"flags": ("weapon",), "category": ("public-safety",)}
"""Codes that no rule names and that lie above some that do, or nowhere near."""
KINDS: Final = ("incident", "last-seen", "caller", "destination", "unknown", None)
ROLES: Final = ("inspector", "superintendent")
SOME: Final = ("classification", "locations", "victims", "vehicles", "facts", "narrative", "hazards")
DAY: Final = date(2026, 6, 10)
NOON: Final = datetime(2026, 6, 10, 11, tzinfo=UTC)


class Maker:
    """Makes things up; the same from the same seed."""

    def __init__(self, seed: object) -> None:
        self.random = Random(f"{seed}")

    # -- choosing

    def one(self, among: Sequence[T]) -> T:
        return among[int(self.random.random() * len(among))]

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def some(self, among: Sequence[T], most: int = 2, least: int = 0) -> tuple[T, ...]:
        chosen = self.random.sample(range(len(among)), min(self.random.randint(least, most), len(among)))
        return tuple(among[each] for each in sorted(chosen))

    def few(self, among: Sequence[T], most: int = 2) -> tuple[T, ...]:
        return self.some(among, most, 1)

    def day(self) -> date:
        return DAY + timedelta(days=self.random.randint(-2, 2))

    # -- bundles

    def condition(self) -> Condition:
        attribute: Any = self.one(
            (
                "category",
                *SETS,
                "caveats",
                "flags",
                *_WORDS,
                "district",
                "area",
                "near",
                "near",
                "has",
                "holder",
                "addressed",
            )
        )
        if attribute in ("holder", "addressed"):
            return Condition(attribute)
        place = self.one(((), (), ("last-seen",), ("incident", "caller")))
        if attribute == "near":
            who = self.one(("recipient", "origin", "north", "east"))
            return Condition("near", (who,), place=place, within_m=self.one((0, 1000, 5000)))
        if attribute == "area":
            return Condition("area", self.few(AREAS), place=place)
        if attribute == "district":
            return Condition("district", self.few(CODES["district"]), place=place)
        if attribute == "has":
            return Condition("has", self.few(SOME, 3), needs_all=self.chance(0.4))
        return Condition(attribute, self.few(CODES[attribute]), needs_all=attribute in SETS and self.chance(0.4))

    def block(self, size: int) -> Block:
        return tuple(self.condition() for _ in range(size))

    def rule(self, name: str, *, standing: bool) -> Rule:
        made: dict[str, Any] = {
            "id": name,
            "recipients": NAMES if standing else self.some(NAMES, 4, 1),
            "when": self.block(self.one((0, 0, 1, 2))),
            "unless": tuple(self.block(self.one((1, 1, 2))) for _ in range(self.one((0, 0, 0, 0, 1, 2)))),
            "why": self.one((None, "because")),
        }
        outcome = self.one(
            ("refer", "forbid", "limit")
            if standing
            else ("share", "share", "share", "share", "refer", "forbid", "limit")
        )
        if outcome == "share":
            return self.share(made)
        if outcome == "limit":
            return self.limit(made)
        made |= {"sections": self.covered(), "silent": self.chance(0.2)}
        made["ruling"] = RulingTerms(self.one(("", "safeguarding")), "law", self.one((0, 10, 40)))
        if outcome == "forbid":
            return Forbid(**made, override=self.some(ROLES, 1))
        return Refer(**made, path=self.path(), invite=self.chance(0.25))

    def covered(self) -> tuple[str, ...]:
        if self.chance(0.2):
            return ("head", *SECTIONS)
        head = ("head",) if self.chance(0.1) else ()
        return (*head, *self.few(SOME, 3))

    def path(self) -> tuple[Step, ...]:
        return tuple(Step(role, 60 * self.random.randint(1, 60)) for role in self.few(ROLES))

    def share(self, made: dict[str, Any]) -> Share:
        terms = Terms(self.one(("law-enforcement", "public-safety")), "part-3", "law", self.one((1, 30, 90)))
        grant = self.one((SECTIONS, self.some(SOME, 5), self.some(SOME, 3)))
        return Share(
            **made,
            grant=grant,
            terms=terms,
            on_doubt_share=self.chance(0.2),
            locate=self.one(("exact", "exact", *FINEST_FIRST)),
        )

    def limit(self, made: dict[str, Any]) -> Limit:
        onward: Onward | None = self.one((None, "forbidden", "ask"))
        return Limit(**made, locate=self.one(FINEST_FIRST), retain_days=self.one((None, 2, 60)), onward=onward)

    def agreement(self, name: str) -> Agreement:
        standing = self.chance(0.25)
        return Agreement(
            id=name,
            title="t",
            owner="o",
            starts=self.one((DAY, DAY, self.day())),
            origins=self.some(NAMES, 4, 2),
            rules=tuple(self.rule(each, standing=standing) for each in "abcdef"[: self.random.randint(1, 6)]),
            standing=standing,
            review=self.one((None, self.day())),
            ends=self.one((None, None, self.day())),
            signatures=tuple(Signature(each, "n", "r", self.one((DAY, self.day()))) for each in self.some(NAMES, 4, 3)),
            ceiling=SECTIONS,
            onward=self.one(("forbidden", "ask", "permitted")),
            follow_hours=self.one((0, 24, 72)),
            doubt=self.path() if self.chance(0.4) else (),
            ruling=RulingTerms("law-enforcement", "law", 20),
        )

    def bundle(self) -> Bundle:
        members = tuple(
            MemberFacts(
                name,
                publishes=True,
                receives=name != "west" or self.chance(0.8),
                country="GB",
                competent_authority=True,
                area=area,
            )
            for name, area in zip(NAMES, (None, "north-area", "south-area", "nowhere"), strict=True)
        )
        never = tuple(NeverState(name, self.one(SETS), "none") for name in self.some(NAMES, 2))  # type: ignore[arg-type]
        return Bundle(
            version=1,
            published_by="x",
            members=members,
            agreements=tuple(self.agreement(name) for name in "ABCDE"[: self.random.randint(1, 5)]),
            roles=tuple(RoleHolders(role, "north", ("x",)) for role in ROLES),
            never_states=never,
            suspended=(Suspension("A", "x", "y"),) if self.chance(0.2) else (),
            areas=tuple(Area(name, "{}") for name in AREAS),
            discretion=self.some(ROLES, 1),
        )

    # -- events

    def codes(self, attribute: str) -> frozenset[str] | None:
        if self.chance(0.15):
            return None
        return frozenset(self.some((*CODES[attribute], *UPPER.get(attribute, ()), "unknown"), 2))

    def word(self, attribute: str) -> str:
        return "unknown" if self.chance(0.12) else self.one(CODES[attribute])

    def place(self, regions: Sequence[str]) -> Place:
        inside = frozenset(self.some(regions, 3))
        partly = frozenset(self.some(regions, 2)) - inside
        return Place(self.one(KINDS), self.one((None, "leeds", "York", "unknown")), self.chance(0.8), inside, partly)

    def category(self) -> str | None:
        code = self.one((*CODES["category"], *UPPER["category"], "unknown"))
        return self.one((code, code, code, f"{code}/unknown", None))

    def event(self, bundle: Bundle, **changes: Any) -> Considered:
        regions = sorted(regions_of(bundle))
        measured = frozenset(regions if self.chance(0.9) else self.some(regions, len(regions)))
        sections = self.one((frozenset(SECTIONS), frozenset(self.some(SOME, 5))))
        stated: dict[str, Any] = {
            "origin": self.one(NAMES),
            "category": self.category(),
            **{name: self.codes(name) for name in SETS},
            **{name: self.word(name) for name in ("grade", "status", "marking")},
            "kind": self.one(("created", "updated", "updated", "corrected", "closed", "reopened", "unknown")),
            "mode": self.one(("actual", "actual", "actual", "actual", "exercise", "unknown")),
            "places": tuple(self.place(regions) for _ in range(self.one((0, 1, 1, 2)))),
            "sections": sections,
            "addressees": frozenset(self.some(NAMES, 2)),
            "opening_category": self.category() if self.chance(0.3) else None,
            "closing_category": self.category() if self.chance(0.2) else None,
            "regions": measured,
            "hazards": frozenset(self.some(("fire", "dog"), 1)),
            "placed": frozenset(self.some(("locations", "vehicles"), 2)) & sections,
            "changes": frozenset(self.some((*SETS, "category"), 2)),
            "sequence": self.random.randint(1, 3),
        }
        return Considered(**stated | changes)

    # -- states

    def parts(self) -> frozenset[str]:
        return frozenset(self.one((("head", *SECTIONS), self.few(("head", *SOME), 4))))

    def moment(self) -> datetime:
        return NOON + timedelta(hours=self.random.randint(-200, 40))

    def history(self) -> History:
        if self.chance(0.4):
            return History()
        stated: dict[str, frozenset[str]] = {name: frozenset(self.some(CODES[name], 1)) for name in SETS}
        for name in ("category", "opening_category", "closing_category"):
            stated[name] = frozenset(self.some(CODES["category"], 1))
        return History(**stated)

    def held(self, part: str, bundle: Bundle) -> HeldPart:
        grants = [
            HeldGrant(
                agreement.id, rule.id, self.one(("rule", "ruling")), "law-enforcement", "law", self.one((1, 30)), "ask"
            )  # type: ignore[arg-type]
            for agreement in self.few(bundle.agreements)
            for rule in self.few(agreement.rules, 1)
        ]
        return HeldPart(part, tuple(grants), self.one(FINEST_FIRST))

    def holding(self, member: str, bundle: Bundle) -> Holding:
        parts = tuple(self.held(part, bundle) for part in ("head", *self.some(SOME, 4)))
        return Holding(member, parts, self.one((1, 30, 90)), restricted=self.chance(0.3))

    def ruling(self, bundle: Bundle) -> dict[str, Any]:
        agreement = self.one(bundle.agreements)
        return {
            "id": "R",
            "role": self.one(ROLES),
            "agreement": agreement.id,
            "rule": self.one(("", self.one(agreement.rules).id)),
            "recipients": frozenset(self.few(NAMES, 3)),
            "parts": self.parts(),
            "at": NOON - timedelta(hours=self.random.randint(0, 6)),
            "until": self.one((None, None, self.moment())),
            "locate": self.one(FINEST_FIRST),
        }

    def refs(self, bundle: Bundle) -> tuple[RuleRef, ...]:
        return tuple(
            RuleRef(agreement.id, rule.id)
            for agreement in bundle.agreements
            for rule in agreement.rules
            if self.chance(0.7)
        )

    def release(self, bundle: Bundle) -> Release:
        caveats = frozenset((*CODES["caveats"], "unknown")) if self.chance(0.7) else frozenset[str]()
        return Release(
            **self.ruling(bundle),
            rules=self.refs(bundle),
            filled=frozenset(self.some(SECTIONS, 16, 8)),
            caveats=caveats,
        )

    def refusal(self, bundle: Bundle) -> Refusal:
        return Refusal(
            kind=self.one(("refusal", "lapse")),
            recipients=frozenset(self.few(NAMES)),
            parts=self.parts(),
            rules=self.refs(bundle),
            grade=self.word("grade"),
            flags=frozenset(self.some(CODES["flags"], 2)),
            hazards=frozenset(self.some(("fire", "dog"), 2)),
        )

    def line(self, bundle: Bundle) -> CaseLine:
        agreement = self.one(bundle.agreements)
        return CaseLine(
            recipient=self.one(NAMES), agreement=agreement.id, rule=self.one(agreement.rules).id, parts=self.parts()
        )

    def state(self, bundle: Bundle) -> State:
        """What came before: nothing, a history, holdings, and seldom what people ruled."""
        ruled = self.chance(0.3)
        return State(
            history=self.history(),
            holdings=tuple(self.holding(member, bundle) for member in self.some(NAMES, 2)),
            barred=frozenset(self.some(NAMES, 1)) if self.chance(0.1) else frozenset(),
            releases=tuple(self.release(bundle) for _ in range(self.random.randint(0, 2))) if ruled else (),
            discretions=(Discretion(**self.ruling(bundle), sequence=self.one((None, 2))),)
            if ruled and self.chance(0.4)
            else (),
            overrides=(Override(**self.ruling(bundle)),) if ruled and self.chance(0.4) else (),
            refusals=(self.refusal(bundle),) if self.chance(0.15) else (),
            lines=(self.line(bundle),) if self.chance(0.15) else (),
            closed_at=self.moment() if self.chance(0.25) else None,
            last_event_at=self.one((None, NOON - timedelta(hours=3), NOON - timedelta(days=91))),
        )
