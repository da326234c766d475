"""Repeats told from news, and the sequence of an incident's events checked.

A repeat is an event that was taken already, byte by byte: it is dropped. The same event_id with other content, or
another event with a sequence not above the last, is quarantined, and repaired by a new event. Any event may be the
first that routing sees; after that a sequence left out is a gap, which is routed and told to the origin.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, Literal

from routing.state.incident import Incident
from schemas.errors import Rejected

_HALF: Final = 8
_MARK: Final = 2 * _HALF
SEEN_MOST: Final = 1_024
"""Events of one incident that repeats are told by; of one with more, the oldest are forgotten."""

News = Literal["first", "next", "gap", "repeat"]
"""What an event is: the first of its incident that was seen, the next, one after others that were not seen, or old."""


def news(before: Incident | None, event_id: str, sequence: int, value: bytes) -> News:
    """What an event is to one who remembers its incident.

    Args:
        before: what is remembered of its incident, if anything.
        event_id: its own.
        sequence: its own, as its origin counts.
        value: the framed event.

    Raises:
        Rejected: its event_id was used for other content, or its sequence is not above the last.
    """
    if before is not None and (digest := _digest_seen(before.seen, _digest(event_id.encode()))):
        if digest == _digest(value):
            return "repeat"
        raise Rejected(
            "event-id-reused",
            "another event of this incident came under the same event_id",
            remedy="give every event an event_id of its own, also one that repairs another",
        )
    last = before.sequence if before is not None else 0
    if sequence <= last:
        raise Rejected(
            "out-of-sequence",
            f"expected a sequence above {last}, the highest so far of this incident, and {sequence} came",
            remedy="number the events of an incident 1, 2, 3 and so on; send what this one says in a new event",
        )
    if before is None:
        return "first"
    return "next" if sequence == last + 1 else "gap"


def seen_after(before: Incident | None, event_id: str, value: bytes) -> bytes:
    """What repeats are told by once an event has been taken: eight bytes of its id and eight of its content."""
    seen = (before.seen if before is not None else b"") + _digest(event_id.encode()) + _digest(value)
    return seen[-SEEN_MOST * _MARK :]


def _digest_seen(seen: bytes, of_id: bytes) -> bytes:
    """The digest of the content that came under an event_id; empty if none did."""
    at = seen.find(of_id)
    while at >= 0 and at % _MARK:
        at = seen.find(of_id, at + 1)
    return seen[at + _HALF : at + _MARK] if at >= 0 else b""


_NOTHING_HASHED: Final = blake2b(digest_size=_HALF)
"""Copied, since making one takes as long as hashing a kilobyte."""


def _digest(data: bytes) -> bytes:
    hashing = _NOTHING_HASHED.copy()
    hashing.update(data)
    return hashing.digest()
