"""``huecry agreements``: what owners of agreements see."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli import cli
from schemas.errors import Rejected


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["agreements", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_check_says_what_the_bundle_holds(example_directory: Path):
    output = run("check", str(example_directory))
    assert "version 7, published by Policy desk, West Yorkshire, hash " in output
    assert "WPN-2026-01  West Pennine cross-border incidents" in output
    assert "4 share rules; signed by greater-manchester, west-yorkshire" in output


def test_check_says_what_is_suspended(example_directory: Path, tmp_path: Path):
    shutil.copytree(example_directory, tmp_path / "b")
    with (tmp_path / "b" / "bundle.yaml").open("a", encoding="utf-8") as file:
        file.write("suspended: [{agreement: HWY-2026-03, who: the owner, why: a breach}]\n")
    assert "suspended by the owner: a breach" in run("check", str(tmp_path / "b"))


def test_check_says_every_fault(example_directory: Path, tmp_path: Path):
    shutil.copytree(example_directory, tmp_path / "b")
    file = tmp_path / "b" / "agreements" / "roads.yaml"
    file.write_text(
        file.read_text("utf-8").replace("purpose:", "porpoise:").replace("[locations, hazards]\n", "[x]\n", 1)
    )
    with pytest.raises(Rejected, match=r"agreements/roads.yaml:3:1: `porpoise` is not a key"):
        run("check", str(tmp_path / "b"))


def test_test_prints_each_example(example_directory: Path):
    output = run("test", str(example_directory))
    assert "holds  WPN-2026-01  a source stays at home, pursuit or not" in output
    assert "14 examples, 0 failed" in output


def test_test_says_which_example_fails_and_how(example_directory: Path, tmp_path: Path):
    shutil.copytree(example_directory, tmp_path / "b")
    file = tmp_path / "b" / "agreements" / "roads.yaml"
    file.write_text(
        file.read_text("utf-8").replace("roads-agency: {share: [locations, hazards]}", "roads-agency: {share: []}")
    )
    result = CliRunner().invoke(cli, ["agreements", "test", str(tmp_path / "b")])
    assert isinstance(result.exception, Rejected)
    assert "FAILS  HWY-2026-03  example 1" in result.output
    assert "agreements/roads.yaml:28:5: roads-agency: expected to be shared with the head alone" in result.output
