"""`huecry agreements explain`: what a bundle makes of an event, asked without a broker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from deploy.cli import cli
from deploy.demo.run import HERE
from routing.agreements import decide, load_bundle, recipients
from routing.agreements.state import Refusal, State, state_to_dict
from schemas.event import IncidentEvent
from tests.deploy.asking import NOW, SECRET, an_event

BUNDLE = HERE / "agreements"


def as_json(event: IncidentEvent) -> str:
    return event.model_dump_json()


def a_file(folder: Path, *lines: str, name: str = "events.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def asked(event: Path, *words: str | Path, to: str = "west-yorkshire", at: str = NOW.isoformat()) -> Result:
    given = ("--bundle", str(BUNDLE), "--event", str(event), "--to", to, "--at", at)
    return CliRunner().invoke(cli, ["agreements", "explain", *given, *map(str, words)])


def answers(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, (result.output, result.exception)
    return [json.loads(line) for line in result.output.splitlines()]


def test_one_event_and_one_member_is_one_json_object(tmp_path: Path) -> None:
    (answer,) = answers(asked(a_file(tmp_path, as_json(an_event("e1", "transport/pursuit"))), "--json"))
    assert answer["recipient"] == "west-yorkshire"
    assert answer["outcome"] == "shared-in-part"
    assert answer["head"] == "granted"
    assert answer["covers"] == [name for name, state in answer["sections"].items() if state == "granted"]
    assert "vehicles" in answer["covers"]
    assert answer["sections"]["victims"] == "withheld"
    assert answer["action"] == "share"
    assert answer["locate"] == dict.fromkeys(answer["covers"], "exact")
    assert (answer["retain"], answer["retain_days"], answer["onward"]) == ("90d", 90, "ask")
    assert {"pursuit"} <= {ground["rule"] for ground in answer["grounds"]}
    assert {rule["rule"] for rule in answer["rules"]} <= {trace["rule"] for trace in answer["trace"]}


def test_several_events_and_all_members_are_answered_in_one_call_as_the_interpreter_decides(tmp_path: Path) -> None:
    events = [an_event("e1", "transport/pursuit"), an_event("e2", "crime/sexual/rape"), an_event("e3", "asb/nuisance")]
    told = answers(asked(a_file(tmp_path, *map(as_json, events)), "--json", to="all"))
    bundle = load_bundle(BUNDLE)
    assert [(a["event_id"], a["recipient"]) for a in told] == [
        (event.event_id, member) for event in events for member in recipients(bundle, "greater-manchester")
    ]
    assert len({answer["outcome"] for answer in told}) > 1


def test_a_list_and_a_single_object_are_taken_too(tmp_path: Path) -> None:
    event = as_json(an_event("e1", "transport/pursuit"))
    for text in (f"[{event}, {event}]", json.dumps(json.loads(event), indent=1)):
        assert {a["event_id"] for a in answers(asked(a_file(tmp_path, text), "--json"))} == {"e1"}


def test_what_came_before_is_read_from_a_state_file(tmp_path: Path) -> None:
    event = a_file(tmp_path, as_json(an_event("e1", "transport/pursuit")))
    refusal = Refusal(
        kind="refusal",
        recipients=frozenset({"west-yorkshire"}),
        parts=frozenset({"head", "vehicles"}),
        grade="emergency",
    )
    states = {
        "refused": (State(refusals=(refusal,)), "withheld"),
        "barred": (State(barred=frozenset({"west-yorkshire"})), "forbidden"),
    }
    for name, (state, expected) in states.items():
        file = a_file(tmp_path, json.dumps(state_to_dict(state)), name=f"{name}.json")
        (answer,) = answers(asked(event, "--state", file, "--json"))
        assert (answer["outcome"], answer["head"]) == (expected, expected)


def test_the_day_in_london_decides(tmp_path: Path) -> None:
    event = a_file(tmp_path, as_json(an_event("e1", "transport/pursuit")))
    last_moment, midnight = "2026-01-31T23:59:59.999+00:00", "2026-02-01T00:00:00+00:00"
    assert answers(asked(event, "--json", at=last_moment))[0]["outcome"] == "withheld"
    assert answers(asked(event, "--json", at=midnight))[0]["outcome"] == "shared-in-part"


def test_a_person_reads_the_outcome_first_then_why_each_rule_matched_or_did_not(tmp_path: Path) -> None:
    result = asked(a_file(tmp_path, as_json(an_event("e1", "transport/pursuit", caveats=None))))
    text = " ".join(result.output.split())
    assert result.output.splitlines()[0].endswith(": forbidden")
    assert "forbid STAND-2026 / source (turned on something unknown)" in text
    assert "caveats is not stated, so whether source-sensitive" in text
    assert "✓ share NBR-2026-01 / pursuit" in text
    assert "✗ share NBR-2026-01 / missing-child" in text
    assert max(map(len, result.output.splitlines())) <= 80


@pytest.mark.parametrize(
    ("to", "hint"),
    [
        ("west-yorkshir", "did you mean west-yorkshire"),
        ("greater-manchester", "receives nothing from greater-manchester"),
    ],
)
def test_a_member_that_cannot_receive_is_named_with_those_that_can(tmp_path: Path, to: str, hint: str) -> None:
    result = asked(a_file(tmp_path, as_json(an_event("e1", "transport/pursuit"))), to=to)
    assert hint in str(result.exception)
    assert "north-yorkshire" in str(result.exception)


def test_faults_of_an_event_name_the_line_and_the_field_and_nothing_it_holds(tmp_path: Path) -> None:
    event = as_json(an_event("e1", "transport/pursuit"))
    wrong = json.loads(event)
    wrong["victims"][0]["date_of_birth"] = f"{SECRET} 1999"
    result = asked(a_file(tmp_path, event, json.dumps(wrong)))
    assert "events.jsonl:2: victims.0.date_of_birth: " in str(result.exception)
    assert SECRET not in str(result.exception) + result.output
    for text, told in (("{", "events.jsonl:1: expected an event as JSON"), ("3", "got int"), ("", "holds none")):
        assert told in str(asked(a_file(tmp_path, text)).exception)


def test_a_state_that_is_not_one_is_refused_with_its_place(tmp_path: Path) -> None:
    event = a_file(tmp_path, *[as_json(an_event(f"e{n}", "transport/pursuit")) for n in range(3)])
    misspelt = a_file(tmp_path, json.dumps({"bared": []}), name="state.json")
    assert "state.json: expected the state of an incident; at bared" in str(asked(event, "--state", misspelt).exception)
    two = a_file(tmp_path, "{}", "{}", name="two.jsonl")
    assert "one for each of 3 events; got 2" in str(asked(event, "--state", two).exception)


@pytest.mark.parametrize("at", ["2026-03-01", "2026-03-01T03:10", "yesterday"])
def test_a_time_without_its_zone_is_refused(tmp_path: Path, at: str) -> None:
    result = asked(a_file(tmp_path, as_json(an_event("e1", "transport/pursuit"))), at=at)
    assert result.exit_code == 2
    assert "expected a time" in result.output


def test_the_answer_is_that_of_decide(tmp_path: Path) -> None:
    bundle = load_bundle(BUNDLE)
    told = answers(asked(a_file(tmp_path, as_json(an_event("e1", "crime/violence/with-injury"))), "--json", to="all"))
    from deploy.agreement_tools.event_files import read_events
    from routing.geography.measuring import NOWHERE

    (event,) = read_events(tmp_path / "events.jsonl", NOWHERE)
    for answer in told:
        decision = decide(bundle, event.considered, answer["recipient"], NOW)
        assert answer["sections"] == dict(decision.sections)
        assert [ground["section"] for ground in answer["grounds"]] == [ground.section for ground in decision.grounds]
