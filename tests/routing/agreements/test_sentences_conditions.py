"""The sentences about conditions, each with rows that show it; decided by the interpreter and by the engine."""

from __future__ import annotations

import pytest

from tests.routing.agreements.deciders import DECIDERS, Decide, Row, bundle_of, cases, place, row, ruled, truth

SENTENCES: dict[str, tuple[Row, ...]] = {
    "in a block all conditions must hold": (
        truth("both", "grade: [emergency], flags: [child]", "true", flags=["child"]),
        truth("one", "grade: [emergency], flags: [child]", "false"),
        truth("neither", "grade: [priority], flags: [child]", "false"),
    ),
    "in a condition any listed value is enough": (
        truth("the second", "grade: [priority, emergency]", "true"),
        truth("none", "grade: [priority, scheduled]", "false"),
        truth("of a set", "flags: [child, dementia]", "true", flags=["dementia", "weapon"]),
    ),
    "or all with all": (
        truth("all", "flags: {all: [child, dementia]}", "true", flags=["child", "dementia", "weapon"]),
        truth("one is missing", "flags: {all: [child, dementia]}", "false", flags=["child"]),
        truth("of sections", "has: {all: [facts, victims]}", "true", sections=["facts", "victims"]),
        truth("a section is empty", "has: {all: [facts, victims]}", "false", sections=["facts"]),
    ),
    "category: true if it is a value or beneath it": (
        truth("equal", "category: [transport/rtc]", "true", category="transport/rtc"),
        truth("beneath", "category: [transport/rtc]", "true", category="transport/rtc/injury"),
        truth("beneath by two", "category: [transport]", "true", category="transport/rtc/injury"),
        truth("beside", "category: [transport/rtc]", "false", category="transport/pursuit"),
        truth("begins alike", "category: [crime/theft]", "false", category="crime/theftish"),
        truth("another top", "category: [transport]", "false", category="crime/theft"),
    ),
    "category: unknown if not stated, or strictly above a value": (
        truth("null", "category: [transport]", "unknown", category=None),
        truth("unknown", "category: [transport]", "unknown", category="unknown"),
        truth("above", "category: [transport/rtc]", "unknown", category="transport"),
        truth("above by two", "category: [transport/rtc/injury]", "unknown", category="transport"),
        truth("above one, beneath another", "category: [transport/rtc/injury, transport/rtc]", "true"),
        truth("above one, beside another", "category: [transport/rtc, crime]", "unknown", category="transport"),
    ),
    "a last level unknown is dropped before comparing": (
        truth("then equal", "category: [transport/rtc]", "true", category="transport/rtc/unknown"),
        truth("then above", "category: [transport/rtc/injury]", "unknown", category="transport/rtc/unknown"),
        truth("then beside", "category: [crime]", "false", category="transport/unknown"),
        truth("in a set", "qualifiers: [hate]", "true", qualifiers=["hate/unknown"]),
    ),
    "sets: true if the set has any of the values": (
        truth("qualifiers", "qualifiers: [alcohol]", "true", qualifiers=["alcohol"]),
        truth("flags", "flags: [child]", "true", flags=["child"]),
        truth("caveats", "caveats: [refuge]", "true", caveats=["refuge"]),
        truth("handling", "handling: [no-media]", "true", handling=["no-media"]),
        truth("empty", "flags: [child]", "false"),
        truth("another", "flags: [child]", "false", flags=["weapon"]),
        truth("beside what is unknown", "flags: [child]", "true", flags=["child", "unknown"]),
    ),
    "sets: unknown if null, or it holds unknown, and the rest does not decide": (
        truth("null", "flags: [child]", "unknown", flags=None),
        truth("holds unknown", "flags: [child]", "unknown", flags=["unknown"]),
        truth("holds unknown and another", "flags: [child]", "unknown", flags=["unknown", "weapon"]),
        truth("all, one of them stated", "flags: {all: [child, dementia]}", "unknown", flags=["child", "unknown"]),
        truth("all, of null", "flags: {all: [child, dementia]}", "unknown", flags=None),
        truth("all are there anyhow", "flags: {all: [child]}", "true", flags=["child", "unknown"]),
    ),
    "in sets a value also matches codes beneath it": (
        truth("beneath", "qualifiers: [hate]", "true", qualifiers=["hate/race"]),
        truth("beside", "qualifiers: [hate/race]", "false", qualifiers=["hate/religion"]),
    ),
    "a set code strictly above a value counts as unknown": (
        truth("above", "qualifiers: [hate/race]", "unknown", qualifiers=["hate"]),
        truth("above, and the value too", "qualifiers: [hate/race]", "true", qualifiers=["hate", "hate/race"]),
        truth("above one of all", "qualifiers: {all: [hate/race, alcohol]}", "unknown", qualifiers=["hate", "alcohol"]),
        truth(
            "above one of all, another missing", "qualifiers: {all: [hate/race, alcohol]}", "false", qualifiers=["hate"]
        ),
    ),
    "grade, status, kind, mode, marking: equal to one of the values": (
        truth("grade", "grade: [priority]", "true", grade="priority"),
        truth("status", "status: [closed]", "true", status="closed"),
        truth("kind", "kind: [stand-down]", "true", kind="stand-down"),
        truth("mode", "mode: [exercise]", "true", mode="exercise"),
        truth("marking", "marking: [official-sensitive]", "true", marking="official-sensitive"),
        truth("another grade", "grade: [priority]", "false"),
        truth("another status", "status: [closed]", "false"),
        truth("another kind", "kind: [stand-down]", "false"),
        truth("another mode", "mode: [exercise]", "false"),
        truth("another marking", "marking: [official-sensitive]", "false"),
    ),
    "grade, status, kind, mode, marking: unknown": (
        truth("grade", "grade: [priority]", "unknown", grade="unknown"),
        truth("status", "status: [closed]", "unknown", status="unknown"),
        truth("kind", "kind: [stand-down]", "unknown", kind="unknown"),
        truth("mode", "mode: [actual]", "unknown", mode="unknown"),
        truth("marking", "marking: [official]", "unknown", marking="unknown"),
    ),
    "area: true if a place lies wholly in one of the areas": (
        truth("inside", "area: [hill]", "true", places=[place(inside=["hill"])]),
        truth("inside another", "area: [hill]", "false", places=[place(inside=["vale"])]),
        truth("inside one of two", "area: [hill, vale]", "true", places=[place(inside=["vale"])]),
        truth("one place of two", "area: [hill]", "true", places=[place(has_coordinates=True), place(inside=["hill"])]),
    ),
    "area: else unknown if a place is partly in, or has no coordinates, or there is none": (
        truth("partly", "area: [hill]", "unknown", places=[place(partly=["hill"])]),
        truth("without coordinates", "area: [hill]", "unknown", places=[place()]),
        truth("none", "area: [hill]", "unknown"),
        truth(
            "one out, one partly", "area: [hill]", "unknown", places=[place(inside=["vale"]), place(partly=["hill"])]
        ),
        truth("one in, one without", "area: [hill]", "true", places=[place(), place(inside=["hill"])]),
        truth("out", "area: [hill]", "false", places=[place(has_coordinates=True)]),
    ),
    "near: wholly within that distance of the member's area": (
        truth("of a named member", "near: {member: south, within: 5km}", "true", places=[place(inside=["vale+5000m"])]),
        truth("not of another", "near: {member: south, within: 5km}", "false", places=[place(inside=["hill+5000m"])]),
        truth("recipient", "near: {member: recipient, within: 5km}", "true", places=[place(inside=["vale+5000m"])]),
        truth("origin", "near: {member: origin, within: 5km}", "true", places=[place(inside=["hill+5000m"])]),
        truth("0m is inside", "near: {member: recipient, within: 0m}", "true", places=[place(inside=["vale"])]),
        truth(
            "0m is not around", "near: {member: recipient, within: 0m}", "false", places=[place(inside=["vale+5000m"])]
        ),
    ),
    "near: unknown as for area": (
        truth("partly", "near: {member: south, within: 5km}", "unknown", places=[place(partly=["vale+5000m"])]),
        truth("without coordinates", "near: {member: south, within: 5km}", "unknown", places=[place()]),
        truth("none", "near: {member: south, within: 5km}", "unknown"),
        truth(
            "the recipient has no area",
            "near: {member: recipient, within: 5km}",
            "unknown",
            to="west",
            places=[place(inside=["hill"])],
        ),
    ),
    "district: a place's district is one of the values": (
        truth("one", "district: [Leeds, Calderdale]", "true", places=[place(district="Calderdale")]),
        truth("another", "district: [Leeds]", "false", places=[place(district="Calderdale")]),
        truth(
            "one of two places", "district: [Leeds]", "true", places=[place(district="York"), place(district="Leeds")]
        ),
    ),
    "district: else unknown if a place states none, or there is none": (
        truth("states none", "district: [Leeds]", "unknown", places=[place(inside=["hill"])]),
        truth("none", "district: [Leeds]", "unknown"),
        truth("one states none", "district: [Leeds]", "unknown", places=[place(district="York"), place()]),
        truth("one states it", "district: [Leeds]", "true", places=[place(district="Leeds"), place()]),
    ),
    "has: a listed section is not empty; never unknown": (
        truth("it is not", "has: [facts, victims]", "true", sections=["victims"]),
        truth("it is", "has: [facts]", "false", sections=["victims"]),
    ),
    "holder: the recipient already holds the incident; never unknown": (truth("not", "holder: true", "false"),),
    "addressed: the event is addressed to the recipient; never unknown": (
        truth("to it", "addressed: true", "true", addressees=["south"]),
        truth("to another", "addressed: true", "false", addressees=["west"]),
        truth("to nobody", "addressed: true", "false"),
    ),
    "a block with a false condition is false": (
        truth("and an unknown one", "grade: [priority], flags: [child]", "false", flags=None),
        truth("and a true one", "grade: [priority], kind: [updated]", "false"),
    ),
    "else with an unknown one, unknown; else true": (
        truth("unknown", "grade: [emergency], flags: [child]", "unknown", flags=None),
        truth("true", "grade: [emergency], kind: [updated]", "true"),
    ),
    "places are the locations of four kinds": (
        truth("incident", "area: [hill]", "true", places=[place("incident", inside=["hill"])]),
        truth("current-position", "area: [hill]", "true", places=[place("current-position", inside=["hill"])]),
        truth("last-seen", "area: [hill]", "true", places=[place("last-seen", inside=["hill"])]),
        truth("release-address", "area: [hill]", "true", places=[place("release-address", inside=["hill"])]),
        truth("no other", "area: [hill]", "unknown", places=[place("destination", inside=["hill"])]),
        truth("nor a caller", "district: [Leeds]", "unknown", places=[place("caller", district="Leeds")]),
    ),
    "or of the kinds in place beside the condition": (
        truth("named", "area: [hill], place: [caller]", "true", places=[place("caller", inside=["hill"])]),
        truth("then not the others", "area: [hill], place: [caller]", "unknown", places=[place(inside=["hill"])]),
        truth("of district", "district: [Leeds], place: [found]", "true", places=[place("found", district="Leeds")]),
        truth(
            "of near",
            "near: {member: south, within: 5km}, place: [found]",
            "true",
            places=[place("found", inside=["vale+5000m"])],
        ),
    ),
    "a location of unknown kind is a place that has no coordinates and no district": (
        truth("of area", "area: [hill]", "unknown", places=[place(None, inside=["hill"])]),
        truth("of district", "district: [Leeds]", "unknown", places=[place("unknown", district="Leeds")]),
        truth("beside one that decides", "area: [hill]", "true", places=[place(None), place(inside=["hill"])]),
        truth("beside one that is out", "area: [hill]", "unknown", places=[place(None), place(inside=["vale"])]),
        truth("whatever kinds are named", "area: [hill], place: [found]", "unknown", places=[place(None)]),
    ),
    "unless is true if any block is true": (
        row("the second", "outcome: share, grant: [], unless: [{flags: [child]}, {grade: [emergency]}]", "withheld"),
        row(
            "and another unknown",
            "outcome: forbid, unless: [{flags: [child]}, {grade: [emergency]}]",
            {"head": "withheld", "acts": {}},
            flags=None,
        ),
    ),
    "else unknown if any is": (
        row(
            "a share rule does not match",
            "outcome: share, grant: [], unless: [{flags: [child]}, {grade: [priority]}]",
            {"head": "withheld", "acts": {}},
            flags=None,
        ),
        row(
            "a forbid does",
            "outcome: forbid, unless: [{flags: [child]}, {grade: [priority]}]",
            {"head": "forbidden"},
            flags=None,
        ),
    ),
    "else false": (
        row(
            "a share rule matches",
            "outcome: share, grant: [], unless: [{flags: [child]}, {grade: [priority]}]",
            "granted",
        ),
    ),
    "no when is true; no unless is false": (
        row("a share rule", "outcome: share, grant: []", "granted"),
        row("a forbid", "outcome: forbid", "forbidden"),
    ),
    "the present category is the head's first level if classification is empty": (
        truth("then it is above", "category: [transport/rtc]", "unknown", category="transport", sections=["facts"]),
    ),
    "a single block of unless may stand alone if it has one condition": (
        row("it holds", "outcome: share, grant: [], unless: {grade: [emergency]}", "withheld"),
        row("it does not", "outcome: share, grant: [], unless: {grade: [priority]}", "granted"),
    ),
    "recipient and origin may stand for a name": (
        row(
            "each recipient's own area",
            bundle_of(
                ruled("outcome: share, grant: [], when: {near: {member: recipient, within: 5km}}", to="[south, east]")
            ),
            "withheld",
            to="east",
            places=[place(inside=["vale+5000m"])],
        ),
    ),
}


@pytest.mark.parametrize("decide", DECIDERS)
@pytest.mark.parametrize("each", cases(SENTENCES))
def test_sentence(each: Row, decide: Decide) -> None:
    each.check(decide)
