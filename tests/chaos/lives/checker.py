"""The checker: replays what happened to each incident by what is written, and says where the topics differ from it.

It takes from routing in which order it dealt with what came, and when, as that stands on its records and its news. What
must follow it works out itself (`life`, `rulings`), and then compares: everything that was put out, to the letter.
It names members, incidents, deliveries and codes, and never what is in a section.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from routing.state.incident import milliseconds_of
from schemas.partitioner import partition_of
from tests.chaos.lives.accounts import account_faults, answer_faults, number_faults
from tests.chaos.lives.events import told
from tests.chaos.lives.happenings import Happening, Traces, happenings, traces_of
from tests.chaos.lives.life import Life, Rules
from tests.chaos.lives.limits import Fired, answered, due_by, elapsed, kind_of, over_answers, over_lines, settles
from tests.chaos.lives.rulings import ruled
from tests.chaos.lives.seen import IncidentKey, Put, Seen, Value, name

GRACE_MS: Final = 30_000
"""By the run's clock: what a broker stamps and what it shows as its end are a moment apart."""


@dataclass
class _Inputs:
    """What was put in about one incident, by what it is told by."""

    events: dict[str, Put] = field(default_factory=dict)
    rulings: dict[str, Put] = field(default_factory=dict)
    answers: dict[str, tuple[Put, Value]] = field(default_factory=dict)
    """By the reference of the entry."""


def violations(seen: Seen) -> list[str]:
    """Everything that is wrong with a run; nothing if it is as it must be."""
    found = [*_refused(seen), *number_faults(seen), *account_faults(seen), *answer_faults(seen)]
    inputs, happened, traces = _inputs(seen), happenings(seen), traces_of(seen)
    lives: dict[IncidentKey, Life] = {}
    for key in sorted({*inputs, *happened, *traces}):
        life = lives[key] = Life(Rules(seen.bundle, seen.exchange), *key)
        one = _One(key, inputs.get(key, _Inputs()), happened.get(key, []), seen.exchange.partitions)
        found += one.replay(life)
        found += _trace_faults(key, life.traces, traces.get(key, Traces()))
        end_ms = milliseconds_of(seen.ended) - GRACE_MS
        found += [f"{name(key)}: {what} was due, and nothing happened" for what in due_by(life, end_ms)]
        found += _waiting_faults(key, life, seen)
    return found


def _inputs(seen: Seen) -> dict[IncidentKey, _Inputs]:
    found: dict[IncidentKey, _Inputs] = defaultdict(_Inputs)
    for put in seen.put("incidents"):
        found[put.value["origin"], put.value["incident_id"]].events[put.value["event_id"]] = put
    for put in seen.put("rulings"):
        found[put.value["member"], put.value["incident_id"]].rulings[put.value["ruling_id"]] = put
    for put in seen.put("receipts"):
        for entry in put.value["entries"]:
            found[entry["origin"], entry["incident_id"]].answers[entry["reference"]] = (put, entry)
    return found


@dataclass
class _One:
    """One incident: what was put in, and what routing did with it in which order."""

    key: IncidentKey
    inputs: _Inputs
    happened: Sequence[Happening]
    partitions: int

    def replay(self, life: Life) -> Iterator[str]:
        """Lead the life through what happened; where something happened twice, never, or too late."""
        yield from self._uneven("event", self.inputs.events)
        yield from self._uneven("ruling", self.inputs.rulings)
        for (at_ms, kind), together in groupby(self.happened, key=lambda each: each[:2]):
            if kind == "time":
                fired = {each.which for each in together}
                yield from self._unheard(life, at_ms, fired)
                elapsed(life, at_ms, fired)
                continue
            for each in together:
                yield from self._took(life, each)

    def _took(self, life: Life, each: Happening) -> Iterator[str]:
        """What was put in takes effect."""
        match each.kind:
            case "event" if (put := self.inputs.events.get(each.which)) is not None:
                if put.value["control"][0]["sequence"] != life.sequence + 1:
                    yield f"{name(self.key)}: event {each.which} was routed after sequence {life.sequence}"
                told(life, put.value, each.at_ms)
            case "ruling" if (put := self.inputs.rulings.get(each.which)) is not None:
                ruled(life, put.value, put.taken_ms, each.at_ms)
            case "answer" if (answer := self.inputs.answers.get(each.which)) is not None:
                put, entry = answer
                answered(life, put.value["member"], kind_of(put.value), entry)
            case _:
                yield f"{name(self.key)}: {each.kind} {each.which} happened, and nobody sent it"

    def _uneven(self, kind: str, put: Mapping[str, Put]) -> Iterator[str]:
        counted = Counter(each.which for each in self.happened if each.kind == kind)
        yield from (f"{name(self.key)}: {kind} {which} took effect twice" for which, n in counted.items() if n > 1)
        yield from (f"{name(self.key)}: {kind} {which} was never heard" for which in put.keys() - counted.keys())

    def _unheard(self, life: Life, at_ms: int, fired: Collection[Fired]) -> Iterator[str]:
        """Whoever answered in time must have been heard before the limit passed."""
        place = partition_of(self.key[1].encode(), self.partitions)
        left = {(each.kind, each.which) for each in self.happened if each.at_ms > at_ms}
        rulings = [put for which, put in self.inputs.rulings.items() if ("ruling", which) in left]
        answers = [found for which, found in self.inputs.answers.items() if ("answer", which) in left]
        for line in over_lines(life, at_ms):
            early = [put for put in rulings if put.partition == place and put.taken_ms < line.deadline_ms - GRACE_MS]
            if early and (line.recipient, line.name) in {each[1:3] for each in fired}:
                yield f"{name(self.key)}: a line for {line.recipient} was over before a ruling made in time was heard"
        for owed in over_answers(life, at_ms):
            early = [
                put
                for put, entry in answers
                if put.partition == place and put.taken_ms < (owed.deadline_ms or 0) - GRACE_MS
                if settles(owed, put.value["member"], kind_of(put.value), entry)
            ]
            if early and ("unanswered", owed.member, owed.kind, owed.delivery_id) in fired:
                yield f"{name(self.key)}: {owed.member} answered a {owed.kind} in time, and that was not heard in time"


def _trace_faults(key: IncidentKey, wanted: Traces, found: Traces) -> Iterator[str]:
    for member in sorted({*wanted.sent, *found.sent}):
        yield from _differing(key, f"was sent to {member}", wanted.sent.get(member, []), found.sent.get(member, []))
    yield from _differing(key, "its origin was told", _in_time(wanted.told), _in_time(found.told))
    yield from _differing(key, "its desk was shown", wanted.shown, found.shown)
    yield from _differing(key, "was recorded", wanted.recorded, found.recorded)
    for what, each in (("told", found.told), ("shown", found.shown), ("recorded", found.recorded), *found.sent.items()):
        times = [one.at_ms for one in each]
        if times != sorted(times):
            yield f"{name(key)}: what was {what} stands in another order than it happened"


def _in_time(told: list[Any]) -> list[Any]:
    """What was told of one moment has no order of its own."""
    return sorted(told, key=lambda each: (each.at_ms, each.kind, each.member, repr(each)))


def _differing(key: IncidentKey, what: str, wanted: Sequence[Any], found: Sequence[Any]) -> Iterator[str]:
    """Where two lists first differ."""
    if list(wanted) == list(found):
        return
    missing, besides = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
    yield from (f"{name(key)}: {what}: missing: {_said(each)}" for each in list(missing.elements())[:3])
    yield from (f"{name(key)}: {what}, and should not be: {_said(each)}" for each in list(besides.elements())[:3])
    if not missing and not besides:
        yield f"{name(key)}: {what}: all of it, in another order"


def _said(each: Any) -> str:
    return f"{type(each).__name__.lower()} {', '.join(f'{n}={v}' for n, v in each._asdict().items() if v)}"


def _waiting_faults(key: IncidentKey, life: Life, seen: Seen) -> Iterator[str]:
    """What routing remembers that it waits for is what is open."""
    waiting = {("case", line.recipient) for line in life.lines.values()}
    waiting |= {(owed.kind, owed.member) for owed in life.owed}
    if (remembered := seen.due.get(key, frozenset())) != waiting:
        yield f"{name(key)}: routing waits for {sorted(remembered)}, and is owed {sorted(waiting)}"


def _refused(seen: Seen) -> Iterator[str]:
    for member in seen.exchange.members:
        for each in seen.of("quarantine", member):
            yield f"{member}: quarantined as {each['reason']}: event {each['event_id']}"


def shown(found: Sequence[str], most: int = 25) -> str:
    """The first violations, for a test's message."""
    more = [f"and {len(found) - most} more"] if len(found) > most else []
    return "\n".join([f"{len(found)} violations", *found[:most], *more])
