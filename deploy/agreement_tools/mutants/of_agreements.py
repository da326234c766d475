"""Changes of what stands at the head of a file, and in bundle.yaml: days, parties, signatures, doubt, onward use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from deploy.agreement_tools.mutants.changes import few
from deploy.agreement_tools.mutants.of_rules import beside
from routing.agreements.bundle import Bundle
from routing.agreements.model import STRICTEST_FIRST, Agreement, Forbid, Share, Step

_DAY: Final = timedelta(days=1)
_A_QUARTER_S: Final = 900
AgreementChange = tuple[str, str, Agreement, tuple[date, ...]]
"""Operator, words, the agreement, and the days on which it may decide otherwise; none: whenever it is in force."""


def changed_agreements(bundle: Bundle, agreement: Agreement) -> Iterator[AgreementChange]:
    """Every change of a file's own words."""
    yield from _days(agreement)
    yield from _origins(bundle, agreement)
    for signature in agreement.signatures:
        rest = tuple(each for each in agreement.signatures if each is not signature)
        change = f"without the signature of {signature.member}"
        yield "signature", change, replace(agreement, signatures=rest), ()
    if any(isinstance(rule, Share) for rule in agreement.rules):
        for onward in beside(STRICTEST_FIRST, agreement.onward):
            change = f"with onward use {onward} instead of {agreement.onward}"
            yield "onward", change, replace(agreement, onward=onward), ()
    if agreement.doubt:
        yield "doubt", "without `doubt`", replace(agreement, doubt=()), ()
    elif bundle.roles and any(isinstance(rule, Forbid) for rule in agreement.rules):
        path = (Step(bundle.roles[0].role, _A_QUARTER_S),)
        yield "doubt", f"with `doubt`, asking {path[0].role}", replace(agreement, doubt=path), ()


def _days(agreement: Agreement) -> Iterator[AgreementChange]:
    starts, ends, review = agreement.starts, agreement.ends, agreement.review
    yield "starts", "starting a day later", replace(agreement, starts=starts + _DAY), (starts,)
    yield "starts", "starting a day sooner", replace(agreement, starts=starts - _DAY), (starts - _DAY,)
    if ends is not None:
        yield "ends", "ending a day later", replace(agreement, ends=ends + _DAY), (ends + _DAY,)
        yield "ends", "ending a day sooner", replace(agreement, ends=ends - _DAY), (ends,)
        yield "ends", "without an end", replace(agreement, ends=None), (ends + _DAY,)
    if review is not None:
        yield "review", "reviewed a day later", replace(agreement, review=review + _DAY), (review + _DAY,)
        yield "review", "reviewed a day sooner", replace(agreement, review=review - _DAY), (review,)


def _origins(bundle: Bundle, agreement: Agreement) -> Iterator[AgreementChange]:
    now = agreement.origins
    if len(now) > 1:
        for member in few(now, agreement.id):
            rest = tuple(each for each in now if each != member)
            yield "drop-origin", f"no longer from {member}", replace(agreement, origins=rest), ()
    others = [member.id for member in bundle.members if member.publishes and member.id not in now]
    for member in few(others, agreement.id):
        signed = tuple(replace(signature, member=member) for signature in agreement.signatures[:1])
        more = replace(agreement, origins=tuple(sorted((*now, member))), signatures=(*agreement.signatures, *signed))
        yield "add-origin", f"from {member} too, signed", more, ()


def changed_bundles(bundle: Bundle) -> Iterator[tuple[str, str, Bundle]]:
    """Every change of what ``bundle.yaml`` says that decisions turn on: never-states."""
    for state in bundle.never_states:
        rest = tuple(each for each in bundle.never_states if each is not state)
        change = f"no longer saying that {state.member} never states {state.attribute}"
        yield "never-states", change, replace(bundle, never_states=rest)
