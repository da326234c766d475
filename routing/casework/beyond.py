"""Sharing beyond the rules: at discretion what none grants, and over a forbid when life is at risk."""

from __future__ import annotations

from typing import Any

from routing.agreements.force import suspended
from routing.agreements.model import Agreement, Forbid
from routing.agreements.rulings import OVERRIDE_MOST
from routing.agreements.state import Discretion, Override
from routing.casework.known import Judged, Known
from routing.casework.said import Said
from schemas.errors import Rejected


def at_discretion(said: Said, known: Known) -> Judged:
    """What no rule grants, shared by whoever the policy lets; never what is referred, which is released by its case.

    Raises:
        Rejected: ``not-at-discretion``, ``referred``, ``nothing-named``, ``unknown-agreement``.
    """
    bundle = known.bundle
    if said.role not in bundle.discretion:
        listed = ", ".join(bundle.discretion) or "nobody"
        raise Rejected("not-at-discretion", f"the policy lets {listed} share at discretion, not {said.role}")
    _check_grants(said, known)
    asked = (line for line in known.case.lines if line.recipient in said.recipients)
    waiting = {line.recipient for line in asked if line.parts & said.parts}
    if waiting:
        raise Rejected(
            "referred",
            f"what is named awaits a ruling for {', '.join(sorted(waiting))}",
            remedy="release it through its case",
        )
    sequence = None if said.later_events else known.latest.sequence
    ruling = Discretion(**_ruling(said), until=said.until, sequence=sequence)
    return Judged(known.case, (ruling,), known.state.refusals)


def overriding(said: Said, known: Known) -> Judged:
    """Lifts forbids that name the role, of one agreement, for at most four hours.

    Raises:
        Rejected: ``no-override``, ``bad-limit``, ``nothing-named``, ``unknown-agreement``.
    """
    agreement = _check_grants(said, known)
    forbids = [rule for rule in agreement.rules if isinstance(rule, Forbid) and said.role in rule.override]
    if absolute := sorted(said.recipients.difference(*(rule.recipients for rule in forbids))):
        raise Rejected(
            "no-override",
            f"no forbid of {agreement.id} lets {said.role} override it for {', '.join(absolute)}",
            remedy="a forbid that names no role is absolute",
        )
    until = said.until or said.at + OVERRIDE_MOST
    if until > said.at + OVERRIDE_MOST:
        raise Rejected("bad-limit", f"expected an override of at most {OVERRIDE_MOST}, got until {until.isoformat()}")
    return Judged(known.case, (Override(**_ruling(said), until=until),), known.state.refusals)


def _check_grants(said: Said, known: Known) -> Agreement:
    """What discretion and override must name: sections, and the agreement whose terms hold."""
    if not said.parts:
        raise Rejected("nothing-named", "expected at least one section, or head", remedy="say --sections")
    agreement = known.bundle.agreement(said.agreement)
    if agreement is None or suspended(known.bundle, agreement):
        raise Rejected("unknown-agreement", f"expected an agreement in force, got {said.agreement or 'none'}")
    return agreement


def _ruling(said: Said) -> dict[str, Any]:
    return {
        "id": said.id,
        "role": said.role,
        "agreement": said.agreement,
        "recipients": said.recipients,
        "parts": said.parts,
        "at": said.at,
        "locate": said.locate,
    }
