"""What is wrong on the topics: what a force published but never told so, what a recipient was sent against policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas.event import IncidentEvent
from tests.chaos.expectation import Expectation, IncidentKey, as_json, sequence_of
from tests.chaos.topics import Published, Sent

_ASSIGNED_BY_THE_SPOOL = frozenset({"event_id", "recorded_at", "sent_at"})


def published_faults(origin: str, told: Sequence[IncidentEvent], records: Sequence[Published]) -> Iterator[str]:
    """Where a force's topic differs from what its control room told: each event once, as told, in order."""
    wanted = {(event.incident_id, sequence_of(event)): event for event in told}
    seen: dict[tuple[str, int], IncidentEvent] = {}
    for record in records:
        event = record.event
        which = event.incident_id, sequence_of(event)
        name = f"{origin}: event {event.event_id} (sequence {which[1]} of {which[0]})"
        if record.key != event.incident_id.encode() or event.origin != origin:
            yield f"{name} has a wrong key or origin"
        if which in seen:
            if seen[which] != event:
                yield f"{name} was published before as {seen[which].event_id}, or with other content"
            continue
        seen[which] = event
        if which not in wanted:
            yield f"{name} was published and never told"
        elif differing := _differing(event, wanted[which]):
            yield f"{name} was published with other {', '.join(differing)} than told"
    yield from (f"{origin}: sequence {n} of {of} was told and not published" for of, n in sorted(wanted.keys() - seen))
    yield from _order_faults(origin, records)


def _differing(event: IncidentEvent, told: IncidentEvent) -> list[str]:
    names = sorted(IncidentEvent.model_fields.keys() - _ASSIGNED_BY_THE_SPOOL)
    differing = [name for name in names if getattr(event, name) != getattr(told, name)]
    # Avro holds milliseconds and a control room's clock has more: so as text, where it matters.
    return [name for name in differing if as_json(getattr(event, name)) != as_json(getattr(told, name))]


def _order_faults(origin: str, records: Sequence[Published]) -> Iterator[str]:
    """An event may come again after a kill, but no event comes first after a later one of its incident."""
    partitions: dict[IncidentKey, set[int]] = {}
    last: dict[IncidentKey, int] = {}
    known: set[str] = set()
    for record in sorted(records, key=lambda record: (record.partition, record.offset)):
        event = record.event
        incident = origin, event.incident_id
        partitions.setdefault(incident, set()).add(record.partition)
        if event.event_id not in known and sequence_of(event) < last.get(incident, 0):
            yield f"{origin}: event {event.event_id} was published after a later one of {event.incident_id}"
        known.add(event.event_id)
        last[incident] = max(last.get(incident, 0), sequence_of(event))
    yield from (f"{origin}: incident {of[1]} lies on partitions {on}" for of, on in partitions.items() if len(on) > 1)


def sent_faults(member: str, records: Sequence[Sent], expected: Expectation) -> Iterator[str]:
    """Where a partner topic tells a recipient more than it is entitled to, whether or not its consumer would keep it.

    What readers of committed records see stands there once, in order, and counted without a gap, whoever was killed.
    """
    wanted = expected.shared[member]
    ids: set[str] = set()
    for sent in records:
        key = sent.origin, sent.event_id
        name = f"{member}: on its topic, delivery {sent.delivery_id} of event {sent.event_id} of {sent.origin}"
        if sent.to != member:
            yield f"{name}: is for {sent.to}"
        if sent.delivery_id in ids:
            yield f"{name}: stands there twice"
        ids.add(sent.delivery_id)
        granted = wanted[key].covers if key in wanted else ()
        if sent.event_id and key not in wanted:
            yield f"{name}: is not granted"
        elif leaked := sorted((sent.filled | set(sent.covers)) - set(granted)):
            yield f"{name}: tells {', '.join(leaked)}, not granted"
    there = {(sent.origin, sent.event_id) for sent in records}
    yield from (
        f"{member}: event {event} of {origin} is not on its topic" for origin, event in sorted(wanted.keys() - there)
    )
    yield from _told_faults(member, records, expected)
    yield from _number_faults(member, records)


def _told_faults(member: str, records: Sequence[Sent], expected: Expectation) -> Iterator[str]:
    """Of each incident a recipient is sent exactly this, in this order: shares, and notices that there is no news."""
    told: dict[IncidentKey, list[tuple[str, str]]] = {}
    for sent in records:
        told.setdefault((sent.origin, sent.incident_id), []).append((sent.action.lower(), sent.event_id))
    wanted = expected.sent[member]
    for key in sorted(told.keys() | wanted.keys()):
        if told.get(key, []) != wanted.get(key, []):
            actions = ([action for action, _ in of.get(key, [])] for of in (told, wanted))
            found, right = (", ".join(each) or "nothing" for each in actions)
            yield f"{member}: of incident {key[1]} of {key[0]} it was sent {found}; expected, in order, {right}"


def _number_faults(member: str, records: Sequence[Sent]) -> Iterator[str]:
    numbers: dict[str, list[int]] = {}
    for sent in records:
        numbers.setdefault(f"incident {sent.incident_id} of {sent.origin}", []).append(sent.number)
        numbers.setdefault(f"stream {sent.stream}", []).append(sent.stream_sequence)
    for what, counted in numbers.items():
        if counted != list(range(1, len(counted) + 1)):
            yield f"{member}: the deliveries of {what} are not numbered from 1 without a gap"
