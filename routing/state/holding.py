"""What a member holds once something has been delivered to it: which parts, and every grant they came under.

A part that is held stays held when a later delivery does not cover it: the receiver leaves it as it was. What grants it
is remembered in full, since the bundle that said so may be another by the time it is asked.
"""

from __future__ import annotations

from collections.abc import Iterable

from routing.agreements.bundle import Bundle
from routing.agreements.decision import HEAD, Decision
from routing.agreements.model import Agreement, Forbid, Refer, Share
from routing.agreements.state import HeldGrant, HeldPart, Holding, Ruling
from schemas.sections import SECTIONS

_PARTS = (HEAD, *SECTIONS)


def holding_after(
    bundle: Bundle, decision: Decision, member: str, before: Holding | None, rulings: Iterable[Ruling] = ()
) -> Holding | None:
    """What a member holds after what was decided for it; None: nothing, or nothing any more.

    Args:
        bundle: what the decision was made under.
        decision: the decision for that member.
        member: who.
        before: what it held.
        rulings: the rulings that may be among the grounds.
    """
    if decision.head != "granted":
        return _after_a_notice(decision, before)
    held = {part.part: part for part in before.parts} if before else {}
    for part in decision.withdraws:
        held.pop(part, None)
    grants = _grants(bundle, decision, before, {(ruling.agreement, ruling.id): ruling for ruling in rulings})
    for part in (HEAD, *decision.covers):
        earlier = held[part].grants if part in held else ()
        locate = decision.locate.get(part, "exact")
        held[part] = HeldPart(part, _together(earlier, grants[part]), locate)
    parts = tuple(held[part] for part in _PARTS if part in held)
    return Holding(member, parts, decision.retain_days or 0)


def _after_a_notice(decision: Decision, before: Holding | None) -> Holding | None:
    """After a delivery that carries nothing, or none at all."""
    if before is None:
        return None
    if decision.action == "restricted":
        return Holding(before.member, before.parts, before.retain_days, restricted=True)
    if decision.action == "withdraw":
        left = tuple(part for part in before.parts if part.part not in decision.withdraws)
        return Holding(before.member, left, before.retain_days) if left else None
    return before


def _grants(
    bundle: Bundle, decision: Decision, before: Holding | None, rulings: dict[tuple[str, str], Ruling]
) -> dict[str, tuple[HeldGrant, ...]]:
    """By part, what grants it now. Of the head: every matching share rule, or else whatever grants a section."""
    earlier = {
        (grant.agreement, grant.rule): grant for part in (before.parts if before else ()) for grant in part.grants
    }
    sharing = {(match.agreement, match.rule) for match in decision.rules if match.acts_as == "share"}

    def grant(agreement_id: str, rule_id: str) -> HeldGrant:
        if (agreement_id, rule_id) in sharing:
            return _of_rule(bundle, agreement_id, rule_id)
        ruling = rulings.get((agreement_id, rule_id))
        if ruling is None or bundle.agreement(agreement_id) is None:
            return earlier[agreement_id, rule_id]  # of a correction: what is held under what has gone since
        return _of_ruling(bundle, ruling)

    found: dict[str, list[HeldGrant]] = {part: [] for part in (HEAD, *decision.covers)}
    for ground in decision.grounds:
        found[ground.section].append(grant(ground.agreement, ground.rule))
    if not found[HEAD]:
        found[HEAD] = [_of_rule(bundle, *named) for named in sorted(sharing)] or [
            each for part in decision.covers for each in found[part]
        ]
    return {part: tuple(grants) for part, grants in found.items()}


def _of_rule(bundle: Bundle, agreement_id: str, rule_id: str) -> HeldGrant:
    agreement = _agreement(bundle, agreement_id)
    terms = next(rule.terms for rule in agreement.rules if isinstance(rule, Share) and rule.id == rule_id)
    return HeldGrant(
        agreement_id, rule_id, "rule", terms.purpose, terms.legal_basis, terms.retain_days, agreement.onward
    )


def _of_ruling(bundle: Bundle, ruling: Ruling) -> HeldGrant:
    agreement = _agreement(bundle, ruling.agreement)
    stated = [rule.ruling for rule in agreement.rules if rule.id == ruling.rule and isinstance(rule, Refer | Forbid)]
    terms = stated[0] if stated else agreement.ruling
    return HeldGrant(
        ruling.agreement, ruling.id, "ruling", terms.purpose, terms.legal_basis, terms.retain_days, agreement.onward
    )


def _agreement(bundle: Bundle, agreement_id: str) -> Agreement:
    agreement = bundle.agreement(agreement_id)
    assert agreement is not None  # noqa: S101  the decision names it, and was made under this bundle
    return agreement


def _together(earlier: tuple[HeldGrant, ...], now: tuple[HeldGrant, ...]) -> tuple[HeldGrant, ...]:
    """Each once: of one rule whose terms have changed, as it grants now."""
    grants = {(grant.agreement, grant.rule): grant for grant in (*earlier, *now)}
    return tuple(grants[named] for named in sorted(grants))
