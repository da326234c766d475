"""`huecry agreements check` and `diff`, as an information manager reads them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli import agreement_examine, cli
from deploy.demo.run import HERE

OLD = HERE / "agreements"
DAY = ("--on", "2026-06-01")


def says(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["agreements", *map(str, words)])


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """The demonstration's bundle, with one border strip made shorter."""
    shutil.copytree(HERE, tmp_path / "demo")
    file = tmp_path / "demo" / "agreements" / "agreements" / "neighbours.yaml"
    text = file.read_text("utf-8")
    text = text.replace("district: [Barnsley, Kirklees, Wakefield]", "district: [Barnsley, Kirklees]")
    file.write_text(text, "utf-8")
    return tmp_path / "demo" / "agreements"


def test_diff_says_who_loses_what_where_with_an_example(new: Path) -> None:
    result = says("diff", OLD, new, *DAY)
    assert result.exit_code == 0, result.output
    paragraphs = [" ".join(part.split()) for part in result.output.split("\n\n")]
    (lost,) = [text for text in paragraphs if "lose vehicles" in text or ", vehicles" in text]
    assert "south-yorkshire: lose" in lost
    assert "a place is in Barnsley or Kirklees or Wakefield" in lost
    assert "no place is in Barnsley or Kirklees" in lost
    assert "a place (incident) in wakefield" in lost
    assert ": gain" not in result.output
    assert max(map(len, result.output.splitlines())) <= 100


def test_diff_of_a_bundle_with_itself_finds_nothing() -> None:
    assert says("diff", OLD, OLD, *DAY).output.endswith("every event is decided alike\n")


def test_diff_as_json_names_every_pair(new: Path) -> None:
    told = json.loads(says("diff", OLD, new, *DAY, "--json").output)
    assert told["day"] == "2026-06-01"
    (vehicles,) = [each for each in told["differences"] if "vehicles" in each["parts"]]
    assert (vehicles["before"], vehicles["after"]) == ("granted", "withheld")
    assert {"origin": "west-yorkshire", "recipient": "south-yorkshire"} in vehicles["pairs"]
    assert all(region["where"] and region["example"] for region in vehicles["regions"])


def test_check_examines_every_rule_and_says_which_meet() -> None:
    result = says("check", OLD, *DAY)
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    assert "no rule is dead, and none is shadowed" in text
    assert "NBR-2026-01 / don-border and NBR-2026-01 / pursuit both grant classification, locations, vehicles" in text
    assert "NBR-2026-01 / pursuit and STAND-2026 / source meet over classification" in text
    assert "examined exactly, as in force on 2026-06-01" in text


def test_before_an_agreement_starts_its_rules_are_said_not_to_be_examined() -> None:
    assert "not in force on that day, and not examined: NBR-2026-01 / dales-border" in " ".join(
        says("check", OLD, "--on", "2026-01-15").output.split()
    )


def test_check_as_json_and_quickly(new: Path) -> None:
    told = json.loads(says("check", new, *DAY, "--json").output)
    assert {finding["kind"] for finding in told["findings"]} == {"overlapping"}
    assert json.loads(says("check", new, "--quick", "--json").output)["findings"] == []
    assert "examined" not in says("check", new, "--quick").output


def test_without_the_solver_check_still_loads_and_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement_examine, "find_spec", lambda _name: None)
    result = says("check", OLD)
    assert result.exit_code == 0
    assert "needs the extra `analysis`" in result.output
    assert "solver is not installed" in str(says("diff", OLD, OLD).exception)


def test_a_day_that_is_none_is_refused() -> None:
    result = says("check", OLD, "--on", "soon")
    assert result.exit_code == 2
    assert "expected a day like 2026-03-01" in result.output
