"""Deliveries that come late take their own place: in whatever order they come, what is held in the end is the same."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.sinks.sql import SqlSink
from tests.consumers.making import MEMBER, Topic, delivery_bytes, opened
from tests.consumers.model import Held, read_incidents
from tests.consumers.test_fold_covers import items

SECTIONS = ("victims", "suspects", "vehicles", "facts")
STATED = "SELECT event_id, latest_number, cleared_number, restricted FROM incident"
OF_SECTIONS = "SELECT section, items IS NULL, event_id, number FROM section ORDER BY section"

sections = st.lists(st.sampled_from(SECTIONS), unique=True, max_size=3)
words = st.one_of(
    st.tuples(st.sampled_from(["SHARE", "SHARE", "CORRECT"]), sections),
    st.tuples(st.just("WITHDRAW"), st.lists(st.sampled_from((*SECTIONS, "head")), unique=True, min_size=1, max_size=3)),
    st.tuples(st.sampled_from(["RESTRICTED", "RETRACT"]), st.just([])),
)


def made(said: list[tuple[str, list[str]]]) -> list[bytes]:
    """Deliveries of one incident, numbered from 1."""
    values = []
    for number, (action, named) in enumerate(said, start=1):
        terms = {"withdraws": named} if action == "WITHDRAW" else {}
        is_share = action in ("SHARE", "CORRECT")
        event: dict[str, Any] = {name: items(name, [number]) for name in named} if is_share else {"event_id": ""}
        covers = tuple(named) if is_share else ()
        values.append(delivery_bytes("i", number, action=action, covers=covers, terms=terms, number=number, **event))
    return values


class Received:
    """What a receiver holds of the incident."""

    def __init__(self, path: Path) -> None:
        self.held: dict[tuple[str, str], Held] = read_incidents(path)
        with closing(sqlite3.connect(path)) as database:
            self.incident = database.execute(STATED).fetchall()
            marked = database.execute(OF_SECTIONS).fetchall()
        self.shown = [row for row in marked if not row[1]]


def received(values: list[bytes], sizes: list[int]) -> Received:
    with tempfile.TemporaryDirectory() as folder:
        path, topic, turn = Path(folder, "r.db"), Topic(), 0
        with closing(SqlSink(path, MEMBER)) as sink:
            while values:
                size = sizes[turn % len(sizes)]
                sink.write(opened([topic.record(value) for value in values[:size]]))
                values, turn = values[size:], turn + 1
        return Received(path)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=st.lists(words, min_size=1, max_size=7), sizes=st.lists(st.integers(1, 4), min_size=1), data=st.data())
def test_in_whatever_order_deliveries_come_the_same_is_held(
    said: list[tuple[str, list[str]]], sizes: list[int], data: st.DataObject
) -> None:
    values = made(said)
    in_order = received(values, [1])
    in_disorder = received(data.draw(st.permutations(values)), sizes)
    assert in_disorder.shown == in_order.shown
    assert in_disorder.incident == in_order.incident
    one, other = in_order.held["west-yorkshire", "i"], in_disorder.held["west-yorkshire", "i"]
    assert other.retracted or not one.retracted, "a tombstone is never lost"
