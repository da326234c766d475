"""The command line: every command helps, quickly; an error of ours is one line that says what to do."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from deploy.cli import COMMANDS, cli, main
from deploy.demo.run import HERE

EXCHANGE = HERE / "exchange.yaml"
NOBODY = "127.0.0.1:1"
Failing = Callable[..., str]


def every_command(command: click.Command = cli, *names: str) -> Iterator[tuple[str, click.Command]]:
    """All commands and their subcommands, by what one types."""
    if not isinstance(command, click.Group):
        yield " ".join(names), command
        return
    for name in command.list_commands(click.Context(command)):
        below = command.get_command(click.Context(command), name)
        assert below is not None, f"{name} is listed and not there"
        yield from every_command(below, *names, name)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Failing:
    """Run `huecry` with these words, which must fail with an error of ours; what it said."""

    def run(*words: str | Path) -> str:
        monkeypatch.setattr(sys, "argv", ["huecry", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capfd.readouterr()
        assert ended.value.code == 1, told.err
        assert told.out == "", "an error is no data"
        assert told.err.startswith("huecry: ")
        assert told.err.count("\n") == 1, told.err
        return told.err

    return run


# ----------------------------------------------------------------------------------------------------------- help


def test_help_lists_every_command_with_what_it_is_for_without_loading_any() -> None:
    shown = "import sys; from deploy.cli import cli; cli(['--help'], standalone_mode=False); "
    loaded = "print('LOADED', sorted({'confluent_kafka', 'pydantic', 'rich', 'fastavro', 'jgo'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", shown + loaded], capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout
    for name, purpose in COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert purpose in " ".join(done.stdout.split())


def test_every_command_says_what_it_does_and_what_each_option_is_for() -> None:
    found = dict(every_command())
    assert {"agreements check", "provision apply", "quarantine resubmit", "registry serve", "setaside retry"} <= set(
        found
    )
    for name, command in found.items():
        result = CliRunner().invoke(cli, [*name.split(), "--help"])
        assert result.exit_code == 0, name
        assert command.help, f"{name} does not say what it does"
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.opts[0]} does not say what it is for"


def test_one_name_means_one_thing_everywhere() -> None:
    meanings: dict[str, set[str]] = {}
    for _, command in every_command():
        for option in command.params:
            if isinstance(option, click.Option) and option.name in {"exchange", "bootstrap", "properties_file"}:
                meanings.setdefault(option.opts[0], set()).add(str(option.help))
    assert set(meanings) == {"--exchange", "--bootstrap", "--client-properties"}
    # `registry serve` takes an exchange for another purpose, and says so.
    assert {name: len(helps) for name, helps in meanings.items() if name != "--exchange"} == {
        "--bootstrap": 1,
        "--client-properties": 1,
    }


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert result.exit_code == 0
    assert "0.1" in result.output


def test_a_command_that_is_not_there_is_a_matter_of_usage() -> None:
    result = CliRunner().invoke(cli, ["rout"])
    assert result.exit_code == 2
    assert "No such command 'rout'" in result.output


# --------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "words",
    [
        ("provision", "plan"),
        ("consume", "--member", "west-yorkshire", "--into", "x.db"),
        ("ledger", "--force", "west-yorkshire", "--into", "x.db"),
        ("produce", "--force", "west-yorkshire", "--synthetic"),
        ("quarantine", "list", "--member", "west-yorkshire"),
    ],
)
def test_an_exchange_file_that_is_missing_is_named(failing: Failing, words: tuple[str, ...], tmp_path: Path) -> None:
    missing = tmp_path / "exchange.yaml"
    assert str(missing) in failing(*words, "--exchange", missing)


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (("consume", "--member", "kent", "--into", "x.db"), "north-yorkshire"),
        (("ledger", "--force", "kent", "--into", "x.db"), "west-yorkshire"),
        (("ledger", "--force", "rivers-agency", "--into", "x.db"), "west-yorkshire"),
        (("produce", "--force", "kent", "--synthetic"), "west-yorkshire"),
        (("quarantine", "list", "--member", "kent"), "west-yorkshire"),
    ],
)
def test_a_member_that_does_not_fit_is_answered_with_those_that_do(
    failing: Failing, words: tuple[str, ...], known: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = failing(*words, "--exchange", EXCHANGE)
    assert words[words.index("--member" if "--member" in words else "--force") + 1] in told
    assert known in told
    assert list(tmp_path.iterdir()) == [], "nothing was made"


def test_a_broker_that_does_not_answer_is_told_once_with_what_to_do(
    failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.topic_reader._TIMEOUT_S", 0.5)
    told = failing("quarantine", "list", "--exchange", EXCHANGE, "--member", "west-yorkshire", "--bootstrap", NOBODY)
    assert NOBODY in told
    assert "--bootstrap (or HUECRY_BOOTSTRAP)" in told


def test_files_that_are_missing_are_named_with_what_makes_them(failing: Failing, tmp_path: Path) -> None:
    assert "keep one with huecry ledger" in failing(
        *("explain", "e-1", "--to", "rivers-agency", "--ledger", tmp_path / "none.db")
    )
    told = failing("setaside", "list", "--spool", tmp_path / "none.db")
    assert "name the file that produce wrote: --spool" in told, "the remedy is told too"
    mapping = HERE / "west-yorkshire.mapping.yaml"
    told = failing(
        *("produce", "--exchange", EXCHANGE, "--force", "west-yorkshire", "--check", "1"),
        *("--mapping", mapping, "--source", tmp_path / "none.csv"),
    )
    assert str(tmp_path / "none.csv") in told
    told = failing(
        *("produce", "--exchange", EXCHANGE, "--force", "west-yorkshire", "--check", "1"),
        *("--mapping", tmp_path / "none.yaml", "--source", HERE / "west-yorkshire-sample.csv"),
    )
    assert str(tmp_path / "none.yaml") in told


def test_a_file_that_is_something_else_is_told_as_what_it_is(failing: Failing, tmp_path: Path) -> None:
    something = tmp_path / "notes.txt"
    something.write_text("not a database at all, whatever its name " * 50)
    assert str(something) in failing("explain", "e-1", "--to", "rivers-agency", "--ledger", something)
    assert str(something) in failing("setaside", "list", "--spool", something)
    assert something.read_text().startswith("not a database"), "it is left as it was"


def test_a_faulty_bundle_stops_the_router_with_every_fault_and_its_place(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = tmp_path / "agreements"
    shutil.copytree(HERE / "agreements", bundle)
    shutil.copy(EXCHANGE, tmp_path)
    for file in (bundle / "agreements").iterdir():
        file.write_text(file.read_text("utf-8").replace("crime/robbery", "crime/robery"), "utf-8")
    monkeypatch.setattr(sys, "argv", ["huecry", "route", "--exchange", str(EXCHANGE), "--agreements", str(bundle)])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capfd.readouterr().err
    assert ended.value.code == 1
    assert "Traceback" not in told
    assert "crime/robery" in told
    assert "ambulance.yaml:" in told, "file and line"
    assert "neighbours.yaml:" in told, "all of them"
