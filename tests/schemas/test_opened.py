"""What is remembered of sections changes nothing of what is taken, refused or found in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import opened
from schemas.codec import EventCodec
from schemas.cut import OpenEvent
from schemas.errors import Rejected
from schemas.wire import FRAME_BYTES, long_bytes

CODEC = EventCodec()
HEAD = {"sent_at": datetime(2026, 6, 1, tzinfo=UTC), "category": "unknown", "contact": {"desk": "d", "phone": "1"}}


def line(entry_id: str, about: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"entry_id": entry_id, "text": "seen", "about": list(about)}


lines = st.lists(st.builds(line, st.sampled_from("ab"), st.tuples(st.sampled_from(["l1", "p2"]))), max_size=5)


def body(**stated: Any) -> bytes:
    return CODEC.encode({"origin": "o", "incident_id": "i", "event_id": "e", **HEAD, **stated})[FRAME_BYTES:]


FORM = CODEC.form(CODEC.catalogue.current("IncidentEvent"))


@pytest.fixture(autouse=True)
def forgotten() -> None:
    forget()


def forget() -> None:
    FORM.seen = opened.Seen(FORM.names)


def said(body: bytes) -> list[Any]:
    """Every section's bytes and what stands where in it, or why it is refused; or why the event is."""
    try:
        event = FORM.open(body)
    except Rejected as why:
        return [why.reason]
    return [_said(event, name) for name in event.names]


def said_alone(body: bytes) -> list[Any]:
    """The same, with nothing remembered; what was before is remembered again afterwards."""
    before = FORM.seen
    forget()
    try:
        return said(body)
    finally:
        FORM.seen = before


def _said(event: OpenEvent, name: str) -> Any:
    try:
        return event.block(name), event.spots(name)
    except Rejected as why:
        return why.reason


@given(st.lists(lines, min_size=1, max_size=6))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_logs_that_grow_or_change_are_found_what_each_is_by_itself(several: list[list[dict[str, Any]]]):
    for each in (body(facts=items) for items in several):
        assert said(each) == said_alone(each)


@given(lines.filter(bool), st.integers(1, 7))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_log_that_counts_other_items_than_it_holds_is_refused_whatever_was_before(
    items: list[dict[str, Any]], count: int
):
    honest = body(facts=items)
    said(honest)
    start, _end = FORM.open(honest).span("facts")
    lies = honest[:start] + long_bytes(-count) + honest[start + 1 :]
    assert said(lies) == said_alone(lies)
    assert (said(lies) == said(honest)) == (count == len(items))


@pytest.mark.patches
def test_no_more_is_remembered_than_may_be_and_what_is_needed_stays(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(opened, "REMEMBERED_MOST", 8)
    needed = body(facts=[line("needed")])
    first = FORM.open(needed).checked("facts")
    for number in range(20):
        FORM.open(body(facts=[line(f"e{number}")])).checked("facts")
        assert FORM.open(needed).checked("facts") is first
    assert sum(map(len, FORM.seen.recent.values())) <= 4
