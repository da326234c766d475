"""People of the demonstration: they see what is in a database, and act by ordinary ``huecry`` commands."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from deploy.demo.crew import Crew
from deploy.demo.figures import rows

TOKEN: Final = "demonstration-only-this-token-opens-nothing-else"  # noqa: S105  a bundle of invented people has its digest
"""By which the invented inspector is known; it guards nothing."""
_PATIENCE_S: Final = "60"
"""How long whoever rules waits for the router's word, on a busy machine."""
_TOLD: Final = """
SELECT feedback_id, entry, feedback.kind AS kind, coalesce(was_at, at) AS at, by_role, reference,
  CASE feedback.kind WHEN 'delivered' THEN action END AS action, coalesce(covers, '[]') AS covers,
  coalesce(feedback.person, ruling.person) AS person, coalesce(feedback.role, ruling.role) AS role
FROM feedback LEFT JOIN ruling USING (ruling_id) LEFT JOIN decision USING (delivery_id)
WHERE feedback.incident_id = ? AND feedback.member = ? AND feedback.kind = ? AND (by_role IS NOT NULL) = ?
ORDER BY coalesce(was_at, at), entry
"""
_WAITS: Final = "SELECT 1 FROM awaiting WHERE incident_id = ? AND what = ?"


class Moment(NamedTuple):
    """Something that happened, as the force's ledger tells it."""

    kind: str
    """As feedback calls it."""
    at: datetime
    person: str | None
    """Who ruled at the force."""
    role: str | None
    """In which role; or who is asked."""
    by_role: str | None
    """In which role somebody at the member said so."""
    reference: str | None
    """The member's own."""
    action: str | None
    """Of a delivery of an event: share or correct."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where people of the demonstration see and act."""

    crew: Crew
    ledger: Path
    """Of the force whose incidents these are."""
    receiving: Mapping[str, Path]
    common: tuple[str, ...]
    """The options that name the exchange and the broker."""
    token: Path
    """Holds what the inspector is known by."""


@dataclass
class Acting:
    """Who acts in one incident's life, and what has come of it. Each act yields until it is done."""

    places: Places
    name: str
    """Of the life."""
    log: str
    incident_id: str
    member: str
    moments: list[Moment] = field(default_factory=list)
    _heard: set[tuple[str, int]] = field(default_factory=set)

    def until_told(self, kind: str, *, by_person: bool = False, covering: str | None = None) -> Iterator[None]:
        """Wait until the force's ledger has something of this kind for the member, after what it told last.

        Args:
            kind: as feedback calls it.
            by_person: whether a person at the member says so, and not its system.
            covering: of a delivery: the section that it must cover.
        """
        while (told := self._told(kind, covering, by_person=by_person)) is None:
            yield
        self.moments.append(told)

    def until_asked(self, what: str) -> Iterator[None]:
        """Wait until the member's own database says that this waits for an answer."""
        while not rows(self.places.receiving[self.member], _WAITS, self.incident_id, what):
            yield

    def rules(self, *words: str) -> Iterator[None]:
        """The force's inspector runs a command, and it counts."""
        known = ("--ledger", str(self.places.ledger), "--token-file", str(self.places.token), "--wait", _PATIENCE_S)
        yield from self._run(*words, *known, *self.places.common)

    def answers(self, *words: str) -> Iterator[None]:
        """Somebody at the member answers."""
        yield from self._run("answer", self.incident_id, *words, "--into", str(self.places.receiving[self.member]))

    def _run(self, *words: str) -> Iterator[None]:
        said = f"{self.name}-{words[0]}"
        self.places.crew.say(said, *words)
        while not self.places.crew.finished((said,)):
            yield

    def _told(self, kind: str, covering: str | None, *, by_person: bool) -> Moment | None:
        since = self.moments[-1].at if self.moments else None
        for row in rows(self.places.ledger, _TOLD, self.incident_id, self.member, kind, by_person):
            key, at = (row["feedback_id"], row["entry"]), datetime.fromisoformat(row["at"])
            is_meant = covering is None or covering in json.loads(row["covers"])
            if is_meant and key not in self._heard and (since is None or at >= since):
                self._heard.add(key)
                said = (row[name] for name in ("person", "role", "by_role", "reference", "action"))
                return Moment(kind, at, *said)
        return None


def write_token(file: Path) -> Path:
    """Write the inspector's token where nobody else may read it, as the commands ask."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(f"{TOKEN}\n")
    return file
