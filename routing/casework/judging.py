"""Whether what a person said may count, and what it changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Final, NamedTuple

from routing.agreements.bundle import Bundle
from routing.agreements.considered import Considered
from routing.agreements.decision import HEAD
from routing.agreements.history import with_history
from routing.agreements.matching import with_never_states
from routing.agreements.state import Refusal, Release, RuleRef
from routing.casework.beyond import at_discretion, overriding
from routing.casework.case import Line, Notice, case_of
from routing.casework.known import Judged, Known
from routing.casework.said import Said
from schemas.errors import Rejected
from schemas.sections import SECTIONS

EXTEND_MOST: Final = timedelta(hours=24)
"""A deadline is moved at most so far from the moment of moving it."""
_NONE: Final[frozenset[str]] = frozenset()


def judge(said: Said, known: Known) -> Judged:
    """What the words of a person change.

    Raises:
        Rejected: they do not count, and why: ``not-in-role``, ``named``, ``stale-view``, ``no-open-line``,
            ``already-ruled``, ``lapsed``, ``role-not-in-path``, ``nothing-named``, ``not-at-discretion``, ``referred``,
            ``no-override``, ``bad-limit``, ``unknown-agreement``, ``nothing-refused``, ``bad-part``, ``bad-recipient``.
    """
    check_person(said, known.bundle, known.latest.origin, known.named)
    _check_named(said, known)
    _check_view(said, known.latest)
    match said.kind:
        case "release":
            return _release(said, known)
        case "refuse":
            return _refuse(said, known)
        case "extend":
            return _extend(said, known)
        case "ask-again":
            return _ask_again(said, known)
        case "discretion":
            return at_discretion(said, known)
        case "override":
            return overriding(said, known)


# -- what every ruling must be


def check_person(said: Said, bundle: Bundle, origin: str, named: frozenset[str]) -> None:
    """Roles belong to the origin, and the bundle says who holds them there. Nobody rules on what names them.

    Raises:
        Rejected: ``not-in-role``, ``named``.
    """
    holders = {one for role in bundle.roles if role.role == said.role and role.member == origin for one in role.holders}
    if said.person not in holders:
        raise Rejected(
            "not-in-role",
            f"expected somebody who holds the role {said.role} at {origin}, as the policy in force names them",
            remedy="rule in a role you hold, or have the policy desk publish who holds this one",
        )
    if said.person in named:
        raise Rejected("named", "whoever rules may not be named in the incident", remedy="have somebody else rule")


def _check_named(said: Said, known: Known) -> None:
    if not said.recipients:
        raise Rejected("nothing-named", "expected at least one recipient", remedy="say --to MEMBER")
    receivers = {member for member in known.bundle.receivers if member != known.latest.origin}
    if wrong := sorted(said.recipients - receivers):
        message = f"expected recipients among {', '.join(sorted(receivers))}; got {', '.join(wrong)}"
        raise Rejected("bad-recipient", message)
    if wrong := sorted(said.parts - {HEAD, *SECTIONS}):
        raise Rejected("bad-part", f"expected head or sections ({', '.join(SECTIONS)}), got {', '.join(wrong)}")
    if said.until is not None and said.until <= said.at:
        raise Rejected("bad-limit", f"expected a limit after {said.at.isoformat()}, got {said.until.isoformat()}")


def _check_view(said: Said, latest: Considered) -> None:
    """Nobody rules on what they have not seen; whoever extends or asks again rules on nothing."""
    if said.kind not in ("extend", "ask-again") and said.seen_sequence < latest.sequence:
        raise Rejected(
            "stale-view",
            f"the ruling is on event {said.seen_sequence} of the incident, and the latest is {latest.sequence}",
            remedy="look at what came since, and rule again",
        )


# -- each kind


def _release(said: Said, known: Known) -> Judged:
    """Discharges the rules in whose path the role stands; other rules that cover a part still hold it up.

    Each is released on the terms of its own agreement.
    """
    lines = _lines_for(said, known)
    # Only recipients of whom the same was asked go together: nobody is released what was never asked for them.
    alike: dict[_Asked, list[str]] = {}
    for line in lines:
        rules = tuple(each.ref for each in known.case.lines if each.recipient == line.recipient)
        alike.setdefault(_Asked(line.ref, _parts(said, line), rules), []).append(line.recipient)
    released = tuple(_released(said, known, asked, to) for asked, to in alike.items())
    left = (line.without(_parts(said, line)) if line in lines else line for line in known.case.lines)
    notices = tuple(Notice("released", line, _parts(said, line)) for line in lines)
    return Judged(case_of(left), released, known.state.refusals, notices)


class _Asked(NamedTuple):
    """What a line asked, and what else was asked for its recipient."""

    ref: RuleRef
    parts: frozenset[str]
    rules: tuple[RuleRef, ...]
    """Of all lines of that recipient."""


def _released(said: Said, known: Known, asked: _Asked, recipients: Iterable[str]) -> Release:
    event = known.latest
    caveats = with_history(known.state.history, with_never_states(known.bundle, event)).caveats
    return Release(
        id=said.id,
        role=said.role,
        agreement=asked.ref.agreement,
        rule=asked.ref.rule,
        recipients=frozenset(recipients),
        parts=asked.parts,
        at=said.at,
        until=said.until,
        locate=said.locate,
        rules=asked.rules,
        filled=event.sections,
        caveats=caveats or _NONE,
    )


def _refuse(said: Said, known: Known) -> Judged:
    """What is refused is withheld, whichever rule asked: nobody is asked on about it."""
    lines = _lines_for(said, known)
    refused: dict[str, frozenset[str]] = {}
    for line in lines:
        refused[line.recipient] = refused.get(line.recipient, _NONE) | _parts(said, line)
    moot = [line for line in known.case.lines if line.parts & refused.get(line.recipient, _NONE)]
    refusals = tuple(_refusal(known.latest, recipient, parts, moot) for recipient, parts in sorted(refused.items()))
    left = (line.without(refused.get(line.recipient, _NONE)) for line in known.case.lines)
    notices = tuple(Notice("refused", line, line.parts & refused[line.recipient]) for line in moot)
    return Judged(case_of(left), (), (*known.state.refusals, *refusals), notices)


def _refusal(latest: Considered, recipient: str, parts: frozenset[str], lines: Iterable[Line]) -> Refusal:
    return Refusal(
        kind="refusal",
        recipients=frozenset({recipient}),
        parts=parts,
        rules=tuple(line.ref for line in lines if line.recipient == recipient),
        grade=latest.grade,
        flags=latest.flags or _NONE,
        hazards=latest.hazards,
    )


def _extend(said: Said, known: Known) -> Judged:
    until = said.until
    if until is None or until > said.at + EXTEND_MOST:
        message = f"expected a new deadline at most {EXTEND_MOST} from now, got {until or 'none'}"
        raise Rejected("bad-limit", message)
    moved = {line: replace(line, deadline=until) for line in _lines_for(said, known)}
    notices = tuple(Notice("extended", line, line.parts) for line in moved.values())
    return Judged(case_of(moved.get(line, line) for line in known.case.lines), (), known.state.refusals, notices)


def _ask_again(said: Said, known: Known) -> Judged:
    """The origin asks again: what was refused or lapsed is open to be referred once more."""
    kept: list[Refusal] = []
    found = False
    for refusal in known.state.refusals:
        asked = refusal.recipients & said.recipients
        parts = refusal.parts & (said.parts or refusal.parts)
        if not asked or not parts:
            kept.append(refusal)
            continue
        found = True
        kept += [
            left
            for left in (
                replace(refusal, recipients=refusal.recipients - asked),
                replace(refusal, recipients=asked, parts=refusal.parts - parts),
            )
            if left.recipients and left.parts
        ]
    if not found:
        message = "nothing of this incident was refused or has lapsed for these recipients and sections"
        raise Rejected("nothing-refused", message)
    return Judged(known.case, (), tuple(kept))


# -- which lines a ruling answers


def _lines_for(said: Said, known: Known) -> list[Line]:
    """The open lines that this ruling answers, of rules in whose path the role stands."""
    about = [line for line in known.case.lines if line.recipient in said.recipients if _parts(said, line)]
    answered = [line for line in about if said.role in line.roles]
    if not about:
        raise _nothing_open(said, known)
    if not answered:
        roles = sorted({role for line in about for role in line.roles})
        raise Rejected("role-not-in-path", f"expected a ruling by {', '.join(roles)}; {said.role} is in no path here")
    return answered


def _nothing_open(said: Said, known: Known) -> Rejected:
    """Why there is no open line: somebody ruled, or time ran out, or nobody asked."""
    for refusal in known.state.refusals:
        if refusal.recipients & said.recipients and (not said.parts or refusal.parts & said.parts):
            if refusal.kind == "lapse":
                return Rejected("lapsed", "the last deadline passed before this", remedy="have the origin ask again")
            return Rejected("already-ruled", "it was refused before this", remedy="have the origin ask again")
    for release in known.state.releases:
        if release.recipients & said.recipients and (not said.parts or release.parts & said.parts):
            return Rejected("already-ruled", "it was released before this")
    return Rejected("no-open-line", "nothing of this incident awaits a ruling for these recipients and sections")


def _parts(said: Said, line: Line) -> frozenset[str]:
    return line.parts & said.parts if said.parts else line.parts
