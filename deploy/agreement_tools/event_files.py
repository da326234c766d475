"""Events in a file: one JSON object, a list of them, or one to a line (JSONL), as in ``schemas/examples``.

They become what conditions may read in the same way as an event that arrives: encoded, opened and considered. What is
wrong with one is told with its file and line, and never with what it holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from routing.agreements import Considered
from routing.agreements.state import FIRST_EVENT, State, state_from_dict
from routing.considering import considered
from routing.geography.measuring import Geography
from schemas.codec import EventCodec
from schemas.errors import Rejected
from schemas.event import IncidentEvent

MAX_BYTES: Final = 256 * 1024 * 1024
_EVENT_MAX_BYTES: Final = 256 * 1024
_CODEC: Final = EventCodec()
_REMEDY: Final = "docs/reference/messages.md has every field of an IncidentEvent"


@dataclass(frozen=True, slots=True)
class StatedEvent:
    """One event of a file."""

    place: str
    """``events.jsonl:12``."""
    event_id: str
    incident_id: str
    considered: Considered


def read_events(path: Path, geography: Geography) -> list[StatedEvent]:
    """Every event of a file, in order, its places measured by a bundle's geography.

    Raises:
        Rejected: ``bad-event``: the file cannot be read, is not JSON, or holds something that is not an IncidentEvent.
    """
    found = [_stated(place, value, geography) for place, value in _objects(path, "an event")]
    if not found:
        raise Rejected("bad-event", f"{path}: expected events, the file holds none", remedy=_REMEDY)
    return found


def read_states(path: Path | None, events: int) -> list[State]:
    """What came before each event: one state for all of them, or one to an event.

    Raises:
        Rejected: ``bad-state``.
    """
    if path is None:
        return [FIRST_EVENT] * events
    states = []
    for place, value in _objects(path, "a state"):
        try:
            states.append(state_from_dict(value))
        except Rejected as error:
            raise Rejected(error.reason, f"{place}: {error}", remedy=error.remedy) from None
    if len(states) == 1:
        return states * events
    if len(states) != events:
        raise Rejected(
            "bad-state", f"{path}: expected one state, or one for each of {events} events; got {len(states)}"
        )
    return states


def _stated(place: str, value: dict[str, Any], geography: Geography) -> StatedEvent:
    try:
        event = IncidentEvent.model_validate(value)
        _, opened = _CODEC.open(_CODEC.encode(event.to_avro()), _EVENT_MAX_BYTES)
        return StatedEvent(place, event.event_id, event.incident_id, considered(opened, geography))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "the event"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise Rejected("bad-event", f"{place}: {field}: {first['msg']}{more}", remedy=_REMEDY) from None
    except Rejected as error:
        raise Rejected("bad-event", f"{place}: {error}", remedy=error.remedy or _REMEDY) from None


def _objects(path: Path, what: str) -> Iterator[tuple[str, dict[str, Any]]]:
    text = _text(path)
    try:
        values = [(str(path), json.loads(text))]
    except json.JSONDecodeError:
        values = list(_lines(path, text, what))
    for place, value in values:
        listed = value if isinstance(value, list) else [value]
        for number, one in enumerate(listed, 1):
            where = f"{place}, number {number}" if isinstance(value, list) else place
            if not isinstance(one, dict):
                raise Rejected("not-an-object", f"{where}: expected {what} as a JSON object, got {type(one).__name__}")
            yield where, one


def _lines(path: Path, text: str, what: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield f"{path}:{number}", json.loads(line)
            except json.JSONDecodeError as error:
                message = f"{path}:{number}: expected {what} as JSON; at character {error.pos + 1}: {error.msg}"
                raise Rejected(
                    "not-json", message, remedy="write one JSON object to a file, or one to a line"
                ) from None


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise Rejected("too-large", f"{path}: larger than {MAX_BYTES >> 20} MiB: split it")
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise Rejected("unreadable", f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Rejected("unreadable", f"{path}: expected UTF-8 text") from None
