"""Finds schemas that this release does not have, at a schema registry given by its URL.

For consumers that meet a newer schema version than their own: `schemas.codec.decode` takes a lookup.
"""

from __future__ import annotations

import json
from typing import Final, Self
from urllib.parse import urlsplit

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas.avro_form import Schema
from schemas.errors import Unavailable

_TIMEOUT_S: Final = 5
_NOT_FOUND: Final = 404


class RegistryLookup:
    """Schema id → schema, or None where the registry does not know the id.

    What was found is kept: an id never changes its meaning. What was not found is asked for again, since a registry may
    learn. Call it from one thread.
    """

    def __init__(self, url: str, *, timeout_s: float = _TIMEOUT_S) -> None:
        # The caller decides how often to try again and how long to wait, so the client does not.
        self._client = SchemaRegistryClient({"url": url, "timeout": timeout_s, "max.retries": 0})
        # The address may hold a password: errors name the host alone.
        self._host = urlsplit(url).hostname or "its address"
        self._found: dict[int, Schema] = {}

    def __call__(self, schema_id: int) -> Schema | None:
        """The schema of an id.

        Raises:
            Unavailable: the registry does not answer, or answers with an error of its own.
        """
        if schema_id not in self._found and (schema := self._fetch(schema_id)) is not None:
            self._found[schema_id] = schema
        return self._found.get(schema_id)

    def _fetch(self, schema_id: int) -> Schema | None:
        try:
            answer = self._client.get_schema(schema_id)
            schema = json.loads(answer.schema_str) if answer.schema_type == "AVRO" and answer.schema_str else None
        except SchemaRegistryError as error:
            if error.http_status_code == _NOT_FOUND:
                return None
            raise self._unavailable(schema_id, f"it answered {error.http_status_code}") from None
        except Exception as error:  # noqa: BLE001  errors of an HTTP library that is the client's own affair
            raise self._unavailable(schema_id, type(error).__name__) from None
        return schema if isinstance(schema, dict) else None

    def _unavailable(self, schema_id: int, why: str) -> Unavailable:
        return Unavailable(
            f"schema id {schema_id} is not in this release, and the schema registry at {self._host} was to say what it "
            f"is, but {why}: see that it runs and that its address is right, or upgrade this side"
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
