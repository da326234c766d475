"""The sentences of following and of what a holder hears: corrections, withdrawals, restricted."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from routing.agreements.state import CaseLine, HeldGrant, HeldPart, Holding, Refusal, RuleRef, State
from tests.routing.agreements.deciders import (
    DECIDERS,
    NOON,
    Decide,
    Row,
    bundle_of,
    cases,
    holding,
    holds,
    row,
    ruled,
    suspends,
)

SHARE = "outcome: share, grant: [facts]"
NO_LONGER = "outcome: share, grant: [facts], when: {grade: [priority]}"
FORBID = "outcome: forbid"
REFER = "outcome: refer, escalate: [desk], within: [15m]"
SOUTH = frozenset({"south"})
BY_RULING = HeldGrant("A", "ruling-1", by="ruling", retain_days=90)


def hours_ago(hours: float) -> datetime:
    return NOON - timedelta(hours=hours)


def refused(*parts: str, rules: tuple[RuleRef, ...] = ()) -> State:
    """South holds the facts, and was refused these parts."""
    refusal = Refusal(kind="refusal", recipients=SOUTH, parts=frozenset(parts), grade="emergency", rules=rules)
    return holds("facts", refusals=(refusal,))


FOLLOWING: dict[str, tuple[Row, ...]] = {
    "the head, and each section, once granted by a share rule and delivered, stays granted": (
        row("the rule no longer matches", NO_LONGER, {"head": "granted", "covers": "facts"}, state=holds("facts")),
        row("the head alone", NO_LONGER, {"head": "granted", "covers": ""}, state=holds()),
        row("to that member", NO_LONGER, {"head": "withheld"}, state=holds("facts"), to="west"),
        row(
            "the rule is gone",
            "outcome: limit, retain: 1d",
            {"head": "granted", "covers": "facts"},
            state=holds("facts"),
        ),
    ),
    "until follow after closing": (
        row("72 hours, less a minute", NO_LONGER, "granted", state=holds("facts", closed_at=hours_ago(71.99))),
        row("72 hours", NO_LONGER, "withheld", state=holds("facts", closed_at=hours_ago(72))),
        row(
            "its own follow",
            bundle_of(ruled(NO_LONGER, follow="10h")),
            "withheld",
            state=holds("facts", closed_at=hours_ago(10)),
        ),
        row("while it is open", NO_LONGER, "granted", state=holds("facts", last_event_at=hours_ago(500))),
    ),
    "the longest follow among the agreements that granted it": (
        row(
            "of two",
            bundle_of(ruled(NO_LONGER, follow="1h"), ruled(NO_LONGER, agreement="B", follow="100h")),
            "granted",
            state=State(
                closed_at=hours_ago(99),
                holdings=(holding("facts", grants=(HeldGrant("A", "r1"), HeldGrant("B", "r1"))),),
            ),
        ),
        row(
            "not of one that did not",
            bundle_of(ruled(NO_LONGER, follow="1h"), ruled(NO_LONGER, agreement="B", follow="100h")),
            "withheld",
            state=holds("facts", closed_at=hours_ago(99)),
        ),
    ),
    "also after an agreement's ends": (
        row("ended", bundle_of(ruled(SHARE, ends="2026-03-01")), {"covers": "facts"}, state=holds("facts")),
    ),
    "what only a release, discretion or override granted ends with that ruling": (
        row("by a ruling", NO_LONGER, "withheld", state=State(holdings=(holding("facts", grants=(BY_RULING,)),))),
        row(
            "by a ruling and a rule",
            NO_LONGER,
            {"covers": "facts"},
            state=State(holdings=(holding("facts", grants=(BY_RULING, HeldGrant("A", "r1"))),)),
        ),
        row(
            "a section by a ruling, the head by a rule",
            NO_LONGER,
            {"head": "granted", "covers": ""},
            state=State(
                holdings=(
                    Holding("south", (HeldPart("head", (HeldGrant("A", "r1"),)), HeldPart("facts", (BY_RULING,))), 90),
                )
            ),
        ),
    ),
    "an incident closes at the first event of kind or status closed": (
        row(
            "this one, by kind",
            bundle_of(ruled(NO_LONGER, follow="1h")),
            "granted",
            kind="closed",
            state=holds("facts"),
        ),
        row(
            "this one, by status",
            bundle_of(ruled(NO_LONGER, follow="1h")),
            "granted",
            status="closed",
            state=holds("facts"),
        ),
        row(
            "the first counts",
            bundle_of(ruled(NO_LONGER, follow="1h")),
            "withheld",
            kind="closed",
            state=holds("facts", closed_at=hours_ago(2)),
        ),
    ),
    "and is open again at a later reopened": (
        row("this one", NO_LONGER, "granted", kind="reopened", state=holds("facts", closed_at=hours_ago(500))),
        row("any other", NO_LONGER, "withheld", kind="updated", state=holds("facts", closed_at=hours_ago(500))),
    ),
    "without an event for 90 days it counts as closed at its last one": (
        row("90 days", NO_LONGER, "withheld", state=holds("facts", last_event_at=NOON - timedelta(days=90))),
        row(
            "a minute less",
            NO_LONGER,
            "granted",
            state=holds("facts", last_event_at=NOON - timedelta(days=90) + timedelta(minutes=1)),
        ),
    ),
    "a new section needs a rule": (
        row("not held", NO_LONGER, {"covers": "facts", "victims": "withheld"}, state=holds("facts")),
        row(
            "a rule for it",
            (NO_LONGER, "outcome: share, grant: [victims]"),
            {"covers": "victims facts"},
            state=holds("facts"),
        ),
    ),
    "a change of the event's own grade, category, place or status never withdraws anything": (
        row(
            "grade",
            NO_LONGER,
            {"covers": "facts", "action": "share", "withdraws": ""},
            grade="scheduled",
            state=holds("facts"),
        ),
        row(
            "category",
            NO_LONGER,
            {"covers": "facts", "withdraws": ""},
            category="administration/error",
            state=holds("facts"),
        ),
        row("status", NO_LONGER, {"covers": "facts", "withdraws": ""}, status="cancelled", state=holds("facts")),
    ),
    "refer, forbid, limit and rulings still apply": (
        row("forbid", (SHARE, FORBID), "forbidden", state=holds("facts")),
        row(
            "forbid a section",
            (SHARE, f"{FORBID}, sections: [facts]"),
            {"head": "granted", "covers": ""},
            state=holds("facts"),
        ),
        row("refer", (SHARE, f"{REFER}, sections: [facts]"), {"facts": "referred"}, state=holds("facts")),
        row("limit", (NO_LONGER, "outcome: limit, retain: 1d"), {"retain_days": 1}, state=holds("facts")),
        row("refusal", NO_LONGER, {"facts": "withheld"}, state=refused("facts")),
    ),
    "a followed grant is a ground only if none of these grants it now": (
        row("followed", NO_LONGER, {"grounds": ["facts: A/r1"]}, state=holds("facts")),
        row("a rule grants it", (NO_LONGER, SHARE), {"grounds": ["facts: A/r2"]}, state=holds("facts")),
    ),
    "a followed grant has the locate it was last delivered with": (
        row("coarse", NO_LONGER, {"locate": {"facts": "1km"}}, state=State(holdings=(holding("facts", locate="1km"),))),
        row(
            "finer by a rule now",
            SHARE,
            {"locate": {"facts": "exact"}},
            state=State(holdings=(holding("facts", locate="1km"),)),
        ),
    ),
    "suspending ends following under it": (
        row("it is", bundle_of(ruled(SHARE), **suspends("A")), "withheld", state=holds("facts")),
    ),
    "holder: the recipient already holds the incident": (
        row("it does", "outcome: share, grant: [hazards], when: {holder: true}", {"hazards": "granted"}, state=holds()),
        row(
            "another does",
            "outcome: share, grant: [hazards], when: {holder: true}",
            "withheld",
            to="west",
            state=holds(),
        ),
    ),
}
CORRECTIONS: dict[str, tuple[Row, ...]] = {
    "of a corrected event, every section P holds is granted until its retain_until": (
        row("no rule", NO_LONGER, {"covers": "facts", "action": "correct"}, kind="corrected", state=holds("facts")),
        row(
            "long after follow",
            NO_LONGER,
            {"covers": "facts", "action": "correct"},
            kind="corrected",
            state=holds("facts", closed_at=hours_ago(24 * 89)),
        ),
        row(
            "after retain_until",
            NO_LONGER,
            "withheld",
            kind="corrected",
            state=holds("facts", closed_at=hours_ago(24 * 90)),
        ),
        row(
            "while it is open there is none",
            NO_LONGER,
            {"covers": "facts"},
            kind="corrected",
            state=State(holdings=(holding("facts", retain_days=0, grants=(BY_RULING,)),)),
        ),
        row(
            "the correction itself closes it, and it may be kept for a day",
            NO_LONGER,
            "granted",
            kind="corrected",
            status="closed",
            state=State(holdings=(holding("facts", retain_days=1, grants=(BY_RULING,)),)),
        ),
        row(
            "nor for a day",
            NO_LONGER,
            "withheld",
            kind="corrected",
            status="closed",
            state=State(holdings=(holding("facts", retain_days=0, grants=(BY_RULING,)),)),
        ),
        row("not what it does not hold", NO_LONGER, {"victims": "withheld"}, kind="corrected", state=holds("facts")),
    ),
    "whatever refer rules, cases, refusals or follow say": (
        row("refer", (SHARE, REFER), {"covers": "facts", "action": "correct"}, kind="corrected", state=holds("facts")),
        row(
            "a case",
            SHARE,
            {"covers": "facts", "action": "correct"},
            kind="corrected",
            state=holds(
                "facts",
                lines=(CaseLine(recipient="south", agreement="A", rule="r2", parts=frozenset({"head", "facts"})),),
            ),
        ),
        row(
            "a refusal",
            SHARE,
            {"covers": "facts", "action": "correct"},
            kind="corrected",
            state=refused("head", "facts"),
        ),
        row(
            "what a ruling granted",
            NO_LONGER,
            {"covers": "facts", "action": "correct"},
            kind="corrected",
            state=State(holdings=(holding("facts", grants=(BY_RULING,)),)),
        ),
    ),
    "if a forbid covers a held section of it, P gets an action withdraw naming it": (
        row(
            "a section",
            (SHARE, f"{FORBID}, sections: [facts]"),
            {"action": "withdraw", "withdraws": "facts", "facts": "forbidden"},
            kind="corrected",
            state=holds("facts", "hazards"),
        ),
        row(
            "head and all",
            (SHARE, FORBID),
            {"action": "withdraw", "withdraws": "head facts"},
            kind="corrected",
            state=holds("facts"),
        ),
        row(
            "a section it does not hold",
            (SHARE, f"{FORBID}, sections: [victims]"),
            {"action": "correct", "withdraws": ""},
            kind="corrected",
            state=holds("facts"),
        ),
        row("of no correction", (SHARE, FORBID), {"action": "restricted", "withdraws": ""}, state=holds("facts")),
    ),
    "a correction is decided for every recipient like any event": (
        row("no holder", SHARE, {"action": "share", "covers": "facts"}, kind="corrected"),
        row("nobody grants it", NO_LONGER, {"action": "none", "head": "withheld"}, kind="corrected"),
    ),
}
RESTRICTED: dict[str, tuple[Row, ...]] = {
    "if P holds the incident and its head is forbidden, referred or withheld by a case, P gets one restricted": (
        row("forbidden", (SHARE, FORBID), {"action": "restricted", "without_news": True}, state=holds("facts")),
        row("referred", (SHARE, REFER), {"action": "restricted", "without_news": True}, state=holds("facts")),
        row("refused", SHARE, {"action": "restricted", "without_news": True}, state=refused("head")),
        row(
            "an ended agreement",
            bundle_of(ruled(SHARE, agreement="B"), ruled(REFER, ends="2026-03-01")),
            {"action": "restricted"},
            state=holds("facts"),
        ),
        row("not one that holds nothing", (SHARE, FORBID), {"action": "none", "without_news": False}),
    ),
    "not where its news has simply come to an end": (
        row(
            "follow is over",
            NO_LONGER,
            {"action": "none", "without_news": False},
            state=holds("facts", closed_at=hours_ago(100)),
        ),
    ),
    "nor on a correction": (
        row(
            "the head was never held by rule",
            (SHARE, FORBID),
            {"action": "withdraw"},
            kind="corrected",
            state=holds("facts"),
        ),
    ),
    "not repeated until its next other delivery": (
        row(
            "it was the last thing sent",
            (SHARE, FORBID),
            {"action": "none", "without_news": True},
            state=State(holdings=(holding("facts", restricted=True),)),
        ),
    ),
    "unless any rule responsible says silent": (
        row(
            "the forbid",
            (SHARE, f"{FORBID}, silent: true"),
            {"action": "none", "without_news": True},
            state=holds("facts"),
        ),
        row(
            "the refer rule",
            (SHARE, f"{REFER}, silent: true"),
            {"action": "none", "without_news": True},
            state=holds("facts"),
        ),
        row("one of two", (SHARE, FORBID, f"{FORBID}, silent: true"), {"action": "none"}, state=holds("facts")),
        row(
            "the rule of a refusal",
            (SHARE, f"{REFER}, silent: true, when: {{grade: [priority]}}"),
            {"action": "none", "without_news": True},
            state=refused("head", rules=(RuleRef("A", "r2"),)),
        ),
        row(
            "not another rule than that of the refusal",
            (SHARE, f"{REFER}, when: {{grade: [priority]}}", f"{REFER}, silent: true, when: {{grade: [priority]}}"),
            {"action": "restricted"},
            state=refused("head", rules=(RuleRef("A", "r2"),)),
        ),
        row(
            "not a rule that is gone",
            (SHARE, f"{REFER}, silent: true, when: {{grade: [priority]}}"),
            {"action": "restricted"},
            state=refused("head", rules=(RuleRef("A", "r9"),)),
        ),
        row(
            "the rule of an open line",
            (SHARE, f"{REFER}, silent: true, when: {{grade: [priority]}}"),
            {"action": "none", "without_news": True},
            state=holds(
                "facts", lines=(CaseLine(recipient="south", agreement="A", rule="r2", parts=frozenset({"head"})),)
            ),
        ),
        row(
            "one that is not responsible",
            (SHARE, FORBID, f"{REFER}, silent: true"),
            {"action": "restricted"},
            state=holds("facts"),
        ),
    ),
    "the origin is told at once which holders are without news": (
        row("told", (SHARE, REFER), {"without_news": True}, state=holds("facts")),
        row("has news", SHARE, {"without_news": False}, state=holds("facts")),
    ),
}


@pytest.mark.parametrize("decide", DECIDERS)
@pytest.mark.parametrize("each", cases(FOLLOWING | CORRECTIONS | RESTRICTED))
def test_sentence(each: Row, decide: Decide) -> None:
    each.check(decide)
