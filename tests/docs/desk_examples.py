"""The screens that docs/cases.md and docs/retracting.md show, made anew by the code that makes them for people."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from consumers.ledger_cases import CaseBook
from consumers.ledger_reader import Row
from consumers.sinks.table import iso
from deploy.desk import case_list, case_screen
from deploy.desk.looking import look
from deploy.retracting.retraction_words import as_lines
from deploy.retracting.retractions import retractions_of
from schemas.casework import CaseStep
from schemas.event import LogLine
from tests.consumers.case_making import a_line, a_notice, an_event, case_record, violent_person
from tests.consumers.making import at
from tests.consumers.test_ledger_cases import Kept

_SAID = LogLine(entry_id="L7", text="Caller says he has come back", author_role="call-handler", line_class="reported")


def screens(folder: Path) -> tuple[str, str]:
    """``huecry cases list``, and ``huecry cases show`` for somebody who looked nine minutes before."""
    path = folder / "ledger.db"
    kept = Kept(path)
    with closing(kept.sink):
        kept.take("cases", case_record(a_line(), notices=(a_notice(),)))
        with CaseBook(path) as book:
            book.has_looked("asmith", book.whole_case("i-1").records[0], at(3))
        later = an_event(sequence=2, grade="emergency", hazards=(violent_person(),), facts=(_SAID,))
        kept.take("cases", case_record(a_line(), event=later, step=11))
        other = a_line(
            "yorkshire-ambulance",
            rule="refuge",
            sections=("head",),
            why="A refuge must not be found",
            path=(CaseStep(role="force-incident-manager", within_s=1200),),
            deadline=at(21),
        )
        kept.take("cases", case_record(other, event=an_event("i-2").model_copy(update={"local_ref": "WY-0298"})))
        with CaseBook(path) as book:
            shown = look(book.whole_case("i-1"), book.last_view("asmith", "i-1"))
            listed = case_list.as_lines(book.open_cases(), at(12))
            return "\n".join(listed), "\n".join(case_screen.as_lines(shown, at(12)))


def taken_back() -> str:
    """``huecry retractions``."""
    ruling = {
        "ruling_id": "r-1",
        "reason": "wrong-recipient",
        "ask": "erase",
        "person": "inspector.smith",
        "role": "duty-inspector",
        "because": "Meant for the ambulance service",
        "taken_at": iso(at(0)),
    }
    rows = [
        _said("retracted", 0, ruling_id="r-1", deadline=iso(at(15))),
        _said("restricted", 1),
        _said("passed-on", 9, passed_to="a contractor", by_role="duty officer"),
        _said("unanswered", 15, reason="retract", deadline=iso(at(75))),
    ]
    return "\n".join(as_lines(retractions_of(rows, [ruling]), at(20)))


def _said(kind: str, minute: int, **changes: str) -> Row:
    row: Row = dict.fromkeys(("was_at", "by_role", "passed_to", "ruling_id", "deadline", "person", "role"))
    row |= {"kind": kind, "at": iso(at(minute)), "incident_id": "WY-20260131-0298", "member": "rivers-agency"}
    return row | {"delivery_id": "d-1", "reason": "", **changes}
