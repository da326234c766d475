"""Who can be reached, and whose inputs wait because their own topics cannot be written."""

from __future__ import annotations

import pytest

from routing.reach import REFUSED_RETRY_CHECKS, Reach
from schemas.ops import metrics
from schemas.topics import topic_specs
from tests.routing.scene import an_exchange

EXCHANGE = an_exchange()
TOPICS = frozenset(spec.name for spec in topic_specs(EXCHANGE))


@pytest.fixture
def reach() -> Reach:
    made = Reach(EXCHANGE)
    made.seen(TOPICS)
    return made


def test_with_every_topic_there_all_flow(reach):
    assert (reach.suspended(), reach.holds(), reach.unwritable()) == ({}, {}, frozenset())


def test_a_member_without_its_partner_topic_is_suspended_until_it_is_there(reach):
    reach.seen(TOPICS - {"partner.west"})
    assert reach.suspended() == {"west": "missing-topic"}
    assert reach.holds() == {}
    assert metrics.reading("member_suspended", member="west") == 1
    reach.seen(TOPICS)
    assert reach.suspended() == {}
    assert metrics.reading("member_suspended", member="west") == 0


@pytest.mark.parametrize("family", ["disclosures", "feedback", "cases", "quarantine"])
def test_a_force_without_a_topic_of_its_own_waits_and_nobody_else_does(reach, family):
    missing = f"{family}.north"
    reach.seen(TOPICS - {missing})
    assert reach.holds() == {"incidents.north": missing, "rulings.north": missing, "receipts.north": missing}
    assert reach.unwritable() == {missing}
    assert reach.suspended() == {}


def test_a_receiver_needs_only_its_quarantine(reach):
    reach.seen(TOPICS - {"quarantine.west"})
    assert reach.holds() == {"receipts.west": "quarantine.west"}


def test_a_topic_that_went_missing_counts_at_once_and_until_it_is_seen_again(reach):
    reach.refused({"partner.west": "missing-topic", "disclosures.north": "missing-topic"})
    assert reach.suspended() == {"west": "missing-topic"}
    assert "incidents.north" in reach.holds()
    reach.seen(TOPICS)
    assert (reach.suspended(), reach.holds()) == ({}, {})


def test_a_topic_that_refused_a_write_is_left_alone_for_a_while_though_it_is_there(reach):
    reach.refused({"partner.west": "refused", "feedback.south": "refused"})
    for _ in range(REFUSED_RETRY_CHECKS - 1):
        reach.seen(TOPICS)
        assert reach.suspended() == {"west": "refused"}
        assert reach.holds().keys() == {"incidents.south", "rulings.south", "receipts.south"}
    reach.seen(TOPICS)
    assert (reach.suspended(), reach.holds()) == ({}, {})


def test_topics_of_nobody_s_are_no_concern(reach):
    reach.refused({"partner.nobody": "refused", "policy": "missing-topic"})
    reach.seen(TOPICS - {"policy", "receipts.west", "incidents.north"})
    assert (reach.suspended(), reach.holds(), reach.unwritable()) == ({}, {}, frozenset())
