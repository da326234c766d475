"""An exchange in memory, event by event: what the router makes of each record, with its memory and its clock.

Nothing here is Kafka; `routing.route` and `routing.elapsed` are the real ones, and what is remembered goes through its
bytes after every record, as after a restart.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from routing.agreements.bundle import Bundle
from routing.agreements.model import RoleHolders, Rule
from routing.effects import Effects, Known, Output, Policy, Record
from routing.elapsed import elapsed
from routing.route import route
from routing.state.agenda import appointment_of
from routing.state.encoding import decode, encode
from routing.state.incident import milliseconds_of
from routing.state.memory import incident_key
from schemas import codec
from schemas.casework import Ruling
from schemas.codes import enum_code
from schemas.exchange import AnswersWithin, Exchange
from schemas.partitioner import partition_of
from schemas.topics import family_of, incidents_topic, member_of, receipts_topic, rulings_topic
from tests.routing.scene import CODEC, NOW, a_bundle, an_exchange, control, event_bytes, small, stock

INSPECTOR, SUPERINTENDENT, MANAGER = "duty-inspector", "superintendent", "force-incident-manager"
PEOPLE = {INSPECTOR: "insp.ahmed", SUPERINTENDENT: "supt.jones", MANAGER: "fim.lee"}
WITHIN = AnswersWithin(
    transfer_s=(120, 180), assistance_s=(60,), correction_s=(300,), withdrawal_s=(600,), retraction_s=(900, 3600)
)


def a_policy_with_people(*rules: Rule, exchange: Exchange | None = None, **bundle: Any) -> Policy:
    exchange = exchange or an_exchange(answers=WITHIN)
    roles = tuple(
        RoleHolders(role, origin, (person,)) for role, person in PEOPLE.items() for origin in exchange.publishers()
    )
    made: Bundle = replace(a_bundle(exchange, *rules), roles=roles, discretion=(MANAGER,), **bundle)
    return Policy(made, exchange)


class Play:
    """North's incidents, told one record after another."""

    def __init__(self, *rules: Rule, **bundle: Any) -> None:
        self.policy = a_policy_with_people(*rules, **bundle)
        self.now: datetime = NOW
        self.kept: dict[tuple[int, bytes], bytes] = {}
        self.streams: dict[int, dict[str, int]] = defaultdict(dict)
        self.logs: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.written: list[tuple[str, dict[str, Any]]] = []
        """Everything put out, as (topic, decoded), in order."""
        self.outputs: list[Output] = []
        """The same, as bytes."""
        self.sequences: dict[str, int] = defaultdict(int)
        self.rulings = 0

    # -- what comes in

    def event(self, incident: str = "i-1", event: str = "", origin: str = "north", **changes: Any) -> Effects:
        """The next event of an incident; ``flags``, ``caveats`` and ``to`` (addressees) go where they belong."""
        self.sequences[incident] += 1
        number = self.sequences[incident]
        stated: dict[str, Any] = {"sequence": number, "addressees": changes.pop("to", [])}
        stated |= {name: changes.pop(name) for name in ("caveats", "changes") if name in changes}
        classified = {"category": changes.pop("path", "transport/rtc/injury"), "flags": changes.pop("flags", [])}
        sections = {"classification": [classified], "control": control(**stated)}
        whole = small(**sections) | {"sent_at": self.now, "recorded_at": self.now} | changes
        value = event_bytes(origin, incident, event or f"{incident}.{number}", **whole)
        return self.send(incidents_topic(origin), incident, value)

    def rule(self, kind: str, incident: str = "i-1", **changes: Any) -> Effects:
        """A ruling by whoever holds the role; the router hears it ``heard_after`` so much time."""
        late = changes.pop("heard_after", timedelta())
        self.rulings += 1
        role = changes.pop("role", INSPECTOR)
        said: dict[str, Any] = {
            "ruling_id": f"r-{self.rulings}",
            "member": "north",
            "incident_id": incident,
            "kind": kind,
            "person": PEOPLE.get(role, "nobody"),
            "role": role,
            "made_at": self.now,
            "recipients": ("south",),
            "seen_sequence": self.sequences[incident],
            "because": "it is so",
        }
        value = codec.encode("Ruling", Ruling(**said | changes).to_avro())
        return self.send(rulings_topic(changes.get("member", "north")), incident, value, late=late)

    def answer(self, member: str, kind: str, delivery: dict[str, Any], **changes: Any) -> Effects:
        """A receipt of one delivery, on the partition it came from."""
        terms, event = delivery["disclosure"], delivery["event"]
        entry = {
            "origin": event["origin"],
            "incident_id": event["incident_id"],
            "event_id": event["event_id"],
            "delivery_id": terms["delivery_id"],
            "at": self.now,
        }
        value = {
            "member": member,
            "kind": kind.upper().replace("-", "_"),
            "sent_at": self.now,
            "entries": [entry | changes],
        }
        partition = int(terms["stream"].rpartition("/")[2])
        return self.send(receipts_topic(member), terms["stream"], codec.encode("Receipt", value), partition)

    def send(
        self, topic: str, key: str, value: bytes, partition: int | None = None, late: timedelta = timedelta()
    ) -> Effects:
        """Any record, which the broker takes now and the router so much later."""
        place = partition_of(key.encode(), self.policy.exchange.partitions) if partition is None else partition
        log = self.logs[topic, place]
        record = Record(topic, place, len(log), key.encode(), value, milliseconds_of(self.now))
        log.append(record)
        self.now += late
        return self.take(record)

    def take(self, record: Record) -> Effects:
        effects = route(record, self.policy, self.now, CODEC, known=self._known(record))
        self._remember(record.partition, effects, record.key or b"", record.topic)
        for output in effects.outputs:
            if family_of(output.topic) == "routing.inbox":
                log = self.logs[output.topic, output.partition]
                inner = Record(output.topic, output.partition, len(log), output.key, output.value, record.timestamp_ms)
                log.append(inner)
                self.take(inner)
        return effects

    def pass_time(self, **by: float) -> None:
        """Time passes, and whatever falls due on the way happens at its time."""
        end = self.now + timedelta(**by)
        while (due := self._next_due()) is not None and due[0] <= milliseconds_of(end):
            at_ms, partition, key = due
            self.now = max(self.now, datetime.fromtimestamp(at_ms / 1000, tz=NOW.tzinfo))
            known = Known(None, self._stream(partition), partial(self._incident, partition), self._event_at)
            effects = elapsed(key, partition, self.policy, self.now, CODEC, known)
            assert effects is not None
            self._remember(partition, effects)
        self.now = end

    def suspend(self, *members: str) -> None:
        """These members' topics cannot be written."""
        self.policy = replace(self.policy, suspended=dict.fromkeys(members, "missing-topic"))

    def change_policy(self, bundle: Bundle) -> None:
        """Another bundle is in force."""
        self.policy = replace(self.policy, bundle=bundle)

    # -- what came out

    def on(self, family: str, member: str) -> list[dict[str, Any]]:
        """Everything on one topic."""
        return [value for topic, value in self.written if topic == f"{family}.{member}"]

    def sent(self, member: str) -> list[dict[str, Any]]:
        """Every delivery to a member."""
        return self.on("partner", member)

    def told(self, member: str = "north") -> list[tuple[str, str | None, str]]:
        """What an origin was told: kind, about whom, and the reason."""
        return [(enum_code(each["kind"]), each["member"], each["reason"]) for each in self.on("feedback", member)]

    def state(self, incident: str = "i-1", origin: str = "north"):
        key = incident_key(origin, incident)
        return self._incident(partition_of(incident.encode(), self.policy.exchange.partitions), key)

    # -- memory

    def _known(self, record: Record) -> Known:
        partition = record.partition
        find = partial(self._incident, partition)
        if family_of(record.topic) != "incidents":
            return Known(None, self._stream(partition), find, self._event_at)
        key = incident_key(str(member_of(record.topic)), (record.key or b"").decode())
        return Known(find(key), self._stream(partition))

    def _incident(self, partition: int, key: bytes):
        value = self.kept.get((partition, key))
        return None if value is None else decode(value)

    def _stream(self, partition: int):
        return lambda member: self.streams[partition].get(member, 0)

    def _event_at(self, origin: str, partition: int, offset: int) -> Record | None:
        log = self.logs[incidents_topic(origin), partition]
        return log[offset] if offset < len(log) else None

    def _remember(self, partition: int, effects: Effects, key: bytes = b"", topic: str = "") -> None:
        changed = list(effects.others)
        if effects.incident is not None:
            changed.append((f"{member_of(topic)}/".encode() + key, effects.incident))
        for incident, value in changed:
            self.kept[partition, incident] = encode(value)
        self.streams[partition].update(effects.streams)
        self.written += [(output.topic, stock(output.value)) for output in effects.outputs]
        self.outputs += effects.outputs

    def _next_due(self) -> tuple[int, int, bytes] | None:
        due = [
            (appointment.due_ms, partition, key)
            for (partition, key), value in self.kept.items()
            if (appointment := appointment_of(decode(value))) and appointment.due_ms is not None
        ]
        return min(due, default=None)
