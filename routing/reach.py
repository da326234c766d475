"""Which members can be reached: whose topics exist and take what is written.

A member that cannot be reached is suspended: its deliveries are recorded as undeliverable, and all others flow. An
origin whose own topics cannot be written cannot be routed at all, since a disclosure without a record must never
happen: its inputs are held until they can.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from schemas.exchange import Exchange
from schemas.ops import metrics
from schemas.ops.logs import get_logger
from schemas.topics import (
    cases_topic,
    disclosures_topic,
    feedback_topic,
    incidents_topic,
    partner_topic,
    quarantine_topic,
    receipts_topic,
    rulings_topic,
    state_topic,
)

log = get_logger()

REFUSED_RETRY_CHECKS = 12
"""How many checks a topic that refused a write is left alone before it is tried again."""

MISSING = "missing-topic"
"""The reason of a topic that is not there: it counts until a check sees the topic again."""


class Reach:
    """What is known of members' topics, from the broker's list and from refused writes."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._own = {member: _own(exchange, member) for member in exchange.members}
        self._partners = {partner_topic(member): member for member in exchange.receivers()}
        self._wanted = frozenset(self._partners).union(*self._own.values())
        self._missing: frozenset[str] = frozenset()
        self._refused: dict[str, tuple[str, int]] = {}
        self._suspended: dict[str, str] = {}

    def suspended(self) -> Mapping[str, str]:
        """Members that cannot be written to, each with the reason as a code."""
        return self._suspended

    def unwritable(self) -> frozenset[str]:
        """Topics, other than those of deliveries, that must be written and cannot be."""
        return self._missing.union(self._refused).difference(self._partners)

    def seen(self, topics: Collection[str]) -> None:
        """Take in the broker's list of topics."""
        self._missing = self._wanted - frozenset(topics)
        self._refused = {
            topic: (reason, checks - 1)
            for topic, (reason, checks) in self._refused.items()
            if reason != MISSING and checks > 1
        }
        self._settle()

    def refused(self, topics: Mapping[str, str]) -> None:
        """Take in that topics refused a write, each with the reason as a code."""
        for topic in self._wanted.intersection(topics):
            self._refused[topic] = (topics[topic], REFUSED_RETRY_CHECKS)
        self._settle()

    def holds(self) -> dict[str, str]:
        """Input topics that cannot be routed, each with the topic of their own member that cannot be written."""
        held: dict[str, str] = {}
        unwritable = self.unwritable()
        for member, facts in self._exchange.members.items():
            lacking = [topic for topic in self._own[member] if topic in unwritable]
            if lacking and facts.publishes:
                held |= dict.fromkeys((incidents_topic(member), rulings_topic(member)), lacking[0])
            if lacking and facts.receives:
                held[receipts_topic(member)] = lacking[0]
        return held

    def _settle(self) -> None:
        before = self._suspended
        missing = {self._partners[topic]: MISSING for topic in self._missing if topic in self._partners}
        refused = {self._partners[t]: reason for t, (reason, _) in self._refused.items() if t in self._partners}
        self._suspended = refused | missing
        for member in self._exchange.receivers():
            metrics.set_gauge("member_suspended", float(member in self._suspended), member=member)
        for member in self._suspended.keys() - before.keys():
            log.error("member suspended", member=member, reason=self._suspended[member])
        for member in before.keys() - self._suspended.keys():
            log.warning("member no longer suspended", member=member)


def _own(exchange: Exchange, member: str) -> tuple[str, ...]:
    """The topics that must be there before anything of a member's is routed."""
    if not exchange.members[member].publishes:
        return (quarantine_topic(member),)
    kept = state_topic(exchange.exchange)
    said = (disclosures_topic(member), feedback_topic(member), cases_topic(member), quarantine_topic(member))
    return (*said, kept)
