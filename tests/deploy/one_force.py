"""Forces of a test module's own exchange on the shared broker: mapping, records, spool; a partner; a router's hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Final

from confluent_kafka import Producer

from deploy.provision import provision
from deploy.topic_reader import records_of
from producers.settings import FileInput, ProducerSettings, production
from routing.effects import NOTHING_KNOWN, Effects, Known, Policy, Record
from routing.route import route
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings
from schemas.ops.health import Health
from schemas.topics import incidents_topic
from tests.routing.scene import a_bundle, a_share

SECRET: Final = "Penhaligon"
MAPPING: Final = """
mapping: test
system: test
incident_key: [Log]
event_key: [Log]
fields:
  kind: {constant: created}
  mode: {constant: actual}
  recorded_at: {now: true}
  local_ref: {column: Log}
  classification.category: {constant: transport/rtc}
  victims[0].person_ref: {constant: V1}
  victims[0].role: {constant: victim}
  victims[0].names.family: {column: Victim}
"""


def provisioned(bootstrap: str, name: str, folder: Path, forces: int) -> Path:
    """The file of an exchange of so many forces and one partner, whose topics are there."""
    file = folder / "exchange.yaml"
    members = [f"  {name}-f{number}: {{name: A force, publishes: true, receives: true}}\n" for number in range(forces)]
    members.append(f"  {name}-p: {{name: The partner, receives: true}}\n")
    file.write_text(f"exchange: {name}\npartitions: 1\nmembers:\n{''.join(members)}")
    provision(ClientSettings(bootstrap), load_exchange(file))
    return file


class OneForce:
    """A force that publishes, with a partner that receives."""

    def __init__(self, bootstrap: str, file: Path, force: str, folder: Path) -> None:
        self.force, self.file = force, file
        self.exchange = load_exchange(file)
        (self.partner,) = set(self.exchange.members) - set(self.exchange.publishers())
        self.clients = ClientSettings(bootstrap)
        everything = a_share("all", self.exchange.receivers(), ["classification"])
        self.policy = Policy(a_bundle(self.exchange, everything), self.exchange)
        self.mapping, self.source, self.spool = folder / "mapping.yaml", folder / "export.csv", folder / "spool.db"
        self.mapping.write_text(MAPPING)
        self.source.write_text(f"Log,Victim\nL-1,{SECRET}\n")
        self._seen: set[tuple[int, int]] = set()

    def produce(self) -> None:
        """Publish what the file holds, to its end."""
        settings = ProducerSettings(
            self.exchange, self.force, FileInput(self.source, self.mapping), self.clients, self.spool
        )
        running = production(settings, Health())
        with running.spool:
            running.run(Event())
        assert running.progress.unfinished == 0

    def routed(self, known: Known = NOTHING_KNOWN) -> list[Effects]:
        """Route by hand what has come since, by what is known of its incidents, and write what follows from it."""
        topic = incidents_topic(self.force)
        made = []
        for message in records_of(self.clients, topic):
            if (place := (message.partition(), message.offset())) not in self._seen:
                self._seen.add(place)
                record = Record(topic, *place, message.key(), message.value())
                made.append(route(record, self.policy, datetime.now(UTC), known=known))
        self.write(made)
        return made

    def write(self, effects: Iterable[Effects]) -> None:
        """Write what follows from records onto the members' topics."""
        producer = Producer(self.clients.producer_config(self.exchange.limits))
        for each in effects:
            for output in each.outputs:
                producer.produce(output.topic, output.value, output.key)
        assert producer.flush(20) == 0
