"""What a force tells, and what each member hears of it in the end: events of one incident, one after the other."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.agreements import considered_from_dict, decide
from routing.agreements.model import Condition, Refer, Rule, Step
from routing.agreements.state import state_from_dict
from routing.effects import Effects, Known, Policy, Record
from routing.route import route
from routing.state.incident import Incident
from schemas.codec import encode_address, encode_terms
from schemas.sections import SECTIONS
from tests.routing.scene import (
    ALL,
    CODEC,
    NOW,
    a_forbid,
    a_policy,
    a_record,
    a_share,
    control,
    event_bytes,
    item,
    on,
    one,
    small,
    stock,
)

BEGINNING = a_share("beginning", ["south"], ["classification", "vehicles"], Condition("grade", ("emergency",)))
ANYWAY = a_share("anyway", ["west"], ["classification"])
SOURCE = a_forbid("source", ["south", "west"], ALL, Condition("caveats", ("source-sensitive",)))
WEAPON = a_forbid("weapon", ["south"], ["vehicles"], Condition("flags", ("firearm",)))


class Incidents:
    """One partition as a router remembers it: told events one after the other."""

    def __init__(self, *rules: Rule, suspended: dict[str, str] | None = None) -> None:
        self.policy: Policy = a_policy(*rules, suspended=suspended)
        self.known: dict[bytes, Incident] = {}
        self.streams: dict[str, int] = {}
        self.sequence = 0
        self.now: datetime = NOW

    def tell(self, event: str, **changes: Any) -> Effects:
        """The next event of the incident."""
        self.sequence += 1
        stated = control(sequence=self.sequence, **changes.pop("control", {}))
        flags = changes.pop("flags", None)
        told = item("classification") | ({"flags": flags} if flags is not None else {})
        value = event_bytes(
            event=event, **small(control=stated, classification=[told], vehicles=[item("vehicles")], **changes)
        )
        return self.take(a_record(value))

    def take(self, record: Record) -> Effects:
        """Any record."""
        key = record.key or b""
        known = Known(self.known.get(key), lambda member: self.streams.get(member, 0))
        effects = route(record, self.policy, self.now, known=known)
        if effects.incident is not None:
            self.known[key] = effects.incident
        self.streams.update(effects.streams)
        return effects


def sent(effects: Effects, member: str) -> list[dict[str, Any]]:
    return [stock(output.value) for output in on(effects, "partner", member)]


def actions(effects: Effects, member: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(each["disclosure"]["action"], tuple(each["disclosure"]["covers"])) for each in sent(effects, member)]


def news(effects: Effects) -> list[tuple[str, str | None]]:
    told = [stock(output.value) for output in on(effects, "feedback")]
    return [(each["kind"], each["member"]) for each in told]


def test_who_was_told_of_a_pursuit_hears_how_it_ended_though_no_rule_grants_it_any_more():
    pursuit = Incidents(BEGINNING, ANYWAY)
    assert actions(pursuit.tell("e-1", grade="EMERGENCY"), "south") == [("SHARE", ("classification", "vehicles"))]
    ended = pursuit.tell("e-2", grade="SCHEDULED", kind="CLOSED", status="CLOSED")
    (delivery,) = sent(ended, "south")
    assert (delivery["disclosure"]["action"], delivery["disclosure"]["number"]) == ("SHARE", 2)
    assert delivery["event"]["vehicles"]
    assert {ground["rule"] for ground in delivery["disclosure"]["grounds"]} == {"beginning"}
    assert delivery["disclosure"]["retain_until"] == NOW + timedelta(days=90)
    stranger = Incidents(BEGINNING, ANYWAY)
    stranger.sequence = 1
    assert actions(stranger.tell("e-2", grade="SCHEDULED"), "south") == []


def test_following_ends_some_time_after_the_closing():
    pursuit = Incidents(BEGINNING)
    pursuit.tell("e-1", grade="EMERGENCY")
    pursuit.tell("e-2", grade="SCHEDULED", kind="CLOSED", status="CLOSED")
    pursuit.now = NOW + timedelta(hours=71)
    assert actions(pursuit.tell("e-3", grade="SCHEDULED"), "south")
    pursuit.now = NOW + timedelta(hours=73)
    assert actions(pursuit.tell("e-4", grade="SCHEDULED"), "south") == []


def test_a_holder_is_told_once_that_there_is_no_news_and_the_origin_each_time():
    incident = Incidents(ANYWAY, SOURCE)
    incident.tell("e-1")
    secret = {"caveats": ["source-sensitive"]}
    first = incident.tell("e-2", control=secret, occurred_at=NOW + timedelta(hours=1), local_ref="SECRET-7")
    (notice,) = sent(first, "west")
    assert (notice["disclosure"]["action"], notice["disclosure"]["covers"]) == ("RESTRICTED", [])
    assert notice["disclosure"]["grounds"] == []
    assert {"origin": "north", "incident_id": "i-1", "sent_at": NOW}.items() <= notice["event"].items()
    assert notice["event"]["contact"]["desk"] == "control room"
    assert (notice["event"]["event_id"], notice["event"]["local_ref"], notice["event"]["occurred_at"]) == ("", "", None)
    assert not any(notice["event"][section] for section in ("control", *SECTIONS))
    assert b"SECRET" not in on(first, "partner", "west")[0].value
    assert news(first) == [("HOLDERS_WITHOUT_NEWS", "west")]
    again = incident.tell("e-3", control=secret)
    assert sent(again, "west") == []
    assert news(again) == [("HOLDERS_WITHOUT_NEWS", "west")]


def test_a_notice_is_to_the_byte_what_fastavro_writes_of_it():
    incident = Incidents(ANYWAY, SOURCE)
    incident.tell("e-1")
    (output,) = on(incident.tell("e-2", control={"caveats": ["source-sensitive"]}), "partner", "west")
    notice = stock(output.value)
    terms = notice["disclosure"]
    names = ("delivery_id", "to", "stream", "number", "stream_sequence")
    body = CODEC.encode(notice["event"])[5:]
    assert output.value[5:] == encode_address(*(terms[name] for name in names)) + encode_terms(terms) + body


def test_a_silent_rule_tells_the_holder_nothing_and_the_origin_all_the_same():
    incident = Incidents(ANYWAY, replace(SOURCE, silent=True))
    incident.tell("e-1")
    effects = incident.tell("e-2", control={"caveats": ["source-sensitive"]})
    assert sent(effects, "west") == []
    assert news(effects) == [("HOLDERS_WITHOUT_NEWS", "west")]


def test_a_caveat_that_was_stated_once_protects_whatever_later_events_say():
    incident = Incidents(ANYWAY, SOURCE)
    incident.tell("e-1", control={"caveats": ["source-sensitive"]})
    assert actions(incident.tell("e-2", control={"caveats": []}), "west") == []


def test_a_holder_hears_of_a_correction_though_a_rule_refers_it():
    step = Step("duty-inspector", 900)
    refers = Refer(
        id="ask", recipients=("west",), sections=ALL, when=(Condition("grade", ("priority",)),), path=(step,)
    )
    incident = Incidents(ANYWAY, refers)
    incident.tell("e-1", grade="EMERGENCY")
    (corrected,) = sent(incident.tell("e-2", grade="PRIORITY", kind="CORRECTED"), "west")
    assert corrected["disclosure"]["action"] == "CORRECT"


def test_a_correction_that_a_forbid_covers_withdraws_what_is_held_and_corrects_the_rest():
    incident = Incidents(BEGINNING, WEAPON)
    incident.tell("e-1", grade="EMERGENCY", flags=[])
    effects = incident.tell("e-2", grade="EMERGENCY", kind="CORRECTED", flags=["firearm"])
    first, second = sent(effects, "south")
    assert (first["disclosure"]["action"], first["disclosure"]["withdraws"]) == ("WITHDRAW", ["vehicles"])
    assert not any(first["event"][section] for section in SECTIONS)
    assert (second["disclosure"]["action"], second["disclosure"]["covers"]) == ("CORRECT", ["classification"])
    numbers = [(each["disclosure"]["number"], each["disclosure"]["stream_sequence"]) for each in (first, second)]
    assert numbers == [(2, 2), (3, 3)]
    (held,) = incident.known[b"i-1"].holdings.value
    assert [part.part for part in held.parts] == ["head", "classification"]
    record = one(effects, "disclosures")
    (group,) = [group for group in record["decisions"] if group["recipients"][0]["member"] == "south"]
    assert (group["action"], group["withdraws"]) == ("withdraw", ["vehicles"])
    assert group["recipients"][0]["delivery_id"] == second["disclosure"]["delivery_id"]


def test_a_condition_on_holders_asks_what_was_delivered():
    held = a_share("held", ["south"], ["facts"], Condition("holder"))
    incident = Incidents(held, a_share("first", ["south"], ["classification"]))
    assert actions(incident.tell("e-1"), "south") == [("SHARE", ("classification",))]
    assert actions(incident.tell("e-2"), "south") == [("SHARE", ("classification", "facts"))]


def test_a_member_that_cannot_be_reached_holds_nothing_and_is_given_no_number():
    incident = Incidents(ANYWAY, suspended={"west": "missing-topic"})
    assert news(incident.tell("e-1")) == [("UNDELIVERABLE", "west")]
    incident.policy = replace(incident.policy, suspended={})
    (delivery,) = sent(incident.tell("e-2"), "west")
    assert (delivery["disclosure"]["number"], delivery["disclosure"]["stream_sequence"]) == (1, 1)


def test_a_repeat_has_no_effect_and_is_told_by_its_bytes():
    incident = Incidents(ANYWAY)
    value = event_bytes(**small(control=control(sequence=1)))
    assert incident.take(a_record(value)).fate == "routed"
    again = incident.take(a_record(value, offset=43))
    assert (again.fate, again.outputs, again.incident) == ("repeated", (), None)


@pytest.mark.parametrize(
    ("event", "sequence", "reason"),
    [("e-1", 2, "event-id-reused"), ("e-2", 1, "out-of-sequence"), ("e-2", 0, "out-of-sequence")],
)
def test_what_contradicts_what_was_taken_is_refused_with_a_remedy_and_a_new_event_repairs_it(event, sequence, reason):
    incident = Incidents(ANYWAY)
    incident.tell("e-1")
    effects = incident.take(a_record(event_bytes(event=event, **small(control=control(sequence=sequence)))))
    kept = one(effects, "quarantine")
    assert (effects.fate, kept["reason"], bool(kept["remedy"])) == ("quarantined", reason, True)
    assert effects.incident is None
    assert incident.tell("e-3").fate == "routed"


def test_an_event_left_out_is_told_to_the_origin_and_the_one_after_it_is_routed():
    incident = Incidents(ANYWAY)
    incident.tell("e-1")
    incident.sequence += 2
    effects = incident.tell("e-4")
    assert (effects.fate, news(effects)) == ("routed", [("SEQUENCE_GAP", None)])
    late = Incidents(ANYWAY)
    late.sequence = 6
    assert news(late.tell("e-7")) == [], "any event may be the first that routing sees"


GRADES = st.sampled_from(["EMERGENCY", "PRIORITY", "SCHEDULED"])
KINDS = st.sampled_from(["UPDATED", "CORRECTED", "CLOSED", "REOPENED"])
CAVEATS = st.sampled_from([None, [], ["refuge"], ["source-sensitive"]])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(GRADES, KINDS, CAVEATS, st.integers(0, 80)), max_size=6))
def test_deciding_again_from_the_record_alone_gives_the_same_decision(events):
    """With what came before in it: the audit that `huecry agreements replay` makes."""
    incident = Incidents(BEGINNING, ANYWAY, SOURCE, WEAPON)
    for number, (grade, kind, caveats, hours) in enumerate(events):
        incident.now += timedelta(hours=hours, microseconds=617)
        flags = ["firearm"] if hours % 2 else []
        effects = incident.tell(f"e-{number}", grade=grade, kind=kind, control={"caveats": caveats}, flags=flags)
        record = one(effects, "disclosures")
        before = {} if record["state"] is None else json.loads(record["state"])
        stated = record["considered"] | {name: record[name] for name in ("origin", "sequence")}
        bundle, considered = incident.policy.bundle, considered_from_dict(stated)
        for group in record["decisions"]:
            for recipient in group["recipients"]:
                state = state_from_dict(before)
                again = decide(bundle, considered, recipient["member"], record["decided_at"], state)
                assert group["outcome"] == again.outcome.upper().replace("-", "_")
                assert group["action"] == again.action
                assert (tuple(group["withdraws"]), group["without_news"]) == (again.withdraws, again.without_news)
                states = {of["section"]: of["state"].lower() for of in group["sections"]}
                assert states == dict(again.sections)
                assert [ground["rule"] for ground in group["grounds"]] == [ground.rule for ground in again.grounds]
