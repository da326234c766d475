"""The desk with a real router and a real ledger: an event is referred, a person releases it, and takes it back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from confluent_kafka import Producer

from deploy.broker import EmbeddedBroker
from deploy.cli import cli
from deploy.desk.callers import system_user
from deploy.policy_publishing import PolicyDesk
from deploy.provision import provision
from deploy.topic_reader import records_of
from routing.agreements import load_bundle
from schemas.codec import EventCodec, decode, encode
from schemas.event import Classification, Contact, Control, IncidentEvent, Location, Names, Person
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings
from schemas.partitioner import partition_of
from schemas.records import Receipt, ReceiptEntry
from tests.consumers.case_making import SECRET
from tests.consumers.kafka_side import wait_until
from tests.deploy.desk.desk_scene import AGREEMENT

MOST = 1024 * 1024


class Force:
    """A force with a desk, and a partner, on an exchange of this test's own."""

    def __init__(self, bootstrap: str, name: str, folder: Path) -> None:
        self.bootstrap, self.folder = bootstrap, folder
        self.force, self.partner = f"{name}-f", f"{name}-p"
        self.file, self.ledger = folder / "exchange.yaml", folder / "ledger.db"
        members = {
            self.force: {"name": "A force", "publishes": True, "receives": True},
            self.partner: {"name": "The partner", "receives": True},
        }
        self.file.write_text(yaml.safe_dump({"exchange": name, "partitions": 2, "members": members}))
        self.exchange, self.clients = load_exchange(self.file), ClientSettings(bootstrap)
        provision(self.clients, self.exchange)
        self._publish(members)
        self.producer = Producer(self.clients.producer_config())

    def _publish(self, members: dict[str, Any]) -> None:
        folder = self.folder / "policy"
        (folder / "agreements").mkdir(parents=True)
        text = AGREEMENT.replace("west-yorkshire", self.force).replace(
            "greater-manchester, south-yorkshire", self.partner
        )
        (folder / "agreements" / "a.yaml").write_text(text)
        people = {"duty-inspector": ["smith"], "public-protection-superintendent": ["jones"]}
        roles = {role: {self.force: held} for role, held in (people | {"force-incident-manager": ["lee"]}).items()}
        stated = {"version": 1, "published_by": "the policy desk", "members": members, "roles": roles}
        stated["people"] = {"smith": {"name": "A. Smith", "user": system_user()}}
        (folder / "bundle.yaml").write_text(yaml.safe_dump(stated))
        PolicyDesk(self.exchange, self.clients).publish(load_bundle(folder))

    @contextmanager
    def runs(self, *words: str) -> Iterator[None]:
        """A command, as a process, for as long as this lasts."""
        options = ["--exchange", str(self.file), "--bootstrap", self.bootstrap]
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", "from deploy.cli import main; main()", *words, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        try:
            yield
        finally:
            process.terminate()
            _, said = process.communicate(timeout=60)
            assert process.returncode == 0, said.decode()

    def event(self, sequence: int = 1, **changes: Any) -> None:
        """The next event of the incident: a rape report whose place identifies the victim."""
        now = datetime.now(UTC)
        event = IncidentEvent(
            origin=self.force,
            incident_id="i-1",
            event_id=f"e-{sequence}",
            local_ref="WY-0310",
            kind="created" if sequence == 1 else "updated",
            mode="actual",
            recorded_at=now,
            sent_at=now,
            category="crime",
            status="open",
            marking="official",
            contact=Contact(desk="Control"),
            control=(Control(sequence=sequence, caveats=()),),
            classification=(Classification(category="crime/sexual/rape", flags=("sexual-offence",)),),
            locations=(Location(location_ref="P1", kind="incident", address="3 Mill Lane"),),
            victims=(Person(person_ref="V1", role="victim", names=Names(family=SECRET)),),
            **({"grade": "priority"} | changes),
        )
        self._send(f"incidents.{self.force}", b"i-1", EventCodec().encode(event.to_avro()))

    def answers(self, kind: str, delivery: dict[str, Any], **changes: Any) -> None:
        """The partner says what became of a delivery."""
        terms, event = delivery["disclosure"], delivery["event"]
        named = {name: event[name] for name in ("origin", "incident_id", "event_id")}
        now = datetime.now(UTC)
        entry = ReceiptEntry(**named, delivery_id=terms["delivery_id"], at=now, **changes)
        receipt = Receipt(member=self.partner, kind=kind, sent_at=now, entries=(entry,))
        partition = int(terms["stream"].rpartition("/")[2])
        self._send(
            f"receipts.{self.partner}", terms["stream"].encode(), encode("Receipt", receipt.to_avro()), partition
        )

    def _send(self, topic: str, key: bytes, value: bytes, partition: int | None = None) -> None:
        place = partition_of(key, self.exchange.partitions) if partition is None else partition
        self.producer.produce(topic, value, key, place)
        assert self.producer.flush(20) == 0

    def deliveries(self) -> list[dict[str, Any]]:
        return [decode("Delivery", each.value(), MOST) for each in records_of(self.clients, f"partner.{self.partner}")]

    def says(self, *words: str, exit_code: int = 0, look: bool = False, **more: Any) -> str:
        rules = [] if look else ["--exchange", str(self.file), "--bootstrap", self.bootstrap, "--wait", "60"]
        told = CliRunner().invoke(cli, [*words, "--ledger", str(self.ledger), *rules], **more)
        assert told.exit_code == exit_code, (told.output, told.exception)
        return told.output

    def has_case(self, sequence: int) -> bool:
        """Whether the ledger has the case as that event left it."""
        if not self.ledger.exists():
            return False
        told = CliRunner().invoke(cli, ["cases", "list", "--json", "--ledger", str(self.ledger)])
        return told.exit_code == 0 and [each["sequence"] for each in json.loads(told.output)] == [sequence]


@pytest.fixture
def force(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Iterator[Force]:
    made = Force(broker.bootstrap, unique, tmp_path)
    with ExitStack() as running:
        running.enter_context(made.runs("route", "--state", str(tmp_path / "state")))
        running.enter_context(made.runs("ledger", "--force", made.force, "--into", str(made.ledger)))
        yield made


def test_from_the_question_to_the_release_to_what_was_taken_back_and_confirmed(force: Force) -> None:
    force.event()
    wait_until(lambda: force.has_case(1), "the case in the ledger")
    shown = force.says("cases", "show", "WY-0310", look=True)
    assert SECRET in shown
    assert "duty-inspector, until" in shown
    (first,) = force.deliveries()
    assert (first["disclosure"]["covers"], first["event"]["locations"]) == (["classification"], [])

    force.event(2, grade="emergency")
    wait_until(lambda: force.has_case(2), "the second event in the ledger")
    release = ("cases", "release", "WY-0310", "--to", force.partner, "--because", "They are at the door")
    changed = force.says(*release, input="n\n", exit_code=1)
    assert "CHANGED: emergency (was: priority)" in changed
    told = force.says(*release, "--sections", "locations", input="y\n")
    assert f"released: {force.partner}, locations" in told
    released = force.deliveries()[-1]
    assert [place["address"] for place in released["event"]["locations"]] == ["3 Mill Lane"]
    assert "NOT TAKEN (already-ruled)" in force.says(*release, "--sections", "locations", exit_code=3)

    taken = ("--reason", "wrong-recipient", "--ask", "erase", "--because", "Not theirs")
    wait_until(lambda: "decided again" in force.says("trace", "i-1", look=True), "who holds it in the ledger")
    told = force.says("retract", "i-1", *taken)
    assert f"held by {force.partner}: head, classification, locations" in told
    assert f"retracted: {force.partner}" in told
    notice = force.deliveries()[-1]
    assert (notice["disclosure"]["action"], notice["disclosure"]["ask"]) == ("RETRACT", "erase")
    wait_until(lambda: "BREACH RECORD" in force.says("retractions", look=True), "the retraction in the ledger")
    force.answers("restricted", notice)
    force.answers("erased", notice, by_role="supervisor")
    wait_until(lambda: "0 open" in force.says("retractions", look=True), "the confirmation in the ledger")

    life = force.says("trace", "i-1", look=True)
    for words in ("RULED  smith as duty-inspector", "They are at the door", "decided again by the ruling of smith"):
        assert words in life
    assert "erased" in life
    assert "by a person (supervisor)" in life
    assert SECRET not in life
