"""docs/agreements.md: every agreement in it loads and its examples hold; every command in it is one of ours."""

from __future__ import annotations

import json
import re
import shlex
import textwrap
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from deploy.cli import cli
from routing.agreements import load_bundle
from routing.agreements.load import BundleRejected

GUIDE = (Path(__file__).parents[2] / "docs" / "agreements.md").read_text("utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)
BUNDLE, *_FILES = [text for language, text in BLOCKS if language == "yaml"]
AGREEMENTS = [text for text in _FILES if text.startswith("agreement:")]
(AN_EXAMPLE,) = [text for text in _FILES if text not in AGREEMENTS]


def name_of(text: str) -> str:
    found = re.match(r"agreement: ([\w-]+)", text)
    assert found, f"expected an agreement, got {text[:40]}"
    return found[1]


def a_bundle(folder: Path, *agreements: str, bundle: str = BUNDLE) -> Path:
    (folder / "agreements").mkdir()
    (folder / "bundle.yaml").write_text(bundle, "utf-8")
    for text in agreements:
        (folder / "agreements" / f"{name_of(text).lower()}.yaml").write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize("text", AGREEMENTS, ids=name_of)
def test_each_agreement_can_be_copied_as_it_stands(text: str, tmp_path: Path) -> None:
    (agreement,) = load_bundle(a_bundle(tmp_path, text)).agreements
    assert agreement.id == name_of(text)
    assert "examples:" in text


@pytest.mark.parametrize("text", AGREEMENTS, ids=name_of)
def test_the_examples_of_each_can_fail(text: str, tmp_path: Path) -> None:
    broken = re.sub(r"(expect: \{[\w-]+: )\{.*\}\}$", r"\1{share: [resources]}}", text, count=1, flags=re.MULTILINE)
    assert broken != text
    with pytest.raises(BundleRejected, match="fails"):
        load_bundle(a_bundle(tmp_path, broken))


def test_all_of_them_stand_in_one_bundle(tmp_path: Path) -> None:
    assert len(load_bundle(a_bundle(tmp_path, *AGREEMENTS)).agreements) == len(AGREEMENTS) >= 9


def mutants_of_the_first(folder: Path) -> dict[str, Any]:
    words = ["agreements", "mutants", str(folder), "--agreement", "WPN-2026-01", "--on", "2026-06-01"]
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(CliRunner().invoke(cli, [*words, "--json"]).output)
    return {**found, "words": result.output}


def test_the_first_agreement_is_noticed_as_far_as_it_says(tmp_path: Path) -> None:
    (shown,) = [text for language, text in BLOCKS if language == "console"]
    assert mutants_of_the_first(a_bundle(tmp_path, AGREEMENTS[0]))["words"].startswith(shown)


def test_the_missing_example_it_shows_holds_and_notices_what_it_says(tmp_path: Path) -> None:
    before, after = (tmp_path / name for name in ("before", "after"))
    before.mkdir()
    after.mkdir()
    pasted = AGREEMENTS[0] + textwrap.indent(AN_EXAMPLE, "  ")
    found = [mutants_of_the_first(a_bundle(*each)) for each in ((before, AGREEMENTS[0]), (after, pasted))]
    change = AN_EXAMPLE.strip().rpartition("would notice ")[2]
    assert [change in each["words"] for each in found] == [True, False]
    assert found[1]["noticed_by_examples"] > found[0]["noticed_by_examples"]


def test_the_never_states_it_shows_can_be_declared(tmp_path: Path) -> None:
    (never,) = [text for language, text in BLOCKS if language == "text"]
    bundle = load_bundle(a_bundle(tmp_path, AGREEMENTS[0], bundle=BUNDLE + never))
    assert bundle.never_stated("west-yorkshire")["caveats"].startswith("C&C 4.2")


def test_each_command_is_one_of_ours_with_its_options() -> None:
    lines = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines() if line.strip()]
    assert len(lines) >= 7
    for line in lines:
        program, *words = shlex.split(line, comments=True)
        assert program == "huecry"
        command: click.Command = cli
        while isinstance(command, click.Group):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found, line
            command = found
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_the_exercise_ends_after_its_last_day(tmp_path: Path) -> None:
    (exercise,) = [text for text in AGREEMENTS if name_of(text) == "EXC-2026"]
    (agreement,) = load_bundle(a_bundle(tmp_path, exercise)).agreements
    assert agreement.ends == date(2026, 3, 6)
