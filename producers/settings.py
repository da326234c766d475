"""What a producer is told, and its parts put together."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from producers.link import kafka_link
from producers.mapping import FieldMapping, Maker
from producers.mapping_load import load_mapping
from producers.publisher import Publisher
from producers.runner import Production
from producers.setaside import SYNTHETIC_SYSTEM
from producers.sources.files import FileSource
from producers.sources.source import Source
from producers.sources.synthetic import SyntheticSource
from producers.spool import Spool
from schemas.errors import Rejected
from schemas.event import Contact
from schemas.exchange import Exchange, Member
from schemas.kafka import ClientSettings
from schemas.ops.health import Health
from schemas.topics import incidents_topic


@dataclass(frozen=True)
class FileInput:
    """Records of a file, and the mapping for them."""

    path: Path
    mapping: Path
    follow: bool = False


@dataclass(frozen=True)
class SyntheticInput:
    """A synthetic control room."""

    seed: int = 1
    incidents: int | None = None
    events: int | None = None


@dataclass(frozen=True)
class ProducerSettings:
    """One producer: one force, one source, one spool."""

    exchange: Exchange
    force: str
    input: FileInput | SyntheticInput
    clients: ClientSettings
    spool: Path | None = None
    """None: where `default_spool` says."""
    rate: float | None = None
    """Records a second; None: as fast as they come."""


def default_spool(exchange: str, force: str, system: str) -> Path:
    """Where a force keeps the spool of one of its systems: always the same, whoever starts the producer from where."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return state / "huecry" / f"{exchange}.{force}.{system}.spool"


def input_of(settings: ProducerSettings) -> tuple[str, Source, Maker]:
    """The system's name, its source, and what makes drafts of its records.

    Raises:
        Rejected: no such force, no such file, a faulty mapping, or a column that the file does not have.
    """
    contact = _contact(_publisher(settings.exchange, settings.force))
    if isinstance(settings.input, SyntheticInput):
        told = settings.input
        room = SyntheticSource(
            settings.force, told.seed, told.incidents, events=told.events, rate=settings.rate, contact=contact
        )
        return SYNTHETIC_SYSTEM, room, room.draft
    mapping = load_mapping(settings.input.mapping)
    source = file_source(settings.input, mapping)
    return mapping.system, source, mapper(mapping, settings.exchange, settings.force)


def mapper(mapping: FieldMapping, exchange: Exchange, force: str) -> Maker:
    """What makes drafts of a force's records with a mapping."""
    return partial(mapping.draft, origin=force, contact=_contact(_publisher(exchange, force)))


def production(settings: ProducerSettings, health: Health) -> Production:
    """A producer, ready to run; it holds the spool's lock.

    Raises:
        Rejected: as `input_of`; or the spool is another force's or system's.
        Fatal: another process publishes from the spool.
    """
    system, source, make = input_of(settings)
    spool = Spool(
        settings.spool or default_spool(settings.exchange.exchange, settings.force, system),
        origin=settings.force,
        system=system,
        max_event_bytes=settings.exchange.limits.max_event_bytes,
    )
    link = kafka_link(settings.clients, settings.exchange.limits)
    publisher = Publisher(spool, incidents_topic(settings.force), link, health=health)
    # A synthetic room keeps its own time.
    rate = None if isinstance(settings.input, SyntheticInput) else settings.rate
    return Production(source, make, spool, publisher, rate=rate, health=health)


def file_source(told: FileInput, mapping: FieldMapping) -> FileSource:
    """The file as its mapping describes it.

    Raises:
        Rejected: no such file, of no known kind, or without a column that the mapping reads.
    """
    form = mapping.record_format
    kind = form.kind or {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}.get(told.path.suffix.lower())
    if kind is None:
        raise Rejected(
            "bad-source",
            f"{told.path}: CSV or JSON Lines? expected a name that ends in .csv or .jsonl, or "
            f"`source: {{format: csv}}` in {told.mapping}",
        )
    source = FileSource(told.path, kind=kind, delimiter=form.delimiter, encoding=form.encoding, follow=told.follow)
    if kind == "csv" and (missing := mapping.missing_columns(header := source.header())):
        raise Rejected(
            "bad-source",
            f"{told.path}: has no column {', '.join(map(repr, missing))}, which {told.mapping} reads; "
            f"its columns: {', '.join(header)}",
        )
    return source


def _publisher(exchange: Exchange, force: str) -> Member:
    if force not in exchange.publishers():
        raise Rejected(
            "no-such-force",
            f"{force}: expected a member of {exchange.exchange} that publishes: {', '.join(exchange.publishers())}",
            remedy="add it to the exchange file with `publishes: true`, or check --force",
        )
    return exchange.members[force]


def _contact(member: Member) -> Contact:
    return Contact(desk=member.contact.desk, phone=member.contact.phone, email=member.contact.email)
