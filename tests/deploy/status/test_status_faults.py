"""What is wrong is told for whom, why and since when; and nothing is told that is well."""

from __future__ import annotations

import pytest

from deploy.status.picture import Picture, silent
from deploy.status.targets import Target
from deploy.status.telling import sentence
from tests.deploy.status.telling import NOON, REFUSED, address, down, every, kinds, only, up, watched


def spool(events: int, oldest_s: float, origin: str = "north") -> str:
    return f'spool_events{{origin="{origin}"}} {events}\nspool_oldest_seconds{{origin="{origin}"}} {oldest_s}\n'


def acknowledged(count: int) -> str:
    return f'produced_events_total{{origin="north",outcome="acknowledged"}} {count}\n'


def routed(count: int) -> str:
    return f'routed_events_total{{origin="north",outcome="routed"}} {count}\n'


def granted(count: int) -> str:
    return f'decisions_total{{origin="north",recipient="south",outcome="shared-in-part"}} {count}\n'


def written(count: int) -> str:
    return f'delivered_total{{recipient="south",outcome="written"}} {count}\n'


WELL = (
    up("produce", "north", acknowledged(5) + spool(0, 0)),
    up("route", "tests"),
    up("route-worker", "tests", routed(5) + granted(5) + 'member_suspended{member="south"} 0'),
    up("consume", "south", written(5) + 'consumer_lag_seconds{recipient="south"} 0'),
    up("ledger", "north"),
)


def with_one(replaced, *others):
    """All is well but for this process."""
    others_left = [one for one in WELL if (one.service, one.whose) != (replaced.service, replaced.whose)]
    return (*others_left, replaced, *others)


def told(*pictures: Picture) -> str:
    report = watched(*pictures)
    return sentence(only(report), report)


def test_where_all_flows_nothing_is_told():
    report = watched(*every(2, WELL, WELL))
    assert report.faults == ()
    assert report.is_flowing


@pytest.mark.parametrize(
    ("process", "kind", "words"),
    [
        (
            down("consume", "south"),
            ("not-delivered", "south"),
            "Southern Police: nothing delivered: consumer not reach",
        ),
        (
            down("produce", "north"),
            ("not-published", "north"),
            "Northern Police: nothing published: producer not reach",
        ),
        (down("ledger", "north"), ("not-recorded", "north"), "Northern Police: nothing kept in its ledger: ledger not"),
        (down("route-worker", "tests"), ("not-routed", ""), "Exchange: nothing routed: worker of the router not reach"),
        (
            up("consume", "south", unready="no broker of Kafka can be reached"),
            ("not-delivered", "south"),
            "Southern Police: nothing delivered: consumer not ready: no broker of Kafka can be reached",
        ),
        (
            up("route-worker", "tests", unready="policy 8 cannot be read"),
            ("not-routed", ""),
            "Exchange: nothing routed: worker of the router not ready: policy 8 cannot be read",
        ),
    ],
)
def test_a_part_that_is_not_there_or_not_ready_stops_what_it_does(process, kind, words):
    picture = Picture(NOON, with_one(process))
    assert kinds(watched(picture)) == [kind]
    assert told(picture).startswith(words)
    assert not watched(picture).is_flowing


def test_another_that_does_the_work_keeps_it_flowing_and_the_missing_one_is_told_all_the_same():
    report = watched(Picture(NOON, with_one(down("consume", "south"), up("consume", "south", at="b:1"))))
    assert kinds(report) == [("process", "south")]
    assert report.is_flowing
    one_of_two = with_one(down("route-worker", "tests"), up("route-worker", "tests", at="b:1"))
    assert watched(Picture(NOON, one_of_two)).is_flowing


def test_since_when_is_told_once_it_lasts_and_no_further_back_than_was_watched():
    gone = with_one(down("consume", "south"))
    assert " for " not in told(*every(2, WELL, gone))
    assert "nothing delivered for 4 min: consumer not reachable" in told(*every(60, WELL, gone, gone, gone, gone, gone))
    assert "nothing delivered for at least 4 min: consumer" in told(*every(60, gone, gone, gone, gone, gone))


def test_what_ended_and_came_again_is_counted_from_its_second_beginning():
    gone = with_one(down("consume", "south"))
    report = watched(*every(60, WELL, gone, gone, WELL, gone, gone))
    assert only(report).since == NOON + 4 * 60


def test_a_producer_that_waits_tells_since_when_by_its_oldest_event():
    waiting = up("produce", "north", spool(1200, 240), unready="Kafka has acknowledged nothing for some seconds")
    report = watched(Picture(NOON, with_one(waiting)))
    assert kinds(report) == [("not-published", "north")], "what waits in the spool is told once"
    assert sentence(report.faults[0], report).startswith(
        "Northern Police: nothing published for 4 min: producer not re"
    )
    assert sentence(report.faults[0], report).endswith("; 1,200 events wait in its spool")


@pytest.mark.parametrize(
    ("process", "kind", "words"),
    [
        (up("route-worker", "tests", 'member_suspended{member="south"} 1'), "suspended", "huecry provision plan"),
        (up("route-worker", "tests", 'origin_paused{origin="south"} 1'), "paused", "its events are not routed"),
        (
            up("route-worker", "tests", 'input_lag_seconds{origin="south"} 90'),
            "late",
            "routed late: the oldest is 1 min",
        ),
        (up("consume", "south", 'consumer_lag_seconds{recipient="south"} 90'), "late", "deliveries to it are late"),
    ],
)
def test_what_stands_in_a_members_way_is_told_with_why(process, kind, words):
    picture = Picture(NOON, with_one(process))
    assert kinds(watched(picture)) == [(kind, "south")]
    assert words in told(picture)
    assert not watched(picture).is_flowing


def test_what_a_person_must_look_at_is_told_and_all_flows_nevertheless():
    refused = 'quarantined_records_total{member="south",reason="bad-key"} '
    before = with_one(up("route-worker", "tests", refused + "4"))
    after = with_one(
        up("route-worker", "tests", refused + "6"), up("produce", "south", 'set_aside_records{origin="south"} 1')
    )
    report = watched(*every(2, before, after))
    assert [sentence(fault, report) for fault in report.faults] == [
        "Southern Police: 2 records just refused by the router: bad-key; see huecry quarantine list --member south",
        "Southern Police: 1 record set aside, awaiting a person: see huecry setaside list",
    ]
    assert report.is_flowing


def test_what_was_refused_before_the_window_is_history():
    refused = with_one(up("route-worker", "tests", 'quarantined_records_total{member="south",reason="bad-key"} 4'))
    assert watched(*every(2, refused, refused)).faults == ()


def test_deliveries_and_ledger_records_just_set_aside_are_told():
    aside = 'delivered_total{recipient="south",outcome="set-aside"} 1'
    report = watched(*every(2, WELL, (*with_one(up("consume", "south", aside)), up("ledger", "south", aside))))
    words = [sentence(fault, report) for fault in report.faults]
    assert "Southern Police: 1 delivery just set aside: see table set_aside of its database" in words


def test_more_than_a_few_aborted_transactions_and_any_replaced_worker_are_told():
    def ended(committed: int, aborted: int, replaced: int):
        lines = (
            f'transactions_total{{outcome="committed"}} {committed}\ntransactions_total{{outcome="aborted"}} {aborted}'
        )
        worker = up("route-worker", "tests", lines)
        return (
            *with_one(worker)[:-1],
            worker,
            up("route", "tests", f'workers_replaced_total{{reason="died"}} {replaced}'),
        )

    assert watched(*every(2, ended(10, 0, 0), ended(110, 2, 0))).faults == ()
    report = watched(*every(2, ended(10, 0, 0), ended(30, 5, 1)))
    assert [sentence(fault, report) for fault in report.faults] == [
        "Exchange: 5 of 25 transactions aborted: what they held was routed again",
        "Exchange: 1 worker of the router replaced: 1 died",
    ]


def moments(*counts: tuple[int, int, int, int]):
    """Published, routed, granted and delivered, at each look."""
    return [
        (
            up("produce", "north", acknowledged(published)),
            up("route-worker", "tests", routed(through) + granted(given)),
            up("consume", "south", written(delivered)),
        )
        for published, through, given, delivered in counts
    ]


def test_what_went_in_some_time_ago_and_never_came_out_stands_still_though_everybody_is_ready():
    stuck_consumer = watched(*every(6, *moments((0, 0, 0, 0), (9, 9, 9, 0), (9, 9, 9, 0), (9, 9, 9, 0))))
    assert kinds(stuck_consumer) == [("not-delivered", "south")]
    stuck_router = watched(*every(6, *moments((0, 0, 0, 0), (9, 0, 0, 0), (9, 0, 0, 0), (9, 0, 0, 0))))
    assert kinds(stuck_router) == [("not-routed", "north")]


def test_what_has_only_just_gone_in_or_is_on_its_way_does_not_stand_still():
    just = watched(*every(6, *moments((0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (9, 9, 9, 0))))
    some = watched(*every(6, *moments((0, 0, 0, 0), (9, 9, 9, 1), (9, 9, 9, 1), (9, 9, 9, 1))))
    assert just.faults == some.faults == ()


def test_a_stopped_consumer_is_told_once_though_what_it_is_owed_piles_up():
    (first, *rest) = moments((0, 0, 0, 0), (9, 9, 9, 0), (9, 9, 9, 0))
    stopped = [(*(one for one in moment if one.service != "consume"), down("consume", "south")) for moment in rest]
    assert kinds(watched(*every(11, first, *stopped))) == [("not-delivered", "south")]


def test_a_process_that_answered_before_keeps_its_name_when_it_falls_silent():
    unnamed = silent(Target(address("consume", "south")), REFUSED)
    gone = tuple(unnamed if one.service == "consume" else one for one in WELL)
    assert kinds(watched(*every(2, WELL, gone))) == [("not-delivered", "south")]
    assert kinds(watched(*every(2, gone))) == [("process", "")]


def test_an_unknown_process_and_a_registry_are_told_as_processes_and_only_the_broker_stops_all():
    report = watched(Picture(NOON, (*WELL, down("registry", "exchange"))))
    assert kinds(report) == [("process", "")]
    assert report.is_flowing
    assert not watched(Picture(NOON, (*WELL, down("broker", "exchange")))).is_flowing


def test_the_gravest_comes_first():
    aside = up("produce", "north", acknowledged(5) + 'set_aside_records{origin="north"} 2')
    report = watched(Picture(NOON, (*with_one(aside)[:-1], aside, down("consume", "north"))))
    assert [fault.is_grave for fault in report.faults] == [True, False]


AWAY = "Kafka does not answer at kafka.example:9092 (12 s)"


def cut_off(service: str, whose: str, lines: str = "", **options):
    return up(service, whose, lines, unready=AWAY, component="kafka", **options)


def test_kafka_away_is_told_once_and_not_for_each_whom_it_does_not_answer():
    late = 'consumer_lag_seconds{recipient="south"} 90'
    stuck = (
        cut_off("produce", "north", spool(7, 90)),
        up("route", "tests", unready="0 of 1 workers have their partitions"),
        cut_off("route-worker", "tests", 'input_lag_seconds{origin="north"} 90'),
        cut_off("consume", "south", late),
        cut_off("ledger", "north"),
    )
    report = watched(Picture(NOON, stuck))
    assert (
        sentence(only(report), report)
        == f"Exchange: nothing flows, Kafka is away: 4 processes cannot work with it; {AWAY}"
    )
    and_one_gone = watched(Picture(NOON, (*stuck, down("consume", "north"))))
    assert kinds(and_one_gone) == [("kafka", ""), ("not-delivered", "north")]


def test_one_whom_kafka_does_not_answer_is_told_for_itself():
    report = watched(Picture(NOON, with_one(cut_off("consume", "south"))))
    assert kinds(report) == [("not-delivered", "south")]
    assert AWAY in sentence(only(report), report)


def test_a_process_whose_loop_has_stopped_does_nothing_though_it_says_that_it_is_ready():
    report = watched(Picture(NOON, with_one(up("consume", "south", written(5) + "loop_silent_seconds 45"))))
    assert kinds(report) == [("not-delivered", "south")]
    assert "it hangs: its main loop has not come round for 45 s" in sentence(only(report), report)
    assert watched(Picture(NOON, with_one(up("consume", "south", "loop_silent_seconds 5")))).faults == ()


def test_what_is_late_because_nobody_takes_it_is_told_once():
    late = up("consume", "south", 'consumer_lag_seconds{recipient="south"} 90', unready="the database is away")
    assert kinds(watched(Picture(NOON, with_one(late)))) == [("not-delivered", "south")]


def test_when_a_member_last_published_and_received_is_remembered_when_nobody_tells_any_more():
    said = 'last_delivered_timestamp_seconds{recipient="south",store="receiving"} '
    report = watched(
        *every(2, with_one(up("consume", "south", f"{said}{NOON - 90}")), with_one(down("consume", "south")))
    )
    (south,) = (one for one in report.members if one.member == "south")
    assert south.last_delivered_at == NOON - 90
    routed_at = f'last_routed_timestamp_seconds{{origin="north"}} {NOON - 5}'
    (north,) = (
        one for one in watched(Picture(NOON, (up("route-worker", "t", routed_at),))).members if one.member == "north"
    )
    assert north.last_published_at == NOON - 5


def receiving(*samples: str) -> Picture:
    return Picture(NOON, with_one(up("consume", "south", written(5) + "\n".join(samples) + "\n")))


def test_deliveries_that_are_missing_are_a_grave_fault_until_they_come():
    report = watched(receiving('missing_deliveries{recipient="south"} 3'))
    assert kinds(report) == [("missing", "south")]
    assert not report.is_flowing
    assert told(receiving('missing_deliveries{recipient="south"} 3')) == (
        "Southern Police: 3 deliveries to it missing: read again with huecry replay"
    )
    assert kinds(watched(receiving('missing_deliveries{recipient="south"} 0'))) == []


def test_a_number_that_was_just_given_out_twice_is_told():
    before, after = (f'stream_faults_total{{recipient="south",fault="reused"}} {count}' for count in (4, 5))
    report = watched(*every(2, receiving(before).processes, receiving(after).processes))
    assert kinds(report) == [("missing", "south")]
    assert "1 number of its streams given out twice" in sentence(only(report), report)


def test_what_was_not_answered_in_time_is_told_and_all_flows_all_the_same():
    overdue, in_time = (
        f'awaited_answers{{recipient="south",what="{what}",due="{due}"}} {count}'
        for what, due, count in (("transfer", "overdue", 2), ("retract", "in-time", 1))
    )
    report = watched(receiving(overdue, in_time))
    assert kinds(report) == [("unanswered", "south")]
    assert report.is_flowing
    assert sentence(only(report), report).startswith(
        "Southern Police: not answered in time: 2 transfer: see huecry ans"
    )
