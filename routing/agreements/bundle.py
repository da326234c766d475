"""A bundle: everything that decisions depend on, in one immutable value with one hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from routing.agreements.model import (
    Agreement,
    Area,
    MemberFacts,
    NeverState,
    Person,
    RoleHolders,
    Rule,
    Suspension,
)
from schemas.codes import codes, list_names
from schemas.errors import Rejected

LANGUAGE: Final = 1
"""The version of the language of agreements. A bundle of another version means something else and is refused."""


@dataclass(frozen=True)
class Bundle:
    """All agreements of an exchange with what they refer to. Make one with ``load_bundle`` or ``from_bytes``."""

    version: int
    """Rises with each bundle published."""
    published_by: str
    members: tuple[MemberFacts, ...]
    agreements: tuple[Agreement, ...]
    """Sorted by id."""
    roles: tuple[RoleHolders, ...] = ()
    never_states: tuple[NeverState, ...] = ()
    suspended: tuple[Suspension, ...] = ()
    areas: tuple[Area, ...] = ()
    """Sorted by name."""
    discretion: tuple[str, ...] = ()
    """The roles that may share at discretion what no rule grants."""
    people: tuple[Person, ...] = ()
    """Sorted by id: holders of roles of whom more is known than their name."""
    code_lists: str = ""
    """A digest of the code lists that the agreements were checked against."""
    language: Literal[1] = LANGUAGE

    def to_bytes(self) -> bytes:
        """The canonical bytes: equal bundles give equal bytes, and ``from_bytes`` of them decides identically."""
        plain = _adapter().dump_python(self, mode="json")
        if not self.people:
            # What was published before people could be named keeps its bytes and its hash.
            del plain["people"]
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes, expected_hash: str | None = None) -> Bundle:
        """The bundle of these bytes, which ``to_bytes`` of a checked bundle made: it is not checked again.

        Raises:
            Rejected: ``bad-bundle``: the hash differs, or the bytes are not exactly what this version of the program
                would write. A part it does not know is never ignored: it could be a protection.
        """
        found = sha256(data).hexdigest()
        if expected_hash is not None and found != expected_hash:
            raise Rejected("bad-bundle", f"expected policy bytes with hash {expected_hash}, got {found}")
        try:
            bundle = _adapter().validate_json(data)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            message = f"expected a policy bundle of language version {LANGUAGE}; at {place or 'start'}: {first['msg']}"
            raise Rejected("bad-bundle", message) from error
        if bundle.to_bytes() != data:
            message = (
                "expected the canonical bytes of a policy bundle; these hold parts or a form unknown to this program"
            )
            raise Rejected("bad-bundle", message)
        return bundle

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical bytes, in hexadecimal."""
        return sha256(self.to_bytes()).hexdigest()

    def rules_between(self, origin: str, recipient: str) -> tuple[tuple[Agreement, Rule], ...]:
        """Every rule from this origin to this recipient, in force or not; sorted by agreement, then rule."""
        if (found := self._rules_by_pair.get((origin, recipient))) is None:
            listed = self._rules_by_origin.get(origin, ()) if recipient != origin else ()
            found = tuple(named for named in listed if recipient in named[1].recipients)
            self._rules_by_pair[origin, recipient] = found
        return found

    def never_stated(self, origin: str) -> Mapping[str, str]:
        """The sets that the origin never states, each with the reason."""
        return self._never_stated_by_member.get(origin, {})

    def suspension(self, agreement: str) -> Suspension | None:
        """The suspension of that agreement, if there is one."""
        return self._suspension_by_agreement.get(agreement)

    def agreement(self, agreement: str) -> Agreement | None:
        """The agreement of that id, if it is in the bundle."""
        return self._agreement_by_id.get(agreement)

    @cached_property
    def receivers(self) -> tuple[str, ...]:
        """The members that receive, sorted."""
        return tuple(sorted(member.id for member in self.members if member.receives))

    @cached_property
    def area_by_member(self) -> Mapping[str, str]:
        """The name of each member's area, of those that have one."""
        return {member.id: member.area for member in self.members if member.area}

    @cached_property
    def _agreement_by_id(self) -> dict[str, Agreement]:
        return {agreement.id: agreement for agreement in self.agreements}

    @cached_property
    def _rules_by_pair(self) -> dict[tuple[str, str], tuple[tuple[Agreement, Rule], ...]]:
        """Filled as pairs are asked for: a policy from everybody to everybody has too many."""
        return {}

    @cached_property
    def _rules_by_origin(self) -> dict[str, list[tuple[Agreement, Rule]]]:
        rules: dict[str, list[tuple[Agreement, Rule]]] = {}
        for agreement in sorted(self.agreements, key=lambda agreement: agreement.id):
            named = [(agreement, rule) for rule in sorted(agreement.rules, key=lambda rule: rule.id)]
            for origin in agreement.origins:
                rules.setdefault(origin, []).extend(named)
        return rules

    @cached_property
    def _never_stated_by_member(self) -> dict[str, dict[str, str]]:
        by_member: dict[str, dict[str, str]] = {}
        for state in self.never_states:
            by_member.setdefault(state.member, {})[state.attribute] = state.reason
        return by_member

    @cached_property
    def _suspension_by_agreement(self) -> dict[str, Suspension]:
        return {suspension.agreement: suspension for suspension in self.suspended}


@cache
def _adapter() -> TypeAdapter[Bundle]:
    return TypeAdapter(Bundle)


@cache
def code_lists_digest() -> str:
    """A digest of the code lists of this version of the program."""
    return sha256(json.dumps({name: codes(name) for name in list_names()}, sort_keys=True).encode()).hexdigest()
