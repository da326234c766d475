"""Rulings that take back what was disclosed, or lift a bar."""

from __future__ import annotations

from routing.agreements.decision import HEAD
from routing.agreements.state import Refusal
from routing.casework.judging import check_person
from routing.hearing.named import named_in
from routing.hearing.ruling import Hearing
from routing.recalled import TakenBack, lift_bar, retract, withdraw
from routing.sending_again import decide_again
from schemas.errors import Rejected


def take_back(hearing: Hearing) -> None:
    """Judge a ruling that takes back or lifts a bar, and draw its consequences.

    Raises:
        Rejected: it does not count, and why.
    """
    ruling, said, drawn = hearing.ruling, hearing.said, hearing.drawn
    _check_role(hearing)
    _check_concerns_somebody(hearing)
    what = TakenBack(
        members=frozenset(ruling.recipients),
        reason=ruling.reason or "",
        cause=ruling.ruling_id,
        ask=ruling.ask or "erase",
        sections=said.parts,
        ruling_id=ruling.ruling_id,
    )
    match ruling.kind:
        case "retract":
            retract(what, drawn)
        case "lift-bar":
            lift_bar(what, drawn)
        case "withdraw":
            _refuse_what_still_flows(hearing, withdraw(what, drawn))
        case _:
            raise Rejected("unknown-ruling", f"expected a kind of ruling that this release knows, got {ruling.kind}")
    if drawn.case_notices:
        hearing.show_case()


def _check_role(hearing: Hearing) -> None:
    """Whoever takes back or lifts a bar holds a role at the origin, and names members of the exchange."""
    ruling, bundle = hearing.ruling, hearing.drawn.setting.policy.bundle
    named = named_in(hearing.came.event, bundle.people) if hearing.came else frozenset[str]()
    check_person(hearing.said, bundle, hearing.drawn.matter.origin, named)
    if wrong := sorted(set(ruling.recipients) - set(bundle.receivers)):
        raise Rejected("bad-recipient", f"expected members that receive, got {', '.join(wrong)}")
    if ruling.kind in ("retract", "withdraw") and not ruling.reason:
        raise Rejected("no-reason", "expected a reason of the list change-reason", remedy="say --reason")
    if ruling.ask not in (None, "erase", "restrict"):
        raise Rejected("bad-ask", "expected erase or restrict", remedy="say --ask")


def _check_concerns_somebody(hearing: Hearing) -> None:
    """Whoever rules hears of it, so a ruling of which nothing could be told is not taken."""
    ruling, drawn = hearing.ruling, hearing.drawn
    barred, named = drawn.rulings.barred, frozenset(ruling.recipients)
    if ruling.kind == "lift-bar" and not barred & (named or barred):
        raise Rejected("not-barred", "the incident is barred for none of these", remedy="see huecry retractions")
    if ruling.kind in ("retract", "withdraw") and not named and not drawn.holdings:
        raise Rejected(
            "nobody-holds",
            "no member holds anything of this incident, so nothing can be taken back",
            remedy="to bar it for members that hold nothing, name them",
        )


def _refuse_what_still_flows(hearing: Hearing, members: frozenset[str]) -> None:
    """A person's withdrawal stands as a refusal where rules would send the same again with the next event."""
    came, drawn = hearing.came, hearing.drawn
    if came is None or not members:
        return
    event, parts = came.considered, hearing.said.parts
    for each in decide_again(came, drawn):
        flows = {HEAD, *each.decision.covers} if each.decision.head == "granted" else set()
        still = frozenset(flows) & (parts or flows)
        if each.recipient in members and still:
            refusal = Refusal(
                kind="refusal",
                recipients=frozenset({each.recipient}),
                parts=still,
                grade=event.grade,
                flags=event.flags or frozenset(),
                hazards=event.hazards,
            )
            drawn.rulings = drawn.rulings._replace(refusals=(*drawn.rulings.refusals, refusal))
