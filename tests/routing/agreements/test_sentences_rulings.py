"""The sentences of releases, refusals, lapses, discretion and overrides, as far as deciding reads them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from routing.agreements.state import Discretion, History, Override, Refusal, Release, RuleRef, State
from schemas.sections import SECTIONS
from tests.routing.agreements.deciders import (
    DECIDERS,
    NOON,
    Decide,
    Row,
    bundle_of,
    cases,
    row,
    ruled,
    suspends,
)

SHARE = "outcome: share, grant: [facts, locations]"
REFER = "outcome: refer, escalate: [desk, inspector], within: [15m, 30m]"
OF_FACTS = f"{REFER}, sections: [facts]"
FORBID = "outcome: forbid, override: [inspector]"
SOUTH = frozenset({"south"})
RULED = NOON - timedelta(hours=1)


def released(*parts: str, **changes: Any) -> State:
    """The desk released these parts for south under A/r2, an hour ago, when every section was filled."""
    of_state = {name: changes.pop(name) for name in ("history", "overrides") if name in changes}
    release = Release(
        **(
            {
                "id": "ruling-1",
                "role": "desk",
                "agreement": "A",
                "rule": "r2",
                "recipients": SOUTH,
                "parts": frozenset(parts),
                "at": RULED,
                "rules": (RuleRef("A", "r2"),),
                "filled": frozenset(SECTIONS),
            }
            | changes
        )
    )
    return State(releases=(release,), **of_state)


def refused(**changes: Any) -> State:
    """The desk said no to the facts, when the event was a priority with a child and a dog."""
    fields: dict[str, Any] = {
        "kind": "refusal",
        "recipients": SOUTH,
        "parts": frozenset({"facts"}),
        "rules": (RuleRef("A", "r2"),),
        "grade": "priority",
        "flags": frozenset({"child"}),
        "hazards": frozenset({"dog"}),
    }
    return State(refusals=(Refusal(**(fields | changes)),))


def overridden(*parts: str, **changes: Any) -> State:
    """The inspector lifted forbids for these parts for south an hour ago."""
    fields: dict[str, Any] = {
        "id": "override-1",
        "role": "inspector",
        "agreement": "A",
        "rule": "r2",
        "recipients": SOUTH,
        "parts": frozenset(parts),
        "at": RULED,
        "until": RULED + timedelta(hours=4),
    }
    barred = changes.pop("barred", frozenset())
    return State(overrides=(Override(**(fields | changes)),), barred=barred)


def at_discretion(*parts: str, **changes: Any) -> State:
    """The desk shared these parts of event 7 with south."""
    fields: dict[str, Any] = {
        "id": "discretion-1",
        "role": "desk",
        "agreement": "A",
        "recipients": SOUTH,
        "parts": frozenset(parts),
        "at": RULED,
        "sequence": 7,
    }
    return State(discretions=(Discretion(**(fields | changes)),))


def later(hours: float) -> datetime:
    return RULED + timedelta(hours=hours)


DESK = {"discretion": ("desk",)}
RELEASES: dict[str, tuple[Row, ...]] = {
    "a release names recipients and sections": (
        row(
            "named",
            (SHARE, OF_FACTS),
            {"facts": "granted", "acts": {"A/r1": "share", "A/r2": "discharged"}},
            state=released("facts"),
        ),
        row("another section", (SHARE, REFER), {"head": "referred"}, state=released("facts")),
        row("another recipient", (SHARE, OF_FACTS), {"facts": "referred"}, state=released("facts"), to="west"),
    ),
    "and is told as discharging only where it discharges all that the rule covers": (
        row(
            "one of two",
            (SHARE, f"{REFER}, sections: [facts, locations]"),
            {"facts": "granted", "locations": "referred", "acts": {"A/r1": "share", "A/r2": "refer"}},
            state=released("facts"),
        ),
    ),
    "it discharges only the rules in whose path the ruler's role stands": (
        row("a role in the path", (SHARE, OF_FACTS), {"facts": "granted"}, state=released("facts", role="inspector")),
        row("no role of it", (SHARE, OF_FACTS), {"facts": "referred"}, state=released("facts", role="superintendent")),
    ),
    "a section flows when every rule that covers it is discharged": (
        row("one of two", (SHARE, OF_FACTS, OF_FACTS), {"facts": "referred"}, state=released("facts")),
        row(
            "both",
            (SHARE, OF_FACTS, OF_FACTS),
            {"facts": "granted"},
            state=released("facts", rules=(RuleRef("A", "r2"), RuleRef("A", "r3"))),
        ),
    ),
    "a live release that names it grants it; any section so granted grants the head": (
        row(
            "without a share rule",
            (f"{SHARE}, when: {{grade: [priority]}}", OF_FACTS),
            {"head": "granted", "covers": "facts", "grounds": ["facts: A/ruling-1"]},
            state=released("facts"),
        ),
    ),
    "a release covers later events until its limit": (
        row(
            "before it",
            (SHARE, OF_FACTS),
            {"facts": "granted"},
            state=released("facts", until=NOON + timedelta(minutes=1)),
        ),
        row("at it", (SHARE, OF_FACTS), {"facts": "referred"}, state=released("facts", until=NOON)),
        row("closing included", (SHARE, OF_FACTS), {"facts": "granted"}, kind="closed", state=released("facts")),
        row("corrections included", (SHARE, OF_FACTS), {"facts": "granted"}, kind="corrected", state=released("facts")),
    ),
    "a ruling counts from the moment it is made": (
        row("that moment", (SHARE, OF_FACTS), {"facts": "granted"}, state=released("facts", at=NOON)),
        row(
            "before it",
            (SHARE, OF_FACTS),
            {"facts": "referred"},
            state=released("facts", at=NOON + timedelta(minutes=1)),
        ),
    ),
    "a section that was empty when ruled opens the case again": (
        row("filled since", (SHARE, OF_FACTS), {"facts": "referred"}, state=released("facts", filled=frozenset())),
        row(
            "still empty",
            (SHARE, OF_FACTS),
            {"facts": "granted"},
            sections=["locations"],
            state=released("facts", filled=frozenset()),
        ),
    ),
    "so does a new refer rule": (
        row(
            "not among those of the case",
            (SHARE, OF_FACTS),
            {"facts": "referred"},
            state=released("facts", rules=(RuleRef("A", "r9"),)),
        ),
    ),
    "or a new caveat": (
        row("new", (SHARE, OF_FACTS), {"facts": "referred"}, caveats=["refuge"], state=released("facts")),
        row(
            "known when ruled",
            (SHARE, OF_FACTS),
            {"facts": "granted"},
            caveats=["refuge"],
            state=released("facts", caveats=frozenset({"refuge"})),
        ),
        row("null now", (SHARE, OF_FACTS), {"facts": "referred"}, caveats=None, state=released("facts")),
    ),
    "forbids are checked at release and ever after": (
        row(
            "a forbid",
            (SHARE, OF_FACTS, "outcome: forbid, sections: [facts]"),
            {"facts": "forbidden"},
            state=released("facts"),
        ),
        row("of the head", (SHARE, OF_FACTS, "outcome: forbid"), "forbidden", state=released("facts")),
    ),
    "a ruling has the retention of the agreement it ruled under": (
        row(
            "the file's",
            bundle_of(ruled("outcome: share, grant: [], when: {grade: [priority]}", OF_FACTS, retain="40d")),
            {"retain_days": 40},
            state=released("facts"),
        ),
    ),
    "past its agreement's review it is marked": (
        row(
            "past",
            bundle_of(ruled("outcome: share, grant: [], when: {grade: [priority]}", OF_FACTS, review="2026-05-31")),
            {"covers": "facts", "under_review": True},
            state=released("facts"),
        ),
        row(
            "not yet",
            bundle_of(ruled("outcome: share, grant: [], when: {grade: [priority]}", OF_FACTS, review="2026-06-01")),
            {"covers": "facts", "under_review": False},
            state=released("facts"),
        ),
    ),
    "nothing it was needed for is told finer than a ruling says": (
        row(
            "beside a rule that shares exactly",
            (SHARE, OF_FACTS),
            {"locate": {"locations": "exact", "facts": "1km"}},
            state=released("facts", locate="1km"),
        ),
        row(
            "the finer of two that were",
            (SHARE, OF_FACTS),
            {"locate": {"locations": "exact", "facts": "1km"}},
            state=State(
                releases=(
                    *released("facts", locate="1km").releases,
                    *released("facts", locate="10km", id="ruling-2").releases,
                )
            ),
        ),
    ),
    "a ruling has its own locate, or exact": (
        row(
            "its own",
            ("outcome: share, grant: []", OF_FACTS),
            {"locate": {"facts": "1km"}},
            state=released("facts", locate="1km"),
        ),
        row("exact", ("outcome: share, grant: []", OF_FACTS), {"locate": {"facts": "exact"}}, state=released("facts")),
        row(
            "never finer than a limit",
            ("outcome: share, grant: []", OF_FACTS, "outcome: limit, locate: 10km"),
            {"locate": {"facts": "10km"}},
            state=released("facts"),
        ),
    ),
    "nothing flows by a ruling of a suspended agreement": (
        row("suspended", bundle_of(ruled(SHARE, OF_FACTS), **suspends("A")), "withheld", state=released("facts")),
    ),
}
REFUSALS: dict[str, tuple[Row, ...]] = {
    "a refusal, or a lapse, stands": (
        row("a refusal", (SHARE, OF_FACTS), {"facts": "withheld"}, grade="priority", state=refused()),
        row("a lapse", (SHARE, OF_FACTS), {"facts": "withheld"}, grade="priority", state=refused(kind="lapse")),
        row(
            "at a log line",
            (SHARE, OF_FACTS),
            {"facts": "withheld"},
            grade="priority",
            flags=["child"],
            hazards=["dog"],
            state=refused(),
        ),
    ),
    "until the grade rises": (
        row("rises", (SHARE, OF_FACTS), {"facts": "referred"}, grade="emergency", state=refused()),
        row("falls", (SHARE, OF_FACTS), {"facts": "withheld"}, grade="scheduled", state=refused()),
        row("is not known", (SHARE, OF_FACTS), {"facts": "withheld"}, grade="unknown", state=refused()),
    ),
    "or a hazard or flag is added": (
        row(
            "a flag",
            (SHARE, OF_FACTS),
            {"facts": "referred"},
            grade="priority",
            flags=["child", "weapon"],
            state=refused(),
        ),
        row(
            "a hazard",
            (SHARE, OF_FACTS),
            {"facts": "referred"},
            grade="priority",
            hazards=["dog", "fire"],
            state=refused(),
        ),
        row("one goes", (SHARE, OF_FACTS), {"facts": "withheld"}, grade="priority", flags=[], state=refused()),
        row(
            "an unknown one",
            (SHARE, OF_FACTS),
            {"facts": "withheld"},
            grade="priority",
            flags=["unknown"],
            state=refused(),
        ),
    ),
    "for those it names": (
        row(
            "another recipient", (SHARE, OF_FACTS), {"facts": "referred"}, grade="priority", to="west", state=refused()
        ),
        row("another section", (SHARE, OF_FACTS), {"locations": "granted"}, grade="priority", state=refused()),
    ),
}
OVERRIDES: dict[str, tuple[Row, ...]] = {
    "an override lifts only forbids whose override names the ruler's role": (
        row(
            "named",
            (SHARE, f"{FORBID}, sections: [facts]"),
            {"facts": "granted", "acts": {"A/r1": "share", "A/r2": "lifted"}},
            state=overridden("facts"),
        ),
        row(
            "not named",
            (SHARE, f"{FORBID}, sections: [facts]"),
            {"facts": "forbidden"},
            state=overridden("facts", role="desk"),
        ),
        row(
            "without it a forbid is absolute",
            (SHARE, "outcome: forbid, sections: [facts]"),
            {"facts": "forbidden"},
            state=overridden("facts"),
        ),
        row(
            "one of two",
            (SHARE, f"{FORBID}, sections: [facts]", "outcome: forbid, sections: [facts]"),
            {"facts": "forbidden"},
            state=overridden("facts"),
        ),
    ),
    "for its recipients": (
        row(
            "another",
            (SHARE, f"{FORBID}, sections: [facts]"),
            {"facts": "forbidden"},
            to="west",
            state=overridden("facts"),
        ),
    ),
    "for its sections": (
        row(
            "head and facts", (SHARE, FORBID), {"head": "granted", "covers": "facts"}, state=overridden("head", "facts")
        ),
        row("not the head", (SHARE, FORBID), "forbidden", state=overridden("facts")),
    ),
    "for its hours, at most four": (
        row(
            "just before",
            (SHARE, f"{FORBID}, sections: [facts]"),
            {"facts": "granted"},
            state=overridden("facts"),
            now=later(3.99),
        ),
        row(
            "four hours",
            (SHARE, f"{FORBID}, sections: [facts]"),
            {"facts": "forbidden"},
            state=overridden("facts"),
            now=later(4),
        ),
        row(
            "its own limit",
            (SHARE, f"{FORBID}, sections: [facts]"),
            {"facts": "forbidden"},
            state=overridden("facts", until=later(1)),
        ),
        row(
            "however long it says",
            (SHARE, f"{FORBID}, sections: [facts]"),
            {"facts": "forbidden"},
            state=overridden("facts", until=later(100)),
            now=later(4),
        ),
        row(
            "without a limit",
            (SHARE, f"{FORBID}, sections: [facts]"),
            {"facts": "forbidden"},
            state=overridden("facts", until=None),
            now=later(4),
        ),
    ),
    "it never lifts a bar": (
        row("barred", (SHARE, FORBID), "forbidden", state=overridden("head", "facts", barred=SOUTH)),
    ),
    "it grants what it names": (
        row(
            "no share rule",
            (f"{SHARE}, when: {{grade: [priority]}}", f"{FORBID}, sections: [facts]"),
            {"head": "granted", "covers": "facts"},
            state=overridden("facts"),
        ),
    ),
}
DISCRETION: dict[str, tuple[Row, ...]] = {
    "discretion names sections": (
        row(
            "named",
            bundle_of(ruled("outcome: share, grant: []"), **DESK),
            {"covers": "victims"},
            sequence=7,
            state=at_discretion("victims"),
        ),
        row(
            "and the head with them",
            bundle_of(ruled(f"{SHARE}, when: {{grade: [priority]}}"), **DESK),
            {"head": "granted", "covers": "victims"},
            sequence=7,
            state=at_discretion("victims"),
        ),
    ),
    "needs a role listed for it": (
        row(
            "not listed",
            "outcome: share, grant: []",
            {"victims": "withheld"},
            sequence=7,
            state=at_discretion("victims"),
        ),
        row(
            "another",
            bundle_of(ruled("outcome: share, grant: []"), **DESK),
            {"victims": "withheld"},
            sequence=7,
            state=at_discretion("victims", role="inspector"),
        ),
    ),
    "covers one event unless it says otherwise": (
        row(
            "the next",
            bundle_of(ruled("outcome: share, grant: []"), **DESK),
            {"victims": "withheld"},
            sequence=8,
            state=at_discretion("victims"),
        ),
        row(
            "says otherwise",
            bundle_of(ruled("outcome: share, grant: []"), **DESK),
            {"victims": "granted"},
            sequence=8,
            state=at_discretion("victims", sequence=None),
        ),
        row(
            "until its limit",
            bundle_of(ruled("outcome: share, grant: []"), **DESK),
            {"victims": "withheld"},
            sequence=8,
            state=at_discretion("victims", sequence=None, until=NOON),
        ),
    ),
    "and never what is referred": (
        row(
            "referred",
            bundle_of(ruled(SHARE, OF_FACTS), **DESK),
            {"facts": "referred"},
            sequence=7,
            state=at_discretion("facts"),
        ),
    ),
    "nor what is forbidden": (
        row(
            "forbidden",
            bundle_of(ruled(SHARE, "outcome: forbid, sections: [facts]"), **DESK),
            {"facts": "forbidden"},
            sequence=7,
            state=at_discretion("facts"),
        ),
    ),
}
CASES: dict[str, tuple[Row, ...]] = {
    "a line for each recipient and refer rule": (
        row(
            "two rules",
            (SHARE, OF_FACTS, REFER),
            {"referrals": {"A/r2": ("facts",), "A/r3": ("head", "locations", "facts")}},
        ),
    ),
    "only what is grantable is referred": (
        row(
            "the rest is withheld",
            (SHARE, f"{REFER}, sections: [facts, victims]"),
            {"referrals": {"A/r2": ("facts",)}, "victims": "withheld"},
        ),
    ),
    "history may refer what the present event would not": (
        row(
            "an earlier caveat",
            (SHARE, f"{REFER}, when: {{caveats: [refuge]}}"),
            "referred",
            state=State(history=History(caveats=frozenset({"refuge"}))),
        ),
    ),
}


@pytest.mark.parametrize("decide", DECIDERS)
@pytest.mark.parametrize("each", cases(RELEASES | REFUSALS | OVERRIDES | DISCRETION | CASES))
def test_sentence(each: Row, decide: Decide) -> None:
    each.check(decide)
