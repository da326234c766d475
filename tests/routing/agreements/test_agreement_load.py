"""The loader: what a bundle says is what is decided, and every fault is told with its file and line."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from routing.agreements import Bundle, BundleRejected, Fault, load_bundle, read_bundle
from routing.agreements.model import Condition, Forbid, NeverState, Refer, RoleHolders, Share, Step, Suspension, Terms
from schemas.errors import Rejected
from schemas.sections import SECTIONS

MEMBERS = """version: 3
published_by: the policy desk
members:
  north: {name: North Police, publishes: true, receives: true}
  south: {name: South Police, publishes: true, receives: true}
  trust: {name: Ambulance Trust, receives: true, competent_authority: false}
  garda: {name: Police abroad, receives: true, country: IE}
  silent: {name: Only publishes, publishes: true}
roles: {desk: {north: [desk-1]}}
"""

HEAD = """agreement: A-1
title: North to south
purpose: law-enforcement
regime: part-3
legal_basis: DPA 2018 s.35(2)(b)
owner: owner@north.example
signed: [{member: north, name: A. Chief, role: ACC, date: 2026-01-01}]
starts: 2026-02-01
review: 2026-08-01
from: [north]
to: [south]
retain: 90d
share: [classification, locations, vehicles]
"""

RULE = """rules:
  - id: border
    outcome: share
    grant: [locations]
"""

STANDING = """agreement: S-1
title: Never
standing: true
owner: owner@north.example
starts: 2026-01-01
from: [north]
rules:
  - id: source
    outcome: forbid
    when: {caveats: [source-sensitive]}
"""

Write = Callable[..., Path]


def faults(directory: Path) -> list[str]:
    with pytest.raises(BundleRejected) as refused:
        load_bundle(directory)
    assert refused.value.reason == "bad-bundle"
    for fault in refused.value.faults:
        assert str(fault) in str(refused.value)
    return [str(fault) for fault in refused.value.faults]


def only_fault(directory: Path, where: str, *words: str) -> None:
    """There is one fault, there (a file, its line, perhaps its column), and it says this."""
    found = faults(directory)
    assert len(found) == 1, found
    assert re.match(re.escape(where) + r"(:\d+)?: ", found[0]), found
    for word in words:
        assert word in found[0]


def rule(text: str) -> str:
    """A file whose rules begin in line 14: ``rules:`` itself; the rule's id is in line 15."""
    return HEAD + "rules:\n" + text


class TestWhatIsLoaded:
    def test_an_agreement_with_what_it_leaves_out(self, write_bundle: Write):
        agreement = load_bundle(write_bundle(MEMBERS, a=HEAD + RULE)).agreements[0]
        assert (agreement.id, agreement.starts, agreement.ends) == ("A-1", date(2026, 2, 1), None)
        assert (agreement.onward, agreement.follow_hours) == ("forbidden", 72)
        assert agreement.rules == (
            Share(
                id="border",
                recipients=("south",),
                grant=("locations",),
                terms=Terms("law-enforcement", "part-3", "DPA 2018 s.35(2)(b)", 90),
            ),
        )

    def test_every_condition(self, write_bundle: Write):
        text = rule("""  - id: r
    outcome: forbid
    sections: [facts, head]
    when:
      category: [transport/rtc, crime]
      qualifiers: [hate]
      flags: {all: [child, high-risk]}
      caveats: [refuge]
      handling: [no-media]
      grade: [emergency]
      status: [at-scene]
      kind: [stand-down]
      mode: [exercise]
      marking: [official-sensitive]
      district: [Calderdale, "City of London"]
      place: [destination]
      has: {all: [suspects, victims]}
      addressed: true
    unless:
      - {flags: [child], grade: [priority]}
      - {has: [hazards]}
""")
        read = load_bundle(write_bundle(MEMBERS, a=text)).agreements[0].rules[0]
        assert isinstance(read, Forbid)
        assert read.sections == ("head", "facts")
        assert read.when == (
            Condition("category", ("transport/rtc", "crime")),
            Condition("qualifiers", ("hate",)),
            Condition("flags", ("child", "high-risk"), needs_all=True),
            Condition("caveats", ("refuge",)),
            Condition("handling", ("no-media",)),
            Condition("grade", ("emergency",)),
            Condition("status", ("at-scene",)),
            Condition("kind", ("stand-down",)),
            Condition("mode", ("exercise",)),
            Condition("marking", ("official-sensitive",)),
            Condition("district", ("Calderdale", "City of London"), place=("destination",)),
            Condition("has", ("suspects", "victims"), needs_all=True),
            Condition("addressed"),
        )
        assert read.unless == (
            (Condition("flags", ("child",)), Condition("grade", ("priority",))),
            (Condition("has", ("hazards",)),),
        )

    def test_a_single_block_of_unless_may_stand_alone_if_it_has_one_condition(self, write_bundle: Write):
        text = HEAD + RULE + "    unless: {district: [Leeds], place: [incident]}\n"
        read = load_bundle(write_bundle(MEMBERS, a=text)).agreements[0].rules[0]
        assert read.unless == ((Condition("district", ("Leeds",), place=("incident",)),),)

    def test_a_rule_overrides_its_file(self, write_bundle: Write):
        text = HEAD.replace("to: [south]", "to: [south, trust]") + RULE
        text += """    purpose: safeguarding
    regime: uk-gdpr
    legal_basis: Children Act 2004 s.11
    sensitive: {condition: "Art. 9(2)(c)", policy_document: APD-9}
    retain: 365d
    recipients: [trust]
"""
        read = load_bundle(write_bundle(MEMBERS, a=text)).agreements[0].rules[0]
        assert isinstance(read, Share)
        assert read.recipients == ("trust",)
        assert read.terms == Terms("safeguarding", "uk-gdpr", "Children Act 2004 s.11", 365, "Art. 9(2)(c)", "APD-9")

    def test_any_is_expanded(self, write_bundle: Write):
        text = HEAD.replace("from: [north]", "from: any").replace("to: [south]", "to: any\ntransfer: s.75")
        text = text.replace("regime: part-3", "regime: uk-gdpr")
        agreement = load_bundle(write_bundle(MEMBERS, a=text + RULE)).agreements[0]
        assert agreement.origins == ("north", "silent", "south")
        assert agreement.rules[0].recipients == ("garda", "north", "south", "trust")

    def test_a_standing_file_holds_towards_every_recipient_less_the_exceptions(self, write_bundle: Write):
        agreement = load_bundle(write_bundle(MEMBERS, s=STANDING + "except: [trust]\n")).agreements[0]
        assert agreement.standing
        assert agreement.rules[0].recipients == ("garda", "north", "south")
        assert isinstance(agreement.rules[0], Forbid)
        assert agreement.rules[0].sections == ("head", *SECTIONS)

    def test_members_may_be_those_of_an_exchange_file(self, write_bundle: Write):
        directory = write_bundle(MEMBERS, a=HEAD + RULE)
        here = load_bundle(directory)
        members, roles = MEMBERS[MEMBERS.index("members:") :].split("roles:")
        (directory / "exchange.yaml").write_text(f"exchange: demo\npartitions: 6\n{members}", "utf-8")
        (directory / "bundle.yaml").write_text(
            f"version: 3\npublished_by: the policy desk\nmembers: exchange.yaml\nroles:{roles}", "utf-8"
        )
        assert load_bundle(directory) == here

    def test_roles_never_states_and_suspensions(self, write_bundle: Write):
        text = (
            MEMBERS.replace("roles: {desk: {north: [desk-1]}}", "roles: {duty-inspector: {north: [desk-1, desk-2]}}")
            + """never-states: {north: {caveats: no such field}}
suspended: [{agreement: A-1, who: the owner, why: a breach}]
"""
        )
        bundle = load_bundle(write_bundle(text, a=HEAD + RULE))
        assert bundle.roles == (RoleHolders("duty-inspector", "north", ("desk-1", "desk-2")),)
        assert bundle.never_states == (NeverState("north", "caveats", "no such field"),)
        assert bundle.suspended == (Suspension("A-1", "the owner", "a breach"),)

    def test_agreements_are_in_the_order_of_their_ids_and_rules_of_theirs(self, write_bundle: Write):
        text = HEAD.replace("A-1", "Z-1") + RULE + "  - {id: a, outcome: forbid}\n"
        bundle = load_bundle(write_bundle(MEMBERS, a=text, s=STANDING))
        assert [agreement.id for agreement in bundle.agreements] == ["S-1", "Z-1"]
        assert [found.id for found in bundle.agreements[1].rules] == ["a", "border"]

    def test_documentation_may_lie_beside_agreements(self, write_bundle: Write):
        directory = write_bundle(MEMBERS, a=HEAD + RULE)
        (directory / "agreements" / "README.md").write_text("About these.", "utf-8")
        (directory / "agreements" / ".a.yaml.swp").write_text("", "utf-8")
        assert load_bundle(directory).version == 3


class TestBytes:
    def test_a_bundle_survives_as_bytes_with_its_hash(self, example_directory: Path):
        bundle = load_bundle(example_directory)
        again = Bundle.from_bytes(bundle.to_bytes(), bundle.hash)
        assert again == bundle
        assert again.hash == bundle.hash

    def test_the_hash_is_checked(self, example_directory: Path):
        data = load_bundle(example_directory).to_bytes()
        with pytest.raises(Rejected, match="expected policy bytes with hash"):
            Bundle.from_bytes(data, "0" * 64)

    def test_the_hash_covers_every_part(self, write_bundle: Write):
        first = load_bundle(write_bundle(MEMBERS, a=HEAD + RULE)).hash
        for before, after in [("version: 3", "version: 4"), ("IE", "FR"), ("desk", "office")]:
            assert load_bundle(write_bundle(MEMBERS.replace(before, after), a=HEAD + RULE)).hash != first
        for before, after in [("90d", "91d"), ("[locations]\n", "[vehicles]\n"), ("North to", "From north to")]:
            assert load_bundle(write_bundle(MEMBERS, a=(HEAD + RULE).replace(before, after))).hash != first

    def test_comments_and_layout_are_not_part_of_it(self, write_bundle: Write):
        first = load_bundle(write_bundle(MEMBERS, a=HEAD + RULE)).hash
        assert load_bundle(write_bundle(MEMBERS, a="# a note\n\n" + HEAD + RULE)).hash == first

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (b'"language":1', b'"language":2'),
            (b'"version":3', b'"version":"x"'),
            (b'"version":3', b'"version":3,"protection":[]'),
            (b'"agreements"', b'"agreement"'),
            (b"{", b""),
        ],
    )
    def test_bytes_of_another_meaning_are_refused(self, write_bundle: Write, before: bytes, after: bytes):
        data = load_bundle(write_bundle(MEMBERS, a=HEAD + RULE)).to_bytes()
        assert before in data
        with pytest.raises(Rejected):
            Bundle.from_bytes(data.replace(before, after, 1))


FILE_FAULTS = [
    # (what is replaced, by what, line, words of the message)
    ("title:", "titles: x\ntitle:", 2, "`titles` is not a key of an agreement; did you mean `title`"),
    ("North to south", "12", 2, "expected the title, got a number"),
    ("law-enforcement", "law-enforcment", 3, "did you mean `law-enforcement`?"),
    ("law-enforcement", "12", 3, "expected a purpose, got a number; allowed: law-enforcement, safeguarding"),
    ("law-enforcement", "no", 3, "expected a purpose, got a yes/no value; allowed: law-enforcement"),
    ("part-3", "part-4", 4, "`part-4` is not a regime"),
    ("DPA 2018 s.35(2)(b)", "no", 5, "expected a legal basis, got a yes/no value"),
    ("DPA 2018 s.35(2)(b)", "''", 5, "empty text"),
    ("member: north", "member: nort", 7, "did you mean `north`?"),
    ("date: 2026-01-01", "date: 2026-13-01", 7, "no day 2026-13-01"),
    ("date: 2026-01-01", "date: 2026-01-01, day: x", 7, "`day` is not a key of a signature"),
    ("starts: 2026-02-01", "starts: 2026-02-30", 8, "there is no day 2026-02-30"),
    ("starts: 2026-02-01", "starts: soon", 8, "expected a day, as in 2026-02-01"),
    ("starts: 2026-02-01", "starts: 2026-02-01 10:00:00", 8, "expected a day"),
    ("starts: 2026-02-01", "starts: [2026-02-01]", 8, "expected a day"),
    ("review: 2026-08-01", "review: 2026-01-01", 1, "`review` is 2026-01-01, before `starts`"),
    ("review: 2026-08-01", "review: 2026-08-01\nends: 2026-01-31", 1, "`ends` is 2026-01-31, before `starts`"),
    ("from: [north]", "from: []", 10, "an empty list could never hold"),
    ("from: [north]", "from: north", 10, "expected a list"),
    ("from: [north]", "from: [trust]", 10, "`trust` is not a member that publishes"),
    ("from: [north]", "from: [north, north]", 10, "`north` stands here twice"),
    ("to: [south]", "to: []", 11, "an empty list could never hold"),
    ("to: [south]", "to: [silent]", 11, "`silent` is not a member that receives"),
    ("to: [south]", "to: [sooth]", 11, "did you mean `south`"),
    ("to: [south]", "to: [garda]", 15, "shares abroad with garda: the file needs `transfer`"),
    ("to: [south]", "to: [trust]", 15, "shares under Part 3 alone with trust, no competent authority"),
    ("to: [south]", "to: [north]", 15, "rule `border` could never apply"),
    ("member: north", "member: south", 15, "rule `border` could never apply: no origin in `from` has signed"),
    ("retain: 90d", "retain: 3 months", 12, "expected a duration, as in 90d"),
    ("retain: 90d", "retain: 0d", 12, "expected a duration"),
    ("retain: 90d", "retain: 90s", 12, "expected a duration, as in 90d"),
    ("retain: 90d", "retain: 90", 12, "expected a duration"),
    ("retain: 90d", "retain: 90d\nfollow: ever", 13, "expected a duration, as in 72h"),
    ("retain: 90d", "retain: 90d\nonward: maybe", 13, "allowed: forbidden, ask, permitted"),
    ("retain: 90d", "retain: 90d\ndoubt: {escalate: [x], within: [10m]}", 13, "`x` is not a role of the bundle"),
    (
        "retain: 90d",
        "retain: 90d\ndoubt: {escalate: [desk], within: [10m, 5m]}",
        13,
        "`escalate` has 1, `within` has 2",
    ),
    ("retain: 90d", "retain: 90d\ndoubt: {escalate: [desk]}", 13, "`doubt` needs `within`"),
    ("retain: 90d", "retain: 90d\ndoubt: {escalate: [desk], within: [10]}", 13, "expected a duration, as in 15m"),
    ("retain: 90d", "retain: 90d\nexcept: [trust]", 13, "`except` is not a key of an agreement"),
    ("retain: 90d", "retain: 90d\nstanding: yes", 13, "`standing` can only be true"),
    ("[classification,", "[clasification,", 13, "did you mean `classification`"),
    ("[classification,", "[control,", 13, "control is never granted"),
    ("share: [classification, locations", "share: [classification", 17, "grants locations, above the ceiling"),
]


@pytest.mark.parametrize(("before", "after", "line", "words"), FILE_FAULTS)
def test_a_fault_of_a_file_has_its_line(write_bundle: Write, before: str, after: str, line: int, words: str):
    text = HEAD + RULE
    assert before in text
    only_fault(write_bundle(MEMBERS, a=text.replace(before, after, 1)), f"agreements/a.yaml:{line}", words)


@pytest.mark.parametrize("key", ["agreement", "title", "owner", "starts", "from", "to", "review", "share"])
def test_what_is_needed_and_missing_is_said(write_bundle: Write, key: str):
    lines = [line for line in (HEAD + RULE).splitlines() if not line.startswith(key + ":")]
    only_fault(write_bundle(MEMBERS, a="\n".join(lines)), "agreements/a.yaml:1", f"needs `{key}`")


def test_a_share_rule_needs_its_power_on_the_rule_or_on_the_file(write_bundle: Write):
    kept = [
        line for line in (HEAD + RULE).splitlines() if not line.startswith(("purpose", "regime", "legal", "retain"))
    ]
    directory = write_bundle(MEMBERS, a="\n".join(kept))
    only_fault(
        directory, "agreements/a.yaml:11", "needs purpose, regime, legal_basis, retain, on the rule or on the file"
    )


UNDONE = "  - id: r\n    outcome: share\n    grant: []\n    when: {{{}}}\n    unless: {{{}}}"
RULE_FAULTS = [
    # (the rule, from line 15 on; the line of the fault; words of the message)
    ("  - {id: r, outcome: share}", 15, "needs `grant`"),
    ("  - {outcome: forbid}", 15, "needs `id`"),
    ("  - {id: 'a b', outcome: forbid}", 15, "expected an id of letters, digits, dots and hyphens"),
    ("  - {id: r}", 15, "a rule needs `outcome`"),
    ("  - {id: r, outcome: shares}", 15, "did you mean `share`?"),
    ("  - text", 15, "a rule needs `outcome`"),
    (
        "  - {id: r, outcome: forbid}\n  - {id: r, outcome: forbid}",
        16,
        "duplicate id `r`: it already stands in line 15",
    ),
    ("  - {id: r, outcome: refer, within: [5m]}", 15, "needs `escalate`: the roles that are asked, in order"),
    ("  - {id: r, outcome: refer, escalate: [desk]}", 15, "needs `within`"),
    ("  - {id: r, outcome: refer, escalate: [dusk], within: [5m]}", 15, "did you mean `desk`?"),
    ("  - {id: r, outcome: refer, escalate: [desk], within: [5m, 5m]}", 15, "`escalate` has 1, `within` has 2"),
    ("  - {id: r, outcome: refer, escalate: [desk], within: [], sections: [facts]}", 15, "an empty list"),
    ("  - {id: r, outcome: refer, escalate: [desk], within: [0s], sections: [facts]}", 15, "expected a duration"),
    ("  - {id: r, outcome: refer, escalate: [desk], within: [5m], invite: yes}", 15, "`invite` can only be true"),
    ("  - {id: r, outcome: refer, escalate: [desk], within: [5m], locate: 1km}", 15, "not a key of a refer rule"),
    ("  - {id: r, outcome: limit}", 15, "a limit rule caps something: it needs locate or retain or onward"),
    ("  - {id: r, outcome: limit, locate: 2km}", 15, "allowed: 100m, 1km, 10km"),
    ("  - {id: r, outcome: limit, locate: exact}", 15, "allowed: 100m, 1km, 10km"),
    ("  - {id: r, outcome: limit, onward: never}", 15, "allowed: forbidden, ask, permitted"),
    ("  - {id: r, outcome: limit, locate: 1km, sections: [facts]}", 15, "`sections` is not a key of a limit rule"),
    ("  - {id: r, outcome: forbid, grant: [facts]}", 15, "`grant` is not a key of a forbid rule"),
    ("  - {id: r, outcome: forbid, onward: ask}", 15, "`onward` is not a key of a forbid rule"),
    ("  - {id: r, outcome: forbid, override: [x]}", 15, "`x` is not a role of the bundle; allowed: desk"),
    ("  - {id: r, outcome: forbid, override: []}", 15, "an empty list could never hold"),
    ("  - {id: r, outcome: forbid, silent: maybe}", 15, "`silent` can only be true"),
    ("  - {id: r, outcome: forbid, invite: true}", 15, "`invite` is not a key of a forbid rule"),
    ("  - {id: r, outcome: forbid, sections: []}", 15, "an empty list could never hold"),
    ("  - {id: r, outcome: forbid, sections: [fact]}", 15, "did you mean `facts`"),
    ("  - {id: r, outcome: forbid, recipients: [north]}", 15, "`north` is not a member of `to`"),
    ("  - {id: r, outcome: forbid, when: {}}", 15, "`when` is empty and would always hold"),
    ("  - {id: r, outcome: forbid, when: []}", 15, "expected `when`, a mapping"),
    ("  - {id: r, outcome: forbid, unless: []}", 15, "an empty list could never hold"),
    ("  - {id: r, outcome: forbid, unless: [{}]}", 15, "would always hold"),
    ("  - id: r\n    outcome: share\n    grant: [locations]\n    locate: 5km", 18, "allowed: 100m, 1km, 10km"),
    ("  - id: r\n    outcome: share\n    grant: [control]", 17, "control is never granted"),
    ("  - id: r\n    outcome: share\n    grant: all", 17, "expected a list"),
    ("  - id: r\n    outcome: share\n    grant: [facts]", 17, "grants facts, above the ceiling"),
    (
        "  - id: r\n    outcome: share\n    grant: []\n    sections: [facts]",
        18,
        "`sections` is not a key of a share rule",
    ),
    ("  - id: r\n    outcome: share\n    grant: []\n    accept-narrative: x", 18, "does not grant narrative"),
    ("  - id: r\n    outcome: share\n    grant: []\n    on_doubt: share", 18, "for the purposes emergency-response"),
    (
        "  - id: r\n    outcome: share\n    grant: [vehicles]\n    purpose: public-safety\n    on_doubt: share",
        19,
        "no more than locations, hazards and casualties, not vehicles",
    ),
    (
        "  - id: r\n    outcome: share\n    grant: []\n    purpose: public-safety\n    on_doubt: yes",
        19,
        "expected what on_doubt may say",
    ),
    (
        UNDONE.format("grade: [emergency]", "grade: [priority, emergency]"),
        15,
        "could never apply: whenever its `when` holds, so does its `unless`",
    ),
    (
        UNDONE.format("category: [transport/rtc]", "category: [transport]"),
        15,
        "could never apply",
    ),
    (
        UNDONE.format("flags: {all: [child, high-risk]}", "flags: [child]"),
        15,
        "could never apply",
    ),
]


@pytest.mark.parametrize(("text", "line", "words"), RULE_FAULTS)
def test_a_fault_of_a_rule_has_its_line(write_bundle: Write, text: str, line: int, words: str):
    only_fault(write_bundle(MEMBERS, a=rule(text)), f"agreements/a.yaml:{line}", words)


CONDITION_FAULTS = [
    ("grad: [emergency]", "`grad` is not a key of `when`; did you mean `grade`?"),
    ("grade: emergency", "expected a list, each item a grade; got a text"),
    ("grade: [emergancy]", "did you mean `emergency`?"),
    ("grade: [1]", "expected a grade, got a number"),
    ("grade: []", "an empty list could never hold"),
    ("grade: [unknown]", "unknown is not a value"),
    ("flags: [unknown]", "unknown is not a value"),
    ("category: [transport/rtc/unknown]", "is not a category"),
    ("category: [transport/tram]", "`transport/tram` is not a category; did you mean `transport/"),
    ("category: {all: [transport]}", "`all` is for sets and `has`"),
    ("grade: {all: [emergency]}", "`all` is for sets and `has`"),
    ("district: {all: [Leeds]}", "`all` is for sets and `has`"),
    ("flags: {some: [child]}", "or `{all: […]}`"),
    ("flags: {all: []}", "an empty list could never hold"),
    ("flags: [child, child]", "`child` stands here twice"),
    ("district: [unknown]", "unknown is not a value"),
    ("district: [12]", "expected the name of a district, got a number"),
    ("place: [incident]", "`place` says which locations `area`, `near` and `district` look at"),
    ("{district: [Leeds], place: [unknown]}", "unknown is not a value"),
    ("{district: [Leeds], place: [scene]}", "is not a kind of location"),
    ("marking: [secret]", "nothing marked above OFFICIAL-SENSITIVE may travel"),
    ("has: [head]", "`head` is not a section"),
    ("has: [control]", "no rule may name it"),
    ("addressed: false", "`addressed` can only be true"),
    ("addressed: [south]", "`addressed` can only be true"),
    ("area: [pennine]", "`pennine` is not an area of the bundle"),
    ("near: {member: south, within: 5km}", "`south` has no area that anything could be near to"),
    ("near: {member: sooth, within: 5km}", "did you mean `south`"),
    ("near: {member: recipient}", "`near` needs `within`: a distance, as in 5km"),
    ("near: {within: 5km}", "`near` needs `member`"),
    ("near: {member: recipient, within: 5}", "expected a distance, as in 5km"),
    ("near: {member: recipient, within: 5 miles}", "expected a distance, as in 5km"),
    ("near: [recipient]", "expected `near`, a mapping of member, within"),
    ("holder: false", "`holder` can only be true"),
    ("holder: [south]", "`holder` can only be true"),
    ("grade: ~", "expected a list, each item a grade; got nothing"),
]


@pytest.mark.parametrize(("condition", "words"), CONDITION_FAULTS)
@pytest.mark.parametrize("key", ["when", "unless"])
def test_a_fault_of_a_condition_has_its_line(write_bundle: Write, key: str, condition: str, words: str):
    block = condition if condition.startswith("{") else f"{{{condition}}}"
    text = rule(f"  - id: r\n    outcome: forbid\n    {key}:\n      {block}")
    only_fault(write_bundle(MEMBERS, a=text), "agreements/a.yaml:18", words.replace("`when`", f"`{key}`"))


def test_an_unless_of_several_conditions_must_be_a_list_and_both_readings_are_shown(write_bundle: Write):
    text = HEAD + RULE + "    unless: {flags: [child], grade: [emergency]}\n"
    together, apart = "`[{flags: …, grade: …}]`", "`[{flags: …}, {grade: …}]`"
    only_fault(write_bundle(MEMBERS, a=text), "agreements/a.yaml:18", together, apart)


class TestNarrative:
    EVERYONE = "suspects, convicted, victims, witnesses, callers, subjects, associates, casualties"

    def sharing(self, grant: str, more: str = "") -> str:
        ceiling = f"share: [narrative, locations, {self.EVERYONE}]"
        head = HEAD.replace("share: [classification, locations, vehicles]", ceiling)
        return f"{head}rules:\n  - id: r\n    outcome: share\n    grant: [{grant}]\n{more}"

    def test_it_is_not_granted_beside_a_withheld_section_of_persons(self, write_bundle: Write):
        directory = write_bundle(MEMBERS, a=self.sharing("narrative, suspects"))
        only_fault(directory, "agreements/a.yaml:17", "withholds convicted, victims", "accept-narrative")

    def test_unless_the_rule_accepts_that(self, write_bundle: Write):
        text = self.sharing("narrative", "    accept-narrative: both forces see the log today\n")
        (read,) = load_bundle(write_bundle(MEMBERS, a=text)).agreements[0].rules
        assert isinstance(read, Share)
        assert read.accept_narrative == "both forces see the log today"

    def test_or_every_section_of_persons_is_granted_with_it(self, write_bundle: Write):
        text = self.sharing(f"narrative, {self.EVERYONE}")
        assert load_bundle(write_bundle(MEMBERS, a=text)).agreements[0].rules[0].id == "r"

    @pytest.mark.parametrize(
        ("sections", "fine"), [("[victims]", False), ("[victims, narrative]", True), ("[facts]", True)]
    )
    def test_a_forbid_of_persons_that_leaves_narrative_is_undone_too(
        self, write_bundle: Write, sections: str, *, fine: bool
    ):
        standing = STANDING + f"    sections: {sections}\n"
        directory = write_bundle(MEMBERS, a=self.sharing(f"narrative, {self.EVERYONE}"), s=standing)
        if fine:
            assert load_bundle(directory)
        else:
            only_fault(directory, "agreements/a.yaml:17", "S-1/source forbids victims but not narrative")


class TestStanding:
    @pytest.mark.parametrize(
        ("more", "line", "words"),
        [
            ("  - {id: s, outcome: share, grant: []}\n", 11, "a standing file protects: it cannot share"),
            ("    recipients: [south]\n", 11, "holds towards every recipient"),
            ("to: [south]\n", 11, "`to` is not a key of a standing file"),
            ("except: [south, north, trust, garda]\n", 8, "could never apply"),
            ("except: [souht]\n", 11, "did you mean `south`"),
        ],
    )
    def test_faults(self, write_bundle: Write, more: str, line: int, words: str):
        directory = write_bundle(MEMBERS, s=STANDING + more)
        found = [fault for fault in faults(directory) if fault.startswith(f"agreements/s.yaml:{line}:")]
        assert any(words in fault for fault in found)


BUNDLE_FAULTS = [
    ("version: 3", "version: three", "bundle.yaml:1", "expected a version, a whole number"),
    ("version: 3", "version: 0x10", "bundle.yaml:1", "expected a version"),
    ("version: 3\n", "", "bundle.yaml:1", "bundle.yaml needs `version`"),
    ("published_by: the policy desk\n", "", "bundle.yaml:1", "needs `published_by`"),
    ("version: 3", "version: 3\ndiscretion: [dusk]", "bundle.yaml:2", "did you mean `desk`?"),
    ("version: 3", "version: 3\nrole: {}", "bundle.yaml:2", "did you mean `roles`"),
    ("desk: {north: [desk-1]}", "inspector: {nort: [x]}", "bundle.yaml:9", "did you mean `north`?"),
    ("desk: {north: [desk-1]}", "inspector: {north: []}", "bundle.yaml:9", "an empty list could never hold"),
    ("version: 3", "version: 3\nnever-states: {trust: {flags: x}}", "bundle.yaml:2", "members that publish"),
    ("version: 3", "version: 3\nnever-states: {north: {grade: x}}", "bundle.yaml:2", "what north never states"),
    ("version: 3", "version: 3\nnever-states: {north: {flags: }}", "bundle.yaml:2", "expected the reason, got nothing"),
    ("version: 3", "version: 3\nsuspended: [{agreement: B, who: x, why: y}]", "bundle.yaml:2", "these are: A-1"),
    ("version: 3", "version: 3\nsuspended: [{agreement: A-1, who: x}]", "bundle.yaml:2", "needs `why`"),
]


@pytest.mark.parametrize(("before", "after", "where", "words"), BUNDLE_FAULTS)
def test_a_fault_of_the_bundle_file_has_its_line(write_bundle: Write, before: str, after: str, where: str, words: str):
    only_fault(write_bundle(MEMBERS.replace(before, after), a=HEAD + RULE), where, words)


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("country: IE", "country: Ireland", 7, "garda.country: expected two capital letters, as in GB"),
        ("country: IE", "country: NO", 7, 'garda.country: expected a text: put it in quotes, "NO"'),
        (
            "publishes: true, receives: true}",
            "publishes: maybe, receives: true}",
            4,
            "publishes: expected true or false",
        ),
        ("name: North Police, ", "nam: North Police, name: x, ", 4, "`nam` is not a key here; did you mean `name`?"),
        ("{name: Police abroad, receives: true, country: IE}", "Police abroad", 7, "garda: expected a mapping"),
        ("name: Police abroad, ", "", 7, "garda.name: is needed"),
        ("north: {", "North_1: {", 4, "North_1: expected lower-case letters and digits"),
        ("receives: true, country", "receives: true, receive: true, country", 7, "garda.receive"),
        ("{name: Only publishes, publishes: true}", "{name: Nothing}", 8, "a member publishes, receives, or both"),
    ],
)
def test_a_fault_of_a_member_has_its_line(write_bundle: Write, before: str, after: str, line: int, words: str):
    found = faults(write_bundle(MEMBERS.replace(before, after), a=HEAD + RULE))
    assert any(fault.startswith(f"bundle.yaml:{line}:") and words in fault for fault in found), found
    assert any("no agreement was read" in fault for fault in found)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ("/etc/exchange.yaml", "relative to the bundle's directory"),
        ("nowhere.yaml", "nowhere.yaml: cannot be read"),
        ("agreements/a.yaml", "agreements/a.yaml:1:1: expected an exchange.yaml with a mapping `members`"),
        ("[north]", "expected members, or the relative path"),
    ],
)
def test_members_from_a_file_that_has_none(write_bundle: Write, members: str, words: str):
    directory = write_bundle(f"version: 1\npublished_by: x\nmembers: {members}\n", a=HEAD + RULE)
    found = faults(directory)
    assert any(fault.startswith("bundle.yaml:3:") and words in fault for fault in found), found


def test_an_agreement_stands_once(write_bundle: Write):
    directory = write_bundle(MEMBERS, a=HEAD + RULE, b="# again\n" + HEAD + RULE)
    only_fault(directory, "agreements/b.yaml:2", "duplicate agreement `A-1`: agreements/a.yaml:1 has that id too")


@pytest.mark.parametrize("name", ["standing.yml", "standing", ".standing.yml", "standing.yaml.txt"])
def test_no_file_that_might_hold_a_protection_is_passed_over(write_bundle: Write, name: str):
    directory = write_bundle(MEMBERS, a=HEAD + RULE)
    (directory / "agreements" / name).write_text(STANDING, "utf-8")
    only_fault(directory, "agreements", f"found {name}")


def test_a_bundle_without_agreements_is_a_mistake(write_bundle: Write, tmp_path: Path):
    only_fault(write_bundle(MEMBERS), "agreements", "no agreement is here")
    (tmp_path / "agreements").rmdir()
    only_fault(tmp_path, "agreements", "expected a directory of agreements")


def test_a_directory_without_a_bundle_file(tmp_path: Path):
    assert any(fault.startswith("bundle.yaml: cannot be read") for fault in faults(tmp_path))


@pytest.mark.parametrize(("written", "seconds"), [("40s", 40), ("15m", 900), ("2h", 7200), ("1d", 86_400)])
def test_a_step_of_a_path_has_seconds_minutes_hours_or_days(write_bundle: Write, written: str, seconds: int):
    rule = f"  - {{id: ask, outcome: refer, sections: [locations], escalate: [desk], within: [{written}]}}\n"
    (agreement,) = load_bundle(write_bundle(MEMBERS, a=HEAD + RULE + rule)).agreements
    assert [rule.path for rule in agreement.rules if isinstance(rule, Refer)] == [(Step("desk", seconds),)]


def test_all_faults_of_all_files_are_told_at_once(write_bundle: Write):
    broken = (HEAD + RULE).replace("title:", "titel:").replace("2026-02-01", "soon").replace("[locations]\n", "[x]\n")
    directory = write_bundle(MEMBERS.replace("version: 3", "version: x"), a=broken, s=STANDING.replace("when", "wen"))
    reading = read_bundle(directory)
    assert reading.bundle is None
    assert [(fault.file, fault.line) for fault in reading.faults] == [
        ("agreements/a.yaml", 1),
        ("agreements/a.yaml", 2),
        ("agreements/a.yaml", 8),
        ("agreements/a.yaml", 17),
        ("agreements/s.yaml", 10),
        ("bundle.yaml", 1),
    ]


@pytest.mark.parametrize("key", ["from", "to"])
def test_what_follows_from_one_fault_is_not_told_again(write_bundle: Write, key: str):
    example = "examples: [{given: {origin: north}, expect: {south: {share: [locations]}}}]\n"
    text = (HEAD + RULE + "    recipients: [south]\n" + example).replace(f"{key}: [", f"{key}: [oops-")
    only_fault(
        write_bundle(MEMBERS, a=text), "agreements/a.yaml:" + ("10" if key == "from" else "11"), "is not a member that"
    )


def test_a_fault_says_where_it_is() -> None:
    assert str(Fault("a.yaml", 3, 7, "wrong")) == "a.yaml:3:7: wrong"
    assert str(Fault("a.yaml", 0, 0, "wrong")) == "a.yaml: wrong"


def test_the_example_bundle_loads(example_directory: Path, desk: Any):
    bundle = load_bundle(example_directory)
    assert [agreement.id for agreement in bundle.agreements] == [
        "HWY-2026-03",
        "STAND-WY",
        "WPN-2026-01",
        "YAS-2026-02",
    ]
