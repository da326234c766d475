"""What a bundle must be to be published after another."""

from __future__ import annotations

from datetime import datetime

from routing.agreements.bundle import Bundle
from schemas.errors import Rejected
from schemas.exchange import Exchange


def check_members(bundle: Bundle, exchange: Exchange) -> None:
    """The bundle must be about the members of this exchange, all of them.

    Raises:
        Rejected: ``foreign-member`` or ``missing-member``.
    """
    named, known = {member.id for member in bundle.members}, set(exchange.members)
    if strangers := sorted(named - known):
        raise Rejected(
            "foreign-member",
            f"the bundle names members that {exchange.exchange} does not have: {', '.join(strangers)}",
            remedy="let `members` of bundle.yaml name the exchange.yaml that you publish for",
        )
    if missing := sorted(known - named):
        raise Rejected(
            "missing-member",
            f"the bundle lacks members that {exchange.exchange} has: {', '.join(missing)}",
            remedy="let `members` of bundle.yaml name the exchange.yaml that you publish for",
        )


def check_rises(bundle: Bundle, newest: int, at: datetime) -> None:
    """The version must be above the newest one published.

    Raises:
        Rejected: ``version``.
    """
    if bundle.version <= newest:
        raise Rejected(
            "version",
            f"version {bundle.version} does not rise: {newest} was published at {at:%Y-%m-%d %H:%M} UTC",
            remedy=f"set `version: {newest + 1}` in bundle.yaml",
        )


def check_suspensions(bundle: Bundle, before: Bundle | None, lifting: frozenset[str]) -> None:
    """No suspension may end by being forgotten.

    Args:
        bundle: what is to be published.
        before: what is in force; None where this release cannot read it: a new bundle is the way out of that.
        lifting: the agreements whose suspension is meant to end.

    Raises:
        Rejected: ``would-lift``.
    """
    if before is None:
        return
    known = {agreement.id for agreement in bundle.agreements}
    lost = sorted(
        suspension.agreement
        for suspension in before.suspended
        if suspension.agreement in known - lifting and bundle.suspension(suspension.agreement) is None
    )
    if lost:
        raise Rejected(
            "would-lift",
            f"this would lift the suspension of {', '.join(lost)}, in force since version {before.version} or earlier",
            remedy="write the suspension into bundle.yaml, or say --lift AGREEMENT for each that is meant to end",
        )


def check_known(bundle: Bundle, agreement: str) -> None:
    """The agreement must be one of the bundle.

    Raises:
        Rejected: ``no-such-agreement``.
    """
    known = sorted(found.id for found in bundle.agreements)
    if agreement not in known:
        raise Rejected(
            "no-such-agreement",
            f"policy version {bundle.version} has no agreement {agreement}; it has {', '.join(known) or 'none'}",
        )
