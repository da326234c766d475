"""A member's quarantine as commands read it: refused records, found by their id or the start of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from deploy.topic_reader import records_of
from schemas.codec import EventCodec, decode
from schemas.errors import Rejected
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.topics import OUTPUT_EXTRA_BYTES, family_of, quarantine_topic

Refused = dict[str, Any]
"""A `Quarantined` record, decoded."""

_MOST_BYTES: Final = 16 * 1024 * 1024
"""More than any exchange lets through: what was refused as too large can still be looked at, if it was kept."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """One member's quarantine.

    Raises:
        Rejected: (on reading) no such member, no such topic.
        Unavailable: (on reading) Kafka does not answer.
    """

    exchange: Exchange
    member: str
    clients: ClientSettings

    def refused(self) -> Iterator[Refused]:
        """Every record that is kept, oldest first, each once however often the router wrote it."""
        if self.member not in self.exchange.members:
            known = ", ".join(sorted(self.exchange.members))
            raise Rejected("no-such-member", f"{self.exchange.exchange} has no member {self.member}; it has: {known}")
        most = self.exchange.limits.max_event_bytes + OUTPUT_EXTRA_BYTES
        seen: set[str] = set()
        for message in records_of(self.clients, quarantine_topic(self.member)):
            each = decode("Quarantined", message.value(), most)
            if each["quarantine_id"] not in seen:
                seen.add(each["quarantine_id"])
                yield each

    def find(self, start: str) -> Refused:
        """The record whose id starts so.

        Raises:
            Rejected: there is none, or more than one.
        """
        found = [each for each in self.refused() if each["quarantine_id"].startswith(start)]
        if len(found) != 1:
            raise Rejected(
                "no-such-record",
                f"{len(found) or 'no'} record{'' if len(found) == 1 else 's'} in the quarantine of {self.member} with "
                f"an id that starts with {start}: huecry quarantine list shows their ids",
            )
        return found[0]


def without_payload(refused: Refused) -> Refused:
    """Everything but what the member itself sent, which may hold personal data."""
    return {name: value for name, value in refused.items() if name not in ("key", "value")}


def payload_text(refused: Refused) -> str:
    """What was refused, as text for its owner; personal data and all."""
    value = refused["value"]
    if value is None:
        return (
            f"The record ({refused['value_bytes']:,} bytes) was too large to keep here: it stands at its source for as "
            "long as that is kept."
            if refused["value_bytes"]
            else "The record was empty."
        )
    try:
        return json.dumps(_opened(value, refused["source"]["topic"]), indent=2, default=str, ensure_ascii=False)
    except Rejected as why:
        return f"It cannot be read: {why}.\nIts first bytes: {value[:48].hex(' ')}"


def _opened(value: bytes, topic: str) -> dict[str, Any]:
    if family_of(topic) == "receipts":
        return decode("Receipt", value, _MOST_BYTES)
    _, event = EventCodec().open(value, _MOST_BYTES)
    stated: dict[str, Any] = {
        name: told for name, told in event.form.decode(event.body).items() if told not in (None, "", [], {}, "UNKNOWN")
    }
    return stated
