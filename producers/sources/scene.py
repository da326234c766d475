"""What a story is given to write with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from producers.sources.invented import Inventor
from producers.sources.places import District
from producers.sources.sheet import Sheet

Steps = Iterator[str]
"""The kind of event that each step of a story makes; the last is ``closed``."""


@dataclass(frozen=True)
class Scene:
    """What a story is given: a sheet, a district, and an inventor."""

    sheet: Sheet
    district: District
    invent: Inventor

    def chance(self, probability: float) -> bool:
        """Whether something happens this time."""
        return self.invent.random.random() < probability

    def callsign(self) -> str:
        """A patrol's callsign."""
        random = self.invent.random
        return f"{random.choice('ABKLW')}{random.choice('JNTX')}{random.randrange(10, 99)}"

    def at(self, kind: str = "incident", **known: object) -> None:
        """The incident is at a place in the district."""
        places = self.sheet.sections.get("locations", [])
        self.sheet.add("locations", self.invent.place(f"P{len(places) + 1}", kind, self.district, **known))

    def caller(self, role: str = "caller") -> None:
        """Somebody calls; anonymous callers leave neither name nor number."""
        if role == "anonymous":
            person = self.invent.stranger("C1", role, clothing=None, build=None, height_cm=None, identified_by=None)
            self.sheet.head["handling"] = ("anonymous-caller",)
        else:
            person = self.invent.person("C1", role, phones=(self.invent.phone(),), identified_by="self")
        self.sheet.add("callers", person)

    def caller_is_also(self, section: str, role: str, **known: object) -> None:
        """The caller stands in another section too; the call-back number stays in ``callers``."""
        caller = self.sheet.sections["callers"][0]
        self.sheet.add(section, caller.model_copy(update={"role": role, "phones": (), **known}))

    def attend(self) -> Steps:
        """A unit is sent and arrives."""
        self.sheet.send(self.callsign())
        yield "updated"
        self.sheet.units_are("at-scene")
