"""One incident's whole life on one screen, from the ledger that a router and a consumer really made."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from consumers.ledger_queries import Ledger, os_user
from consumers.sinks.places import read_place
from deploy.cli import cli
from deploy.tracing import Trace, trace_incident
from deploy.tracing_words import as_lines
from routing.effects import Effects
from schemas.errors import Rejected
from tests.deploy.asking import FORCE, NOW, SECRET, a_policy, an_event, keep, quarantined, receipted, routed
from tests.postgres_server import PostgresServer

INCIDENT, REFERENCE = "GMP-20260605-0117", "WY-1234"
LATER, NEXT_DAY = NOW + timedelta(minutes=4, seconds=10), NOW + timedelta(days=1)


def a_life() -> list[Effects]:
    """Three events: robbery; the vehicle is gone, and North Yorkshire's would-be delivery fails; a sexual offence."""
    first = routed(an_event("e-1", "crime/robbery", incident_id=INCIDENT))
    second = routed(
        an_event("e-2", "transport/pursuit", incident_id=INCIDENT, sequence=2, kind="updated", vehicles=()),
        a_policy(north_yorkshire="missing-topic"),
        LATER,
    )
    third = routed(
        an_event("e-3", "crime/sexual/other", incident_id=INCIDENT, sequence=3, kind="updated"), now=NEXT_DAY
    )
    accepted_at = NOW + timedelta(seconds=37)
    return [
        first,
        receipted(first, "west-yorkshire"),
        receipted(first, "west-yorkshire"),  # the member was not sure that the first arrived
        receipted(first, "west-yorkshire", "accepted", at=accepted_at, reference=REFERENCE),
        receipted(first, "yorkshire-ambulance", "failed"),
        second,
        receipted(second, "west-yorkshire", at=LATER + timedelta(milliseconds=80)),
        third,
        routed(an_event("e-other", "crime/robbery")),
        quarantined("e-refused"),
    ]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    keep(path, a_life())
    return path


def traced(ledger: Path, asked: str = INCIDENT) -> Trace:
    with Ledger(ledger) as opened:
        return trace_incident(opened, asked)


def words(trace: Trace) -> str:
    return "\n".join(as_lines(trace))


def flowing(trace: Trace) -> str:
    """Without the ends of lines."""
    return " ".join(words(trace).split())


def test_events_come_in_order_with_local_times_and_how_long_each_step_took(ledger: Path) -> None:
    told = words(traced(ledger))
    assert told.startswith(f"Incident {INCIDENT} of {FORCE}\n  3 events, 1 d 0 h from the first decision to the last ")
    first = told.index("\nFri 5 Jun 2026\n   1  22:14:03.000  created, crime/robbery")
    second = told.index("   2  22:18:13.000  updated, transport/pursuit")
    third = told.index("\nSat 6 Jun 2026\n   3  22:14:03.000  updated, crime/sexual/other")
    assert first < second < third
    assert "event e-2, 4 min 10 s after the one before; policy version 1 (" in told
    assert "event e-3, 23 h 55 min after the one before" in told


def test_a_receipt_is_told_once_with_when_and_under_which_reference(ledger: Path) -> None:
    told = flowing(traced(ledger))
    delivered = "west-yorkshire delivered 22:14:03.042 (42 ms after), accepted 22:14:40.000 (37.0 s after) as WY-1234"
    assert told.count(delivered) == 1
    assert "yorkshire-ambulance failed 22:14:03.042 (42 ms after)" in told


def test_what_was_sent_and_held_back_stands_with_its_rules(ledger: Path) -> None:
    told = flowing(traced(ledger))
    assert "shared-in-part: head, classification, locations, vehicles; and that there are no hazards" in told
    assert "held back: victims (withheld) under NBR-2026-01 / pennine-border (law-enforcement; DPA 2018 s.35" in told
    assert "held back: locations, victims (forbidden) by STAND-2026 / victims-of-sexual-offences" in told
    assert "withheld: north-yorkshire, rivers-agency, south-yorkshire" in told
    assert "north-yorkshire COULD NOT BE SENT" in told
    assert "tell the member by telephone" in told


def test_each_member_has_what_the_last_confirmed_event_that_covered_it_said(ledger: Path) -> None:
    members = {each.member: each for each in traced(ledger).members}
    assert set(members) == {
        *("north-yorkshire", "rivers-agency", "south-yorkshire", "west-yorkshire", "yorkshire-ambulance")
    }
    has = {held.section: (held.event_id, held.since) for held in members["west-yorkshire"].has}
    since = "2026-06-05T21:18:13.080Z"
    assert has == dict.fromkeys(("head", "classification", "locations"), ("e-2", since))
    assert {"hazards", "vehicles"} <= set(members["west-yorkshire"].told_none)
    assert [(each.event_id, each.why) for each in members["west-yorkshire"].pending] == [("e-3", "no-receipt")]
    assert [(each.event_id, each.why) for each in members["north-yorkshire"].pending] == [("e-2", "missing-topic")]
    assert members["yorkshire-ambulance"].has == ()
    assert members["yorkshire-ambulance"].pending[0].why == "failed"
    assert members["rivers-agency"].has == members["rivers-agency"].pending == ()


def told_a_secret(kind: str, folder: Path) -> Trace:
    """An incident that West Yorkshire holds, of which the next event states what nobody may know."""
    first = routed(an_event("e-1", "crime/robbery", incident_id="i", sequence=1))
    secret = {"incident_id": "i", "sequence": 2, "kind": kind, "caveats": ("source-sensitive",)}
    second = routed(an_event("e-2", "crime/robbery", **secret), after=first)
    confirmed = [receipted(effects, "west-yorkshire") for effects in (first, second)]
    keep(folder / "ledger.db", [first, second, *confirmed])
    return traced(folder / "ledger.db", "i")


def test_what_a_correction_took_back_is_no_longer_had(tmp_path: Path) -> None:
    told = told_a_secret("corrected", tmp_path)
    (standing,) = [each for each in told.members if each.member == "west-yorkshire"]
    assert (standing.has, standing.told_none, standing.pending) == ((), (), ())
    assert set(standing.taken_back) == {"head", "classification", "locations", "vehicles", "hazards"}
    assert "forbidden by STAND-2026 / source, and told to give back head, classification, locations," in flowing(told)
    assert "nothing that it has confirmed; no longer head, classification, locations, vehicles, hazards" in flowing(
        told
    )


def test_a_holder_that_is_told_only_that_there_is_news_keeps_what_it_has(tmp_path: Path) -> None:
    told = told_a_secret("updated", tmp_path)
    (standing,) = [each for each in told.members if each.member == "west-yorkshire"]
    assert {held.section for held in standing.has} == {"head", "classification", "locations", "vehicles"}
    assert standing.notices == (2,)
    assert "forbidden by STAND-2026 / source, and told that there is news: west-yorkshire" in flowing(told)
    assert standing.pending == ()
    assert "was told at event 2 that there is news, and nothing of it" in flowing(told)


def test_the_last_lines_say_for_each_member_what_it_has_and_since_when(ledger: Path) -> None:
    last = flowing(traced(ledger)).partition("What each member has now ")[2]
    assert "head, classification, locations (event 2, since Fri 5 Jun 2026 22:18:13.080); knows of no" in last
    assert "no receipt for event 3" in last
    assert "north-yorkshire nothing that it has confirmed; event 2 NOT THERE (missing-topic)" in last
    assert "yorkshire-ambulance nothing that it has confirmed; event 1 NOT THERE (failed)" in last
    assert "nothing: rivers-agency" in last


def test_it_is_found_by_an_event_and_by_a_members_reference_too(ledger: Path) -> None:
    assert traced(ledger, "e-2").events == traced(ledger, REFERENCE).events == traced(ledger).events
    assert f"\n  the incident that a member has as {REFERENCE}\n" in words(traced(ledger, REFERENCE))
    assert "\n  the incident of event e-2\n" in words(traced(ledger, "e-2"))
    assert "the incident of" not in words(traced(ledger))


def test_an_incident_of_which_nothing_was_decided_is_shown_with_what_was_told_of_it(ledger: Path) -> None:
    told = flowing(traced(ledger, "i-e-refused"))
    assert "event e-refused: no decision about it is in this ledger quarantined 22:14:03.000: wrong-key" in told
    assert "What each member has now" not in told


def test_a_reference_of_two_incidents_names_them(tmp_path: Path) -> None:
    one, other = (routed(an_event(event, "crime/robbery")) for event in ("e-a", "e-b"))
    accepted = [receipted(each, "west-yorkshire", "accepted", reference="WY-7") for each in (one, other)]
    keep(tmp_path / "ledger.db", [one, other, *accepted])
    with pytest.raises(Rejected, match=r"WY-7 is the reference of 2 incidents, ask for one: i-e-a, i-e-b"):
        traced(tmp_path / "ledger.db", "WY-7")


def test_what_is_not_there_says_what_was_looked_for_and_what_to_look_at(ledger: Path) -> None:
    with pytest.raises(Rejected, match=r"nothing of GM-0001: .* no event_id, .* Does huecry ledger run"):
        traced(ledger, "GM-0001")


def test_news_that_is_here_before_its_decision_is_shown_and_counts_for_nothing(tmp_path: Path) -> None:
    first, second = (
        routed(an_event(event, "crime/robbery", incident_id="i", sequence=number), now=now)
        for number, event, now in ((1, "e-a", NOW), (2, "e-b", LATER))
    )
    keep(tmp_path / "ledger.db", [first, receipted(second, "west-yorkshire", at=LATER)])
    told = traced(tmp_path / "ledger.db", "i")
    assert [event.decided_at is None for event in told.events] == [False, True]
    assert "event e-b: no decision about it is in this ledger west-yorkshire: delivered 22:18:13.000" in flowing(told)
    assert all(not each.has for each in told.members)


def test_a_members_clock_behind_ours_is_said_and_not_hidden(tmp_path: Path) -> None:
    sent = routed(an_event("e-a", "crime/robbery"))
    keep(tmp_path / "ledger.db", [sent, receipted(sent, "west-yorkshire", at=NOW - timedelta(milliseconds=300))])
    told = flowing(traced(tmp_path / "ledger.db", "i-e-a"))
    assert "delivered 22:14:02.700 (300 ms before: their clock and ours differ)" in told


def test_nothing_that_is_said_holds_personal_data(ledger: Path) -> None:
    assert SECRET not in words(traced(ledger))


# --------------------------------------------------------------------------------------------------- the command


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(cli, ["trace", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_json_tells_the_same_as_data(ledger: Path) -> None:
    told = json.loads(run(INCIDENT, "--ledger", ledger, "--json"))
    assert (told["incident_id"], told["origin"], told["found_as"]) == (INCIDENT, FORCE, "incident")
    assert [event["event_id"] for event in told["events"]] == ["e-1", "e-2", "e-3"]
    assert told["events"][1]["since_previous_ms"] == 250_000
    group = told["events"][0]["groups"][0]
    (copy,) = [copy for copy in group["members"] if copy["member"] == "west-yorkshire"]
    assert [(news["kind"], news["step_ms"]) for news in copy["news"]] == [("delivered", 42), ("accepted", 36_958)]
    assert copy["news"][1]["reference"] == REFERENCE
    assert group["grounds"][0]["rule"] == "pennine-border"
    assert {each["member"] for each in told["members"]} >= {"west-yorkshire", "rivers-agency"}


def test_whoever_asks_is_written_down_also_when_nothing_is_found(ledger: Path) -> None:
    run(INCIDENT, "--ledger", ledger)
    with pytest.raises(Rejected):
        run("fishing", "--ledger", ledger)
    with closing(sqlite3.connect(ledger)) as connection:
        log = connection.execute("SELECT who, what, subject FROM access_log").fetchall()
    assert (os_user(), "whole_incident", INCIDENT) in log
    assert (os_user(), "whole_incident", "fishing") in log


def test_nothing_is_answered_where_the_question_cannot_be_written_down(ledger: Path, tmp_path: Path) -> None:
    copy = tmp_path / "unlogged.db"
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("DROP TABLE access_log")
        target.commit()
    result = CliRunner().invoke(cli, ["trace", INCIDENT, "--ledger", str(copy)])
    assert result.exit_code == 1
    assert result.output == ""


def test_a_ledger_in_postgresql_says_the_same_word_for_word(postgres: PostgresServer, tmp_path: Path) -> None:
    url, file, life = postgres.make_database(), tmp_path / "ledger.db", a_life()
    for place in (read_place(url), file):
        keep(place, life)
    for asked in (INCIDENT, "e-2", REFERENCE, "i-e-refused"):
        for how in ((), ("--json",)):
            assert run(asked, "--ledger", url, *how) == run(asked, "--ledger", file, *how)
    with pytest.raises(Rejected, match="nothing of nowhere"):
        run("nowhere", "--ledger", url)
    ((questions,),) = postgres.run(url, "SELECT count(*) FROM access_log WHERE subject = 'nowhere'")
    assert questions > 0
