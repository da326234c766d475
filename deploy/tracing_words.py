"""A trace in words, for a person: one block for each event, then a line for each member. Times are Europe/London's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from textwrap import wrap
from typing import Final

from consumers.ledger_queries import LONDON
from deploy.tracing import Trace
from deploy.tracing_holdings import Pending, Standing
from deploy.tracing_steps import Copy, Event, Group, News

_LINE: Final = 118
_NAMES_MOST: Final = 12
"""Of members that were sent nothing; --json names all."""
_S_MS: Final = 1000
_MIN_MS: Final = 60 * _S_MS
_H_MS: Final = 60 * _MIN_MS
_DAY_MS: Final = 24 * _H_MS
_FOUND: Final = {
    "event": "the incident of event {}",
    "reference": "the incident that a member has as {}",
}


def as_lines(trace: Trace) -> Iterator[str]:
    """The trace, line by line."""
    origin = f" of {trace.origin}" if trace.origin else ""
    yield f"Incident {trace.incident_id}{origin}"
    if trace.found_as in _FOUND:
        yield f"  {_FOUND[trace.found_as].format(trace.asked)}"
    many = "1 event" if len(trace.events) == 1 else f"{len(trace.events)} events"
    took = f", {_span(trace.took_ms)} from the first decision to the last news" if trace.took_ms else ""
    yield f"  {many}{took}; times are Europe/London"
    day = ""
    for event in trace.events:
        yield ""
        now = _day(next(event.moments()))
        if now != day:
            day = now
            yield day
        yield from _event(event)
    if trace.members:
        yield ""
        yield "What each member has now"
        yield from _standings(trace.members)


def _event(event: Event) -> Iterator[str]:
    if event.decided_at is None:
        named = f"event {event.event_id}" if event.event_id else "an event whose identifier could not be read"
        yield f"   -  {named}: no decision about it is in this ledger"
    else:
        after = "" if event.since_previous_ms is None else f", {_after(event.since_previous_ms)} the one before"
        stated = (event.kind, event.category or "category not stated", event.grade, event.status, event.mode)
        about = ", ".join(str(each) for each in stated if each != "actual")
        yield f"{event.sequence:>4}  {_clock(event.decided_at)}  {about}"
        hashed = (event.policy_hash or "")[:12]
        yield f"      event {event.event_id}{after}; policy version {event.policy_version} ({hashed})"
    for news in event.news:
        yield from _wrapped(f"{news.member}: {_news(news)}" if news.member else _news(news), 6)
    sent = [group for group in event.groups if group.head == "granted"]
    for group in sent:
        yield from _sent(group, event)
    for group in event.groups:
        if group.head != "granted":
            yield from _not_sent(group, event)


def _sent(group: Group, event: Event) -> Iterator[str]:
    none = f"; and that there are no {', '.join(group.given_empty)}" if group.given_empty else ""
    yield from _wrapped(f"{group.outcome}: {', '.join(('head', *group.given))}{none}{_taken_back(group)}", 6)
    by_state: dict[str, list[str]] = {}
    for section, state in group.held_back.items():
        by_state.setdefault(state, []).append(section)
    if by_state:
        kept = "; ".join(f"{', '.join(sections)} ({state})" for state, sections in by_state.items())
        yield from _wrapped(f"held back: {kept}{_against(group)}", 8)
    yield from _wrapped(f"under {_grounds(group)}{_terms(group)}", 8)
    width = max(len(copy.member) for copy in group.members)
    for copy in group.members:
        yield from _wrapped(f"{copy.member:{width}}  {_copy(copy, event)}", 8)


def _not_sent(group: Group, event: Event) -> Iterator[str]:
    """Members that were sent nothing, in one line; those that were sent a notice each in a line of its own."""
    under = _against(group)
    silent = [copy.member for copy in group.members if not (copy.delivery_id or copy.news)]
    if silent:
        yield from _wrapped(f"{group.outcome}{under}: {_named(silent)}", 6)
    if told := [copy for copy in group.members if copy.delivery_id or copy.news]:
        yield from _wrapped(f"{group.outcome}{under}, {_sent_instead(group)}:", 6)
        for copy in told:
            yield from _wrapped(f"{copy.member}  {_copy(copy, event)}", 8)


def _sent_instead(group: Group) -> str:
    """What members were sent that were given nothing."""
    if group.taken_back:
        return f"and told to give back {', '.join(group.taken_back)}"
    return "and told that there is news" if group.action == "restricted" else "and told so"


def _taken_back(group: Group) -> str:
    return f"; taken back: {', '.join(group.taken_back)}" if group.taken_back else ""


def _against(group: Group) -> str:
    """The rules that speak against sharing."""
    rules = [
        f"{rule['agreement']} / {rule['rule']}{' in doubt' if rule['turned_on_unknown'] else ''}"
        for rule in group.rules
        if rule["outcome"] not in {"share", "limit"}
    ]
    return f" by {'; '.join(rules)}" if rules else ""


def _grounds(group: Group) -> str:
    """The rules, each with the sections it grants; without them where one rule grants all."""
    granting: dict[str, list[str]] = {}
    for ground in group.grounds:
        basis = "; ".join(filter(None, (ground["purpose"], ground["legal_basis"])))
        name = f"{ground['agreement']} / {ground['rule']}{f' ({basis})' if basis else ''}"
        granting.setdefault(name, []).append(ground["section"])
    if len(granting) <= 1:
        return next(iter(granting), "no recorded rule")
    return "; ".join(f"{name}: {', '.join(sections)}" for name, sections in granting.items())


def _terms(group: Group) -> str:
    kept = "" if group.retain_days is None else f"; keep {group.retain_days} days from closing"
    review = "; an agreement is past its review day" if group.under_review else ""
    return f"{kept}; passing on: {group.onward or 'not stated'}{review}"


def _copy(copy: Copy, event: Event) -> str:
    day = _day(event.decided_at or "")
    if copy.undeliverable and not copy.news:
        return f"COULD NOT BE SENT ({copy.undeliverable})"
    return ", ".join(_news(news, day) for news in copy.news) or "no receipt"


def _news(news: News, day: str = "") -> str:
    """Delivered 14:02:03.042 (42 ms later) as GM-1."""
    at = _clock(news.at) if _day(news.at) == day or not day else f"{_day(news.at)} {_clock(news.at)}"
    after = "" if news.step_ms is None else f" ({_after(news.step_ms)})"
    known_as = f" as {news.reference}" if news.reference else ""
    why = ": ".join(filter(None, (news.reason, news.detail)))
    because = f": {why}" if why else ""
    remedy = f"; {news.remedy}" if news.remedy else ""
    kind = "COULD NOT BE SENT" if news.kind == "undeliverable" else news.kind
    return f"{kind} {at}{after}{known_as}{because}{remedy}"


def _standings(members: Sequence[Standing]) -> Iterator[str]:
    part = [each for each in members if each.has or each.pending or each.notices or each.taken_back]
    width = max((len(each.member) for each in part), default=0)
    for each in part:
        yield from _wrapped(f"{each.member:{width}}  {_standing(each)}", 2)
    if nothing := [each.member for each in members if each not in part]:
        yield from _wrapped(f"nothing: {_named(nothing)}", 2)


def _standing(standing: Standing) -> str:
    parts = []
    for (sequence, since), held in groupby(standing.has, key=lambda held: (held.sequence, held.since)):
        sections = ", ".join(one.section for one in held)
        parts.append(f"{sections} (event {sequence}, since {_day(since)} {_clock(since)})")
    if not standing.has:
        parts.append("nothing that it has confirmed")
    if standing.taken_back:
        parts.append(f"no longer {', '.join(standing.taken_back)}, which was taken back")
    if standing.told_none:
        parts.append(f"knows of no {', '.join(standing.told_none)}")
    for why, pending in groupby(standing.pending, key=lambda one: one.why):
        parts.append(_pending(why, list(pending)))
    if standing.notices:
        numbers = _numbers(standing.notices)
        parts.append(f"was told at {numbers} that there is news, and nothing of it")
    return "; ".join(parts)


def _pending(why: str, pending: Sequence[Pending]) -> str:
    numbers = _numbers([one.sequence for one in pending])
    return f"no receipt for {numbers}" if why == "no-receipt" else f"{numbers} NOT THERE ({why})"


def _numbers(sequences: Sequence[int]) -> str:
    return f"event {sequences[0]}" if len(sequences) == 1 else f"events {', '.join(map(str, sequences))}"


def _named(members: Sequence[str]) -> str:
    more = len(members) - _NAMES_MOST
    shown = ", ".join(members[:_NAMES_MOST] if more > 0 else members)
    return f"{shown} and {more} more (--json names all)" if more > 0 else shown


def _wrapped(text: str, indent: int) -> Iterator[str]:
    yield from wrap(
        text,
        _LINE,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _after(ms: int) -> str:
    return f"{_span(ms)} after" if ms >= 0 else f"{_span(-ms)} before: their clock and ours differ"


def _span(ms: int) -> str:
    if ms < _S_MS:
        return f"{ms} ms"
    if ms < _MIN_MS:
        return f"{ms / _S_MS:.1f} s"
    if ms < _H_MS:
        return f"{ms // _MIN_MS} min {ms % _MIN_MS // _S_MS} s"
    if ms < _DAY_MS:
        return f"{ms // _H_MS} h {ms % _H_MS // _MIN_MS} min"
    return f"{ms // _DAY_MS} d {ms % _DAY_MS // _H_MS} h"


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(LONDON)


def _clock(text: str) -> str:
    return _local(text).isoformat(timespec="milliseconds")[11:23]


def _day(text: str) -> str:
    return f"{_local(text):%a} {_local(text).day} {_local(text):%b %Y}"
