"""What people are told of a case: who is asked, in which role, until when. No personal data, and no incident."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from consumers.delivery import Record, check_identifiers
from consumers.sinks.table import iso
from schemas.codec import SchemaLookup, decode, stable_id

_TOLD: Final = ("opened", "escalated")


@dataclass(frozen=True, slots=True)
class Notice:
    """Somebody is asked."""

    notice_id: str
    """The same however often it is told."""
    case_id: str
    kind: str
    """opened or escalated."""
    role: str
    """Who is asked."""
    deadline: datetime
    """Until when: the first, of several lines."""

    def body(self, now: datetime) -> dict[str, Any]:
        """What is told, as plain data; the time in UTC."""
        return {
            "notice_id": self.notice_id,
            "case_id": self.case_id,
            "kind": self.kind,
            "role": self.role,
            "deadline": iso(self.deadline),
            "overdue": self.deadline <= now,
        }


@dataclass(frozen=True, slots=True)
class CaseNews:
    """What one case record tells. Fulfils `consumers.sinks.storable.Storable`."""

    record: Record
    notices: tuple[Notice, ...]

    def without_nul(self) -> CaseNews:
        """Itself: identifiers that hold U+0000 were refused when it was opened."""
        return self


def news_opener(max_bytes: int, lookup: SchemaLookup | None = None) -> Callable[[Record], CaseNews]:
    """What opens the records of a force's topic of cases.

    Args:
        max_bytes: most bytes of a record that are looked at.
        lookup: where to find schemas newer than this release.
    """

    def open_news(record: Record) -> CaseNews:
        case = decode("Case", record.value, max_bytes, lookup)
        check_identifiers(case["record_id"], case["case_id"])
        return CaseNews(record, _notices(case))

    return open_news


def _notices(case: Mapping[str, Any]) -> tuple[Notice, ...]:
    """One for each role that is asked anew: lines for several members are one question to whoever is asked."""
    asked: dict[tuple[str, str], datetime] = {}
    for notice in case["notices"]:
        if notice["kind"] in _TOLD and notice["deadline"] is not None:
            key = (notice["kind"], notice["role"])
            asked[key] = min(asked.get(key, notice["deadline"]), notice["deadline"])
    return tuple(_notice(case, *key, deadline) for key, deadline in asked.items())


def _notice(case: Mapping[str, Any], kind: str, role: str, deadline: datetime) -> Notice:
    return Notice(stable_id(case["record_id"], kind, role), case["case_id"], kind, role, deadline)


def all_of(news: Iterable[CaseNews]) -> list[Notice]:
    """The notices of several records, in order."""
    return [notice for each in news for notice in each.notices]
