"""Where a router keeps its copy of what it remembers, and what it says if it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli import cli
from routing.settings import RouterSettings, state_folder
from schemas.errors import Rejected

EXCHANGE = Path(__file__).parents[2] / "deploy" / "demo" / "exchange.yaml"


@pytest.mark.parametrize("named", [True, False], ids=["--state", "by default"])
def test_a_router_that_cannot_keep_what_it_remembers_says_so_and_does_not_start(named, tmp_path, monkeypatch):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("no folder")
    monkeypatch.setenv("XDG_STATE_HOME", str(in_the_way))
    words = ["--state", str(in_the_way / "state")] if named else []
    result = CliRunner().invoke(cli, ["route", "--exchange", str(EXCHANGE), "--bootstrap", "localhost:1", *words])
    assert isinstance(result.exception, Rejected)
    assert result.exception.reason == "not-writable"
    assert str(in_the_way) in str(result.exception)
    assert "--state" in result.exception.remedy


def test_routers_of_other_names_and_exchanges_keep_apart_in_one_folder(tmp_path):
    one, two = (RouterSettings(instance=name, state_folder=tmp_path) for name in ("one", "two"))
    assert len({state_folder("a", one), state_folder("a", two), state_folder("b", one)}) == 3


def test_whoever_starts_a_router_from_where_it_keeps_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder("a", RouterSettings()) == tmp_path / "huecry" / "a.route.router"
