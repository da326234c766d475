"""`huecry agreements new`: a file that its owner can fill in, and nothing that is there is touched."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli import cli
from deploy.demo.run import HERE
from routing.agreements import load_bundle

EXCHANGE = HERE / "exchange.yaml"


def new(directory: Path, *words: str, origin: str = "west-yorkshire", to: str = "greater-manchester") -> Result:
    given = ("--exchange", str(EXCHANGE), "--from", origin, "--to", to)
    return CliRunner().invoke(cli, ["agreements", "new", str(directory), *given, *words])


def signed(file: Path) -> None:
    """What the owner does: fills in, and has it signed."""
    text = file.read_text("utf-8").replace("FILL IN", "policy@west-yorkshire.example")
    file.write_text(text.replace("# signed:", "signed:").replace("#   - {member:", "  - {member:"), "utf-8")


@pytest.mark.parametrize("to", ["greater-manchester", "yorkshire-ambulance"])
def test_filled_in_and_signed_it_loads_and_its_examples_hold(tmp_path: Path, to: str) -> None:
    result = new(tmp_path / "mine", "--id", "WPN-2026-01", to=to)
    assert result.exit_code == 0, (result.output, result.exception)
    signed(tmp_path / "mine" / "agreements" / "wpn-2026-01.yaml")
    (agreement,) = load_bundle(tmp_path / "mine").agreements
    assert agreement.id == "WPN-2026-01"
    assert agreement.origins == ("west-yorkshire",)


def test_until_it_is_signed_it_says_what_is_left_to_do(tmp_path: Path) -> None:
    output = new(tmp_path / "mine").output
    assert f"written: {tmp_path / 'mine' / 'bundle.yaml'}" in output
    assert f"written: {tmp_path / 'mine' / 'agreements' / 'new-1.yaml'}" in output
    assert "no origin in `from` has signed" in output


def test_a_second_one_leaves_the_bundle_and_the_first_alone(tmp_path: Path) -> None:
    new(tmp_path / "mine")
    before = {path: path.read_bytes() for path in (tmp_path / "mine").rglob("*.yaml")}
    assert "is there already" in str(new(tmp_path / "mine").exception)
    output = new(tmp_path / "mine", "--id", "NEW-2").output
    assert "bundle.yaml" not in output.split("Fill it in")[0]
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("origin", "to", "told"),
    [
        ("nobody", "greater-manchester", "nobody: no member that publishes; publishes: greater-manchester"),
        ("west-yorkshire", "nobody", "nobody: no member that receives"),
        ("west-yorkshire", "west-yorkshire", "a recipient other than its origin"),
    ],
)
def test_parties_that_cannot_be_are_refused_with_those_that_can(
    tmp_path: Path, origin: str, to: str, told: str
) -> None:
    assert told in str(new(tmp_path / "mine", origin=origin, to=to).exception)
    assert not (tmp_path / "mine").exists()


def test_a_reference_that_is_no_file_name_is_refused(tmp_path: Path) -> None:
    assert new(tmp_path, "--id", "../evil").exit_code == 2
