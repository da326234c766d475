"""What a source of records is: records with a position, and no memory of its own.

The spool stores a record's position in the same transaction as the record, and the source goes on from there after a
restart. So a source may be killed at any moment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.errors import Rejected


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record as it came.

    ``columns`` is what a mapping reads. Where the record could not even be read, ``fault`` says why, and ``columns``
    holds what came as ``raw``.
    """

    position: str
    """Where to go on after this record; only its source can read it."""
    where: str
    """Where the record is, for a person: ``line 17``."""
    digest_and_line: str
    """The same for the same record of the same file, whatever the file is called; no other record has it."""
    columns: Mapping[str, Any]
    fault: Rejected | None = None

    def original(self) -> str:
        """The record as JSON: the same for the same content. Kept for its owner, and for mapping it again."""
        return json.dumps(self.columns, ensure_ascii=True, sort_keys=True)


class Source(Protocol):
    """Records in order. Not thread-safe."""

    @property
    def name(self) -> str:
        """What its position is stored under: the same after a restart, different from other sources of one spool."""
        ...

    @property
    def exhausted(self) -> bool:
        """Whether it has ended: `read` will never again give a record."""
        ...

    def resume(self, position: str | None) -> None:
        """Go on after the record with this position; None: from the first. Called once, before `read`.

        Raises:
            Rejected: there is nothing to read, such as no file.
        """
        ...

    def read(self, most: int) -> Sequence[SourceRecord]:
        """The next records that are there already, ``most`` at most; returns at once, if need be with none.

        Raises:
            Unavailable: the source is away for now.
        """
        ...

    def acknowledge(self, position: str) -> None:
        """Everything up to this position is on disk: the source may forget it."""
        ...

    def close(self) -> None:
        """Let go of files and connections. Safe to repeat."""
        ...
