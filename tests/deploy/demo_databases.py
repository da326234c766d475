"""What the databases of a played demonstration say, beside what it tells of itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from typing import Any, Final

import pytest

Told = dict[str, Any]
DELIVERED: Final = "SELECT delivery_id FROM delivery WHERE action IN ('share', 'correct')"
"""Deliveries of events: the others are notices that something is taken back."""
_RELEASED: Final = (
    "SELECT record_id, member FROM decision JOIN disclosure USING (record_id) WHERE topic LIKE 'rulings.%'"
)
_NOTICES: Final = "SELECT incident_id, kind FROM case_notice ORDER BY incident_id, at"
_PLACE: Final = "SELECT items FROM section WHERE section = 'locations' AND incident_id = ?"
_TOMBSTONE: Final = (
    "SELECT retract_reason, retract_ask, retracted_at IS NOT NULL, event_id FROM incident WHERE incident_id = ?"
)
_HANDED: Final = "SELECT local_ref, our_reference, taken_over_at IS NOT NULL FROM incident WHERE incident_id = ?"
_ANSWERED: Final = "SELECT what, closed_as, by_role FROM asked ORDER BY what"


def query(database: str, sql: str, *values: str) -> list[Any]:
    """The rows of a query."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return connection.execute(sql, values).fetchall()


def released(told: Told, force: str) -> list[str]:
    """For whom people of a force released an event: each is one more decision, besides those of events."""
    return [member for _, member in query(told["ledgers"][force], _RELEASED)]


def five_lives_are_lived(told: Told) -> None:
    """What the demonstration tells of its five lives: each step by whom it must be, in the order of time."""
    lives = told["lives"]
    assert list(lives) == ["released", "lapsed", "corrected", "retracted", "transferred"]
    for life in lives.values():
        times = [datetime.fromisoformat(moment["at"]) for moment in life["moments"]]
        assert times == sorted(times)
        assert life["took_s"] == pytest.approx((times[-1] - times[0]).total_seconds())

    def moments(name: str, *of: str) -> list[Any]:
        return [tuple(moment.get(each) for each in ("kind", *of)) for moment in lives[name]["moments"]]

    assert moments("released", "role", "person") == [
        ("referred", "duty-inspector", None),
        ("released", "duty-inspector", "inspector.invented"),
        ("delivered", None, None),
    ]
    assert moments("lapsed", "role") == [
        *(("referred", "duty-inspector"), ("escalated", "superintendent"), ("lapsed", None))
    ]
    assert moments("corrected", "action", "by_role") == [
        *(("delivered", "share", None), ("delivered", "correct", None), ("accepted", None, "duty-officer"))
    ]
    assert moments("retracted", "person", "by_role") == [
        ("delivered", None, None),
        ("retracted", "inspector.invented", None),
        ("restricted", None, None),
        ("erased", None, "duty-officer"),
    ]
    assert moments("transferred", "reference") == [("delivered", None), ("accepted", "WY-2026-0417")]


def the_ledger_has_their_cases_and_rulings(told: Told) -> None:
    """One case was ruled on, one passed both its deadlines; both rulings are those of whoever holds the token."""
    ledger = told["ledgers"]["greater-manchester"]
    assert query(ledger, _NOTICES) == [
        *(("GMP-INVENTED-1", "opened"), ("GMP-INVENTED-1", "released")),
        *(("GMP-INVENTED-2", "opened"), ("GMP-INVENTED-2", "escalated"), ("GMP-INVENTED-2", "lapsed")),
    ]
    assert query(ledger, "SELECT kind, person, authenticated_by FROM ruling ORDER BY kind") == [
        *(("release", "inspector.invented", "token"), ("retract", "inspector.invented", "token"))
    ]
    assert released(told, "greater-manchester") == ["west-yorkshire"]


def the_receivers_have_what_they_came_to(told: Told) -> None:
    """What was released, corrected and handed over is there; what lapsed never was; what was taken back is gone."""
    west, north, rivers = (told["databases"][to] for to in ("west-yorkshire", "north-yorkshire", "rivers-agency"))
    ((place,),) = query(west, _PLACE, "GMP-INVENTED-1")
    assert "Invented Mill Yard" in place
    assert query(north, "SELECT incident_id FROM incident WHERE incident_id LIKE 'GMP-%'") == []
    ((place,),) = query(west, _PLACE, "GMP-INVENTED-3")
    assert "Invented Street North" in place
    assert query(rivers, _TOMBSTONE, "GMP-INVENTED-4") == [("wrong-recipient", "erase", 1, None)]
    assert query(rivers, "SELECT section FROM section WHERE items IS NOT NULL") == []
    assert query(rivers, "SELECT section FROM sealed") == [], "a person there has erased it"
    assert query(west, _HANDED, "GMP-INVENTED-5") == [("D-105", "WY-2026-0417", 1)]
    assert query(west, _ANSWERED) == [("correct", "accepted", "duty-officer"), ("transfer", "accepted", None)]
    assert query(rivers, _ANSWERED) == [("retract", "erased", "duty-officer")]
