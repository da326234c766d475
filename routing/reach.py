"""Which members can be reached: whose topics exist and take what is written.

A member that cannot be reached is suspended: its deliveries are recorded as undeliverable, and all others flow. An
origin whose own topics are missing cannot be routed at all, since a disclosure without a record must never happen: its
inputs are held until they are there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from schemas.exchange import Exchange
from schemas.ops import metrics
from schemas.ops.logs import get_logger
from schemas.topics import (
    disclosures_topic,
    feedback_topic,
    incidents_topic,
    partner_topic,
    quarantine_topic,
    receipts_topic,
)

log = get_logger()

REFUSED_RETRY_CHECKS = 12
"""How many checks a member stays suspended after its topic refused a write, before it is tried again."""


class Reach:
    """What is known of members' topics, from the broker's list and from refused writes."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._missing: frozenset[str] = frozenset()
        self._refused: dict[str, tuple[str, int]] = {}
        self._suspended: dict[str, str] = {}

    def suspended(self) -> Mapping[str, str]:
        """Members that cannot be written to, each with the reason as a code."""
        return self._suspended

    def seen(self, topics: Collection[str]) -> None:
        """Take in the broker's list of topics."""
        wanted = [partner_topic(member) for member in self._exchange.receivers()]
        wanted += [topic for member in self._exchange.members for topic in self._own(member)]
        self._missing = frozenset(wanted) - frozenset(topics)
        self._refused = {m: (reason, checks - 1) for m, (reason, checks) in self._refused.items() if checks > 1}
        self._settle()

    def refused(self, topics: Mapping[str, str]) -> None:
        """Take in that topics refused a write, each with the reason as a code."""
        for member in self._exchange.receivers():
            if reason := topics.get(partner_topic(member)):
                self._refused[member] = (reason, REFUSED_RETRY_CHECKS)
        self._settle()

    def holds(self) -> dict[str, str]:
        """Input topics that cannot be routed because a topic of their own member is missing, with that topic's name."""
        held = {}
        for member, facts in self._exchange.members.items():
            missing = sorted(self._missing.intersection(self._own(member)))
            if missing and facts.publishes:
                held[incidents_topic(member)] = missing[0]
            if missing and facts.receives:
                held[receipts_topic(member)] = missing[0]
        return held

    def _own(self, member: str) -> list[str]:
        """The topics that must exist before anything of a member's is routed."""
        if not self._exchange.members[member].publishes:
            return [quarantine_topic(member)]
        return [quarantine_topic(member), disclosures_topic(member), feedback_topic(member)]

    def _settle(self) -> None:
        before = self._suspended
        missing = {m: "missing-topic" for m in self._exchange.receivers() if partner_topic(m) in self._missing}
        self._suspended = missing | {member: reason for member, (reason, _) in self._refused.items()}
        for member in self._exchange.receivers():
            metrics.set_gauge("member_suspended", float(member in self._suspended), member=member)
        for member in self._suspended.keys() - before.keys():
            log.error("member suspended", member=member, reason=self._suspended[member])
        for member in before.keys() - self._suspended.keys():
            log.warning("member no longer suspended", member=member)
