"""What must follow from corrections: who is to accept them, and what of those whom they cannot reach."""

from __future__ import annotations

from routing.agreements import decide
from routing.agreements.decision import HEAD, Decision
from tests.life.happenings import Event
from tests.life.kept import Incident, Owed
from tests.life.seen import Seen, Sent
from tests.life.taken_back import LIMITS, TakenBack

PARTS_OF_PATHS = {
    "grade": HEAD,
    "hazards[0].kind": "hazards",
    "locations": "locations",
    "locations[0].address": "locations",
    "classification.flags": "classification",
    "classification": "classification",
}
"""What of a correction a person must accept (grade, hazard, weapon flag, place), and the part it stands in."""


class Corrected(TakenBack):
    """What must follow from corrections."""

    def ask_corrected(
        self,
        incident: Incident,
        event: Event,
        decisions: dict[str, Decision],
        sent: dict[str, list[Sent]],
        seen: Seen,
    ) -> None:
        """Whoever it reached may have to accept it, or to remove something; whoever it did not is to be sent it yet."""
        for member, decision in decisions.items():
            if member in self.unreachable and member in incident.holders:
                self._miss(incident, member, decision, seen)
            for each in sent[member]:
                self._ask(incident, event, each)

    def _ask(self, incident: Incident, event: Event, sent: Sent) -> None:
        if sent.action == "withdraw":
            owed = incident.owe(sent.member, "withdraw", sent, LIMITS["withdraw"], self.now)
            owed.withdraws = sent.withdraws
        parts = {PARTS_OF_PATHS[path] for path in event.paths if path in PARTS_OF_PATHS}
        if sent.action == "correct" and parts & {HEAD, *sent.covers}:
            incident.owe(sent.member, "correct", sent, LIMITS["correct"], self.now)

    def _miss(self, incident: Incident, member: str, decision: Decision, seen: Seen) -> None:
        holds = incident.holders[member]
        if decision.withdraws:
            owed = incident.owe(member, "withdraw", None, LIMITS["withdraw"], self.now)
            owed.withdraws = decision.withdraws
            seen.tell(incident.key[0], "withdrawn", member, "", owed.deadline)
            for part in decision.withdraws:
                del holds.parts[part]
            if not holds.parts:
                del incident.holders[member]
        if decision.head == "granted" and member in incident.holders:
            incident.owe(member, "correct", None, LIMITS["correct"], self.now)

    def bring(self, incident: Incident, decisions: dict[str, Decision], sent: dict[str, list[Sent]]) -> None:
        """A correction that could not be sent is needed no more by who is sent anew all that it holds."""
        for owed in [each for each in incident.owed if each.is_unsent_correction]:
            if sent.get(owed.member) and _says_all(incident, owed.member, decisions[owed.member]):
                incident.owed.remove(owed)

    def owe_requested(self, incident: Incident, event: Event, sent: dict[str, list[Sent]]) -> None:
        """Whoever is addressed and is sent a request later than it came owes an answer from then on."""
        for member in sorted(sent):
            if event.kind in ("transfer", "assistance") and member in event.to and sent[member]:
                incident.owe(member, event.kind, sent[member][-1], LIMITS[event.kind], self.now)

    def correct_late(self, incident: Incident, owed: Owed, seen: Seen) -> None:
        """Tried again: the latest event is sent, if its holder can be reached and it says anew all that is held."""
        if owed.member in self.unreachable and owed.member in incident.holders:
            self.wait_on(owed)
            return
        incident.owed.remove(owed)
        if owed.member not in incident.holders:
            return
        assert incident.latest
        event, considered = incident.latest
        decision = decide(self.bundle, considered, owed.member, self.now, incident.state())
        if not _says_all(incident, owed.member, decision):
            seen.tell(incident.key[0], "undeliverable", owed.member, "correction-missed")
            return
        sent = {owed.member: self.send(incident, owed.member, decision, seen)}
        self.record(incident, {owed.member: decision}, sent, seen)
        self.owe_requested(incident, event, sent)
        if event.kind == "corrected":
            self.ask_corrected(incident, event, {owed.member: decision}, sent, seen)


def _says_all(incident: Incident, member: str, decision: Decision) -> bool:
    said = {HEAD, *decision.covers} if decision.head == "granted" else set()
    held = incident.holders[member].parts if member in incident.holders else ()
    return set(held) <= said | set(decision.withdraws)
