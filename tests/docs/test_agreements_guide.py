"""docs/agreements.md: every agreement in it loads and its examples hold; every command in it is one of ours."""

from __future__ import annotations

import re
import shlex
from datetime import date
from pathlib import Path

import click
import pytest

from deploy.cli import cli
from routing.agreements import load_bundle
from routing.agreements.load import BundleRejected

GUIDE = (Path(__file__).parents[2] / "docs" / "agreements.md").read_text("utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)
BUNDLE, *AGREEMENTS = [text for language, text in BLOCKS if language == "yaml"]


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
