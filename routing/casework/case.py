"""The case of an incident: its open lines, and how an event opens them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from routing.agreements.decision import Referral
from routing.agreements.model import Step
from routing.agreements.state import CaseLine, RuleRef

NoticeKind = Literal["opened", "escalated", "extended", "lapsed", "released", "refused", "asked-again", "moot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One recipient and one rule that refers: who is asked about what, until when. Open until ruled on or lapsed."""

    recipient: str
    agreement: str
    rule: str
    parts: frozenset[str]
    """Those that are still to be ruled on: the head, where named, and sections."""
    path: tuple[Step, ...]
    """As the bundle said when the line opened; a later bundle changes nothing for who was asked already."""
    why: str | None
    opened_at: datetime
    opened_sequence: int
    """The event that opened it: what came since is marked for the reader."""
    step: int = 0
    """Which step of the path is asked, from 0."""
    deadline: datetime
    """Of that step."""

    @property
    def role(self) -> str:
        """Who is asked now."""
        return self.path[self.step].role

    @property
    def roles(self) -> frozenset[str]:
        """Everyone in its path: any of them may rule."""
        return frozenset(step.role for step in self.path)

    @property
    def ref(self) -> RuleRef:
        """The rule."""
        return RuleRef(self.agreement, self.rule)

    def without(self, parts: frozenset[str]) -> Line:
        """What is left of it once these parts are ruled on."""
        return replace(self, parts=self.parts - parts)


@dataclass(frozen=True, slots=True)
class Case:
    """The open lines, sorted by recipient, agreement and rule."""

    lines: tuple[Line, ...] = ()

    @property
    def next_deadline(self) -> datetime | None:
        """When something is next to happen by itself."""
        return min((line.deadline for line in self.lines), default=None)

    def open_lines(self) -> tuple[CaseLine, ...]:
        """As deciding reads them."""
        return tuple(
            CaseLine(recipient=line.recipient, agreement=line.agreement, rule=line.rule, parts=line.parts)
            for line in self.lines
        )


class Notice(NamedTuple):
    """Something that people are to hear of: whoever is asked, and the origin."""

    kind: NoticeKind
    line: Line
    """As it is now; of a closed one, as it last was."""
    parts: frozenset[str]
    """What it is about."""


NO_CASE: Final = Case()


def case_of(lines: Iterable[Line]) -> Case:
    """A case of these lines, in order; those with nothing left to rule on are closed and left out."""
    return Case(tuple(sorted((line for line in lines if line.parts), key=_place)))


def opened(
    case: Case, referrals: Mapping[str, tuple[Referral, ...]], sequence: int, now: datetime
) -> tuple[Case, tuple[Notice, ...]]:
    """The case once an event was decided.

    A line that is open already takes in the parts that came to it, and keeps its deadlines: who was asked is looking.

    Args:
        case: as it was.
        referrals: of each recipient, the lines that the event asks for (``Decision.referrals``).
        sequence: of the event.
        now: when it was decided.

    Returns:
        The case, and a notice of each line opened or widened.
    """
    lines = {(line.recipient, line.agreement, line.rule): line for line in case.lines}
    notices = []
    for recipient, asked in referrals.items():
        for referral in asked:
            key = (recipient, referral.agreement, referral.rule)
            line, parts = lines.get(key), frozenset(referral.parts)
            if line is None:
                lines[key] = _opened(recipient, referral, sequence, now)
                notices.append(Notice("opened", lines[key], parts))
            elif not parts <= line.parts:
                lines[key] = replace(line, parts=line.parts | parts)
                notices.append(Notice("opened", lines[key], parts - line.parts))
    return (case_of(lines.values()), tuple(notices)) if notices else (case, ())


def _opened(recipient: str, referral: Referral, sequence: int, now: datetime) -> Line:
    return Line(
        recipient=recipient,
        agreement=referral.agreement,
        rule=referral.rule,
        parts=frozenset(referral.parts),
        path=referral.path,
        why=referral.why,
        opened_at=now,
        opened_sequence=sequence,
        deadline=now + timedelta(seconds=referral.path[0].within_s),
    )


def _place(line: Line) -> tuple[str, str, str]:
    return line.recipient, line.agreement, line.rule
