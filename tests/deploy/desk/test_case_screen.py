"""What a duty inspector sees at three in the morning: what is asked, all that is known, and what came since."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from consumers.ledger_cases import CaseBook
from deploy.desk import case_list, case_screen
from deploy.desk.changes import marked, news
from deploy.desk.looking import look, seen
from deploy.desk.snapshots import snapshot_of
from schemas.casework import CaseLine
from schemas.codec import EventCodec
from schemas.errors import Rejected
from schemas.event import Casualty, Hazard, IncidentEvent, LogLine, Names, Person, Vehicle
from tests.consumers.case_making import SECRET, a_line, a_notice, an_event, case_record, violent_person
from tests.consumers.ledger_making import FORCE
from tests.consumers.making import at
from tests.consumers.test_ledger_cases import Kept

CODEC = EventCodec()
TEN = at(10)


def snapshot(**changes):
    found = snapshot_of(CODEC.encode(an_event(**changes).to_avro()), changes.get("sequence", 1))
    assert found is not None
    return found


class Screen:
    """A ledger and somebody who looks at it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept = Kept(path)
        self.step = 0

    def comes(self, *lines: CaseLine, event: IncidentEvent | None = None, notices=()) -> None:
        self.step += 1
        self.kept.take("cases", case_record(*lines, event=event, notices=tuple(notices), step=self.step))

    def shows(self, reader: str = "asmith", now: datetime = TEN) -> list[str]:
        with CaseBook(self.path, FORCE) as book:
            case = book.whole_case("i-1")
            found = look(case, book.last_view(reader, "i-1"))
            book.has_looked(reader, found.latest, now)
            return list(case_screen.as_lines(found, now))

    def lists(self, now: datetime = TEN) -> list[str]:
        with CaseBook(self.path, FORCE) as book:
            return list(case_list.as_lines(book.open_cases(), now))


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    made = Screen(tmp_path / "ledger.db")
    with closing(made.kept.sink):
        yield made


def line_with(lines: list[str], words: str) -> str:
    found = [line for line in lines if words in line]
    assert len(found) == 1, (words, lines)
    return found[0]


class TestShow:
    def test_it_says_who_would_be_sent_what_why_and_what_happens_if_nobody_rules(self, screen: Screen):
        screen.comes(a_line(), notices=[a_notice()])
        lines = screen.shows()
        assert lines[0] == "WY-0310  incident i-1  at Sat 31 Jan 08:10"
        assert line_with(lines, "greater-manchester: locations, facts")
        assert "The place may identify the victim (WPN-2026-01 / sensitive-crime)" in line_with(lines, "why asked")
        assert "duty-inspector, until 08:16 (in 6 min); opened 08:01 by event 1" in line_with(lines, "who rules")
        assert "then public-protection-superintendent for 30 min" in line_with(lines, "if nobody does")
        assert line_with(lines, 'huecry cases release WY-0310 --to greater-manchester --because "…"')
        assert line_with(lines, "To rule, as duty-inspector or public-protection-superintendent")

    def test_every_section_that_holds_something_is_there_with_the_roles_of_persons_and_our_caveats(
        self, screen: Screen
    ):
        told = {
            "suspects": (Person(person_ref="S1", role="arrested", names=Names(family="Doe", aliases=("Jay",))),),
            "vehicles": (Vehicle(vehicle_ref="M1", vrm="AB12 CDE", role="suspect", colour="red"),),
            "casualties": (Casualty(count=2, trapped=True),),
            "narrative": (LogLine(entry_id="L1", text="Caller says he is back", author_role="call-handler"),),
            "hazards": (Hazard(kind="dogs-loose", certainty="reported"),),
        }
        screen.comes(a_line(), event=an_event(**told))
        text = "\n".join(screen.shows())
        for words in (
            f"victim, Morwenna {SECRET} [V1]",
            "arrested, Doe (also Jay) [S1]",
            "suspect, AB12 CDE [M1]; colour: red",
            "2; trapped: yes",
            "Caller says he is back [L1]; author role: call-handler",
            "dogs-loose; certainty: reported",
            "incident, 3 Mill Lane [P1]; district: Calderdale",
            "caveats: restricted-log",
            "flags: sexual-offence",
            "qualifiers: not stated",
        ):
            assert words in text, text
        assert "for us only" in text

    def test_first_it_marks_nothing_then_what_came_since_this_reader_looked_and_never_for_another(self, screen: Screen):
        screen.comes(a_line(), notices=[a_notice()])
        first = screen.shows()
        assert "Nothing has come since the case opened: you have not looked before." in first
        assert not [line for line in first if line.startswith("*")]
        changed = an_event(sequence=2, hazards=(violent_person(),), grade="emergency", victims=())
        screen.comes(a_line(), event=changed, notices=[a_notice(recipient="south-yorkshire")])
        second = screen.shows(now=at(12))
        assert "Marked * is what came since you last looked, 08:10." in second
        marks = [line for line in second if line.startswith("*")]
        assert [line.split()[1] for line in marks] == ["grade", "hazards", "victims", "08:02"]
        assert "CHANGED: emergency (was: priority)" in marks[0]
        assert "NEW: violent-person; certainty: confirmed" in marks[1]
        assert f"GONE: victim, Morwenna {SECRET} [V1]" in marks[2]
        assert not [line for line in screen.shows() if line.startswith("*")]
        other = screen.shows("jones")
        assert "Marked * is what came since the case opened: you have not looked before." in other
        assert [line for line in other if line.startswith("*")] == marks

    def test_who_has_not_looked_is_shown_what_came_since_the_oldest_open_line_was_opened(self, screen: Screen):
        screen.comes(a_line(opened_sequence=2), event=an_event(sequence=1))
        screen.comes(a_line(opened_sequence=2), event=an_event(sequence=2, grade="emergency"))
        screen.comes(a_line(opened_sequence=2), event=an_event(sequence=3, grade="scheduled"))
        assert "CHANGED: scheduled (was: emergency)" in line_with(screen.shows(), "grade")

    def test_an_overdue_line_is_called_so_and_a_closed_case_says_that_nobody_is_asked(self, screen: Screen):
        screen.comes(a_line(step=1))
        lines = screen.shows(now=at(20))
        assert "public-protection-superintendent, OVERDUE since 08:16 (4 min ago)" in line_with(lines, "who rules")
        assert "then it lapses and nothing is sent" in line_with(lines, "if nobody does")
        screen.comes(notices=[a_notice("lapsed", deadline=None)])
        lines = screen.shows()
        assert "Closed: nobody is asked anything any more." in lines
        assert "lapsed: greater-manchester, locations, facts" in line_with(lines, "lapsed")
        assert not [line for line in lines if "To rule" in line]

    def test_what_was_ruled_is_told_with_who_in_which_role_and_why(self, screen: Screen):
        words = {"person": "inspector.smith", "ruling_id": "r", "because": "They are at the door", "deadline": None}
        screen.comes(a_line(), notices=[a_notice("refused", **words)])
        told = line_with(screen.shows(), "refused")
        assert "refused by inspector.smith as duty-inspector: greater-manchester, locations, facts" in told
        assert ": They are at the" in told

    def test_an_event_that_is_no_longer_there_is_said_to_be_so(self, screen: Screen):
        screen.comes(a_line())
        screen.kept.sink._database.execute("UPDATE case_record SET event = NULL")
        assert "it can no longer be read here" in line_with(screen.shows(), "the latest")

    def test_what_was_typed_elsewhere_does_not_speak_to_the_terminal(self, screen: Screen):
        evil = "\x1b]0;owned\x07\x1b[2Jnothing\r\nto see\u202e"
        screen.comes(a_line(), event=an_event(narrative=(LogLine(entry_id="L1", text=evil),)))
        text = "".join(screen.shows())
        assert not [letter for letter in ("\x1b", "\x07", "\r", "\u202e") if letter in text]


class TestList:
    def test_the_next_deadline_comes_first_with_who_is_asked_and_the_next_step(self, screen: Screen):
        screen.comes(a_line(deadline=at(30)))
        screen.comes(a_line(deadline=at(5), step=1), event=an_event("i-2"))
        lines = screen.lists()
        assert lines[0] == "2 cases are open at Sat 31 Jan 08:10 (Europe/London)"
        assert lines[2] == "OVERDUE, 08:05 (5 min ago)  WY-0310  i-2"
        assert lines[4].strip() == (
            "public-protection-superintendent is asked until 08:05; then it lapses and nothing is sent; The place may "
            "identify the victim"
        )
        assert lines[6] == "08:30 (in 20 min)  WY-0310  i-1"
        assert "duty-inspector is asked until 08:30; then public-protection-superintendent for 30 min" in lines[8]

    def test_none_is_said_to_be_none_and_nobodys_name_is_in_the_list(self, screen: Screen):
        assert screen.lists() == ["Nobody is asked anything: no case is open."]
        screen.comes(a_line())
        assert SECRET not in "\n".join(screen.lists())


class TestChanges:
    def test_the_same_event_in_other_order_is_no_news(self):
        two = (Person(person_ref="V1", role="victim"), Person(person_ref="V2", role="victim"))
        assert news(snapshot(victims=two, sequence=2), snapshot(victims=two[::-1])) == ()

    def test_one_of_two_alike_that_is_gone_is_seen_to_be_gone(self):
        two = (Hazard(kind="dogs", place="yard"), Hazard(kind="dogs", place="house"))
        found = news(snapshot(hazards=two[:1], sequence=2), snapshot(hazards=two))
        assert [(each.part, each.mark, each.words) for each in found] == [("hazards", "gone", "dogs; place: house")]

    def test_what_a_person_said_to_be_is_now_is_changed_and_not_another(self):
        before, after = (Person(person_ref="S1", role=role) for role in ("suspected", "arrested"))
        (found,) = news(snapshot(suspects=(after,), sequence=2), snapshot(suspects=(before,)))
        assert (found.mark, found.words, found.was) == ("changed", "arrested [S1]", "suspected [S1]")

    def test_a_caveat_that_is_no_longer_stated_is_told(self):
        control = an_event().control[0]
        after = (
            snapshot(sequence=2)
            if control is None
            else snapshot_of(
                CODEC.encode(
                    {**an_event(sequence=2).to_avro(), "control": [{**control.model_dump(), "caveats": None}]}
                ),
                2,
            )
        )
        assert after is not None
        (found,) = news(after, snapshot())
        assert (found.words, found.was) == ("caveats: not stated", "caveats: restricted-log")

    def test_without_an_earlier_event_nothing_is_marked(self):
        assert [each for each in marked(snapshot(), None) if each.mark] == []


class TestSeen:
    def test_who_has_not_looked_rules_on_nothing(self, screen: Screen):
        screen.comes(a_line())
        with CaseBook(screen.path) as book, pytest.raises(Rejected) as refused:
            seen(book.whole_case("i-1"), None, None)
        assert refused.value.reason == "not-looked"
        assert "huecry cases show i-1" in refused.value.remedy

    def test_what_was_shown_last_counts_unless_it_is_stated(self, screen: Screen):
        screen.comes(a_line())
        screen.shows()
        screen.comes(a_line(), event=an_event(sequence=2, grade="emergency"))
        with CaseBook(screen.path) as book:
            case, view = book.whole_case("i-1"), book.last_view("asmith", "i-1")
            known = seen(case, view, None)
            assert (known.sequence, known.latest, known.is_stale) == (1, 2, True)
            assert [(each.part, each.words) for each in known.changes] == [("grade", "emergency")]
            assert seen(case, view, 2).is_stale is False
            assert seen(case, None, 7).sequence == 7
