"""Invented people, vehicles and streets: plausible at a glance, and impossible on a second look.

Family names are no family's, telephone numbers are from the range that Ofcom keeps for drama (07700 900000 to 900999),
registration marks begin with Q and I, which no issued mark of this form does, and streets are named after test gear.
"""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Final

from producers.sources.places import District
from schemas.event import Location, Names, Person, Point, Vehicle

_GIVEN: Final = (
    "Aisha",
    "Alfie",
    "Amelia",
    "Bronwen",
    "Callum",
    "Chidi",
    "Daniel",
    "Dorota",
    "Ewan",
    "Farah",
    "Freya",
    "Grace",
    "Hamza",
    "Isla",
    "Jack",
    "Jasmin",
    "Kamil",
    "Leah",
    "Marcus",
    "Megan",
    "Niamh",
    "Noah",
    "Olumide",
    "Parveen",
    "Priya",
    "Rhys",
    "Ruby",
    "Samuel",
    "Sofia",
    "Tariq",
    "Thomas",
    "Wei",
    "Yusuf",
    "Zofia",
)
_FAMILY: Final = (
    "Demonstrake",
    "Examplethwaite",
    "Fictiver",
    "Imagineby",
    "Inventworth",
    "Makebelieve-Jones",
    "Mockridge-Test",
    "Neverwas",
    "Notreally",
    "Placeholder-Smith",
    "Pretenderby",
    "Samplethorpe",
    "Specimen-Khan",
    "Stubbersley",
    "Synthwick",
    "Testerby",
    "Unrealton",
    "Wouldbe-Patel",
)
_STREETS: Final = (
    "Sample Street",
    "Fixture Lane",
    "Assertion Avenue",
    "Mock Hill",
    "Specimen Road",
    "Placeholder Place",
    "Stub Terrace",
    "Dummy Row",
    "Example Gardens",
    "Harness Way",
)
_VEHICLES: Final = (
    ("Ford", "Fiesta", "hatchback"),
    ("Vauxhall", "Corsa", "hatchback"),
    ("Volkswagen", "Golf", "hatchback"),
    ("BMW", "320", "saloon"),
    ("Ford", "Transit", "van"),
    ("Nissan", "Qashqai", "suv"),
    ("Yamaha", "MT-07", "motorcycle"),
)
_COLOURS: Final = ("black", "blue", "grey", "red", "silver", "white")
_LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXY"
_CLOTHING: Final = (
    "dark hooded top, grey jogging bottoms",
    "red anorak, blue jeans",
    "school uniform, black rucksack",
    "white T-shirt, dark shorts",
    "hi-vis jacket, work boots",
)
_BANDS: Final = ("16-17", "18-24", "25-34", "35-49", "50-64", "65-79")


class Inventor:
    """Draws from a seeded random generator, so that the same seed invents the same world."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def names(self) -> Names:
        """A person's names."""
        return Names(given=self.random.choice(_GIVEN), family=self.random.choice(_FAMILY))

    def phone(self) -> str:
        """A mobile number that reaches nobody."""
        return f"+447700900{self.random.randrange(1000):03d}"

    def date_of_birth(self, youngest: int, oldest: int) -> dt.date:
        """A date of birth that gives about that age in 2026."""
        return dt.date(2026 - self.random.randint(youngest, oldest), self.random.randint(1, 12), 1)

    def person(self, ref: str, role: str, **known: object) -> Person:
        """Somebody with names, sex and an estimated age; ``known`` sets or replaces fields."""
        fields: dict[str, object] = {
            "names": self.names(),
            "sex": self.random.choice(("female", "male")),
            "age_band": self.random.choice(_BANDS),
        }
        return Person.model_validate({"person_ref": ref, "role": role, **fields, **known})

    def stranger(self, ref: str, role: str, **known: object) -> Person:
        """Somebody known by description only."""
        seen: dict[str, object] = {
            "names": None,
            "clothing": self.clothing(),
            "build": self.random.choice(("slim", "medium", "heavy")),
            "height_cm": self.random.randrange(155, 196, 5),
            "identified_by": "description-only",
        }
        return self.person(ref, role, **{**seen, **known})

    def clothing(self) -> str:
        """What somebody wears."""
        return self.random.choice(_CLOTHING)

    def mark(self) -> str:
        """A registration mark that was never issued."""
        letters = "".join(self.random.choices(_LETTERS, k=3))
        return f"QI{self.random.randrange(2, 74):02d}{letters}"

    def vehicle(self, ref: str, role: str, **known: object) -> Vehicle:
        """A vehicle whose mark somebody has read."""
        make, model, body = self.random.choice(_VEHICLES)
        fields: dict[str, object] = {
            "vrm": self.mark(),
            "vrm_certainty": self.random.choice(("checked", "read", "partial", "heard")),
            "country": "GB",
            "make": make,
            "model": model,
            "body": body,
            "colour": self.random.choice(_COLOURS),
        }
        return Vehicle.model_validate({"vehicle_ref": ref, "role": role, **fields, **known})

    def address(self) -> str:
        """A street address."""
        return f"{self.random.randrange(1, 190)} {self.road()}"

    def road(self) -> str:
        """A street."""
        return self.random.choice(_STREETS)

    def place(self, ref: str, kind: str, district: District, **known: object) -> Location:
        """A place within a few kilometres of the middle of a district."""
        point = Point(
            latitude=round(district.latitude + self.random.uniform(-0.03, 0.03), 5),
            longitude=round(district.longitude + self.random.uniform(-0.05, 0.05), 5),
        )
        fields: dict[str, object] = {"road": self.road(), "district": district.name, "point": point}
        return Location.model_validate({"location_ref": ref, "kind": kind, **fields, **known})
