"""From the router to a control room and back: what is asked, answered and told, with the real parts at every step."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consumers.feedback.carrying import FeedbackSettings, Way, carry_feedback
from consumers.feedback.database_sink import FeedbackDatabase
from consumers.receiving import receive
from consumers.settings import ConsumerSettings
from routing.agreements.model import RoleHolders
from routing.effects import Policy
from schemas import codec
from schemas.casework import Ruling
from schemas.ops.health import Health
from tests.integration.routing_scene import Scene, Worker
from tests.routing.scene import a_bundle, a_share, control

INSPECTOR = "duty-inspector"


class Ends:
    """A router, the receiving control room of one member, and the feedback of the origin, all at work."""

    def __init__(self, scene: Scene, worker: Worker, folder: Path) -> None:
        self.scene, self.worker = scene, worker
        self.received, self.feedback = folder / "received.db", folder / "feedback.db"
        self._sequence = 0

    def publish(self, kind: str, *, to: tuple[str, ...] = (), **changes: Any) -> None:
        """The next event of the incident."""
        self._sequence += 1
        control_changes = {"sequence": self._sequence, "addressees": list(to), "changes": changes.pop("changes", [])}
        self.scene.publish(self.scene.north, ["i-1"], kind=kind, control=control(**control_changes), **changes)

    def at_receiver(self, query: str) -> list[tuple[Any, ...]]:
        return _read(self.received, query)

    def awaited(self) -> list[str]:
        return [what for (what,) in self.at_receiver("SELECT what FROM awaiting ORDER BY asked_at")]

    def answer(self, **columns: str) -> None:
        with closing(sqlite3.connect(self.received, timeout=30)) as database:
            marks = ", ".join("?" * len(columns))
            insert = f"INSERT INTO answer ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
            database.execute(insert, list(columns.values()))
            database.commit()

    def line(self) -> str:
        """What the origin's dispatcher reads of the receiver, without the times."""
        query = f"SELECT line FROM status_of_incident WHERE member = '{self.scene.west}'"  # noqa: S608
        rows = _read(self.feedback, query)
        return re.sub(r" \d\d:\d\d:\d\d", "", rows[0][0]) if rows else ""

    def until(self, condition: Callable[[], object], what: str) -> None:
        self.worker.turn_until(condition, what)

    def until_told(self, *parts: str) -> None:
        self.until(lambda: all(part in self.line() for part in parts), f"{parts} in the dispatcher's line")


def _read(path: Path, query: str) -> list[tuple[Any, ...]]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(path, timeout=30)) as database:
        try:
            return database.execute(query).fetchall()
        except sqlite3.OperationalError:  # before the tables are there
            return []


@contextmanager
def at_work(*tasks: Callable[[threading.Event], object]) -> Iterator[None]:
    """Each task in a thread of its own, until the end."""
    stop, failed = threading.Event(), []

    def run(task: Callable[[threading.Event], object]) -> None:
        try:
            task(stop)
        except BaseException as error:  # noqa: BLE001  told below
            failed.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert failed == []


@pytest.fixture
def ends(broker, unique, tmp_path: Path) -> Iterator[Ends]:
    scene = Scene(broker, unique)
    bundle = a_bundle(scene.exchange, a_share("all", scene.exchange.receivers(), ["classification", "suspects"]))
    scene.bundle = replace(bundle, roles=(RoleHolders(INSPECTOR, scene.north, ("insp.ahmed",)),))
    scene.policy = Policy(scene.bundle, scene.exchange)
    with scene.worker() as worker:
        made = Ends(scene, worker, tmp_path)
        settings = ConsumerSettings(scene.exchange, scene.west, scene.clients, made.received)
        of_origin = FeedbackSettings(scene.exchange, scene.north, scene.clients)
        way = Way("feedback", lambda: FeedbackDatabase(made.feedback, scene.north, of_origin.names()))
        with at_work(
            lambda stop: receive(settings, stop, Health()),
            lambda stop: carry_feedback(of_origin, [way], stop, Health()),
        ):
            yield made
    assert scene.records("quarantine", scene.west) == []
    scene.close()


@pytest.mark.timeout(600)
def test_a_transfer_a_correction_and_a_retraction_are_answered_and_both_ends_know(ends: Ends) -> None:
    scene = ends.scene
    ends.publish("TRANSFER", to=(scene.west,))
    ends.until(lambda: ends.awaited() == ["transfer"], "the transfer waits at the receiver")
    ends.answer(incident_id="NP-0001", kind="accepted", reference="W-1234")
    ends.until_told("delivered, accepted as W-1234")
    assert ends.awaited() == []
    assert ends.at_receiver("SELECT local_ref, our_reference FROM incident") == [("NP-0001", "W-1234")]

    ends.publish("CORRECTED", grade="PRIORITY", changes=[{"path": "grade", "reason": "wrong-grade"}])
    ends.until(lambda: ends.awaited() == ["correct"], "the correction waits for a person")
    assert ends.at_receiver("SELECT grade FROM incident") == [("priority",)]
    ends.answer(incident_id="i-1", kind="accepted", by_role="controller")
    ends.until(lambda: ends.awaited() == [], "a person has accepted it")

    ruling = Ruling(
        ruling_id="r-1",
        member=scene.north,
        incident_id="i-1",
        kind="retract",
        person="insp.ahmed",
        role=INSPECTOR,
        made_at=datetime.now(UTC),
        recipients=(),
        reason="wrong-recipient",
        ask="erase",
        seen_sequence=2,
    )
    scene.send(f"rulings.{scene.north}", "i-1", codec.encode("Ruling", ruling.to_avro()))
    ends.until(lambda: ends.awaited() == ["retract"], "a person is to confirm what becomes of it")
    assert ends.at_receiver("SELECT event_id, retract_ask FROM incident") == [(None, "erase")]
    ends.until_told("taken back", "hidden there")
    ends.answer(incident_id="i-1", kind="passed-on", passed_to="ambulance control", by_role="duty-inspector")
    ends.answer(incident_id="i-1", kind="erased", by_role="duty-inspector")
    ends.until_told("passed on to ambulance control", "erased by duty-inspector")
    assert ends.awaited() == []
    assert ends.at_receiver("SELECT count(*) FROM sealed") == [(0,)]
    assert ends.at_receiver("SELECT count(*) FROM stream_gap") == [(0,)]


@pytest.mark.timeout(600)
def test_a_request_that_is_rejected_and_one_that_is_stood_down(ends: Ends) -> None:
    scene = ends.scene
    ends.publish("ASSISTANCE", to=(scene.west,))
    ends.until(lambda: ends.awaited() == ["assistance"], "the request waits")
    ends.answer(incident_id="i-1", kind="rejected", cause="no-resource")
    ends.until_told("rejected (no-resource)")
    ends.publish("ASSISTANCE", to=(scene.west,))
    ends.until(lambda: ends.awaited() == ["assistance"], "it is asked again")
    ends.publish("STAND_DOWN", to=(scene.west,))
    ends.until(lambda: ends.awaited() == [], "it is stood down")
    assert ends.at_receiver("SELECT closed_as FROM asked ORDER BY number") == [("rejected",), ("stood-down",)]
