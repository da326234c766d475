"""One incident's account, kept anew: who holds what, what is asked of whom until when, and who owes an answer.

Of routing it uses what deciding is defined by. Made for reading, not for speed. What must be put out stands in
`traces`; `events`, `rulings` and `limits` say what that is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from routing.agreements import Bundle
from routing.agreements.state import CaseLine, History, Holding, Refusal, Release, State
from routing.state.incident import moment_of
from schemas.codec import stable_id
from schemas.exchange import Exchange
from tests.chaos.lives.happenings import Recorded, Sent, Shown, Told, Traces
from tests.chaos.lives.seen import Value


class Rules(NamedTuple):
    """What an incident lives under."""

    bundle: Bundle
    exchange: Exchange


@dataclass(frozen=True)
class Line:
    """An open line of the case."""

    recipient: str
    agreement: str
    rule: str
    parts: frozenset[str]
    path: tuple[tuple[str, int], ...]
    """Roles, each with its seconds."""
    step: int
    deadline_ms: int

    @property
    def name(self) -> str:
        return f"{self.agreement}/{self.rule}"

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(role for role, _ in self.path)


@dataclass(frozen=True)
class Owed:
    """An answer that a member owes."""

    member: str
    kind: str
    delivery_id: str
    limits_s: tuple[int, ...]
    deadline_ms: int | None
    ruling_id: str = ""
    step: int = 0


@dataclass
class Life:
    """One incident, as far as it has come."""

    rules: Rules
    origin: str
    incident: str
    traces: Traces = field(default_factory=Traces)
    latest: Value = field(default_factory=dict)
    """The last event that says something: whoever rules sees that, and not that the incident was taken back."""
    sequence: int = 0
    """Of the last event, whatever it was."""
    history: History = field(default_factory=History)
    holdings: dict[str, Holding] = field(default_factory=dict)
    barred: frozenset[str] = frozenset()
    releases: list[Release] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    lines: dict[tuple[str, str, str], Line] = field(default_factory=dict)
    owed: list[Owed] = field(default_factory=list)
    closed_ms: int | None = None
    last_ms: int | None = None

    @property
    def seen_sequence(self) -> int:
        """Of the event that whoever rules must have seen."""
        return int(self.latest["control"][0]["sequence"]) if self.latest else 0

    def state(self) -> State:
        """As the interpreter reads it."""
        lines = (CaseLine(recipient=r, agreement=a, rule=n, parts=each.parts) for (r, a, n), each in self.lines.items())
        return State(
            history=self.history,
            holdings=tuple(self.holdings[member] for member in sorted(self.holdings)),
            barred=self.barred,
            releases=tuple(self.releases),
            refusals=tuple(self.refusals),
            lines=tuple(lines),
            closed_at=None if self.closed_ms is None else moment_of(self.closed_ms),
            last_event_at=None if self.last_ms is None else moment_of(self.last_ms),
        )

    # -- what is put out, and what is asked

    def owe(
        self, member: str, kind: str, delivery_id: str, limits_s: tuple[int, ...], at_ms: int, ruling_id: str = ""
    ) -> Owed:
        """A member owes an answer from now on, instead of one of that kind; what it is to remove adds up."""
        owed = Owed(member, kind, delivery_id, limits_s, at_ms + limits_s[0] * 1000, ruling_id)
        moot = () if kind == "withdraw" else ((member, kind),)
        self.owed = [*(each for each in self.owed if (each.member, each.kind) not in moot), owed]
        return owed

    def notify(self, member: str, action: str, cause: str, event_id: str, at_ms: int, **said: Any) -> str:
        """A member is sent a notice that something is taken back."""
        delivery_id = stable_id("delivery", self.origin, self.incident, event_id, member, action, cause)
        self.traces.sent.setdefault(member, []).append(Sent(at_ms, action, delivery_id, "", **said))
        return delivery_id

    def tell(self, at_ms: int, kind: str, member: str, **said: Any) -> None:
        """The origin is told."""
        self.traces.told.append(Told(at_ms, kind, member, **said))

    def record(self, at_ms: int, event_id: str, ruling_id: str, outcomes: Mapping[str, tuple[str, str]]) -> None:
        """There is a disclosure record."""
        mark = (event_id, ruling_id) if ruling_id else (event_id,)
        record_id = stable_id("record", self.origin, self.incident, *mark)
        decided = tuple(sorted((member, *each) for member, each in outcomes.items()))
        self.traces.recorded.append(Recorded(at_ms, record_id, event_id, decided))

    def show(
        self,
        at_ms: int,
        notices: Iterable[tuple[str, Line, frozenset[str]]],
        ruling_id: str = "",
        sequence: int | None = None,
    ) -> None:
        """The desk is shown the case, with an event by its sequence, and the origin is told what happened to lines."""
        notices = list(notices)
        for kind, line, parts in notices:
            told_as = {"opened": "referred", "moot": "withheld"}.get(kind, kind)
            deadline_ms = line.deadline_ms if told_as in ("referred", "escalated") else None
            said = {"reason": line.name, "sections": tuple(sorted(parts)), "deadline_ms": deadline_ms}
            self.tell(at_ms, told_as, line.recipient, ruling_id=ruling_id, **said)
        shown = tuple(sorted((kind, line.recipient, line.name, tuple(sorted(parts))) for kind, line, parts in notices))
        lines = (self.lines[key] for key in sorted(self.lines))
        opened = tuple(
            (line.recipient, line.name, tuple(sorted(line.parts)), line.step, line.deadline_ms) for line in lines
        )
        self.traces.shown.append(Shown(at_ms, sequence or self.seen_sequence, shown, opened))
