"""Answers as people and systems say them, and whether they can be understood: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from consumers.sinks.table import iso
from schemas.codes import codes
from schemas.errors import Rejected
from schemas.invalid import SLUG

KINDS: Final = ("accepted", "rejected", "erased", "restricted", "acted-upon", "passed-on")
"""What a receiving system may answer; what was delivered or failed the adapter itself says."""
WHATS: Final = ("transfer", "assistance", "correct", "withdraw", "retract")
"""What may be answered."""
FIELDS: Final = (
    "origin",
    "incident_id",
    "delivery_id",
    "what",
    "kind",
    "reference",
    "cause",
    "passed_to",
    "by_role",
    "at",
)
"""What an answer may say: columns of table ``answer``, names of the JSON of a call."""

_BY_A_PERSON: Final = ("erased", "restricted", "acted-upon", "passed-on")
_LONGEST: Final = {"reference": 100, "passed_to": 200, "incident_id": 200, "delivery_id": 200, "origin": 60}
_NOT_VISIBLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that can be understood; what it answers is not yet known."""

    kind: str
    origin: str | None = None
    incident_id: str | None = None
    delivery_id: str | None = None
    what: str | None = None
    reference: str | None = None
    cause: str | None = None
    passed_to: str | None = None
    by_role: str | None = None
    at: str | None = None


def read_answer(said: Mapping[str, Any]) -> Answer:
    """An answer from what was said, by field; an empty text counts as not said.

    Raises:
        Rejected: it cannot be understood: the message says what was expected, and quotes nothing that was typed.
    """
    given = {name: said.get(name) for name in FIELDS}
    for name, value in given.items():
        if value is not None and not isinstance(value, str):
            raise _expected(f"{name} to be text")
    texts = {name: value.strip() or None for name, value in given.items() if value is not None and name != "kind"}
    answer = Answer(str(given["kind"] or "").strip(), **texts)
    _check_words(answer)
    _check_what_it_needs(answer)
    return answer if answer.at is None else _with_time(answer)


def _check_words(answer: Answer) -> None:
    _one_of("kind", answer.kind, KINDS)
    _one_of("what", answer.what, WHATS)
    _one_of("cause", answer.cause, codes("rejection"))
    for name, longest in _LONGEST.items():
        value = getattr(answer, name)
        if value is not None and (len(value) > longest or _NOT_VISIBLE.search(value)):
            raise _expected(f"{name} of at most {longest} visible characters")
    if answer.by_role is not None and (len(answer.by_role) > 60 or not re.match(SLUG, answer.by_role)):
        raise _expected("by_role to be a role as in duty-inspector: lower-case words joined by hyphens")


def _check_what_it_needs(answer: Answer) -> None:
    if not (answer.incident_id or answer.delivery_id):
        raise _expected("incident_id (or delivery_id): of what it is the answer")
    if answer.kind == "rejected" and answer.cause is None:
        raise _expected(f"a cause of rejected: {', '.join(codes('rejection'))}")
    if answer.kind == "passed-on" and answer.passed_to is None:
        raise _expected("passed_to of passed-on: the organisation or desk that has it")
    if answer.kind in _BY_A_PERSON and answer.by_role is None:
        raise _expected(f"by_role of {answer.kind}: a person must say so, and the role of that person is told")
    if answer.kind != "rejected" and answer.cause is not None:
        raise _expected(f"no cause: it belongs to rejected, and this is {answer.kind}")
    if answer.kind != "passed-on" and answer.passed_to is not None:
        raise _expected(f"no passed_to: it belongs to passed-on, and this is {answer.kind}")


def _with_time(answer: Answer) -> Answer:
    """The same with its time in UTC; a time without a zone is UTC, as every time of the tables."""
    try:
        at = datetime.fromisoformat(str(answer.at))
    except ValueError:
        raise _expected("at to be a time as in 2026-01-31T08:00:00Z") from None
    utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return replace(answer, at=iso(utc))


def _one_of(name: str, value: str | None, allowed: tuple[str, ...]) -> None:
    if value is not None and value not in allowed:
        raise _expected(f"{name} to be one of {', '.join(allowed)}")


def _expected(what: str) -> Rejected:
    return Rejected("bad-answer", f"expected {what}")
