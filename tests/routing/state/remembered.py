"""What routing may remember of an incident, made at random."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from routing.agreements.model import Step
from routing.agreements.state import (
    Discretion,
    HeldGrant,
    HeldPart,
    History,
    Holding,
    Override,
    Refusal,
    Release,
    RuleRef,
)
from routing.answers.expected import Expected
from routing.casework.case import Line
from routing.state.encoding import kept_expected, kept_history, kept_holdings, kept_numbers, kept_rulings
from routing.state.incident import Incident, Latest, Rulings
from routing.state.kept import Kept
from schemas.sections import SECTIONS

MEMBERS = ("greater-manchester", "south-yorkshire", "yorkshire-ambulance")
names = st.sampled_from(("border", "night", "é—source", "x" * 40))
members = st.sampled_from(MEMBERS)
codes = st.sampled_from(("weapon", "child", "crime/violence", "transport/rtc/injury"))
parts = st.sampled_from(("head", *SECTIONS))
moments = st.integers(0, 4_000_000_000_000).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
locates = st.sampled_from(("exact", "100m", "1km", "10km"))
whole = st.integers(0, (1 << 62) - 1)


def sets(of: st.SearchStrategy[str]) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(of, max_size=3)


def tuples(of: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=most).map(tuple)


refs = st.builds(RuleRef, names, names)
grants = st.builds(
    HeldGrant,
    names,
    names,
    st.sampled_from(("rule", "ruling")),
    names,
    names,
    st.integers(0, 4_000),
    st.sampled_from(("forbidden", "ask", "permitted")),
)
held = st.builds(HeldPart, parts, tuples(grants), locates)
holdings = st.lists(members, unique=True).flatmap(
    lambda chosen: st.tuples(
        *(st.builds(Holding, st.just(member), tuples(held), st.integers(0, 4_000), st.booleans()) for member in chosen)
    )
)
histories = st.builds(History, *[sets(codes)] * 7)
ruled: dict[str, Any] = {
    "id": names,
    "role": names,
    "agreement": names,
    "rule": names,
    "recipients": sets(members),
    "parts": sets(parts),
    "at": moments,
    "until": st.none() | moments,
    "locate": locates,
}
rulings = st.builds(
    Rulings,
    sets(members),
    tuples(st.builds(Release, **ruled, rules=tuples(refs), filled=sets(parts), caveats=sets(codes))),
    tuples(st.builds(Discretion, **ruled, sequence=st.none() | whole)),
    tuples(st.builds(Override, **ruled)),
    tuples(
        st.builds(
            Refusal,
            kind=st.sampled_from(("refusal", "lapse")),
            recipients=sets(members),
            parts=sets(parts),
            rules=tuples(refs),
            grade=names,
            flags=sets(codes),
            hazards=sets(codes),
        )
    ),
    tuples(
        st.builds(
            Line,
            recipient=members,
            agreement=names,
            rule=names,
            parts=sets(parts),
            path=tuples(st.builds(Step, names, st.integers(0, 86_400))),
            why=st.none() | names,
            opened_at=moments,
            opened_sequence=whole,
            step=st.integers(0, 5),
            deadline=moments,
        )
    ),
)
owed = st.builds(
    Expected,
    member=members,
    kind=st.sampled_from(("retract", "withdraw", "correct", "transfer", "assistance")),
    delivery_id=names,
    event_id=names,
    asked_at=moments,
    limits_s=tuples(st.integers(1, 86_400)),
    step=st.integers(0, 3),
    deadline=st.none() | moments,
    sections=sets(parts),
    reason=names,
    ask=names,
    ruling_id=names,
    by_adapter=st.booleans(),
)
numbers = st.dictionaries(members, whole)
incidents = st.builds(
    Incident,
    keep_until_ms=st.none() | whole,
    sequence=whole,
    last_event_ms=st.integers(0, 4_000_000_000_000),
    closed_ms=st.none() | st.integers(0, 4_000_000_000_000),
    seen=st.binary(max_size=64),
    numbers=numbers.map(kept_numbers),
    holdings=holdings.map(kept_holdings),
    history=histories.map(kept_history),
    rulings=rulings.map(kept_rulings),
    latest=st.builds(Latest, st.integers(-1, (1 << 62) - 1), names),
    expected=tuples(owed).map(kept_expected),
)


def plain(incident: Incident) -> tuple[Any, ...]:
    """What is remembered, to be compared: parts by value."""
    return tuple(part.value if isinstance(part, Kept) else part for part in incident)


def an_incident(sequence: int = 1, **changes: Any) -> Incident:
    """An incident that nobody holds."""
    plainly = Incident(
        keep_until_ms=None,
        sequence=sequence,
        last_event_ms=1_000,
        closed_ms=None,
        seen=b"",
        numbers=kept_numbers({}),
        holdings=kept_holdings(()),
        history=kept_history(History()),
        rulings=kept_rulings(Rulings()),
        latest=Latest(),
        expected=kept_expected(()),
    )
    return plainly._replace(**changes)
