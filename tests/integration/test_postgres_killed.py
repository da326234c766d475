"""A consumer and its PostgreSQL server, each killed in the middle of a batch: nothing lost, nothing doubled."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from consumers.ledger_queries import Ledger
from consumers.sinks.postgres_url import PostgresUrl
from consumers.sinks.sql import SqlSink
from deploy.broker import EmbeddedBroker
from schemas.ops import metrics
from tests.consumers.consuming import Consuming
from tests.consumers.kafka_side import Exchange, wait_until
from tests.consumers.ledger_making import disclosure, feedback
from tests.consumers.mirror import mirror
from tests.consumers.random_router import RandomRouter
from tests.postgres_server import PostgresServer

AT_COMMIT = "commit"
_STAGE = """
CREATE SCHEMA stage;
CREATE TABLE stage.halted (at text);
CREATE FUNCTION stage.halt() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
  WHILE EXISTS (SELECT FROM stage.halted WHERE at = TG_ARGV[0]) LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN NULL;
END$$;
"""


class Stage:
    """A database in which a batch can be halted at a statement, or within its COMMIT, and looked at from outside."""

    def __init__(self, server: PostgresServer, *tables: str) -> None:
        self.server = server
        self.database = server.make_database()
        self.url = PostgresUrl(self.database)
        self._tables = tables

    def set(self) -> None:
        """Once the tables are there."""
        self.server.run(self.database, _STAGE)
        for table in self._tables:
            each = f"FOR EACH STATEMENT EXECUTE FUNCTION stage.halt('{table}')"
            self.server.run(self.database, f"CREATE TRIGGER halt AFTER INSERT ON {table} {each}")
        self.server.run(
            self.database,
            f"CREATE CONSTRAINT TRIGGER halt_commit AFTER INSERT ON {self._tables[0]} DEFERRABLE INITIALLY DEFERRED"
            f" FOR EACH ROW EXECUTE FUNCTION stage.halt('{AT_COMMIT}')",
        )

    def halt(self, at: str) -> None:
        self.server.run(self.database, f"INSERT INTO stage.halted VALUES ('{at}')")  # noqa: S608

    def go_on(self) -> None:
        self.server.run(self.database, "DELETE FROM stage.halted")

    def is_halted(self) -> bool:
        """Whether a batch stands still in the middle."""
        return bool(
            self.server.run(
                self.database,
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
            )
        )

    def count(self, table: str) -> int:
        ((rows,),) = self.server.run(self.database, f"SELECT count(*) FROM {table}")  # noqa: S608
        return int(rows)


@pytest.fixture
def exchange(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Exchange:
    return Exchange(broker.bootstrap, unique, tmp_path)


@pytest.fixture
def stage(postgres: PostgresServer, exchange: Exchange) -> Iterator[Stage]:
    made = Stage(postgres, "delivery", "incident", "section", "receipt_outbox", "position")
    SqlSink(made.url, exchange.member).close()
    made.set()
    yield made
    postgres.start()  # whatever the test came to


@pytest.fixture
def router(exchange: Exchange) -> RandomRouter:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    return RandomRouter(exchange, seed)


def check(router: RandomRouter, stage: Stage, folder: Path) -> None:
    router.check(mirror(stage.database, folder / "copy.db"))
    router.check_receipts()


@pytest.mark.timeout(900)
def test_a_consumer_killed_within_a_batch_leaves_nothing_of_it_or_all(
    exchange: Exchange, stage: Stage, router: RandomRouter, tmp_path: Path
) -> None:
    arguments = ("--member", exchange.member, "--into", stage.database)
    for moment in ("delivery", "receipt_outbox", AT_COMMIT):
        router.deliver(120)
        before = stage.count("delivery")
        stage.halt(moment)
        consumer = exchange.command("consume", *arguments)
        try:
            wait_until(
                lambda consumer=consumer: consumer.poll() is not None or stage.is_halted(), f"a batch at {moment}"
            )
            assert consumer.poll() is None, consumer.stderr.read().decode()
        finally:
            consumer.kill()
            consumer.communicate()
        stage.go_on()
        wait_until(lambda: not stage.is_halted(), "the server to notice")
        if moment == AT_COMMIT:
            wait_until(lambda before=before: stage.count("delivery") > before, "what nobody heard the answer to")
        else:
            assert stage.count("delivery") == before
    last = exchange.command("consume", *arguments, "--until-idle", "2")
    _, told = last.communicate(timeout=120)
    assert last.returncode == 0, told.decode()
    assert f"psql '{stage.url}' -c 'SELECT" in told.decode()
    check(router, stage, tmp_path)


@pytest.mark.timeout(900)
def test_a_server_killed_within_a_batch_is_waited_for_and_has_everything_once(
    exchange: Exchange, stage: Stage, router: RandomRouter, tmp_path: Path
) -> None:
    kills = [signal.SIGKILL, signal.SIGQUIT]
    with Consuming(exchange, stage.url) as consuming:
        for number, moment in enumerate(("delivery", "incident", "section", "receipt_outbox", "position", AT_COMMIT)):
            stage.halt(moment)
            router.deliver(60)
            wait_until(stage.is_halted, f"a batch at {moment}")
            stage.server.kill(kills[number % 2])
            wait_until(lambda: consuming.progress.waiting or consuming.error is not None, "the consumer to notice")
            assert consuming.error is None, consuming.error
            assert metrics.reading("sink_waiting", recipient=exchange.member, store="receiving") == 1
            assert "cannot be used now" in consuming.health.reasons()["sink"]
            stage.server.start()
            stage.go_on()
            wait_until(lambda: not consuming.progress.waiting, "the consumer to go on", timeout_s=240)
        for number in range(2):
            goal = stage.count("delivery") + router.random.randrange(1, 100)
            router.deliver(150)
            wait_until(lambda goal=goal: stage.count("delivery") >= goal, "some deliveries", timeout_s=240)
            stage.server.kill(kills[number])
            stage.server.start()
        wait_until(lambda: stage.count("delivery") == len(router.model.seen), "all deliveries", timeout_s=240)
        wait_until(lambda: stage.count("receipt_outbox") == 0, "all receipts", timeout_s=240)
        assert metrics.reading("sink_waiting", recipient=exchange.member, store="receiving") == 0
        assert consuming.health.reasons() == {}
    assert consuming.error is None
    check(router, stage, tmp_path)


@pytest.mark.timeout(900)
def test_a_ledger_and_its_server_killed_within_a_batch_keep_every_record_once(
    exchange: Exchange, postgres: PostgresServer
) -> None:
    stage = Stage(postgres, "decision", "feedback", "position")
    producer, sent = exchange.router(), 0

    def send(count: int) -> int:
        producer.begin_transaction()
        for n in range(count):
            producer.produce(f"disclosures.{exchange.origin}", disclosure(f"e-{n}"))
            producer.produce(f"feedback.{exchange.origin}", feedback(f"f-{n}", f"e-{n}"))
        producer.commit_transaction(10)
        return count

    arguments = ("--force", exchange.origin, "--into", stage.database)
    ledger = exchange.command("ledger", *arguments)
    try:
        wait_until(lambda: bool(stage.server.run(stage.database, "SELECT to_regclass('disclosure')")[0][0]), "tables")
        stage.set()
        for count, moment in ((50, "decision"), (90, "position"), (120, AT_COMMIT)):
            stage.halt(moment)
            sent = send(count)
            wait_until(stage.is_halted, f"a batch at {moment}")
            postgres.kill()
            postgres.start()
            if moment == "position":
                ledger.kill()
                ledger.communicate()
                ledger = exchange.command("ledger", *arguments)
            stage.go_on()
            wait_until(
                lambda sent=sent: stage.count("feedback") == sent == stage.count("disclosure"), f"{sent} records"
            )
        ledger.terminate()
        _, told = ledger.communicate(timeout=120)
        assert ledger.returncode == 0, told.decode()
        assert told.decode().count("the subscriber waits for its sink") == 1, told.decode()
    finally:
        ledger.kill()
        ledger.communicate()
        postgres.start()
    assert stage.count("decision") == 4 * sent
    with closing(Ledger(stage.url, exchange.origin)) as asked:
        assert len(asked.find_event("e-119")) == len(asked.feedback_for("e-0")) == 1
