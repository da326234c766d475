"""Events that are valid Avro in another form than ours (positive counts, several blocks) are rewritten in ours.

For serialisers other than ours. Every byte is walked first (`schemas.walk`), so whatever two decoders could read
differently is refused before it is read at all; then the items of each section, wherever its blocks were cut, are put
in one sized block. Nothing is decoded.
"""

from __future__ import annotations

from schemas.cut import EventForm, NotSized, OpenEvent, sized_block
from schemas.errors import Rejected


def open_event(form: EventForm, body: bytes) -> OpenEvent:
    """Open an event in any valid form.

    Raises:
        Rejected: it is malformed, or two decoders could read it differently.
    """
    try:
        return form.open(body)
    except NotSized:
        return form.open(rewritten(form, body))


def rewritten(form: EventForm, body: bytes) -> bytes:
    """The event in our form.

    Raises:
        Rejected: it is malformed, or two decoders could read it differently.
    """
    at = form.head_walker.walk(body, 0, "the head")
    parts = [body[:at]]
    for name, walker in zip(form.names, form.item_walkers, strict=True):
        blocks, at = walker.walk_array(body, at, f"section {name}")
        content = b"".join(body[start:end] for _, start, end in blocks)
        parts.append(sized_block(sum(count for count, _, _ in blocks), content))
    if at != len(body):
        raise Rejected("trailing", f"the event ends at byte {at}, and {len(body) - at} more bytes came")
    return b"".join(parts)
