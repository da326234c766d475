"""``bundle.yaml`` out of its nodes: members, areas, roles, people, never-states, suspensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from pydantic import TypeAdapter, ValidationError

from routing.agreements.language.bundle import BUNDLE, NEVER_STATED, SUSPENSION
from routing.agreements.model import Area, MemberFacts, NeverState, Person, RoleHolders, SetAttribute, Suspension
from routing.agreements.read_areas import areas_of, check_areas_of_members
from routing.agreements.read_people import people_of
from routing.agreements.words import Fields, Vocabulary, id_of, items_of, text_of, words_of
from schemas.exchange import Member, Slug
from schemas.invalid import note_invalid
from schemas.strict_yaml import Faults, Listing, Node, Place, Scalar, Table, plain, read_yaml

_MEMBERS: Final = TypeAdapter(dict[Slug, Member])


@dataclass(frozen=True, slots=True)
class BundleFile:
    """What ``bundle.yaml`` says."""

    version: int
    published_by: str
    members: Mapping[str, MemberFacts]
    areas: tuple[Area, ...]
    roles: tuple[RoleHolders, ...]
    people: tuple[Person, ...]
    discretion: tuple[str, ...]
    """The roles that may share at discretion."""
    never_states: tuple[NeverState, ...]
    suspended: tuple[tuple[Suspension, Place], ...]
    """Each with its place."""


def read_bundle_file(root: Node, directory: Path, faults: Faults) -> BundleFile:
    """The contents of ``bundle.yaml``, every fault noted."""
    stated = Fields(root, BUNDLE.what, BUNDLE.names, faults)
    version, publisher, members = stated.need("version"), stated.need("published_by"), stated.need("members")
    facts = _members(members, directory, faults) if members else {}
    areas = areas_of(stated.get("areas"), directory, faults)
    if members:
        check_areas_of_members(facts.values(), areas, members, faults)
    roles = _roles(stated.get("roles"), facts, faults)
    return BundleFile(
        version=_version(version, faults) if version else 0,
        published_by=text_of(publisher, "who publishes this bundle", faults) if publisher else "",
        members=facts,
        areas=areas,
        roles=roles,
        people=people_of(stated.get("people"), roles, faults),
        discretion=_discretion(stated.get("discretion"), roles, faults),
        never_states=_never_states(stated.get("never-states"), facts, faults),
        suspended=_suspended(stated.get("suspended"), faults),
    )


def _version(node: Node, faults: Faults) -> int:
    if isinstance(node, Scalar) and node.kind == "integer" and node.text.isdecimal() and 0 < len(node.text) <= 15:
        return int(node.text)
    faults.add(node, "expected a version, a whole number that rises with each bundle published")
    return 0


def _members(node: Node, directory: Path, faults: Faults) -> dict[str, MemberFacts]:
    """The members written here, or those of the exchange file named here."""
    if isinstance(node, Table):
        return _facts(node, faults)
    name = text_of(node, "members, or the relative path of an exchange.yaml", faults)
    if not name:
        return {}
    if Path(name).is_absolute():
        faults.add(node, "expected a path relative to the bundle's directory")
        return {}
    theirs = Faults(name)
    root = read_yaml(directory / name, theirs)
    members = root.get("members") if isinstance(root, Table) else None
    if root is not None and not isinstance(members, Table):
        theirs.add(root, "expected an exchange.yaml with a mapping `members`")
    facts = _facts(members, theirs) if isinstance(members, Table) else {}
    for fault in theirs.noted:
        faults.add(node, str(fault))
    return facts


def _facts(node: Table, faults: Faults) -> dict[str, MemberFacts]:
    try:
        members = _MEMBERS.validate_python(plain(node), strict=True)
    except ValidationError as error:
        note_invalid(error, _MEMBERS, node, faults)
        return {}
    return {
        name: MemberFacts(name, m.publishes, m.receives, m.country, m.competent_authority, m.area)
        for name, m in members.items()
    }


def _roles(node: Node | None, members: Mapping[str, MemberFacts], faults: Faults) -> tuple[RoleHolders, ...]:
    if node is None:
        return ()
    names = list(node.entries) if isinstance(node, Table) else []
    stated = Fields(node, "`roles`", names, faults)
    found = []
    for role in sorted(names):
        id_of(Scalar(stated.place_of(role), role, "text"), "a role", faults)
        by_member = Fields(stated.need(role) or node, f"role {role[:60]}", sorted(members), faults)
        for member in sorted(members):
            if holders := by_member.get(member):
                listed = tuple(text_of(item, "a holder", faults) for item in items_of(holders, "a holder", faults))
                found.append(RoleHolders(role, member, listed))
    return tuple(found)


def _discretion(node: Node | None, roles: tuple[RoleHolders, ...], faults: Faults) -> tuple[str, ...]:
    """Roles that the file names; none where nothing is said."""
    named = Vocabulary("a role of the bundle", sorted({each.role for each in roles}))
    return tuple(sorted(words_of(node, named, faults))) if node else ()


def _never_states(node: Node | None, members: Mapping[str, MemberFacts], faults: Faults) -> tuple[NeverState, ...]:
    if node is None:
        return ()
    publishers = sorted(member.id for member in members.values() if member.publishes)
    stated = Fields(node, "`never-states` (of members that publish)", publishers, faults)
    found = []
    for member in publishers:
        if (sets := stated.get(member)) is None:
            continue
        reasons = Fields(sets, f"what {member} never states", NEVER_STATED.names, faults)
        found += [
            NeverState(member, attribute, text_of(reason, "the reason", faults))
            for attribute in get_args(SetAttribute)
            if (reason := reasons.get(attribute))
        ]
    return tuple(found)


def _suspended(node: Node | None, faults: Faults) -> tuple[tuple[Suspension, Place], ...]:
    if node is None or (isinstance(node, Listing) and not node.items):
        return ()
    return tuple((_suspension(item, faults), item.place) for item in items_of(node, "a suspension", faults))


def _suspension(node: Node, faults: Faults) -> Suspension:
    stated = Fields(node, SUSPENSION.what, SUSPENSION.names, faults)
    agreement, who, why = (
        text_of(found, key, faults) if (found := stated.need(key)) else "" for key in SUSPENSION.names
    )
    return Suspension(agreement, who, why)
