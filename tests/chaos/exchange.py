"""A small exchange of a test's own: two forces, three recipients, and agreements under which what is covered changes.

Each recipient is granted other sections, and which ones depends on grade, status and category; who has been granted one
goes on hearing of it. Some are forbidden for a while, so that in most incidents a section is covered, then not, then
again: what erases or leaks a section shows. Some incidents are withheld, some forbidden on the way, so that holders are
told that there is no news, and one force never states caveats while the other's silence about them forbids.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from routing.agreements import Bundle, load_bundle
from schemas.exchange import Exchange, load_exchange

PARTITIONS = 6

_EXCHANGE = """
exchange: {name}
partitions: 6
members:
  {north}: {{name: Northern force, publishes: true}}
  {south}: {{name: Southern force, publishes: true}}
  {police}: {{name: Neighbouring force, receives: true}}
  {ambulance}: {{name: Ambulance service, receives: true, competent_authority: false}}
  {agency}: {{name: Agency, receives: true, competent_authority: false}}
"""

_BUNDLE = """
version: 3
published_by: tests
members: ../exchange.yaml
never-states:
  {north}: {{caveats: the northern system has no such field}}
"""

_HEAD = """
owner: sharing@example.org
starts: 2020-01-01
from: [{north}, {south}]
"""

_SIGNED = """
legal_basis: as the test says
breach_contact: dpo@example.org
review: 2090-01-01
signed:
  - {{member: {north}, name: A, role: Chief, date: 2020-01-01}}
  - {{member: {south}, name: B, role: Chief, date: 2020-01-01}}
"""

_POLICE = """
agreement: POLICE
title: A neighbouring force
purpose: law-enforcement
regime: part-3
sensitive: {{condition: "s.35(5), Sch. 8 para 1", policy_document: APD-1}}
to: [{police}]
retain: 90d
onward: ask
share: [classification, locations, suspects, convicted, subjects, vehicles, facts, assessments, resources, hazards]
rules:
  - id: always
    outcome: share
    grant: [classification, locations, vehicles]
  - id: urgent
    outcome: share
    when: {{grade: [emergency]}}
    grant: [suspects, convicted, subjects, hazards, facts]
  - id: units
    outcome: share
    when: {{status: [allocated, attending, at-scene]}}
    grant: [resources, assessments]
"""

_AMBULANCE = """
agreement: AMBULANCE
title: Where somebody may be hurt
purpose: emergency-response
regime: uk-gdpr
to: [{ambulance}]
retain: 30d
onward: forbidden
share: [locations, casualties, hazards]
rules:
  - id: place
    outcome: share
    unless: {{category: [offender]}}
    grant: [locations]
  - id: hurt
    outcome: share
    when: {{category: [transport/rtc, crime/robbery, crime/violence, public-safety]}}
    grant: [casualties, hazards]
"""

_AGENCY = """
agreement: AGENCY
title: The beginning and the end
purpose: safeguarding
regime: uk-gdpr
to: [{agency}]
retain: 365d
onward: permitted
share: [classification, narrative, facts, assessments, locations, suspects, convicted, victims, witnesses, callers,
  subjects, associates]
rules:
  - id: heads
    outcome: share
    unless: {{category: [asb]}}
    grant: []
  - id: both-ends
    outcome: share
    when: {{kind: [created, closed]}}
    grant: [classification]
  - id: families
    outcome: share
    when: {{category: [crime/violence/domestic, public-safety/missing], status: [open, at-scene, located-safe]}}
    grant: [narrative, facts, victims, callers, subjects, associates]
    accept-narrative: a test of free text
"""

_STANDING = """
agreement: STANDING
title: What is never shared
standing: true
rules:
  - id: source
    outcome: forbid
    when: {{caveats: [source-sensitive, arrest-planned]}}
  - id: homes
    outcome: forbid
    sections: [locations, callers]
    when: {{flags: [domestic-abuse], status: [at-scene, closed]}}
  - id: on-the-way
    outcome: forbid
    sections: [casualties, hazards, resources]
    when: {{status: [attending]}}
  - id: at-the-end
    outcome: forbid
    sections: [classification, vehicles]
    when: {{status: [closed]}}
"""


@dataclass(frozen=True)
class Parties:
    """An exchange with its agreements, written into a folder; the members' names end as the test says."""

    folder: Path
    name: str
    ending: str = ""

    @property
    def origins(self) -> tuple[str, str]:
        """The two forces that publish."""
        return self._member("north"), self._member("south")

    @property
    def recipients(self) -> tuple[str, str, str]:
        """The three members that receive."""
        return self._member("police"), self._member("ambulance"), self._member("agency")

    @property
    def exchange_file(self) -> Path:
        """The exchange, as commands take it."""
        return self.folder / "exchange.yaml"

    @property
    def agreements(self) -> Path:
        """The folder of the bundle, as commands take it."""
        return self.folder / "agreements"

    def write(self) -> tuple[Exchange, Bundle]:
        """Write the files, and read them as the programs do."""
        files = {
            self.exchange_file: _EXCHANGE,
            self.agreements / "bundle.yaml": _BUNDLE,
            self.agreements / "agreements" / "police.yaml": _POLICE + _SIGNED + _HEAD,
            self.agreements / "agreements" / "ambulance.yaml": _AMBULANCE + _SIGNED + _HEAD,
            self.agreements / "agreements" / "agency.yaml": _AGENCY + _SIGNED + _HEAD,
            self.agreements / "agreements" / "standing.yaml": _STANDING + _HEAD,
        }
        roles = ("north", "south", "police", "ambulance", "agency")
        names = {role: self._member(role) for role in roles}
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(name=self.name, **names), encoding="utf-8")
        return load_exchange(self.exchange_file), load_bundle(self.agreements)

    def _member(self, role: str) -> str:
        return f"{role}-{self.ending}" if self.ending else role
