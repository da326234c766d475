"""A decision as bytes: what a delivery and a disclosure record say of it, whatever the event and whoever the recipient.

Equal decisions have one `Wording` while any of them is remembered, so it can be told apart by identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any, Final
from weakref import WeakValueDictionary

from routing.agreements.decision import Decision, Ground
from schemas.codes import enum_symbol
from schemas.parts import decided_form, terms_parts


class Wording:
    """The bytes that equal decisions under one policy version share. Compared by identity; make one with `wording`."""

    def __init__(self, decision: Decision, policy_version: int) -> None:
        self.decision = decision
        """With no recipient."""
        self._policy_version = policy_version

    @cached_property
    def covered(self) -> bytes:
        """Of a disclosure's terms the first part: the action, and the sections covered."""
        action = "SHARE" if self.decision.action == "share" else "CORRECT"
        return terms_parts()[0].encode({"action": action, "covers": self.decision.covers})

    @cached_property
    def grounds(self) -> bytes:
        """Of a disclosure's terms the third part."""
        return terms_parts()[2].encode({"grounds": self._grounds()})

    @cached_property
    def opening(self) -> bytes:
        """The first three parts, of an event that corrects nothing, for a recipient to whom it is not addressed."""
        return b"".join((self.covered, of_event([], addressed=False), self.grounds))

    @cached_property
    def ending(self) -> bytes:
        """Of a disclosure's terms the last part, from ``retain_days`` on."""
        return terms_parts()[4].encode(self._conditions() | {"policy_version": self._policy_version})

    @cached_property
    def notice(self) -> tuple[bytes, bytes]:
        """Of a notice the terms before and after its time: restricted, or withdraw; it covers and grounds nothing."""
        withdraws = self.decision.withdraws
        action = "WITHDRAW" if withdraws else "RESTRICTED"
        parts = terms_parts()
        named = parts[0].encode({"action": action, "covers": (), "withdraws": withdraws})
        return named + of_event([], addressed=False) + parts[2].encode({"grounds": ()}), parts[4].encode(
            {"policy_version": self._policy_version}
        )

    @cached_property
    def decided(self) -> bytes:
        """Of a record's group of equal decisions all but the recipients."""
        decision = self.decision
        states = [{"section": name, "state": enum_symbol(state)} for name, state in decision.sections.items()]
        rules = [
            {
                "agreement": match.agreement,
                "rule": match.rule,
                "outcome": match.outcome,
                "turned_on_unknown": match.turned_on_unknown,
                "acts_as": match.acts_as,
            }
            for match in decision.rules
        ]
        what = {"outcome": enum_symbol(decision.outcome), "head": enum_symbol(decision.head), "sections": states}
        decided = {**what, "grounds": self._grounds(), "rules": rules, **self._conditions(), **_what_else(decision)}
        return decided_form().encode(decided)

    def _conditions(self) -> dict[str, Any]:
        decision = self.decision
        onward = decision.onward or ""
        return {"retain_days": decision.retain_days, "onward": onward, "under_review": decision.under_review}

    def _grounds(self) -> list[dict[str, str]]:
        return [_ground(ground) for ground in self.decision.grounds]


def of_event(changes: Sequence[Mapping[str, Any]], *, addressed: bool) -> bytes:
    """Of a disclosure's terms the second part: what hangs on the event and its recipient."""
    return terms_parts()[1].encode({"addressed_to_you": addressed, "changes": changes})


def wording(decision: Decision, policy_version: int) -> Wording:
    """The wording of a decision: the same one for equal decisions, whoever they are for."""
    known = _by_identity.get((id(decision), policy_version))
    if known is not None:
        return known[1]
    shape = replace(decision, recipient="") if decision.recipient else decision
    worded = _wordings.setdefault((shape, policy_version), Wording(shape, policy_version))
    if len(_by_identity) >= _REMEMBERED_MOST:
        _by_identity.clear()
    _by_identity[id(decision), policy_version] = decision, worded
    return worded


_wordings: WeakValueDictionary[tuple[Decision, int], Wording] = WeakValueDictionary()
_REMEMBERED_MOST: Final = 4_096
_by_identity: dict[tuple[int, int], tuple[Decision, Wording]] = {}
"""The engine gives equal decisions mostly as one object, and comparing them is dear. Kept with it: ids come again."""


def _what_else(decision: Decision) -> dict[str, Any]:
    """What a record says of a decision and a delivery does not."""
    coarse = any(locate != "exact" for locate in decision.locate.values())
    located = decision.locate.items() if coarse else ()
    return {
        "locate": [{"section": section, "locate": locate} for section, locate in located],
        "action": decision.action,
        "withdraws": decision.withdraws,
        "referrals": [asdict(referral) for referral in decision.referrals],
        "without_news": decision.without_news,
    }


def _ground(ground: Ground) -> dict[str, str]:
    return {
        "section": ground.section,
        "agreement": ground.agreement,
        "rule": ground.rule,
        "purpose": ground.purpose,
        "legal_basis": ground.legal_basis,
    }
