"""Feedback as a router makes it, for tests; of the first version too."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from consumers.delivery import Batch, Record, open_batch
from consumers.feedback.record import Told, feedback_opener
from schemas.avro_form import Form
from schemas.catalogue import catalogue
from schemas.codec import encode
from schemas.codes import enum_symbol
from schemas.wire import frame
from tests.consumers.making import MOST_BYTES, at

FORCE = "west-yorkshire"
MEMBER = "greater-manchester"
TOPIC = f"feedback.{FORCE}"
NAMES = {MEMBER: "Greater Manchester", "ambulance": "Yorkshire Ambulance", FORCE: "West Yorkshire"}


def value(
    number: int, kind: str, incident: str = "i-1", *, was_at: datetime | None = None, **said: Any
) -> dict[str, Any]:
    """One record about one event of an incident; what is said of the entry goes there."""
    of_entry = {name: said.pop(name) for name in ("reference", "cause", "passed_to", "by_role") if name in said}
    entry = {"incident_id": incident, "event_id": f"e-{number}", "at": was_at or at(number), **of_entry}
    entries = {} if incident == "" else {"entries": [entry]}
    return {
        "feedback_id": f"f-{number}",
        "to": FORCE,
        "kind": enum_symbol(kind),
        "member": MEMBER,
        "at": at(number),
        **entries,
        **said,
    }


def feedback(number: int, kind: str, incident: str = "i-1", **said: Any) -> bytes:
    """The same in its newest version, framed."""
    return encode("Feedback", value(number, kind, incident, **said))


def first_version(number: int, kind: str, incident: str = "i-1", **said: Any) -> bytes:
    """The same as a router of an earlier release wrote it."""
    entry = catalogue().versions("Feedback")[0]
    assert entry.version == 1
    return frame(entry.schema_id) + Form(entry.schema).encode(value(number, kind, incident, **said))


class FeedbackTopic:
    """Hands out records as the topic would."""

    def __init__(self) -> None:
        self._offset = 0

    def batch(self, *values: bytes | None) -> Batch[Told]:
        records = []
        for one in values:
            self._offset += 2
            records.append(Record(TOPIC, 0, self._offset, 0, one))
        return open_batch(records, feedback_opener(MOST_BYTES))
