"""Which person of the bundle in force a caller is, and in which role that person rules."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from hmac import compare_digest

from deploy.desk.callers import Caller
from routing.agreements.bundle import Bundle
from routing.agreements.model import Person
from schemas.errors import Rejected


@dataclass(frozen=True, slots=True)
class Ruler:
    """A person who may rule, and the role in which."""

    person: str
    """As the bundle's roles name people."""
    name: str
    """As colleagues call the person."""
    role: str
    authenticated_by: str


def person_of(bundle: Bundle, caller: Caller) -> Person:
    """The person that a caller is.

    A token that nobody has is nobody: its holder is never taken for the user of the operating system instead.

    Raises:
        Rejected: ``unknown-person``.
    """
    known = {person.id: person for person in bundle.people}
    holders = sorted({holder for each in bundle.roles for holder in each.holders})
    people = [known.get(holder) or Person(holder, user=holder) for holder in holders]
    if caller.token_sha256:
        # All are compared, each in constant time: how long it takes tells nothing.
        found = [person for person in people if compare_digest(person.token_sha256, caller.token_sha256)]
    else:
        found = [person for person in people if person.user == caller.user]
    if len(found) == 1:
        return found[0]
    shown = "the token shown" if caller.token_sha256 else f"user {caller.user} of the operating system"
    raise Rejected(
        "unknown-person",
        f"{shown} is nobody who holds a role under policy version {bundle.version}",
        remedy="have the policy desk publish who you are: roles and people of bundle.yaml",
    )


def roles_of(bundle: Bundle, person: str, force: str) -> tuple[str, ...]:
    """The roles that a person holds at a force, sorted."""
    return tuple(sorted(each.role for each in bundle.roles if each.member == force and person in each.holders))


def ruler_of(bundle: Bundle, force: str, caller: Caller, role: str | None = None, among: Collection[str] = ()) -> Ruler:
    """Who rules, in which role.

    Args:
        bundle: in force.
        force: whose roles count.
        caller: who runs the command.
        role: the one that the person names; None: the only one there is.
        among: roles that may rule here. Of several roles that a person holds, one of these is meant if only one is.

    Raises:
        Rejected: ``unknown-person``, ``no-role``, ``not-in-role``, ``which-role``.
    """
    person = person_of(bundle, caller)
    held = roles_of(bundle, person.id, force)
    return Ruler(person.id, person.name or person.id, _role(held, force, role, among), caller.authenticated_by)


def _role(held: tuple[str, ...], force: str, role: str | None, among: Collection[str]) -> str:
    if not held:
        raise Rejected(
            "no-role",
            f"you hold no role at {force}: whoever rules on its incidents must",
            remedy="have the policy desk publish the role that you hold",
        )
    if role is not None:
        if role not in held:
            raise Rejected("not-in-role", f"you do not hold the role {role} at {force}; you hold {', '.join(held)}")
        return role
    fitting = [each for each in held if each in among]
    if len(fitting) == 1 or len(held) == 1:
        return (fitting or list(held))[0]
    raise Rejected(
        "which-role",
        f"you hold {', '.join(held)} at {force}: in which role do you rule?",
        remedy=f"say --role {(fitting or list(held))[0]}",
    )
