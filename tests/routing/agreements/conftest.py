"""Events, rules and bundles made by hand, small enough to see why a decision comes out as it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from routing.agreements import Bundle, Considered, Decision, decide
from routing.agreements.model import Agreement, Forbid, MemberFacts, Rule, Share, Signature, Terms
from schemas.sections import SECTIONS

NONE: frozenset[str] = frozenset()
TERMS = Terms("law-enforcement", "part-3", "DPA 2018 s.35(2)(b)", 90)


def an_event(**changes: Any) -> Considered:
    plain = Considered(
        origin="north",
        category="transport/rtc/injury",
        qualifiers=NONE,
        flags=NONE,
        caveats=NONE,
        handling=NONE,
        grade="emergency",
        status="open",
        kind="created",
        mode="actual",
        marking="official",
        places=(),
        sections=frozenset(SECTIONS),
        addressees=NONE,
    )
    return replace(plain, **changes)


def a_share(name: str = "share", **changes: Any) -> Share:
    return replace(Share(id=name, recipients=("south",), grant=("locations",), terms=TERMS), **changes)


def a_forbid(name: str = "forbid", **changes: Any) -> Forbid:
    return replace(Forbid(id=name, recipients=("south",), sections=("head", *SECTIONS)), **changes)


def an_agreement(*rules: Rule, **changes: Any) -> Agreement:
    plain = Agreement(
        id="A",
        title="North to south",
        owner="owner@north.example",
        starts=date(2026, 1, 1),
        origins=("north",),
        rules=rules,
        review=date(2026, 12, 31),
        signatures=(Signature("north", "A. Chief", "ACC", date(2025, 12, 1)),),
        onward="ask",
    )
    return replace(plain, **changes)


def a_bundle(*agreements: Agreement, **changes: Any) -> Bundle:
    members = (
        MemberFacts("north", publishes=True, receives=True, country="GB", competent_authority=True, area=None),
        MemberFacts("south", publishes=True, receives=True, country="GB", competent_authority=True, area=None),
        MemberFacts("west", publishes=False, receives=True, country="GB", competent_authority=False, area=None),
    )
    return replace(Bundle(1, "the policy desk", members, agreements), **changes)


NOON = datetime(2026, 6, 1, 11, tzinfo=UTC)


class Desk:
    """What tests make and ask."""

    event = staticmethod(an_event)
    share = staticmethod(a_share)
    forbid = staticmethod(a_forbid)
    agreement = staticmethod(an_agreement)
    bundle = staticmethod(a_bundle)
    noon = NOON

    @staticmethod
    def decide(*rules: Rule, now: datetime = NOON, bundle: Bundle | None = None, **changes: Any) -> Decision:
        """For south, under one agreement of these rules, of an event with these changes."""
        return decide(bundle or a_bundle(an_agreement(*rules)), an_event(**changes), "south", now)


@pytest.fixture(scope="session")
def desk() -> type[Desk]:
    return Desk


@pytest.fixture(scope="session")
def example_directory() -> Path:
    return Path(__file__).parent / "bundle"


@pytest.fixture
def write_bundle(tmp_path: Path) -> Callable[..., Path]:
    """Write a bundle's files (``agreements/x.yaml`` is ``x``) and give its directory."""

    def write(bundle: str, **agreements: str) -> Path:
        (tmp_path / "agreements").mkdir(exist_ok=True)
        (tmp_path / "bundle.yaml").write_text(bundle, "utf-8")
        for name, text in agreements.items():
            (tmp_path / "agreements" / f"{name}.yaml").write_text(text, "utf-8")
        return tmp_path

    return write
