"""A policy that the router would obey only in part is not put in force."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.able import check_able
from routing.agreements.model import Condition, Limit, Rule
from routing.policy_topic import Newest, OnePolicy, policy_key
from schemas.errors import Rejected
from tests.routing.scene import a_bundle, a_forbid, a_share, an_exchange

HELD = a_forbid("r", ["south"], ["facts"], Condition("holder"))
NOT_HELD = replace(a_share("r", ["south"], ["facts"]), unless=((Condition("holder"),),))


@pytest.mark.parametrize("rule", [HELD, NOT_HELD], ids=["when", "unless"])
def test_a_rule_that_the_router_cannot_follow_keeps_the_whole_policy_out(rule: Rule):
    bundle = a_bundle(an_exchange(), rule)
    with pytest.raises(Rejected, match="T-1/r"):
        check_able(bundle)
    with pytest.raises(Rejected, match="T-1/r"):
        OnePolicy(bundle)
    newest = Newest("tests")
    newest.see(policy_key("tests", bundle.version), bundle.to_bytes())
    assert newest.in_force().bundle is None
    assert "T-1/r" in newest.in_force().reason


def test_a_cap_of_retention_is_no_hindrance():
    check_able(a_bundle(an_exchange(), Limit(id="r", recipients=("south",), retain_days=3)))
