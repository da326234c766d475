"""The sentences about history, doubt, never-states, mode, and when an agreement is in force."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from routing.agreements.state import History, State
from tests.routing.agreements.deciders import (
    DECIDERS,
    HEAD,
    STANDING,
    Decide,
    Row,
    bundle_of,
    cases,
    holds,
    never_states,
    row,
    ruled,
    suspends,
)

SHARE = "outcome: share, grant: [facts]"
CHILD = "when: {flags: [child]}"
FORBID_CHILD = f"outcome: forbid, {CHILD}"
REFER = "outcome: refer, escalate: [desk], within: [15m]"


def earlier(**codes: list[str]) -> State:
    """Codes that earlier events stated."""
    return State(history=History(**{name: frozenset(listed) for name, listed in codes.items()}))


def at(year: int, month: int, day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


HISTORY: dict[str, tuple[Row, ...]] = {
    "only the when of refer, forbid and limit rules reads history": (
        row("forbid", (SHARE, FORBID_CHILD), "forbidden", state=earlier(flags=["child"])),
        row("refer", (SHARE, f"{REFER}, {CHILD}"), "referred", state=earlier(flags=["child"])),
        row(
            "limit",
            (SHARE, f"outcome: limit, retain: 5d, {CHILD}"),
            {"retain_days": 5},
            state=earlier(flags=["child"]),
        ),
    ),
    "unless and share rules read the present event": (
        row("share", f"{SHARE}, {CHILD}", "withheld", state=earlier(flags=["child"])),
        row("unless of a share", f"{SHARE}, unless: {{flags: [child]}}", "granted", state=earlier(flags=["child"])),
        row(
            "unless of a forbid",
            (SHARE, "outcome: forbid, unless: {flags: [child]}"),
            "forbidden",
            state=earlier(flags=["child"]),
        ),
    ),
    "there a set is its present codes and every code an earlier event stated": (
        row("earlier", (SHARE, FORBID_CHILD), "forbidden", flags=["weapon"], state=earlier(flags=["child"])),
        row("present", (SHARE, FORBID_CHILD), "forbidden", flags=["child"], state=earlier(flags=["weapon"])),
        row(
            "one of each",
            (SHARE, "outcome: forbid, when: {flags: {all: [child, weapon]}}"),
            "forbidden",
            flags=["child"],
            state=earlier(flags=["weapon"]),
        ),
    ),
    "except unknown": (row("it is forgotten", (SHARE, FORBID_CHILD), "granted", state=earlier(flags=["unknown"])),),
    "a present null adds unknown": (
        row("null now", (SHARE, FORBID_CHILD), "forbidden", flags=None, state=earlier(flags=["weapon"])),
    ),
    "nothing, under a never-state": (
        row(
            "null now",
            bundle_of(ruled(SHARE, FORBID_CHILD), **never_states("north", "flags")),
            "granted",
            flags=None,
            state=earlier(flags=["weapon"]),
        ),
        row(
            "but what was stated",
            bundle_of(ruled(SHARE, FORBID_CHILD), **never_states("north", "flags")),
            "forbidden",
            flags=None,
            state=earlier(flags=["child"]),
        ),
    ),
    "every full, opening or closing category ever stated may make category true": (
        row(
            "full",
            (SHARE, "outcome: forbid, when: {category: [crime]}"),
            "forbidden",
            state=earlier(category=["crime/theft"]),
        ),
        row(
            "opening",
            (SHARE, "outcome: forbid, when: {category: [crime]}"),
            "forbidden",
            state=earlier(opening_category=["crime"]),
        ),
        row(
            "closing",
            (SHARE, "outcome: forbid, when: {category: [crime]}"),
            "forbidden",
            state=earlier(closing_category=["crime"]),
        ),
        row(
            "opening, now", (SHARE, "outcome: forbid, when: {category: [crime]}"), "forbidden", opening_category="crime"
        ),
    ),
    "only the present one may make it unknown": (
        row(
            "an earlier one above a value",
            (SHARE, "outcome: forbid, when: {category: [crime/theft]}"),
            "granted",
            state=earlier(category=["crime"]),
        ),
        row(
            "the present one",
            (SHARE, "outcome: forbid, when: {category: [crime/theft]}"),
            "forbidden",
            category="crime",
        ),
    ),
    "a corrected event removes a code only where its changes name that field and it no longer states it": (
        row(
            "named, and no longer stated",
            (SHARE, FORBID_CHILD),
            "granted",
            kind="corrected",
            changes=["flags"],
            state=earlier(flags=["child"]),
        ),
        row("not named", (SHARE, FORBID_CHILD), "forbidden", kind="corrected", state=earlier(flags=["child"])),
        row(
            "named, and still stated",
            (SHARE, FORBID_CHILD),
            "forbidden",
            kind="corrected",
            changes=["flags"],
            flags=["child"],
            state=earlier(flags=["child"]),
        ),
        row(
            "named, of no correction",
            (SHARE, FORBID_CHILD),
            "forbidden",
            changes=["flags"],
            state=earlier(flags=["child"]),
        ),
        row(
            "a category",
            (SHARE, "outcome: forbid, when: {category: [crime]}"),
            "granted",
            kind="corrected",
            changes=["category"],
            state=earlier(category=["crime/theft"]),
        ),
    ),
}
DOUBT: dict[str, tuple[Row, ...]] = {
    "a share rule matches if when is true and unless is false": (
        row("true, false", f"{SHARE}, {CHILD}, unless: {{caveats: [refuge]}}", "granted", flags=["child"]),
        row("unknown, false", f"{SHARE}, {CHILD}, unless: {{caveats: [refuge]}}", "withheld", flags=None),
        row(
            "true, unknown",
            f"{SHARE}, {CHILD}, unless: {{caveats: [refuge]}}",
            "withheld",
            flags=["child"],
            caveats=None,
        ),
        row(
            "true, true",
            f"{SHARE}, {CHILD}, unless: {{caveats: [refuge]}}",
            "withheld",
            flags=["child"],
            caveats=["refuge"],
        ),
    ),
    "on_doubt: share makes it match if when is not false and unless is not true": tuple(
        row(
            f"{flags}, {caveats}",
            f"outcome: share, grant: [locations], on_doubt: share, {CHILD}, unless: {{caveats: [refuge]}}",
            head,
            flags=flags,
            caveats=caveats,
        )
        for flags, caveats, head in (
            (["child"], [], "granted"),
            (None, [], "granted"),
            (["child"], None, "granted"),
            (None, None, "granted"),
            ([], [], "withheld"),
            (None, ["refuge"], "withheld"),
        )
    ),
    "a refer, forbid or limit rule matches if when is true or unknown, and unless is false or unknown": tuple(
        row(
            f"{rule.split(',')[0]}: {flags}, {caveats}",
            (SHARE, f"{rule}, {CHILD}, unless: {{caveats: [refuge]}}"),
            {"acts": {"A/r1": "share"} | ({"A/r2": acts} if matches else {})},
            flags=flags,
            caveats=caveats,
        )
        for rule, acts in ((REFER, "refer"), ("outcome: forbid", "forbid"), ("outcome: limit, retain: 1d", "limit"))
        for flags, caveats, matches in (
            (["child"], [], True),
            (None, [], True),
            (["child"], None, True),
            (None, None, True),
            ([], [], False),
            (["child"], ["refuge"], False),
        )
    ),
    "a forbid that turns on an unknown acts as a refer rule if its file has doubt": (
        row(
            "when is unknown",
            bundle_of(ruled(SHARE, FORBID_CHILD, doubt="{escalate: [desk], within: [10m]}")),
            {"head": "referred", "acts": {"A/r1": "share", "A/r2": "refer"}},
            flags=None,
        ),
        row(
            "unless is unknown",
            bundle_of(
                ruled(SHARE, "outcome: forbid, unless: {flags: [child]}", doubt="{escalate: [desk], within: [10m]}")
            ),
            "referred",
            flags=None,
        ),
        row(
            "nothing is unknown",
            bundle_of(ruled(SHARE, FORBID_CHILD, doubt="{escalate: [desk], within: [10m]}")),
            "forbidden",
            flags=["child"],
        ),
        row("its file has none", (SHARE, FORBID_CHILD), "forbidden", flags=None),
        row(
            "with the same sections",
            bundle_of(ruled(SHARE, f"{FORBID_CHILD}, sections: [facts]", doubt="{escalate: [desk], within: [10m]}")),
            {"head": "granted", "facts": "referred", "referrals": {"A/r2": ("facts",)}},
            flags=None,
        ),
    ),
    "and is in force": (
        row(
            "its agreement has ended",
            bundle_of(
                ruled(SHARE, agreement="B"),
                ruled(FORBID_CHILD, doubt="{escalate: [desk], within: [10m]}", ends="2026-03-01"),
            ),
            "forbidden",
            flags=None,
        ),
        row(
            "it is suspended",
            bundle_of(
                ruled(SHARE, agreement="B"),
                ruled(FORBID_CHILD, doubt="{escalate: [desk], within: [10m]}"),
                **suspends("A"),
            ),
            "forbidden",
            flags=None,
        ),
    ),
}
NEVER_STATES: dict[str, tuple[Row, ...]] = {
    "null then counts as empty for that origin": (
        row(
            "a forbid",
            bundle_of(ruled(SHARE, FORBID_CHILD), **never_states("north", "flags")),
            "granted",
            flags=None,
        ),
        row(
            "a share",
            bundle_of(ruled(f"{SHARE}, unless: {{flags: [child]}}"), **never_states("north", "flags")),
            "granted",
            flags=None,
        ),
        row(
            "another origin",
            bundle_of(ruled(SHARE, FORBID_CHILD), **never_states("south", "flags")),
            "forbidden",
            flags=None,
        ),
        row(
            "another set",
            bundle_of(ruled(SHARE, FORBID_CHILD), **never_states("north", "caveats")),
            "forbidden",
            flags=None,
        ),
        row(
            "a set that holds unknown is not null",
            bundle_of(ruled(SHARE, FORBID_CHILD), **never_states("north", "flags")),
            "forbidden",
            flags=["unknown"],
        ),
    ),
}
MODE: dict[str, tuple[Row, ...]] = {
    "a share rule that does not name mode in when matches only when mode is actual": tuple(
        row(mode, SHARE, head, mode=mode)
        for mode, head in (
            ("actual", "granted"),
            ("exercise", "withheld"),
            ("test", "withheld"),
            ("unknown", "withheld"),
        )
    ),
    "a share rule may name it": (
        row("exercise", f"{SHARE}, when: {{mode: [exercise]}}", "granted", mode="exercise"),
        row("not actual then", f"{SHARE}, when: {{mode: [exercise]}}", "withheld"),
        row("in unless is not in when", f"{SHARE}, unless: {{mode: [test]}}", "withheld", mode="exercise"),
    ),
    "unknown and null are not, and on_doubt does not change that": (
        row("unknown", "outcome: share, grant: [], on_doubt: share", "withheld", mode="unknown"),
    ),
    "in other modes a refer rule withholds instead of opening a case": tuple(
        row(
            mode,
            (f"{SHARE}, when: {{mode: [actual, exercise, test]}}", REFER),
            {"head": head, "acts": {"A/r1": "share", "A/r2": acts}},
            mode=mode,
        )
        for mode, head, acts in (
            ("actual", "referred", "refer"),
            ("exercise", "withheld", "withhold"),
            ("test", "withheld", "withhold"),
        )
    ),
    "forbids and limits hold always": (
        row("forbid", (f"{SHARE}, when: {{mode: [exercise]}}", "outcome: forbid"), "forbidden", mode="exercise"),
        row(
            "limit",
            (f"{SHARE}, when: {{mode: [exercise]}}", "outcome: limit, retain: 2d"),
            {"retain_days": 2},
            mode="exercise",
        ),
    ),
}
IN_FORCE: dict[str, tuple[Row, ...]] = {
    "after review sharing goes on with a mark": (
        row("on its day", SHARE, {"head": "granted", "under_review": False}, now=at(2026, 12, 31)),
        row("after it", SHARE, {"head": "granted", "under_review": True}, now=at(2027, 1, 1)),
    ),
    "days begin at 00:00 Europe/London": (
        row(
            "a minute before, in summer",
            bundle_of(ruled(SHARE, starts="2026-07-01")),
            "withheld",
            now=at(2026, 6, 30, 22, 59),
        ),
        row("at midnight, in summer", bundle_of(ruled(SHARE, starts="2026-07-01")), "granted", now=at(2026, 6, 30, 23)),
        row(
            "a minute before, in winter",
            bundle_of(ruled(SHARE, starts="2026-02-01")),
            "withheld",
            now=at(2026, 1, 31, 23, 59),
        ),
        row("at midnight, in winter", bundle_of(ruled(SHARE, starts="2026-02-01")), "granted", now=at(2026, 2, 1, 0)),
    ),
    "before starts no rule applies": (
        row("share", bundle_of(ruled(SHARE, starts="2026-07-01")), "withheld"),
        row(
            "forbid",
            bundle_of(ruled(SHARE, agreement="B"), ruled("outcome: forbid", starts="2026-07-01")),
            {"head": "granted", "acts": {"B/r1": "share"}},
        ),
        row("refer", bundle_of(ruled(SHARE, agreement="B"), ruled(REFER, starts="2026-07-01")), "granted"),
        row(
            "limit",
            bundle_of(ruled(SHARE, agreement="B"), ruled("outcome: limit, retain: 1d", starts="2026-07-01")),
            {"retain_days": 90},
        ),
    ),
    "share rules need the origin's signature": (
        row("nobody has signed", bundle_of(ruled(SHARE, signed="")), "withheld"),
        row(
            "another has",
            bundle_of(
                ruled(SHARE, signed="[{member: south, name: n, role: r, date: 2026-01-01}]", from_="[north, south]")
            ),
            "withheld",
        ),
        row(
            "not yet",
            bundle_of(ruled(SHARE, signed="[{member: north, name: n, role: r, date: 2026-06-02}]")),
            "withheld",
        ),
        row(
            "today",
            bundle_of(ruled(SHARE, signed="[{member: north, name: n, role: r, date: 2026-06-01}]")),
            "granted",
        ),
    ),
    "and stop after the last moment of ends": (
        row("on its day", bundle_of(ruled(SHARE, ends="2026-06-01")), "granted", now=at(2026, 6, 1, 22, 59)),
        row("after it", bundle_of(ruled(SHARE, ends="2026-06-01")), "withheld", now=at(2026, 6, 1, 23)),
    ),
    "and while suspended": (row("it is", bundle_of(ruled(SHARE), **suspends("A")), "withheld"),),
    "what is held is followed": (
        row("after ends", bundle_of(ruled(SHARE, ends="2026-03-01")), "granted", state=holds("facts")),
    ),
    "suspending ends following under it": (
        row("suspended", bundle_of(ruled(SHARE), **suspends("A")), "withheld", state=holds("facts")),
    ),
    "refer (then withholding), forbid and limit rules need no signature": (
        row("refer", bundle_of(ruled(SHARE, agreement="B"), ruled(REFER, signed="")), "referred"),
        row("forbid", bundle_of(ruled(SHARE, agreement="B"), ruled("outcome: forbid", signed="")), "forbidden"),
        row(
            "limit",
            bundle_of(ruled(SHARE, agreement="B"), ruled("outcome: limit, retain: 1d", signed="")),
            {"retain_days": 1},
        ),
    ),
    "and stay when it has ended or is suspended; refer rules withhold then": (
        row(
            "forbid, ended",
            bundle_of(ruled(SHARE, agreement="B"), ruled("outcome: forbid", ends="2026-03-01")),
            "forbidden",
        ),
        row("refer, ended", bundle_of(ruled(SHARE, agreement="B"), ruled(REFER, ends="2026-03-01")), "withheld"),
        row(
            "limit, ended",
            bundle_of(ruled(SHARE, agreement="B"), ruled("outcome: limit, retain: 1d", ends="2026-03-01")),
            {"retain_days": 1},
        ),
        row(
            "forbid, suspended",
            bundle_of(ruled(SHARE, agreement="B"), ruled("outcome: forbid"), **suspends("A")),
            "forbidden",
        ),
        row("refer, suspended", bundle_of(ruled(SHARE, agreement="B"), ruled(REFER), **suspends("A")), "withheld"),
        row(
            "limit, suspended",
            bundle_of(ruled(SHARE, agreement="B"), ruled("outcome: limit, retain: 1d"), **suspends("A")),
            {"retain_days": 1},
        ),
    ),
    "standing protections apply to its from towards every recipient, less except": (
        row("everyone", bundle_of(ruled(SHARE), ruled("outcome: forbid", head=STANDING)), "forbidden", to="west"),
        row(
            "not those excepted",
            bundle_of(ruled(SHARE), ruled("outcome: forbid", head=STANDING, except_="[west]")),
            "granted",
            to="west",
        ),
        row(
            "of its from alone",
            bundle_of(ruled(SHARE), ruled("outcome: forbid", head=STANDING, from_="[south]")),
            "granted",
        ),
    ),
    "from any is every member that publishes and has signed": (
        row("has", bundle_of(ruled(SHARE, from_="any")), "granted"),
        row("has not", bundle_of(ruled(SHARE, from_="any")), "withheld", origin="east", to="south"),
    ),
    "to any is every member that receives": (
        row("one that no list names", bundle_of(ruled(SHARE, to="any")), "granted", to="east"),
    ),
    "recipients is part of to": (
        row("named", bundle_of(ruled(f"{SHARE}, recipients: [south]")), "granted"),
        row("not named", bundle_of(ruled(f"{SHARE}, recipients: [south]")), "withheld", to="west"),
    ),
    "take every matching rule of every agreement with F in from and P in to": (
        row("P is in none", SHARE, "withheld", to="east"),
        row("F is in none", SHARE, "withheld", origin="east"),
        row(
            "of two agreements",
            bundle_of(ruled(SHARE), ruled("outcome: forbid", agreement="B", head=HEAD)),
            "forbidden",
        ),
    ),
}


@pytest.mark.parametrize("decide", DECIDERS)
@pytest.mark.parametrize("each", cases(HISTORY | DOUBT | NEVER_STATES | MODE | IN_FORCE))
def test_sentence(each: Row, decide: Decide) -> None:
    each.check(decide)
