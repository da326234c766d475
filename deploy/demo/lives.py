"""Five incidents with a life of their own, and the people in it.

Greater Manchester's duty desk, a second and invented system of that force, plays them. One is released by a person, one
lapses since nobody rules, one is corrected, one is taken back, one is handed over. Each script here is what people do:
whoever acts waits until a database shows what there is to be seen, and then runs the command that a person would run.
What is told of a life is what the force's own ledger has of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from deploy.demo.acting import Acting, Moment, Places

FORCE: Final = "greater-manchester"
SYSTEM: Final = "duty-desk"
REFERENCE: Final = "WY-2026-0417"
"""Under which West Yorkshire takes over what it is handed."""


class Life(NamedTuple):
    """One incident, what it is about, and what people do about it."""

    name: str
    about: str
    log: str
    """Its log number at the force."""
    incident_id: str
    member: str
    """For whom it has this life."""
    script: Callable[[Acting], Iterator[None]]


def _released(acting: Acting) -> Iterator[None]:
    yield from acting.until_told("referred")
    yield from acting.rules(
        *("cases", "release", acting.log, "--to", acting.member, "--seen", "1", "--yes"),
        *("--because", "They may be moved tonight"),
    )
    yield from acting.until_told("released")
    yield from acting.until_told("delivered", covering="locations")


def _lapsed(acting: Acting) -> Iterator[None]:
    for kind in ("referred", "escalated", "lapsed"):
        yield from acting.until_told(kind)


def _corrected(acting: Acting) -> Iterator[None]:
    yield from acting.until_told("delivered")
    yield from acting.until_asked("correct")
    yield from acting.until_told("delivered")
    yield from acting.answers("--accept", "--role", "duty-officer")
    yield from acting.until_told("accepted", by_person=True)


def _retracted(acting: Acting) -> Iterator[None]:
    yield from acting.until_told("delivered")
    yield from acting.rules(
        *("retract", acting.incident_id, "--from", acting.member, "--reason", "wrong-recipient", "--ask", "erase"),
        *("--because", "It is no spill: it is a place that we watch"),
    )
    yield from acting.until_told("retracted")
    yield from acting.until_told("restricted")
    yield from acting.until_asked("retract")
    yield from acting.answers("--erased", "--role", "duty-officer")
    yield from acting.until_told("erased", by_person=True)


def _transferred(acting: Acting) -> Iterator[None]:
    yield from acting.until_told("delivered")
    yield from acting.until_asked("transfer")
    yield from acting.answers("--accept", "--reference", REFERENCE)
    yield from acting.until_told("accepted")


LIVES: Final = (
    Life("released", "people are held at a mill", "D-101", "GMP-INVENTED-1", "west-yorkshire", _released),
    Life("lapsed", "a child at risk, nobody rules", "D-102", "GMP-INVENTED-2", "north-yorkshire", _lapsed),
    Life("corrected", "a burglary, a wrong street", "D-103", "GMP-INVENTED-3", "west-yorkshire", _corrected),
    Life("retracted", "a watched place, no spill", "D-104", "GMP-INVENTED-4", "rivers-agency", _retracted),
    Life("transferred", "a lorry over the border", "D-105", "GMP-INVENTED-5", "west-yorkshire", _transferred),
)


class Lived(NamedTuple):
    """A life, as far as it has come."""

    life: Life
    moments: tuple[Moment, ...]

    @property
    def took_s(self) -> float:
        """From its first moment to its last, of which there is one."""
        return (self.moments[-1].at - self.moments[0].at).total_seconds()


@dataclass
class Lives:
    """The five lives, going on side by side."""

    places: Places
    _going: dict[str, tuple[Life, Acting, Iterator[None]]] = field(default_factory=dict)
    _over: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for life in LIVES:
            acting = Acting(self.places, life.name, life.log, life.incident_id, life.member)
            self._going[life.name] = life, acting, life.script(acting)

    def go_on(self) -> None:
        """Let each go on, as far as it does without waiting."""
        for name, (_, _, script) in self._going.items():
            if name not in self._over and next(script, _OVER) is _OVER:
                self._over.add(name)

    def are_over(self) -> bool:
        """Whether all that was to happen has happened."""
        return len(self._over) == len(self._going)

    def lived(self) -> tuple[Lived, ...]:
        """Each, with what has come of it."""
        return tuple(Lived(life, tuple(acting.moments)) for life, acting, _ in self._going.values())


_OVER: Final = object()
