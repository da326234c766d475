"""Why a member got an event, or did not: the ledger answers, in words an auditor can act on."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from consumers.ledger_queries import Ledger, os_user
from deploy.cli import cli
from deploy.explaining import Explanation, explain_event
from deploy.explaining_words import as_lines
from routing.agreements import Bundle, load_bundle
from schemas.errors import Rejected
from tests.deploy.asking import AGREEMENTS, SECRET, a_policy, an_event, keep, quarantined, receipted, routed

# One event for each way a decision can go; under the demonstration's agreements.
SHARED, UNKNOWN, UNREACHABLE, EXERCISE, ASSAULT = "e-robbery", "e-doubt", "e-pursuit", "e-exercise", "e-assault"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of a force: what the router really made, kept by the ledger's own sink."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    robbery = routed(an_event(SHARED, "crime/robbery"))
    keep(
        path,
        [
            robbery,
            receipted(robbery, "west-yorkshire"),
            routed(an_event(UNKNOWN, "transport/pursuit", caveats=None)),
            routed(an_event(UNREACHABLE, "transport/pursuit"), a_policy(north_yorkshire="missing-topic")),
            routed(an_event(EXERCISE, "transport/pursuit", mode="exercise")),
            routed(an_event(ASSAULT, "crime/sexual/other")),
            quarantined("e-refused"),
        ],
    )
    return path


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(AGREEMENTS)


def asked(ledger: Path, event: str, member: str, bundle: Bundle | None = None) -> Explanation:
    with Ledger(ledger) as opened:
        (only,) = explain_event(opened, event, member, bundle)
        return only


def words(explanation: Explanation) -> str:
    return "\n".join(as_lines(explanation))


def test_what_was_sent_what_was_held_back_and_on_what_terms_comes_first(ledger: Path, bundle: Bundle) -> None:
    told = words(asked(ledger, SHARED, "west-yorkshire", bundle))
    assert told.startswith("west-yorkshire was sent a part of this event\n")
    assert "  sent            the head, classification, locations, vehicles; and that there are no hazards\n" in told
    assert "  held back       victims (withheld)\n" in told
    assert "  terms           to be kept 90 days from closing; passing on: ask\n" in told
    assert "NBR-2026-01 / pennine-border (law-enforcement; DPA 2018 s.35(2)(b)): classification, locations" in told


def test_of_what_could_be_read_no_name_runs_into_its_value(ledger: Path, bundle: Bundle) -> None:
    told = words(asked(ledger, SHARED, "west-yorkshire", bundle)).splitlines()
    read = told[told.index("What the rules could read of the event (no names, no coordinates):") + 1 :]
    considered = [line for line in read if line.startswith("  ") and line[2] != " "]
    assert len(considered) > 10
    assert {line[18:20] for line in considered} == {"  "}


def test_a_receipt_says_since_when_the_member_has_it_and_its_absence_is_said_too(ledger: Path, bundle: Bundle) -> None:
    told = words(asked(ledger, SHARED, "west-yorkshire", bundle))
    assert "receipt         has it since 2026-06-05 21:14:03.042 UTC\n" in told
    assert "receipt         none yet\n" in words(asked(ledger, SHARED, "yorkshire-ambulance", bundle))


def test_every_rule_says_what_it_turned_on_and_those_that_matched_come_first(ledger: Path, bundle: Bundle) -> None:
    told = words(asked(ledger, SHARED, "west-yorkshire", bundle)).splitlines()
    first = told.index("Every rule from greater-manchester to west-yorkshire:") + 1
    assert told[first] == "  matched       share   NBR-2026-01 / pennine-border"
    assert "as asked (Calderdale or Kirklees or Oldham or Rochdale)" in told[first + 1]
    assert told[first + 2] == "  not matched   share   NBR-2026-01 / missing-child"
    assert told[first + 3].strip() == "category is crime/robbery, not public-safety/missing"
    assert "Decided again just now from the record: the same decision." in told


def test_a_member_that_no_rule_serves_is_told_of_as_withheld(ledger: Path, bundle: Bundle) -> None:
    told = words(asked(ledger, SHARED, "rivers-agency", bundle))
    assert told.startswith("rivers-agency was sent nothing of this event: no agreement grants it\n")
    assert "held back       classification, locations, victims, vehicles (withheld)\n" in told
    assert "category is crime/robbery, not public-safety/hazardous-material" in told
    assert "receipt" not in told, "nothing was sent, so no receipt is missing"


def test_without_the_agreements_the_record_alone_is_told(ledger: Path) -> None:
    explanation = asked(ledger, SHARED, "rivers-agency")
    told = words(explanation)
    assert "No rule matched, and what nobody wrote down stays home." in told
    assert "--agreements DIR" in told
    assert explanation.rules is None
    assert explanation.same_decision is None
    assert "share   NBR-2026-01 / pennine-border" in words(asked(ledger, SHARED, "west-yorkshire"))


def test_a_forbid_that_turned_on_something_unknown_says_so(ledger: Path, bundle: Bundle) -> None:
    explanation = asked(ledger, UNKNOWN, "west-yorkshire", bundle)
    told = words(explanation)
    assert told.startswith("west-yorkshire was sent nothing of this event: an agreement forbids it\n")
    assert "forbid  STAND-2026 / source (in doubt: what is not known counts against sharing)" in told
    assert "caveats is not stated, so whether source-sensitive or covert-operation or arrest-planned is unknown" in told
    assert explanation.same_decision is True
    assert "forbid  STAND-2026 / source (in doubt" in words(asked(ledger, UNKNOWN, "west-yorkshire"))


def test_a_section_that_is_forbidden_is_told_apart_from_one_that_is_withheld(ledger: Path, bundle: Bundle) -> None:
    explanation = asked(ledger, ASSAULT, "west-yorkshire", bundle)
    assert explanation.held_back() == {"locations": "forbidden", "victims": "forbidden"}
    assert "held back       locations, victims (forbidden)\n" in words(explanation)
    assert "sent            the head, classification, vehicles; and that there are no hazards\n" in words(explanation)


def test_what_could_not_be_sent_stands_in_the_first_line_with_what_to_do(ledger: Path, bundle: Bundle) -> None:
    told = words(asked(ledger, UNREACHABLE, "north-yorkshire", bundle))
    assert told.startswith("north-yorkshire was to be sent this event, and it COULD NOT BE SENT (missing-topic)\n")
    assert "(missing-topic); tell the member by telephone" in " ".join(told.split())
    assert "none yet" not in told
    assert "was sent a part" in words(asked(ledger, UNREACHABLE, "south-yorkshire", bundle)), "the others got it"


def test_an_exercise_goes_nowhere_and_the_reason_is_the_mode(ledger: Path, bundle: Bundle) -> None:
    assert "mode is exercise" in words(asked(ledger, EXERCISE, "west-yorkshire", bundle))


def test_agreements_other_than_those_that_decided_are_not_passed_off_as_them(ledger: Path, bundle: Bundle) -> None:
    other = Bundle(bundle.version, "somebody else", bundle.members, bundle.agreements)
    explanation = asked(ledger, SHARED, "west-yorkshire", other)
    assert explanation.rules is None
    assert explanation.same_decision is None
    told = words(explanation)
    assert f"The agreements at hand (version 1, {other.hash[:12]}) are not those that decided (version 1, " in told
    assert "Every rule" not in told


def test_a_record_that_the_agreements_do_not_bear_out_is_shouted(ledger: Path, bundle: Bundle, tmp_path: Path) -> None:
    forged = tmp_path / "forged.db"
    with closing(sqlite3.connect(ledger)) as source, closing(sqlite3.connect(forged)) as target:
        source.backup(target)
        target.execute("UPDATE decision SET covers = '[\"locations\", \"victims\"]' WHERE member = 'west-yorkshire'")
        target.commit()
    explanation = asked(forged, SHARED, "west-yorkshire", bundle)
    assert explanation.same_decision is False
    assert "NOT THE SAME (covers). Tell whoever runs the exchange." in words(explanation)


def test_an_event_that_the_ledger_does_not_have_says_what_to_look_at(ledger: Path) -> None:
    with pytest.raises(Rejected, match=r"no event e-nowhere: is the id right and whole, .* does huecry ledger run"):
        asked(ledger, "e-nowhere", "west-yorkshire")


def test_an_event_in_quarantine_is_told_as_such_and_where_to_look(ledger: Path) -> None:
    with pytest.raises(Rejected, match=r"refused it at .*wrong-key: .*huecry quarantine show [0-9a-f]{12} tells more"):
        asked(ledger, "e-refused", "west-yorkshire")


def test_a_member_about_whom_nothing_was_decided_is_answered_with_those_there_are(ledger: Path) -> None:
    with pytest.raises(Rejected, match=r"nothing was decided for lancashire .* north-yorkshire, rivers-agency"):
        asked(ledger, SHARED, "lancashire")


def test_nothing_that_is_said_holds_personal_data(ledger: Path, bundle: Bundle) -> None:
    for event in (SHARED, UNKNOWN, UNREACHABLE, ASSAULT):
        for member in ("west-yorkshire", "north-yorkshire", "rivers-agency"):
            assert SECRET not in words(asked(ledger, event, member, bundle))


# --------------------------------------------------------------------------------------------------- the command


def run(*arguments: str | Path) -> str:
    result = CliRunner().invoke(cli, ["explain", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_json_tells_the_same_as_data(ledger: Path) -> None:
    answer = run(SHARED, "--to", "west-yorkshire", "--ledger", ledger, "--agreements", AGREEMENTS, "--json")
    told = json.loads(answer)
    assert set(told) == {
        *("event_id", "incident_id", "sequence", "origin", "recipient", "decided_at", "policy", "considered"),
        *("outcome", "head", "sections", "covers", "held_back", "grounds", "retain_days", "onward", "delivery_id"),
        *("undeliverable", "matched", "receipts", "rules", "same_decision", "differs_in", "note"),
    }
    assert (told["outcome"], told["same_decision"]) == ("shared-in-part", True)
    assert told["covers"] == ["classification", "locations", "vehicles", "hazards"]
    assert told["held_back"] == {"victims": "withheld"}
    assert told["receipts"][0]["kind"] == "delivered"
    assert {rule["state"] for rule in told["rules"]} == {"matched", "not matched"}


def test_whoever_asks_is_written_down_before_the_answer(ledger: Path) -> None:
    def log() -> list[tuple[str, str]]:
        with closing(sqlite3.connect(ledger)) as connection:
            return connection.execute("SELECT who, subject FROM access_log ORDER BY access_number").fetchall()

    before = len(log())
    run(SHARED, "--to", "rivers-agency", "--ledger", ledger)
    new = log()[before:]
    assert {who for who, _ in new} == {os_user()}
    assert (os_user(), f"{SHARED} rivers-agency") in new


def test_a_question_that_finds_nothing_is_written_down_too(ledger: Path) -> None:
    with pytest.raises(Rejected):
        run("e-fishing", "--to", "rivers-agency", "--ledger", ledger)
    with closing(sqlite3.connect(ledger)) as connection:
        assert connection.execute("SELECT count(*) FROM access_log WHERE subject = 'e-fishing'").fetchone()[0] > 0
