"""What follows for one incident, put together step by step: what members and the origin are told, what is remembered.

For whatever is no plain event: rulings, answers, limits that pass, and what an event asks of people. Made and used up
within one call of `route`; nothing but values leaves it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from routing.agreements.state import Holding
from routing.answers.expected import Expected
from routing.case_records import Latest, Ruled, case_record
from routing.casework.case import Notice as CaseNotice
from routing.effects import Effects, Fate, Output, Policy
from routing.notices import Notice, notice_bytes
from routing.state.encoding import kept_expected, kept_holdings, kept_numbers, kept_rulings
from routing.state.incident import Incident, Rulings
from routing.state.kept import Kept
from routing.state.memory import incident_key
from routing.state.remembering import Told, changed
from routing.telling import About, tell, undeliverable
from schemas.codec import EventCodec, stable_id
from schemas.topics import partner_topic

T = TypeVar("T")


class Setting(NamedTuple):
    """What consequences are drawn in."""

    policy: Policy
    codec: EventCodec
    partition: int
    stream: Callable[[str], int]
    """Of a member, the position of the last delivery in its stream."""


class Consequences:
    """What follows for one incident. Not for threads."""

    def __init__(self, matter: About, incident: Incident, setting: Setting) -> None:
        self.matter = matter
        self.setting = setting
        self.rulings: Rulings = incident.rulings.value
        self.expected: tuple[Expected, ...] = incident.expected.value
        self.holdings: dict[str, Holding] = {holding.member: holding for holding in incident.holdings.value}
        self.numbers = dict(incident.numbers.value)
        self.streams: dict[str, int] = {}
        self.outputs: list[Output] = []
        self.news: list[tuple[str, str]] = []
        self.case_notices: list[CaseNotice] = []
        self.before = incident

    def notify(
        self,
        member: str,
        action: str,
        cause: str,
        *,
        withdraws: tuple[str, ...] = (),
        reason: str | None = None,
        ask: str | None = None,
    ) -> str:
        """Send a member a notice; its delivery_id, or nothing if it cannot be reached, which the origin is told.

        Args:
            member: who.
            action: retract, withdraw or restricted.
            cause: what it follows from, which its delivery_id is made of.
            withdraws: of a withdraw: the parts.
            reason: of both: code list `change-reason`.
            ask: of a retract: erase or restrict.
        """
        setting, origin, incident_id = self.setting, self.matter.origin, self.matter.incident_id
        if (unreachable := setting.policy.suspended.get(member)) is not None:
            self._note(undeliverable(self.matter, member, unreachable, mark=(action, cause)))
            return ""
        number, place = self.next_places(member)
        notice = Notice(
            delivery_id=stable_id("delivery", origin, incident_id, self.matter.event_id, member, action, cause),
            to=member,
            number=number,
            stream=f"{member}/{setting.partition}",
            stream_sequence=place,
            action=action,
            withdraws=withdraws,
            reason=reason,
            ask=ask,
        )
        value = notice_bytes(notice, (origin, incident_id), setting.policy, self.matter.now, setting.codec)
        self.outputs.append(Output(partner_topic(member), incident_id.encode(), value))
        return notice.delivery_id

    def next_places(self, member: str) -> tuple[int, int]:
        """The number of one more delivery of the incident to a member, and its position in the member's stream."""
        number = self.numbers[member] = self.numbers.get(member, 0) + 1
        place = self.streams[member] = self.stream(member) + 1
        return number, place

    def held_by(self, member: str) -> frozenset[str]:
        """The parts that a member holds."""
        holding = self.holdings.get(member)
        return frozenset(part.part for part in holding.parts) if holding else frozenset()

    def take(self, member: str, parts: Collection[str], *, is_told: bool) -> None:
        """A holder holds these parts no more; once it is told, it may hear again that there is news."""
        holding = self.holdings.pop(member)
        if left := tuple(part for part in holding.parts if part.part not in parts):
            self.holdings[member] = replace(holding, parts=left, restricted=holding.restricted and not is_told)

    def stream(self, member: str) -> int:
        """The position of the last delivery in a member's stream, with all that follows so far."""
        return self.streams.get(member) or self.setting.stream(member)

    def tell(self, kind: str, member: str | None, said: Mapping[str, Any], *mark: str) -> None:
        """Tell the origin; `routing.telling.tell` says what of."""
        self._note(tell(self.matter, kind, member, said, mark=mark))

    def show_case(self, latest: Latest, mark: str, ruled: Ruled | None = None) -> None:
        """Tell the origin's desk how its case stands, and the origin what happened to lines of it.

        Args:
            latest: the incident's latest event.
            mark: what it follows from.
            ruled: whose words changed it; None: an event or a deadline did.
        """
        notices, self.case_notices = self.case_notices, []
        self.outputs.append(case_record(self.matter, self.rulings.lines, notices, latest, mark, ruled))
        for notice in notices:
            line, told_as = notice.line, _TOLD_AS.get(notice.kind, notice.kind)
            said: dict[str, Any] = {"detail": _DETAILS[notice.kind], "reason": f"{line.agreement}/{line.rule}"}
            said["sections"] = tuple(sorted(notice.parts))
            if told_as in _ASKING:
                said |= {"role": line.role, "deadline": line.deadline, "remedy": "huecry cases show"}
            if ruled:
                said |= {"role": ruled.role, "person": ruled.person, "ruling_id": ruled.ruling_id}
            self.tell(told_as, line.recipient, said, line.agreement, line.rule, str(line.step), mark)

    def owe(self, owed: Expected) -> None:
        """A member owes an answer; whatever it owed of that kind before is moot, except what it is to remove."""
        moot = set() if owed.kind == "withdraw" else {(owed.member, owed.kind)}
        kept = (each for each in self.expected if (each.member, each.kind) not in moot)
        self.expected = (*kept, owed)

    def incident(self) -> Incident:
        """What is to be remembered."""
        before = self.before
        holdings = tuple(self.holdings[member] for member in sorted(self.holdings))
        expected = tuple(sorted(self.expected, key=lambda each: (each.member, each.asked_at, each.kind)))
        told = Told(
            _kept(before.numbers, self.numbers, kept_numbers),
            _kept(before.holdings, holdings, kept_holdings),
            _kept(before.rulings, self.rulings, kept_rulings),
            _kept(before.expected, expected, kept_expected),
        )
        return changed(self.before, told)

    def effects(self, fate: Fate) -> Effects:
        """All of it."""
        key = incident_key(self.matter.origin, self.matter.incident_id)
        return Effects(
            fate=fate,
            outputs=tuple(self.outputs),
            feedback=tuple(self.news),
            others=((key, self.incident()),),
            streams=self.streams,
        )

    def _note(self, told: tuple[str, Output]) -> None:
        kind, output = told
        self.outputs.append(output)
        self.news.append((self.matter.origin, kind))


def _kept(before: Kept[T], value: T, keep: Callable[[T], Kept[T]]) -> Kept[T]:
    """A part of what is remembered; most of them stay as they were, and encoding one is dear."""
    return before if value == before.value else keep(value)


_TOLD_AS = {"opened": "referred", "moot": "withheld"}
"""What happens to a line, as the origin is told of it, where that has another name."""
_ASKING = frozenset({"referred", "escalated", "extended"})
"""After these somebody is asked, until a deadline."""
_DETAILS = {
    "opened": "a person is asked whether this may be sent to the member",
    "escalated": "nobody has ruled in time: the next in the path is asked",
    "extended": "whoever is asked has more time",
    "lapsed": "nobody has ruled in time: it is withheld",
    "released": "a person lets it be sent to the member",
    "refused": "a person has said no: it is withheld",
    "asked-again": "the origin asks again",
    "moot": "nobody need rule any more: the incident was taken back from the member",
}
