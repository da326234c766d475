"""People of the demonstration: they wait for what there is to be seen, and what they run must end well."""

from __future__ import annotations

import hashlib
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from consumers.delivery import Record, open_batch
from consumers.ledger import LedgerSink, ledger_opener
from deploy.demo.acting import TOKEN, Acting, Moment, Places, write_token
from deploy.demo.crew import Crew
from deploy.demo.lives import LIVES, Lived
from deploy.demo.lives_words import as_json, as_table
from deploy.demo.run import HERE
from deploy.desk.callers import caller
from routing.agreements import load_bundle
from schemas.errors import Fatal
from tests.consumers.kafka_side import wait_until
from tests.consumers.ledger_making import FORCE, feedback
from tests.consumers.making import at


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def acting(ledger: Path, tmp_path: Path) -> Acting:
    received = {"greater-manchester": tmp_path / "received.db"}
    places = Places(Crew(tmp_path), ledger, received, (), tmp_path / "token")
    return Acting(places, "a life", "0310", "i-1", "greater-manchester")


def told(ledger: Path, *values: bytes) -> None:
    """The router says so, and it is in the ledger."""
    records = [Record(f"feedback.{FORCE}", 0, offset, 0, value) for offset, value in enumerate(values)]
    with closing(LedgerSink(ledger, FORCE)) as sink:
        sink.write(open_batch(records, ledger_opener(1_000_000)))


def test_what_is_not_there_yet_is_waited_for_and_what_is_there_is_taken_once(acting: Acting, ledger: Path) -> None:
    waiting = acting.until_told("delivered")
    next(waiting)
    told(ledger, feedback("f-1", "e-1"))
    assert list(waiting) == []
    assert [(moment.kind, moment.at) for moment in acting.moments] == [("delivered", at(2))]
    again = acting.until_told("delivered")
    next(again)
    assert len(acting.moments) == 1


def test_a_persons_word_is_not_that_of_a_system(acting: Acting, ledger: Path) -> None:
    told(ledger, feedback("f-1", "e-1", kind="restricted"))
    next(acting.until_told("restricted", by_person=True))
    assert acting.moments == []
    assert list(acting.until_told("restricted")) == []


def test_nobody_is_asked_anything_by_a_database_that_is_not_there(acting: Acting) -> None:
    next(acting.until_asked("transfer"))


@pytest.mark.timeout(120)
def test_what_is_run_and_ends_badly_ends_the_demonstration_and_names_its_log(tmp_path: Path) -> None:
    crew = Crew(tmp_path)
    crew.say("released-cases", "cases", "release", "--no-such-option")
    wait_until(lambda: crew.finished(("released-cases",)), "the command ends")
    with pytest.raises(Fatal, match=r"released-cases ended with code 2: see .*released-cases\.log"):
        crew.check()
    assert "No such option" in (tmp_path / "released-cases.log").read_text()


def test_the_inspectors_token_is_one_that_the_commands_take_and_the_bundle_knows(tmp_path: Path) -> None:
    shown = caller(write_token(tmp_path / "token"))
    (inspector,) = [person for person in load_bundle(HERE / "agreements").people if person.id == "inspector.invented"]
    assert shown.token_sha256 == inspector.token_sha256 == hashlib.sha256(TOKEN.encode()).hexdigest()


def lived() -> list[Lived]:
    """Each life as if it had come to one moment, and this one more: taken over a second and a half later."""
    first = Moment("delivered", at(1), None, None, None, None, "share")
    last = Moment("accepted", at(1) + timedelta(seconds=1.5), None, None, "duty-officer", "WY-2026-0417", None)
    return [Lived(life, (first, last)) for life in LIVES]


def test_a_moment_is_told_with_what_is_known_of_it() -> None:
    life = as_json(lived())["transferred"]
    assert life["took_s"] == 1.5
    assert [set(moment) for moment in life["moments"]] == [
        *({"kind", "at", "action"}, {"kind", "at", "by_role", "reference"})
    ]


def test_the_table_of_lives_fits_a_terminal_of_eighty_columns() -> None:
    console = Console(width=80)
    with console.capture() as shown:
        console.print(as_table(lived()))
    text = shown.get()
    assert "…" not in text
    assert "accepted as WY-2026-0417" in text
    assert "its duty-officer" in text
    assert "1.5 s" in text
