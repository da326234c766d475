"""A corpus of bytes that are not what they seem: what each is, and the reason it must be refused for.

Every row is a well-formed event but for one thing. Times are integers: milliseconds, and days.
"""

from __future__ import annotations

import struct
from copy import deepcopy
from typing import Any, NamedTuple

from schemas.catalogue import catalogue
from schemas.wire import frame
from tests.schemas.other_avro import OtherAvro, Raw, long, sized_blocks

LIMIT = 256 * 1024
SCHEMA = catalogue().current("IncidentEvent").schema
EVENT_ID = catalogue().current("IncidentEvent").schema_id
RECEIPT_ID = catalogue().current("Receipt").schema_id
WRITER = OtherAvro(SCHEMA, sized_blocks)


class Row(NamedTuple):
    """Bytes as they arrive, and why they are refused."""

    value: bytes
    reason: str


def _defaults(record: dict[str, Any], **stated: Any) -> dict[str, Any]:
    defaults = {field["name"]: deepcopy(field["default"]) for field in record["fields"] if "default" in field}
    return {**defaults, **stated}


def item(section: str, **stated: Any) -> dict[str, Any]:
    """One item of a section, all by default but what is stated."""
    types = WRITER.types
    field = next(field for field in WRITER.root["fields"] if field["name"] == section)
    items = field["type"]["items"]
    return _defaults(types[items] if isinstance(items, str) else items, **stated)


def honest(**stated: Any) -> dict[str, Any]:
    """An event with something in most sections, as plain data; obviously invented."""
    place = item("locations", kind="incident", point={"latitude": 53.8, "longitude": -1.55}, verified=True, as_of=1)
    value = _defaults(
        WRITER.root,
        origin="west-yorkshire",
        incident_id="WY-1",
        event_id="e-1",
        kind="CREATED",
        sent_at=1_767_225_600_000,
        handling=["no-uniform"],
        contact={"desk": "control room", "phone": "01632 960001", "email": ""},
        control=[item("control", sequence=1, addressees=["greater-manchester"], caveats=[])],
        locations=[place, place],
        suspects=[
            item("suspects", age_stated=40, date_of_birth=7000, phones=["07700 900001", "07700 900002"], home=place)
        ],
        casualties=[item("casualties", conscious=False)],
        vehicles=[item("vehicles", speed_kmh=50.0, markers=["failed to stop"])],
        facts=[item("facts", entry_id="1", text="Door forced", at=2), item("facts", entry_id="2", text="", at=None)],
        resources=[item("resources", callsign="WY01")],
    )
    return {**value, **stated}


def framed(value: dict[str, Any], writer: OtherAvro = WRITER) -> bytes:
    return frame(EVENT_ID) + writer.write(value)


def _within(section: str, **stated: Any) -> bytes:
    """The event with something in the first item of a section changed."""
    value = honest()
    value[section][0] = {**value[section][0], **stated}
    return framed(value)


def _facts(
    count: int, size: int | None, *, items: bytes | None = None, end: bytes = b"\x00", more: bytes = b""
) -> bytes:
    """The event with its two facts as one block that states any count and size, and ``more`` at the very end."""
    content = FACTS if items is None else items
    block = long(count) + (b"" if size is None else long(size)) + content + end
    return framed(honest(facts=Raw(block))) + more


def _point(latitude: float, longitude: float) -> bytes:
    return _within("locations", point={"latitude": latitude, "longitude": longitude})


def _text(raw: bytes) -> Raw:
    return Raw(long(len(raw)) + raw)


HONEST = framed(honest())
FACTS = WRITER.items("facts", honest()["facts"])
_PHONES = b"".join(long(len(p)) + p for p in (b"07700 900001", b"07700 900002"))

FRAMES = {
    "nothing": Row(b"", "empty"),
    "only a frame": Row(frame(EVENT_ID), "not-framed"),
    "less than a frame": Row(b"\x00\x01", "not-framed"),
    "JSON": Row(b'{"origin": "west-yorkshire"}', "not-framed"),
    "no frame before the body": Row(HONEST[5:], "not-framed"),
    "another magic byte": Row(b"\x01" + HONEST[1:], "not-framed"),
    "an id nobody knows": Row(frame(1) + HONEST[5:], "unknown-schema"),
    "the highest id": Row(frame(0xFFFFFFFF) + HONEST[5:], "unknown-schema"),
    "the id of another record": Row(frame(RECEIPT_ID) + HONEST[5:], "wrong-record"),
    "one byte too large": Row(HONEST + b"x" * (LIMIT + 1 - len(HONEST)), "oversize"),
    "sixty megabytes of zeros": Row(bytes(60 << 20), "oversize"),
}
ENDS = {
    "one byte more": Row(HONEST + b"\x00", "trailing"),
    "two events in one": Row(HONEST + HONEST[5:], "trailing"),
    "one byte more, in plain blocks": Row(framed(honest(), OtherAvro(SCHEMA)) + b"\x00", "trailing"),
    "one byte less": Row(HONEST[:-1], "truncated"),
    "half": Row(HONEST[: len(HONEST) // 2], "truncated"),
}
NUMBERS = {
    "a number of eleven bytes": Row(framed(honest(sent_at=Raw(b"\xff" * 11 + b"\x01"))), "truncated"),
    "a number that never ends": Row(HONEST[:30] + b"\xff" * 200, "truncated"),
    "a number of 65 bits": Row(framed(honest(sent_at=Raw(b"\xff" * 9 + b"\x7f"))), "undecodable"),
    "a time written longer than needed": Row(framed(honest(sent_at=Raw(b"\x82\x00"))), "not-canonical"),
    "a length written longer than needed": Row(framed(honest(local_ref=Raw(b"\x82\x00x"))), "not-canonical"),
    "an enum written longer than needed": Row(framed(honest(kind=Raw(b"\x82\x00"))), "not-canonical"),
    "an end of a section written longer than needed": Row(_facts(-2, len(FACTS), end=b"\x80\x00"), "not-canonical"),
    "an int beyond 32 bits, nullable": Row(_within("suspects", age_stated=1 << 31), "out-of-range"),
    "an int beyond 32 bits": Row(_within("casualties", count=1 << 31), "out-of-range"),
    "an int below 32 bits": Row(_within("casualties", count=-(1 << 31) - 1), "out-of-range"),
    "an int of 64 bits": Row(_within("casualties", count=(1 << 63) - 1), "out-of-range"),
    "the year 10000": Row(framed(honest(sent_at=253_402_300_800_000)), "out-of-range"),
    "the year 0": Row(_within("locations", as_of=-62_135_596_800_001), "out-of-range"),
    "the end of time": Row(_within("facts", at=(1 << 63) - 1), "out-of-range"),
    "born in the year 10000": Row(_within("suspects", date_of_birth=2_932_897), "out-of-range"),
    "born in the year 0": Row(_within("suspects", date_of_birth=-719_163), "out-of-range"),
    "a latitude that is no number": Row(_point(float("nan"), 0), "out-of-range"),
    "a longitude without end": Row(_point(0, float("inf")), "out-of-range"),
    "north of the pole": Row(_point(90.000001, 0), "out-of-range"),
    "south of the pole": Row(_point(-91, 0), "out-of-range"),
    "once round the earth": Row(_point(0, 180.5), "out-of-range"),
    "a radius that is no number": Row(
        _within("locations", radius_m=Raw(b"\x02" + struct.pack("<d", float("nan")))), "out-of-range"
    ),
    "a speed without end": Row(_within("vehicles", speed_kmh=float("-inf")), "out-of-range"),
}
INDEXES = {
    "enum index -1": Row(framed(honest(kind=Raw(long(-1)))), "not-canonical"),
    "enum index one beyond": Row(framed(honest(kind=Raw(long(13)))), "not-canonical"),
    "enum index far beyond": Row(framed(honest(kind=Raw(long(1 << 40)))), "not-canonical"),
    "enum index -1 in a section": Row(
        _within("facts", quality=Raw(b"\x02" + long(-1) + b"\x00\x00\x00")), "not-canonical"
    ),
    "union index -1": Row(framed(honest(primacy=Raw(long(-1) + long(1) + b"x"))), "not-canonical"),
    "union index 2": Row(framed(honest(primacy=Raw(long(2)))), "not-canonical"),
    "union index far beyond": Row(_within("locations", address=Raw(long(1 << 40))), "not-canonical"),
    "union index -1 in a section": Row(_within("locations", address=Raw(long(-1) + long(1) + b"x")), "not-canonical"),
    "boolean 2": Row(_within("casualties", conscious=Raw(b"\x02\x02")), "not-canonical"),
    "boolean 255": Row(_within("locations", verified=Raw(b"\x02\xff")), "not-canonical"),
}
TEXTS = {
    "a negative length": Row(framed(honest(local_ref=Raw(long(-5) + b"hello"))), "truncated"),
    "the most negative length": Row(framed(honest(local_ref=Raw(long(-(1 << 63))))), "truncated"),
    "a length beyond the end": Row(framed(honest(local_ref=Raw(long(1 << 20)))), "truncated"),
    "a length of 2^62": Row(framed(honest(local_ref=Raw(long(1 << 62)))), "truncated"),
    "the greatest length, in a section": Row(_within("facts", text=Raw(long((1 << 63) - 1))), "truncated"),
    "a negative length in a section": Row(_within("facts", text=Raw(long(-1))), "truncated"),
    "not UTF-8": Row(framed(honest(local_ref=_text(b"caf\xe9"))), "undecodable"),
    "not UTF-8, in a section": Row(_within("facts", text=_text(b"\xff\xfe")), "undecodable"),
    "half a character": Row(_within("facts", text=_text("é".encode()[:1])), "undecodable"),
    "a surrogate": Row(_within("facts", text=_text(b"\xed\xa0\x80")), "undecodable"),
    "NUL written longer than needed": Row(_within("facts", text=_text(b"\xc0\x80")), "undecodable"),
}
BLOCKS = {
    "a section's size one too small": Row(_facts(-2, len(FACTS) - 1), "trailing"),
    "a section's size one too large": Row(_facts(-2, len(FACTS) + 1), "truncated"),
    "a section's size that takes in the next two": Row(_facts(-2, len(FACTS) + 2), "truncated"),
    "a section's size that takes in the next two, with two more at the end": Row(
        _facts(-2, len(FACTS) + 2, more=b"\x00\x00"), "not-canonical"
    ),
    "a section's size with padding to match": Row(
        _facts(-2, len(FACTS) + 4, items=FACTS + b"\x00" * 4), "not-canonical"
    ),
    "a section's size zero": Row(_facts(-2, 0), "truncated"),
    "a section's size negative": Row(_facts(-2, -len(FACTS)), "truncated"),
    "a section's size beyond the end": Row(_facts(-2, 1 << 20), "truncated"),
    "a section's size 2^62": Row(_facts(-2, 1 << 62), "truncated"),
    "a section that says one item and holds two": Row(_facts(-1, len(FACTS)), "not-canonical"),
    "a section that says three items and holds two": Row(_facts(-3, len(FACTS)), "truncated"),
    "a section that says as many items as its bytes": Row(_facts(-len(FACTS), len(FACTS)), "truncated"),
    "a section of the most items, sized": Row(_facts(-(1 << 63), len(FACTS)), "truncated"),
    "a section of the most items, plain": Row(_facts((1 << 63) - 1, None), "truncated"),
    "a section without its end": Row(_facts(-2, len(FACTS), end=b""), "truncated"),
    "a plain section that says three items and holds two": Row(_facts(3, None), "truncated"),
    "a sized block after a plain one, size a lie": Row(
        _facts(2, None, end=long(-2) + long(len(FACTS) + 7) + FACTS + b"\x00"), "not-canonical"
    ),
    "an array inside, size one too small": Row(
        _within("suspects", phones=Raw(long(-2) + long(len(_PHONES) - 1) + _PHONES + b"\x00")), "not-canonical"
    ),
    "an array inside, size one too large": Row(
        _within("suspects", phones=Raw(long(-2) + long(len(_PHONES) + 1) + _PHONES + b"\x00")), "not-canonical"
    ),
    "an array inside, size negative": Row(
        _within("suspects", phones=Raw(long(-2) + long(-1) + _PHONES + b"\x00")), "not-canonical"
    ),
    "an array inside, size 2^62": Row(
        _within("suspects", phones=Raw(long(-2) + long(1 << 62) + _PHONES + b"\x00")), "not-canonical"
    ),
    "an array inside, of the most items": Row(_within("suspects", phones=Raw(long(-(1 << 63)) + long(1))), "truncated"),
    "an array inside, plain, of the most items": Row(_within("suspects", phones=Raw(long((1 << 63) - 1))), "truncated"),
    "an array in the head, size a lie": Row(
        framed(honest(handling=Raw(b"\x02" + long(-1) + long(9) + long(1) + b"x\x00"))), "not-canonical"
    ),
    "an array in the head, of the most items": Row(
        framed(honest(handling=Raw(b"\x02" + long((1 << 63) - 1)))), "truncated"
    ),
    "an array in control, size a lie": Row(
        _within("control", addressees=Raw(long(-1) + long(3) + long(1) + b"x\x00")), "not-canonical"
    ),
}
CORPUS = FRAMES | ENDS | NUMBERS | INDEXES | TEXTS | BLOCKS
