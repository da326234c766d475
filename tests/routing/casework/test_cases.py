"""Cases and rulings, event by event: who is asked, what an answer changes, and what deciding makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from routing.agreements import Bundle, Considered, Decision, decide
from routing.agreements.decision import HEAD
from routing.agreements.history import history_after
from routing.agreements.model import Condition, Forbid, Limit, Refer, RoleHolders, Rule, RulingTerms, Share, Step
from routing.agreements.state import Discretion, Override, Refusal, Release, State
from routing.casework.case import NO_CASE, Case, Notice, opened
from routing.casework.deadlines import due
from routing.casework.judging import judge
from routing.casework.known import Judged, Known
from routing.casework.said import Said
from schemas.errors import Rejected
from schemas.sections import SECTIONS
from tests.routing.agreements.conftest import NOON, a_bundle, a_forbid, a_share, an_agreement, an_event

MINUTE = timedelta(minutes=1)
INSPECTOR, SUPERINTENDENT, MANAGER = "duty-inspector", "superintendent", "force-incident-manager"
PATH = (Step(INSPECTOR, 900), Step(SUPERINTENDENT, 1800))
ALL = (HEAD, *SECTIONS)
OFFENCE = frozenset({"sexual-offence"})


def a_refer(name: str = "sensitive", **changes: Any) -> Refer:
    plain = Refer(
        id=name,
        recipients=("south", "west"),
        sections=("locations", "facts"),
        path=PATH,
        ruling=RulingTerms("safeguarding", "Children Act 2004 s.11", 30),
        why="The place may identify the victim",
    )
    return replace(plain, **changes)


def shares(**changes: Any) -> Share:
    plain = a_share(recipients=("south", "west"), grant=("classification", "locations", "facts"))
    return replace(plain, **changes)


class Desk:
    """One incident and its case, as a router would carry them on."""

    def __init__(self, *rules: Rule, **bundle: Any) -> None:
        roles = tuple(
            RoleHolders(role, "north", (person,))
            for role, person in ((INSPECTOR, "insp.ahmed"), (SUPERINTENDENT, "supt.jones"), (MANAGER, "fim.lee"))
        )
        self.bundle: Bundle = a_bundle(an_agreement(*rules), roles=roles, **bundle)
        self.now: datetime = NOON
        self.state, self.case = State(), NO_CASE
        self.latest: Considered = an_event(sequence=0)
        self.notices: list[Notice] = []

    def event(self, **changes: Any) -> Mapping[str, Decision]:
        """Another event comes; what is decided of it for whom."""
        self.state = replace(self.state, history=history_after(self.state.history, self.latest))
        self.latest = replace(self.latest, sequence=self.latest.sequence + 1, **changes)
        return self.again()

    def again(self) -> Mapping[str, Decision]:
        """The latest event, decided once more."""
        decided = {to: decide(self.bundle, self.latest, to, self.now, self.state) for to in ("south", "west")}
        asked = {to: decision.referrals for to, decision in decided.items()}
        self._take(*opened(self.case, asked, self.latest.sequence, self.now))
        return decided

    def wait(self, minutes: float) -> None:
        self.now += minutes * MINUTE
        case, lapses, notices = due(self.case, self.latest, self.now)
        self.state = replace(self.state, refusals=(*self.state.refusals, *lapses))
        self._take(case, notices)

    def say(self, kind: Any = "release", person: str = "insp.ahmed", role: str = INSPECTOR, **said: Any) -> Judged:
        plain: dict[str, Any] = {
            "recipients": frozenset({"south"}),
            "seen_sequence": self.latest.sequence,
            "because": "safe to tell",
        }
        words = Said(id="R1", kind=kind, person=person, role=role, at=self.now, **{**plain, **said})
        judged = judge(words, Known(self.bundle, self.latest, self.state, self.case))
        self.state = replace(
            self.state,
            releases=(*self.state.releases, *(one for one in judged.rulings if isinstance(one, Release))),
            discretions=(*self.state.discretions, *(one for one in judged.rulings if isinstance(one, Discretion))),
            overrides=(*self.state.overrides, *(one for one in judged.rulings if isinstance(one, Override))),
            refusals=judged.refusals,
        )
        self._take(judged.case, judged.notices)
        return judged

    def told(self) -> list[tuple[str, str, str]]:
        """The notices since this was last asked: what, of whom, who is asked."""
        told = [(notice.kind, notice.line.recipient, notice.line.role) for notice in self.notices]
        self.notices.clear()
        return told

    def _take(self, case: Case, notices: tuple[Notice, ...]) -> None:
        self.case, self.state = case, replace(self.state, lines=case.open_lines())
        self.notices += notices


@pytest.fixture
def desk() -> Desk:
    return Desk(shares(), a_refer(when=()))


def refused(desk: Desk, **said: Any) -> str:
    """The code with which a ruling is refused; it must change nothing."""
    before = desk.case, desk.state
    with pytest.raises(Rejected) as why:
        desk.say(**said)
    assert (desk.case, desk.state) == before
    assert "insp.ahmed" not in str(why.value)
    return why.value.reason


# -- a line opens, and stays open


def test_granted_sections_flow_at_once_and_referred_ones_wait_in_a_case(desk: Desk):
    decided = desk.event()
    assert decided["south"].covers == ("classification",)
    assert desk.told() == [("opened", "south", INSPECTOR), ("opened", "west", INSPECTOR)]
    line = desk.case.lines[0]
    assert (line.recipient, line.agreement, line.rule, line.parts) == (
        "south",
        "A",
        "sensitive",
        {"locations", "facts"},
    )
    assert (line.why, line.opened_sequence) == ("The place may identify the victim", 1)
    assert desk.case.next_deadline == NOON + 15 * MINUTE


def test_each_further_event_leaves_the_deadlines_and_wakes_nobody(desk: Desk):
    desk.event()
    desk.told()
    desk.now += 5 * MINUTE
    desk.event(grade="priority")
    assert desk.told() == []
    assert desk.case.next_deadline == NOON + 15 * MINUTE


def test_while_a_line_is_open_its_sections_stay_referred_even_if_the_rule_no_longer_matches():
    flagged = a_refer(when=(condition("flags", "sexual-offence"),))
    desk = Desk(shares(), flagged)
    desk.event(flags=OFFENCE)
    # Even a correction that takes the flag back closes no line: a person was asked, and answers.
    decided = desk.event(kind="corrected", flags=frozenset(), changes=frozenset({"flags"}))
    assert decided["south"].sections["locations"] == "referred"
    desk.say()
    assert desk.again()["south"].sections["locations"] == "granted"


def test_a_rule_that_comes_to_match_opens_a_line_of_its_own():
    desk = Desk(
        shares(), a_refer(), a_refer("second", when=(condition("flags", "sexual-offence"),), sections=("facts",))
    )
    desk.event()
    desk.told()
    desk.event(flags=OFFENCE)
    assert desk.told() == [("opened", "south", INSPECTOR), ("opened", "west", INSPECTOR)]
    assert [line.rule for line in desk.case.lines if line.recipient == "south"] == ["second", "sensitive"]


# -- time


def test_a_step_that_is_not_answered_passes_to_the_next_and_after_the_last_it_lapses(desk: Desk):
    desk.event()
    desk.told()
    desk.wait(14.9)
    assert desk.told() == []
    desk.wait(0.1)
    assert desk.told() == [("escalated", "south", SUPERINTENDENT), ("escalated", "west", SUPERINTENDENT)]
    assert desk.case.next_deadline == NOON + 45 * MINUTE
    desk.wait(30)
    assert [kind for kind, _, _ in desk.told()] == ["lapsed", "lapsed"]
    assert desk.case == NO_CASE
    assert desk.again()["south"].sections["locations"] == "withheld"


def test_who_is_asked_has_their_whole_time_even_after_the_router_was_away(desk: Desk):
    desk.event()
    desk.wait(600)
    assert desk.case.next_deadline == NOON + 630 * MINUTE


def test_a_lapse_stands_until_the_grade_rises_and_then_somebody_is_asked_again(desk: Desk):
    desk.event(grade="priority")
    desk.wait(15)
    desk.wait(30)
    desk.told()
    assert desk.event()["south"].sections["facts"] == "withheld"
    assert desk.told() == []
    assert desk.event(grade="emergency")["south"].sections["facts"] == "referred"
    assert desk.told() == [("opened", "south", INSPECTOR), ("opened", "west", INSPECTOR)]


def test_a_deadline_is_moved_within_a_day(desk: Desk):
    desk.event()
    desk.told()
    desk.say("extend", until=NOON + 60 * MINUTE)
    assert desk.told() == [("extended", "south", INSPECTOR)]
    desk.wait(20)
    assert desk.told() == [("escalated", "west", SUPERINTENDENT)]
    assert refused(desk, kind="extend", until=NOON + timedelta(days=2)) == "bad-limit"
    assert refused(desk, kind="extend") == "bad-limit"


# -- rulings


def test_a_release_lets_the_named_recipient_alone_have_what_was_asked(desk: Desk):
    desk.event()
    desk.told()
    desk.say()
    assert desk.told() == [("released", "south", INSPECTOR)]
    decided = desk.again()
    assert decided["south"].covers == ("classification", "locations", "facts")
    assert decided["west"].covers == ("classification",)
    assert {line.recipient for line in desk.case.lines} == {"west"}
    # Terms are those of the agreement it ruled under, in which the rule states its own.
    assert {ground.rule for ground in decided["south"].grounds if ground.section == "facts"} == {"R1", "share"}


def test_a_release_of_one_section_leaves_the_others_waiting(desk: Desk):
    desk.event()
    desk.say(parts=frozenset({"facts"}), locate="1km")
    decided = desk.again()["south"]
    assert decided.sections["facts"] == "granted"
    assert decided.sections["locations"] == "referred"
    assert decided.locate["facts"] == "1km"
    assert desk.case.lines[0].parts == {"locations"}


def test_a_release_covers_later_events_until_its_limit(desk: Desk):
    desk.event()
    desk.say(until=NOON + 60 * MINUTE)
    desk.now += 59 * MINUTE
    assert desk.event(kind="closed", status="closed")["south"].sections["facts"] == "granted"
    desk.now += MINUTE
    assert desk.event(kind="updated")["south"].sections["facts"] == "referred"


def test_nobody_is_released_what_was_asked_only_for_another():
    desk = Desk(
        shares(recipients=("south",)),
        a_share("thin", recipients=("west",), grant=("locations",)),
        a_refer(),
    )
    desk.event()
    asked = {line.recipient: line.parts for line in desk.case.lines}
    assert asked == {"south": {"locations", "facts"}, "west": {"locations"}}
    desk.say(recipients=frozenset({"south", "west"}))
    assert desk.again()["west"].covers == ("locations",)


def test_a_rule_that_was_open_for_another_is_not_discharged_by_a_ruling_for_both():
    invite = a_refer("invite", invite=True, when=(), sections=ALL, path=(Step(SUPERINTENDENT, 900),))
    desk = Desk(shares(grant=("classification", "locations")), a_refer(when=()), invite)
    desk.event()
    desk.say(parts=frozenset({"locations"}))
    desk.say(person="supt.jones", role=SUPERINTENDENT, recipients=frozenset({"south", "west"}))
    decided = desk.again()
    assert decided["west"].sections["facts"] == "granted"
    assert decided["south"].sections["facts"] == "referred", "nobody was asked about them under that rule, for south"


def test_a_section_that_was_empty_when_ruled_opens_the_case_again(desk: Desk):
    desk.event(sections=frozenset({"classification", "locations"}))
    desk.say()
    desk.told()
    decided = desk.event(sections=frozenset(SECTIONS))["south"]
    assert decided.sections["locations"] == "granted"
    assert decided.sections["facts"] == "referred"
    assert desk.told() == [("opened", "south", INSPECTOR)]


def test_a_new_caveat_opens_the_case_again(desk: Desk):
    desk.event()
    desk.say()
    desk.told()
    assert desk.event(caveats=frozenset({"honour-based"}))["south"].sections["facts"] == "referred"
    assert desk.told() == [("opened", "south", INSPECTOR)]


def test_a_section_flows_when_every_rule_that_covers_it_is_discharged():
    desk = Desk(shares(), a_refer(), a_refer("second", sections=("facts",), path=(Step(MANAGER, 600),)))
    desk.event()
    desk.say()
    decided = desk.again()["south"]
    assert decided.sections["locations"] == "granted"
    assert decided.sections["facts"] == "referred"
    assert [line.rule for line in desk.case.lines if line.recipient == "south"] == ["second"]
    desk.say(person="fim.lee", role=MANAGER)
    assert desk.again()["south"].sections["facts"] == "granted"


def test_a_refusal_stands_and_nobody_is_asked_on_about_it():
    desk = Desk(shares(), a_refer(), a_refer("second", sections=("facts",), path=(Step(MANAGER, 600),)))
    desk.event()
    desk.told()
    desk.say("refuse")
    assert sorted(desk.told()) == [("refused", "south", INSPECTOR), ("refused", "south", MANAGER)]
    assert {line.recipient for line in desk.case.lines} == {"west"}
    assert desk.event()["south"].sections["facts"] == "withheld"
    assert desk.told() == []


def test_the_origin_asks_again(desk: Desk):
    desk.event()
    desk.say("refuse")
    desk.told()
    desk.say("ask-again", parts=frozenset({"facts"}))
    decided = desk.again()["south"]
    assert decided.sections["facts"] == "referred"
    assert decided.sections["locations"] == "withheld"
    assert desk.told() == [("opened", "south", INSPECTOR)]
    assert refused(desk, kind="ask-again", recipients=frozenset({"west"})) == "nothing-refused"


def test_forbids_are_checked_at_release_and_ever_after():
    desk = Desk(shares(), a_refer(), a_forbid(when=(condition("caveats", "source-sensitive"),), sections=("facts",)))
    desk.event()
    desk.say()
    assert desk.again()["south"].sections["facts"] == "granted"
    assert desk.event(caveats=frozenset({"source-sensitive"}))["south"].sections["facts"] == "forbidden"


def test_limits_cap_what_a_person_released():
    desk = Desk(shares(), a_refer(), Limit(id="coarse", recipients=("south",), locate="10km"))
    desk.event()
    desk.say(locate="exact")
    assert desk.again()["south"].locate["locations"] == "10km"


# -- what does not count


def test_a_ruling_that_does_not_count_says_why_and_changes_nothing(desk: Desk):
    desk.event()
    assert refused(desk, person="somebody") == "not-in-role"
    assert refused(desk, role=SUPERINTENDENT) == "not-in-role"
    assert refused(desk, person="fim.lee", role=MANAGER) == "role-not-in-path"
    assert refused(desk, seen_sequence=0) == "stale-view"
    assert refused(desk, recipients=frozenset()) == "nothing-named"
    assert refused(desk, recipients=frozenset({"north"})) == "bad-recipient"
    assert refused(desk, parts=frozenset({"shoes"})) == "bad-part"
    assert refused(desk, parts=frozenset({"victims"})) == "no-open-line"
    assert refused(desk, until=NOON) == "bad-limit"


def test_whoever_rules_may_not_be_named_in_the_incident(desk: Desk):
    desk.event()
    words = Said(
        id="R1",
        kind="release",
        person="insp.ahmed",
        role=INSPECTOR,
        at=NOON,
        recipients=frozenset({"south"}),
        seen_sequence=1,
        because="",
    )
    with pytest.raises(Rejected, match="may not be named"):
        judge(words, Known(desk.bundle, desk.latest, desk.state, desk.case, frozenset({"insp.ahmed"})))


def test_what_was_ruled_or_lapsed_is_told_apart(desk: Desk):
    desk.event()
    desk.say()
    assert refused(desk) == "already-ruled"
    desk.say("refuse", recipients=frozenset({"west"}))
    assert refused(desk, recipients=frozenset({"west"})) == "already-ruled"
    late = Desk(shares(), a_refer())
    late.event()
    late.wait(15)
    late.wait(30)
    assert refused(late) == "lapsed"


# -- beyond the rules


def test_discretion_shares_what_no_rule_grants_for_one_event():
    desk = Desk(a_share(recipients=("west",)), discretion=(MANAGER,))
    desk.event()
    words = {"kind": "discretion", "parts": frozenset({"vehicles"}), "agreement": "A"}
    assert refused(desk, **words) == "not-at-discretion"
    desk.say(person="fim.lee", role=MANAGER, **words)
    assert desk.again()["south"].covers == ("vehicles",)
    assert desk.event()["south"].covers == ()
    desk.say(person="fim.lee", role=MANAGER, later_events=True, **words)
    assert desk.event()["south"].covers == ("vehicles",)


def test_discretion_is_never_for_what_is_referred():
    desk = Desk(shares(), a_refer(), discretion=(MANAGER,))
    desk.event()
    manager = {"kind": "discretion", "person": "fim.lee", "role": MANAGER, "agreement": "A"}
    assert refused(desk, parts=frozenset({"facts"}), **manager) == "referred"
    assert refused(desk, **manager) == "nothing-named"
    assert refused(desk, parts=frozenset({"victims"}), **{**manager, "agreement": "B"}) == "unknown-agreement"


def test_an_override_lifts_a_forbid_that_names_the_role_for_at_most_four_hours():
    desk = Desk(shares(), a_forbid(override=(MANAGER,)), Forbid(id="rest", recipients=("west",), sections=(HEAD,)))
    desk.event()
    words = {"kind": "override", "parts": frozenset({HEAD, "locations"}), "agreement": "A"}
    assert refused(desk, **words) == "no-override"
    manager = {"person": "fim.lee", "role": MANAGER}
    assert refused(desk, recipients=frozenset({"west"}), **manager, **words) == "no-override"
    assert refused(desk, until=NOON + 241 * MINUTE, **manager, **words) == "bad-limit"
    judged = desk.say(**manager, **words)
    assert judged.rulings[0].until == NOON + 240 * MINUTE
    assert desk.again()["south"].covers == ("locations",)
    desk.now += 240 * MINUTE
    assert desk.event()["south"].covers == ()


def test_refusals_are_kept_apart_by_recipient_and_part():
    desk = Desk(shares(), a_refer())
    desk.event()
    desk.say("refuse", recipients=frozenset({"south", "west"}))
    assert [(sorted(each.recipients), each.kind) for each in desk.state.refusals] == [
        (["south"], "refusal"),
        (["west"], "refusal"),
    ]
    assert all(isinstance(each, Refusal) for each in desk.state.refusals)


def condition(attribute: Any, *values: str) -> Any:
    return Condition(attribute, values)
