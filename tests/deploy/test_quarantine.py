"""A refused event is found by its own force, told without its content, and repaired by a new event."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.broker import EmbeddedBroker
from deploy.cli import cli
from producers.link import kafka_link
from producers.publisher import Publisher
from producers.spool import Spool
from routing.effects import Known, Record
from routing.route import route
from schemas.codec import decode
from schemas.errors import Rejected
from schemas.exchange import load_exchange
from schemas.topics import incidents_topic, receipts_topic
from tests.deploy.one_force import SECRET, OneForce, provisioned
from tests.routing.state.remembered import an_incident

_names = iter(range(9))


@pytest.fixture(scope="module")
def exchange(broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One exchange for all: making topics takes longest."""
    return provisioned(broker.bootstrap, f"q-{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("quarantine"), forces=9)


@pytest.fixture
def scene(broker: EmbeddedBroker, exchange: Path, tmp_path: Path) -> OneForce:
    """A force of this test's own, of which the router has refused nothing."""
    publishers = load_exchange(exchange).publishers()
    return OneForce(broker.bootstrap, exchange, publishers[next(_names)], tmp_path)


@pytest.fixture
def refused(scene: OneForce) -> OneForce:
    """A force that lost its spool: its new one counts from 1 again, and the router has had events up to 9."""
    return _refused(scene)


@pytest.fixture(scope="module")
def looked_at(broker: EmbeddedBroker, exchange: Path, tmp_path_factory: pytest.TempPathFactory) -> OneForce:
    """The same, for tests that only look."""
    force = load_exchange(exchange).publishers()[next(_names)]
    return _refused(OneForce(broker.bootstrap, exchange, force, tmp_path_factory.mktemp("looked-at")))


def _refused(scene: OneForce) -> OneForce:
    scene.produce()
    had = Known(an_incident(sequence=9))
    assert [(each.fate, each.reason) for each in scene.routed(had)] == [("quarantined", "out-of-sequence")]
    return scene


def run(scene: OneForce, command: str, *arguments: str | Path, member: str | None = None) -> str:
    options = ["--exchange", scene.file, "--bootstrap", scene.clients.bootstrap, "--member", member or scene.force]
    words = ["quarantine", command, *map(str, [*arguments, *options])]
    result = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def the_id(scene: OneForce) -> str:
    (line,) = run(scene, "list", "--json").splitlines()
    return str(json.loads(line)["quarantine_id"])


def resubmit(scene: OneForce, quarantine_id: str) -> str:
    return run(scene, "resubmit", quarantine_id, "--spool", scene.spool, "--mapping", scene.mapping)


def test_an_empty_quarantine_says_so(scene: OneForce) -> None:
    assert run(scene, "list") == f"Nothing of {scene.force} is in quarantine.\n"
    assert run(scene, "list", "--json") == ""


def test_a_list_tells_what_and_why_in_lines_a_terminal_holds_and_nothing_of_the_content(looked_at: OneForce) -> None:
    told = run(looked_at, "list")
    head, line = told.splitlines()[:2]
    assert head.split() == ["id", "refused", "at", "(UTC)", "reason", "event", "stands", "at"]
    assert "out-of-sequence" in line
    assert f"incidents.{looked_at.force}, partition " in line
    assert SECRET not in told
    assert "huecry quarantine show ID" in told


def test_json_is_one_object_for_each_record_and_holds_no_payload(looked_at: OneForce) -> None:
    (line,) = run(looked_at, "list", "--json").splitlines()
    told = json.loads(line)
    assert (told["reason"], told["member"]) == ("out-of-sequence", looked_at.force)
    assert not {"key", "value"} & set(told)
    assert SECRET not in line


def test_the_start_of_an_id_shows_reason_remedy_place_and_the_event_itself_to_its_owner(looked_at: OneForce) -> None:
    told = run(looked_at, "show", the_id(looked_at)[:8])
    assert "reason      out-of-sequence: expected a sequence above 9" in told
    assert "what to do  number the events of an incident 1, 2, 3" in told
    assert f"stands at   incidents.{looked_at.force}, partition " in told
    assert SECRET in told


def test_an_id_that_is_nowhere_or_not_clear_says_where_ids_are(refused: OneForce) -> None:
    with pytest.raises(Rejected, match=r"no records in the quarantine of .* starts with zz: huecry quarantine list"):
        run(refused, "show", "zz")
    refused.source.write_text(f"Log,Victim\nL-2,{SECRET}\n")
    refused.produce()
    refused.routed(Known(an_incident(sequence=9)))
    with pytest.raises(Rejected, match="2 records in the quarantine"):
        run(refused, "show", "")


def test_an_unknown_member_is_answered_with_the_members_there_are(scene: OneForce) -> None:
    with pytest.raises(Rejected, match=rf"no member somebody; it has: .*{scene.force}, .*{scene.partner}"):
        run(scene, "list", member="somebody")


def test_what_is_no_event_at_all_is_shown_as_bytes(scene: OneForce) -> None:
    record = Record(incidents_topic(scene.force), 0, 9, b"k", b"\x00\x00not avro")
    scene.write([route(record, scene.policy, datetime.now(UTC))])
    quarantine_id = the_id(scene)
    told = run(scene, "show", quarantine_id)
    assert "event       not known: it could not be read" in told
    assert "It cannot be read: " in told
    assert "00 00 6e 6f 74" in told
    scene.produce()
    with pytest.raises(Rejected, match="nobody can tell which record it was made of"):
        resubmit(scene, quarantine_id)


def test_a_refused_receipt_is_shown_to_the_member_that_sent_it_and_cannot_be_mapped(scene: OneForce) -> None:
    record = Record(receipts_topic(scene.partner), 0, 9, b"k", b"no receipt")
    scene.write([route(record, scene.policy, datetime.now(UTC))])
    told = run(scene, "list", "--json", member=scene.partner)
    quarantine_id = json.loads(told)["quarantine_id"]
    assert "It cannot be read" in run(scene, "show", quarantine_id, member=scene.partner)
    with pytest.raises(Rejected, match="is a receipt, and no event"):
        run(
            *(scene, "resubmit", quarantine_id, "--spool", scene.spool, "--mapping", scene.mapping),
            member=scene.partner,
        )


# ------------------------------------------------------------------------------------------------------- resubmit


def test_a_mended_mapping_and_resubmit_bring_a_refused_event_to_its_partner(refused: OneForce) -> None:
    told = resubmit(refused, the_id(refused)[:10])
    assert "mapped again: event " in told
    assert "published: the router decides it now" in told
    (effects,) = refused.routed()
    assert effects.fate == "routed"
    (sent,) = [output for output in effects.outputs if output.topic == f"partner.{refused.partner}"]
    event = decode("Delivery", sent.value, 1 << 20)["event"]
    assert (event["local_ref"], event["kind"]) == ("L-1", "CREATED")
    assert event["event_id"] in told, "a new event"
    (before,) = [json.loads(line) for line in run(refused, "list", "--json").splitlines()]
    assert event["event_id"] != before["event_id"]
    assert event["incident_id"] == before["incident_id"], "of the same incident"


def test_what_still_does_not_map_is_refused_with_the_reason_and_nothing_is_sent(looked_at: OneForce) -> None:
    worse = looked_at.mapping.with_name("worse.yaml")
    worse.write_text(looked_at.mapping.read_text().replace("{now: true}", "{column: When, date: iso, zone: UTC}"))
    with pytest.raises(Rejected, match="the record still does not map, nothing was sent: "):
        run(looked_at, "resubmit", the_id(looked_at), "--spool", looked_at.spool, "--mapping", worse)
    assert looked_at.routed() == []


def test_an_event_that_a_spool_does_not_know_and_a_spool_of_another_force_are_refused(
    looked_at: OneForce, tmp_path: Path
) -> None:
    quarantine_id = the_id(looked_at)
    with pytest.raises(Rejected, match="there is no spool"):
        run(looked_at, "resubmit", quarantine_id, "--spool", tmp_path / "none.db", "--mapping", looked_at.mapping)
    other = tmp_path / "other.db"
    Spool(other, origin=looked_at.force, system="another").close()
    with pytest.raises(Rejected, match="does not know that event"):
        run(looked_at, "resubmit", quarantine_id, "--spool", other, "--mapping", looked_at.mapping)
    foreign = tmp_path / "foreign.db"
    Spool(foreign, origin="another-force", system="test").close()
    with pytest.raises(Rejected, match="is the spool of another-force, and the event is one of"):
        run(looked_at, "resubmit", quarantine_id, "--spool", foreign, "--mapping", looked_at.mapping)


@pytest.fixture
def producing(refused: OneForce) -> Iterator[Publisher]:
    """A producer that runs on the spool."""
    with Spool(refused.spool, origin=refused.force, system="test") as spool:
        link = kafka_link(refused.clients, refused.exchange.limits)
        publisher = Publisher(spool, incidents_topic(refused.force), link)
        yield publisher
        publisher.close()


def test_a_producer_that_runs_on_the_spool_is_left_to_send_the_new_event(
    refused: OneForce, producing: Publisher
) -> None:
    told = resubmit(refused, the_id(refused))
    assert f"it waits in {refused.spool}: the producer that runs on this spool sends it at once" in told
    assert refused.routed() == []
    while not producing.acknowledged:
        producing.turn(0.05)
    assert [each.fate for each in refused.routed()] == ["routed"]
