"""Sharing beyond the rules, as a ruling: at discretion what none grants, and over a forbid when life is at risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from deploy.desk.moments import span
from deploy.desk.persons import Ruler
from deploy.desk.rulings import limit_of
from routing.agreements.bundle import Bundle
from routing.agreements.model import Agreement, Forbid
from routing.agreements.rulings import OVERRIDE_MOST
from schemas.errors import Rejected

BeyondKind = Literal["discretion", "override"]


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms something is shared beyond the rules."""

    agreement: str
    until: datetime | None


def roles_beyond(bundle: Bundle, kind: BeyondKind) -> frozenset[str]:
    """The roles that may share so."""
    if kind == "discretion":
        return frozenset(bundle.discretion)
    rules = (rule for agreement in bundle.agreements for rule in agreement.rules)
    return frozenset(role for rule in rules if isinstance(rule, Forbid) for role in rule.override)


def terms_of(  # noqa: PLR0913, PLR0917  what a person says, and where
    bundle: Bundle,
    force: str,
    kind: BeyondKind,
    ruler: Ruler,
    to: Sequence[str],
    agreement: str | None,
    until: datetime | None,
    now: datetime,
) -> Terms:
    """The agreement whose terms hold, and until when.

    Args:
        bundle: in force.
        force: whose incident it is.
        kind: how it is shared.
        ruler: who shares it.
        to: with whom.
        agreement: as the person names it; None: the only one that fits.
        until: as the person says; None: without limit, or the longest allowed.
        now: when.

    Raises:
        Rejected: ``may-not``: the role may not share so; ``unknown-agreement``, ``which-agreement``, ``bad-time``.
    """
    if ruler.role not in (may := roles_beyond(bundle, kind)):
        how = "share at discretion" if kind == "discretion" else "override a forbid"
        raise Rejected(
            "may-not", f"the policy lets {', '.join(sorted(may)) or 'nobody'} {how}, and you rule as {ruler.role}"
        )
    limit = limit_of(until, now)
    if kind == "override" and limit is not None and limit > now + OVERRIDE_MOST:
        raise Rejected("bad-time", f"a forbid is overridden for at most {span(OVERRIDE_MOST)}, got longer")
    return Terms(_agreement(bundle, force, kind, ruler.role, to, agreement), limit)


def _agreement(bundle: Bundle, force: str, kind: BeyondKind, role: str, to: Sequence[str], named: str | None) -> str:
    known = [each for each in bundle.agreements if force in each.origins and bundle.suspension(each.id) is None]
    if named is not None:
        if named not in {each.id for each in known}:
            listed = ", ".join(each.id for each in known) or "none"
            raise Rejected("unknown-agreement", f"expected an agreement in force that {force} is part of: {listed}")
        return named
    fitting = [each.id for each in known if _fits(each, kind, role, to)]
    if len(fitting) == 1:
        return fitting[0]
    told = f"several agreements fit: {', '.join(fitting)}" if fitting else "no agreement fits by itself"
    raise Rejected("which-agreement", told, remedy="say whose terms hold: --agreement ID")


def _fits(agreement: Agreement, kind: BeyondKind, role: str, to: Sequence[str]) -> bool:
    rules = agreement.rules
    if kind == "override":
        rules = tuple(rule for rule in rules if isinstance(rule, Forbid) and role in rule.override)
    elif agreement.standing:
        return False
    reached = {member for rule in rules for member in rule.recipients}
    return bool(rules) and reached.issuperset(to)
