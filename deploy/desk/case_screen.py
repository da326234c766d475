"""One case on the screen of whoever must rule at three in the morning: what is asked, what is known, what happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any, Final

from consumers.ledger_reader import Row
from deploy.desk.case_list import next_step, now_words
from deploy.desk.changes import Marked
from deploy.desk.looking import Look
from deploy.desk.moments import clock, distance, moment_of

_LINE: Final = 110
_WIDTH: Final = 16
_MARKS: Final = {"new": "NEW", "changed": "CHANGED", "gone": "GONE"}
_FOR_US: Final = "control"


def as_lines(seen: Look, now: datetime) -> Iterator[str]:
    """The case, line by line."""
    case = seen.case
    yield f"{case.now['local_ref'] or 'No log number'}  incident {case.now['incident_id']}  at {now_words(now)}"
    yield _marked_against(seen, now)
    yield ""
    yield from _asked(case.lines, now)
    yield ""
    yield from _event(seen, now)
    yield ""
    yield "What has happened (times are Europe/London)"
    for notice in case.notices:
        yield from wrapped(_notice(notice, now), "*" if notice["record_id"] in seen.new_records else "")
    if case.lines:
        yield ""
        yield from _how_to_rule(seen)


def _marked_against(seen: Look, now: datetime) -> str:
    if seen.looked_at is not None:
        since = f"you last looked, {clock(moment_of(seen.looked_at), now)}"
    else:
        since = "the case opened: you have not looked before"
    return f"Marked * is what came since {since}." if seen.before else f"Nothing has come since {since}."


def _asked(lines: Sequence[Row], now: datetime) -> Iterator[str]:
    if not lines:
        yield "Closed: nobody is asked anything any more."
        return
    yield "Who would be sent what"
    for line in lines:
        deadline = moment_of(line["deadline"])
        late = "OVERDUE since " if deadline < now else "until "
        yield from wrapped(f"{line['recipient']}: {', '.join(line['sections']) or 'all of it'}")
        rule = f"{line['agreement']} / {line['rule']}"
        opened = f"opened {clock(moment_of(line['opened_at']), now)} by event {line['opened_sequence']}"
        yield from _facts(
            {
                "why asked": f"{line['why'] or 'no reason is stated'} ({rule})",
                "who rules": f"{line['role']}, {late}{clock(deadline, now)} ({distance(deadline, now)}); {opened}",
                "if nobody does": next_step(line),
            }
        )


def _event(seen: Look, now: datetime) -> Iterator[str]:
    sequence = seen.latest["sequence"]
    at = clock(moment_of(seen.latest["at"]), now)
    if seen.event is None:
        yield f"Event {sequence}, the latest: it can no longer be read here. Look at it in your own system."
        return
    yield f"What is known: event {sequence}, the latest at {at}"
    for part, marks in _by_part(seen.parts):
        name = "for us only" if part == _FOR_US else part.replace("_", " ")
        for each in marks:
            yield from wrapped(f"{name:{_WIDTH - 2}}  {_told(each)}", "*" if each.mark else "", _WIDTH)
            name = ""
    empty = [part for part in _SHOWN_EMPTY if part not in {each.part for each in seen.parts}]
    if empty:
        yield from wrapped(f"{'nothing of':{_WIDTH - 2}}  {', '.join(empty)}", "", _WIDTH)


_SHOWN_EMPTY: Final = ("locations", "suspects", "victims", "vehicles", "hazards")
"""That there is none of these matters to whoever rules."""


def _by_part(parts: Iterable[Marked]) -> Iterator[tuple[str, list[Marked]]]:
    found: dict[str, list[Marked]] = {}
    for each in parts:
        found.setdefault(each.part, []).append(each)
    yield from found.items()


def told_changes(changes: Iterable[Marked]) -> Iterator[str]:
    """What the latest event says otherwise, line by line."""
    for each in changes:
        yield from wrapped(f"{each.part.replace('_', ' '):{_WIDTH - 2}}  {_told(each)}", "*", _WIDTH)


def _told(each: Marked) -> str:
    mark = f"{_MARKS[each.mark]}: " if each.mark else ""
    was = f" (was: {each.was})" if each.was else ""
    return f"{mark}{each.words}{was}"


def _notice(notice: Row, now: datetime) -> str:
    about = ", ".join(notice["sections"]) or "all of it"
    who = notice["person"] or ""
    role = f" as {notice['role']}" if who and notice["role"] else ""
    by = f" by {who}{role}" if who else ""
    asked = f"; {notice['role']} is asked until {clock(moment_of(notice['deadline']), now)}" if _asks(notice) else ""
    because = f": {notice['because']}" if notice["because"] else ""
    at = clock(moment_of(notice["at"]), now)
    return f"{at}  {notice['kind']}{by}: {notice['recipient']}, {about}{asked}{because}"


def _asks(notice: Row) -> bool:
    return bool(notice["deadline"]) and notice["kind"] in {"opened", "escalated", "extended", "asked-again"}


def _how_to_rule(seen: Look) -> Iterator[str]:
    case = seen.case
    roles = list(dict.fromkeys(step["role"] for line in case.lines for step in line["path"]))
    named = case.now["local_ref"] or case.now["incident_id"]
    to = f"--to {case.lines[0]['recipient']}"
    yield f"To rule, as {' or '.join(roles)} (what you have seen is event {seen.latest['sequence']}):"
    yield f'  huecry cases release {named} {to} --because "…" [--sections …] [--locate 1km] [--until 2h]'
    yield f'  huecry cases refuse {named} {to} --because "…"'
    yield f'  huecry cases extend {named} {to} --until 30m --because "…"'


def _facts(facts: dict[str, str]) -> Iterator[str]:
    for name, value in facts.items():
        yield from wrapped(f"  {name:{_WIDTH - 2}}  {value}", "", _WIDTH + 2)


def wrapped(text: str, mark: str = "", indent: int = 4) -> Iterator[str]:
    """A line of text at most so wide, with a mark before it."""
    return iter(
        wrap(
            text,
            _LINE,
            initial_indent=f"{mark:2}",
            subsequent_indent=" " * (indent + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
    )


def as_json(seen: Look) -> dict[str, Any]:
    """The case as plain data; times in UTC."""
    case = seen.case
    records = [{name: value for name, value in record.items() if name != "event"} for record in case.records]
    return {
        **case.now,
        "lines": case.lines,
        "event": None
        if seen.event is None
        else {
            "sequence": seen.event.sequence,
            "head": dict(seen.event.head),
            "sections": {name: [item.words() for item in items] for name, items in seen.event.sections.items()},
        },
        "last_looked_at": seen.looked_at,
        "compared_with": None if seen.before is None else seen.before["sequence"],
        "changes": [
            {"part": each.part, "mark": each.mark, "now": each.words, "was": each.was}
            for each in seen.parts
            if each.mark
        ],
        "records": records,
        "notices": [{**notice, "new": notice["record_id"] in seen.new_records} for notice in case.notices],
        "rulings": case.rulings,
    }
