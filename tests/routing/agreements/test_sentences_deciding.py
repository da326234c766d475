"""The sentences of deciding: the steps, what flows, on which grounds and terms, and how coarsely it is placed."""

from __future__ import annotations

import pytest

from routing.agreements.state import CaseLine, Refusal, State
from schemas.sections import SECTIONS
from tests.routing.agreements.deciders import DECIDERS, Decide, Row, bundle_of, cases, holds, row, ruled

SHARE = "outcome: share, grant: [facts, locations]"
FACTS = "outcome: share, grant: [facts]"
FORBID = "outcome: forbid"
REFER = "outcome: refer, escalate: [desk], within: [15m]"
ENDED = {"ends": "2026-03-01"}
SOUTH = frozenset({"south"})


def refused(*parts: str, kind: str = "refusal") -> State:
    """The desk said no, or nobody said anything, when the event was as it is."""
    assert kind in ("refusal", "lapse")
    return State(
        refusals=(
            Refusal(
                kind="refusal" if kind == "refusal" else "lapse",
                recipients=SOUTH,
                parts=frozenset(parts),
                grade="emergency",
            ),
        )
    )


def line(*parts: str, to: str = "south") -> State:
    """An open line of the case."""
    return State(lines=(CaseLine(recipient=to, agreement="A", rule="r2", parts=frozenset(parts)),))


STEPS: dict[str, tuple[Row, ...]] = {
    "1: forbidden, if P is barred from the incident by a retraction": (
        row("whatever is shared", SHARE, {"head": "forbidden", "facts": "forbidden"}, state=State(barred=SOUTH)),
        row("whatever is referred", (SHARE, REFER), "forbidden", state=State(barred=SOUTH)),
        row("not another", SHARE, "granted", state=State(barred=frozenset({"west"}))),
        row("also a holder", SHARE, "forbidden", state=holds("facts", barred=SOUTH)),
    ),
    "1: or a matching forbid covers it and is not lifted": (
        row("head and all", (SHARE, FORBID), {"head": "forbidden", "facts": "forbidden"}),
        row("one section", (SHARE, f"{FORBID}, sections: [facts]"), {"head": "granted", "covers": "locations"}),
        row("before a refer", (SHARE, FORBID, REFER), "forbidden"),
        row("before a refusal", (SHARE, FORBID), "forbidden", state=refused("head")),
    ),
    "2: withheld, if a refusal or lapse that still stands covers it": (
        row("a refusal of a section", SHARE, {"head": "granted", "facts": "withheld"}, state=refused("facts")),
        row("a lapse", SHARE, {"head": "granted", "facts": "withheld"}, state=refused("facts", kind="lapse")),
        row("of the head", SHARE, {"head": "withheld", "facts": "withheld"}, state=refused("head")),
        row("another's", SHARE, {"facts": "granted"}, state=refused("facts"), to="west"),
    ),
    "2: whether or not its rule still matches": (
        row("no rule at all", FACTS, {"facts": "withheld"}, state=refused("facts")),
        row("it matches", (FACTS, f"{REFER}, sections: [facts]"), {"facts": "withheld"}, state=refused("facts")),
    ),
    "2: or a matching refer rule covers it and the mode is not actual": (
        row("exercise", (f"{SHARE}, when: {{mode: [exercise]}}", REFER), "withheld", mode="exercise"),
        row(
            "of a section",
            (f"{SHARE}, when: {{mode: [exercise]}}", f"{REFER}, sections: [facts]"),
            {"head": "granted", "covers": "locations", "facts": "withheld"},
            mode="exercise",
        ),
    ),
    "2: or its agreement has ended or is suspended": (
        row("ended", bundle_of(ruled(SHARE, agreement="B"), ruled(REFER, **ENDED)), "withheld"),
    ),
    "3: referred, if it stands on an open line of the case for P": (
        row("a section", SHARE, {"head": "granted", "facts": "referred"}, state=line("facts")),
        row("the head", SHARE, {"head": "referred", "facts": "referred"}, state=line("head")),
        row("another's line", SHARE, {"facts": "granted"}, state=line("facts", to="west")),
        row("though nothing could grant it", "outcome: share, grant: []", {"facts": "referred"}, state=line("facts")),
    ),
    "3: or a matching refer rule that no release has discharged covers it": (
        row("head and all", (SHARE, REFER), {"head": "referred", "facts": "referred", "hazards": "referred"}),
        row("a section", (SHARE, f"{REFER}, sections: [facts]"), {"head": "granted", "facts": "referred"}),
        row("the head alone", (SHARE, f"{REFER}, sections: [head]"), {"head": "referred", "facts": "referred"}),
    ),
    "3: and it is grantable": (
        row("no share rule", REFER, {"head": "withheld", "referrals": {}}),
        row("a section that no share rule grants", (FACTS, f"{REFER}, sections: [victims]"), {"victims": "withheld"}),
        row("a share rule in doubt", (f"{SHARE}, when: {{flags: [child]}}", REFER), "referred", flags=None),
        row(
            "a share rule whose unless is in doubt",
            (f"{SHARE}, unless: {{flags: [child]}}", REFER),
            "referred",
            flags=None,
        ),
        row("a share rule whose when is false", (f"{SHARE}, when: {{flags: [child]}}", REFER), "withheld"),
        row("a share rule whose unless is true", (f"{SHARE}, unless: {{grade: [emergency]}}", REFER), "withheld"),
        row(
            "by following",
            bundle_of(ruled(f"{REFER}, sections: [facts]", agreement="B"), ruled(SHARE, **ENDED)),
            {"facts": "referred"},
            state=holds("facts"),
        ),
    ),
    "3: or the rule says invite: a person is asked whether to share at all; it covers the head too": (
        row("no share rule", f"{REFER}, invite: true", {"head": "referred", "facts": "referred"}),
        row(
            "of a section",
            f"{REFER}, invite: true, sections: [facts]",
            {"head": "referred", "referrals": {"A/r1": ("head", "facts")}},
        ),
        row(
            "the head by it, though a share rule grants it",
            (SHARE, f"{REFER}, invite: true, sections: [victims]"),
            "referred",
        ),
    ),
    "4: granted, if a matching share rule grants it (the head: any matching share rule)": (
        row("a section", SHARE, {"head": "granted", "covers": "locations facts"}),
        row("the head alone", "outcome: share, grant: []", {"head": "granted", "covers": ""}),
    ),
    "5: else withheld": (
        row("nobody wrote it down", SHARE, {"victims": "withheld"}),
        row("nothing at all", f"{SHARE}, when: {{grade: [priority]}}", {"head": "withheld", "outcome": "withheld"}),
    ),
    "a refer or forbid rule without sections covers the head and all sections; with sections, those": (
        row("forbid all", FORBID, dict.fromkeys(("head", *SECTIONS), "forbidden")),
        row(
            "refer all",
            ("outcome: share, grant: [" + ", ".join(SECTIONS) + "]", REFER),
            dict.fromkeys(("head", *SECTIONS), "referred"),
        ),
        row("head may be named", (SHARE, f"{FORBID}, sections: [head]"), {"head": "forbidden", "facts": "forbidden"}),
    ),
    "if the head is not granted, nothing flows": (
        row("withheld", (f"{SHARE}, when: {{grade: [priority]}}",), {"covers": "", "grounds": [], "action": "none"}),
        row(
            "forbidden",
            (SHARE, f"{FORBID}, sections: [head]"),
            {"covers": "", "grounds": [], "retain_days": None, "onward": None},
        ),
        row("referred", (SHARE, f"{REFER}, sections: [head]"), {"covers": "", "grounds": [], "action": "none"}),
    ),
    "every section that is not forbidden takes the head's state": (
        row(
            "withheld",
            (f"{FORBID}, sections: [facts]",),
            {"head": "withheld", "facts": "forbidden", "victims": "withheld"},
        ),
        row(
            "referred",
            (SHARE, f"{REFER}, sections: [head]", f"{FORBID}, sections: [facts]"),
            {"locations": "referred", "facts": "forbidden"},
        ),
        row(
            "a referred section beside a withheld head",
            (SHARE, f"{REFER}, sections: [facts]"),
            {"head": "withheld", "facts": "withheld"},
            state=refused("head"),
        ),
    ),
    "a case opens only if that is referred": (
        row("withheld", (SHARE, f"{REFER}, sections: [facts]"), {"referrals": {}}, state=refused("head")),
        row("forbidden", (SHARE, f"{REFER}, sections: [facts]", f"{FORBID}, sections: [head]"), {"referrals": {}}),
        row("referred", (SHARE, f"{REFER}, sections: [head, facts]"), {"referrals": {"A/r2": ("head", "facts")}}),
    ),
    "if it is granted, granted sections flow at once and referred ones wait in a case": (
        row(
            "both",
            (SHARE, f"{REFER}, sections: [facts]"),
            {"covers": "locations", "facts": "referred", "referrals": {"A/r2": ("facts",)}, "action": "share"},
        ),
    ),
    "permission adds up, prohibition always wins": (
        row("adds up", (FACTS, "outcome: share, grant: [hazards]"), {"covers": "facts hazards"}),
        row("wins", (FACTS, "outcome: share, grant: [hazards]", f"{FORBID}, sections: [facts]"), {"covers": "hazards"}),
        row("of another agreement", bundle_of(ruled(SHARE), ruled(FORBID, agreement="B")), "forbidden"),
    ),
}
FLOWING: dict[str, tuple[Row, ...]] = {
    "a delivery covers every granted section, empty or not": (
        row("empty", SHARE, {"covers": "locations facts"}, sections=[]),
        row("not", SHARE, {"covers": "locations facts"}, sections=["facts"]),
    ),
    "shared when every non-empty section is granted and no coordinate or address in them was replaced": (
        row("every one", SHARE, {"outcome": "shared"}, sections=["facts", "locations"], placed=["locations"]),
        row("none is stated", "outcome: share, grant: []", {"outcome": "shared"}, sections=[]),
        row("one is not granted", SHARE, {"outcome": "shared-in-part"}, sections=["facts", "victims"]),
        row(
            "one is told coarsely",
            f"{SHARE}, locate: 1km",
            {"outcome": "shared-in-part"},
            sections=["locations"],
            placed=["locations"],
        ),
        row("nothing in it could be", f"{SHARE}, locate: 1km", {"outcome": "shared"}, sections=["locations"]),
        row("what is placed is empty", f"{SHARE}, locate: 1km", {"outcome": "shared"}, sections=["facts"]),
    ),
    "otherwise it is the head's state": (
        row("referred", (SHARE, REFER), {"outcome": "referred"}),
        row("withheld", REFER, {"outcome": "withheld"}),
        row("forbidden", (SHARE, FORBID), {"outcome": "forbidden"}),
    ),
    "grounds: every matching share rule that grants the section, sorted": (
        row(
            "two",
            bundle_of(ruled(SHARE, agreement="B"), ruled(FACTS)),
            {"grounds": ["facts: A/r1", "locations: B/r1", "facts: B/r1"]},
        ),
        row(
            "not those that do not match",
            (FACTS, f"{FACTS}, when: {{grade: [priority]}}"),
            {"grounds": ["facts: A/r1"]},
        ),
    ),
    "for the head, if no section is covered, every matching share rule": (
        row(
            "two", ("outcome: share, grant: []", "outcome: share, grant: []"), {"grounds": ["head: A/r1", "head: A/r2"]}
        ),
        row("one is forbidden all it grants", (FACTS, f"{FORBID}, sections: [facts]"), {"grounds": ["head: A/r1"]}),
    ),
    "retain: for each purpose the shortest among its grounds": (
        row("one purpose", (f"{FACTS}, retain: 30d", f"{FACTS}, retain: 60d"), {"retain_days": 30}),
        row(
            "of two sections",
            (f"{FACTS}, retain: 30d", "outcome: share, grant: [hazards], retain: 60d"),
            {"retain_days": 30},
        ),
    ),
    "the delivery carries the longest of these": (
        row(
            "two purposes",
            (
                f"{FACTS}, retain: 30d",
                f"{FACTS}, retain: 60d, purpose: safeguarding",
                f"{FACTS}, retain: 50d, purpose: safeguarding",
            ),
            {"retain_days": 50},
        ),
        row(
            "what grants nothing that is covered does not count",
            (f"{FACTS}, retain: 30d", "outcome: share, grant: [], retain: 60d, purpose: safeguarding"),
            {"retain_days": 30},
        ),
    ),
    "capped by every matching limit": (
        row("one", (SHARE, "outcome: limit, retain: 10d"), {"retain_days": 10}),
        row("two", (SHARE, "outcome: limit, retain: 10d", "outcome: limit, retain: 5d"), {"retain_days": 5}),
        row("no shorter than it is", (SHARE, "outcome: limit, retain: 200d"), {"retain_days": 90}),
        row(
            "one that does not match",
            (SHARE, "outcome: limit, retain: 10d, when: {grade: [priority]}"),
            {"retain_days": 90},
        ),
        row(
            "of another agreement",
            bundle_of(ruled(SHARE), ruled("outcome: limit, retain: 7d", agreement="B")),
            {"retain_days": 7},
        ),
    ),
    "onward: the strictest among all grounds and limits": (
        row("one ground", SHARE, {"onward": "permitted"}),
        row("two grounds", bundle_of(ruled(FACTS), ruled(FACTS, agreement="B", onward="ask")), {"onward": "ask"}),
        row("not said is forbidden", bundle_of(ruled(FACTS, onward="")), {"onward": "forbidden"}),
        row("a limit", (SHARE, "outcome: limit, onward: forbidden"), {"onward": "forbidden"}),
        row(
            "a limit that is laxer",
            bundle_of(ruled(FACTS, "outcome: limit, onward: permitted", onward="ask")),
            {"onward": "ask"},
        ),
    ),
    "locate: the finest among the grants of that section": (
        row(
            "two",
            (f"{SHARE}, locate: 10km", f"{FACTS}, locate: 1km"),
            {"locate": {"facts": "1km", "locations": "10km"}},
        ),
        row("no locate is exact", (f"{FACTS}, locate: 10km", FACTS), {"locate": {"facts": "exact"}}),
    ),
    "never finer than any matching limit": (
        row("finer", (SHARE, "outcome: limit, locate: 10km"), {"locate": {"facts": "10km", "locations": "10km"}}),
        row(
            "coarser already", (f"{FACTS}, locate: 10km", "outcome: limit, locate: 1km"), {"locate": {"facts": "10km"}}
        ),
        row(
            "of another agreement",
            bundle_of(ruled(FACTS), ruled("outcome: limit, locate: 100m", agreement="B")),
            {"locate": {"facts": "100m"}},
        ),
    ),
    "a limit caps every grant, whoever gives it": (
        row(
            "locate, retain and onward",
            (SHARE, "outcome: limit, locate: 10km, retain: 1d, onward: forbidden"),
            {"retain_days": 1, "onward": "forbidden", "locate": {"facts": "10km", "locations": "10km"}},
        ),
    ),
    "a rule's own terms stand before its file's": (row("retain", f"{FACTS}, retain: 3d", {"retain_days": 3}),),
}


@pytest.mark.parametrize("decide", DECIDERS)
@pytest.mark.parametrize("each", cases(STEPS | FLOWING))
def test_sentence(each: Row, decide: Decide) -> None:
    each.check(decide)
