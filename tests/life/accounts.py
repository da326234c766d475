"""What must be true of everything the router ever put out, whatever the reference says.

Numbers and streams without gaps; each delivery told by one record or one piece of news, and the other way round; an id
names one thing; what is shared is what the interpreter grants, asked again from the record alone.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import Any

from routing.agreements import considered_from_dict, decide
from routing.agreements.bundle import Bundle
from routing.agreements.state import state_from_dict
from schemas.codes import enum_code
from schemas.sections import SECTIONS
from tests.life.happenings import Key
from tests.life.router import Done

NEWS_OF_NOTICES = ("retracted", "withdrawn", "unanswered")
"""What tells the origin that something was sent which no record tells of; the last if it could be sent at last."""


class Accounts:
    """Everything that was put out so far."""

    def __init__(self) -> None:
        self._numbers: Counter[tuple[str, Key]] = Counter()
        self._places: Counter[str] = Counter()
        self._ids: set[str] = set()
        self._has_heard: set[tuple[str, Key]] = set()
        self._news: dict[str, Any] = {}

    def forget(self, key: Key) -> None:
        """Nothing is remembered of an incident any more: numbers begin again, should it ever come back."""
        for member, other in [each for each in self._numbers if each[1] == key]:
            del self._numbers[member, other]

    def take(self, done: Done, bundle: Bundle, now: datetime) -> None:
        """One more step."""
        deliveries = [value for _, value in done.on("partner")]
        for delivery in deliveries:
            self._in_order(delivery)
            self._only_who_has_heard(delivery)
        self._told_once(done, deliveries)
        self._ids_name_one_thing(done)
        for _, record in done.on("disclosures"):
            _granted_from_the_record_alone(record, deliveries, bundle)

    def _in_order(self, delivery: dict[str, Any]) -> None:
        terms, key = delivery["disclosure"], _key(delivery["event"])
        self._numbers[terms["to"], key] += 1
        self._places[terms["stream"]] += 1
        assert terms["number"] == self._numbers[terms["to"], key]
        assert terms["stream_sequence"] == self._places[terms["stream"]]
        assert terms["delivery_id"] not in self._ids
        self._ids.add(terms["delivery_id"])

    def _only_who_has_heard(self, delivery: dict[str, Any]) -> None:
        """Whoever never was sent anything hears of no correction, retraction or withdrawal, nor that there is news."""
        terms, event = delivery["disclosure"], delivery["event"]
        who = terms["to"], _key(event)
        if enum_code(terms["action"]) == "share":
            assert enum_code(event["kind"]) != "retract"
            self._has_heard.add(who)
        else:
            assert who in self._has_heard
        if enum_code(terms["action"]) not in ("share", "correct"):
            assert not any(event[section] for section in SECTIONS)
            assert terms["covers"] == []
        assert set(terms["covers"]) >= {section for section in SECTIONS if event[section]}
        assert event["control"] == []

    def _told_once(self, done: Done, deliveries: list[dict[str, Any]]) -> None:
        recorded = [
            recipient["delivery_id"]
            for _, record in done.on("disclosures")
            for group in record["decisions"]
            for recipient in group["recipients"]
            if recipient["delivery_id"]
        ]
        told = {
            entry["delivery_id"]
            for _, news in done.on("feedback")
            if enum_code(news["kind"]) in NEWS_OF_NOTICES
            for entry in news["entries"]
            if entry["delivery_id"]
        }
        sent = {value["disclosure"]["delivery_id"] for value in deliveries}
        beside = {
            value["disclosure"]["delivery_id"] for value in deliveries if _is_beside_a_correction(value, deliveries)
        }
        assert len(recorded) == len(set(recorded))
        assert set(recorded).isdisjoint(told)
        assert sent - beside <= set(recorded) | told, "a disclosure without a record"
        assert set(recorded) <= sent, "a record without a disclosure"

    def _ids_name_one_thing(self, done: Done) -> None:
        named = [(news["feedback_id"], _news(news)) for _, news in done.on("feedback")]
        named += [(case["record_id"], case["notices"]) for _, case in done.on("cases")]
        named += [(record["record_id"], record["source"]) for _, record in done.on("disclosures")]
        for identifier, what in named:
            assert self._news.setdefault(identifier, what) == what, "two things under one id"


def _news(news: dict[str, Any]) -> Any:
    return [news[name] for name in ("to", "kind", "member", "reason", "entries", "ruling_id")]


def _is_beside_a_correction(notice: dict[str, Any], deliveries: list[dict[str, Any]]) -> bool:
    """A withdrawal that a correction brings: the record names the delivery beside it, and the sections of both."""
    terms = notice["disclosure"]
    return enum_code(terms["action"]) == "withdraw" and any(
        other["disclosure"]["to"] == terms["to"] and enum_code(other["disclosure"]["action"]) == "correct"
        for other in deliveries
    )


def _granted_from_the_record_alone(record: dict[str, Any], deliveries: list[dict[str, Any]], bundle: Bundle) -> None:
    before = {} if record["state"] is None else json.loads(record["state"])
    state = state_from_dict(before)
    considered = considered_from_dict(record["considered"] | {name: record[name] for name in ("origin", "sequence")})
    sent = {value["disclosure"]["delivery_id"]: value for value in deliveries}
    for group in record["decisions"]:
        for recipient in group["recipients"]:
            member = recipient["member"]
            decision = decide(bundle, considered, member, record["decided_at"], state)
            assert group["action"] == decision.action
            assert member not in state.barred or recipient["delivery_id"] is None
            if recipient["delivery_id"] and decision.head == "granted":
                assert tuple(sent[recipient["delivery_id"]]["disclosure"]["covers"]) == decision.covers


def _key(event: dict[str, Any]) -> Key:
    return event["origin"], event["incident_id"]
