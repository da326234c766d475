"""What is refused as a database, and why."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from consumers.sinks.sql import SqlSink
from schemas.errors import Fatal, Rejected
from tests.consumers.making import MEMBER


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(statement)
        database.commit()


def test_a_database_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    SqlSink(path, MEMBER).close()
    change(path, "UPDATE meta SET value = '2' WHERE name = 'schema_version'")
    with pytest.raises(Rejected, match="upgrade this release"):
        SqlSink(path, MEMBER)


def test_another_members_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    SqlSink(path, MEMBER).close()
    with pytest.raises(Rejected, match=f"of lancashire, found the receiving database of {MEMBER}"):
        SqlSink(path, "lancashire")


def test_a_database_of_something_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    change(path, "CREATE TABLE payroll (name TEXT)")
    with pytest.raises(Rejected, match="something else"):
        SqlSink(path, MEMBER)


def test_a_file_that_is_no_database_is_fatal_and_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be taken for one\n" * 100)
    with pytest.raises(Fatal, match=r"notes\.txt"):
        SqlSink(path, MEMBER)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="cannot be opened"):
        SqlSink(tmp_path / "nowhere" / "r.db", MEMBER)


def test_what_was_committed_survives_a_power_cut(tmp_path: Path) -> None:
    with closing(SqlSink(tmp_path / "r.db", MEMBER)) as sink:
        assert sink.database.query("PRAGMA synchronous") == [(2,)]
        assert sink.database.query("PRAGMA journal_mode") == [("wal",)]


def test_a_database_of_an_earlier_release_gets_the_columns_and_tables_that_came_since(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    SqlSink(path, MEMBER).close()
    change(path, "ALTER TABLE position DROP COLUMN first_offset")
    change(path, "DROP TABLE hazard")
    with closing(SqlSink(path, MEMBER)) as sink:
        assert sink.database.query("SELECT first_offset FROM position") == []
        assert sink.database.query("SELECT kind FROM hazard") == []
