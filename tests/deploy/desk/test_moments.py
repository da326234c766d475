"""Times as people say them: in London, never later than was meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from deploy.desk.moments import clock, distance, moment_said, span
from schemas.errors import Rejected

NOW = datetime(2026, 6, 1, 12, 0, 30, tzinfo=UTC)  # 13:00:30 in London


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("30m", NOW + timedelta(minutes=30)),
        ("+2h", NOW + timedelta(hours=2)),
        ("1d2h30m", NOW + timedelta(days=1, hours=2, minutes=30)),
        ("13:45", datetime(2026, 6, 1, 12, 45, tzinfo=UTC)),
        ("13:00", datetime(2026, 6, 2, 12, 0, tzinfo=UTC)),
        ("3:45", datetime(2026, 6, 2, 2, 45, tzinfo=UTC)),
        ("2026-12-01T08:00", datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("2026-07-01 08:00", datetime(2026, 7, 1, 7, tzinfo=UTC)),
        ("2026-07-01T08:00Z", datetime(2026, 7, 1, 8, tzinfo=UTC)),
    ],
)
def test_what_is_said_is_what_is_meant(said: str, meant: datetime) -> None:
    assert moment_said(said, NOW) == meant


def test_a_local_time_that_comes_twice_is_its_first() -> None:
    evening = datetime(2026, 10, 24, 20, tzinfo=UTC)
    assert moment_said("01:30", evening) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert moment_said("2026-10-25T01:30", evening) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("said", ["", "soon", "25:00", "12:61", "h", "m", "-2h", "2026-13-01"])
def test_what_is_no_time_is_refused_with_how_to_say_one(said: str) -> None:
    with pytest.raises(Rejected, match="expected a time as in 2h30m, 03:45") as refused:
        moment_said(said, NOW)
    assert refused.value.reason == "bad-time"


def test_a_time_is_shown_in_london_with_its_day_unless_that_is_today() -> None:
    assert clock(NOW, NOW) == "13:00"
    assert clock(NOW + timedelta(hours=12), NOW) == "Tue 2 Jun 01:00"
    assert distance(NOW + timedelta(minutes=14), NOW) == "in 14 min"
    assert distance(NOW - timedelta(hours=2, minutes=5), NOW) == "2 h 5 min ago"
    assert [span(timedelta(**each)) for each in ({"seconds": 40}, {"hours": 3}, {"days": 3, "hours": 4})] == [
        "40 s",
        "3 h",
        "3 d 4 h",
    ]
