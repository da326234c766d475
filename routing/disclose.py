"""From decisions to bytes: one delivery for each recipient that gets something, one record of all that was decided.

What events that are decided alike have in common is made once for all of them (`circulation`, `wording`); recipients
with equal coverage share one cut event. What is left for each delivery is to put its id, its time and these together.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Final

from routing.agreements.model import Locate
from routing.arrived import Arrived, milliseconds
from routing.circulation import Addressed, Circulation, View
from routing.effects import Output, Policy
from routing.geography.cells import cell_of
from routing.recording import record_head
from routing.wording import of_event
from schemas.codec import EventCodec, address_after_id, stable_ids
from schemas.cut import OpenEvent
from schemas.located import Told, located
from schemas.parts import ID_LENGTH
from schemas.topics import disclosures_topic
from schemas.wire import long_bytes

_CELLS_M: Final[dict[Locate, int]] = {"100m": 100, "1km": 1_000, "10km": 10_000}
_DAY_MS: Final = 24 * 60 * 60 * 1000


def disclosed(arrived: Arrived, circulated: Circulation, policy: Policy, codec: EventCodec) -> list[Output]:
    """One Delivery for each recipient that is granted the head and can be reached; then the record of it all.

    Raises:
        Rejected: a section that somebody is granted is malformed; then nobody gets anything of the event.
    """
    # Made from origin, incident, event, recipient, action and cause: the same however often they are made.
    made = stable_ids(("delivery", *arrived.identity), [to.rest_of_id for to in circulated.deliveries])
    outputs = _deliveries(arrived, circulated, made, codec)
    outputs.append(_record(arrived, circulated, made, policy))
    return outputs


def _deliveries(arrived: Arrived, circulated: Circulation, ids: list[bytes], codec: EventCodec) -> list[Output]:
    record, stated = arrived.record, arrived.considered
    views = [_seen(arrived.event, view) for view in circulated.views]
    framed = codec.delivery_frame(arrived.entry) + ID_LENGTH
    key, partition = record.key or b"", record.partition
    decided_ms = milliseconds(arrived.now)
    # Null while the incident is open; from this decision once it is closed.
    closed = stated.kind == "closed" or stated.status == "closed"
    is_plain = not stated.addressees and not arrived.control.changes
    outputs = []
    for to, delivery_id in zip(circulated.deliveries, ids, strict=True):
        address = _address(to.recipient, partition)
        opening = to.opening if is_plain else _opening(arrived, to)
        times = _times(decided_ms, to.retain_days if closed else None)
        value = b"".join((framed, delivery_id, address, opening, times, to.ending, views[to.view]))
        outputs.append(Output(to.topic, key, value))
    return outputs


def _seen(event: OpenEvent, view: View) -> bytes:
    if not view.located:
        return event.view(view.covers)
    instead = {
        section: located(event, section, partial(_told, locate))
        for section, locate in view.located
        if section in event.non_empty
    }
    return event.view(view.covers, instead)


def _told(locate: Locate, longitude: float, latitude: float, radius_m: float) -> Told | None:
    cell = cell_of(longitude, latitude, radius_m, _CELLS_M[locate])
    return None if cell is None else Told(cell.name, cell.size)


def _opening(arrived: Arrived, to: Addressed) -> bytes:
    """The first part of a disclosure's terms, where the event corrects something or is addressed to members."""
    changes = _changes_for(arrived, to.wording.decision.covers)
    addressed = to.recipient in arrived.considered.addressees
    return b"".join((to.wording.covered, of_event(changes, addressed=addressed), to.wording.grounds))


def _changes_for(arrived: Arrived, covers: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """The corrections of fields that this recipient can see: of the head, and of the sections covered."""
    visible = {*covers, *arrived.event.head}
    changes = arrived.control.changes
    return [change for change in changes if change["path"].partition("[")[0].partition(".")[0] in visible]


@lru_cache(maxsize=256)
def _times(decided_ms: int, retain_days: int | None) -> bytes:
    """When it was decided, and until when it may be kept: null, or the second branch of a union."""
    decided_at = long_bytes(decided_ms)
    return decided_at + (b"\x00" if retain_days is None else b"\x02" + long_bytes(decided_ms + retain_days * _DAY_MS))


@lru_cache(maxsize=65_536)
def _address(recipient: str, partition: int) -> bytes:
    return address_after_id(recipient, f"{recipient}/{partition}")


def _record(arrived: Arrived, circulated: Circulation, ids: list[bytes], policy: Policy) -> Output:
    """What was decided about the event for every member: DPA 2018 s.62."""
    parts = record_head(arrived, policy.bundle)
    parts.append(circulated.groups[0])
    for number, part in zip(circulated.order, circulated.groups[1:], strict=True):
        parts += (ids[number], part)
    return Output(disclosures_topic(arrived.considered.origin), arrived.record.key or b"", b"".join(parts))
