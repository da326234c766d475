"""Avro's binary primitives and the Confluent frame, where fastavro gives no hand-hold.

Used where bytes are cut without being decoded; everything else goes through fastavro.
Source: Avro 1.12 specification, "Binary Encoding"; Confluent wire format (byte 0, 4-byte id, body).
"""

from __future__ import annotations

from typing import Final

from schemas.errors import Rejected

FRAME_BYTES: Final = 5
_MAX_VARINT_BYTES: Final = 10


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """The zigzag varint that starts at ``at``, and the position after it.

    Raises:
        Rejected: it is cut off, longer than ten bytes, or written longer than needed.
    """
    if at < len(data) and data[at] < 0x80:
        return (data[at] >> 1) ^ -(data[at] & 1), at + 1
    result = shift = 0
    for position in range(at, min(at + _MAX_VARINT_BYTES, len(data))):
        byte = data[position]
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            if byte == 0 and position > at:
                raise Rejected("not-canonical", f"number at byte {at} is written longer than needed")
            if result >= 1 << 64:
                raise Rejected("undecodable", f"number at byte {at} does not fit 64 bits")
            return (result >> 1) ^ -(result & 1), position + 1
        shift += 7
    raise Rejected("truncated", f"expected a number at byte {at}, and the data ends within it or it never ends")


def long_bytes(value: int) -> bytes:
    """A 64-bit integer as a zigzag varint."""
    rest = (value << 1) ^ (value >> 63)
    if rest < _TWO_BYTES:
        return _OF_TWO[rest]
    parts = []
    while rest >= _TWO_BYTES:
        parts.append(_OF_TWO_AND_MORE[rest & (_TWO_BYTES - 1)])
        rest >>= _BITS_OF_TWO
    parts.append(_OF_TWO[rest])
    return b"".join(parts)


_BITS_OF_TWO: Final = 14
_TWO_BYTES: Final = 1 << _BITS_OF_TWO
_OF_TWO: Final = tuple(bytes((n,)) if n < 0x80 else bytes((n & 0x7F | 0x80, n >> 7)) for n in range(_TWO_BYTES))
"""What fits into two bytes, ready made: most numbers that are written are small."""
_OF_TWO_AND_MORE: Final = tuple(bytes((n & 0x7F | 0x80, n >> 7 | 0x80)) for n in range(_TWO_BYTES))
"""The same two bytes where another follows."""


def string_bytes(value: str) -> bytes:
    """A string as Avro writes it: length in bytes, then UTF-8."""
    encoded = value.encode()
    return (_SHORT[len(encoded)] if len(encoded) < 64 else long_bytes(len(encoded))) + encoded


_SHORT: Final = tuple(map(long_bytes, range(64)))


def frame(schema_id: int) -> bytes:
    """The five bytes before a body: a zero and the schema id."""
    return b"\x00" + schema_id.to_bytes(4, "big")


def unframe(value: bytes | None, max_bytes: int) -> tuple[int, bytes]:
    """The schema id and the body of a framed message.

    Raises:
        Rejected: empty, larger than ``max_bytes`` framed, or not framed. Checked in that order, before anything is
            decoded, so that no message costs more than its size.
    """
    if not value:
        raise Rejected("empty", "expected a framed Avro message, and the value is empty")
    if len(value) > max_bytes:
        raise Rejected(
            "oversize",
            f"expected at most {max_bytes} bytes, and {len(value)} came",
            remedy="send fewer or shorter log lines; the limit is limits.max_event_bytes of the exchange",
        )
    if len(value) <= FRAME_BYTES or value[0] != 0:
        raise Rejected(
            "not-framed",
            "expected byte 0, a four-byte schema id and an Avro body (Confluent wire format)",
            remedy="publish with an Avro serialiser that frames its messages, or with huecry produce",
        )
    return int.from_bytes(value[1:FRAME_BYTES], "big"), value[FRAME_BYTES:]
