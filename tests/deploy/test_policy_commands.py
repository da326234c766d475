"""What a policy owner does and reads: publish, history, suspend, resume, restore, and every refusal."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from deploy.broker import EmbeddedBroker
from deploy.cli import cli
from deploy.demo.run import HERE
from deploy.policy_publishing import PolicyDesk
from deploy.provision import provision
from routing.agreements import Bundle, load_bundle
from schemas.errors import Rejected
from schemas.exchange import load_exchange
from schemas.kafka import ClientSettings

AGREEMENT = load_bundle(HERE / "agreements").agreements[0].id


@dataclass
class Owner:
    """Somebody with a folder of agreements, an exchange of his own and the command line."""

    folder: Path
    bootstrap: str

    @property
    def exchange(self) -> Path:
        return self.folder / "exchange.yaml"

    @property
    def desk(self) -> PolicyDesk:
        return PolicyDesk(load_exchange(self.exchange), ClientSettings(self.bootstrap))

    def edit(self, **changes: Any) -> None:
        """Change bundle.yaml as its owner would."""
        path = self.folder / "agreements" / "bundle.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))

    def says(self, *words: str, exit_code: int = 0) -> str:
        """What ``huecry agreements`` prints."""
        told = CliRunner().invoke(
            cli, ["agreements", *words, "--exchange", str(self.exchange), "--bootstrap", self.bootstrap]
        )
        assert told.exit_code == exit_code, told.output
        # `huecry` prints a refusal in one line; here it is the exception itself.
        refusal = f"{told.exception} {getattr(told.exception, 'remedy', '')}" if told.exception else ""
        return told.output + refusal

    def publishes(self, *words: str, exit_code: int = 0) -> str:
        return self.says("publish", str(self.folder / "agreements"), *words, exit_code=exit_code)

    def in_force(self) -> Bundle:
        newest = self.desk.newest()
        assert newest is not None
        return newest.bundle()


@pytest.fixture
def owner(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Owner:
    shutil.copytree(HERE / "agreements", tmp_path / "agreements")
    described = yaml.safe_load((HERE / "exchange.yaml").read_text())
    (tmp_path / "exchange.yaml").write_text(yaml.safe_dump(described | {"exchange": unique}))
    return Owner(tmp_path, broker.bootstrap)


@pytest.fixture(scope="module", autouse=True)
def _topics(broker: EmbeddedBroker) -> None:
    provision(ClientSettings(broker.bootstrap), load_exchange(HERE / "exchange.yaml"))


def test_what_is_published_is_in_force_exactly_and_stands_in_the_history(owner):
    assert "nothing has been published" in owner.says("history")
    assert "policy version 1" in owner.publishes()
    assert owner.in_force() == load_bundle(owner.folder / "agreements")
    owner.edit(version=5)
    owner.publishes()
    lines = owner.says("history").splitlines()
    assert [line.split()[0] for line in lines] == ["1", "5"]
    assert all("Demonstration policy desk" in line for line in lines)


def test_what_check_refuses_is_not_published(owner):
    (owner.folder / "agreements" / "agreements" / "broken.yaml").write_text("agreement: X\nnonsense: yes\n")
    assert "broken.yaml:2" in owner.publishes(exit_code=1)
    assert owner.desk.newest() is None


@pytest.mark.parametrize("version", [3, 2])
def test_a_version_that_does_not_rise_is_refused_and_the_next_one_is_told(owner, version):
    owner.edit(version=3)
    owner.publishes()
    owner.edit(version=version)
    told = owner.publishes(exit_code=1)
    assert f"version {version} does not rise: 3 was published" in told
    assert "version: 4" in told
    assert len(owner.desk.history()) == 1


def test_what_is_to_be_published_once_is_not_published_again_whatever_is_in_force_now(owner):
    assert "published: policy version 1" in owner.publishes("--once")
    owner.says("suspend", AGREEMENT, "--by", "N. Owner", "--why", "a leak")
    assert "version 1 was published at" in owner.publishes("--once")
    assert len(owner.desk.history()) == 2
    assert owner.in_force().suspension(AGREEMENT) is not None


def test_another_bundle_under_a_version_that_was_published_is_refused_all_the_same(owner):
    owner.publishes("--once")
    owner.edit(published_by="Somebody else")
    assert "does not rise" in owner.publishes("--once", exit_code=1)


@pytest.mark.parametrize(("change", "word"), [("lacks", "lacks members"), ("has more", "does not have")])
def test_a_bundle_for_other_members_than_the_exchange_has_is_refused(owner, change, word):
    described = yaml.safe_load(owner.exchange.read_text())
    if change == "lacks":
        described["members"]["new-force"] = {"name": "A new force", "publishes": True}
    else:
        # The bundle is loaded from the exchange.yaml beside it: so it is published for another one.
        (owner.folder / "agreements" / "exchange.yaml").write_text(owner.exchange.read_text())
        owner.edit(members="exchange.yaml")
        described["members"].popitem()
    theirs = owner.folder / "theirs.yaml"
    theirs.write_text(yaml.safe_dump(described))
    desk = PolicyDesk(load_exchange(theirs), ClientSettings(owner.bootstrap))
    with pytest.raises(Rejected, match=word):
        desk.publish(load_bundle(owner.folder / "agreements"))
    assert desk.newest() is None


def test_suspend_changes_one_agreement_and_nothing_else_and_resume_takes_it_back(owner):
    owner.publishes()
    before = owner.in_force()
    told = owner.says("suspend", AGREEMENT, "--by", "N. Owner", "--why", "a leak")
    assert f"{AGREEMENT} is suspended: policy version 2" in told
    suspended = owner.in_force()
    assert (suspended.agreements, suspended.members) == (before.agreements, before.members)
    assert [(each.agreement, each.who, each.why) for each in suspended.suspended] == [(AGREEMENT, "N. Owner", "a leak")]
    assert "suspended: " + AGREEMENT in owner.says("history").splitlines()[-1]
    assert "already, by N. Owner" in owner.says("suspend", AGREEMENT, "--by", "X", "--why", "y", exit_code=1)
    owner.says("resume", AGREEMENT, "--by", "N. Owner")
    assert owner.in_force().suspended == ()
    assert "is not suspended" in owner.says("resume", AGREEMENT, "--by", "X", exit_code=1)


def test_a_suspension_does_not_end_by_being_forgotten(owner):
    owner.publishes()
    owner.says("suspend", AGREEMENT, "--by", "N. Owner", "--why", "a leak")
    owner.edit(version=3)
    told = owner.publishes(exit_code=1)
    assert f"would lift the suspension of {AGREEMENT}" in told
    assert "--lift" in told
    owner.edit(suspended=[{"agreement": AGREEMENT, "who": "N. Owner", "why": "a leak"}])
    owner.publishes()
    owner.edit(version=4, suspended=[])
    owner.publishes("--lift", AGREEMENT)
    assert owner.in_force().suspended == ()


def test_an_earlier_version_is_restored_under_a_new_number_and_what_is_suspended_stays_so(owner):
    owner.publishes()
    first = owner.in_force()
    owner.edit(version=2, published_by="Somebody else")
    owner.publishes()
    owner.says("suspend", AGREEMENT, "--by", "N. Owner", "--why", "a leak")
    owner.says("restore", "1", "--by", "N. Owner")
    restored = owner.in_force()
    assert (restored.version, restored.published_by) == (4, "N. Owner")
    assert restored.agreements == first.agreements
    assert [each.agreement for each in restored.suspended] == [AGREEMENT]
    assert "is the one in force" in owner.says("restore", "4", "--by", "X", exit_code=1)
    assert "version 9 was never published; the versions are 1, 2, 3, 4" in owner.says(
        "restore", "9", "--by", "X", exit_code=1
    )


def test_an_agreement_that_is_not_there_is_refused_with_those_that_are(owner):
    assert "no policy has been published" in owner.says("suspend", "NONE", "--by", "X", "--why", "y", exit_code=1)
    owner.publishes()
    told = owner.says("suspend", "NONE", "--by", "X", "--why", "y", exit_code=1)
    assert "has no agreement NONE" in told
    assert AGREEMENT in told


def test_the_history_is_data_too(owner):
    owner.publishes()
    owner.says("suspend", AGREEMENT, "--by", "N. Owner", "--why", "a leak")
    first, second = (json.loads(line) for line in owner.says("history", "--json").splitlines())
    assert first["version"] == 1
    assert first["hash"] == load_bundle(owner.folder / "agreements").hash
    assert first["suspended"] == {}
    assert second["suspended"] == {AGREEMENT: {"who": "N. Owner", "why": "a leak"}}
    assert AGREEMENT in second["agreements"]


def test_of_two_who_publish_one_version_at_the_same_moment_the_later_is_told(owner, monkeypatch):
    bundle = load_bundle(owner.folder / "agreements")
    owner.desk.publish(bundle)
    # As the later one saw it before the earlier one wrote.
    monkeypatch.setattr(PolicyDesk, "newest", lambda _desk: None)
    with pytest.raises(Rejected, match="at the same moment"):
        owner.desk.publish(bundle)
