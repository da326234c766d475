"""Examples that an agreement carries: what they leave unwritten, what they may expect, and that they must hold."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from routing.agreements import BundleRejected, Considered, Place, load_bundle, read_bundle, run_examples
from schemas.sections import SECTIONS

MEMBERS = """version: 1
published_by: x
members:
  north: {name: N, publishes: true, receives: true}
  south: {name: S, publishes: true, receives: true}
  west: {name: W, receives: true}
"""
HEAD = """agreement: A
title: t
purpose: public-safety
regime: uk-gdpr
legal_basis: law
owner: o
signed: [{member: north, name: n, role: r, date: 2026-01-01}]
starts: 2026-06-10
ends: 2026-06-12
review: 2026-08-01
from: [north]
to: [south, west]
retain: 1d
share: [locations, facts]
rules:
  - {id: r, outcome: share, grant: [locations, facts], recipients: [south]}
  - {id: f, outcome: forbid, sections: [facts], when: {flags: [child]}}
examples:
"""
STANDING = """agreement: S
title: t
standing: true
owner: o
starts: 2026-01-01
from: [north]
rules: [{id: s, outcome: forbid, when: {caveats: [refuge]}}]
"""

Write = Callable[..., Path]


def with_example(example: str) -> str:
    return f"{HEAD}  - {example}\n"


@pytest.mark.parametrize(
    "example",
    [
        "{given: {origin: north}, expect: {south: {share: [facts, locations]}}}",
        "{given: {origin: north}, expect: {south: {share: [locations, facts]}, west: {withhold: all}}}",
        "{given: {origin: north, flags: [child]}, expect: {south: {share: [locations], forbid: [facts]}}}",
        "{given: {origin: north, flags: null}, expect: {south: {share: [locations]}}}",
        "{given: {origin: north, flags: [unknown]}, expect: {south: {share: [locations]}}}",
        "{given: {origin: north, caveats: [refuge]}, expect: {south: {forbid: all}, west: {forbid: all}}}",
        "{given: {origin: north, caveats: [refuge]}, expect: {south: {forbid: [head, facts]}}}",
        "{given: {origin: north, flags: [child]}, expect: {west: {withhold: all, forbid: [facts]}}}",
        "{on: 2026-06-12, given: {origin: north}, expect: {south: {share: [locations, facts]}}}",
        "{on: 2026-06-13, given: {origin: north}, expect: {south: {withhold: all}}}",
        "{on: 2026-06-09, given: {origin: north}, expect: {south: {withhold: all}}}",
        "{given: {origin: north, on: 2026-06-13}, expect: {south: {withhold: all}}}",
        "{given: {origin: north, mode: exercise}, expect: {south: {withhold: all}}}",
    ],
)
def test_these_hold(write_bundle: Write, example: str):
    assert load_bundle(write_bundle(MEMBERS, a=with_example(example), s=STANDING))


@pytest.mark.parametrize(
    ("example", "words"),
    [
        (
            "{given: {origin: north}, expect: {south: {share: [locations]}}}",
            "example 1 fails: south: expected to be shared with locations, got shared with locations, facts (matching ",
        ),
        ("{given: {origin: north}, expect: {south: {share: []}}}", "expected to be shared with the head alone"),
        ("{given: {origin: north}, expect: {west: {share: []}}}", "got withheld (matching rules: none)"),
        ("{given: {origin: north}, expect: {south: {forbid: all}}}", "to be forbidden, got shared with locations"),
        ("{given: {origin: north}, expect: {south: {forbid: [facts]}}}", "expected facts to be forbidden"),
        ("{given: {origin: north}, expect: {south: {withhold: all}}}", "expected to be withheld, got shared"),
        ("{name: mine, given: {origin: north, caveats: null}, expect: {south: {share: []}}}", "mine fails: south:"),
    ],
)
def test_a_failing_example_refuses_the_bundle(write_bundle: Write, example: str, words: str):
    with pytest.raises(BundleRejected) as refused:
        load_bundle(write_bundle(MEMBERS, a=with_example(example), s=STANDING))
    (fault,) = refused.value.faults
    assert (fault.file, fault.line) == ("agreements/a.yaml", 19)
    assert words in fault.message


def test_other_agreements_do_not_bear_on_an_example_nor_does_a_suspension(write_bundle: Write):
    other = HEAD.removesuffix("examples:\n").replace("agreement: A", "agreement: B")
    other = other.replace(
        "{id: r, outcome: share, grant: [locations, facts], recipients: [south]}", "{id: x, outcome: forbid}"
    )
    example = with_example("{given: {origin: north}, expect: {south: {share: [locations, facts]}}}")
    suspended = MEMBERS + "suspended: [{agreement: A, who: x, why: y}]\n"
    assert load_bundle(write_bundle(suspended, a=example, b=other, s=STANDING))


def test_never_states_do_bear_on_it(write_bundle: Write):
    never = MEMBERS + "never-states: {north: {caveats: no such field}}\n"
    example = "{given: {origin: north, caveats: null}, expect: {south: {share: [locations, facts]}}}"
    assert load_bundle(write_bundle(never, a=with_example(example), s=STANDING))


def test_what_is_unwritten(write_bundle: Write):
    directory = write_bundle(MEMBERS, a=with_example("{given: {origin: north}, expect: {west: {withhold: all}}}"))
    none: frozenset[str] = frozenset()
    assert read_bundle(directory).examples[0].considered == Considered(
        origin="north",
        category=None,
        qualifiers=none,
        flags=none,
        caveats=none,
        handling=none,
        grade="unknown",
        status="open",
        kind="created",
        mode="actual",
        marking="official",
        places=(),
        sections=frozenset(SECTIONS),
        addressees=none,
    )


def test_what_is_written(write_bundle: Write):
    example = """given: {origin: north, category: transport/rtc/unknown, qualifiers: [hate/race], flags: null,
        caveats: [], handling: [unknown], grade: priority, status: unknown, kind: updated, mode: null,
        marking: official-sensitive, at: [53.64, -1.96], district: Leeds,
        places: [{kind: last-seen}, {kind: null, district: York}],
        sections: [facts], addressed: [south]}
    expect: {west: {withhold: all}}"""
    directory = write_bundle(MEMBERS, a=with_example(example))
    assert read_bundle(directory).examples[0].considered == Considered(
        origin="north",
        category="transport/rtc/unknown",
        qualifiers=frozenset({"hate/race"}),
        flags=None,
        caveats=frozenset(),
        handling=frozenset({"unknown"}),
        grade="priority",
        status="unknown",
        kind="updated",
        mode="unknown",
        marking="official-sensitive",
        places=(Place("incident", "Leeds", has_coordinates=True), Place("last-seen", None), Place(None, "York")),
        sections=frozenset({"facts"}),
        addressees=frozenset({"south"}),
    )


def test_at_is_one_place_of_kind_incident(write_bundle: Write):
    example = "{given: {origin: north, at: [53.6, -1.9]}, expect: {west: {withhold: all}}}"
    considered = read_bundle(write_bundle(MEMBERS, a=with_example(example))).examples[0].considered
    assert considered.places == (Place("incident", None, has_coordinates=True),)


@pytest.mark.parametrize(
    ("example", "words"),
    [
        ("{expect: {south: {share: []}}}", "an example needs `given`"),
        ("{given: {origin: north}}", "an example needs `expect`"),
        ("{given: {}, expect: {south: {share: []}}}", "`given` needs `origin`"),
        ("{given: {origin: south}, expect: {west: {share: []}}}", "`south` is not an origin of this file"),
        ("{given: {origin: north, grad: x}, expect: {south: {share: []}}}", "did you mean `grade`?"),
        ("{given: {origin: north, grade: high}, expect: {south: {share: []}}}", "`high` is not a grade"),
        ("{given: {origin: north, flags: [chlid]}, expect: {south: {share: []}}}", "did you mean `child`?"),
        ("{given: {origin: north, flags: child}, expect: {south: {share: []}}}", "null for not stated"),
        ("{given: {origin: north, category: road}, expect: {south: {share: []}}}", "`road` is not a category"),
        ("{given: {origin: north, at: [53.6]}, expect: {south: {share: []}}}", "expected [latitude, longitude]"),
        ("{given: {origin: north, at: here}, expect: {south: {share: []}}}", "expected [latitude, longitude]"),
        ("{given: {origin: north, at: [-190, 53]}, expect: {south: {share: []}}}", "a latitude between -90 and 90"),
        ("{given: {origin: north, at: [.nan, 53]}, expect: {south: {share: []}}}", "[latitude, longitude]"),
        ("{given: {origin: north, sections: [control]}, expect: {south: {share: []}}}", "control"),
        ("{given: {origin: north, addressed: [east]}, expect: {south: {share: []}}}", "not a member of the exchange"),
        ("{given: {origin: north}, on: today, expect: {south: {share: []}}}", "expected a day"),
        ("{given: {origin: north}, expect: {}}", "the example expects nothing"),
        ("{given: {origin: north}, expect: {south: {}}}", "expected `share`, `refer`, `forbid` or `withhold`"),
        ("{given: {origin: north}, expect: {north: {share: []}}}", "the origin excepted"),
        ("{given: {origin: north}, expect: {south: {withhold: some}}}", "allowed: all"),
        ("{given: {origin: north}, expect: {south: {forbid: some}}}", "expected a list of sections, or `all`"),
        ("{given: {origin: north}, expect: {south: {refer: some}}}", "expected a list of sections, or `all`"),
        ("{given: {origin: north}, expect: {south: {share: [], locate: 2km}}}", "allowed: exact, 100m, 1km, 10km"),
    ],
)
def test_a_fault_of_an_example_has_its_line(write_bundle: Write, example: str, words: str):
    with pytest.raises(BundleRejected) as refused:
        load_bundle(write_bundle(MEMBERS, a=with_example(example)))
    assert any(fault.line == 19 and words in fault.message for fault in refused.value.faults), refused.value.faults


def test_the_examples_of_the_example_bundle_hold(example_directory: Path):
    reading = read_bundle(example_directory)
    assert reading.bundle is not None
    results = run_examples(reading.bundle, reading.examples)
    assert len(results) == 14
    assert [result.failures for result in results if result.failures] == []
