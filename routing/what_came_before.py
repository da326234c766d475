"""What was remembered of an incident when an event of it was decided, as its disclosure record tells it: JSON.

The record must hold all that turned the decision, so that it can be made again. Most incidents are remembered alike,
so the text of each part is made once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

from routing.agreements.state import FIRST_EVENT, History, Holding, State, state_to_dict
from routing.state.incident import Incident, Rulings, moment_of, state_of_rulings
from routing.state.kept import Kept
from schemas.wire import long_bytes

NOTHING: Final = b"\x00"
"""In the record: nothing came before."""
_GIVEN: Final = b"\x02"
_REMEMBERED_MOST: Final = 4_096
_NO_STATE: Final = state_to_dict(FIRST_EVENT)


def what_came_before(incident: Incident | None) -> bytes:
    """The record's ``state``, encoded: the state in the form of `agreements.state`, less what has its default."""
    if incident is None:
        return NOTHING
    parts = (
        _time("last_event_at", incident.last_event_ms),
        "" if incident.closed_ms is None else _time("closed_at", incident.closed_ms),
        _lasting(incident.history, incident.holdings, incident.rulings),
    )
    text = f"{{{','.join(filter(None, parts))}}}".encode()
    return b"".join((_GIVEN, long_bytes(len(text)), text))


def _time(name: str, at_ms: int) -> str:
    """As ``isoformat`` writes it: a second is written once, since many events are of the same."""
    second, rest_ms = divmod(at_ms, 1_000)
    return f'"{name}":"{_second(second)}{f".{rest_ms:03d}000" if rest_ms else ""}+00:00"'


@lru_cache(maxsize=256)
def _second(since_1970: int) -> str:
    return moment_of(1_000 * since_1970).replace(tzinfo=None).isoformat()


@lru_cache(maxsize=_REMEMBERED_MOST)
def _lasting(history: Kept[History], holdings: Kept[tuple[Holding, ...]], rulings: Kept[Rulings]) -> str:
    return ",".join(filter(None, (_history(history), _holdings(holdings), _rulings(rulings))))


@lru_cache(maxsize=_REMEMBERED_MOST)
def _history(history: Kept[History]) -> str:
    return _stated(replace(FIRST_EVENT, history=history.value))


@lru_cache(maxsize=_REMEMBERED_MOST)
def _holdings(holdings: Kept[tuple[Holding, ...]]) -> str:
    return _stated(replace(FIRST_EVENT, holdings=holdings.value))


@lru_cache(maxsize=_REMEMBERED_MOST)
def _rulings(rulings: Kept[Rulings]) -> str:
    return _stated(state_of_rulings(FIRST_EVENT, rulings.value))


def _stated(state: State) -> str:
    """The fields that have not their default, as the inside of an object."""
    plain = {name: value for name, value in state_to_dict(state).items() if value != _NO_STATE[name]}
    return json.dumps(_lean(plain), ensure_ascii=False, separators=(",", ":"))[1:-1]


def _lean(plain: Mapping[str, Any]) -> dict[str, Any]:
    """Of the history, only what was stated."""
    if "history" not in plain:
        return dict(plain)
    return {**plain, "history": {name: codes for name, codes in plain["history"].items() if codes}}
