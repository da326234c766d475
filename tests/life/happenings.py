"""What may happen: what an event states, what a person says. Plain values, and the bytes that carry them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

from hypothesis import strategies as st

from routing.agreements.considered import Considered, Place
from schemas import codec
from schemas.casework import Ruling
from schemas.codes import enum_symbol
from schemas.sections import SECTIONS
from tests.life.agreed import MANAGER, PEOPLE
from tests.routing.scene import CODEC, event_dict, item

Codes = frozenset[str] | None
Key = tuple[str, str]
"""An incident: its origin and its id."""

STATED = ("classification", "locations", "vehicles", "facts", "subjects", "hazards")
"""The sections that events here may fill."""


@dataclass(frozen=True, repr=False)
class Event:
    """What an event states, as far as anything hangs on it."""

    kind: str = "updated"
    grade: str = "emergency"
    status: str = "open"
    mode: str = "actual"
    flags: Codes = frozenset()
    caveats: Codes = frozenset()
    sections: frozenset[str] = frozenset({"classification", "locations", "vehicles"})
    to: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()

    def __repr__(self) -> str:
        stated = {each.name: getattr(self, each.name) for each in fields(self)}
        usual = {each.name: each.default for each in fields(self)} | {"sections": frozenset(STATED)}
        return (
            f"Event({', '.join(f'{name}={_short(value)}' for name, value in stated.items() if value != usual[name])})"
        )

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))

    def considered(self, origin: str, sequence: int) -> Considered:
        """What conditions read of it."""
        classified = "classification" in self.sections
        named = {"classification.flags": "flags", "control.caveats": "caveats"}
        return Considered(
            origin=origin,
            category="transport/rtc/injury" if classified else "transport",
            qualifiers=None,
            flags=self.flags if classified else None,
            caveats=self.caveats,
            handling=None,
            grade=self.grade,
            status=self.status,
            kind=self.kind,
            mode=self.mode,
            marking="official",
            places=(Place("incident", "Calderdale"),) if "locations" in self.sections else (),
            sections=self.sections,
            addressees=self.to,
            hazards=frozenset({"fire"}) if "hazards" in self.sections else frozenset(),
            placed=self.sections & {"locations"},
            changes=frozenset(named[path] for path in self.paths if path in named and self.kind == "corrected"),
            sequence=sequence,
        )

    def framed(self, key: Key, event_id: str, sequence: int, now: datetime) -> bytes:
        """As its origin publishes it."""
        origin, incident = key
        filled: dict[str, Any] = {section: [item(section)] if section in self.sections else [] for section in SECTIONS}
        if filled["classification"]:
            flags = None if self.flags is None else sorted(self.flags)
            filled["classification"] = [item("classification") | {"flags": flags}]
        stated = {
            "sequence": sequence,
            "addressees": sorted(self.to),
            "caveats": None if self.caveats is None else sorted(self.caveats),
            "changes": [{"path": path, "reason": "wrong-grade"} for path in self.paths],
        }
        words = {name: enum_symbol(getattr(self, name)) for name in ("kind", "grade", "status", "mode")}
        times = {"sent_at": now, "recorded_at": now}
        return CODEC.encode(event_dict(origin, incident, event_id, control=[stated], **filled, **words, **times))


def _short(value: object) -> str:
    return str(sorted(value)) if isinstance(value, frozenset) else repr(value)


class Published(NamedTuple):
    """An event where it stands in its incident."""

    key: Key
    event: Event
    event_id: str
    sequence: int
    value: bytes

    def __repr__(self) -> str:
        return f"{self.key} {self.event_id} {self.sequence} {self.event}"


@dataclass(frozen=True)
class Words:
    """What a person says about an incident."""

    kind: str
    role: str = MANAGER
    person: str = ""
    """Empty: whoever holds the role."""
    to: tuple[str, ...] = ()
    sections: frozenset[str] = frozenset()
    seen: int = 0
    """The sequence they had before their eyes."""
    until: datetime | None = None
    locate: str = "exact"
    agreement: str = ""
    later_events: bool = False
    reason: str | None = None
    ask: str | None = None

    @property
    def who(self) -> str:
        return self.person or PEOPLE.get(self.role, "nobody")

    def framed(self, key: Key, ruling_id: str, now: datetime) -> bytes:
        """As a force's desk publishes it."""
        ruling = Ruling(
            ruling_id=ruling_id,
            member=key[0],
            incident_id=key[1],
            kind=self.kind,
            person=self.who,
            role=self.role,
            made_at=now,
            recipients=self.to,
            sections=tuple(sorted(self.sections)),
            seen_sequence=self.seen,
            because="it is so",
            until=self.until,
            locate=self.locate,
            agreement=self.agreement,
            later_events=self.later_events,
            reason=self.reason,
            ask=self.ask,
        )
        return codec.encode("Ruling", ruling.to_avro())


# -- at random, and the usual more often than the unusual

KINDS = (
    *["updated"] * 6,
    "created",
    *["corrected"] * 4,
    *["transfer", "assistance", "stand-down"] * 2,
    "closed",
    "reopened",
    "retract",
)
GRADES = ("emergency", "emergency", "priority", "scheduled", "unknown")
STATUSES = (*["open"] * 8, "deferred", "attending", "closed")
FLAGS = (
    *[frozenset()] * 3,
    *[frozenset({code}) for code in ("child", "firearm", "sexual-offence")] * 2,
    frozenset({"child", "sexual-offence"}),
    frozenset({"child", "sexual-offence", "firearm"}),
    None,
)
CAVEATS = (*[frozenset()] * 9, frozenset({"source-sensitive"}), frozenset({"refuge"}), None)
PATHS = (
    "grade",
    "hazards[0].kind",
    "locations",
    "locations[0].address",
    "classification.flags",
    "control.caveats",
    "vehicles[0].vrm",
    "classification",
    "local_ref",
)
ADDRESSEES = (frozenset({"south"}), frozenset({"east"}), frozenset({"west", "east"}), frozenset({"south", "nobody"}))


@st.composite
def events(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(KINDS))
    asks = kind in ("transfer", "assistance")
    may_address = asks or kind in ("stand-down", "retract")
    return Event(
        kind=kind,
        grade=draw(st.sampled_from(GRADES)),
        status="closed" if kind == "closed" else draw(st.sampled_from(STATUSES)),
        mode=draw(st.sampled_from(("actual",) * 12 + ("exercise",))),
        flags=draw(st.sampled_from(FLAGS)),
        caveats=draw(st.sampled_from(CAVEATS)),
        sections=frozenset(STATED)
        - draw(st.sampled_from((frozenset(),) * 3 + tuple(frozenset({each}) for each in STATED))),
        to=draw(st.sampled_from(ADDRESSEES if asks else (frozenset(), *ADDRESSEES))) if may_address else frozenset(),
        paths=tuple(draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=3, unique=True)))
        if kind == "corrected"
        else (),
    )
