"""Every decision of a transaction is counted once, whoever else was decided alike."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import account
from routing.effects import Effects, Outcomes, Record
from schemas.exchange import Exchange, Member
from schemas.ops import metrics

MEMBERS = tuple(f"member-{uuid4().hex[:8]}" for _ in range(4))
FATES = ("shared", "shared-in-part", "withheld", "forbidden", "undeliverable")


def record(member: str) -> Record:
    return Record(f"incidents.{member}", 0, 0, b"i", b"v")


def counted() -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for origin in MEMBERS:
        for recipient in MEMBERS:
            for outcome in FATES:
                told = {"origin": origin, "recipient": recipient, "outcome": outcome}
                found[origin, recipient, outcome] = int(metrics.reading("decisions_total", **told))
    return found


@pytest.fixture(scope="module", autouse=True)
def opened() -> None:
    members = {name: Member(name=name, publishes=True, receives=True) for name in MEMBERS}
    account.open_accounts(Exchange(exchange="account", members=members))


rows: Any = st.lists(st.tuples(st.sampled_from(MEMBERS), st.sampled_from(FATES)), max_size=6).map(tuple)


@given(st.lists(rows, min_size=1, max_size=4), st.lists(st.tuples(st.sampled_from(MEMBERS), st.integers(0, 3))))
@settings(max_examples=60, deadline=None)
def test_what_is_counted_is_what_was_decided(shapes: list[Outcomes], events: list[tuple[str, int]]):
    told = [(origin, shapes[number % len(shapes)]) for origin, number in events]
    before = counted()
    account.account([(record(origin), Effects("routed", (), outcomes=outcomes)) for origin, outcomes in told], 0.0)
    expected = Counter((origin, *decision) for origin, outcomes in told for decision in outcomes)
    assert counted() - before == expected


@pytest.mark.patches
def test_no_more_is_remembered_than_may_be(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(account, "_REMEMBERED_MOST", 3)
    several: list[Outcomes] = [((MEMBERS[0], "shared"), (MEMBERS[number % 4], "withheld")) for number in range(20)]
    before = counted()
    account.account([(record(MEMBERS[0]), Effects("routed", (), outcomes=each)) for each in several], 0.0)
    assert (counted() - before)[MEMBERS[0], MEMBERS[0], "shared"] == 20
    assert len(account._known) <= 3
