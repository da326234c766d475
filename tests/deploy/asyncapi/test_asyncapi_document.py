"""The AsyncAPI document of a member is valid, says what is so, and names nothing of anybody else's."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro
import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft7Validator

from consumers.settings import ConsumerSettings
from deploy.asyncapi import as_yaml, asyncapi_document
from deploy.cli import cli
from deploy.demo.run import HERE
from schemas.catalogue import catalogue
from schemas.codec import encode
from schemas.errors import Fatal, Rejected
from schemas.exchange import Exchange, Member, load_exchange
from schemas.kafka import ClientSettings
from schemas.records import Receipt
from schemas.topics import topic_specs

FILE = HERE / "exchange.yaml"
EXCHANGE = load_exchange(FILE)
BOTH, RECEIVER = "west-yorkshire", "rivers-agency"


@pytest.fixture(scope="module")
def official() -> Draft7Validator:
    schema = json.loads(Path(__file__).with_name("asyncapi-3.0.0.json").read_text("utf-8"))
    return Draft7Validator(schema)


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def resolved(document: Any, reference: str) -> Any:
    found = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


@pytest.mark.parametrize("member", [BOTH, RECEIVER])
def test_it_is_valid_by_the_official_schema(official, member):
    document = yaml.safe_load(as_yaml(asyncapi_document(EXCHANGE, member, registry="http://localhost:8081")))
    assert [f"{list(error.path)}: {error.message[:200]}" for error in official.iter_errors(document)] == []


def _break_avro(document: Any) -> None:
    del document["components"]["schemas"]["Receipt.v1"]["schema"]["fields"][0]["name"]


def _no_partitions(document: Any) -> None:
    document["channels"][f"receipts.{RECEIVER}"]["bindings"]["kafka"]["partitions"] = 0


def _unknown_action(document: Any) -> None:
    document["operations"]["receive-partner"]["action"] = "subscribe"


@pytest.mark.parametrize("fault", [_break_avro, _no_partitions, _unknown_action])
def test_the_official_schema_as_we_use_it_sees_faults(official, fault: Callable[[Any], None]):
    document = copy.deepcopy(asyncapi_document(EXCHANGE, RECEIVER))
    fault(document)
    assert not official.is_valid(document)


@pytest.mark.parametrize("member", sorted(EXCHANGE.members))
def test_every_reference_leads_somewhere_and_every_operation_to_a_channel_of_its_own(member):
    document = asyncapi_document(EXCHANGE, member)
    for reference in references(document):
        resolved(document, reference)
    led_to = [operation["channel"]["$ref"] for operation in document["operations"].values()]
    assert sorted(led_to) == sorted(f"#/channels/{name}" for name in document["channels"])
    for operation in document["operations"].values():
        offered = resolved(document, operation["channel"]["$ref"])["messages"]
        assert [message["$ref"].rpartition("/")[2] for message in operation["messages"]] == list(offered) != []


def test_a_member_writes_and_reads_its_own_topics_and_no_others():
    def does(member: str, action: str) -> set[str]:
        document = asyncapi_document(EXCHANGE, member)
        operations = document["operations"].values()
        return {resolved(document, one["channel"]["$ref"])["address"] for one in operations if one["action"] == action}

    assert does(BOTH, "send") == {f"{family}.{BOTH}" for family in ("incidents", "receipts", "rulings")}
    assert does(BOTH, "receive") == {
        f"{family}.{BOTH}" for family in ("partner", "feedback", "quarantine", "disclosures", "cases")
    }
    assert does(RECEIVER, "send") == {f"receipts.{RECEIVER}"}
    assert does(RECEIVER, "receive") == {f"partner.{RECEIVER}", f"quarantine.{RECEIVER}"}


def test_the_other_members_are_not_named():
    document = asyncapi_document(EXCHANGE, RECEIVER)
    del document["components"]["schemas"]  # the same for everybody: their texts give examples
    text = as_yaml(document)
    assert [member for member in EXCHANGE.members if member != RECEIVER and member in text] == []
    assert [facts.name for member, facts in EXCHANGE.members.items() if member != RECEIVER and facts.name in text] == []


def test_topics_are_as_provisioning_makes_them():
    specs = {spec.name: spec for spec in topic_specs(EXCHANGE) if spec.member == BOTH}
    channels = asyncapi_document(EXCHANGE, BOTH)["channels"]
    assert channels.keys() == specs.keys()
    for name, channel in channels.items():
        binding = channel["bindings"]["kafka"]
        assert (binding["topic"], binding["partitions"], binding["replicas"]) == specs[name][:1] + specs[name][3:5]
        for setting, value in binding["topicConfiguration"].items():
            told = ",".join(value) if isinstance(value, list) else str(value)
            assert told == specs[name].config[setting]


def test_what_is_read_may_be_of_any_version_and_what_is_written_should_be_of_the_newest():
    document = asyncapi_document(EXCHANGE, BOTH)

    def ids(operation: str) -> list[int]:
        offered = [resolved(document, one["$ref"]) for one in document["operations"][operation]["messages"]]
        return [resolved(document, one["$ref"])["x-schema-id"] for one in offered]

    assert ids("receive-disclosures") == [entry.schema_id for entry in catalogue().versions("DisclosureRecord")]
    assert ids("receive-partner") == [entry.schema_id for entry in catalogue().versions("Delivery")]
    assert ids("send-incidents") == [catalogue().current("IncidentEvent").schema_id]


def test_a_record_of_ours_is_read_by_the_schema_and_the_id_of_the_document_alone():
    document = yaml.safe_load(as_yaml(asyncapi_document(EXCHANGE, RECEIVER)))
    (message,) = (one for one in document["components"]["messages"].values() if one["name"] == "Receipt")
    at = datetime(2026, 6, 1, tzinfo=UTC)
    framed = encode("Receipt", Receipt(member=RECEIVER, kind="delivered", sent_at=at).to_avro())
    assert framed[:5] == b"\0" + message["x-schema-id"].to_bytes(4, "big")
    assert message["summary"] == f"Framed with schema id {message['x-schema-id']}."
    schema = resolved(document, message["payload"]["$ref"])["schema"]
    read = fastavro.schemaless_reader(BytesIO(framed[5:]), fastavro.parse_schema(schema))
    assert (read["member"], read["sent_at"]) == (RECEIVER, at)


@pytest.mark.parametrize("member", sorted(EXCHANGE.members))
def test_every_schema_is_the_catalogue_s(member):
    document = yaml.safe_load(as_yaml(asyncapi_document(EXCHANGE, member)))
    for name, message in document["components"]["messages"].items():
        entry = catalogue().find(message["x-schema-id"])
        assert entry is not None
        assert document["components"]["schemas"][name]["schema"] == entry.schema


@pytest.mark.parametrize(
    ("operation", "command"), [("partner", "consume"), ("feedback", "ledger"), ("disclosures", "ledger")]
)
def test_the_group_that_is_said_to_be_taken_is_that_of_our_command(operation, command):
    settings = ConsumerSettings(EXCHANGE, BOTH, ClientSettings(""), Path())
    group = asyncapi_document(EXCHANGE, BOTH)["operations"][f"receive-{operation}"]["bindings"]["kafka"]["groupId"]
    assert group["not"] == {"const": settings.group(command)}


def test_clients_are_told_to_read_what_is_committed_and_to_choose_partitions_as_java_does():
    operations = asyncapi_document(EXCHANGE, BOTH)["operations"]
    assert operations["receive-partner"]["x-librdkafka-settings"]["isolation.level"] == "read_committed"
    written = operations["send-incidents"]["x-librdkafka-settings"]
    assert (written["partitioner"], written["enable.idempotence"]) == ("murmur2_random", True)
    assert not {"bootstrap.servers", "group.id"} & written.keys()


def test_the_principal_is_told_where_the_exchange_knows_it_and_security_is_not_made_up():
    facts = Member(name="A force", publishes=True, principal="User:north")
    exchange = Exchange(exchange="tests", members={"north": facts, "south": Member(name="South", receives=True)})
    (server,) = asyncapi_document(exchange, "north", bootstrap="kafka.example:9093")["servers"].values()
    assert "authenticate as User:north." in server["description"]
    assert server["variables"]["bootstrap"]["default"] == "kafka.example:9093"
    assert "security" not in server
    (server,) = asyncapi_document(exchange, "south")["servers"].values()
    assert "authenticate" not in server["description"]


def test_the_command_writes_it_where_it_is_told(tmp_path):
    told = ["asyncapi", "--exchange", str(FILE), "--member", RECEIVER]
    shown = CliRunner().invoke(cli, told).stdout
    assert yaml.safe_load(shown) == asyncapi_document(EXCHANGE, RECEIVER)
    into = tmp_path / "rivers.yaml"
    result = CliRunner().invoke(cli, [*told, "--into", str(into)])
    assert (result.exit_code, result.stdout, into.read_text("utf-8")) == (0, "", shown)
    assert "&id" not in shown, "each part stands where it is read"


def test_a_member_that_is_none_and_a_file_that_cannot_be_written_are_errors_that_help(tmp_path):
    nobody = CliRunner().invoke(cli, ["asyncapi", "--exchange", str(FILE), "--member", "nobody"])
    assert isinstance(nobody.exception, Rejected)
    assert RECEIVER in str(nobody.exception)
    into = str(tmp_path / "none" / "file.yaml")
    nowhere = CliRunner().invoke(cli, ["asyncapi", "--exchange", str(FILE), "--member", RECEIVER, "--into", into])
    assert isinstance(nowhere.exception, Fatal)
