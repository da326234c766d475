"""People are told of each case opened or escalated: at least once, and nothing but case, role and deadline."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from consumers.delivery import Batch, Record, open_batch
from deploy.notifying.notices import CaseNews, news_opener
from deploy.notifying.notifiers import Command, Webhook, notifier_of
from deploy.notifying.telling import TellingSink
from schemas.codec import stable_id
from schemas.errors import Rejected, Unavailable
from tests.consumers.case_making import SECRET, a_line, a_notice, an_event, case_record
from tests.consumers.ledger_making import FORCE
from tests.consumers.making import MOST_BYTES, at
from tests.deploy.notifying.webhook import a_webhook

CASE = stable_id("case", FORCE, "i-1")
BODY = {
    "notice_id": "n-1",
    "case_id": CASE,
    "kind": "opened",
    "role": "duty-inspector",
    "deadline": "x",
    "overdue": False,
}


class Ear:
    """Somebody who is told, unless away."""

    def __init__(self) -> None:
        self.heard: list[Mapping[str, Any]] = []
        self.away = False

    def tell(self, body: Mapping[str, Any]) -> None:
        if self.away:
            raise Unavailable("away")
        self.heard.append(body)


class Cases:
    """A force's topic of cases."""

    def __init__(self) -> None:
        self.offset = 0

    def batch(self, *values: bytes) -> Batch[CaseNews]:
        records = []
        for value in values:
            records.append(Record(f"cases.{FORCE}", 0, self.offset, 0, value))
            self.offset += 1
        return open_batch(records, news_opener(MOST_BYTES))


def a_sink(path: Path, ear: Ear, now: datetime) -> TellingSink:
    return TellingSink(path, FORCE, ear, lambda: now)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "told.db"


def escalated(**changes: Any):
    return a_notice("escalated", role="public-protection-superintendent", deadline=at(46), **changes)


class TestWhatIsTold:
    def test_case_what_happened_role_and_deadline_and_nothing_else(self, path: Path):
        ear = Ear()
        with closing(a_sink(path, ear, at(2))) as sink:
            sink.write(Cases().batch(case_record(a_line(), notices=(a_notice(),))))
        (told,) = ear.heard
        assert set(told) == {"notice_id", "case_id", "kind", "role", "deadline", "overdue"}
        assert (told["case_id"], told["kind"], told["role"]) == (CASE, "opened", "duty-inspector")
        assert (told["deadline"], told["overdue"]) == ("2026-01-31T08:16:00.000Z", False)
        for private in (SECRET, "i-1", "WY-0310", "greater-manchester", "locations", "Mill Lane"):
            assert private not in json.dumps(told)

    def test_lines_for_several_members_are_one_question_until_the_first_deadline(self, path: Path):
        ear = Ear()
        notices = (a_notice(), a_notice(recipient="lancashire", deadline=at(11)), escalated())
        with closing(a_sink(path, ear, at(2))) as sink:
            sink.write(Cases().batch(case_record(a_line(), notices=notices)))
        assert [(told["kind"], told["deadline"][11:16]) for told in ear.heard] == [
            ("opened", "08:11"),
            ("escalated", "08:46"),
        ]

    @pytest.mark.parametrize("kind", ["released", "refused", "lapsed", "extended", "asked-again", "moot"])
    def test_of_anything_else_nobody_is_told(self, path: Path, kind: str):
        ear = Ear()
        with closing(a_sink(path, ear, at(2))) as sink:
            sink.write(Cases().batch(case_record(a_line(), notices=(a_notice(kind),)), case_record(a_line(), step=2)))
        assert ear.heard == []


class TestOnceAtLeast:
    def test_what_was_told_is_not_told_again_by_whoever_starts_next(self, path: Path):
        ear, record = Ear(), case_record(a_line(), notices=(a_notice(),))
        with closing(a_sink(path, ear, at(2))) as sink:
            sink.write(Cases().batch(record))
        with closing(a_sink(path, ear, at(3))) as sink:
            assert sink.positions() == {(f"cases.{FORCE}", 0): 1}
            sink.write(Cases().batch(record))
            cases = Cases()
            cases.offset = 7
            sink.write(cases.batch(record))
        assert len(ear.heard) == 1

    def test_while_nobody_can_be_told_nothing_moves_and_what_was_told_before_is_not_told_again(self, path: Path):
        ear = Ear()
        first = case_record(a_line(), notices=(a_notice(),))
        second = case_record(a_line(), event=an_event("i-2"), notices=(a_notice(),))
        with closing(a_sink(path, ear, at(2))) as sink:
            batch = Cases().batch(first, second)
            ear.tell = _only_first(ear.heard)  # type: ignore[method-assign]
            with pytest.raises(Unavailable):
                sink.write(batch)
            assert sink.positions() == {}
        awake = Ear()
        with closing(a_sink(path, awake, at(3))) as sink:
            sink.write(Cases().batch(first, second))
        assert [told["case_id"] for told in (*ear.heard, *awake.heard)] == [CASE, stable_id("case", FORCE, "i-2")]

    def test_at_the_first_start_what_is_over_is_not_told_and_later_it_is(self, path: Path):
        ear, cases = Ear(), Cases()
        with closing(a_sink(path, ear, at(20))) as sink:
            sink.write(cases.batch(case_record(a_line(), notices=(a_notice(),))))
            assert ear.heard == []
            sink.write(cases.batch(case_record(a_line(), event=an_event("i-2"), notices=(a_notice(),))))
        (late,) = ear.heard
        assert late["overdue"] is True

    def test_a_record_that_cannot_be_read_is_set_aside_and_the_others_are_told(self, path: Path):
        ear = Ear()
        with closing(a_sink(path, ear, at(2))) as sink:
            sink.write(Cases().batch(b"\x00rubbish", case_record(a_line(), notices=(a_notice(),))))
        assert len(ear.heard) == 1
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("SELECT count(*) FROM set_aside").fetchone() == (1,)

    def test_the_memory_belongs_to_one_force(self, path: Path):
        a_sink(path, Ear(), at(0)).close()
        with pytest.raises(Rejected, match="expected the desk database of lancashire"):
            TellingSink(path, "lancashire", Ear())


def _only_first(heard: list[Mapping[str, Any]]):
    def tell(body: Mapping[str, Any]) -> None:
        if heard:
            raise Unavailable("away")
        heard.append(body)

    return tell


class TestWebhook:
    def test_it_is_posted_as_json_with_a_key_that_stays_the_same_and_the_authorization(self):
        with a_webhook() as told:
            notifier_of(told.url, {"HUECRY_NOTIFY_AUTHORIZATION": "Bearer abc"}).tell(BODY)
        assert told.bodies == [BODY]
        assert told.paths == ["/hooks/s3cret?x=1"]
        (headers,) = told.headers
        assert (headers["Idempotency-Key"], headers["Authorization"]) == ("n-1", "Bearer abc")
        assert headers["Content-Type"] == "application/json"

    @pytest.mark.parametrize("status", [302, 400, 404, 429, 500])
    def test_any_answer_but_yes_is_tried_again_and_a_redirection_is_not_followed(self, status: int):
        with a_webhook() as told:
            told.answers = [status]
            hook = Webhook(told.url)
            with pytest.raises(Unavailable, match=f"http://127.0.0.1 answers {status}, expected 2xx") as away:
                hook.tell(BODY)
            assert "s3cret" not in str(away.value)
            assert told.bodies == []
            hook.tell(BODY)
            assert len(told.bodies) == 1

    def test_one_that_is_not_there_is_tried_again_and_its_path_is_not_told(self):
        with a_webhook() as told:
            url = told.url
        with pytest.raises(Unavailable, match="does not answer: ConnectionRefusedError") as away:
            Webhook(url).tell(BODY)
        assert "s3cret" not in str(away.value)

    @pytest.mark.parametrize("url", ["ftp://x/y", "http:///y", "https://user:pass@x/y", "http://x:port/"])
    def test_an_address_that_is_none_is_refused(self, url: str):
        with pytest.raises(Rejected) as refused:
            notifier_of(url)
        assert refused.value.reason == "bad-target"
        assert "pass@" not in str(refused.value)


class TestCommand:
    def test_it_reads_the_notice_on_its_standard_input(self, tmp_path: Path):
        out = tmp_path / "out"
        notifier_of(f"{sys.executable} -c \"import sys; open('{out}', 'w').write(sys.stdin.read())\"").tell(BODY)
        assert json.loads(out.read_text()) == BODY

    def test_one_that_fails_is_tried_again(self):
        with pytest.raises(Unavailable, match="the command false ended with exit code 1"):
            Command(["false"]).tell(BODY)
        with pytest.raises(Unavailable, match="could not be run to its end: FileNotFoundError"):
            Command(["/nowhere/pager"]).tell(BODY)

    @pytest.mark.parametrize("words", ["", "  ", 'page "him'])
    def test_words_that_are_no_command_are_refused(self, words: str):
        with pytest.raises(Rejected, match="expected"):
            notifier_of(words)
