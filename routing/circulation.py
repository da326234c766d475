"""To whom an event goes and what is recorded of it, as far as that hangs on decisions alone.

Events that are decided alike (`deciding.Decisions`) differ in their identity, their bytes and their time. All else that
is made of them is the same, so it is made once: the order of deliveries, the outcomes, and the groups of the disclosure
record, in which only the delivery ids have yet to be filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from routing.agreements.decision import Decision, Outcome, Referral
from routing.agreements.model import Locate
from routing.deciding import Decided, Decisions
from routing.wording import Wording
from schemas.codec import id_rest
from schemas.parts import around_ids
from schemas.topics import partner_topic
from schemas.wire import long_bytes

_REMEMBERED_MOST: Final = 4_096
EVENT: Final = "event"
"""The cause of a delivery that the event itself made."""


class View(NamedTuple):
    """What a recipient sees of an event: recipients with equal ones share its bytes."""

    covers: tuple[str, ...]
    located: tuple[tuple[str, Locate], ...]
    """The sections covered whose places are told coarsely, each with how finely."""


def view_of(decision: Decision) -> View:
    """What the decision lets its recipient see."""
    coarse = ((section, decision.locate[section]) for section in decision.covers)
    return View(decision.covers, tuple((section, locate) for section, locate in coarse if locate != "exact"))


class Addressed(NamedTuple):
    """One delivery to be made."""

    recipient: str
    topic: str
    wording: Wording
    view: int
    """Which of the circulation's views it gets."""
    opening: bytes
    """Of its terms, of an event that corrects nothing and is not addressed to it (`Wording.opening`)."""
    ending: bytes
    retain_days: int | None
    rest_of_id: bytes
    """What of the delivery's id hangs on no event: recipient, action and cause."""


class Circulation(NamedTuple):
    """What follows from decisions and from who can be reached."""

    deliveries: tuple[Addressed, ...]
    """To everyone who is sent something and can be reached, in the order of decisions."""
    views: tuple[View | None, ...]
    """What they see of the event, each once; None: nothing, it is a notice, whose event is made afresh."""
    recipients: tuple[str, ...]
    """Of each delivery."""
    cut_off: tuple[tuple[str, str], ...]
    """Who is to be sent something and cannot be reached, with the reason as a code."""
    without_news: tuple[str, ...]
    """Who holds the incident and learns nothing of this event."""
    referrals: tuple[tuple[str, tuple[Referral, ...]], ...]
    """For whom people are asked, with the lines that the event asks for."""
    outcomes: tuple[tuple[str, Outcome | Literal["undeliverable"]], ...]
    """Of each recipient."""
    groups: tuple[bytes, ...]
    """The record's decisions around its delivery ids: one part more than there are deliveries."""
    order: tuple[int, ...]
    """Which delivery's id stands in each gap between the groups' parts."""


def circulation(decisions: Decisions, suspended: Mapping[str, str]) -> Circulation:
    """What follows from decisions.

    Args:
        decisions: the decisions.
        suspended: members whose topic cannot be written, with the reason as a code.
    """
    return _circulation(decisions, tuple(sorted(suspended.items())) if suspended else ())


@lru_cache(maxsize=_REMEMBERED_MOST)
def _circulation(decisions: Decisions, suspended: tuple[tuple[str, str], ...]) -> Circulation:
    reasons = dict(suspended)
    views: dict[View | None, int] = {}
    due = [(each.recipient, sent) for each in decisions if (sent := _sent(each, views))]
    reached = tuple(each for recipient, sent in due if recipient not in reasons for each in sent)
    cut_off = tuple((recipient, reasons[recipient]) for recipient, _ in due if recipient in reasons)
    lost = dict(cut_off)
    groups = _groups(decisions)
    # Of a withdrawal and the correction beside it the record names the correction.
    numbers = {each.recipient: number for number, each in enumerate(reached)}
    return Circulation(
        deliveries=reached,
        views=tuple(views),
        recipients=tuple(each.recipient for each in reached),
        cut_off=cut_off,
        without_news=tuple(each.recipient for each in decisions if each.decision.without_news),
        referrals=tuple((each.recipient, each.decision.referrals) for each in decisions if each.decision.referrals),
        outcomes=tuple(
            (each.recipient, "undeliverable" if each.recipient in lost else each.decision.outcome) for each in decisions
        ),
        groups=_around_ids(groups, numbers, lost),
        order=tuple(numbers[member] for members in groups.values() for member in members if member in numbers),
    )


def _sent(each: Decided, views: dict[View | None, int]) -> list[Addressed]:
    """What a decision has its recipient sent: a notice, what it is granted, both, or nothing."""
    decision = each.decision
    sent = [_notice(each, views)] if decision.action in ("restricted", "withdraw") else []
    return [*sent, _addressed(each, views)] if decision.head == "granted" else sent


def _addressed(each: Decided, views: dict[View | None, int]) -> Addressed:
    """The delivery; its view is noted with a number if it is new."""
    recipient, wording = each
    action = "share" if wording.decision.action == "share" else "correct"
    view = views.setdefault(view_of(wording.decision), len(views))
    return Addressed(
        recipient,
        partner_topic(recipient),
        wording,
        view,
        wording.opening,
        wording.ending,
        wording.decision.retain_days,
        id_rest(recipient, action, EVENT),
    )


def _notice(each: Decided, views: dict[View | None, int]) -> Addressed:
    recipient, wording = each
    opening, ending = wording.notice
    rest = id_rest(recipient, wording.decision.action, EVENT)
    view = views.setdefault(None, len(views))
    return Addressed(recipient, partner_topic(recipient), wording, view, opening, ending, None, rest)


def _groups(decisions: Iterable[Decided]) -> dict[Wording, list[str]]:
    """The members for whom the decision was the same."""
    groups: dict[Wording, list[str]] = {}
    for each in decisions:
        groups.setdefault(each.wording, []).append(each.recipient)
    return groups


def _around_ids(
    groups: Mapping[Wording, list[str]], delivered: Mapping[str, int], lost: Mapping[str, str]
) -> tuple[bytes, ...]:
    """The groups as one Avro array, cut where a delivery id stands."""
    parts = [long_bytes(len(groups)) if groups else b""]
    for wording, members in groups.items():
        first, *rest = around_ids([(member, member in delivered, lost.get(member)) for member in members])
        parts[-1] += first
        parts += rest
        parts[-1] += wording.decided
    parts[-1] += b"\x00"
    return tuple(parts)
