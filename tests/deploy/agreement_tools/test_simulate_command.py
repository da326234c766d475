"""`huecry agreements simulate`: recorded events decided again, from the ledger alone."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumers.ledger_queries import Ledger, Recorded
from deploy.agreement_tools.simulating import Simulation
from deploy.agreement_tools.unknowns import turned_on_unknown, unknowns_in_words
from deploy.cli import cli
from routing.agreements import Bundle, Considered, Place, considered_to_dict, decide, load_bundle, recipients
from routing.agreements.force import LONDON
from routing.agreements.model import Area, Condition, Share
from routing.agreements.regions import regions_between, regions_of
from routing.agreements.state import RuleRef
from tests.deploy.asking import AGREEMENTS, FORCE, NOW, an_event, keep, routed
from tests.routing.agreements.generated import DAY as GENERATED_DAY
from tests.routing.agreements.generated import Maker

CATEGORIES = ("transport/pursuit", "crime/violence/with-injury", "public-safety/hazardous-material", "asb/nuisance")
DAY = date(2026, 6, 5)
LATER = (NOW + timedelta(seconds=1),)
SINCE = ("--since", "2026-06-01", "--until", "2026-07-01", "--on", DAY.isoformat())


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty events as the router recorded them."""
    path = tmp_path_factory.mktemp("simulate") / "ledger.db"
    keep(path, [routed(an_event(f"e{n}", CATEGORIES[n % 4])) for n in range(40)])
    return path


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the demonstration's bundle to be changed."""
    shutil.copytree(AGREEMENTS.parent, tmp_path / "demo")
    return tmp_path / "demo" / "agreements"


def says(*words: str | Path) -> Result:
    result = CliRunner().invoke(cli, ["agreements", "simulate", *map(str, words)])
    assert result.exit_code == 0, (result.output, result.exception)
    return result


def told(bundle: Path, ledger: Path) -> dict[str, Any]:
    recipients: dict[str, Any] = json.loads(says(bundle, "--ledger", ledger, *SINCE, "--json").output)["recipients"]
    return recipients


def test_under_the_same_bundle_everything_is_decided_alike(ledger: Path) -> None:
    recipients = told(AGREEMENTS, ledger)
    assert {each["decisions"] for each in recipients.values()} == {40}
    assert not any(each[change]["events"] for each in recipients.values() for change in ("gained", "lost", "referred"))
    assert "yorkshire-ambulance: all 40 alike" in says(AGREEMENTS, "--ledger", ledger, *SINCE).output


def test_what_a_change_would_have_given_and_taken_is_counted_with_examples(ledger: Path, bundle: Path) -> None:
    ambulance = bundle / "agreements" / "ambulance.yaml"
    text = ambulance.read_text("utf-8").replace("category: [crime/violence, ", "category: [asb, ")
    text = text[: text.index("examples:")]
    ambulance.write_text(text, "utf-8")
    recipients = told(bundle, ledger)
    changed = recipients.pop("yorkshire-ambulance")
    assert changed["lost"]["events"] == 10
    assert changed["gained"]["events"] == 10
    assert changed["lost"]["parts"] == {"head": 10, "locations": 10, "hazards": 10, "casualties": 10}
    lost, gained = changed["lost"]["examples"], changed["gained"]["examples"]
    assert len(lost) == len(gained) == 3
    assert {int(event[1:]) % 4 for event in lost} == {1}
    assert {int(event[1:]) % 4 for event in gained} == {3}
    assert not any(each["lost"]["events"] or each["gained"]["events"] for each in recipients.values())
    words = says(bundle, "--ledger", ledger, *SINCE).output
    assert "would have lost something of 10: " in words
    assert f"for example {', '.join(lost)}" in words


def test_only_what_was_decided_between_the_times_is_counted_and_who_asked_is_noted(ledger: Path) -> None:
    assert (
        json.loads(says(AGREEMENTS, "--ledger", ledger, "--since", "2026-07-01", "--json").output)["recipients"] == {}
    )
    with closing(Ledger(ledger)) as opened:
        noted = opened._database.query("SELECT what FROM access_log ORDER BY access_number DESC LIMIT 2")
    assert {what for (what,) in noted} == {"count_between", "recorded_between"}


@pytest.mark.parametrize("page_events", [1, 7, 40])
def test_pages_of_the_ledger_lose_and_repeat_nothing(ledger: Path, page_events: int) -> None:
    """All were decided at one moment: only their ids tell pages apart."""
    with Ledger(ledger) as opened:
        found = [(one.event_id, one.member) for one in opened.recorded_between(NOW, *LATER, page_events)]
        assert opened.count_between(NOW, *LATER) == len(found) == len(set(found)) == 40 * 5
    assert {event for event, _ in found} == {f"e{n}" for n in range(40)}


def recorded(event: Considered, member: str = "west-yorkshire", head: str = "withheld") -> Recorded:
    considered = considered_to_dict(event)
    del considered["origin"], considered["sequence"]
    event_of = ("2026-06-05T21:14:03.000Z", "r", FORCE, 1, "e", json.dumps(considered), None)
    return Recorded(*event_of, member, head, "{}", "[]")


def by_area(unless: tuple[Condition, ...] = ()) -> Simulation:
    """A bundle that shares everything of pursuits in an area that was not there when events were recorded."""
    bundle = load_bundle(AGREEMENTS)
    old = next(agreement for agreement in bundle.agreements if agreement.id == "NBR-2026-01")
    rule = next(rule for rule in old.rules if rule.id == "pursuit")
    assert isinstance(rule, Share)
    in_area = Condition("area", ("hill",))
    changed = replace(rule, when=(*rule.when, in_area), unless=(unless,) if unless else ())
    agreement = replace(old, rules=(changed,))
    agreements = tuple(agreement if each.id == old.id else each for each in bundle.agreements)
    return Simulation(replace(bundle, agreements=agreements, areas=(Area("hill", "{}"),)), DAY)


def considered_of(category: str, **changes: Any) -> Considered:
    from routing.considering import considered
    from routing.geography.measuring import NOWHERE
    from schemas.codec import EventCodec

    codec = EventCodec()
    _, opened = codec.open(codec.encode(an_event("e", category).to_avro()), 1 << 20)
    place = Place("incident", "rochdale", has_coordinates=True)
    return replace(considered(opened, NOWHERE), places=(place,), **changes)


def test_a_decision_that_turns_on_an_area_that_was_not_measured_cannot_be_told() -> None:
    simulation = by_area()
    simulation.run([recorded(considered_of("transport/pursuit")), recorded(considered_of("asb/nuisance"))])
    tally = simulation.tallies["west-yorkshire"]
    assert (tally.decisions, tally.cannot_be_told, sum(tally.events.values())) == (2, 1, 0)


def test_a_place_without_coordinates_lies_in_no_area_that_could_be_measured() -> None:
    simulation = by_area()
    stated = considered_of(
        "transport/pursuit",
    )
    simulation.run([recorded(replace(stated, places=(Place("incident", "rochdale"),)))])
    assert simulation.tallies["west-yorkshire"].cannot_be_told == 0


def test_a_measured_area_is_told() -> None:
    simulation = by_area()
    inside = Place("incident", "rochdale", has_coordinates=True, inside=frozenset({"hill"}))
    event = replace(considered_of("transport/pursuit"), places=(inside,), regions=frozenset({"hill"}))
    simulation.run([recorded(event)])
    tally = simulation.tallies["west-yorkshire"]
    assert (tally.cannot_be_told, tally.events["gained"]) == (0, 1)


WAYS = ("inside", "partly", "out")


def in_every_way(event: Considered, unknown: list[str]) -> Iterator[Considered]:
    """The event as if its one place lay in every possible way to these regions."""
    (place,) = event.places
    for lies in product(WAYS, repeat=len(unknown)):
        inside, partly = ({region for region, way in zip(unknown, lies, strict=True) if way == how} for how in WAYS[:2])
        lying = replace(place, inside=place.inside | inside, partly=place.partly | partly)
        yield replace(event, places=(lying,), regions=event.regions.union(unknown))


def interpreted(bundle: Bundle, event: Considered, member: str) -> set[tuple[frozenset[str], frozenset[str]]]:
    """What comes out, granted and referred, in every way that the place could lie."""
    noon = datetime.combine(GENERATED_DAY, time(12), LONDON)
    unknown = sorted(regions_between(bundle, event.origin, member) - event.regions)
    found = set()
    for each in in_every_way(event, unknown) if event.places[0].has_coordinates else [event]:
        decision = decide(bundle, each, member, noon)
        states = {"head": decision.head, **decision.sections}
        granted, referred = (frozenset(p for p in states if states[p] == how) for how in ("granted", "referred"))
        found.add((granted, referred))
    return found


def test_what_is_simulated_is_what_the_interpreter_decides_and_cannot_be_told_where_it_decides_twice() -> None:
    told: Counter[str] = Counter()
    for number in range(60):
        maker = Maker(f"simulated/{number}")
        bundle = maker.bundle()
        simulation = Simulation(bundle, GENERATED_DAY)
        for _ in range(4):
            placed = Place("incident", "York", has_coordinates=True)
            event = maker.event(bundle, places=(maker.one((placed, placed, placed, maker.place([]))),), mode="actual")
            known = frozenset(region for region in sorted(regions_of(bundle)) if maker.chance(0.6))
            event = replace(event, regions=known, opening_category=None, closing_category=None)
            for member in recipients(bundle, event.origin):
                if len(regions_between(bundle, event.origin, member) - event.regions) > 4:
                    continue
                simulation.tallies.clear()
                # Nothing was granted or referred: whatever is now is gained, or waits for a ruling.
                one = recorded(event, member, "forbidden")._replace(origin=event.origin)
                simulation.run([one])
                tally = simulation.tallies[member]
                outcomes = interpreted(bundle, event, member)
                told["sure" if len(outcomes) == 1 else "cannot be told"] += 1
                assert tally.cannot_be_told == (len(outcomes) > 1)
                if len(outcomes) == 1:
                    ((granted, referred),) = outcomes
                    assert tally.parts["gained"].keys() == granted
                    assert tally.parts["referred"].keys() == referred
    assert told["sure"] > 100
    assert told["cannot be told"] > 10


@pytest.mark.parametrize("since", ["soon", "7w", "2026-13-01"])
def test_a_time_that_is_none_is_refused(ledger: Path, since: str) -> None:
    result = CliRunner().invoke(
        cli, ["agreements", "simulate", str(AGREEMENTS), "--ledger", str(ledger), "--since", since]
    )
    assert result.exit_code == 2
    assert "expected how long ago (7d" in " ".join(result.output.split())


def test_how_often_protections_turned_on_something_unknown_is_counted(ledger: Path) -> None:
    rules = [
        {"agreement": "A", "rule": "source", "outcome": "forbid", "turned_on_unknown": doubtful, "acts_as": "forbid"}
        for doubtful in (True, False, True)
    ]
    share = {"agreement": "A", "rule": "all", "outcome": "share", "turned_on_unknown": True, "acts_as": "share"}
    event = recorded(considered_of("asb/nuisance"))
    counts = turned_on_unknown(event._replace(rules=json.dumps([rule, share])) for rule in rules)
    assert counts == {RuleRef("A", "source"): (3, 2)}
    assert list(unknowns_in_words(counts)) == [
        "A / source turned on something unknown in 2 of the 3 decisions it matched"
    ]
    result = CliRunner().invoke(cli, ["agreements", "check", str(AGREEMENTS), "--quick", "--ledger", str(ledger)])
    assert "in the last seven days:\n  no refer, forbid or limit rule matched" in result.output
