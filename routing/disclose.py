"""From decisions to bytes: one delivery for each recipient that gets something, one record of all that was decided.

What events that are decided alike have in common is made once for all of them (`circulation`, `wording`); recipients
with equal coverage share one cut event. What is left for each delivery is to put its id, its time and these together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, Final

from routing.afresh import afresh
from routing.agreements.model import Locate
from routing.arrived import Arrived, milliseconds
from routing.circulation import EVENT, Addressed, Circulation, View
from routing.effects import Output, Policy
from routing.geography.cells import cell_of
from routing.recording import record_head
from routing.what_came_before import NOTHING
from routing.wording import of_event
from schemas.codec import LONG_GIVEN, EventCodec, id_rest, stable_ids
from schemas.located import Told, located
from schemas.opened import Index, OpenEvent, Plan, plan_of
from schemas.parts import ID_LENGTH
from schemas.topics import disclosures_topic
from schemas.wire import long_bytes, string_bytes

_CELLS_M: Final[dict[Locate, int]] = {"100m": 100, "1km": 1_000, "10km": 10_000}
_DAY_MS: Final = 24 * 60 * 60 * 1000


class Positions:
    """Where the deliveries of an event stand, before them."""

    __slots__ = ("before", "closed_ms", "numbers", "stood_down", "stream")

    def __init__(
        self,
        numbers: Mapping[str, int],
        stream: Callable[[str], int],
        closed_ms: int | None,
        before: bytes = NOTHING,
        stood_down: frozenset[str] = frozenset(),
    ) -> None:
        self.numbers = numbers
        """By recipient: the number of the last delivery of this incident to it."""
        self.stream = stream
        """Of a recipient: the position of the last delivery in its stream."""
        self.closed_ms = closed_ms
        """When the incident closed, in milliseconds since 1970; None: it is open."""
        self.before = before
        """What was remembered of the incident, as the record has it."""
        self.stood_down = stood_down
        """Members that were asked for something which the event cancels: it is addressed to them, whomever it names."""


Disclosed = tuple[list[Output], dict[str, int]]
"""What is put out of an event, and where its recipients' streams stand after it."""


def disclosed(
    arrived: Arrived,
    circulated: Circulation,
    policy: Policy,
    codec: EventCodec,
    positions: Positions,
    cause: str = EVENT,
) -> Disclosed:
    """One Delivery for each recipient that is granted the head, or is to be told; then the record of it all.

    ``cause`` is what makes them: the event itself, or a ruling by its id, whose record ``arrived`` then names.

    Raises:
        Rejected: a section that somebody is granted is malformed; then nobody gets anything of the event.
    """
    # Made from origin, incident, event, recipient, action and cause: the same however often they are made.
    rests = [to.rest_of_id for to in circulated.deliveries] if cause == EVENT else _rests(circulated, cause)
    made = stable_ids(("delivery", *arrived.identity), rests)
    outputs, streams = _deliveries(arrived, circulated, made, codec, positions)
    outputs.append(_record(arrived, circulated, made, policy, positions.before, cause))
    return outputs, streams


def _rests(circulated: Circulation, cause: str) -> list[bytes]:
    """What of each delivery's id hangs on no event, where something other than the event made it."""
    return [id_rest(*to.rest_of_id.decode().split("\x1f")[:2], cause) for to in circulated.deliveries]


def _deliveries(
    arrived: Arrived, circulated: Circulation, ids: list[bytes], codec: EventCodec, positions: Positions
) -> Disclosed:
    partition, key = arrived.record.partition, arrived.record.key or b""
    views = _views(arrived, circulated, codec)
    framed = codec.delivery_frame(arrived.entry) + ID_LENGTH
    decided_ms, closed_ms = milliseconds(arrived.now), positions.closed_ms
    addressees = arrived.considered.addressees | positions.stood_down
    is_plain = not addressees and not arrived.control.changes
    before, stream_of = positions.numbers, positions.stream
    outputs = []
    numbers: dict[str, int] = {}
    streams: dict[str, int] = {}
    for to, delivery_id in zip(circulated.deliveries, ids, strict=True):
        recipient, topic, _wording, view, opening, ending, retain_days, _rest = to
        numbers[recipient] = number = (numbers.get(recipient) or before.get(recipient, 0)) + 1
        streams[recipient] = place = (streams.get(recipient) or stream_of(recipient)) + 1
        if not is_plain and circulated.views[view] is not None:
            opening = _opening(arrived, to, addressees)
        address, times = _address(recipient, partition, number), _times(decided_ms, closed_ms, retain_days)
        terms = (framed, delivery_id, address, long_bytes(place), opening, times, ending)
        outputs.append(Output(topic, key, b"".join((*terms, *views[view]))))
    return outputs, streams


def _views(arrived: Arrived, circulated: Circulation, codec: EventCodec) -> list[Sequence[bytes]]:
    """What is seen of an event, each view in parts."""
    event = arrived.event
    key = (id(circulated), event.names, event.form.index)
    known = _plans.get(key)
    if known is None:
        if len(_plans) >= _REMEMBERED_MOST:
            _plans.clear()
        plans = [None if view is None or view.located else _plan(event, view.covers) for view in circulated.views]
        known = _plans[key] = circulated, plans
    return [
        _seen(arrived, view, codec) if plan is None else event.cut(plan)
        for view, plan in zip(circulated.views, known[1], strict=True)
    ]


_REMEMBERED_MOST: Final = 8_192
_plans: dict[tuple[int, tuple[str, ...], Index], tuple[Circulation, list[Plan | None]]] = {}
"""How each view of a circulation is cut, of events with the same sections; none where something is made of the event.
By the identity of the circulation, which is kept with it: comparing is dear."""


def _plan(event: OpenEvent, covers: tuple[str, ...]) -> Plan:
    return plan_of(event.form.index, event.names, covers, ())


def _seen(arrived: Arrived, view: View | None, codec: EventCodec) -> Sequence[bytes]:
    """Of a notice the event is made afresh; where places are told coarsely, their sections are."""
    event = arrived.event
    if view is None:
        return (afresh(arrived.entry, event, codec),)
    instead = {
        section: located(event, section, partial(_told, locate))
        for section, locate in view.located
        if section in event.non_empty
    }
    return (event.view(view.covers, instead),)


def _told(locate: Locate, longitude: float, latitude: float, radius_m: float) -> Told | None:
    cell = cell_of(longitude, latitude, radius_m, _CELLS_M[locate])
    return None if cell is None else Told(cell.name, cell.size)


def _opening(arrived: Arrived, to: Addressed, addressees: frozenset[str]) -> bytes:
    """The first part of a disclosure's terms, where the event corrects something or is addressed to members."""
    changes = _changes_for(arrived, to.wording.decision.covers)
    addressed = to.recipient in addressees
    return b"".join((to.wording.covered, of_event(changes, addressed=addressed), to.wording.grounds))


def _changes_for(arrived: Arrived, covers: tuple[str, ...]) -> list[Mapping[str, Any]]:
    """The corrections of fields that this recipient can see: of the head, and of the sections covered."""
    visible = {*covers, *arrived.event.head}
    changes = arrived.control.changes
    return [change for change in changes if change["path"].partition("[")[0].partition(".")[0] in visible]


@lru_cache(maxsize=256)
def _times(decided_ms: int, closed_ms: int | None, retain_days: int | None) -> bytes:
    """When it was decided, and until when it may be kept: null while the incident is open."""
    is_kept_on = closed_ms is None or retain_days is None
    until = b"\x00" if is_kept_on else LONG_GIVEN + long_bytes((closed_ms or 0) + (retain_days or 0) * _DAY_MS)
    return long_bytes(decided_ms) + until


@lru_cache(maxsize=65_536)
def _address(recipient: str, partition: int, number: int) -> bytes:
    """To whom, which of the incident's deliveries it is, and in which stream: all of an address but the place in it."""
    stream = string_bytes(f"{recipient}/{partition}")
    return b"".join((string_bytes(recipient), LONG_GIVEN, long_bytes(number), stream, LONG_GIVEN))


def _record(
    arrived: Arrived, circulated: Circulation, ids: list[bytes], policy: Policy, before: bytes, cause: str
) -> Output:
    """What was decided about the event for every member: DPA 2018 s.62."""
    parts = record_head(arrived, policy.bundle, before, cause)
    parts.append(circulated.groups[0])
    for number, part in zip(circulated.order, circulated.groups[1:], strict=True):
        parts += (ids[number], part)
    return Output(disclosures_topic(arrived.considered.origin), arrived.record.key or b"", b"".join(parts))
