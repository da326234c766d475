"""When what is due may happen: once whoever could have answered in time has been heard, and no sooner."""

from __future__ import annotations

from datetime import timedelta

from routing.effects import Known
from routing.elapsed import elapsed
from routing.intake import Place
from routing.state.agenda import Agenda, Appointment, Matter
from routing.state.incident import milliseconds_of
from routing.timekeeping import Due, Timekeeper
from schemas.errors import Unavailable
from tests.routing.clocks import Set
from tests.routing.play import Play
from tests.routing.scene import CODEC, NOW, a_share, an_exchange

KEY = b"north/i-1"
RULINGS, SOUTHS = ("rulings.north", 3), ("receipts.south", 3)
DUE_MS = milliseconds_of(NOW)
CASE, ANSWER = Matter("case", "west"), Matter("transfer", "south")


class Topics:
    """How far inputs go, and how far they have been routed."""

    def __init__(self) -> None:
        self.ends: dict[Place, int] = {}
        self.routed: dict[Place, int] = {}
        self.asked: list[Place] = []
        self.silent = False

    def position(self, place: Place) -> int:
        return self.routed.get(place, 0)

    def end(self, place: Place) -> int:
        if self.silent:
            raise Unavailable("the broker does not answer")
        self.asked.append(place)
        return self.ends.get(place, 0)


class Watch:
    """A timekeeper of one partition, that may look as often as it is asked."""

    def __init__(self, *matters: Matter, due_ms: int = DUE_MS) -> None:
        self.topics, self.clock = Topics(), Set(NOW - timedelta(minutes=1))
        self.agenda = Agenda({KEY: Appointment(due_ms, matters)})
        self._keeper = Timekeeper(self.topics, self.clock, an_exchange())

    def due(self) -> list[Due]:
        self._keeper._next_look = 0.0
        return self._keeper.due([(3, self.agenda)])


def test_nothing_is_due_before_its_time_and_nobody_is_asked():
    watch = Watch(CASE)
    assert watch.due() == []
    assert watch.topics.asked == []


def test_what_is_due_waits_until_what_stood_on_the_topic_after_the_deadline_is_routed():
    watch = Watch(CASE)
    watch.topics.ends[RULINGS] = 7
    watch.clock.move(minutes=2)
    assert watch.due() == []
    watch.topics.routed[RULINGS] = 6
    assert watch.due() == []
    watch.topics.routed[RULINGS] = 7
    assert [each[:2] for each in watch.due()] == [(3, KEY)]


def test_what_came_after_is_not_waited_for():
    watch = Watch(CASE)
    watch.topics.ends[RULINGS] = 7
    watch.clock.move(minutes=2)
    assert watch.due() == []
    watch.topics.ends[RULINGS] = 9
    watch.topics.routed[RULINGS] = 7
    assert [each[:2] for each in watch.due()] == [(3, KEY)]


def test_every_topic_is_heard_on_which_an_answer_may_stand():
    watch = Watch(CASE, ANSWER)
    watch.topics.ends = {RULINGS: 1, SOUTHS: 1}
    watch.topics.routed = {RULINGS: 1}
    watch.clock.move(minutes=2)
    assert watch.due() == []
    assert set(watch.topics.asked) == {RULINGS, SOUTHS}
    watch.topics.routed[SOUTHS] = 1
    assert len(watch.due()) == 1


def test_while_the_broker_does_not_say_how_far_a_topic_goes_nothing_happens():
    watch = Watch(CASE)
    watch.clock.move(minutes=2)
    watch.topics.silent = True
    assert watch.due() == []
    watch.topics.silent = False
    assert len(watch.due()) == 1


def test_it_is_told_until_when_everybody_was_heard():
    """A router that was away acts late: what fell due meanwhile may have been answered since it asked."""
    watch = Watch(ANSWER)
    watch.topics.ends[SOUTHS] = 1
    watch.clock.move(minutes=2)
    asked_ms = milliseconds_of(watch.clock.now())
    assert watch.due() == []
    watch.clock.move(minutes=30)
    watch.topics.routed[SOUTHS] = 1
    assert watch.due() == [Due(3, KEY, asked_ms)]


def test_what_is_due_later_than_everybody_was_heard_is_left():
    play = Play(a_share("all", ["south", "west"], ["classification"]))
    play.event(kind="TRANSFER", to=["south"])
    asked = play.now
    play.now += timedelta(seconds=30)
    play.event(kind="ASSISTANCE", to=["west"])
    known = Known(None, lambda _member: 0, lambda _key: play.state(), play._event_at)
    heard_until, now = asked + timedelta(seconds=100), asked + timedelta(hours=1)

    effects = elapsed(KEY, 0, play.policy, now, CODEC, known, heard_until)

    assert effects is not None
    assert effects.feedback == (("north", "unanswered"),)
    ((_, after),) = effects.others
    left = {each.member: (each.step, each.deadline) for each in after.expected.value}
    assert left == {"south": (0, asked + timedelta(seconds=120)), "west": (1, None)}
