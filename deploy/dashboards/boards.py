"""Which dashboards an exchange has: one for the whole, one for each member."""

from __future__ import annotations

import hashlib
from typing import Final

from deploy.dashboards.alerting import marks
from deploy.dashboards.causes import causes_row, work_row
from deploy.dashboards.first_screen import first_screen
from deploy.dashboards.flow import flow_row, latency_row
from deploy.dashboards.member_board import member_rows
from deploy.dashboards.panels import Board, Row
from deploy.dashboards.receiving import receiving_row
from deploy.dashboards.uncharted import uncharted_row
from schemas.exchange import Exchange

_MOST_UID: Final = 40
"""Grafana's limit."""


def boards(exchange: Exchange) -> dict[str, Board]:
    """File name without ending → dashboard, the whole exchange first."""
    whole = {exchange.exchange: _whole(exchange)}
    return whole | {f"{exchange.exchange}-{member}": _of_member(exchange, member) for member in exchange.members}


def uid(exchange: str, member: str = "") -> str:
    """By which Grafana knows a dashboard, in the addresses of its pages: the same whenever it is made."""
    name = "-".join(part for part in ("huecry", exchange, member) if part)
    if len(name) <= _MOST_UID:
        return name
    return f"{name[: _MOST_UID - 9].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _whole(exchange: Exchange) -> Board:
    rows: list[Row] = [
        first_screen(exchange.exchange, _member_link(exchange)),
        flow_row(),
        latency_row(),
        causes_row(),
        receiving_row(),
        work_row(),
    ]
    if left := uncharted_row(rows):
        rows.append(left)
    return Board(
        uid=uid(exchange.exchange),
        title=f"Hue and Cry: {exchange.exchange}",
        about="The whole exchange: is anything not flowing, for whom, since when, and why.",
        tags=_tags(exchange),
        marks=marks(),
        rows=tuple(rows),
    )


def _of_member(exchange: Exchange, member: str) -> Board:
    facts = exchange.members[member]
    return Board(
        uid=uid(exchange.exchange, member),
        title=f"Hue and Cry: {facts.name} ({member}, {exchange.exchange})",
        about="One member: what it publishes and what reaches it. It says nothing of what others keep from it.",
        tags=_tags(exchange),
        marks=marks(member),
        rows=member_rows(member, facts),
    )


def _member_link(exchange: Exchange) -> str:
    """Where a click on a member leads; nothing where long names have cut some member's address."""
    prefix = uid(exchange.exchange)
    plain = all(uid(exchange.exchange, member) == f"{prefix}-{member}" for member in exchange.members)
    return f"/d/{prefix}-${{__value.text}}" if plain else ""


def _tags(exchange: Exchange) -> tuple[str, ...]:
    return ("huecry", exchange.exchange)
