"""What the read-only registry answers: a pure function of the request and the catalogue.

A subject is a topic and ``-value`` (TopicNameStrategy), as in ``partner.greater-manchester-value``, or a record's full
name (RecordNameStrategy), as in ``huecry.delivery.Delivery``; its versions are the catalogue's schemas of that record,
oldest first. Keys are UTF-8 text, so there is no ``-key`` subject.

Source: Confluent Platform, "Schema Registry API Reference"; error codes as there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, unquote

from schemas.catalogue import Catalogue, Entry, Record
from schemas.topics import families, family_of, member_of

Query = Mapping[str, list[str]]
_READ_ONLY: Final = (
    "This registry is read-only: schemas are released with huecry, under pinned ids. "
    "Set auto.register.schemas=false and use.latest.version=true in your serialiser."
)


class Answer(NamedTuple):
    """What is sent: a status, and what the body holds as JSON."""

    status: int
    body: Any


class _Refused(Exception):
    """An answer that is not what was asked for."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(code if code < 1000 else code // 100, {"error_code": code, "message": message})


class RegistryAnswers:
    """Answers for one catalogue; immutable.

    ``topics`` are those that the list of subjects names; any other topic of a family has its subject all the same.
    """

    def __init__(self, known: Catalogue, topics: Collection[str] = ()) -> None:
        self._catalogue = known
        self._record_names: Mapping[str, Record] = {_full_name(entry): entry.record for entry in known.entries}
        self._subjects = sorted({*self._record_names, *(f"{t}-value" for t in topics if self._record(f"{t}-value"))})
        fixed = {
            "": {},
            "schemas/types": ["AVRO"],
            "config(/[^/]+)?": {"compatibilityLevel": "FULL_TRANSITIVE"},
            "mode(/[^/]+)?": {"mode": "READONLY"},
            "contexts": ["."],
        }
        self._pages: list[tuple[str, Callable[..., Any]]] = [
            *((path, lambda *_, answer=answer: answer) for path, answer in fixed.items()),
            ("subjects", self._list),
            ("subjects/([^/]+)/versions", lambda _, subject: list(range(1, len(self._entries(subject)) + 1))),
            ("subjects/([^/]+)/versions/([^/]+)", self._described),
            ("subjects/([^/]+)/versions/([^/]+)/schema", lambda _, *asked: self._version(*asked)[1].schema),
            ("subjects/([^/]+)/versions/([^/]+)/referencedby", self._referenced_by),
            (r"schemas/ids/(\d+)", lambda _, schema_id: _quoted(self._entry(schema_id))),
            (r"schemas/ids/(\d+)/schema", lambda _, schema_id: self._entry(schema_id).schema),
            (r"schemas/ids/(\d+)/subjects", lambda _, schema_id: self._subjects_of(self._entry(schema_id))),
            (r"schemas/ids/(\d+)/versions", self._versions_of),
        ]

    def answer(self, method: str, target: str, body: bytes = b"") -> Answer:
        """What a request for a target (path and query) is answered. Never raises."""
        path, _, asked = target.partition("?")
        path, query = path.strip("/"), parse_qs(asked)
        try:
            if method == "GET":
                return Answer(200, self._get(path, query))
            if method == "POST" and (subject := re.fullmatch("subjects/([^/]+)", path)):
                return Answer(200, self._lookup(unquote(subject[1]), body))
        except _Refused as refused:
            return refused.answer
        return Answer(405, {"error_code": 405, "message": _READ_ONLY})

    def _get(self, path: str, query: Query) -> Any:  # noqa: ANN401  JSON
        for pattern, page in self._pages:
            if found := re.fullmatch(pattern, path, re.ASCII):
                return page(query, *(unquote(part or "") for part in found.groups()))
        raise _Refused(404, "HTTP 404 Not Found")

    def _list(self, query: Query) -> list[str]:
        prefix = query.get("subjectPrefix", [""])[0]
        return [subject for subject in self._subjects if subject.startswith(prefix)]

    def _described(self, _: Query, subject: str, asked: str) -> dict[str, Any]:
        version, entry = self._version(subject, asked)
        return {"subject": subject, "version": version, "id": entry.schema_id, **_quoted(entry)}

    def _referenced_by(self, _: Query, subject: str, asked: str) -> list[int]:
        """No schema refers to another: each holds all it needs."""
        self._version(subject, asked)
        return []

    def _versions_of(self, _: Query, schema_id: str) -> list[dict[str, Any]]:
        entry = self._entry(schema_id)
        version = self._catalogue.versions(entry.record).index(entry) + 1
        return [{"subject": subject, "version": version} for subject in self._subjects_of(entry)]

    def _lookup(self, subject: str, body: bytes) -> dict[str, Any]:
        entries = self._entries(subject)
        try:
            asked = json.loads(json.loads(body)["schema"])
        except Exception:  # noqa: BLE001  whatever is wrong with what others sent
            raise _Refused(42201, 'Invalid schema: expected {"schema": "<Avro schema as JSON>"}') from None
        for version, entry in enumerate(entries, 1):
            if entry.schema == asked:
                return {"subject": subject, "version": version, "id": entry.schema_id, **_quoted(entry)}
        raise _Refused(40403, "Schema not found")

    def _entry(self, schema_id: str) -> Entry:
        entry = self._catalogue.find(int(schema_id[:10]))
        if entry is None or len(schema_id) > 10:
            raise _Refused(40403, f"Schema {schema_id[:20]} not found")
        return entry

    def _version(self, subject: str, asked: str) -> tuple[int, Entry]:
        entries = self._entries(subject)
        if asked in ("latest", "-1"):
            return len(entries), entries[-1]
        if not re.fullmatch(r"[1-9]\d{0,9}", asked, re.ASCII):
            message = f"The specified version '{asked[:20]}' is not a valid version id."
            raise _Refused(42202, f'{message} Allowed values are between [1, 2^31-1] and the string "latest"')
        if int(asked) > len(entries):
            raise _Refused(40402, f"Version {asked} not found.")
        return int(asked), entries[int(asked) - 1]

    def _entries(self, subject: str) -> tuple[Entry, ...]:
        record = self._record(subject)
        if record is None:
            raise _Refused(40401, f"Subject '{subject[:100]}' not found.")
        return self._catalogue.versions(record)

    def _record(self, subject: str) -> Record | None:
        if subject in self._record_names:
            return self._record_names[subject]
        topic = subject.removesuffix("-value")
        family = family_of(topic)
        if topic == subject or family is None or (member_of(topic) is None and families()[family].each != "exchange"):
            return None
        name = families()[family].record
        return next((entry.record for entry in self._catalogue.entries if entry.record == name), None)

    def _subjects_of(self, entry: Entry) -> list[str]:
        return [subject for subject in self._subjects if self._record(subject) == entry.record]


def _full_name(entry: Entry) -> str:
    return f"{entry.schema['namespace']}.{entry.schema['name']}"


def _quoted(entry: Entry) -> dict[str, str]:
    return {"schemaType": "AVRO", "schema": json.dumps(entry.schema)}
