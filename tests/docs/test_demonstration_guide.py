"""docs/demonstration.md: what it says is run is what the scripts run, and in that order."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from deploy.demo.acting import Acting, Places
from deploy.demo.crew import Crew
from deploy.demo.lives import LIVES

GUIDE = (Path(__file__).parents[2] / "docs" / "demonstration.md").read_text("utf-8")


class Recording(Acting):
    """Whatever is waited for is there at once; what would be run is written down."""

    def until_told(self, kind: str, *, by_person: bool = False, covering: str | None = None) -> Iterator[None]:
        yield from ()

    def until_asked(self, what: str) -> Iterator[None]:
        yield from ()

    def _run(self, *words: str) -> Iterator[None]:
        ran.append(words)
        yield from ()


ran: list[tuple[str, ...]] = []


def test_each_life_runs_the_commands_that_the_guide_shows(tmp_path: Path) -> None:
    members = {life.member: tmp_path / "received.db" for life in LIVES}
    places = Places(Crew(tmp_path), tmp_path / "ledger.db", members, (), tmp_path / "token")
    for life in LIVES:
        ran.clear()
        list(life.script(Recording(places, life.name, life.log, life.incident_id, life.member)))
        (row,) = re.findall(rf"^\| {life.name} \| .* \| (.*) \|$", GUIDE, re.MULTILINE)
        shown = [tuple(shlex.split(command)[1:]) for command in re.findall(r"`(huecry [^`]*)`", row)]
        assert [words[: len(said)] for words, said in zip(ran, shown, strict=True)] == shown
