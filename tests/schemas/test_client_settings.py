"""The settings that every Kafka client of ours starts from."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Rejected
from schemas.exchange import Exchange, Limits
from schemas.kafka import ClientSettings, client_properties
from schemas.topics import topic_specs


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "client.properties"
    path.write_text(text, "utf-8")
    return path


def test_client_properties_are_key_value_lines(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "# security\n\nsecurity.protocol = SASL_SSL\nsasl.mechanisms=PLAIN\nsasl.username=desk\nsasl.password=a=b#c\n",
    )
    assert client_properties(path) == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": "PLAIN",
        "sasl.username": "desk",
        "sasl.password": "a=b#c",
    }
    assert client_properties(None) == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sasl.username=me\nhunter2\n", "line 2"),
        ("bootstrap.servers=hunter2:9092", "--bootstrap"),
        ("sasl.pasword=hunter2", "sasl.pasword"),
        ("security.protocol=hunter2", "security.protocol"),
        ("security.protocol=SASL_SSL\nsasl.mechanisms=PLAIN\nsasl.password=hunter2", "sasl.password must be set"),
    ],
)
def test_a_bad_file_is_refused_without_quoting_a_value(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Rejected, match=told) as refused:
        client_properties(write(tmp_path, text))
    assert "hunter2" not in str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="cannot be read"):
        client_properties(tmp_path / "none")


def test_a_password_is_not_in_the_repr() -> None:
    assert "hunter2" not in repr(ClientSettings("localhost:9092", {"sasl.password": "hunter2"}))


def test_what_a_command_sets_wins_over_the_file() -> None:
    settings = ClientSettings(
        "localhost:9092", {"client.id": "desk", "acks": "0", "isolation.level": "read_uncommitted"}
    )
    assert settings.config()["client.id"] == "desk"
    assert settings.config(**{"client.id": "mine"})["client.id"] == "mine"
    assert settings.producer_config()["acks"] == "all"
    assert settings.producer_config()["partitioner"] == "murmur2_random"
    assert settings.consumer_config("g")["isolation.level"] == "read_committed"


@given(st.integers(1024, 8 * 1024 * 1024))
def test_a_producer_never_makes_a_batch_that_a_topic_refuses(max_event_bytes: int) -> None:
    limits = Limits(max_event_bytes=max_event_bytes)
    config = ClientSettings("localhost:9092").producer_config(limits)
    exchange = Exchange.model_validate(
        {
            "exchange": "north",
            "limits": limits,
            "members": {"force": {"name": "A force", "publishes": True, "receives": True}},
        }
    )
    by_family = {spec.family: int(spec.config["max.message.bytes"]) for spec in topic_specs(exchange)}
    assert int(config["batch.size"]) < min(by_family.values())
    assert int(config["message.max.bytes"]) <= by_family["partner"]


def test_librdkafka_takes_the_settings() -> None:
    settings = ClientSettings("127.0.0.1:1")
    Producer(settings.producer_config(log_level=0))
    Consumer(settings.consumer_config("g", log_level=0)).close()
