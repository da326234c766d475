"""What an event asks of people: of the origin's own, by its case; of members, an answer."""

from __future__ import annotations

from typing import Any, Final

from routing.agreements.decision import Decision
from routing.answers.expected import REQUESTS, ExpectedKind
from routing.answers.owing import owed
from routing.arrived import Arrived
from routing.case_records import Latest
from routing.casework.case import Case, opened
from routing.casework.keeping import discretions_running, refusals_standing, releases_running
from routing.circulation import Circulation
from routing.consequences import Consequences
from routing.correcting import bring, correct
from routing.deciding import Decisions
from routing.state.incident import Incident
from routing.state.remembering import is_untouched


def asks_nothing(came: Arrived, circulated: Circulation, incident: Incident) -> bool:
    """Whether an event asks nothing of anybody and settles nothing, and nobody has ruled, as with most.

    Then nothing else follows.
    """
    return (
        is_untouched(incident)
        and not circulated.referrals
        and came.considered.kind not in _ASKING
        and not any(each.is_unsent_correction for each in incident.expected.value)
    )


_ASKING: Final = frozenset({"transfer", "assistance", "stand-down", "corrected"})


def ask(came: Arrived, decisions: Decisions, circulated: Circulation, drawn: Consequences) -> None:
    """Open or widen the case, and note which members owe an answer.

    Args:
        came: the event.
        decisions: what was decided for each recipient.
        circulated: who was sent what.
        drawn: what follows for its incident, to which this is added.
    """
    bring(decisions, circulated, drawn)
    _keep_case(came, circulated, drawn)
    match came.considered.kind:
        case "transfer" | "assistance" as kind:
            _request(kind, came, decisions, circulated, drawn)
        case "stand-down":
            _stand_down(came, drawn)
        case "corrected":
            correct(came, decisions, circulated, drawn)
        case _:
            pass


def _keep_case(came: Arrived, circulated: Circulation, drawn: Consequences) -> None:
    """What still counts is kept; lines open; the desk is shown the event while a line is open."""
    event, now, rulings = came.considered, came.now, drawn.rulings
    case, notices = opened(Case(rulings.lines), dict(circulated.referrals), event.sequence, now)
    drawn.rulings = rulings._replace(
        releases=releases_running(rulings.releases, now),
        discretions=discretions_running(rulings.discretions, event.sequence, now),
        refusals=refusals_standing(rulings.refusals, event),
        lines=case.lines,
    )
    drawn.case_notices += notices
    if case.lines or drawn.case_notices:
        drawn.show_case(latest_of(came), came.identity[2])


def latest_of(came: Arrived) -> Latest:
    """An event as a desk shows it."""
    return Latest(came.considered.sequence, came.record.value, came.event.head["local_ref"] or "")


def _request(
    kind: ExpectedKind, came: Arrived, decisions: Decisions, circulated: Circulation, drawn: Consequences
) -> None:
    """Members addressed owe an answer; of those that policy stops the origin hears at once, with whom to call."""
    sent = set(circulated.recipients)
    decided = {each.recipient: each.decision for each in decisions}
    for member in sorted(came.considered.addressees):
        decision = decided.get(member)
        if decision is None or decision.head != "granted":  # a holder may have been told that there is news: no request
            _stopped(kind, member, decision, drawn)
        elif member in sent:
            drawn.owe(owed(kind, member, came, "share", drawn.setting.policy.exchange.answers))


def _stopped(kind: str, member: str, decision: Decision | None, drawn: Consequences) -> None:
    exchange = drawn.setting.policy.exchange
    facts = exchange.members.get(member)
    whom = f"{facts.contact.desk} of {facts.name} {facts.contact.phone}".rstrip() if facts else "the member"
    said: dict[str, Any] = {"reason": kind, "remedy": f"call {whom}"}
    if decision is None:
        said |= {"detail": "the member addressed is no member of this exchange that receives"}
        drawn.tell("undeliverable", member, said)
    else:
        said |= {"detail": f"the {kind} was not sent: it is {decision.head}; huecry explain says why"}
        drawn.tell(decision.head, member, said)


def stood_down(came: Arrived, before: Incident | None) -> frozenset[str]:
    """Of an event that cancels requests, the members that need not answer any more: those addressed, or else all."""
    if came.considered.kind != "stand-down" or before is None:
        return _NOBODY
    asked = frozenset(each.member for each in before.expected.value if each.kind in REQUESTS)
    return asked & (came.considered.addressees or asked)


_NOBODY: Final[frozenset[str]] = frozenset()


def _stand_down(came: Arrived, drawn: Consequences) -> None:
    cancelled = stood_down(came, drawn.before)
    drawn.expected = tuple(each for each in drawn.expected if each.kind not in REQUESTS or each.member not in cancelled)
