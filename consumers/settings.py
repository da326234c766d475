"""What a consumer is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field

from consumers.sinks.places import Place
from schemas.codec import SchemaLookup
from schemas.errors import Rejected
from schemas.exchange import Exchange
from schemas.kafka import ClientSettings
from schemas.topics import OUTPUT_EXTRA_BYTES


@dataclass(frozen=True)
class AnswersByCall:
    """Where calls with answers are taken, and what a caller must show; None: nothing."""

    port: int
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class ConsumerSettings:
    """One member's consumer: of which exchange, from which cluster, into which database."""

    exchange: Exchange
    member: str
    clients: ClientSettings
    into: Place
    lookup: SchemaLookup | None = None
    """Where to find schemas newer than this release."""

    @property
    def most_bytes(self) -> int:
        """The largest record that a router writes."""
        return self.exchange.limits.max_event_bytes + OUTPUT_EXTRA_BYTES

    def group(self, what: str) -> str:
        """The consumer group of this member's instances."""
        return f"{self.exchange.exchange}.{what}.{self.member}"

    def must(self, role: str) -> None:
        """See that the member publishes or receives, as this command needs.

        Raises:
            Rejected: it does not, or is no member.
        """
        members = self.exchange.receivers() if role == "receives" else self.exchange.publishers()
        if self.member not in members:
            raise Rejected(
                "no-such-member",
                f"expected a member of {self.exchange.exchange} that {role} ({', '.join(members) or 'there is none'}), "
                f"got {self.member!r}",
            )
