"""``exchange.yaml``: who the members are, and the settings that hold for the whole exchange.

Topics, and later access rules and quotas, are derived from it. Decisions depend on some of a member's facts too
(country, competent authority, publishes, receives): a policy bundle takes them from here, so they are written once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from schemas.errors import Rejected
from schemas.invalid import COUNTRY, SLUG, note_invalid
from schemas.strict_yaml import Faults, plain, read_yaml

Slug = Annotated[str, StringConstraints(pattern=SLUG, max_length=60)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ControlRoom(_Frozen):
    """Whom a receiver calls about an incident: a desk, never a named person."""

    desk: str = "control room"
    phone: str = ""
    email: str = ""


class Member(_Frozen):
    """One force or agency of the exchange."""

    name: str
    publishes: bool = False
    receives: bool = False
    country: Annotated[str, StringConstraints(pattern=COUNTRY)] = "GB"
    competent_authority: bool = True
    """A competent authority under DPA 2018 s.30: a police force is, an ambulance trust is not."""
    area: str | None = None
    """The name of the member's area in the policy bundle."""
    principal: str | None = None
    """The Kafka principal its clients authenticate as, for access rules."""
    contact: ControlRoom = ControlRoom()

    @model_validator(mode="after")
    def _does_something(self) -> Member:
        if not (self.publishes or self.receives):
            msg = "a member publishes, receives, or both: set `publishes: true` or `receives: true`"
            raise ValueError(msg)
        return self


class Limits(_Frozen):
    """Sizes and times of the exchange, in the units their names say."""

    max_event_bytes: Annotated[int, Field(ge=1024, le=8 * 1024 * 1024)] = 256 * 1024
    """Largest event accepted, framed and uncompressed."""
    transaction_ms: Annotated[int, Field(ge=5, le=5000)] = 50
    """Longest time spent deciding within one transaction."""
    transaction_events: Annotated[int, Field(ge=1, le=10_000)] = 500
    """Most records in one transaction."""


Seconds = Annotated[int, Field(ge=1, le=30 * 24 * 60 * 60)]


def _listed(value: object) -> object:
    """YAML has lists, and a strict model takes tuples alone."""
    return tuple(value) if isinstance(value, list) else value


Times = Annotated[tuple[Seconds, ...], BeforeValidator(_listed)]


class AnswersWithin(_Frozen):
    """How long a member has to answer; after each time, from when the one before it was over, the origin is told."""

    transfer_s: Times = (120, 180)
    """To accept or reject an incident that is handed over."""
    assistance_s: Times = (60, 120)
    """To accept or reject a request for assistance."""
    correction_s: Times = (300,)
    """For a person to accept a correction of grade, hazard, weapon flag or place."""
    withdrawal_s: Annotated[Times, Field(min_length=1)] = (900,)
    """To confirm that sections were removed."""
    retraction_s: Annotated[Times, Field(min_length=1)] = (900, 3600)
    """For a person to confirm what became of an incident that was taken back."""


class Exchange(_Frozen):
    """The whole of ``exchange.yaml``."""

    exchange: Slug
    partitions: Annotated[int, Field(ge=1, le=240)] = 6
    """Partitions of every input topic; fixed for the life of the exchange."""
    replication: Annotated[int, Field(ge=1, le=7)] = 1
    members: dict[Slug, Member]
    limits: Limits = Limits()
    answers: AnswersWithin = AnswersWithin()

    def publishers(self) -> tuple[str, ...]:
        """Ids of the members that publish, sorted."""
        return tuple(sorted(m for m, facts in self.members.items() if facts.publishes))

    def receivers(self) -> tuple[str, ...]:
        """Ids of the members that receive, sorted."""
        return tuple(sorted(m for m, facts in self.members.items() if facts.receives))


def load_exchange(path: Path) -> Exchange:
    """Read and check ``exchange.yaml``.

    Raises:
        Rejected: unreadable, not YAML, or not an exchange; the message lists every fault with its place in the file.
    """
    faults = Faults(str(path))
    root = read_yaml(path, faults)
    try:
        if root is not None:
            exchange = Exchange.model_validate(plain(root), strict=True)
    except ValidationError as error:
        note_invalid(error, Exchange, root, faults)
    if faults.noted:
        listed = "; ".join(str(fault) for fault in faults.noted)
        raise Rejected("bad-exchange", f"expected a YAML file that describes the exchange: {listed}")
    return exchange
