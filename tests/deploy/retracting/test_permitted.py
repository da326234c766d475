"""After a change of policy: who would lose what, and that a change of the incident itself takes nothing back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from consumers.ledger_queries import Ledger
from deploy.retracting.held import held_of
from deploy.retracting.permitted import Lost, no_longer_permitted
from deploy.retracting.permitted_words import as_lines
from routing.agreements.bundle import Bundle
from routing.agreements.model import Area, Condition, Forbid, Refer, Rule, Step, Suspension
from routing.effects import Effects
from schemas.event import Point
from tests.consumers.case_making import SECRET
from tests.deploy.asking import NOW, a_policy, an_event, keep, routed

LATER = NOW + timedelta(hours=2)
HILLS = '{"type":"Polygon","coordinates":[[[-2,53],[-1,53],[-1,54],[-2,54],[-2,53]]]}'
GIVEN = ("head", "classification", "locations", "vehicles", "hazards")


def under(change: Callable[[Rule], Rule | None], more: Iterable[Rule] = ()) -> Bundle:
    """The demonstration's bundle with the rules between neighbours changed."""
    bundle = a_policy().bundle
    agreements = [
        replace(each, rules=(*filter(None, map(change, each.rules)), *more)) if each.id == "NBR-2026-01" else each
        for each in bundle.agreements
    ]
    return replace(bundle, version=9, agreements=tuple(agreements))


def without(rule_id: str) -> Bundle:
    return under(lambda rule: None if rule.id == rule_id else rule)


def lost(path: Path, bundle: Bundle, effects: Iterable[Effects]) -> list[Lost]:
    keep(path, effects)
    with Ledger(path) as ledger:
        return [each for whole in ledger.every_incident("test") for each in no_longer_permitted(whole, bundle, LATER)]


def robbery(**changes: object) -> Effects:
    return routed(an_event("e-1", "crime/robbery", incident_id="i-1", **changes))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


def test_under_the_same_policy_nobody_loses_anything(path: Path) -> None:
    assert lost(path, a_policy().bundle, [robbery()]) == []


def test_what_a_rule_granted_that_is_gone_is_lost_with_the_head(path: Path) -> None:
    (found,) = lost(path, without("pennine-border"), [robbery()])
    assert (found.incident_id, found.member, found.sequence) == ("i-1", "west-yorkshire", 1)
    assert tuple(found.parts) == GIVEN
    assert set(found.parts.values()) == {"no rule grants it"}
    assert (found.keeps, found.uncertain) == ((), {})


def test_of_a_rule_that_grants_less_only_that_is_lost(path: Path) -> None:
    less = under(lambda rule: replace(rule, grant=("classification",)) if rule.id == "pennine-border" else rule)
    (found,) = lost(path, less, [robbery()])
    assert tuple(found.parts) == ("locations", "vehicles", "hazards")
    assert found.keeps == ("head", "classification")


def test_a_new_forbid_takes_what_it_covers_and_says_which_rule(path: Path) -> None:
    forbid = Forbid(id="no-vehicles", recipients=("west-yorkshire",), sections=("vehicles",))
    (found,) = lost(path, under(lambda rule: rule, [forbid]), [robbery()])
    assert found.parts == {"vehicles": "forbidden by NBR-2026-01 / no-vehicles"}


def test_a_new_forbid_of_the_latest_event_takes_what_an_earlier_one_gave(path: Path) -> None:
    first = robbery()
    second = routed(an_event("e-2", "asb/nuisance", incident_id="i-1", sequence=2, kind="updated"), after=first)
    asb = Forbid(id="asb", recipients=("west-yorkshire",), sections=("head", *GIVEN[1:]), when=(_category("asb"),))
    (found,) = lost(path, under(lambda rule: rule, [asb]), [first, second])
    assert tuple(found.parts) == GIVEN


def test_a_new_refer_rule_takes_what_a_person_would_be_asked_about_first(path: Path) -> None:
    refer = Refer(
        id="ask", recipients=("west-yorkshire",), sections=("locations",), path=(Step("force-incident-manager", 900),)
    )
    (found,) = lost(path, under(lambda rule: rule, [refer]), [robbery()])
    assert found.parts == {"locations": "a person would be asked first: NBR-2026-01 / ask"}


def test_a_suspended_agreement_permits_nothing(path: Path) -> None:
    bundle = replace(a_policy().bundle, suspended=(Suspension("NBR-2026-01", "owner", "a breach"),))
    (found,) = lost(path, bundle, [robbery()])
    assert tuple(found.parts) == GIVEN


def test_a_change_of_the_incident_itself_takes_nothing_back(path: Path) -> None:
    first = robbery()
    elsewhere = an_event("e-2", "asb/nuisance", incident_id="i-1", sequence=2, kind="updated", district="Trafford")
    assert lost(path, a_policy().bundle, [first, routed(elsewhere, after=first)]) == []


def test_an_agreement_that_was_renewed_with_a_later_start_still_permits(path: Path) -> None:
    renewed = [
        replace(each, starts=NOW.date() + timedelta(days=0), signatures=each.signatures)
        for each in a_policy().bundle.agreements
    ]
    assert lost(path, replace(a_policy().bundle, agreements=tuple(renewed)), [robbery()]) == []


def test_an_agreement_that_has_ended_since_permits_what_was_shared_before(path: Path) -> None:
    agreements = tuple(replace(each, ends=NOW.date()) for each in a_policy().bundle.agreements)
    keep(path, [robbery()])
    with Ledger(path) as ledger:
        (whole,) = ledger.every_incident("test")
        later = NOW + timedelta(days=5)
        assert list(no_longer_permitted(whole, replace(a_policy().bundle, agreements=agreements), later)) == []


def test_whose_time_to_keep_it_is_over_loses_nothing(path: Path) -> None:
    first = robbery()
    closed = routed(an_event("e-2", "crime/robbery", incident_id="i-1", sequence=2, kind="closed"), after=first)
    keep(path, [first, closed])
    with Ledger(path) as ledger:
        (whole,) = ledger.every_incident("test")
        assert [held.member for held in held_of(whole, LATER)] == ["west-yorkshire", "yorkshire-ambulance"]
        assert held_of(whole, NOW + timedelta(days=90)) == ()
        assert list(no_longer_permitted(whole, without("pennine-border"), NOW + timedelta(days=91))) == []


def test_what_was_withheld_is_not_held(path: Path) -> None:
    keep(path, [robbery(district="Trafford")])
    with Ledger(path) as ledger:
        (whole,) = ledger.every_incident("test")
        (held,) = held_of(whole, LATER)
        assert (held.member, held.names) == ("yorkshire-ambulance", ("head", "locations", "casualties", "hazards"))


def test_what_was_measured_against_other_areas_is_told_and_not_certain(path: Path) -> None:
    event = an_event("e-1", "crime/robbery", incident_id="i-1")
    place = event.locations[0].model_copy(update={"point": Point(latitude=53.6, longitude=-2.1)})
    by_area = (Condition("area", ("hills",)),)
    elsewhere = under(lambda rule: replace(rule, when=by_area) if rule.id == "pennine-border" else rule)
    elsewhere = replace(elsewhere, areas=(Area("hills", HILLS),))
    (found,) = lost(path, elsewhere, [routed(event.model_copy(update={"locations": (place,)}))])
    assert found.parts == {}
    assert tuple(found.uncertain) == GIVEN


def test_in_words_it_says_who_loses_what_why_and_that_nothing_was_withdrawn(path: Path) -> None:
    found = lost(path, without("pennine-border"), [robbery()])
    told = list(as_lines(found, 9, is_dry_run=True))
    assert told[0] == "What members hold and policy version 9 would not let them have:"
    assert "west-yorkshire  incident i-1 (event 1)" in told
    assert "  loses: head, classification, locations, vehicles, hazards (no rule grants it)" in told
    assert "west-yorkshire: 1 incident" in told
    assert told[-1].startswith("Nothing was withdrawn. To withdraw it: the same command with --go")
    assert SECRET not in "".join(told)
    assert list(as_lines([], 9, is_dry_run=True)) == [
        "Members hold nothing that policy version 9 would not let them have."
    ]


def _category(value: str) -> Condition:
    return Condition("category", (value,))
