"""The spool's file is whole or not there, whenever whoever makes it is killed."""

from __future__ import annotations

from collections.abc import ItemsView
from pathlib import Path

import pytest

from producers.spool_file import SpoolFile


class Killed(Exception):
    """Stands for SIGKILL: nothing after it is written."""


class KilledWhileNaming(dict[str, str]):
    """An owner in the middle of which the process ends."""

    def items(self) -> ItemsView[str, str]:
        raise Killed


def test_a_spool_whose_maker_was_killed_in_the_middle_is_made_by_the_next(tmp_path: Path) -> None:
    owner = {"origin": "kent", "system": "command"}
    with pytest.raises(Killed):
        SpoolFile(tmp_path / "a.spool", KilledWhileNaming(owner), locked=True)
    spool = SpoolFile(tmp_path / "a.spool", owner, locked=True)
    assert spool.about() == owner
    spool.close()
