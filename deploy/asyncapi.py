"""The AsyncAPI 3.0 document of one member: which topics its applications read and write, and what stands on them.

Made from ``exchange.yaml`` (who the members are), ``topics.yaml`` (families of topics) and the catalogue (schemas and
their pinned ids): a member's integrators generate clients and documentation from it with tools of their own. It is
written from the member's side: *receive* is what the member reads.

Sources: AsyncAPI 3.0.0 (asyncapi.com/docs/reference/specification/v3.0.0), its Kafka bindings 0.5.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final

import yaml

from schemas.catalogue import Entry, Record, catalogue
from schemas.errors import Rejected
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.topics import TopicFamily, TopicSpec, families, topic_specs

AVRO: Final = "application/vnd.apache.avro;version=1.9.0"
"""How AsyncAPI 3.0 names a payload's schema in Avro."""
_BINDING: Final = {"bindingVersion": "0.5.0"}
_OUR_GROUPS: Final = {"partner": "consume", "feedback": "ledger", "disclosures": "ledger"}
"""Family → the command of ours that reads it, in the consumer group <exchange>.<command>.<member>."""
_NOT_ADVICE: Final = frozenset({"bootstrap.servers", "client.id", "group.id"})
_NUMBERS: Final = ("retention.ms", "max.message.bytes")
Document = dict[str, Any]

_ABOUT: Final = """\
The topics of {exchange} that applications of {name} read and write, seen from there.

Values are Avro in Confluent wire format: a zero byte, the schema id in four bytes (big-endian), the Avro binary. Ids
are pinned for good; each message names its own, and `huecry registry serve` answers as a Confluent Schema Registry
does, so that any Confluent-compatible deserialiser works: subjects are <topic>-value. A record may come in any version
listed.

Read with isolation.level=read_committed: what the router writes is part of a transaction, and only what is committed
counts. The same delivery may come twice, with the same delivery_id: remember it.
"""


def asyncapi_document(
    exchange: Exchange, member: str, *, bootstrap: str = "localhost:9092", registry: str | None = None
) -> Document:
    """The document of one member, as plain data that is the same for the same exchange and release.

    Args:
        exchange: whose topics.
        member: whose side.
        bootstrap: where Kafka is.
        registry: the URL of a schema registry, if there is one.

    Raises:
        Rejected: no such member.
    """
    if member not in exchange.members:
        raise Rejected(
            "no-such-member",
            f"{member}: expected a member of {exchange.exchange}: {', '.join(sorted(exchange.members))}",
            remedy="see the exchange file, or check --member",
        )
    own = [spec for spec in topic_specs(exchange) if spec.member == member]
    entries = {entry.schema_id: entry for spec in own for entry in _messages(spec)}
    facts = exchange.members[member]
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:huecry:{exchange.exchange}:{member}",
        "info": {
            "title": f"{facts.name} on {exchange.exchange}",
            "version": version("huecry"),
            "description": _ABOUT.format(exchange=exchange.exchange, name=facts.name),
        },
        "defaultContentType": "avro/binary",
        "servers": {"kafka": _server(bootstrap, registry, facts.principal)},
        "channels": {spec.name: _channel(spec) for spec in own},
        "operations": {f"{_action(spec)}-{spec.family}": _operation(spec, exchange) for spec in own},
        "components": {
            "messages": {_name(entry): _message(entry) for entry in entries.values()},
            "schemas": {_name(entry): {"schemaFormat": AVRO, "schema": entry.schema} for entry in entries.values()},
        },
    }


def as_yaml(document: Document) -> str:
    """The document as YAML, each part written out where it stands."""
    return yaml.dump(
        document, Dumper=_Plain, sort_keys=False, allow_unicode=True, default_flow_style=None, width=118
    )  # leaves on one line: an Avro field reads as one


class _Plain(yaml.SafeDumper):
    """Without anchors and aliases; text of several lines as it reads."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002  the library's signature
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Plain.add_representer(str, _text)


def _family(spec: TopicSpec) -> TopicFamily:
    return families()[spec.family]


def _action(spec: TopicSpec) -> str:
    return "receive" if _family(spec).written_by == "routing" else "send"


def _messages(spec: TopicSpec) -> tuple[Entry, ...]:
    """Every version that may be read; of what is written, the newest, which is the one to write."""
    record: Any = _family(spec).record
    if record is None:
        return ()
    return catalogue().versions(record) if _action(spec) == "receive" else (catalogue().current(record),)


def _name(entry: Entry) -> str:
    carried = f".event-v{entry.event_version}" if entry.event_version is not None else ""
    return f"{entry.record}.v{entry.version}{carried}"


def _server(bootstrap: str, registry: str | None, principal: str | None) -> Document:
    known_as = f" Clients of this member authenticate as {principal}." if principal else ""
    server: Document = {
        "host": "{bootstrap}",
        "protocol": "kafka",
        "protocolVersion": "4",
        "description": f"What the cluster's security asks for (TLS, SASL) its operators say.{known_as}",
        "variables": {"bootstrap": {"default": bootstrap, "description": "host:port; several with commas."}},
    }
    if registry is not None:
        where = {"schemaRegistryUrl": registry, "schemaRegistryVendor": "confluent"}
        server["bindings"] = {"kafka": {**where, **_BINDING}}
    return server


def _channel(spec: TopicSpec) -> Document:
    family = _family(spec)
    settings: Document = {"cleanup.policy": spec.config["cleanup.policy"].split(",")}
    settings |= {name: int(spec.config[name]) for name in _NUMBERS}
    kept = "for ever" if family.kept_days is None else f"{family.kept_days} days"
    return {
        "address": spec.name,
        "title": f"{spec.family} of {spec.member}",
        "description": f"{family.holds} Written by {family.written_by}, read by {family.read_by}; kept {kept}.",
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {_name(entry): {"$ref": f"#/components/messages/{_name(entry)}"} for entry in _messages(spec)},
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "partitions": spec.partitions,
                "replicas": spec.replication,
                "topicConfiguration": settings,
                **_BINDING,
            }
        },
    }


def _operation(spec: TopicSpec, exchange: Exchange) -> Document:
    receives = _action(spec) == "receive"
    operation: Document = {
        "action": _action(spec),
        "channel": {"$ref": f"#/channels/{spec.name}"},
        "summary": _family(spec).holds,
        "description": f"The key is {_family(spec).key}.",
        "messages": [{"$ref": f"#/channels/{spec.name}/messages/{_name(entry)}"} for entry in _messages(spec)],
    }
    if receives:
        operation["bindings"] = {"kafka": {"groupId": _group(spec, exchange), **_BINDING}}
    operation["x-librdkafka-settings"] = dict(_client_settings(exchange, receives=receives))
    return operation


def _group(spec: TopicSpec, exchange: Exchange) -> Document:
    """One group for each application: what two of them share, each gets a part of only where there are partitions."""
    about = "One for each application that must see every record; its instances share it."
    if command := _OUR_GROUPS.get(spec.family):
        ours = f"{exchange.exchange}.{command}.{spec.member}"
        return {
            "type": "string",
            "description": f"{about} That of `huecry {command}` is taken.",
            "not": {"const": ours},
        }
    return {"type": "string", "description": about}


def _client_settings(exchange: Exchange, *, receives: bool) -> Iterator[tuple[str, object]]:
    """What clients of ours ask of librdkafka, and others should."""
    clients = ClientSettings("")
    settings: Mapping[str, object] = (
        clients.consumer_config("") if receives else clients.producer_config(exchange.limits)
    )
    return ((name, settings[name]) for name in sorted(settings) if name not in _NOT_ADVICE)


def _message(entry: Entry) -> Document:
    record: Record = entry.record
    carries = f", carrying version {entry.event_version} of the event" if entry.event_version is not None else ""
    return {
        "name": record,
        "title": f"{record}, version {entry.version}{carries}",
        "summary": f"Framed with schema id {entry.schema_id}.",
        "description": entry.schema.get("doc", ""),
        "payload": {"$ref": f"#/components/schemas/{_name(entry)}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "In UTF-8; see the operation."},
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": "4",
                "schemaLookupStrategy": "TopicNameStrategy",
                **_BINDING,
            }
        },
        "x-schema-id": entry.schema_id,
    }
