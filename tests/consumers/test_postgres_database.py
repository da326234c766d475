"""A PostgreSQL database as a sink keeps it: whose it is, what it asks of the server, what it says of trouble."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from consumers.ledger import LedgerSink
from consumers.ledger_queries import Ledger
from consumers.sinks.places import read_place
from consumers.sinks.postgres_database import PostgresDatabase
from consumers.sinks.postgres_url import PostgresUrl
from consumers.sinks.sql import SqlSink
from consumers.sinks.tables import TABLES
from schemas.errors import Fatal, HueCryError, Rejected, Unavailable
from schemas.event import LogLine
from tests.consumers.ledger_making import FORCE
from tests.consumers.making import MEMBER, Topic, delivery_bytes
from tests.postgres_server import PASSWORD_ROLE, PostgresServer

PASSWORD = "geheim+&/1"
GUIDE = (Path(__file__).parents[2] / "docs" / "receiving.md").read_text("utf-8")


@pytest.fixture
def url(postgres: PostgresServer) -> str:
    return postgres.make_database()


@pytest.fixture
def sink(url: str) -> Iterator[SqlSink]:
    with closing(SqlSink(PostgresUrl(url), MEMBER)) as made:
        yield made


def told_when(error: type[HueCryError], act: Callable[[], object]) -> str:
    with pytest.raises(error) as caught:
        act()
    return str(caught.value)


# ---------------------------------------------------------------------------------------------------- whose it is


def test_several_instances_may_start_at_once_on_an_empty_database(postgres: PostgresServer, url: str) -> None:
    together, failed = threading.Barrier(5), []

    def start(number: int) -> None:
        together.wait(30)
        try:
            with closing(SqlSink(PostgresUrl(url), MEMBER)) as sink:
                sink.write(Topic(f"partner.{number}").batch(delivery_bytes(f"i-{number}", number)))
        except Exception as error:  # noqa: BLE001  told by the test
            failed.append(error)

    threads = [threading.Thread(target=start, args=(number,)) for number in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert postgres.run(url, "SELECT count(*) FROM delivery") == [(5,)]


def test_a_database_of_a_newer_release_another_member_or_another_kind_is_refused(
    postgres: PostgresServer, url: str, sink: SqlSink
) -> None:
    told = told_when(Rejected, lambda: SqlSink(PostgresUrl(url), "lancashire"))
    assert f"of lancashire, found the receiving database of {MEMBER}" in told
    assert "expected the ledger database" in told_when(Rejected, lambda: LedgerSink(PostgresUrl(url), MEMBER))
    postgres.run(url, "UPDATE meta SET value = '2' WHERE name = 'schema_version'")
    assert "upgrade this release" in told_when(Rejected, lambda: SqlSink(PostgresUrl(url), MEMBER))


def test_a_database_of_an_earlier_release_is_completed_by_its_owner_alone(postgres: PostgresServer, url: str) -> None:
    SqlSink(PostgresUrl(url), MEMBER).close()
    postgres.run(
        url, "ALTER TABLE position DROP COLUMN first_offset", "DROP TABLE hazard", "CREATE ROLE just_writes LOGIN"
    )
    try:
        grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO just_writes"
        postgres.run(url, grant)
        writer = PostgresUrl(url.replace("postgres@", "just_writes@", 1))
        assert "this role cannot make them" in told_when(Rejected, lambda: SqlSink(writer, MEMBER))
        SqlSink(PostgresUrl(url), MEMBER).close()
        assert postgres.run(url, "SELECT first_offset FROM position", "SELECT kind FROM hazard") == []
        postgres.run(url, grant)
        SqlSink(writer, MEMBER).close()
    finally:
        postgres.run(url, "DROP OWNED BY just_writes", "DROP ROLE just_writes")


def test_a_database_of_something_else_is_left_alone_and_extensions_are_nothing_else(
    postgres: PostgresServer, url: str
) -> None:
    if postgres.run(url, "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_buffercache'"):
        postgres.run(url, "CREATE EXTENSION pg_buffercache")  # it brings a view
        SqlSink(PostgresUrl(url), MEMBER).close()
    other = postgres.make_database()
    postgres.run(other, "CREATE TABLE payroll (name text)")
    assert "something else" in told_when(Rejected, lambda: SqlSink(PostgresUrl(other), MEMBER))
    assert postgres.run(other, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(1,)]


def test_schemas_of_one_database_serve_several_members(postgres: PostgresServer, url: str) -> None:
    postgres.run(url, 'CREATE SCHEMA "West Yorkshire"', "CREATE SCHEMA b")
    for schema, member in (('"West Yorkshire"', "west-yorkshire"), ("b", "lancashire")):
        option = f"-c search_path={schema}".replace("t Y", "t\\ Y")
        named = PostgresUrl(f"{url}&options={quote(option)}")
        with closing(SqlSink(named, member)) as sink:
            sink.write(Topic().batch(delivery_bytes(member=member)))
            assert postgres.run(url, f"SELECT count(*) FROM {schema}.delivery") == [(1,)]  # noqa: S608
    nowhere = PostgresUrl(f"{url}&options=-c%20search_path%3Dnowhere")
    assert "search_path names none" in told_when(Rejected, lambda: SqlSink(nowhere, MEMBER))


def test_a_database_that_cannot_hold_every_letter_is_refused(postgres: PostgresServer) -> None:
    ascii_only = postgres.make_database("TEMPLATE template0 ENCODING 'SQL_ASCII'")
    assert "UTF8, got SQL_ASCII" in told_when(Rejected, lambda: SqlSink(PostgresUrl(ascii_only), MEMBER))


def test_a_ledger_that_is_not_there_is_not_made_by_asking_it(postgres: PostgresServer, url: str) -> None:
    assert "found nothing" in told_when(Rejected, lambda: Ledger(PostgresUrl(url)))
    assert postgres.run(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_every_column_says_what_it_means(postgres: PostgresServer, url: str, sink: SqlSink) -> None:
    comments = dict(
        postgres.run(
            url,
            "SELECT c.relname || '.' || a.attname, col_description(c.oid, a.attnum) FROM pg_class c"
            " JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relkind = 'r' AND a.attnum > 0",
        )
    )
    for table in TABLES:
        for column in table.body:
            assert comments[f"{table.name}.{column.name}"] == (column.meaning or None)


# ------------------------------------------------------------------------------------------------- what it may do


def granted(server: PostgresServer, database: str, block: int) -> None:
    """Run a block of SQL from the guide, in the schema that it is about."""
    sql = re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL)[block]
    server.run(database, "SET search_path = huecry", *filter(None, map(str.strip, sql.split(";"))))


def test_the_rights_that_the_guide_lists_are_enough_and_no_less_would_do(postgres: PostgresServer, url: str) -> None:
    database = url.partition("@/")[2].partition("?")[0]
    for role in ("huecry", "writer", "auditor"):
        postgres.run(url, f"DROP ROLE IF EXISTS {role}")
    postgres.run(
        url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC", "CREATE ROLE writer LOGIN", "CREATE ROLE auditor LOGIN"
    )
    granted(postgres, url, 0)
    try:
        SqlSink(PostgresUrl(postgres.url(database, "huecry")), MEMBER).close()
        options = {"options": "-c search_path=huecry"}
        as_writer = PostgresUrl(postgres.url(database, "writer", **options))
        assert "search_path" in told_when(Rejected, lambda: SqlSink(as_writer, MEMBER))
        postgres.run(url, "GRANT USAGE ON SCHEMA huecry TO writer")
        with closing(SqlSink(as_writer, MEMBER)) as sink:
            assert "grant what docs/receiving.md lists" in told_when(Unavailable, sink.positions)
            granted(postgres, url, 1)
            sink.write(Topic().batch(delivery_bytes(), b"rubbish"))
            (receipt,) = sink.unsent_receipts(0, 9)
            sink.forget_receipts([receipt.receipt_number])
        postgres.run(url, "DROP SCHEMA huecry CASCADE", "CREATE SCHEMA huecry AUTHORIZATION huecry")
        LedgerSink(PostgresUrl(postgres.url(database, "huecry")), FORCE).close()
        granted(postgres, url, 2)
        with Ledger(PostgresUrl(postgres.url(database, "auditor", **options)), FORCE, "auditor") as ledger:
            assert ledger.find_event("e") == []
        assert postgres.run(url, "SELECT count(*) FROM huecry.access_log") == [(1,)]
    finally:
        for role in ("huecry", "writer", "auditor"):
            postgres.run(url, f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


def test_a_ledger_of_an_earlier_release_gets_its_indexes_from_its_owner_and_serves_others_without(
    postgres: PostgresServer, url: str
) -> None:
    LedgerSink(PostgresUrl(url), FORCE).close()
    indexes = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
    complete = postgres.run(url, indexes)
    database = url.partition("@/")[2].partition("?")[0]
    postgres.run(url, "CREATE ROLE keeper LOGIN", "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO keeper")
    try:
        postgres.run(url, "DROP INDEX feedback_by_reference")
        with Ledger(PostgresUrl(url)) as ledger:
            assert ledger.find_reference("GMP-1234") == []
        with closing(LedgerSink(PostgresUrl(postgres.url(database, "keeper")), FORCE)) as sink:
            assert sink.positions() == {}
        assert postgres.run(url, indexes) != complete
        LedgerSink(PostgresUrl(url), FORCE).close()
        assert postgres.run(url, indexes) == complete
    finally:
        postgres.run(url, "DROP OWNED BY keeper CASCADE", "DROP ROLE keeper")


def test_what_is_written_is_durable_and_other_settings_of_the_administrator_stand(
    postgres: PostgresServer, url: str
) -> None:
    database = url.partition("@/")[2].partition("?")[0]
    postgres.run(
        url,
        f"ALTER DATABASE {database} SET synchronous_commit = off",
        f"ALTER DATABASE {database} SET default_transaction_isolation = serializable",
        f"ALTER DATABASE {database} SET lock_timeout = 1234",
        f"ALTER DATABASE {database} SET timezone = 'Asia/Tokyo'",
        f"ALTER DATABASE {database} SET datestyle = 'German'",
    )
    with closing(SqlSink(PostgresUrl(url), MEMBER)) as sink:
        show = sink.database.query
        assert show("SHOW synchronous_commit") == [("on",)]
        assert show("SHOW lock_timeout") == [("1234ms",)]
        with sink.database.transaction():
            assert show("SHOW transaction_isolation") == [("read committed",)]
        topic = Topic()
        sink.write(topic.batch(delivery_bytes(step=1, action="RETRACT", event_id="")))
        assert sink.write(topic.batch(delivery_bytes(step=0))).written, "its time was read back"
        assert show("SELECT effect FROM delivery ORDER BY record_offset") == [("applied",), ("superseded",)]
    for setting in ("local", "remote_apply"):
        postgres.run(url, f"ALTER DATABASE {database} SET synchronous_commit = {setting}")
        with closing(SqlSink(PostgresUrl(url), MEMBER)) as sink:
            assert sink.database.query("SHOW synchronous_commit") == [(setting,)]


# -------------------------------------------------------------------------------------------------- trouble, waited


def test_a_connection_that_is_cut_is_made_again(postgres: PostgresServer, url: str, sink: SqlSink) -> None:
    topic = Topic()
    sink.write(topic.batch(delivery_bytes(step=1)))
    ((pid,),) = sink.database.query("SELECT pg_backend_pid()")
    postgres.run(url, f"SELECT pg_terminate_backend({pid}, 10000)")
    batch = topic.batch(delivery_bytes(step=2))
    assert "cannot be used now" in told_when(Unavailable, lambda: sink.write(batch))
    assert sink.write(batch).written == batch.taken


def test_what_belongs_to_a_transaction_never_goes_through_another_connection(
    postgres: PostgresServer, url: str, sink: SqlSink
) -> None:
    database = sink.database

    def lose_it_in_the_middle() -> None:
        with database.transaction():
            database.execute("INSERT INTO meta VALUES ('a', 'b')")
            ((pid,),) = database.query("SELECT pg_backend_pid()")
            postgres.run(url, f"SELECT pg_terminate_backend({pid}, 10000)")
            with suppress(Unavailable):
                database.execute("INSERT INTO meta VALUES ('c', 'd')")
            database.execute("INSERT INTO meta VALUES ('e', 'f')")

    assert "within a transaction" in told_when(Unavailable, lose_it_in_the_middle)
    assert postgres.run(url, "SELECT count(*) FROM meta") == [(3,)]
    assert sink.positions() == {}


def test_a_transaction_that_failed_unseen_is_not_taken_for_committed(sink: SqlSink) -> None:
    database = sink.database
    with pytest.raises(Unavailable, match="did not commit"), database.transaction(), suppress(psycopg.DataError):
        database.execute("SELECT 1 / 0")


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("53100", "No space left on device"),
        ("40001", "could not serialize access"),
        ("57014", "canceling statement due to statement timeout"),
        ("57P01", "terminating connection"),
        ("25006", "cannot execute INSERT in a read-only transaction"),
    ],
)
def test_what_the_server_will_get_over_is_waited_for_and_nothing_of_the_batch_stays(
    postgres: PostgresServer, url: str, sink: SqlSink, state: str, text: str
) -> None:
    _fail(postgres, url, "receipt_outbox", f"'{text}' USING ERRCODE = '{state}'")
    batch = Topic().batch(delivery_bytes(), b"rubbish")
    told = told_when(Unavailable, lambda: sink.write(batch))
    assert text in told
    assert state in told
    assert (sink.positions(), postgres.run(url, "SELECT count(*) FROM set_aside")) == ({}, [(0,)])
    postgres.run(url, "DROP TRIGGER fails ON receipt_outbox")
    assert sink.write(batch).written == batch.taken


def _fail(server: PostgresServer, url: str, table: str, what: str) -> None:
    server.run(
        url,
        f"CREATE OR REPLACE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION {what}; END$$",
        f"CREATE TRIGGER fails BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fails()",
    )


def test_time_outs_and_read_only_of_the_administrator_are_waited_for(postgres: PostgresServer, url: str) -> None:
    SqlSink(PostgresUrl(url), MEMBER).close()
    read_only = PostgresUrl(f"{url}&options=-c%20default_transaction_read_only%3Don")
    with closing(SqlSink(read_only, MEMBER)) as sink:
        batch = Topic().batch(delivery_bytes())
        assert "name the primary" in told_when(Unavailable, lambda: sink.write(batch))
    impatient = PostgresUrl(f"{url}&options=-c%20statement_timeout%3D50ms%20-c%20lock_timeout%3D0")
    with closing(SqlSink(impatient, MEMBER)) as sink, psycopg.connect(url) as holder:
        holder.execute("LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE")
        assert "57014" in told_when(Unavailable, lambda: sink.write(batch))


def test_who_keeps_a_database_waits_for_a_server_that_is_away_and_who_asks_is_told(tmp_path: Path) -> None:
    nowhere = PostgresUrl(f"postgresql://huecry@/receiving?host={tmp_path}")
    with closing(SqlSink(nowhere, MEMBER)) as sink:
        assert f"postgresql://huecry@/receiving?host={tmp_path}: the database" in told_when(Unavailable, sink.positions)
    assert "cannot be used now" in told_when(Unavailable, lambda: Ledger(nowhere))


def test_tables_that_were_changed_are_fatal_and_named(postgres: PostgresServer, url: str, sink: SqlSink) -> None:
    postgres.run(url, "ALTER TABLE vehicle DROP COLUMN vrm")
    vehicles = Topic().batch(delivery_bytes(covers=("vehicles",)))
    sink.write(vehicles)
    postgres.run(url, "ALTER TABLE position RENAME COLUMN next_offset TO elsewhere")
    assert "not those of this release (UndefinedColumn" in told_when(Fatal, sink.positions)


# --------------------------------------------------------------------------------------------- what nobody may read


def test_what_the_owners_own_rules_refuse_is_set_aside_without_its_words(
    postgres: PostgresServer, url: str, sink: SqlSink
) -> None:
    postgres.run(url, "ALTER TABLE log_entry ADD CHECK (text NOT LIKE '%Penhaligon%')")
    topic = Topic()
    line = {"covers": ("narrative",), "narrative": (LogLine(entry_id="l", text="Mrs Penhaligon called"),)}
    written = sink.write(topic.batch(delivery_bytes("i-1", 1), delivery_bytes("i-2", 2, **line)))
    assert [delivery.key[1] for delivery in written.written] == ["i-1"]
    assert [(one.reason, "CheckViolation" in one.detail) for one in written.set_aside] == [("not-storable", True)]
    _fail(postgres, url, "incident", "'no, % ', NEW.incident_id")
    written = sink.write(topic.batch(delivery_bytes("Penhaligon", 3)))
    assert [(one.reason, "RaiseException" in one.detail) for one in written.set_aside] == [("not-storable", True)]
    details = postgres.run(url, "SELECT detail || remedy FROM set_aside")
    assert len(details) == 2
    assert "Penhaligon" not in str(details)


def test_errors_of_statements_never_quote_what_they_choked_on(sink: SqlSink) -> None:
    for statement in ("SELECT penhaligon", "SELECT 1 FROM penhaligon", "SELECT fn('penhaligon')"):
        assert "enhaligon" not in told_when(Fatal, lambda statement=statement: sink.database.execute(statement))


@pytest.fixture
def locked(postgres: PostgresServer, url: str) -> Iterator[str]:
    """The name of a database of a role that must give its password."""
    postgres.run(url, f"CREATE ROLE {PASSWORD_ROLE} LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
    yield url.partition("@/")[2].partition("?")[0]
    postgres.run(url, f"DROP OWNED BY {PASSWORD_ROLE}", f"DROP ROLE {PASSWORD_ROLE}")


def with_password(server: PostgresServer, database: str, password: str) -> PostgresUrl:
    return PostgresUrl(server.url(database, f"{PASSWORD_ROLE}:{quote(password, safe='')}"))


def test_a_password_is_used_and_never_shown(postgres: PostgresServer, locked: str) -> None:
    right = with_password(postgres, locked, PASSWORD)
    with closing(SqlSink(right, MEMBER)) as sink:
        assert sink.positions() == {}
        shown = f"{right} {right!r} {vars(sink.database)!r} {sink.database.name}"
        assert PASSWORD_ROLE in shown
        assert PASSWORD not in shown.replace("%2B", "+").replace("%26", "&").replace("%2F", "/")
    wrong = with_password(postgres, locked, "wrong-one")
    with closing(SqlSink(wrong, MEMBER)) as sink, pytest.raises(Unavailable) as caught:
        sink.positions()
    assert "password authentication failed" in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "wrong-one" not in str(caught.value)
    none_given = PostgresUrl(postgres.url(locked, PASSWORD_ROLE))
    with closing(SqlSink(none_given, MEMBER)) as sink:
        assert "it asks for a password, and none is in PGPASSFILE" in told_when(Unavailable, sink.positions)


def test_a_password_file_is_read_again_at_every_connection(
    postgres: PostgresServer, locked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pgpass"
    file.write_text(f"*:*:*:{PASSWORD_ROLE}:not-yet\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    with closing(SqlSink(PostgresUrl(postgres.url(locked, PASSWORD_ROLE)), MEMBER)) as sink:
        assert "authentication failed" in told_when(Unavailable, sink.positions)
        file.write_text(f"*:*:*:{PASSWORD_ROLE}:{PASSWORD}\n")
        assert sink.positions() == {}


def test_a_service_says_where_and_how(
    postgres: PostgresServer, locked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "services.conf"
    said = {"host": postgres.folder, "dbname": locked, "user": PASSWORD_ROLE, "password": PASSWORD}
    file.write_text("[force]\n" + "".join(f"{name}={value}\n" for name, value in said.items()))
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    url = PostgresUrl("postgresql:///?service=force")
    assert str(url) == "postgresql:///?service=force"
    with closing(SqlSink(url, MEMBER)) as sink:
        assert sink.positions() == {}


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://u:{PASSWORD}@h/d",
        "postgresql://u:geheim%zz@h/d",
        "postgresql://u:ge@heim@h/d",
        "postgresql://u:ge/heim@h/d",
        "postgresql://u:geheim@h/d?geheim=1",
        "postgresql://u:geheim@[h/d",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_quoting_it(text: str) -> None:
    told = told_when(Rejected, lambda: read_place(text))
    assert "geheim" not in told
    assert "heim" not in told


def test_other_urls_are_refused_and_paths_are_files() -> None:
    assert "got mysql://" in told_when(Rejected, lambda: read_place("mysql://u:geheim@h/d"))
    assert read_place("received.db") == Path("received.db")
    assert str(read_place("postgres://u@h:1,i:2/d")) == "postgresql://u@/d?host=h,i&port=1,2"


def test_without_the_driver_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Rejected) as caught:
        read_place("postgresql://u@h/d")
    assert caught.value.remedy == "pip install 'huecry[postgres]'"


def test_time_outs_are_ours_unless_somebody_says_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert PostgresUrl("postgresql://h/d").parameters()["connect_timeout"] == "10"
    assert PostgresUrl("postgresql://h/d?connect_timeout=3").parameters()["connect_timeout"] == "3"
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "4")
    assert "connect_timeout" not in PostgresUrl("postgresql://h/d").parameters()
    assert "tcp_user_timeout" not in PostgresUrl("postgresql:///?service=force").parameters()


def test_whoever_asks_for_nothing_finds_nothing(url: str) -> None:
    with closing(PostgresDatabase(PostgresUrl(url), "receiving", MEMBER, TABLES)) as database:
        assert database.known(TABLES[0], "origin", []) == set()
        assert list(database.rows_by_key(TABLES[0], [])) == []
