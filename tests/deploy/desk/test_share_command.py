"""``huecry share`` and ``huecry discretions`` on the real broker, with a stand-in for the router."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from deploy.broker import EmbeddedBroker
from deploy.desk.beyond_rules import roles_beyond, terms_of
from deploy.desk.persons import Ruler
from routing.agreements.model import Suspension
from schemas.codec import encode
from schemas.errors import Rejected
from schemas.records import Feedback
from tests.consumers.case_making import ruling_record
from tests.consumers.ledger_making import FORCE, disclosure
from tests.consumers.making import at
from tests.deploy.desk.desk_scene import Scene
from tests.routing.agreements.conftest import a_bundle, a_forbid, a_share, an_agreement

SHARE = ("share", "i-1", "--to", "south-yorkshire", "--sections", "facts", "--because", "He is on his way there")
BASIS = ("--basis", "DPA 2018 s.35(2)(b)")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def scene(broker: EmbeddedBroker, unique: str, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, broker.bootstrap, unique)
    with closing(made.kept.sink):
        made.kept.take("disclosures", disclosure("e-1"))
        yield made


def test_at_discretion_named_sections_go_out_on_the_terms_of_the_agreement_that_fits(scene: Scene) -> None:
    scene.publish()
    with scene.router().at_work() as router:
        told = scene.says(*SHARE, *BASIS, "--until", "2h", "--locate", "1km")
    assert "shared-at-discretion: south-yorkshire, facts" in told
    assert "shared as duty-inspector on the terms of WPN-2026-01" in told
    ((ruling, _),) = router.rulings
    assert (ruling.kind, ruling.recipients, ruling.sections) == ("discretion", ("south-yorkshire",), ("facts",))
    assert (ruling.agreement, ruling.basis, ruling.later_events) == ("WPN-2026-01", "DPA 2018 s.35(2)(b)", False)
    assert (ruling.seen_sequence, ruling.locate) == (1, "1km")
    assert ruling.until is not None
    assert ruling.until - ruling.made_at <= timedelta(hours=2)


def test_what_waits_for_a_ruling_is_refused_by_the_router_and_sent_to_its_case(scene: Scene) -> None:
    scene.publish()
    scene.comes(scene.a_line(recipient="south-yorkshire"))
    with scene.router().at_work():
        told = scene.says(*SHARE, *BASIS, exit_code=3)
    assert "NOT TAKEN (referred)" in told
    assert "release it through its case" in told


def test_over_a_forbid_when_life_is_at_risk(scene: Scene) -> None:
    scene.roles = {"force-incident-manager": ["inspector.smith"]}
    scene.publish()
    with scene.router().at_work() as router:
        told = scene.says(*SHARE, *BASIS, "--life-at-risk")
        assert "overridden: south-yorkshire, facts" in told
        assert "for at most 4 h, got longer" in scene.says(
            *SHARE, *BASIS, "--life-at-risk", "--until", "5h", exit_code=1
        )
        assert "leave out --later-events" in scene.says(*SHARE, *BASIS, "--life-at-risk", "--later-events", exit_code=1)
        assert "lets duty-inspector share at discretion" in scene.says(*SHARE, *BASIS, exit_code=1)
    assert [ruling.kind for ruling, _ in router.rulings] == ["override"]


@pytest.mark.parametrize(
    ("words", "says", "code"),
    [
        ((*SHARE,), "Missing option '--basis'", 2),
        ((*SHARE, *BASIS, "--agreement", "NONE"), "expected an agreement in force that west-yorkshire is part of", 1),
        ((*SHARE, *BASIS, "--life-at-risk"), "lets force-incident-manager override a forbid", 1),
        ((*SHARE[:4], "--because", "x", *BASIS), "Missing option '--sections'", 2),
        ((*SHARE, *BASIS, "--to", "nobody"), "expected a member, got nobody", 1),
        (("share", "i-9", *SHARE[2:], *BASIS), "this ledger has no decision about i-9", 1),
    ],
)
def test_words_that_could_not_count_are_refused_and_nothing_is_sent(
    scene: Scene, words: tuple[str, ...], says: str, code: int
) -> None:
    scene.publish()
    with scene.router().at_work() as router:
        assert says in scene.says(*words, exit_code=code)
    assert router.rulings == []


def test_the_next_day_it_is_listed_with_who_why_on_what_basis_and_whether_it_counted(scene: Scene) -> None:
    beyond = {"basis": "DPA 2018 s.35(2)(b)", "agreement": "WPN-2026-01", "locate": "1km"}
    scene.kept.take(
        "rulings",
        ruling_record("discretion", ruling_id="r-1", **beyond),
        ruling_record("override", ruling_id="r-2", **beyond),
        ruling_record("release", ruling_id="r-3"),
    )
    said = Feedback(
        feedback_id="f-1", to=FORCE, kind="shared-at-discretion", member="greater-manchester", at=at(6), ruling_id="r-1"
    )
    scene.kept.take("feedback", encode("Feedback", said.to_avro()))
    told = scene.says("discretions", "--day", "2026-01-31", look=True)
    assert told.startswith("Shared beyond the rules on Sat 2026-01-31: 2 (times are Europe/London)")
    for words in (
        "08:05  at discretion: incident i-1, event 1",
        "to greater-manchester: locations, places no finer than 1km, until 10:05",
        "by inspector.smith as duty-inspector, known by os-user",
        "because: They are at the door",
        "basis: DPA 2018 s.35(2)(b); on the terms of WPN-2026-01",
        "shared-at-discretion greater-manchester 08:06",
        "08:05  OVER A FORBID, life at risk: incident i-1, event 1",
        "NOT KNOWN: no router has said whether it counts",
    ):
        assert words in told
    (first, second) = scene.tells("discretions", "--day", "2026-01-31", look=True)
    assert (first["kind"], len(first["said"]), second["said"]) == ("discretion", 1, [])


def test_a_day_is_londons_and_yesterday_unless_it_is_named(scene: Scene) -> None:
    yesterday = f"{date.today() - timedelta(days=1)}"  # noqa: DTZ011  the machine's day is close enough to tell apart
    assert f"{yesterday[:4]}" in scene.says("discretions", look=True)
    assert "Nothing was shared beyond the rules on Fri 2026-01-30." in scene.says(
        "discretions", "--day", "2026-01-30", look=True
    )


class TestTerms:
    INSPECTOR = Ruler("p", "P", "duty-inspector", "os-user")
    BUNDLE = a_bundle(
        an_agreement(a_share(), id="A"),
        an_agreement(a_share("s", recipients=("south", "west")), a_forbid(override=("duty-inspector",)), id="B"),
        discretion=("duty-inspector",),
    )

    def terms(self, *to: str, kind="discretion", agreement=None, until=None, bundle=None):
        return terms_of(bundle or self.BUNDLE, "north", kind, self.INSPECTOR, to, agreement, until, NOW)

    def test_the_only_agreement_that_reaches_all_is_meant_and_of_several_the_person_says_which(self):
        assert self.terms("south", "west").agreement == "B"
        assert self.terms("south", agreement="A").agreement == "A"
        with pytest.raises(Rejected, match="several agreements fit: A, B") as refused:
            self.terms("south")
        assert "--agreement" in refused.value.remedy

    def test_an_override_takes_the_agreement_whose_forbid_names_the_role(self):
        assert self.terms("south", kind="override").agreement == "B"
        with pytest.raises(Rejected, match="no agreement fits by itself"):
            self.terms("west", kind="override")

    def test_a_suspended_agreement_fits_nothing(self):
        stopped = replace(self.BUNDLE, suspended=(Suspension("B", "x", "y"),))
        assert self.terms("south", bundle=stopped).agreement == "A"
        with pytest.raises(Rejected, match="expected an agreement in force"):
            self.terms("south", agreement="B", bundle=stopped)

    def test_a_limit_that_is_over_is_refused(self):
        with pytest.raises(Rejected, match="still to come"):
            self.terms("west", "south", until=NOW)

    def test_roles_are_those_that_the_policy_names(self):
        assert roles_beyond(self.BUNDLE, "discretion") == {"duty-inspector"}
        assert roles_beyond(self.BUNDLE, "override") == {"duty-inspector"}
        assert roles_beyond(a_bundle(an_agreement(a_share())), "override") == frozenset()
