"""What comes out of deciding one event for one recipient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from routing.agreements.model import Locate, Step

Action = Literal["share", "correct", "withdraw", "restricted", "none"]
"""What the recipient is sent.

``share`` and ``correct`` carry what is covered. ``withdraw`` names sections to remove; what is covered besides flows as
a ``correct`` beside it. ``restricted`` says that there is news, and nothing of it.
"""

State = Literal["granted", "forbidden", "withheld", "referred"]
"""Of the head, and of each section."""

Outcome = Literal["shared", "shared-in-part", "referred", "withheld", "forbidden"]
"""Of the event as a whole, for one recipient."""

ActsAs = Literal["share", "refer", "withhold", "discharged", "forbid", "lifted", "limit"]
"""What a matching rule does: a forbid in doubt may refer; a refer rule may withhold; rulings discharge and lift."""

HEAD: Final = "head"
"""What forbids and grounds call the part that is no section."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Why one section flows: the rule that grants it, and the power it stands on."""

    section: str
    """``head`` where no section is covered."""
    agreement: str
    rule: str
    """Of a ruling: its id."""
    purpose: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """A rule that matched."""

    agreement: str
    rule: str
    outcome: str
    turned_on_unknown: bool
    """It matched although its ``when`` or ``unless`` was unknown."""
    acts_as: ActsAs


@dataclass(frozen=True, slots=True)
class Referral:
    """A line for the incident's case: who is asked about what, until when, and why."""

    agreement: str
    rule: str
    parts: tuple[str, ...]
    """Those it covers that are referred: ``head`` first, then sections in wire order."""
    path: tuple[Step, ...]
    why: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What one recipient gets of one event, and why; hashable."""

    recipient: str
    head: State
    sections: Mapping[str, State] = field(hash=False)
    """Every section of ``schemas.sections.SECTIONS``, in wire order."""
    covers: tuple[str, ...]
    """The granted sections in wire order, empty ones included; nothing where the head is not granted."""
    outcome: Outcome
    grounds: tuple[Ground, ...]
    """Sorted by agreement, then rule, then wire order."""
    rules: tuple[RuleMatch, ...]
    """Every matching rule, whether it turned the decision or not; sorted by agreement, then rule."""
    retain_days: int | None
    """From the closing of the incident; None where nothing flows."""
    onward: Literal["forbidden", "ask", "permitted"] | None
    """None where nothing flows."""
    under_review: bool
    """An agreement among the grounds is past its review day."""
    locate: Mapping[str, Locate] = field(hash=False)
    """How finely each covered section may tell places."""
    action: Action
    withdraws: tuple[str, ...]
    """Held parts that a forbid covers, of a correction; ``head`` first where it is one."""
    referrals: tuple[Referral, ...]
    """The lines that this event asks for; nothing where no case opens."""
    without_news: bool
    """The recipient holds the incident and learns nothing of this event: the origin is told at once."""
