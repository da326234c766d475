"""``huecry retract``, ``bars``, ``retractions`` and ``withdraw`` on the real broker, with a stand-in for the router."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker
from schemas.codec import encode
from schemas.records import Feedback, FeedbackEntry
from tests.consumers.case_making import ruling_record
from tests.consumers.ledger_making import FORCE, disclosure
from tests.consumers.making import at
from tests.deploy.desk.desk_scene import AGREEMENT, Scene

RETRACT = ("retract", "i-1", "--reason", "wrong-recipient", "--ask", "erase", "--because", "Sent to the wrong agency")


@pytest.fixture
def scene(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Iterator[Scene]:
    """Greater Manchester and Lancashire hold one incident."""
    made = Scene(tmp_path, broker.bootstrap, unique)
    with closing(made.kept.sink):
        made.kept.take("disclosures", disclosure("e-1"), disclosure("e-2", sequence=2, when=at(2)))
        yield made


def told(kind: str, minute: int, **said: object) -> bytes:
    entry = FeedbackEntry(incident_id="i-1", delivery_id="d-1", by_role=said.pop("by_role", None))  # type: ignore[arg-type]
    one = Feedback(
        feedback_id=f"{kind}-{minute}",
        to=FORCE,
        kind=kind,
        member="greater-manchester",
        at=at(minute),
        entries=(entry,),
        **said,
    )
    return encode("Feedback", one.to_avro())


def test_a_retraction_says_who_holds_it_and_goes_out_with_its_reason_and_what_is_asked(scene: Scene) -> None:
    scene.publish()
    with scene.router().at_work() as router:
        shown = scene.says(*RETRACT, "--from", "greater-manchester")
    assert "incident i-1, event 2 decided" in shown
    assert "held by greater-manchester: head, locations" in shown
    assert "retracted: greater-manchester" in shown
    ((ruling, _),) = router.rulings
    assert (ruling.kind, ruling.recipients, ruling.sections) == ("retract", ("greater-manchester",), ())
    assert (ruling.reason, ruling.ask, ruling.because) == ("wrong-recipient", "erase", "Sent to the wrong agency")
    assert (ruling.seen_sequence, ruling.person, ruling.role) == (2, "inspector.smith", "duty-inspector")


def test_from_nobody_named_is_from_every_holder_and_an_event_names_its_incident(scene: Scene) -> None:
    scene.publish()
    with scene.router().at_work() as router:
        scene.says("retract", "e-1", *RETRACT[2:])
    ((ruling, _),) = router.rulings
    assert (ruling.incident_id, ruling.recipients) == ("i-1", ())


def test_a_log_number_names_the_incident_of_its_case(scene: Scene) -> None:
    scene.publish()
    scene.comes(scene.a_line())
    with scene.router().at_work() as router:
        scene.says("retract", "WY-0310", *RETRACT[2:])
    assert router.rulings[0][0].incident_id == "i-1"


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        (("retract", "i-9", *RETRACT[2:]), "this ledger has no decision about i-9", 1),
        ((*RETRACT, "--from", "nobody"), "expected a member, got nobody", 1),
        (("retract", "i-1", "--ask", "erase", "--because", "x"), "Missing option '--reason'", 2),
        (("retract", "i-1", "--reason", "bored", "--ask", "erase", "--because", "x"), "'bored' is not one of", 2),
        (("retract", "i-1", "--reason", "unlawful", "--ask", "forget", "--because", "x"), "'forget' is not one of", 2),
        (("bars", "lift", "i-1", "--because", "x"), "Missing option '--from'", 2),
        (("bars", "lift", "i-1", "--from", "south-yorkshire", "--because", "x"), "it is barred to nobody", 1),
        (("withdraw", "i-1", "--because", "x"), "expected from whom, what and why", 1),
        (("withdraw", "--because", "x"), "name an incident, or say --no-longer-permitted", 1),
        (("withdraw", "i-1", "--no-longer-permitted"), "and not both", 1),
    ],
)
def test_words_that_could_not_count_are_refused_and_nothing_is_sent(
    scene: Scene, words: tuple[str, ...], says: str, code: int
) -> None:
    scene.publish()
    with scene.router().at_work() as router:
        assert says in scene.says(*words, exit_code=code)
    assert router.rulings == []


def test_a_bar_is_listed_and_lifted(scene: Scene) -> None:
    scene.publish()
    assert scene.says("bars", "list", look=True) == "No incident is barred to anybody.\n"
    scene.kept.take("feedback", told("retracted", 5, ruling_id="r"))
    assert "greater-manchester  incident i-1  since" in scene.says("bars", "list", look=True)
    with scene.router().at_work() as router:
        shown = scene.says(
            "bars", "lift", "i-1", "--from", "greater-manchester", "--because", "It was theirs after all"
        )
    assert shown == "bar-lifted: greater-manchester\n"
    assert router.rulings[0][0].kind == "lift-bar"


def test_retractions_are_listed_and_overdue_ones_have_an_exit_code(scene: Scene) -> None:
    scene.kept.take("rulings", ruling_record("retract", ruling_id="r", reason="unlawful", ask="erase"))
    scene.kept.take("feedback", told("retracted", 6, ruling_id="r", deadline=at(20)), told("restricted", 7))
    days = ("--days", "36500")
    shown = scene.says("retractions", *days, look=True)
    assert "1 open, 1 OVERDUE, 0 done with" in shown
    assert "BREACH RECORD (unlawful)" in shown
    assert "by inspector.smith as duty-inspector: They are at the door" in shown
    scene.says("retractions", "--overdue", *days, look=True, exit_code=3)
    scene.kept.take("feedback", told("erased", 9, by_role="supervisor"))
    scene.says("retractions", "--overdue", *days, look=True)
    assert scene.tells("retractions", "--open", *days, look=True) == []
    (one,) = scene.tells("retractions", *days, look=True)
    assert (one["status"], one["said"][-1]["by_role"]) == ("confirmed", "supervisor")


def test_a_withdrawal_names_members_sections_and_reason(scene: Scene) -> None:
    scene.publish()
    with scene.router().at_work() as router:
        words = ("--from", "greater-manchester", "--sections", "locations", "--reason", "excessive", "--because", "x")
        assert "withdrawn: greater-manchester, locations" in scene.says("withdraw", "i-1", *words)
    ((ruling, _),) = router.rulings
    assert (ruling.kind, ruling.sections, ruling.reason) == ("withdraw", ("locations",), "excessive")


def test_after_a_change_of_policy_a_dry_run_sends_nothing_and_go_withdraws_for_each_incident_and_member(
    scene: Scene,
) -> None:
    only_sharing = AGREEMENT.partition("  - id: sensitive-crime")[0]
    scene.publish(1, only_sharing)
    scene.kept.take("disclosures", disclosure("e-3", "i-2"))
    words = ("withdraw", "--no-longer-permitted", "--from", "greater-manchester")
    assert "would not let them have" in scene.says(*words)
    assert scene.tells(*words) == []
    scene.publish(2, only_sharing.replace("[classification, locations, facts]", "[classification]"))
    with scene.router().at_work() as router:
        shown = scene.says(*words)
        assert "loses: locations (no rule grants it)" in shown
        assert "keeps: head" in shown
        assert "greater-manchester: 2 incidents" in shown
        assert router.rulings == []
        (one, two) = scene.tells(*words)
        assert (one["incident_id"], two["incident_id"]) == ("i-1", "i-2")
        shown = scene.says(*words, "--go", "--because", "Version 2 grants no places")
        assert shown.count("withdrawn: greater-manchester, locations") == 2
    assert {(ruling.incident_id, ruling.recipients, ruling.sections) for ruling, _ in router.rulings} == {
        ("i-1", ("greater-manchester",), ("locations",)),
        ("i-2", ("greater-manchester",), ("locations",)),
    }
    assert {ruling.reason for ruling, _ in router.rulings} == {"superseded"}


def test_go_needs_a_reason_in_words(scene: Scene) -> None:
    scene.publish(1, AGREEMENT.replace("grant: [classification, locations, facts]", "grant: [classification]"))
    with scene.router().at_work() as router:
        assert "expected why" in scene.says("withdraw", "--no-longer-permitted", "--go", exit_code=1)
    assert router.rulings == []
