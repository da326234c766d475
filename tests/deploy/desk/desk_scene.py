"""The desk of West Yorkshire on the shared broker: a policy in force, a ledger, a person, and the command line."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner

from deploy.cli import cli
from deploy.demo.run import HERE
from deploy.desk.callers import system_user
from deploy.policy_publishing import PolicyDesk
from deploy.provision import provision
from routing.agreements import load_bundle
from routing.agreements.model import Step
from routing.agreements.state import FIRST_EVENT, State
from routing.casework.case import Case, Line, case_of
from routing.casework.known import Known
from schemas.casework import CaseLine
from schemas.event import IncidentEvent
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings
from tests.consumers.case_making import a_line, a_notice, an_event, case_record
from tests.consumers.ledger_making import FORCE
from tests.consumers.test_ledger_cases import Kept
from tests.deploy.desk.stand_in_router import StandIn
from tests.routing.agreements.conftest import an_event as considered

AGREEMENT = """agreement: WPN-2026-01
title: West Pennine
purpose: law-enforcement
regime: part-3
legal_basis: DPA 2018 s.35(2)(b)
owner: owner@north.example
signed: [{member: west-yorkshire, name: A. Chief, role: ACC, date: 2026-01-01}]
starts: 2026-01-01
review: 2036-01-01
from: [west-yorkshire]
to: [greater-manchester, south-yorkshire]
retain: 90d
share: [classification, locations, facts]
rules:
  - id: neighbours
    outcome: share
    grant: [classification, locations, facts]
  - id: sensitive-crime
    outcome: refer
    sections: [locations, facts]
    when: {flags: [sexual-offence]}
    escalate: [duty-inspector, public-protection-superintendent]
    within: [15m, 30m]
    why: The place may identify the victim
  - id: source
    outcome: forbid
    when: {caveats: [source-sensitive]}
    override: [force-incident-manager]
"""


@dataclass
class Scene:
    """A desk, and what a router would know of its one incident."""

    folder: Path
    bootstrap: str
    name: str
    user: str = field(default_factory=system_user)
    roles: dict[str, list[str]] = field(default_factory=lambda: {"duty-inspector": ["inspector.smith"]})
    lines: tuple[CaseLine, ...] = ()
    latest: int = 1
    state: State = FIRST_EVENT

    def __post_init__(self) -> None:
        self.ledger = self.folder / "ledger.db"
        self.kept = Kept(self.ledger)
        self.exchange_file = self.folder / "exchange.yaml"
        described = yaml.safe_load((HERE / "exchange.yaml").read_text())
        self.exchange_file.write_text(yaml.safe_dump(described | {"exchange": self.name}))
        self.exchange = load_exchange(self.exchange_file)
        self.clients = ClientSettings(self.bootstrap)
        provision(self.clients, self.exchange)
        self._step = 0

    def publish(self, version: int = 1, agreement: str = AGREEMENT) -> None:
        """Put the agreement in force, with who holds which role."""
        folder = self.folder / f"agreements-{version}"
        (folder / "agreements").mkdir(parents=True)
        (folder / "agreements" / "a.yaml").write_text(agreement)
        of_all: dict[str, list[str]] = {"duty-inspector": [], "public-protection-superintendent": []}
        roles = of_all | {"force-incident-manager": []} | self.roles
        stated: dict[str, Any] = {
            "version": version,
            "published_by": "the policy desk",
            "members": "../exchange.yaml",
            "roles": {role: {FORCE: people or [f"other.{role}"]} for role, people in roles.items()},
            "discretion": ["duty-inspector"],
        }
        if any("inspector.smith" in people for people in roles.values()):
            stated["people"] = {"inspector.smith": {"name": "A. Smith", "user": self.user}}
        exchange = yaml.safe_load(self.exchange_file.read_text())
        (folder / "bundle.yaml").write_text(yaml.safe_dump(stated | {"members": exchange["members"]}))
        PolicyDesk(self.exchange, self.clients).publish(load_bundle(folder))

    def comes(self, *lines: CaseLine, event: IncidentEvent | None = None, **more: Any) -> None:
        """A record of the case reaches the ledger; and the router knows as much."""
        self._step += 1
        event = event or an_event()
        self.lines, self.latest = lines, event.control[0].sequence
        notices = more.pop("notices", (a_notice(),))
        self.kept.take("cases", case_record(*lines, event=event, notices=notices, step=self._step))

    def a_line(self, **changes: Any) -> CaseLine:
        """An open line whose deadline is still to come."""
        return a_line(
            changes.pop("recipient", "greater-manchester"),
            **({"deadline": datetime.now(UTC) + timedelta(minutes=15)} | changes),
        )

    def router(self) -> StandIn:
        """A stand-in for the router that knows what this scene knows."""
        return StandIn(self.clients, FORCE, self.known)

    def known(self) -> Known:
        newest = PolicyDesk(self.exchange, self.clients).newest()
        assert newest is not None
        event = replace(considered(), origin=FORCE, sequence=self.latest)
        return Known(newest.bundle(), event, self.state, self._case())

    def _case(self) -> Case:
        return case_of(
            Line(
                recipient=line.recipient,
                agreement=line.agreement,
                rule=line.rule,
                parts=frozenset(line.sections),
                path=tuple(Step(step.role, step.within_s) for step in line.path),
                why=line.why,
                opened_at=line.opened_at,
                opened_sequence=line.opened_sequence,
                step=line.step,
                deadline=line.deadline,
            )
            for line in self.lines
        )

    def says(self, *words: str, exit_code: int = 0, stdin: str | None = None, look: bool = False) -> str:
        """What a command of the desk prints, a refusal with its remedy included."""
        rules = [] if look else ["--exchange", str(self.exchange_file), "--bootstrap", self.bootstrap]
        told = CliRunner().invoke(cli, [*words, "--ledger", str(self.ledger), *rules], input=stdin)
        assert told.exit_code == exit_code, (told.output, told.exception)
        refusal = f"{told.exception} {getattr(told.exception, 'remedy', '')}" if told.exception else ""
        return told.output + refusal

    def tells(self, *words: str, **others: Any) -> Any:
        """The same as JSON."""
        return json.loads(self.says(*words, "--json", **others))
