"""The naive interpreter: the meaning of sharing agreements, one small function per sentence.

It is the oracle that anything faster is held to, so it is written to be read beside the language and not for speed.
Deciding is pure and total: the same bundle, event and time give the same decision, whatever the event holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from routing.agreements.bundle import Bundle
from routing.agreements.conditions import Truth, block_truth, unless_truth
from routing.agreements.considered import Considered
from routing.agreements.decision import HEAD, Decision, Ground, Outcome, RuleMatch, State
from routing.agreements.model import Agreement, Forbid, Onward, Rule, Share
from schemas.sections import SECTIONS

_LONDON: Final = ZoneInfo("Europe/London")
_STRICTEST_FIRST: Final[tuple[Onward, ...]] = ("forbidden", "ask", "permitted")


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that matched, with its agreement; it turned on an unknown if its ``when`` or ``unless`` was unknown."""

    agreement: Agreement
    rule: Rule
    turned_on_unknown: bool


def recipients(bundle: Bundle, origin: str) -> tuple[str, ...]:
    """The members that receive, the origin excepted, sorted: whom each event of the origin is decided for."""
    return tuple(member for member in bundle.receivers if member != origin)


def decide(bundle: Bundle, considered: Considered, recipient: str, now: datetime) -> Decision:
    """What one recipient gets of one event, and why. ``now`` must know its time zone."""
    today = london_day(now)
    matches = matching_rules(bundle, considered, recipient, today)
    forbidden, granted = _forbidden_parts(matches), _granted_parts(matches)
    head = _state(HEAD, forbidden, granted)
    sections = {section: _section_state(_state(section, forbidden, granted), head) for section in SECTIONS}
    covers = tuple(section for section, state in sections.items() if state == "granted")
    grounding = _grounding(matches, covers) if head == "granted" else []
    return Decision(
        recipient=recipient,
        head=head,
        sections=sections,
        covers=covers,
        outcome=_outcome(head, considered.sections, covers),
        grounds=tuple(ground for match in grounding for ground in _grounds(match, covers)),
        rules=tuple(
            RuleMatch(match.agreement.id, match.rule.id, match.rule.outcome, match.turned_on_unknown)
            for match in matches
        ),
        retain_days=_retain_days(grounding),
        onward=_onward(grounding),
        under_review=any(_past_review(match.agreement, today) for match in grounding),
    )


def matching_rules(bundle: Bundle, considered: Considered, recipient: str, today: date) -> list[Match]:
    """Every matching rule from the event's origin to the recipient, of every agreement that has started."""
    event = with_never_states(bundle, considered)
    matches = (
        match_rule(agreement, rule, event, recipient)
        for agreement, rule in bundle.rules_between(considered.origin, recipient)
        if out_of_force(bundle, agreement, rule, considered.origin, today) is None
    )
    return [found for found in matches if found is not None]


def match_rule(agreement: Agreement, rule: Rule, event: Considered, recipient: str) -> Match | None:
    """Doubt goes against sharing: a share needs certainty, a forbid only that it may hold."""
    when = block_truth(rule.when, event, recipient)
    unless = unless_truth(rule.unless, event, recipient)
    matched = _shares(rule, when, unless, event) if isinstance(rule, Share) else _forbids(when, unless)
    return Match(agreement, rule, Truth.UNKNOWN in (when, unless)) if matched else None


def _shares(rule: Share, when: Truth, unless: Truth, event: Considered) -> bool:
    """A share rule matches if ``when`` is true and ``unless`` is false; ``on_doubt: share`` lets unknown pass."""
    if not mode_allows(rule, event):
        return False
    if rule.on_doubt_share:
        return when is not Truth.FALSE and unless is not Truth.TRUE
    return when is Truth.TRUE and unless is Truth.FALSE


def _forbids(when: Truth, unless: Truth) -> bool:
    """A forbid rule matches if ``when`` is true or unknown, and ``unless`` is false or unknown."""
    return when is not Truth.FALSE and unless is not Truth.TRUE


def mode_allows(rule: Share, event: Considered) -> bool:
    """A share rule that does not name ``mode`` in ``when`` matches only when the mode is ``actual``."""
    return event.mode == "actual" or any(condition.attribute == "mode" for condition in rule.when)


def with_never_states(bundle: Bundle, considered: Considered) -> Considered:
    """A null set that the origin has declared it never states counts as empty."""
    never = [name for name in bundle.never_stated(considered.origin) if getattr(considered, name) is None]
    emptied: dict[str, Any] = dict.fromkeys(never, frozenset())
    return replace(considered, **emptied) if never else considered


def out_of_force(bundle: Bundle, agreement: Agreement, rule: Rule, origin: str, today: date) -> str | None:
    """Why the rule does not apply today, in words; None if it does. Forbids need only that the agreement started."""
    if today < agreement.starts:
        return f"the agreement starts on {agreement.starts}"
    if isinstance(rule, Forbid):
        return None
    if not any(signed.member == origin and signed.signed_on <= today for signed in agreement.signatures):
        return f"{origin} has not signed"
    if agreement.ends is not None and today > agreement.ends:
        return f"the agreement ended on {agreement.ends}"
    if suspension := bundle.suspension(agreement.id):
        return f"suspended by {suspension.who}: {suspension.why}"
    return None


def london_day(now: datetime) -> date:
    """Days begin at 00:00 Europe/London."""
    if now.utcoffset() is None:
        msg = "a decision needs a time that knows its zone: the machine's own must not turn it"
        raise ValueError(msg)
    return now.astimezone(_LONDON).date()


def _forbidden_parts(matches: list[Match]) -> set[str]:
    """The head and sections that a matching forbid covers."""
    return {part for match in matches if isinstance(match.rule, Forbid) for part in match.rule.sections}


def _granted_parts(matches: list[Match]) -> set[str]:
    """The head, by any matching share rule, and the sections that one grants: permission adds up."""
    return {part for match in matches if isinstance(match.rule, Share) for part in (HEAD, *match.rule.grant)}


def _state(part: str, forbidden: set[str], granted: set[str]) -> State:
    """Of the head or a section by itself: prohibition always wins, and whatever nobody wrote down stays home."""
    return "forbidden" if part in forbidden else "granted" if part in granted else "withheld"


def _section_state(own: State, head: State) -> State:
    """If the head is not granted, every section that is not forbidden takes the head's state."""
    return own if head == "granted" or own == "forbidden" else head


def _outcome(head: State, not_empty: frozenset[str], covers: tuple[str, ...]) -> Outcome:
    """Shared when every non-empty section is granted, else shared in part; without the head, the head's state."""
    if head != "granted":
        return head
    return "shared" if not_empty.issubset(covers) else "shared-in-part"


def _grounding(matches: list[Match], covers: tuple[str, ...]) -> list[Match]:
    """Every matching share rule that grants a covered section; if none is covered, every matching share rule."""
    shares = [match for match in matches if isinstance(match.rule, Share)]
    return [match for match in shares if not covers or not set(covers).isdisjoint(_granted(match))]


def _granted(match: Match) -> tuple[str, ...]:
    return match.rule.grant if isinstance(match.rule, Share) else ()


def _grounds(match: Match, covers: tuple[str, ...]) -> Iterable[Ground]:
    """One ground for each covered section that the rule grants, or for the head alone."""
    if isinstance(match.rule, Share):
        terms = match.rule.terms
        for section in [section for section in covers if section in match.rule.grant] if covers else [HEAD]:
            yield Ground(section, match.agreement.id, match.rule.id, terms.purpose, terms.legal_basis)


def _retain_days(grounding: list[Match]) -> int | None:
    """For each purpose the shortest among its grounds; the delivery carries the longest of these."""
    shortest: dict[str, int] = {}
    for match in grounding:
        if isinstance(match.rule, Share):
            terms = match.rule.terms
            shortest[terms.purpose] = min(terms.retain_days, shortest.get(terms.purpose, terms.retain_days))
    return max(shortest.values(), default=None)


def _onward(grounding: list[Match]) -> Onward | None:
    """The strictest among all grounds."""
    return min((match.agreement.onward for match in grounding), key=_STRICTEST_FIRST.index, default=None)


def _past_review(agreement: Agreement, today: date) -> bool:
    """After its review day sharing goes on, with a mark on each disclosure."""
    return agreement.review is not None and today > agreement.review
