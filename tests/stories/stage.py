"""Where the stories happen: two control rooms and their neighbours, with everything between them but Kafka.

The agreements are read from their files by the real loader, and their own examples must hold. Events are built from the
schema models; the real router decides, keeps deadlines and remembers; what it sends is read into each member's own
receiving database by the real sink, whose receipts and answers go back to it; and what an origin is told becomes the
line that its dispatcher reads. Times are Europe/London's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from routing.agreements import load_bundle
from routing.effects import Policy
from routing.state.incident import milliseconds_of, moment_of
from schemas import codec
from schemas.casework import Case, Ruling
from schemas.event import Change, Contact, Control, IncidentEvent
from schemas.exchange import load_exchange
from schemas.records import DisclosureRecord
from tests.life.router import Done, Router
from tests.routing.scene import CODEC
from tests.stories.room import Room

HERE = Path(__file__).parent
LONDON = ZoneInfo("Europe/London")
WY, GMP = "west-yorkshire", "greater-manchester"
AMBULANCE, CHILDREN, RIVERS = "north-west-ambulance", "oldham-children", "rivers-agency"


class Stage:
    """One story's exchange."""

    def __init__(self, agreements: str, databases: Path, opens: str) -> None:
        """Raise the curtain.

        Args:
            agreements: the story's folder of agreements, beside this file.
            databases: where each member's database is to be.
            opens: when, in London: ``2026-06-05 21:40``.
        """
        exchange = load_exchange(HERE / "exchange.yaml")
        policy = Policy(load_bundle(HERE / agreements), exchange)
        self.router = Router(policy, _moment(opens))
        names = {member: facts.name for member, facts in exchange.members.items()}
        self.rooms = {
            member: Room(databases, member, names, exchange.answers, lambda: self.router.now) for member in names
        }
        self.cases: list[Case] = []
        """Everything that West Yorkshire's desk was shown of its cases."""
        self.records: list[DisclosureRecord] = []
        """Everything that was recorded of its disclosures."""
        self._sequences: dict[str, int] = {}
        self._rulings = 0

    # -- time

    @property
    def clock(self) -> str:
        """What clocks in London show."""
        return self.router.now.astimezone(LONDON).strftime("%H:%M")

    def at(self, time: str) -> Stage:
        """Later, at this time in London; a date may stand before it. Whatever falls due on the way happens then."""
        then = self.moment(time)
        assert then > self.router.now, "time goes on"
        while (due := self.router.next_due()) and due[0] <= milliseconds_of(then):
            self.router.now = max(self.router.now, moment_of(due[0]))
            self._carry(self.router.elapse(due[1], due[2]))
        self.router.now = then
        return self

    def moment(self, time: str) -> datetime:
        """That time in London, today or at the date before it."""
        day, _, clock = time.rpartition(" ")
        return _moment(f"{day or self.router.now.astimezone(LONDON).date()} {clock}")

    # -- what people and systems say

    def tells(self, event: IncidentEvent, **control: Any) -> Done:
        """West Yorkshire's control room tells the incident as it knows it now; ``control`` is for the router alone."""
        number = self._sequences[event.incident_id] = self._sequences.get(event.incident_id, 0) + 1
        now = self.router.now
        said = {"caveats": (), **control}
        told = revised(
            event,
            event_id=f"{event.incident_id}-{number}",
            recorded_at=now,
            sent_at=now,
            control=(Control(sequence=number, **said),),
        )
        return self._carry(self.router.event((WY, event.incident_id), CODEC.encode(told.to_avro())))

    def rules(self, kind: str, person: str, role: str, incident: str, **said: Any) -> Done:
        """A person of West Yorkshire's rules on an incident, as its desk publishes it."""
        self._rulings += 1
        words = {"because": "see log", "seen_sequence": self._sequences[incident], **said}
        ruling = Ruling(
            ruling_id=f"R{self._rulings}",
            member=WY,
            incident_id=incident,
            kind=kind,
            person=person,
            role=role,
            made_at=self.router.now,
            **words,
        )
        return self._carry(self.router.ruling((WY, incident), codec.encode("Ruling", ruling.to_avro())))

    def answers(self, member: str, incident: str, kind: str, **said: Any) -> None:
        """A member's own system or person answers, with a row in its receiving database."""
        self.rooms[member].answer(incident, kind, **said)
        self._hear(member)

    # -- what people see

    def screen(self, member: str, incident: str) -> dict[str, Any]:
        """The incident as the member's own system shows it."""
        return self.rooms[member].screen(WY, incident)

    def dispatcher(self, incident: str) -> dict[str, str]:
        """What West Yorkshire's dispatcher reads of each member."""
        return self.rooms[WY].lines(incident)

    def waits(self, member: str) -> list[tuple[str, str]]:
        """What waits for an answer there, and until when."""
        return [(what, _clock(until)) for what, until in self.rooms[member].awaiting()]

    def outcome(self, member: str) -> str:
        """What was decided for a member of the latest event: West Yorkshire's auditors read it in its record."""
        for group in self.records[-1].decisions:
            if any(recipient.member == member for recipient in group.recipients):
                return group.outcome
        return "not decided"

    def asked(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Who is asked about what, and until when: of each recipient and rule, as the desk shows the case now."""
        return {
            (line.recipient, line.rule): (line.path[line.step].role, _clock(line.deadline.isoformat()))
            for line in self.cases[-1].lines
        }

    # -- what carries it all

    def _carry(self, done: Done) -> Done:
        """What the router wrote reaches whom it is for; what their systems say to that comes back to it."""
        self.cases += [Case.from_avro(value) for owner, value in done.on("cases") if owner == WY]
        self.records += [DisclosureRecord.from_avro(value) for owner, value in done.on("disclosures") if owner == WY]
        heard = set()
        for topic, value in done.written:
            family, _, member = topic.partition(".")
            if family in ("partner", "feedback"):
                self.rooms[member].take(topic, value)
                heard.add(member)
        for member in sorted(heard):
            self._hear(member)
        return done

    def _hear(self, member: str) -> None:
        for stream, value in self.rooms[member].receipts():
            self._carry(self.router.receipt_bytes(member, stream, value))


def incident(incident_id: str, local_ref: str, **stated: Any) -> IncidentEvent:
    """The first that is known of an incident of West Yorkshire's."""
    plain: dict[str, Any] = {
        "origin": WY,
        "incident_id": incident_id,
        "local_ref": local_ref,
        "kind": "created",
        "mode": "actual",
        "status": "open",
        "marking": "official",
        "primacy": WY,
        "sent_at": datetime(2026, 1, 1, tzinfo=LONDON),
        "contact": Contact(desk="Force control room", phone="01632 960101"),
    }
    return IncidentEvent(**plain | stated)


def revised(event: IncidentEvent, **changes: Any) -> IncidentEvent:
    """The incident as it is known now."""
    return IncidentEvent(**{name: getattr(event, name) for name in IncidentEvent.model_fields} | changes)


def correction(reason: str, *paths: str) -> dict[str, Any]:
    """For `Stage.tells`: these fields were wrong from the start."""
    return {"changes": tuple(Change(path=path, reason=reason, wrong_from_start=True) for path in paths)}


def _moment(in_london: str) -> datetime:
    return datetime.fromisoformat(in_london).replace(tzinfo=LONDON).astimezone(UTC)


def _clock(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(LONDON).strftime("%H:%M")
