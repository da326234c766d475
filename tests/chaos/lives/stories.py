"""What control rooms tell and take back: the life of each incident as its origin leads it, from a seed.

Times are seconds of the run's clock. What others make of it (who rules, who answers) is in `people`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from tests.routing.scene import NOW, control, event_bytes, item

_CATEGORIES: Final = {
    "transport/rtc/injury": 4,
    "crime/violence/domestic": 4,
    "public-safety/missing": 3,
    "crime/sexual/other": 2,
}
_FILLED: Final = ("locations", "suspects", "victims", "casualties", "vehicles", "facts", "hazards", "resources")
_STEPS: Final = {
    "updated": 5,
    "corrected": 6,
    "transfer": 2,
    "assistance": 2,
    "retract": 1,
    "taken-back": 2,
    "withdrawn": 2,
}
_CORRECTIONS: Final = ("grade", "place", "marks", "offence", "no-flags", "source")
_REASONS: Final = {
    "grade": ("grade", "wrong-grade"),
    "place": ("locations[0].district", "wrong-place"),
    "marks": ("suspects[0].marks", "wrong-person"),
    "offence": ("classification.flags", "wrong-category"),
    "no-flags": ("classification.flags", "wrong-category"),
    "source": ("control.caveats", "wrong-category"),
}


@dataclass(frozen=True)
class Facts:
    """What an incident's events say of it, as far as rules read it."""

    category: str
    grade: str
    status: str = "open"
    flags: frozenset[str] = frozenset()
    caveats: frozenset[str] = frozenset()
    district: str = "Calderdale"
    filled: tuple[str, ...] = ()


@dataclass(frozen=True)
class Telling:
    """An event to be told."""

    after_s: float
    """Since what came before in the story."""
    kind: str
    facts: Facts
    to: tuple[str, ...] = ()
    changes: tuple[tuple[str, str], ...] = ()
    """Of a correction: paths with reasons; of a retraction: its reason."""


@dataclass(frozen=True)
class TakingBack:
    """A person's ruling on what was disclosed."""

    after_s: float
    kind: str
    """retract, lift-bar, withdraw."""
    to: tuple[str, ...]
    reason: str
    ask: str | None = None
    sections: tuple[str, ...] = ()


@dataclass(frozen=True)
class Story:
    """One incident."""

    origin: str
    incident: str
    acts: tuple[Telling | TakingBack, ...]


def story(seed: int, origin: str, number: int, members: tuple[str, ...]) -> Story:
    """The same for the same seed, origin and number. ``members`` are those that receive, the origin excepted."""
    return _Author(Random(f"{seed}/{origin}/{number}"), members).story(origin, f"{origin}-{number:05d}")


def event_of(story: Story, telling: Telling, sequence: int) -> tuple[str, bytes]:
    """The id and the framed bytes of an event."""
    facts, event = telling.facts, f"{story.incident}.{sequence}"
    said: dict[str, Any] = {name: [item(name)] for name in facts.filled}
    if said.get("locations"):
        said["locations"] = [said["locations"][0] | {"district": facts.district}]
    classified = {"category": facts.category, "flags": sorted(facts.flags), "qualifiers": []}
    changes = [{"path": path, "reason": reason, "wrong_from_start": True} for path, reason in telling.changes]
    addressed = control(sequence=sequence, addressees=list(telling.to), caveats=sorted(facts.caveats), changes=changes)
    said |= {"control": addressed, "classification": [classified], "category": facts.category.partition("/")[0]}
    said |= {"kind": telling.kind.upper().replace("-", "_"), "grade": facts.grade.upper(), "handling": []}
    said |= {"status": facts.status.upper().replace("-", "_"), "recorded_at": NOW, "sent_at": NOW}
    empty: dict[str, Any] = {name: [] for name in _ALL if name not in facts.filled}
    return event, event_bytes(story.origin, story.incident, event, **empty | said)


_ALL: Final = (*_FILLED, "convicted", "witnesses", "callers", "subjects", "associates", "assessments", "narrative")


@dataclass
class _Author:
    chance: Random
    members: tuple[str, ...]
    acts: list[Telling | TakingBack] = field(default_factory=list)
    asked: bool = False
    """Somebody has been asked for help, and may be told to stand down."""
    barred: tuple[str, ...] = ()
    """Some were told to give the incident back."""

    def story(self, origin: str, incident: str) -> Story:
        facts = self._first()
        self._tell("created", facts)
        for _ in range(self.chance.randint(1, 4)):
            facts = self._step(facts)
        if self.chance.random() < 0.5:
            facts = replace(facts, status="closed")
            self._tell("closed", facts)
            if self.chance.random() < 0.3:
                facts = self._correct(facts)
            if self.chance.random() < 0.2:
                self._tell("reopened", replace(facts, status="open"))
        return Story(origin, incident, tuple(self.acts))

    def _first(self) -> Facts:
        (category,) = self.chance.choices([*_CATEGORIES], [*_CATEGORIES.values()])
        flags = {flag for flag, odds in (("domestic-abuse", 0.35), ("firearm", 0.25)) if self.chance.random() < odds}
        return Facts(
            category=category,
            grade=self.chance.choice(("emergency", "priority", "scheduled")),
            flags=frozenset(flags),
            filled=tuple(name for name in _FILLED if self.chance.random() < 0.7),
        )

    def _step(self, facts: Facts) -> Facts:
        if self.barred and self.chance.random() < 0.35:
            self._rule("lift-bar", self.barred, "")
            self.barred = ()
        (step,) = self.chance.choices([*_STEPS], [*_STEPS.values()])
        match step:
            case "corrected":
                return self._correct(facts)
            case "transfer" | "assistance":
                self._tell(step, facts, to=self._some(1, 2))
                self.asked = True
            case "retract":
                reason = (("", self.chance.choice(("duplicate", "malicious-call"))),)
                self._tell("retract", facts, to=self._some(0, 2), changes=reason)
            case "taken-back":
                self._take_back()
            case "withdrawn":
                sections = self.chance.choice(((), ("suspects",), ("locations", "facts"), ("vehicles", "hazards")))
                self._rule("withdraw", self._some(1, 3), "excessive", sections=sections)
            case _:
                return self._update(facts)
        return facts

    def _update(self, facts: Facts) -> Facts:
        if self.asked and self.chance.random() < 0.5:
            self._tell("stand-down", facts, to=self._some(0, 1))
            self.asked = False
            return facts
        facts = replace(facts, status=self.chance.choice(("allocated", "attending", "at-scene", "resolved")))
        if self.chance.random() < 0.3:
            facts = replace(facts, filled=tuple(name for name in _FILLED if self.chance.random() < 0.8))
        if self.chance.random() < 0.2:
            facts = replace(facts, flags=facts.flags | {self.chance.choice(("domestic-abuse", "firearm", "child"))})
        if self.chance.random() < 0.12:
            facts = replace(facts, caveats=facts.caveats ^ {"source-sensitive"})
        self._tell("updated", facts)
        return facts

    def _correct(self, facts: Facts) -> Facts:
        what = self.chance.choice(_CORRECTIONS)
        changed: dict[str, Any] = {
            "grade": {"grade": self.chance.choice(("emergency", "priority"))},
            "place": {"district": "Kirklees"},
            "marks": {},
            "offence": {"flags": facts.flags | {"sexual-offence"}},
            "no-flags": {"flags": frozenset()},
            "source": {"caveats": facts.caveats ^ {"source-sensitive"}},
        }
        facts = replace(facts, **changed[what])
        self._tell("corrected", facts, changes=(_REASONS[what],))
        return facts

    def _take_back(self) -> None:
        self.barred = self._some(1, 3)
        reason = self.chance.choice(("wrong-recipient", "unlawful", "superseded"))
        self._rule("retract", self.barred, reason, ask=self.chance.choice(("erase", "restrict")))

    def _some(self, least: int, most: int) -> tuple[str, ...]:
        return tuple(sorted(self.chance.sample(self.members, self.chance.randint(least, most))))

    def _pause(self) -> float:
        return self.chance.choice((self.chance.uniform(0.1, 5), self.chance.uniform(20, 300)))

    def _tell(self, kind: str, facts: Facts, **more: Any) -> None:
        self.acts.append(Telling(self._pause() if self.acts else 0.0, kind, facts, **more))

    def _rule(self, kind: str, to: tuple[str, ...], reason: str, **more: Any) -> None:
        self.acts.append(TakingBack(self._pause(), kind, to, reason, **more))
