"""The incident sheet of a synthetic control room: what is known so far, and the snapshot of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from producers.identity import event_id_of
from producers.sources.invented import Inventor
from schemas.event import Casualty, Classification, Contact, Control, Hazard, IncidentEvent, LogLine, Quality, Resource

_INITIAL = Quality(accuracy="possible", completeness="initial", reliability="untested")
_LATER = Quality(accuracy="probable", completeness="partial", reliability="police-observed")
_FINAL = Quality(accuracy="confirmed", completeness="complete", reliability="police-observed")
_HEARD = Quality(accuracy="possible", reliability="identified-person")
_SEEN = Quality(accuracy="confirmed", reliability="police-observed")


class Sheet:
    """One open incident. Stories write on it; every snapshot holds all of it.

    ``now`` is the time of the step being written. Lines keep the entry_id and the time they got when they were written.
    """

    def __init__(self, incident_id: str, local_ref: str, inventor: Inventor) -> None:
        self.incident_id = incident_id
        self.local_ref = local_ref
        self.inventor = inventor
        self.now: datetime
        self.opened_at: datetime | None = None
        self.head: dict[str, Any] = {"status": "open", "grade": "unknown", "marking": "official", "handling": ()}
        self.classified: dict[str, Any] = {"qualifiers": (), "flags": ()}
        self.caveats: tuple[str, ...] | None = ()
        self.sections: dict[str, list[Any]] = {}
        self._sequence = 0
        self._lines = 0

    def classify(self, category: str, local_code: str, local_text: str, **sets: Iterable[str] | None) -> None:
        """Set the category (and qualifiers and flags); the first one stays as the opening category."""
        self.classified.setdefault("opening_category", category)
        self.classified |= {"category": category, "local_code": local_code, "local_text": local_text}
        self.classified |= {name: None if codes is None else tuple(codes) for name, codes in sets.items()}

    def grade(self, grade: str, local_grade: str) -> None:
        """Set the grade of response, ours and the room's own."""
        self.head["grade"] = grade
        self.classified["local_grade"] = local_grade

    def add(self, section: str, *items: object) -> None:
        """Put persons, vehicles, places or others in a section."""
        self.sections.setdefault(section, []).extend(items)

    def replace(self, section: str, index: int, **changes: object) -> None:
        """Change fields of an entry."""
        entries = self.sections[section]
        entries[index] = entries[index].model_copy(update=changes)

    def fact(self, text: str, *about: str) -> None:
        """A checked or observed statement."""
        self._line("facts", text, "observed", "unit-at-scene", about, _SEEN)

    def record(self, text: str, *about: str) -> None:
        """What a check of records gave."""
        self._line("facts", text, "record-check", "dispatcher", about, Quality(reliability="official-record"))

    def assessment(self, text: str, *about: str) -> None:
        """An opinion."""
        self._line("assessments", text, "opinion", "supervisor", about, None)

    def told(self, text: str) -> None:
        """Free text as the call-taker typed it."""
        self._line("narrative", text, "reported", "call-taker", (), _HEARD)

    def hazard(self, kind: str, certainty: str = "possible", **known: object) -> None:
        """A danger to whoever attends."""
        self.add("hazards", Hazard.model_validate({"kind": kind, "certainty": certainty, "as_of": self.now, **known}))

    def casualty(self, **known: object) -> None:
        """Casualties, without names."""
        self.add("casualties", Casualty.model_validate(known))

    def send(self, callsign: str, status: str = "allocated") -> None:
        """A unit is sent, and the incident has that status."""
        self.add("resources", Resource(callsign=callsign, kind="patrol", status=status, as_of=self.now))
        self.head["status"] = status

    def units_are(self, status: str) -> None:
        """All units, and the incident, have that status."""
        units = self.sections.get("resources", [])
        self.sections["resources"] = [unit.model_copy(update={"status": status, "as_of": self.now}) for unit in units]
        self.head["status"] = status

    def close(self, closing_category: str | None = None) -> None:
        """The result is entered."""
        self.head["status"] = "closed"
        self.classified["closing_category"] = closing_category or self.classified["category"]

    def snapshot(self, origin: str, contact: Contact, kind: str) -> IncidentEvent:
        """The whole sheet as an event; the next in this incident's sequence."""
        self._sequence += 1
        self.opened_at = self.opened_at or self.now
        quality = _FINAL if kind == "closed" else _INITIAL if self._sequence == 1 else _LATER
        fields: dict[str, Any] = {
            **self.head,
            **{name: tuple(entries) for name, entries in self.sections.items()},
            "classification": (Classification(**self.classified),),
            "control": (Control(sequence=self._sequence, caveats=self.caveats),),
            "quality": quality.model_copy(update={"as_of": self.now}),
        }
        return IncidentEvent(
            origin=origin,
            incident_id=self.incident_id,
            event_id=event_id_of(origin, self.incident_id, self._sequence, f"{self.incident_id}/{self._sequence}"),
            local_ref=self.local_ref,
            kind=kind,
            mode="actual",
            occurred_at=self.opened_at,
            recorded_at=self.now,
            sent_at=self.now,
            category=self.classified["category"].partition("/")[0],
            contact=contact,
            **fields,
        )

    def _line(
        self,
        section: str,
        text: str,
        line_class: str,
        author_role: str,
        about: tuple[str, ...],
        quality: Quality | None,
    ) -> None:
        self._lines += 1
        line = LogLine(
            entry_id=f"L{self._lines}",
            at=self.now,
            entered_at=self.now,
            author_role=author_role,
            line_class=line_class,
            about=about,
            text=text,
            quality=quality,
        )
        self.add(section, line)
