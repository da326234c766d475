"""``people`` of ``bundle.yaml``: how a desk knows those who hold roles.

Two people must never be taken for one another, so a user or a token that two of them have is a fault; a holder without
an entry counts as the operating system's user of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from routing.agreements.language.bundle import PERSON
from routing.agreements.language.shapes import DIGEST_PATTERN
from routing.agreements.model import Person, RoleHolders
from routing.agreements.words import Fields, text_of, word_of
from schemas.strict_yaml import Faults, Node, Table

_DIGEST: Final = re.compile(DIGEST_PATTERN)


def people_of(node: Node | None, roles: Iterable[RoleHolders], faults: Faults) -> tuple[Person, ...]:
    """The people of a bundle, sorted by id; every fault noted."""
    if node is None:
        return ()
    holders = sorted({holder for each in roles for holder in each.holders})
    stated = Fields(node, "`people` (holders of roles)", holders, faults)
    if isinstance(node, Table) and not node.entries:
        faults.add(node, "expected at least one person; leave `people` out if there is none")
    found = {holder: _person(holder, of, faults) for holder in holders if (of := stated.get(holder)) is not None}
    people = tuple(found.values())
    by_name = [(holder, holder) for holder in holders if holder not in found]
    _check_unlike("user", [*by_name, *((person.user, person.id) for person in people)], stated, faults)
    _check_unlike("token_sha256", [(person.token_sha256, person.id) for person in people], stated, faults)
    return people


def _person(holder: str, node: Node, faults: Faults) -> Person:
    stated = Fields(node, PERSON.what, PERSON.names, faults)
    name, user, token = (stated.get(key) for key in PERSON.names)
    if isinstance(node, Table) and user is None and token is None:
        faults.add(node, f"{PERSON.what} needs `user` or `token_sha256`: how else would a desk know the person?")
    return Person(
        id=holder,
        name=text_of(name, "the person's name", faults) if name else "",
        user=word_of(user, "a user of the operating system", faults) if user else "",
        token_sha256=_digest(token, faults) if token else "",
    )


def _digest(node: Node, faults: Faults) -> str:
    digest = word_of(node, "the SHA-256 of a token", faults)
    if digest and not _DIGEST.fullmatch(digest):
        faults.add(node, "expected the SHA-256 of a token: 64 hexadecimal digits in lower case, never the token itself")
        return ""
    return digest


def _check_unlike(key: str, whose: Iterable[tuple[str, str]], stated: Fields, faults: Faults) -> None:
    """See that no two people have one user, or one token. `whose`: what each is known by, and who it is."""
    first: dict[str, str] = {}
    for known_by, person in whose:
        if known_by and (other := first.setdefault(known_by, person)) != person:
            why = f"`{key}` of {person} is that of {other} too: one of them would be taken for the other"
            faults.add(stated.place_of(person), why)
