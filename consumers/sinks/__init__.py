"""Where deliveries go. A sink author writes one `write`; everything around it is here already.

The contract, which tests/contract/test_sink_contract.py holds every sink to:

- ``write(batch)`` returns once everything in it is durable, and is safe to repeat: what was written before is counted
  as repeated, whichever process wrote it. All of a batch takes effect, or none.
- It raises `Unavailable` where the receiving system is away: the same batch comes again after ``retry_after_s``.
- One delivery that the receiving system can never take does not raise: it is set aside with its bytes and reason,
  receipted as failed, and returned in ``Written.set_aside``.
- ``positions`` tells where to read on, as of the last durable write, and survives a restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar

from consumers.delivery import Batch, Positions, SetAside

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """What became of a batch."""

    written: tuple[T, ...] = ()
    repeated: int = 0
    set_aside: tuple[SetAside, ...] = ()
    faults: tuple[StreamFault, ...] = ()
    """What the numbers of the streams tell of deliveries that are missing or that share a number."""


class StreamFault(NamedTuple):
    """Numbers of a stream that were passed over, or one that was given twice: `first` to `last`."""

    kind: Literal["missing", "reused"]
    stream: str
    first: int
    last: int


class Gap(NamedTuple):
    """Records that were lost to retention before this subscriber could read them: `first` to `last`, both lost."""

    topic: str
    partition: int
    first: int
    last: int


class OutboxReceipt(NamedTuple):
    """A receipt that is durable here and not yet known to be in Kafka."""

    receipt_number: int
    stream: str
    kind: str
    deliveries: int
    value: bytes


class Sink(Protocol[T]):
    """Where a subscriber's batches become durable."""

    def write(self, batch: Batch[T]) -> Written[T]:
        """Make a batch durable; safe to repeat.

        Raises:
            Unavailable: the receiving system is away; nothing of the batch took effect.
            Fatal: this process cannot go on with it.
        """
        ...

    def positions(self) -> Positions:
        """Where to read on in each partition ever read.

        Raises:
            Unavailable: the receiving system is away.
        """
        ...

    def note_gap(self, gap: Gap) -> None:
        """Keep for the operators that records were lost to retention."""
        ...

    def close(self) -> None:
        """Let go of the receiving system."""
        ...


class Outbox(Protocol):
    """Receipts made durable together with what they are about."""

    def unsent_receipts(self, after: int, limit: int) -> Sequence[OutboxReceipt]:
        """The oldest receipts not yet forgotten, with a number above `after`, in order."""
        ...

    def forget_receipts(self, numbers: Sequence[int]) -> None:
        """These are in Kafka: keep them no longer."""
        ...
