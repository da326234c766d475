"""What must hold of the topics whatever happened: numbers without gaps, records for deliveries, answers told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from schemas.codec import stable_id
from schemas.codes import enum_code
from schemas.topics import member_of
from tests.chaos.lives.happenings import ANSWERS
from tests.chaos.lives.seen import Seen, Value, name


def number_faults(seen: Seen) -> Iterator[str]:
    """Whoever reads committed records counts its deliveries of each incident, and of each stream, without a gap."""
    for member in seen.exchange.receivers():
        numbers: dict[str, list[int]] = {}
        ids = Counter(delivery["disclosure"]["delivery_id"] for delivery in seen.of("partner", member))
        yield from (f"{member}: delivery {each} stands on its topic twice" for each, n in ids.items() if n > 1)
        for delivery in seen.of("partner", member):
            terms, event = delivery["disclosure"], delivery["event"]
            if terms["to"] != member:
                yield f"{member}: delivery {terms['delivery_id']} on its topic is for {terms['to']}"
            of_incident = name((event["origin"], event["incident_id"]))
            numbers.setdefault(of_incident, []).append(terms["number"])
            numbers.setdefault(f"stream {terms['stream']}", []).append(terms["stream_sequence"])
        for what, counted in numbers.items():
            if counted != list(range(1, len(counted) + 1)):
                yield f"{member}: the deliveries of {what} are not numbered from 1 without a gap"


def account_faults(seen: Seen) -> Iterator[str]:
    """Every delivery has its record, or of what is taken back its news, and the other way round."""
    accounted: dict[str, str] = {}
    for origin in seen.exchange.publishers():
        for record in seen.of("disclosures", origin):
            accounted |= dict.fromkeys(_of_record(record), f"a record of {origin}")
        for news in seen.of("feedback", origin):
            if news["kind"] in ("RETRACTED", "WITHDRAWN") and news["entries"][0]["delivery_id"]:
                accounted[news["entries"][0]["delivery_id"]] = f"news to {origin}"
    there = {
        delivery["disclosure"]["delivery_id"]: member
        for member in seen.exchange.receivers()
        for delivery in seen.of("partner", member)
    }
    yield from (f"{there[each]}: delivery {each} has no record" for each in there.keys() - accounted.keys())
    yield from (f"{accounted[each]} names delivery {each}, which nobody was sent" for each in accounted.keys() - there)


def _of_record(record: Value) -> Iterator[str]:
    """The deliveries that a record tells of: of a withdrawal beside a correction it names the correction."""
    incident = record["origin"], record["incident_id"], record["event_id"]
    for group in record["decisions"]:
        for to in group["recipients"]:
            if to["delivery_id"]:
                yield to["delivery_id"]
                if group["action"] == "withdraw" and group["head"] == "GRANTED":
                    yield stable_id("delivery", *incident, to["member"], "withdraw", "event")


def answer_faults(seen: Seen) -> Iterator[str]:
    """Each answer that was sent is told to its origin once, as it was said."""
    told: Counter[tuple[str, ...]] = Counter()
    for origin in seen.exchange.publishers():
        for news in seen.of("feedback", origin):
            if enum_code(news["kind"]) in ANSWERS:
                told.update(_answer(origin, news["member"], news["kind"], entry) for entry in news["entries"])
    sent = Counter(
        _answer(entry["origin"], member_of(put.topic) or "", put.value["kind"], entry)
        for put in seen.put("receipts")
        for entry in put.value["entries"]
    )
    for answer in sent - told:
        yield f"incident {answer[4]} of {answer[0]}: {answer[1]} said {answer[2]} ({answer[3]}), which was not told"
    for answer in told - sent:
        yield f"incident {answer[4]} of {answer[0]}: {answer[1]} did not say {answer[2]} ({answer[3]}), or not so often"


def _answer(origin: str, member: str, kind: str, entry: Value) -> tuple[str, ...]:
    names = ("reference", "incident_id", "event_id", "delivery_id", "cause", "by_role")
    return (origin, member, kind, *(str(entry[each] or "") for each in names))
