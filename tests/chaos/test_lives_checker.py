"""The checker of lives sees every kind of fault on the topics, and nothing where there is none.

A run in memory, with the real routing, is spoilt in one place and then checked as a run on the broker is.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest

from schemas.codec import stable_id
from tests.chaos.lives.checker import shown, violations
from tests.chaos.lives.disturbing import plan
from tests.chaos.lives.happenings import filled_of, rule_of
from tests.chaos.lives.memory import played
from tests.chaos.lives.seen import Put, Seen, Value

SEED = 1285
INCIDENTS = 36
ORIGINS = ("north", "south")
MEMBERS = (*ORIGINS, "west", "ambulance")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    return played(tmp_path_factory.mktemp("lives"), SEED, INCIDENTS)


@pytest.fixture
def seen(whole: Seen) -> Seen:
    """A run of one's own, to be spoilt."""
    return replace(whole, inputs=list(whole.inputs), outputs=deepcopy(dict(whole.outputs)))


def says(found: list[str], *words: str) -> bool:
    """Whether one violation has all these words; else tell what there is."""
    assert any(all(word in fault for word in words) for fault in found), shown(found)
    return True


def sent(seen: Seen, action: str) -> Iterator[tuple[list[Value], int, Value]]:
    """The deliveries of an action, each with its topic and its place there."""
    for member in MEMBERS:
        topic = seen.of("partner", member)
        yield from ((topic, place, each) for place, each in enumerate(topic) if each["disclosure"]["action"] == action)


def told(seen: Seen, kind: str) -> Iterator[tuple[list[Value], int, Value]]:
    """The news of a kind, each with its topic and its place there."""
    for origin in ORIGINS:
        topic = seen.of("feedback", origin)
        yield from ((topic, place, each) for place, each in enumerate(topic) if each["kind"] == kind)


def incident_of(value: Value) -> str:
    return f"incident {value['event']['incident_id']} of {value['event']['origin']}"


def close_gaps(topic: list[Value]) -> None:
    """Number what is left, so that no gap tells of what is lost: then only the content can."""
    numbers: dict[tuple[str, ...], int] = {}
    for delivery in topic:
        terms, event = delivery["disclosure"], delivery["event"]
        for field, key in (
            ("number", (event["origin"], event["incident_id"])),
            ("stream_sequence", (terms["stream"],)),
        ):
            numbers[key] = terms[field] = numbers.get(key, 0) + 1


def test_a_run_without_faults_has_no_violations(seen: Seen) -> None:
    found = violations(seen)
    assert found == [], shown(found)


def test_a_run_holds_what_faults_could_spoil(seen: Seen) -> None:
    actions = {each["disclosure"]["action"] for member in MEMBERS for each in seen.of("partner", member)}
    assert actions == {"SHARE", "CORRECT", "RESTRICTED", "WITHDRAW", "RETRACT"}
    kinds = {each["kind"] for origin in ORIGINS for each in seen.of("feedback", origin)}
    asked = {"REFERRED", "RELEASED", "REFUSED", "ESCALATED", "LAPSED", "ASKED_AGAIN", "RULING_NOT_TAKEN"}
    answered = {"DELIVERED", "ACCEPTED", "REJECTED", "ERASED", "RESTRICTED", "UNANSWERED"}
    assert kinds >= asked | answered | {"RETRACTED", "WITHDRAWN", "BAR_LIFTED", "HOLDERS_WITHOUT_NEWS", "FORBIDDEN"}
    assert {put.value["kind"] for put in seen.put("incidents")} >= {"TRANSFER", "ASSISTANCE", "STAND_DOWN", "RETRACT"}
    assert seen.outputs["routing.inbox.lives"], "some answers and rulings went astray"


@pytest.mark.parametrize("action", ["RETRACT", "CORRECT", "WITHDRAW", "RESTRICTED", "SHARE"])
def test_a_lost_delivery_is_seen_even_where_no_gap_tells_of_it(seen: Seen, action: str) -> None:
    topic, place, lost = next(sent(seen, action))
    del topic[place]
    close_gaps(topic)
    found = violations(seen)
    member = lost["disclosure"]["to"]
    assert says(found, incident_of(lost), f"was sent to {member}: missing", action.lower())
    assert says(found, f"names delivery {lost['disclosure']['delivery_id']}, which nobody was sent")


def test_a_gap_in_what_deliveries_are_numbered_by_is_seen(seen: Seen) -> None:
    topic, place, _ = next(sent(seen, "RETRACT"))
    del topic[place]
    assert says(violations(seen), "are not numbered from 1 without a gap")


@pytest.mark.parametrize("action", ["RETRACT", "CORRECT", "WITHDRAW"])
def test_a_notice_that_reaches_somebody_who_is_not_entitled_is_seen(seen: Seen, action: str) -> None:
    had = {(each["event"]["incident_id"], each["disclosure"]["to"]) for _, _, each in sent(seen, action)}
    some, to = next(
        (some, member)
        for _, _, some in sent(seen, action)
        for member in MEMBERS
        if member != some["event"]["origin"] and (some["event"]["incident_id"], member) not in had
    )
    leaked = deepcopy(some)
    leaked["disclosure"] |= {"to": to, "delivery_id": stable_id("leaked")}
    seen.of("partner", to).append(leaked)
    close_gaps(seen.of("partner", to))
    found = violations(seen)
    assert says(found, incident_of(some), f"was sent to {to}, and should not be", action.lower())
    assert says(found, f"{to}: delivery {stable_id('leaked')} has no record")


def test_a_section_that_is_not_granted_is_seen_whether_covered_or_not(seen: Seen) -> None:
    whole = {put.value["event_id"]: put.value for put in seen.put("incidents")}
    topic, place, delivery = next(
        (topic, place, each)
        for topic, place, each in sent(seen, "SHARE")
        if "suspects" not in each["disclosure"]["covers"] and whole[each["event"]["event_id"]]["suspects"]
    )
    topic[place]["event"]["suspects"] = whole[delivery["event"]["event_id"]]["suspects"]
    assert "suspects" in filled_of(topic[place]["event"])
    assert says(violations(seen), incident_of(delivery), "and should not be: sent", "suspects")


def test_what_reaches_the_wrong_topic_is_seen(seen: Seen) -> None:
    topic, place, _ = next(sent(seen, "RETRACT"))
    topic[place]["disclosure"]["to"] = "somebody-else"
    assert says(violations(seen), "on its topic is for somebody-else")


@pytest.mark.parametrize("kind", ["LAPSED", "ESCALATED", "UNANSWERED"])
@pytest.mark.parametrize("later_s", [0, 3])
def test_a_limit_that_passes_twice_is_seen_at_once_or_by_a_zombie_later(seen: Seen, kind: str, later_s: int) -> None:
    topic, place, news = next(told(seen, kind))
    again = news | {"at": news["at"] + timedelta(seconds=later_s)}
    topic.insert(place + 1, again)
    found = violations(seen)
    assert says(found, "its origin was told, and should not be", f"kind={kind.lower()}")


def test_a_limit_that_passes_twice_of_which_only_the_desk_is_shown_is_seen(seen: Seen) -> None:
    origin, case = next(
        (origin, case)
        for origin in ORIGINS
        for case in seen.of("cases", origin)
        if any(notice["kind"] == "escalated" for notice in case["notices"])
    )
    seen.of("cases", origin).insert(seen.of("cases", origin).index(case) + 1, deepcopy(case))
    assert says(violations(seen), "its desk was shown, and should not be")


@pytest.mark.parametrize("kind", ["LAPSED", "UNANSWERED"])
def test_a_limit_that_never_passes_is_seen(seen: Seen, kind: str) -> None:
    topic, _, news = next(told(seen, kind))
    key = news["entries"][0]["incident_id"], news["kind"], news["member"]
    topic[:] = [each for each in topic if (each["entries"][0]["incident_id"], each["kind"], each["member"]) != key]
    found = violations(seen)
    assert says([each for each in found if "was due, and nothing happened" in each or "missing" in each], key[0])


def test_a_limit_that_passes_before_its_time_is_seen(seen: Seen) -> None:
    topic, place, news = next(told(seen, "UNANSWERED"))
    topic[place] = news | {"at": news["at"] - timedelta(seconds=5)}
    assert says(violations(seen), "its origin was told, and should not be", "kind=unanswered")


@pytest.mark.parametrize("kind", ["ACCEPTED", "ERASED", "REJECTED", "DELIVERED"])
def test_a_lost_confirmation_is_seen(seen: Seen, kind: str) -> None:
    topic, place, news = next(told(seen, kind))
    del topic[place]
    assert says(violations(seen), f"{news['member']} said {kind}", "which was not told")


def test_one_lost_entry_of_many_is_seen(seen: Seen) -> None:
    _, _, news = next(each for each in told(seen, "DELIVERED"))
    lost = news["entries"].pop()
    assert says(violations(seen), f"incident {lost['incident_id']}", "which was not told")


def test_a_confirmation_told_twice_is_seen(seen: Seen) -> None:
    topic, place, news = next(told(seen, "ERASED"))
    topic.insert(place, news)
    assert says(violations(seen), f"{news['member']} did not say ERASED", "or not so often")


def test_a_confirmation_told_to_another_than_the_origin_is_seen(seen: Seen) -> None:
    topic, place, news = next(told(seen, "ACCEPTED"))
    del topic[place]
    other = next(origin for origin in ORIGINS if seen.of("feedback", origin) is not topic)
    seen.of("feedback", other).append(news)
    found = violations(seen)
    assert says(found, f"of {other}", "did not say ACCEPTED")


def test_an_answer_that_does_not_end_what_is_owed_is_seen(seen: Seen) -> None:
    """The member has answered, the origin was told so, and routing goes on waiting."""
    news = next(
        news for _, _, news in told(seen, "ACCEPTED") if (news["to"], news["entries"][0]["incident_id"]) not in seen.due
    )
    key = news["to"], news["entries"][0]["incident_id"]
    spoilt = replace(seen, due={**seen.due, key: frozenset({("correct", news["member"])})})
    assert says(violations(spoilt), "routing waits for", str(news["member"]), "and is owed []")


def test_who_answered_in_time_and_was_heard_too_late_is_seen(seen: Seen) -> None:
    """The same answer, as if the broker had had it long before the limit passed."""
    late = next(put for put in answers(seen) if is_late(seen, put))
    early = late._replace(taken_ms=late.taken_ms - 3_600_000)
    seen.inputs[seen.inputs.index(late)] = early
    assert says(violations(seen), "in time, and that was not heard in time")


def answers(seen: Seen) -> Iterator[Put]:
    yield from (put for put in seen.put("receipts") if put.value["kind"] in ("ACCEPTED", "REJECTED"))


def is_late(seen: Seen, put: Put) -> bool:
    """Whether its origin was told before that the member had not answered."""
    (entry,) = put.value["entries"]
    delivery_id = entry["delivery_id"]
    mine = [each for _, _, each in told(seen, "UNANSWERED") if each["entries"][0]["delivery_id"] == delivery_id]
    return bool(mine) and all(each["at"] < put.value["sent_at"] for each in mine)


def test_a_record_without_a_delivery_and_a_delivery_without_a_record_are_seen(seen: Seen) -> None:
    origin, record = next(
        (origin, record)
        for origin in ORIGINS
        for record in seen.of("disclosures", origin)
        if any(to["delivery_id"] for group in record["decisions"] for to in group["recipients"])
    )
    to = next(to for group in record["decisions"] for to in group["recipients"] if to["delivery_id"])
    was, to["delivery_id"] = to["delivery_id"], stable_id("another")
    found = violations(seen)
    assert says(found, f"a record of {origin} names delivery {stable_id('another')}, which nobody was sent")
    assert says(found, f"delivery {was} has no record")


def test_a_lost_record_is_seen(seen: Seen) -> None:
    record = seen.of("disclosures", "north").pop(3)
    assert says(violations(seen), f"event {record['event_id']} was never heard")


def test_a_ruling_of_which_nobody_heard_is_seen(seen: Seen) -> None:
    topic, _, news = next(told(seen, "RELEASED"))
    topic[:] = [each for each in topic if each["ruling_id"] != news["ruling_id"]]
    assert says(violations(seen), f"ruling {news['ruling_id']} was never heard")


def test_two_events_that_change_places_are_seen(seen: Seen) -> None:
    topic = seen.of("disclosures", "north")
    first, second = next(
        (a, b)
        for a, one in enumerate(topic)
        for b, other in enumerate(topic)
        if b > a and one["incident_id"] == other["incident_id"] and one["event_id"] != other["event_id"]
    )
    topic[first]["decided_at"], topic[second]["decided_at"] = topic[second]["decided_at"], topic[first]["decided_at"]
    assert says(violations(seen), "was routed after sequence")


def test_two_deliveries_that_change_places_are_seen(seen: Seen) -> None:
    topic = seen.of("partner", "west")
    first, second = next(
        (a, b)
        for a, one in enumerate(topic)
        for b, other in enumerate(topic)
        if b > a and one["event"]["incident_id"] == other["event"]["incident_id"]
    )
    topic[first], topic[second] = topic[second], topic[first]
    close_gaps(topic)
    assert says(violations(seen), "was sent to west", "order")


def test_an_open_line_that_the_desk_is_not_shown_is_seen(seen: Seen) -> None:
    origin, case = next((origin, case) for origin in ORIGINS for case in seen.of("cases", origin) if case["lines"])
    hidden = case["lines"].pop()
    assert rule_of(hidden)
    assert says(violations(seen), f"incident {case['incident_id']} of {origin}: its desk was shown")


def test_what_is_quarantined_is_seen(seen: Seen) -> None:
    quarantined = {"reason": "internal", "event_id": "e-1"}
    spoilt = replace(seen, outputs={**seen.outputs, "quarantine.north": [quarantined]})
    assert says(violations(spoilt), "north: quarantined as internal")


def test_a_seed_gives_one_plan_in_which_workers_are_killed_stopped_and_joined() -> None:
    assert plan(7, 20) == plan(7, 20) != plan(8, 20)
    assert len(plan(7, 20)) == 20
    assert {each.what for each in plan(7, 20)} == {"kill", "stop", "join"}
