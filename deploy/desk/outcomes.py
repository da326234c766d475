"""What became of a ruling, told to whoever ruled, and as the exit code of a command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from deploy.desk.moments import clock
from deploy.desk.sending import NOT_TAKEN, Outcome, Said

COUNTS: Final = 0
"""Exit code: every ruling counts."""
REFUSED: Final = 3
"""Exit code: the router did not take a ruling."""
NOT_KNOWN: Final = 4
"""Exit code: sent for good, and the router has not said yet whether it counts."""
_REMEDIES: Final = {
    "stale-view": "look again: huecry cases show {incident}, then rule again",
    "not-in-role": "have the policy desk publish who holds the role",
    "named": "have somebody rule who is not named in the incident",
    "role-not-in-path": "have one of those rule who are asked: huecry cases show {incident}",
    "already-ruled": "see what was ruled: huecry cases show {incident}",
    "lapsed": "ask again: huecry cases ask-again {incident} --to MEMBER --because …",
    "no-open-line": "see what is asked: huecry cases show {incident}",
}


def exit_code(outcomes: Iterable[Outcome]) -> int:
    """The gravest of them."""
    codes = {None: NOT_KNOWN, True: COUNTS, False: REFUSED}
    found = {codes[outcome.counts] for outcome in outcomes}
    return REFUSED if REFUSED in found else max(found, default=COUNTS)


def as_lines(outcome: Outcome, waited_s: float, now: datetime) -> Iterator[str]:
    """What the router said of one ruling, line by line."""
    ruling = outcome.ruling
    if not outcome.said:
        yield (
            f"NOT KNOWN YET: the ruling is sent for good ({ruling.ruling_id[:12]}), and no router has said within "
            f"{waited_s:g} s whether it counts. Do not rule again: see huecry trace {ruling.incident_id}"
        )
    for said in outcome.said:
        yield from _refused(said, ruling.incident_id) if said["kind"] == NOT_TAKEN else _taken(said, now)


def _refused(said: Said, incident_id: str) -> Iterator[str]:
    yield f"NOT TAKEN ({said['reason']}): {said['detail'] or 'the router gives no more detail'}"
    remedy = said["remedy"] or _REMEDIES.get(said["reason"], "").format(incident=incident_id)
    if remedy:
        yield f"  {remedy}"


def _taken(said: Said, now: datetime) -> Iterator[str]:
    about = ", ".join(said["sections"])
    member = said["member"] or "all that it names"
    until = f" until {clock(said['deadline'], now)}" if said["deadline"] else ""
    yield f"{said['kind']}: {member}{f', {about}' if about else ''}{until}"
    if said["detail"]:
        yield f"  {said['detail']}"


def as_json(outcome: Outcome) -> dict[str, Any]:
    """One ruling and what was said of it as plain data; times in UTC."""
    told = ("kind", "member", "at", "reason", "detail", "remedy", "sections", "role", "person", "deadline")
    return {
        "ruling": outcome.ruling.model_dump(mode="json"),
        "counts": outcome.counts,
        "said": [{name: said[name] for name in told} for said in outcome.said],
    }
