"""Whoever asks a ledger in PostgreSQL reads, word for word, what the same ledger in a file says."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from consumers.sinks.places import read_place
from deploy.cli import cli
from schemas.errors import Rejected
from tests.deploy.asking import AGREEMENTS, a_policy, an_event, keep, receipted, routed
from tests.postgres_server import PostgresServer

EVENTS = ("e-robbery", "e-doubt", "e-pursuit")
MEMBERS = ("west-yorkshire", "rivers-agency", "yorkshire-ambulance", "north-yorkshire")


def asked(*words: str | Path) -> str:
    result = CliRunner().invoke(cli, ["explain", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("how", [(), ("--json",), ("--agreements", AGREEMENTS), ("--agreements", AGREEMENTS, "--json")])
def test_explanations_are_the_same(how: tuple[str | Path, ...], postgres: PostgresServer, tmp_path: Path) -> None:
    url, file = postgres.make_database(), tmp_path / "ledger.db"
    robbery = routed(an_event("e-robbery", "crime/robbery"))
    effects = [
        robbery,
        receipted(robbery, "west-yorkshire"),
        routed(an_event("e-doubt", "transport/pursuit", caveats=None)),
        routed(an_event("e-pursuit", "transport/pursuit"), a_policy(north_yorkshire="missing-topic")),
    ]
    for place in (read_place(url), file):
        keep(place, effects)
    for event in EVENTS:
        for member in MEMBERS:
            words = (event, "--to", member, *how)
            assert asked(*words, "--ledger", url) == asked(*words, "--ledger", file)
    with pytest.raises(Rejected, match="no event e-none"):
        asked("e-none", "--to", "rivers-agency", "--ledger", url)
    ((questions,),) = postgres.run(url, "SELECT count(*) FROM access_log WHERE subject LIKE 'e-none%'")
    assert questions > 0
