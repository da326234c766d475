"""An exchange in which incidents have a whole life: two forces that share with each other, and two that only receive.

Rules refer some sections, or the whole incident, to people; others forbid a place once a flag is known, so that
corrections take back what was told; limits of answers are minutes, which a fast clock makes seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from routing.agreements import Bundle, load_bundle
from schemas.exchange import Exchange, load_exchange

PEOPLE = {
    "duty-inspector": "insp.ahmed",
    "superintendent": "supt.jones",
    "force-incident-manager": "fim.lee",
}
"""Who holds each role, at both forces."""

_EXCHANGE = """
exchange: {name}
partitions: 3
members:
  {north}: {{name: Northern force, publishes: true, receives: true}}
  {south}: {{name: Southern force, publishes: true, receives: true}}
  {west}: {{name: Western force, receives: true}}
  {ambulance}: {{name: Ambulance service, receives: true, competent_authority: false}}
answers:
  transfer_s: [120, 180]
  assistance_s: [60, 120]
  correction_s: [300]
  withdrawal_s: [300]
  retraction_s: [300, 600]
"""

_BUNDLE = """
version: 3
published_by: tests
members: ../exchange.yaml
roles:
  duty-inspector: {{{north}: [insp.ahmed], {south}: [insp.ahmed]}}
  superintendent: {{{north}: [supt.jones], {south}: [supt.jones]}}
  force-incident-manager: {{{north}: [fim.lee], {south}: [fim.lee]}}
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
title: Forces that share a border
purpose: law-enforcement
regime: part-3
sensitive: {{condition: "s.35(5), Sch. 8 para 1", policy_document: APD-1}}
to: [{north}, {south}, {west}]
retain: 90d
onward: ask
share: [classification, locations, suspects, victims, vehicles, facts, resources, hazards]
rules:
  - id: always
    outcome: share
    grant: [classification, locations, vehicles]
  - id: urgent
    outcome: share
    when: {{grade: [emergency]}}
    grant: [suspects, hazards, facts]
  - id: hurt
    outcome: share
    when: {{category: [crime/violence]}}
    grant: [victims]
  - id: domestic
    outcome: refer
    sections: [locations, victims]
    when: {{flags: [domestic-abuse]}}
    escalate: [duty-inspector, superintendent]
    within: [10m, 10m]
  - id: firearm
    outcome: refer
    sections: [suspects, victims]
    when: {{flags: [firearm]}}
    escalate: [force-incident-manager, superintendent]
    within: [5m, 8m]
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
  - id: hurt
    outcome: share
    when: {{category: [transport/rtc, crime/violence, public-safety]}}
    grant: [locations, casualties, hazards]
"""

_STANDING = """
agreement: STANDING
title: What is never shared, or never without a person
standing: true
purpose: law-enforcement
legal_basis: as the test says
retain: 30d
rules:
  - id: source
    outcome: forbid
    when: {{caveats: [source-sensitive]}}
  - id: homes
    outcome: forbid
    sections: [locations]
    when: {{flags: [sexual-offence]}}
  - id: victims-of-sexual-crime
    outcome: refer
    invite: true
    when: {{category: [crime/sexual]}}
    escalate: [superintendent]
    within: [10m]
"""


@dataclass(frozen=True)
class Parties:
    """An exchange with its agreements, written into a folder; the members' names end as the test says."""

    folder: Path
    name: str
    ending: str = ""

    @property
    def origins(self) -> tuple[str, str]:
        """The forces that publish."""
        return self._member("north"), self._member("south")

    @property
    def recipients(self) -> tuple[str, ...]:
        """Every member: all receive."""
        return (*self.origins, self._member("west"), self._member("ambulance"))

    def write(self) -> tuple[Exchange, Bundle]:
        """Write the files, and read them as the programs do."""
        agreements = self.folder / "agreements"
        files = {
            self.folder / "exchange.yaml": _EXCHANGE,
            agreements / "bundle.yaml": _BUNDLE,
            agreements / "agreements" / "police.yaml": _POLICE + _SIGNED + _HEAD,
            agreements / "agreements" / "ambulance.yaml": _AMBULANCE + _SIGNED + _HEAD,
            agreements / "agreements" / "standing.yaml": _STANDING + _HEAD,
        }
        names = {role: self._member(role) for role in ("north", "south", "west", "ambulance")}
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(name=self.name, **names), encoding="utf-8")
        return load_exchange(self.folder / "exchange.yaml"), load_bundle(agreements)

    def _member(self, role: str) -> str:
        return f"{role}-{self.ending}" if self.ending else role
