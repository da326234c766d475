"""What a panel asks and says, as plain data: no Grafana here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Unit = Literal["s", "none", "suffix: /s", "dateTimeFromNow", "percentunit"]
"""Grafana's names: seconds (shown as ms, min, h), a number, a rate, milliseconds since 1970 as "ago", a share of 1."""
Colour = Literal["green", "yellow", "orange", "red", "blue", "text"]

WIDTH: Final = 24
"""Columns of Grafana's grid."""


@dataclass(frozen=True, slots=True)
class Query:
    """One expression, and what its values are called: in a graph a pattern over labels, in a table a heading."""

    expr: str
    called: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """How values are shown: their unit, from which value on in which colour, and words in place of values."""

    unit: Unit = "none"
    colours: tuple[tuple[float, Colour], ...] = ()
    """Ascending: from this value on, this colour. Below the first, a figure is green, and a table's cell uncoloured."""
    words: Mapping[float, str] = field(default_factory=dict)


PLAIN: Final = Look()
COUNTED: Final = Look(colours=((1, "red"),))
"""Something of which there should be none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel in words: its title, what it says and what to make of it, and the alerts whose pages say more."""

    title: str
    about: str
    alerts: tuple[str, ...] = ()
    width: int
    height: int = 8

    def asks(self) -> tuple[Query, ...]:
        """All queries."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure(Panel):
    """One number, or one for each series: as of now."""

    queries: tuple[Query, ...]
    look: Look = PLAIN
    height: int = 4

    def asks(self) -> tuple[Query, ...]:
        """All queries."""
        return self.queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph(Panel):
    """Lines over time."""

    queries: tuple[Query, ...]
    look: Look = PLAIN

    def asks(self) -> tuple[Query, ...]:
        """All queries."""
        return self.queries


@dataclass(frozen=True, slots=True)
class Column:
    """One query of a table, and how its values look."""

    query: Query
    look: Look = PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Panel):
    """A row for each combination of the labels `by` (label → heading), a column for each query: as of now."""

    by: Mapping[str, str]
    columns: tuple[Column, ...]
    link: str = ""
    """Where the first label's cells lead; ``${__value.text}`` stands for what is in the cell."""

    def asks(self) -> tuple[Query, ...]:
        """All queries."""
        return tuple(column.query for column in self.columns)


@dataclass(frozen=True, slots=True)
class Row:
    """Panels beneath a heading; those of the first row of a board have none."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    about: str
    tags: tuple[str, ...]
    marks: str
    """An expression: while it has a value, graphs are marked."""
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a panel, or the heading of a row, lies on the grid."""

    x: int
    y: int
    width: int
    height: int


def laid_out(board: Board) -> Iterator[tuple[Row | Panel, Place]]:
    """Every heading and panel with its place: from left to right, and a new line where the next does not fit."""
    y = 0
    for row in board.rows:
        if row.title:
            yield row, Place(0, y, WIDTH, 1)
            y += 1
        x = tallest = 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            yield panel, Place(x, y, panel.width, panel.height)
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest
