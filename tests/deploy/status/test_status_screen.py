"""The screen fits eighty columns and says first what is wrong; JSON says the same in full."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from rich.console import Console

from deploy.status.as_json import as_json
from deploy.status.fault import Kind
from deploy.status.picture import Picture
from deploy.status.screen import screen
from deploy.status.watch import Report
from deploy.status.words import duration, of_things, short
from schemas.ops.metric_catalogue import SERVICES
from tests.deploy.status.telling import NOON, REFUSED, down, every, up, watched

NAMES = {"north": "Yorkshire and the Humber Ambulance Service", "south": "Southern Police"}


def moment(count: int, *others):
    return (
        up(
            "produce",
            "north",
            f'produced_events_total{{origin="north",outcome="acknowledged"}} {count}\n'
            'spool_events{origin="north"} 1234567\nspool_oldest_seconds{origin="north"} 12\n'
            'set_aside_records{origin="north"} 3',
        ),
        up(
            "route-worker",
            "tests",
            "\n".join(
                f'decisions_total{{origin="north",recipient="south",outcome="{outcome}"}} {count * n}'
                for n, outcome in enumerate(("shared", "shared-in-part", "withheld", "forbidden"), start=1)
            )
            + f'\ntransactions_total{{outcome="committed"}} {count}\nmember_suspended{{member="north"}} 1',
        ),
        up(
            "consume",
            "south",
            f'delivered_total{{recipient="south",outcome="written"}} {count * 3}\n'
            f'receive_seconds_bucket{{recipient="south",le="0.5"}} {count}\n'
            f'receive_seconds_bucket{{recipient="south",le="+Inf"}} {count}\n'
            'consumer_lag_seconds{recipient="south"} 0.2\n'
            f'last_delivered_timestamp_seconds{{recipient="south",store="receiving"}} {NOON - 240}',
        ),
        *others,
    )


@pytest.fixture
def report() -> Report:
    gone = down("ledger", "south", at="a-machine-with-a-long-name.kent.police.example:9400")
    return watched(*every(10, moment(0, gone), moment(1000, gone), moment(2000, gone)), names=NAMES)


def shown(report: Report, width: int = 80, most_processes: int | None = None) -> str:
    console = Console(width=width, file=io.StringIO(), highlight=False)
    console.print(screen(report, most_processes))
    return console.file.getvalue()


def test_it_fits_eighty_columns_and_every_figure_is_whole(report):
    text = shown(report)
    assert max(map(len, text.splitlines())) <= 80
    (row,) = (line for line in text.splitlines() if re.match(r"Southern Police +- ", line))
    assert row.split()[2:] == ["-", "-", "2000", "4000", "14000", "6000", "4m", "200ms", "250ms", "495ms"]
    assert "…" in text, "what is too long for eighty columns is a name"


def test_what_is_wrong_comes_before_all_figures(report):
    text = " ".join(shown(report).split())
    assert text.startswith("Not everything flows")
    assert text.index("nothing kept in its ledger for at least 20 s: ledger not reachable") < text.index("member")
    assert text.index("suspended, its deliveries are recorded as undeliverable") < text.index("member")


def test_what_is_held_up_is_shown_for_whom(report):
    held_up = shown(report).partition("held up at")[2]
    assert re.search(r"Yorkshire and the .*1234567 +12s +3 +0 +yes +-", held_up)
    assert "Southern" not in held_up.partition("process")[0]


def test_processes_in_trouble_come_first_and_what_does_not_fit_is_counted(report):
    rows = shown(report, most_processes=2).partition("process  ")[2].splitlines()
    assert rows[2].startswith("ledger south")
    assert "and 2 more" in rows[-1]


def test_what_no_process_counts_is_not_told_as_nothing(report):
    members = shown(report).partition("held up at")[0]
    (row,) = (line for line in members.splitlines() if line.startswith("Yorkshire and the"))
    assert row.split()[-10:] == ["2000", "0", "0", "0", "0", "-", "-", "-", "-", "-"], "its consumer is asked nowhere"
    told = {one["member"]: one for one in as_json(report)["members"]}
    assert (told["north"]["published_per_s"], told["north"]["delivered_per_s"]) == (100, None)
    assert (told["south"]["published"], told["south"]["published_per_s"]) == (None, None)


def test_at_the_first_look_no_count_is_claimed():
    text = shown(watched(Picture(NOON, moment(1000)), names=NAMES))
    (row,) = (line for line in text.splitlines() if line.startswith("Southern Police"))
    assert row.split()[2:] == ["-", "-", "-", "-", "-", "-", "4m", "200ms", "-", "-"]
    assert "Counts: with the next look" in text


def test_where_nobody_answers_nothing_is_claimed():
    report = watched(Picture(NOON, (down("consume", "south"),)))
    assert shown(report).startswith("No process answers: nothing is known")
    assert as_json(report)["flowing"] is False


def test_json_holds_all_of_it_and_is_json(report):
    told = json.loads(json.dumps(as_json(report), allow_nan=False))
    assert (told["flowing"], told["window_s"]) == (False, 20.0)
    south = next(one for one in told["members"] if one["member"] == "south")
    assert south["decided"] == {"shared": 2000, "shared-in-part": 4000, "withheld": 6000, "forbidden": 8000}
    assert south["decided_per_s"]["shared"] == 100
    assert (south["delivered"], south["delivered_per_s"]) == ({"written": 6000}, 300)
    assert (south["p50_ms"], south["p99_ms"], south["delivery_lag_s"]) == (250, 495, 0.2)
    north = next(one for one in told["members"] if one["member"] == "north")
    assert (north["published"], north["published_per_s"], north["spool_events"]) == (2000, 100, 1234567)
    assert (north["set_aside"], north["suspended"], north["paused"]) == (3, True, False)
    assert north["last_published_at"] == as_json(report)["at"]
    gone = next(one for one in told["processes"] if not one["up"])
    assert (gone["service"], gone["whose"], gone["trouble"], gone["started_at"]) == ("ledger", "south", REFUSED, None)
    worker = next(one for one in told["processes"] if one["service"] == "route-worker")
    assert worker["transactions"] == {"committed": 2000}
    fault = told["faults"][0]
    assert fault["grave"]
    assert fault["since"] is None, "it was there at the first look"
    assert fault["words"].startswith("Southern Police: nothing kept in its ledger")


def test_a_time_beyond_the_last_bound_is_null_in_json_and_endless_on_the_screen(report):
    members = tuple(replace(one, p50_s=float("inf"), p99_s=float("inf")) for one in report.members)
    endless = replace(report, members=members)
    assert "∞" in shown(endless)
    json.dumps(as_json(endless), allow_nan=False)


@pytest.mark.parametrize(
    ("seconds", "words", "in_a_column"),
    [
        (0, "0 s", "0"),
        (0.0815, "0 s", "82ms"),
        (1.24, "1 s", "1.2s"),
        (34, "34 s", "34s"),
        (240, "4 min", "4m"),
        (3599, "59 min", "59m"),
        (7500, "2 h 5 min", "2h"),
        (86_400 * 3 + 5, "3 d", "3d"),
    ],
)
def test_times_are_told_as_people_tell_them(seconds, words, in_a_column):
    assert (duration(seconds), short(seconds)) == (words, in_a_column)
    assert len(short(seconds)) <= 5


def test_one_is_not_many():
    assert [of_things(count, "record") for count in (0, 1, 1200)] == ["0 records", "1 record", "1,200 records"]
    assert of_things(2, "delivery", "deliveries") == "2 deliveries"


def test_every_key_and_kind_and_service_stands_in_the_guide(report):
    guide = (Path(__file__).parents[3] / "docs" / "status.md").read_text("utf-8")
    told = as_json(report)
    keys = {*told, *(key for part in ("faults", "members", "processes") for key in told[part][0])}
    missing = {word for word in (*keys, *get_args(Kind), *SERVICES) if f"`{word}`" not in guide}
    assert missing - {"faults", "members", "processes"} == set()
    assert set(re.findall(r"`(\w+_(?:s|ms|per_s|at))`", guide)) <= keys | {"_per_s"}, (
        "no key is promised that is not there"
    )
