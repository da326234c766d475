"""Claims about ``huecry produce --check`` and ``huecry setaside``, and about how a producer is put together."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli import cli
from producers.settings import FileInput, ProducerSettings, SyntheticInput, default_spool, input_of, production
from producers.spool import Spool
from schemas.errors import Rejected
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.ops.health import Health

EXCHANGE = """
exchange: test
members:
  kent: {name: Kent Police, publishes: true, contact: {desk: FCR, phone: "01632 960001"}}
  surrey: {name: Surrey Police, receives: true}
"""
MAPPING = """
mapping: kent
system: cad
incident_key: URN
event_key: [URN, Version]
fields:
  kind: {constant: updated}
  mode: {constant: actual}
  recorded_at: {now: true}
  grade: {column: Grade, codes: grades}
  narrative[0].text: Text
codes:
  grades: {I: emergency}
"""
ROWS = (
    "URN,Version,Grade,Text\nU1,1,I,SECRET one\nU1,2,Q,SECRET two\nU1,2,I,three\nU2,,I,SECRET four\nU1,1,I,SECRET one\n"
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "exchange.yaml").write_text(EXCHANGE)
    (tmp_path / "kent.mapping.yaml").write_text(MAPPING)
    (tmp_path / "rows.csv").write_text(ROWS)
    return tmp_path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


def produce(folder: Path, *more: object) -> Result:
    return run(
        *("produce", "--exchange", folder / "exchange.yaml", "--force", "kent"),
        *("--mapping", folder / "kent.mapping.yaml", "--source", folder / "rows.csv"),
        *more,
    )


def settings(folder: Path, **differing: object) -> ProducerSettings:
    import yaml

    told = {
        "exchange": Exchange.model_validate(yaml.safe_load(EXCHANGE)),
        "force": "kent",
        "input": FileInput(folder / "rows.csv", folder / "kent.mapping.yaml"),
        "clients": ClientSettings("localhost:1"),
        "spool": folder / "spool",
    }
    return ProducerSettings(**{**told, **differing})  # type: ignore[arg-type]


def test_check_shows_what_would_be_sent_and_why_the_rest_would_not_and_publishes_nothing(folder):
    result = produce(folder, "--check", "100")
    assert result.exit_code == 0, result.output
    assert '"incident_id": "U1"' in result.output
    assert "5 records: 2 events of 1 incidents, 1 repeated, 2 would be set aside" in result.output
    assert "line 3: column 'Grade': code list 'grades' does not have this code" in result.output
    assert "line 5: column 'Version': blank" in result.output
    assert "Nothing was published" in result.output
    assert "SECRET two" not in result.output
    assert not list(folder.glob("*spool*"))


def test_check_stops_after_so_many_and_can_be_json(folder):
    told = json.loads(produce(folder, "--check", "1", "--json").stdout)
    assert (told["records"], told["events"], told["set_aside"]) == (1, 1, {})
    assert told["first"]["contact"] == {"desk": "FCR", "phone": "01632 960001"}
    assert told["filled"]["narrative[].text"] == 1


def test_check_of_a_synthetic_room_shows_its_events(folder):
    result = run(
        *("produce", "--exchange", folder / "exchange.yaml", "--force", "kent", "--synthetic", "--check", "50"),
    )
    assert "50 records: 50 events" in result.output


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--synthetic"], "leave out --source"),
        (["--rate", "0"], "rate"),
        (["--check", "0"], "check"),
    ],
)
def test_options_that_contradict_are_refused(folder, arguments, expected):
    result = produce(folder, *arguments)
    assert result.exit_code == 2
    assert expected in result.output


def test_without_a_source_the_command_says_what_to_name(folder):
    result = run("produce", "--exchange", folder / "exchange.yaml", "--force", "kent")
    assert "--source FILE and --mapping FILE, or --synthetic" in result.output


@pytest.mark.parametrize("force", ["surrey", "essex"])
def test_only_a_member_that_publishes_produces(folder, force):
    with pytest.raises(Rejected, match="expected a member of test that publishes: kent"):
        input_of(settings(folder, force=force))


def test_a_file_without_a_column_of_the_mapping_is_refused_before_anything_is_read(folder):
    (folder / "rows.csv").write_text("URN,Version,Text\n")
    with pytest.raises(Rejected, match="has no column 'Grade'"):
        input_of(settings(folder))


def test_a_file_of_unknown_kind_is_refused(folder):
    (folder / "rows.csv").rename(folder / "rows.txt")
    with pytest.raises(Rejected, match="CSV or JSON Lines"):
        input_of(settings(folder, input=FileInput(folder / "rows.txt", folder / "kent.mapping.yaml")))


def test_the_default_spool_is_the_same_wherever_one_stands(folder, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    assert default_spool("test", "kent", "cad") == folder / "state" / "huecry" / "test.kent.cad.spool"
    made = production(settings(folder, spool=None, input=SyntheticInput()), Health())
    made.spool.close()
    assert (folder / "state" / "huecry" / "test.kent.synthetic.spool").exists()


@pytest.fixture
def spool_path(folder):
    """A spool into which the rows were captured: two events, two records set aside."""
    made = production(settings(folder), Health())
    made.source.resume(None)
    records = made.source.read(100)
    batch = []
    for record in records:
        try:
            batch.append((record, made.make(record, datetime.now(UTC))))
        except Rejected as rejected:
            batch.append((record, rejected))
    made.spool.capture("rows", batch, datetime.now(UTC))
    made.source.close()
    made.spool.close()
    return folder / "spool"


def test_setaside_list_says_why_without_the_records_and_show_prints_one(spool_path):
    told = run("setaside", "list", "--spool", spool_path)
    assert "unmapped-code" in told.output
    assert "missing-field" in told.output
    assert "2 wait" in told.output
    assert "SECRET" not in told.output
    shown = run("setaside", "show", "1", "--spool", spool_path)
    assert '"Text": "SECRET two"' in shown.output
    assert "remedy  add the code to 'grades'" in shown.output
    lines = run("setaside", "list", "--json", "--spool", spool_path).stdout.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [1, 2]
    assert json.loads(run("setaside", "show", "2", "--json", "--spool", spool_path).stdout)["record"]["URN"] == "U2"


def test_setaside_retry_maps_again_with_the_mapping_as_it_is_now(folder, spool_path):
    def retry(*numbers: int) -> Result:
        return run(
            *("setaside", "retry", *numbers, "--spool", spool_path),
            *("--exchange", folder / "exchange.yaml", "--mapping", folder / "kent.mapping.yaml"),
        )

    assert "0 spooled, 0 repeated, 2 still set aside" in retry().output
    mapping = folder / "kent.mapping.yaml"
    mapping.write_text(
        MAPPING.replace("{I: emergency}", "{I: emergency, Q: priority}").replace(", Version]", ", Text]")
    )
    assert "1 spooled" in retry(1).output
    assert "1 spooled, 0 repeated, 0 still set aside" in retry().output
    assert "No record waits" in run("setaside", "list", "--spool", spool_path).output
    with Spool.existing(spool_path) as spool:
        assert len(spool.waiting()) == 4


def test_setaside_of_no_spool_and_of_no_number_is_one_line(folder, spool_path):
    missing = run("setaside", "list", "--spool", folder / "none")
    assert isinstance(missing.exception, Rejected)
    unknown = run("setaside", "show", "99", "--spool", spool_path)
    assert "no record waits under number 99" in str(unknown.exception)
