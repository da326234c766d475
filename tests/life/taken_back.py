"""What must follow where something is taken back: retractions, bars, withdrawals."""

from __future__ import annotations

from datetime import timedelta

from routing.agreements import decide
from routing.agreements.decision import HEAD
from schemas.sections import SECTIONS
from tests.life.agreed import WITHIN
from tests.life.deliveries import Deliveries, Notice
from tests.life.happenings import Words
from tests.life.kept import Incident, Owed, refused
from tests.life.seen import Seen

LIMITS = {
    "transfer": WITHIN.transfer_s,
    "assistance": WITHIN.assistance_s,
    "correct": WITHIN.correction_s,
    "retract": WITHIN.retraction_s,
    "withdraw": WITHIN.withdrawal_s,
}


class Objection(Exception):
    """Why a ruling does not count."""


def object_if(does: bool, why: str) -> None:
    """A ruling does not count if this is so."""
    if does:
        raise Objection(why)


def to_remove(incident: Incident, owed: Owed) -> tuple[str, ...]:
    """What of a withdrawal its member has not been sent anew."""
    holds = incident.holders.get(owed.member)
    return tuple(part for part in owed.withdraws if not holds or part not in holds.parts)


class TakenBack(Deliveries):
    """What must follow where something is taken back."""

    def take_back(self, incident: Incident, members: frozenset[str], reason: str, ask: str, seen: Seen) -> list[Notice]:
        """A retraction: members are barred, whoever holds it is asked to erase or restrict it, and nobody else hears.

        Returns:
            The lines of the case that nobody need rule on any more.
        """
        members = members or frozenset(incident.holders)
        incident.barred |= members
        for member in sorted(members):
            if incident.holders.pop(member, None) is None:
                seen.tell(incident.key[0], "retracted", member, reason)
                continue
            incident.owed = [each for each in incident.owed if each.member != member]
            owed = incident.owe(member, "retract", None, LIMITS["retract"], self.now)
            owed.reason, owed.ask = reason, ask
            self.ask_to_remove(incident, owed, seen)
            seen.tell(incident.key[0], "retracted", member, reason, owed.deadline)
        moot = [line for line in incident.lines.values() if line.recipient in members]
        for line in moot:
            del incident.lines[line.recipient, line.ref]
        return [("moot", line, line.parts) for line in moot]

    def ask_to_remove(self, incident: Incident, owed: Owed, seen: Seen) -> None:
        """A retraction or withdrawal is sent, if its member can be reached."""
        if owed.member in self.unreachable:
            seen.tell(incident.key[0], "undeliverable", owed.member, "missing-topic")
            return
        said = {"withdraws": to_remove(incident, owed), "reason": owed.reason, "ask": owed.ask}
        owed.asked_by = self.deliver(incident, owed.member, seen, action=owed.kind, **said)

    def wait_on(self, owed: Owed) -> None:
        """A limit has passed: the next one runs, or none does; what could not be sent is tried as often as the last."""
        owed.step = min(owed.step + 1, len(owed.limits_s))
        if owed.step < len(owed.limits_s):
            owed.deadline = self.now + timedelta(seconds=owed.limits_s[owed.step])
        elif owed.asked_by is None:
            owed.deadline = self.now + timedelta(seconds=owed.limits_s[-1])
        else:
            owed.deadline = None

    def rule_on_what_was_sent(self, incident: Incident, words: Words, seen: Seen) -> None:
        """A person retracts, withdraws, or lifts a bar."""
        object_if(not set(words.to) <= set(self.bundle.receivers), "bad-recipient")
        object_if(words.kind != "lift-bar" and not words.reason, "no-reason")
        named = frozenset(words.to)
        is_of_nobody = not incident.barred & (named or incident.barred)
        object_if(words.kind == "lift-bar" and is_of_nobody, "not-barred")
        object_if(words.kind != "lift-bar" and not named and not incident.holders, "nobody-holds")
        reason = words.reason or ""
        if words.kind == "retract":
            notices = self.take_back(incident, frozenset(words.to), reason, words.ask or "erase", seen)
            if notices:
                self.show_latest(incident, notices, seen)
        elif words.kind == "lift-bar":
            lifted = incident.barred & (frozenset(words.to) or incident.barred)
            incident.barred -= lifted
            for member in lifted:
                seen.tell(incident.key[0], "bar-lifted", member, reason)
        else:
            self._withdraw(incident, words, reason, seen)

    def _withdraw(self, incident: Incident, words: Words, reason: str, seen: Seen) -> None:
        everything = not words.sections or HEAD in words.sections
        taken = set()
        for member in sorted(frozenset(words.to) or frozenset(incident.holders)):
            holds = incident.holders.get(member)
            held = [part for part in (HEAD, *SECTIONS) if holds and part in holds.parts]
            parts = tuple(part for part in held if everything or part in words.sections)
            if not holds or not parts:
                seen.tell(incident.key[0], "withdrawn", member, reason)
                continue
            taken.add(member)
            for part in parts:
                del holds.parts[part]
            holds.is_restricted = holds.is_restricted and member in self.unreachable
            if not holds.parts:
                del incident.holders[member]
            owed = incident.owe(member, "withdraw", None, LIMITS["withdraw"], self.now)
            owed.withdraws, owed.reason = parts, reason
            self.ask_to_remove(incident, owed, seen)
            seen.tell(incident.key[0], "withdrawn", member, reason, owed.deadline)
        self._keep_away(incident, words, taken)

    def _keep_away(self, incident: Incident, words: Words, taken: set[str]) -> None:
        """What rules would send again with the next event stands as refused."""
        if incident.latest is None:
            return
        latest = incident.latest[1]
        state = incident.state()
        for member in taken:
            decision = decide(self.bundle, latest, member, self.now, state)
            flows = {HEAD, *decision.covers} if decision.head == "granted" else set()
            if again := frozenset(flows & (words.sections or flows)):
                incident.refusals.append(refused("refusal", member, again, (), latest))
