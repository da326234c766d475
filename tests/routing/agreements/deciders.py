"""Both ways of deciding; rules, events and states written as briefly as the sentences that they are tried against."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from routing.agreements import Bundle, Considered, Decision, Place, decide
from routing.agreements.engine import Engine, Group
from routing.agreements.known import Known
from routing.agreements.model import Agreement, Area, MemberFacts, NeverState, RoleHolders, Suspension
from routing.agreements.read_agreement import read_agreement
from routing.agreements.state import FIRST_EVENT, HeldGrant, HeldPart, Holding, State
from schemas.sections import SECTIONS
from schemas.strict_yaml import Faults, read_yaml

Decide = Callable[[Bundle, Considered, str, datetime, State], Decision]
NOON = datetime(2026, 6, 1, 11, tzinfo=UTC)
"""In London."""


def by_interpreter(bundle: Bundle, event: Considered, to: str, now: datetime, state: State) -> Decision:
    return decide(bundle, event, to, now, state)


def by_engine(bundle: Bundle, event: Considered, to: str, now: datetime, state: State) -> Decision:
    groups: tuple[Group, ...] = Engine(bundle, tuple).decide(event, now, state)
    (decision,) = [group.decision for group in groups if to in group.recipients]
    return replace(decision, recipient=to)


DECIDERS = [by_interpreter, by_engine]

HEAD = f"""agreement: A
title: North to the others
purpose: public-safety
regime: part-3
legal_basis: a power
owner: desk@north.example
signed: [{{member: north, name: A. Chief, role: ACC, date: 2026-01-01}}]
starts: 2026-01-01
review: 2026-12-31
from: [north]
to: [south, west]
retain: 90d
onward: permitted
share: [{", ".join(SECTIONS)}]
"""
STANDING = """agreement: S
title: Protections
standing: true
owner: desk@north.example
starts: 2026-01-01
from: [north]
"""
AREA_OF = {"north": "hill", "south": "vale", "west": None, "east": None}
MEMBERS = tuple(MemberFacts(name, name != "west", True, "GB", True, area) for name, area in sorted(AREA_OF.items()))
ROLES = ("desk", "inspector", "superintendent")
KNOWN = Known({member.id: member for member in MEMBERS}, ("hill", "vale"), ROLES)
SQUARE = '{"type":"Polygon","coordinates":[[[-2,53],[-1,53],[-1,54],[-2,54],[-2,53]]]}'


def ruled(*rules: str, head: str = HEAD, **keys: str) -> str:
    """A file with these rules, each in the flow style without its braces; ``keys`` replace or add keys of the file."""
    lines = {line.partition(":")[0]: line for line in head.splitlines()}
    for key, value in keys.items():
        name = key.rstrip("_")
        lines[name] = f"{name}: {value}" if value else ""
    listed = [f"  - {{id: r{number}, {rule}}}" for number, rule in enumerate(rules, 1)]
    return "\n".join([*(line for line in lines.values() if line), "rules:", *listed]) + "\n"


@cache
def agreement_of(text: str) -> Agreement:
    """As the loader reads it; a fault is a mistake in the table."""
    with tempfile.TemporaryDirectory() as folder:
        path, faults = Path(folder) / "a.yaml", Faults("a.yaml")
        path.write_text(text, "utf-8")
        root = read_yaml(path, faults)
        assert root is not None, faults.noted
        draft = read_agreement(root, KNOWN, faults)
        assert faults.noted == [], (text, [str(fault) for fault in faults.noted])
        return draft.agreement


def bundle_of(*files: str, **changes: Any) -> Bundle:
    """Of files as text, with roles that everybody holds, and two areas."""
    agreements = tuple(sorted((agreement_of(text) for text in files), key=lambda each: each.id))
    roles = tuple(RoleHolders(role, member.id, ("somebody",)) for role in ROLES for member in MEMBERS)
    areas = (Area("hill", SQUARE), Area("vale", SQUARE))
    return replace(Bundle(1, "the policy desk", MEMBERS, agreements, areas=areas, roles=roles), **changes)


def never_states(member: str, attribute: Any) -> dict[str, Any]:
    """A change of a bundle."""
    return {"never_states": (NeverState(member, attribute, "no such field"),)}


def suspends(agreement: str) -> dict[str, Any]:
    """A change of a bundle."""
    return {"suspended": (Suspension(agreement, "somebody", "some reason"),)}


_SETS = ("qualifiers", "flags", "caveats", "handling")
_EVENT: dict[str, Any] = {
    "origin": "north",
    "category": "transport/rtc/injury",
    **dict.fromkeys(_SETS, ()),
    "grade": "emergency",
    "status": "open",
    "kind": "updated",
    "mode": "actual",
    "marking": "official",
    "places": (),
    "sections": SECTIONS,
    "addressees": (),
}


def event_of(**changes: Any) -> Considered:
    """An event: what is listed becomes a set; places stay in order. Its regions are all that a rule may look at."""
    fields = _EVENT | {"regions": ("hill", "vale", "hill+5000m", "vale+5000m")} | changes
    frozen = {name: _frozen(name, value) for name, value in fields.items()}
    return Considered(**frozen)


def _frozen(name: str, value: Any) -> Any:
    if name == "places":
        return tuple(value)
    return frozenset(value) if isinstance(value, list | tuple | set) else value


def place(kind: str | None = "incident", **changes: Any) -> Place:
    """A location; with ``inside`` or ``partly``, or ``has_coordinates``, it has coordinates."""
    inside, partly = frozenset(changes.pop("inside", ())), frozenset(changes.pop("partly", ()))
    has = changes.pop("has_coordinates", bool(inside or partly))
    return Place(kind, changes.pop("district", None), has, inside, partly)


def holding(*parts: str, member: str = "south", **changes: Any) -> Holding:
    """What a member was sent, under rule r1 of A unless ``grants`` says otherwise."""
    grant = HeldGrant("A", "r1", purpose="public-safety", legal_basis="a power", retain_days=90, onward="permitted")
    grants, locate = changes.pop("grants", (grant,)), changes.pop("locate", "exact")
    held = tuple(HeldPart(part, grants, locate) for part in ("head", *parts))
    return Holding(member, held, **({"retain_days": 90} | changes))


def holds(*parts: str, **changes: Any) -> State:
    """South holds these sections besides the head."""
    return State(holdings=(holding(*parts),), **changes)


@dataclass(frozen=True)
class Row:
    """A case of a sentence: rules, event and what came before, and what must come out."""

    name: str
    bundle: Bundle
    expected: dict[str, Any]
    event: Considered
    state: State = FIRST_EVENT
    to: str = "south"
    now: datetime = NOON

    def check(self, decide: Decide) -> None:
        """Decide, and compare what the sentence is about."""
        decision = decide(self.bundle, self.event, self.to, self.now, self.state)
        found = {name: _told(decision, name) for name in self.expected}
        assert found == self.expected, self.name


def row(name: str, rules: str | tuple[str, ...] | Bundle, expected: Any, **given: Any) -> Row:
    """A row; ``expected`` may be the state of the head alone, and what is no field of a row is the event's."""
    listed = (rules,) if isinstance(rules, str) else rules
    bundle = listed if isinstance(listed, Bundle) else bundle_of(ruled(*listed))
    of_row = {key: given.pop(key) for key in ("state", "to", "now") if key in given}
    told = {"head": expected} if isinstance(expected, str) else expected
    return Row(name, bundle, told, event_of(**given), **of_row)


def _told(decision: Decision, name: str) -> Any:
    """A field of the decision; a section by its name; ``acts`` is what each matching rule does."""
    if name in SECTIONS:
        return decision.sections[name]
    if name == "acts":
        return {f"{rule.agreement}/{rule.rule}": rule.acts_as for rule in decision.rules}
    if name == "grounds":
        return [f"{ground.section}: {ground.agreement}/{ground.rule}" for ground in decision.grounds]
    if name == "referrals":
        return {f"{line.agreement}/{line.rule}": line.parts for line in decision.referrals}
    value = getattr(decision, name)
    return " ".join(value) if name in ("covers", "withdraws") else value


_TRUTHS: dict[str, dict[str, str]] = {
    "true": {"head": "granted", "facts": "forbidden"},
    "unknown": {"head": "withheld", "facts": "forbidden"},
    "false": {"head": "withheld", "facts": "withheld"},
}


def truth(name: str, conditions: str, expected: str, **given: Any) -> Row:
    """What a block of conditions comes to: a share rule takes it if true, a forbid if true or unknown."""
    share = f"outcome: share, grant: [], when: {{{conditions}}}"
    forbid = f"outcome: forbid, sections: [facts], when: {{{conditions}}}"
    return row(name, (share, forbid), _TRUTHS[expected], **given)


def cases(sentences: dict[str, tuple[Row, ...]]) -> list[Any]:
    """Every row under its sentence, as parameters of a test."""
    rows = [(sentence, each) for sentence, listed in sentences.items() for each in listed]
    return [pytest.param(each, id=f"{sentence}: {each.name}") for sentence, each in rows]
