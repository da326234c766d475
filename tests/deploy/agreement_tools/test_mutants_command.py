"""`huecry agreements mutants`, as an information manager uses it: the examples that it writes are what it says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from deploy.cli import cli
from deploy.demo.run import HERE
from schemas.errors import Rejected

BUNDLE = Path(__file__).parents[2] / "routing" / "agreements" / "bundle"
ONE = ("--agreement", "HWY-2026-03", "--on", "2026-06-01")
"""The least of its agreements: two rules."""


def says(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["agreements", *map(str, words)])


def told(folder: Path) -> dict[str, Any]:
    result = says("mutants", folder, *ONE, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.output)
    return found


def survivors(found: dict[str, Any]) -> list[dict[str, str]]:
    by_example = [each for one in found["proposals"] for each in one["notices"]]
    return [*by_example, *found["unsaid"], *found["not_shown"]]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    shutil.copytree(BUNDLE, tmp_path / "bundle")
    return tmp_path / "bundle"


def test_the_examples_it_writes_hold_and_notice_what_it_says_they_would(bundle: Path) -> None:
    before = told(bundle)
    more = sum(len(each["notices"]) for each in before["proposals"])
    assert before["noticed_by_examples"] > 0
    assert more > 0
    file = bundle / "agreements" / "roads.yaml"
    pasted = [
        line
        for each in before["proposals"]
        if each["agreement"] == "HWY-2026-03"
        for line in each["example"].splitlines()
    ]
    file.write_text(file.read_text("utf-8").rstrip("\n") + "\n" + "\n".join(f"  {line}" for line in pasted) + "\n")
    tested = says("test", bundle)
    assert tested.exit_code == 0, tested.output
    after = told(bundle)
    assert after["noticed_by_examples"] == before["noticed_by_examples"] + more
    left = [(each["place"], each["change"]) for each in (*before["unsaid"], *before["not_shown"])]
    assert sorted((each["place"], each["change"]) for each in survivors(after)) == sorted(left)


def test_it_counts_what_the_examples_would_notice_and_names_every_survivor(bundle: Path) -> None:
    found = told(bundle)
    result = says("mutants", bundle, *ONE)
    assert result.exit_code == 0, result.output
    text = result.output
    effective = found["changes"] - found["no_change"]
    noticed = found["noticed_by_examples"]
    assert f"{found['changes']} small changes to the rules, one at a time, as in force on 2026-06-01:" in text
    assert f"{noticed} of these the examples would notice ({noticed * 100 // effective} %)" in text
    assert "beneath `examples:` of HWY-2026-03, if each says what you mean:" in text
    assert len(survivors(found)) == found["noticed_by_witnesses"] + found["noticed_by_nobody"] == effective - noticed
    for each in survivors(found):
        assert f"{each['place']}: {each['change']}" in text


def test_what_examples_cannot_say_is_named_apart(bundle: Path) -> None:
    changes = {each["change"] for each in told(bundle)["unsaid"]}
    assert {"keeping it 6 days instead of 7", "reviewed a day later", "with `silent: true`"} <= changes


def test_an_agreement_that_is_not_there_is_refused_with_those_that_are() -> None:
    result = says("mutants", BUNDLE, "--agreement", "HWY-2026-04")
    assert isinstance(result.exception, Rejected)
    assert "HWY-2026-03" in str(result.exception)


def test_a_bundle_of_which_an_example_fails_is_refused(tmp_path: Path) -> None:
    shutil.copytree(HERE, tmp_path / "demo")
    file = tmp_path / "demo" / "agreements" / "agreements" / "neighbours.yaml"
    text = file.read_text("utf-8")
    broken = text.replace("withhold: all", "forbid: all", 1)
    assert broken != text
    file.write_text(broken, "utf-8")
    result = says("mutants", tmp_path / "demo" / "agreements")
    assert isinstance(result.exception, Rejected)
