"""People of a bundle: how a desk knows those who hold roles, and that no two are taken for one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from routing.agreements import Bundle, load_bundle
from routing.agreements.model import Person
from schemas.errors import Rejected
from tests.routing.agreements.test_agreement_load import HEAD, MEMBERS, RULE, only_fault

Write = Callable[..., Path]
DIGEST = "0a" * 32
ROLES = MEMBERS.replace("{north: [desk-1]}", "{north: [desk-1, desk-2], south: [desk-3]}")
SMITH = f"people: {{desk-1: {{name: A. Smith, user: asmith, token_sha256: '{DIGEST}'}}}}\n"


def test_people_are_read_with_what_a_desk_knows_them_by(write_bundle: Write):
    text = ROLES + f"people:\n  desk-3: {{token_sha256: {DIGEST}}}\n  desk-1: {{name: A. Smith, user: asmith}}\n"
    bundle = load_bundle(write_bundle(text, a=HEAD + RULE))
    assert bundle.people == (Person("desk-1", "A. Smith", "asmith"), Person("desk-3", token_sha256=DIGEST))
    assert Bundle.from_bytes(bundle.to_bytes(), bundle.hash) == bundle


def test_a_bundle_without_people_has_the_bytes_it_had_before_people_could_be_named(example_directory: Path):
    bundle = load_bundle(example_directory)
    assert bundle.hash == "ec2f1ac4af9a2d330d384e875e58ba39a948bea548e866e5153c0986b8ceee17"
    assert b'"people"' not in bundle.to_bytes()
    with pytest.raises(Rejected, match="canonical bytes"):
        Bundle.from_bytes(bundle.to_bytes().replace(b'"published_by"', b'"people":[],"published_by"'))


def test_people_are_part_of_the_hash(write_bundle: Write):
    bundle = load_bundle(write_bundle(ROLES + SMITH, a=HEAD + RULE))
    assert replace(bundle, people=()).hash != bundle.hash
    assert replace(bundle, people=(Person("desk-1", user="jones"),)).hash != bundle.hash


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ("{desk-11: {user: x}}", "`desk-11` is not a key of `people` (holders of roles); did you mean"),
        ("{desk-1: {name: A. Smith}}", "needs `user` or `token_sha256`"),
        ("{desk-1: {user: x, usr: y}}", "`usr` is not a key of a person; did you mean `user`?"),
        ("{desk-1: {user: 12}}", 'expected a user of the operating system, got a number: put it in quotes, "12"'),
        ("{desk-1: {token_sha256: secret}}", "64 hexadecimal digits in lower case, never the token itself"),
        (f"{{desk-1: {{token_sha256: {DIGEST.upper()}}}}}", "64 hexadecimal digits in lower case"),
        ("{desk-1: {user: x}, desk-3: {user: x}}", "`user` of desk-3 is that of desk-1 too"),
        ("{desk-1: {user: desk-2}}", "`user` of desk-1 is that of desk-2 too"),
        (
            f"{{desk-1: {{token_sha256: '{DIGEST}'}}, desk-3: {{token_sha256: '{DIGEST}'}}}}",
            "`token_sha256` of desk-3 is that of desk-1 too",
        ),
        ("[desk-1]", "expected `people` (holders of roles), a mapping"),
        ("{}", "expected at least one person"),
    ],
)
def test_a_fault_of_people_has_its_place_and_says_what_is_wrong(write_bundle: Write, people: str, words: str):
    only_fault(write_bundle(f"{ROLES}people: {people}\n", a=HEAD + RULE), "bundle.yaml:10", words)


def test_a_person_may_have_the_name_of_another_user_who_has_an_entry(write_bundle: Write):
    swapped = "people: {desk-1: {user: desk-2}, desk-2: {user: desk-1}}\n"
    assert len(load_bundle(write_bundle(ROLES + swapped, a=HEAD + RULE)).people) == 2
