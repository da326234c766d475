"""Writing what a database can hold, where one value that it cannot hold must not stop the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from consumers.delivery import Record, SetAside
from consumers.sinks.database import Database
from schemas.errors import Rejected


class Storable(Protocol):
    """Something read from one record."""

    @property
    def record(self) -> Record:
        """Where it was read."""
        ...

    def without_nul(self) -> Any:  # noqa: ANN401  the same type again
        """Itself with U+FFFD wherever U+0000 stands, which PostgreSQL cannot hold."""
        ...


S = TypeVar("S", bound=Storable)
Take = Callable[[Sequence[S]], tuple[list[S], list[SetAside]]]


def take_storable(
    database: Database, items: Sequence[S], take: Take[S], set_aside: Callable[[S, Rejected], SetAside]
) -> tuple[list[S], list[SetAside]]:
    """All at once; or, where the database cannot hold a value, one by one, and only what it cannot hold is set aside.

    Within a transaction. `take` writes and returns what was written and what was refused.
    """
    database.execute("SAVEPOINT taking")
    try:
        result = take(items)
    except database.unstorable:
        database.execute("ROLLBACK TO taking")
    else:
        database.execute("RELEASE taking")
        return result
    written: list[S] = []
    refused: list[SetAside] = []
    for item in items:
        fit, unfit = _take_one(database, item, take, set_aside)
        written += fit
        refused += unfit
    return written, refused


def _take_one(
    database: Database, item: S, take: Take[S], set_aside: Callable[[S, Rejected], SetAside]
) -> tuple[list[S], list[SetAside]]:
    trouble = ""
    for attempt in _attempts(item):
        database.execute("SAVEPOINT taking_one")
        try:
            result = take([attempt])
        except database.unstorable as error:
            database.execute("ROLLBACK TO taking_one")
            trouble = type(error).__name__  # its text may quote the value
        else:
            database.execute("RELEASE taking_one")
            return result
    why = Rejected(
        "not-storable",
        f"the database cannot hold a value of this record ({trouble})",
        remedy="keep the record of table set_aside, and report this as a fault of Hue and Cry",
    )
    return [], [set_aside(item, why)]


def _attempts(item: S) -> Iterable[S]:
    yield item
    yield item.without_nul()
