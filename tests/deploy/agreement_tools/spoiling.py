"""A document spoilt in every way that its shape allows, one fault at a time."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

OTHERS: tuple[Any, ...] = ("nonsense", " emergency", 12, -1.5, True, False, None, [], {}, ["nonsense"], {"nonsense": 1})
"""What stands in place of a value."""
REMOVED = object()


def spoilt(document: Any) -> Iterator[tuple[str, Any]]:
    """Where and how, and the document so spoilt."""
    for steps in _paths(document):
        if steps:
            yield f"{steps}: gone", _changed(document, steps, REMOVED)
        for other in OTHERS:
            yield f"{steps}: {other!r}", _changed(document, steps, other)
        here = _at(document, steps)
        if isinstance(here, dict):
            yield f"{steps}: a key more", _changed(document, steps, {**here, "nonsense": "x"})
        if isinstance(here, list) and here:
            yield f"{steps}: an item twice", _changed(document, steps, [*here, here[0]])
        if isinstance(here, str):
            yield f"{steps}: in capitals", _changed(document, steps, here.upper())


def _paths(document: Any) -> Iterator[tuple[Any, ...]]:
    yield ()
    inside = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for step, value in inside:
        yield from ((step, *more) for more in _paths(value))


def _at(document: Any, steps: tuple[Any, ...]) -> Any:
    for step in steps:
        document = document[step]
    return document


def _changed(document: Any, steps: tuple[Any, ...], value: Any) -> Any:
    if not steps:
        return value
    copy = deepcopy(document)
    parent = _at(copy, steps[:-1])
    if value is REMOVED:
        del parent[steps[-1]]
    else:
        parent[steps[-1]] = value
    return copy
