"""Avro's numbers and the Confluent frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import Rejected
from schemas.wire import frame, long_bytes, read_long, string_bytes, unframe
from tests.schemas.other_avro import long

LONGS = st.one_of(
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.sampled_from([0, -1, 1, 63, 64, -64, -65, (1 << 63) - 1, -(1 << 63)]),
)


@given(LONGS, st.binary(max_size=3), st.binary(max_size=3))
def test_a_number_is_read_as_it_was_written_wherever_it_stands(value, before, after):
    data = before + long_bytes(value) + after

    assert read_long(data, len(before)) == (value, len(data) - len(after))
    assert long_bytes(value) == long(value)


@given(LONGS)
def test_a_number_cut_off_is_refused(value):
    data = long_bytes(value)
    for end in range(len(data)):
        with pytest.raises(Rejected) as refused:
            read_long(data[:end], 0)
        assert refused.value.reason == "truncated"


@given(LONGS, st.integers(1, 9))
def test_a_number_written_longer_than_needed_is_refused(value, more):
    data = bytearray(long_bytes(value))
    data[-1] |= 0x80
    data += b"\x80" * (more - 1) + b"\x00"
    with pytest.raises(Rejected):
        read_long(bytes(data), 0)


@given(st.text())
def test_text_is_its_length_in_bytes_and_utf_8(value):
    encoded = string_bytes(value)
    size, start = read_long(encoded, 0)

    assert encoded[start:].decode() == value
    assert size == len(encoded) - start


@given(st.integers(0, (1 << 32) - 1), st.binary(min_size=1, max_size=20))
def test_a_frame_is_taken_off_as_it_was_put_on(schema_id, body):
    assert unframe(frame(schema_id) + body, 100) == (schema_id, body)


def test_the_largest_allowed_is_allowed_and_one_more_is_not():
    value = frame(1) + b"x" * 95
    assert unframe(value, 100) == (1, b"x" * 95)
    with pytest.raises(Rejected, match="at most 99 bytes, and 100 came"):
        unframe(value, 99)
