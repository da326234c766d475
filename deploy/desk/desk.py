"""The desk of one force, and who sits at it: what the commands by which people rule have in common."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from consumers.sinks.places import Place
from deploy.desk.callers import Caller
from deploy.desk.persons import Ruler, ruler_of
from deploy.desk.sending import Outcome, RulingDesk
from deploy.policy_publishing import PolicyDesk
from routing.agreements.bundle import Bundle
from schemas.casework import Ruling
from schemas.errors import Rejected
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings


@dataclass(frozen=True)
class Desk:
    """Where a person rules: the force's ledger, the exchange, its cluster."""

    ledger: Place
    exchange: Exchange
    clients: ClientSettings
    caller: Caller
    role: str | None
    """In which the person wants to rule; None: the only one there is."""

    @cached_property
    def bundle(self) -> Bundle:
        """The policy in force: it says who the people are, and which roles they hold.

        Raises:
            Rejected: none was published, or this release cannot read it.
            Unavailable: Kafka does not answer.
        """
        newest = PolicyDesk(self.exchange, self.clients).newest()
        if newest is None:
            raise Rejected(
                "no-policy",
                f"no policy has been published for {self.exchange.exchange}: it is what says who may rule",
                remedy="huecry agreements publish DIR puts one in force",
            )
        return newest.bundle()

    def ruler(self, force: str, among: Collection[str] = ()) -> Ruler:
        """Who rules on incidents of a force; `among`: the roles that may rule here.

        Raises:
            Rejected: the caller is nobody, holds no such role, or holds several.
        """
        if force not in self.exchange.publishers():
            raise Rejected(
                "other-exchange",
                f"the ledger is that of {force}, and {self.exchange.exchange} has no such force that publishes",
                remedy="name the ledger and the exchange of one force: --ledger, --exchange",
            )
        return ruler_of(self.bundle, force, self.caller, self.role, among)

    def rule(self, force: str, rulings: Sequence[Ruling], wait_s: float) -> list[Outcome]:
        """Send rulings for good, and wait so long for what the router says.

        Raises:
            Rejected: the topics are not there, or not for this client.
            Unavailable: Kafka did not take them.
        """
        return RulingDesk(self.exchange, force, self.clients).rule(rulings, wait_s)
