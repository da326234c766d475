"""A trace in words, for a person: one block for each event, then a line for each member. Times are Europe/London's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from deploy import tracing_act_words
from deploy.tracing import Trace
from deploy.tracing_acts import RULED, Act
from deploy.tracing_holdings import AskedBack, Pending, Standing
from deploy.tracing_lines import after, clock, day, span, wrapped
from deploy.tracing_steps import Copy, Event, Group, News

_NAMES_MOST: Final = 12
"""Of members that were sent nothing; --json names all."""
_FOUND: Final = {
    "event": "the incident of event {}",
    "reference": "the incident that a member has as {}",
    "log number": "the incident of log number {}",
}


def as_lines(trace: Trace) -> Iterator[str]:
    """The trace, line by line."""
    origin = f" of {trace.origin}" if trace.origin else ""
    yield f"Incident {trace.incident_id}{origin}"
    if trace.found_as in _FOUND:
        yield f"  {_FOUND[trace.found_as].format(trace.asked)}"
    count = len({event.event_id for event in trace.events})
    many = "1 event" if count == 1 else f"{count} events"
    acts = f", {len(trace.acts)} acts of people and answers" if trace.acts else ""
    took = f", {span(trace.took_ms)} from the first decision to the last news" if trace.took_ms else ""
    yield f"  {many}{acts}{took}; times are Europe/London"
    yield from _life(trace)
    if trace.still_asked:
        yield ""
        yield "Still asked"
        for line in trace.still_asked:
            until = f"{day(line.deadline)} {clock(line.deadline)[:8]}"
            yield from wrapped(
                f"{line.role} until {until}: {', '.join(line.sections)} for {line.member} ({line.rule})", 2
            )
    if trace.members:
        yield ""
        yield "What each member has now"
        yield from _standings(trace.members)


def _life(trace: Trace) -> Iterator[str]:
    """Events in their order, and what people did between them."""
    today, acts = "", list(trace.acts)
    for number, event in enumerate(trace.events):
        at = next(event.moments())
        if number:
            yield from _acts(_taken(acts, event, at), today)
        yield ""
        if day(at) != today:
            today = day(at)
            yield today
        yield from _event(event, trace)
    yield from _acts(acts, today)


def _taken(acts: list[Act], event: Event, at: str) -> list[Act]:
    """What people did before an event, taken off the list; the ruling by which it was decided again is the last."""
    ruling = [number for number, act in enumerate(acts, 1) if act.kind == RULED and act.ruling_id == event.ruling_id]
    count = max([*ruling, sum(act.at < at for act in acts)])
    before = acts[:count]
    del acts[:count]
    return before


def _acts(acts: Sequence[Act], today: str) -> Iterator[str]:
    """What people did, in a block behind an empty line, with its day if that is another."""
    if acts:
        yield ""
    for act in acts:
        if day(act.at) != today:
            today = day(act.at)
            yield f"      {today}"
        yield from tracing_act_words.as_lines(act)


def _event(event: Event, trace: Trace) -> Iterator[str]:
    if event.decided_at is None:
        named = f"event {event.event_id}" if event.event_id else "an event whose identifier could not be read"
        yield f"   -  {named}: no decision about it is in this ledger"
    else:
        later = "" if event.since_previous_ms is None else f", {after(event.since_previous_ms)} the one before"
        stated = (event.kind, event.category or "category not stated", event.grade, event.status, event.mode)
        about = ", ".join(str(each) for each in stated if each != "actual")
        yield f"{event.sequence:>4}  {clock(event.decided_at)}  {about}"
        if event.ruling_id:
            yield f"      decided again by the ruling of {_ruler(event, trace)}"
        hashed = (event.policy_hash or "")[:12]
        yield f"      event {event.event_id}{later}; policy version {event.policy_version} ({hashed})"
    for news in event.news:
        yield from wrapped(f"{news.member}: {_news(news)}" if news.member else _news(news), 6)
    sent = [group for group in event.groups if group.head == "granted"]
    for group in sent:
        yield from _sent(group, event)
    for group in event.groups:
        if group.head != "granted":
            yield from _not_sent(group, event)


def _ruler(event: Event, trace: Trace) -> str:
    act = next((act for act in trace.acts if act.ruling_id == event.ruling_id and act.person), None)
    return f"{act.person} as {act.role}" if act else "a person"


def _sent(group: Group, event: Event) -> Iterator[str]:
    none = f"; and that there are no {', '.join(group.given_empty)}" if group.given_empty else ""
    yield from wrapped(f"{group.outcome}: {', '.join(('head', *group.given))}{none}{_taken_back(group)}", 6)
    by_state: dict[str, list[str]] = {}
    for section, state in group.held_back.items():
        by_state.setdefault(state, []).append(section)
    if by_state:
        kept = "; ".join(f"{', '.join(sections)} ({state})" for state, sections in by_state.items())
        yield from wrapped(f"held back: {kept}{_against(group)}", 8)
    yield from wrapped(f"under {_grounds(group)}{_terms(group)}", 8)
    width = max(len(copy.member) for copy in group.members)
    for copy in group.members:
        yield from wrapped(f"{copy.member:{width}}  {_copy(copy, event)}", 8)


def _not_sent(group: Group, event: Event) -> Iterator[str]:
    """Members that were sent nothing, in one line; those that were sent a notice each in a line of its own."""
    under = _against(group)
    silent = [copy.member for copy in group.members if not (copy.delivery_id or copy.news)]
    if silent:
        yield from wrapped(f"{group.outcome}{under}: {_named(silent)}", 6)
    if told := [copy for copy in group.members if copy.delivery_id or copy.news]:
        yield from wrapped(f"{group.outcome}{under}, {_sent_instead(group)}:", 6)
        for copy in told:
            yield from wrapped(f"{copy.member}  {_copy(copy, event)}", 8)


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
    today = day(event.decided_at or "")
    if copy.undeliverable and not copy.news:
        return f"COULD NOT BE SENT ({copy.undeliverable})"
    return ", ".join(_news(news, today) for news in copy.news) or "no receipt"


def _news(news: News, today: str = "") -> str:
    """Delivered 14:02:03.042 (42 ms later) as GM-1."""
    at = clock(news.at) if day(news.at) == today or not today else f"{day(news.at)} {clock(news.at)}"
    later = "" if news.step_ms is None else f" ({after(news.step_ms)})"
    known_as = f" as {news.reference}" if news.reference else ""
    why = ": ".join(filter(None, (news.reason, news.detail)))
    because = f": {why}" if why else ""
    remedy = f"; {news.remedy}" if news.remedy else ""
    kind = "COULD NOT BE SENT" if news.kind == "undeliverable" else news.kind
    return f"{kind} {at}{later}{known_as}{because}{remedy}"


def _standings(members: Sequence[Standing]) -> Iterator[str]:
    part = [each for each in members if each.has or each.pending or each.notices or each.taken_back or each.asked_back]
    width = max((len(each.member) for each in part), default=0)
    for each in part:
        yield from wrapped(f"{each.member:{width}}  {_standing(each)}", 2)
    if nothing := [each.member for each in members if each not in part]:
        yield from wrapped(f"nothing: {_named(nothing)}", 2)


def _standing(standing: Standing) -> str:
    parts = []
    for (sequence, since), held in groupby(standing.has, key=lambda held: (held.sequence, held.since)):
        sections = ", ".join(one.section for one in held)
        parts.append(f"{sections} (event {sequence}, since {day(since)} {clock(since)})")
    if not standing.has:
        parts.append("nothing that it has confirmed")
    if standing.taken_back:
        parts.append(f"no longer {', '.join(standing.taken_back)}, which was taken back")
    parts += [_asked_back(asked) for asked in standing.asked_back]
    if standing.told_none:
        parts.append(f"knows of no {', '.join(standing.told_none)}")
    for why, pending in groupby(standing.pending, key=lambda one: one.why):
        parts.append(_pending(why, list(pending)))
    if standing.notices:
        numbers = _numbers(standing.notices)
        parts.append(f"was told at {numbers} that there is news, and nothing of it")
    return "; ".join(parts)


def _asked_back(asked: AskedBack) -> str:
    """What it was asked to give back, and what it has said of that."""
    said = ", ".join(f"{kind} {by} {clock(at)[:8]}" for kind, by, at in asked.said) or "nothing said of it"
    return f"was {asked.kind} ({', '.join(asked.parts) or 'everything'}) {day(asked.at)} {clock(asked.at)[:8]}: {said}"


def _pending(why: str, pending: Sequence[Pending]) -> str:
    numbers = _numbers([one.sequence for one in pending])
    return f"no receipt for {numbers}" if why == "no-receipt" else f"{numbers} NOT THERE ({why})"


def _numbers(sequences: Sequence[int]) -> str:
    return f"event {sequences[0]}" if len(sequences) == 1 else f"events {', '.join(map(str, sequences))}"


def _named(members: Sequence[str]) -> str:
    more = len(members) - _NAMES_MOST
    shown = ", ".join(members[:_NAMES_MOST] if more > 0 else members)
    return f"{shown} and {more} more (--json names all)" if more > 0 else shown
