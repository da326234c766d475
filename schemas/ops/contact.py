"""Whether Kafka answers: known at any moment, from any thread, also while the loop that asked still waits.

>>> now = [100.0]
>>> contact = Contact(clock=lambda: now[0])
>>> contact.asked()
>>> now[0] += 12
>>> contact.trouble()
'Kafka does not answer (12 s)'
>>> contact.answered()
>>> contact.trouble()
''
"""

from __future__ import annotations

import time
from collections.abc import Callable, MutableSequence
from typing import Final

SILENT_AFTER_S: Final = 5.0
"""How long a question may wait for its answer before Kafka counts as away: longer than a broker's pause or a new
leader's election usually takes."""


class Contact:
    """Since when Kafka has owed one process an answer. Silence without a question says nothing, and counts as none."""

    def __init__(
        self,
        where: str = "",
        *,
        cells: MutableSequence[float] | None = None,
        cell: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with nothing asked.

        Args:
            where: the brokers' addresses, to be named in ``trouble``.
            cells: where the one number is kept, such as memory that another process reads.
            cell: which of the cells.
            clock: monotonic seconds.
        """
        self._where = f" at {where}" if where else ""
        self._cells: MutableSequence[float] = [0.0] * (cell + 1) if cells is None else cells
        self._cell = cell
        self._clock = clock

    def asked(self) -> None:
        """Something was asked of Kafka; a question before it that has no answer yet counts on."""
        if not self._cells[self._cell]:
            self._cells[self._cell] = self._clock()

    def answered(self) -> None:
        """Kafka has answered something, whatever it was."""
        self._cells[self._cell] = 0.0

    def silence_s(self) -> float:
        """Seconds that the oldest unanswered question has waited, once they are too many; else 0."""
        since = self._cells[self._cell]
        waited_s = self._clock() - since if since else 0.0
        return waited_s if waited_s > SILENT_AFTER_S else 0.0

    def trouble(self) -> str:
        """Why the process can do nothing, in words for an operator; empty while Kafka answers."""
        silence_s = self.silence_s()
        return f"Kafka does not answer{self._where} ({silence_s:.0f} s)" if silence_s else ""
