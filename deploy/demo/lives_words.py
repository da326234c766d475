"""Five lives as they were lived: what happened, who did it, when, and how long it took; for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from consumers.ledger_queries import LONDON
from deploy.demo.acting import Moment
from deploy.demo.lives import Lived

_WHAT: Final[Mapping[str, str]] = {
    "referred": "a person is asked",
    "escalated": "nobody has ruled: the next is asked",
    "lapsed": "nobody has ruled: nothing is sent",
    "released": "released",
    "delivered": "delivered",
    "accepted": "accepted",
    "retracted": "taken back",
    "restricted": "hidden",
    "erased": "confirmed as erased",
}


def as_table(lived: Iterable[Lived]) -> Table:
    """A row for each moment, beneath a row for each life."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 0))
    for name in ("what happened", "who", "when"):
        table.add_column(name, no_wrap=True)
    table.add_column("after", justify="right", no_wrap=True)
    for one in lived:
        life = one.life
        table.add_row(f"[bold]{life.log} {life.name}[/]: {life.about}", life.member, "", _seconds(one.took_s))
        for moment, after_s in _timed(one):
            when = moment.at.astimezone(LONDON)
            table.add_row(f"  {_what(moment)}", _who(moment), f"{when:%H:%M:%S}", _seconds(after_s))
    return table


def as_json(lived: Iterable[Lived]) -> dict[str, Any]:
    """The same as plain data, by the name of the life; of a moment what is known. Times in UTC."""
    return {
        one.life.name: {
            "incident_id": one.life.incident_id,
            "local_ref": one.life.log,
            "member": one.life.member,
            "took_s": round(one.took_s, 3),
            "moments": [_stated(moment) for moment in one.moments],
        }
        for one in lived
    }


def _stated(moment: Moment) -> dict[str, Any]:
    stated = {name: value for name, value in moment._asdict().items() if value is not None}
    return {**stated, "at": moment.at.isoformat(timespec="milliseconds")}


def _timed(lived: Lived) -> Iterator[tuple[Moment, float | None]]:
    """Each moment with the seconds since the one before."""
    before = None
    for moment in lived.moments:
        yield moment, (moment.at - before.at).total_seconds() if before else None
        before = moment


def _what(moment: Moment) -> str:
    if (moment.kind, moment.action) == ("delivered", "correct"):
        return "the correction delivered"
    return _WHAT[moment.kind] + (f" as {moment.reference}" if moment.reference else "")


def _who(moment: Moment) -> str:
    if moment.kind == "lapsed":
        return "nobody"
    return f"its {moment.by_role}" if moment.by_role else moment.person or moment.role or "its system"


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f} s"
