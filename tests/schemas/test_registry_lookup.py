"""Schemas newer than this release are found at a registry, kept, and used with care."""

from __future__ import annotations

import socket
from io import BytesIO
from typing import Any

import fastavro
import pytest

from schemas.catalogue import Catalogue, Entry, catalogue
from schemas.codec import decode
from schemas.errors import Rejected, Unavailable
from schemas.registry import RegistryLookup
from schemas.registry_api import serve_registry
from schemas.wire import frame

NEWER = 1_212_502_002
LIMIT = 10_000


def newer_receipt() -> dict[str, Any]:
    schema = catalogue().current("Receipt").schema
    return {**schema, "fields": [*schema["fields"], {"name": "weather", "type": "string", "default": ""}]}


def newer_catalogue(schema: dict[str, Any]) -> Catalogue:
    return Catalogue((*catalogue().entries, Entry(NEWER, "Receipt", 2, schema)))


def written(value: dict[str, Any]) -> bytes:
    out = BytesIO()
    fastavro.schemaless_writer(out, newer_receipt(), value)
    return frame(NEWER) + out.getvalue()


VALUE = written({"member": "greater-manchester", "sent_at": 0, "weather": "fog"})


def test_a_record_of_a_later_release_is_read_as_this_release_knows_it():
    with serve_registry(0, newer_catalogue(newer_receipt())) as server, RegistryLookup(server.url) as lookup:
        assert lookup(NEWER) == newer_receipt()
        assert decode("Receipt", VALUE, LIMIT, lookup)["member"] == "greater-manchester"
        assert "weather" not in decode("Receipt", VALUE, LIMIT, lookup)


def test_without_a_registry_it_is_refused_as_unknown():
    with pytest.raises(Rejected) as refused:
        decode("Receipt", VALUE, LIMIT)
    assert refused.value.reason == "unknown-schema"


def test_what_was_found_is_kept_when_the_registry_is_away():
    server = serve_registry(0, newer_catalogue(newer_receipt()))
    with RegistryLookup(server.url, timeout_s=1) as lookup:
        assert lookup(NEWER) is not None
        server.close()

        assert lookup(NEWER) == newer_receipt()
        with pytest.raises(Unavailable):
            lookup(NEWER + 1)


def test_an_id_nobody_knows_is_none_and_is_asked_for_again():
    server = serve_registry(0, catalogue())
    with RegistryLookup(server.url) as lookup:
        assert lookup(NEWER) is None
        with pytest.raises(Rejected) as refused:
            decode("Receipt", VALUE, LIMIT, lookup)
        assert refused.value.reason == "unknown-schema"
        server.close()

        with serve_registry(server.port, newer_catalogue(newer_receipt())):
            assert lookup(NEWER) is not None


def test_a_registry_that_is_not_there_is_unavailable_and_no_password_is_told():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with RegistryLookup(f"http://inspector:hush@127.0.0.1:{port}", timeout_s=1) as lookup:
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1") as away:
            lookup(NEWER)
        assert "hush" not in str(away.value)


def test_a_known_id_is_not_asked_for():
    def never(_: int) -> None:
        raise AssertionError

    with pytest.raises(Rejected, match="expected a Receipt"):
        decode("Receipt", frame(catalogue().current("Feedback").schema_id) + b"\x00", LIMIT, never)


def test_a_schema_of_another_record_is_refused():
    feedback = catalogue().current("Feedback").schema
    with pytest.raises(Rejected) as refused:
        decode("Receipt", VALUE, LIMIT, {NEWER: feedback}.get)
    assert refused.value.reason == "wrong-record"


def test_a_schema_that_cannot_be_resolved_is_refused():
    worse = {**newer_receipt(), "fields": [{"name": "member", "type": "long"}]}
    with pytest.raises(Rejected) as refused:
        decode("Receipt", VALUE, LIMIT, {NEWER: worse}.get)
    assert refused.value.reason in ("unusable-schema", "undecodable")
