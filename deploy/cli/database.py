"""How options name a database: a file, or a PostgreSQL database by URL."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from consumers.sinks.places import Place, read_place


class _Database(click.ParamType[Place]):
    """What is wrong with a URL is told without it: it may hold a password."""

    name = "database"

    def convert(self, value: str | Place, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """The place that a person names."""
        place = read_place(value) if isinstance(value, str) else value
        if isinstance(place, Path):
            click.Path(dir_okay=False).convert(place, param, ctx)
        return place


DATABASE: Final = _Database()
"""What ``--into`` and ``--ledger`` take."""
