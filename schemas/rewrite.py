"""Events that are valid Avro in another form than ours (positive counts, several blocks) are rewritten in ours.

The slow path for serialisers other than ours. Every byte is walked first (`schemas.walk`), so whatever two decoders
could read differently is refused before it is read at all.
"""

from __future__ import annotations

from functools import lru_cache

from schemas.cut import EventForm, NotSized, OpenEvent
from schemas.walk import Walker


def open_event(form: EventForm, body: bytes) -> OpenEvent:
    """Open an event in any valid form.

    Raises:
        Rejected: it is malformed, or two decoders could read it differently.
    """
    try:
        return form.open(body)
    except NotSized:
        _walker(form).check(body, "the event")
        return form.open(form.encode(form.decode(body)))


@lru_cache(maxsize=64)
def _walker(form: EventForm) -> Walker:
    return Walker(form.schema)
