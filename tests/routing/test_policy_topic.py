"""Which bundle of the policy topic is in force: pure claims."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.policy_topic import Newest, OnePolicy, policy_key, version_of
from tests.routing.scene import a_bundle, an_exchange, usual_rules

EXCHANGE = an_exchange()
BUNDLE = a_bundle(EXCHANGE, *usual_rules(EXCHANGE), version=3)


def of_version(version: int) -> bytes:
    return replace(BUNDLE, version=version).to_bytes()


def seen(*records: tuple[bytes | None, bytes | None]) -> Newest:
    newest = Newest("tests")
    for key, value in records:
        newest.see(key, value)
    return newest


def test_nothing_is_in_force_before_anything_was_published_and_the_reason_says_what_to_do():
    nothing = seen().in_force()
    assert nothing.bundle is None
    assert nothing.version == 0
    assert "huecry agreements publish" in nothing.reason


def test_the_highest_version_is_in_force_wherever_it_stands():
    newest = seen((b"tests.1", of_version(1)), (b"tests.3", of_version(3)), (b"tests.2", of_version(2)))
    assert newest.in_force().version == 3
    assert newest.in_force().bundle == BUNDLE


def test_of_two_with_one_version_the_first_holds():
    other = replace(BUNDLE, published_by="somebody else").to_bytes()
    assert seen((b"tests.3", BUNDLE.to_bytes()), (b"tests.3", other)).in_force().bundle == BUNDLE


@pytest.mark.parametrize(
    "value",
    [None, b"", b"no bundle", of_version(3), of_version(4)[:-1], of_version(4) + b" "],
    ids=["none", "empty", "garbage", "another version", "cut short", "not canonical"],
)
def test_a_newest_that_cannot_be_loaded_leaves_nothing_in_force_rather_than_the_one_before(value):
    now = seen((b"tests.3", BUNDLE.to_bytes()), (b"tests.4", value)).in_force()
    assert now.bundle is None
    assert now.version == 4
    assert "version 4 cannot be loaded" in now.reason


def test_a_good_one_after_it_is_in_force_again():
    newest = seen((b"tests.4", b"garbage"), (b"tests.5", of_version(5)))
    assert newest.in_force().bundle == replace(BUNDLE, version=5)


def test_what_is_in_force_changes_when_more_is_seen_after_it_was_asked_for():
    newest = seen((b"tests.3", BUNDLE.to_bytes()))
    assert newest.in_force().version == 3
    assert newest.see(b"tests.4", of_version(4))
    assert newest.in_force().version == 4


@pytest.mark.parametrize(
    "key",
    [None, b"", b"tests", b"tests.", b"3", b"tests.03", b"tests.0", b"tests.-1", b"tests.+1", b"tests.1.5", b"other.3",
     "tests.²".encode(), b"tests.3\xff", b"tests." + b"9" * 40],
)  # fmt: skip
def test_a_key_that_names_no_version_of_this_exchange_counts_for_nothing(key):
    assert version_of(key, "tests") is None
    assert seen((key, BUNDLE.to_bytes())).in_force().version == 0


def test_a_key_reads_back_whatever_the_exchange_is_called():
    assert version_of(policy_key("a-b", 17), "a-b") == 17


def test_one_policy_of_a_folder_is_in_force_for_good():
    policies = OnePolicy(BUNDLE)
    assert policies.in_force().bundle == BUNDLE
    policies.close()
