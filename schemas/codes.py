"""The code lists (``codes.yaml``) and what it means that one code lies beneath another.

A code is a path of lower-case, hyphenated words: ``transport/rtc/injury``. ``unknown`` belongs to every list, at every
level; as a last level it is dropped before comparing, and alone it means *not stated*.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

import yaml

UNKNOWN: Final = "unknown"

_Tree = dict[str, "_Tree | list[str] | None"] | list[str] | None


@cache
def _document() -> dict[str, dict[str, _Tree]]:
    loaded: dict[str, dict[str, _Tree]] = yaml.safe_load(files("schemas").joinpath("codes.yaml").read_text("utf-8"))
    return loaded


def _paths(tree: _Tree, prefix: str = "") -> list[str]:
    if tree is None:
        return []
    found: list[str] = []
    for word in tree:
        found.append(prefix + word)
        if isinstance(tree, dict):
            found += _paths(tree[word], f"{prefix}{word}/")
    return found


@cache
def codes(list_name: str) -> tuple[str, ...]:
    """Every code of a list in the order written, without ``unknown``; a path's upper levels are codes themselves.

    Raises:
        KeyError: there is no list of that name.
    """
    document = _document()
    return tuple(_paths(document["enums"].get(list_name) or document["lists"][list_name]))


def list_names() -> tuple[str, ...]:
    """The names of all lists, closed ones first."""
    document = _document()
    return (*document["enums"], *document["lists"])


def enum_names() -> tuple[str, ...]:
    """The names of the closed lists, which are Avro enums on the wire."""
    return tuple(_document()["enums"])


def is_code(list_name: str, code: str) -> bool:
    """Whether the list has this code; ``unknown`` and ``<known>/unknown`` count."""
    stated = stated_part(code)
    return stated is None or stated in _members(list_name)


@cache
def _members(list_name: str) -> frozenset[str]:
    return frozenset(codes(list_name))


def stated_part(code: str | None) -> str | None:
    """The code without a last level ``unknown``; None where nothing is stated."""
    if code is None or code == UNKNOWN:
        return None
    return code.removesuffix("/" + UNKNOWN)


def is_at_or_beneath(code: str, value: str) -> bool:
    """Whether ``code`` is ``value`` or lies beneath it: transport/rtc/injury beneath transport/rtc."""
    return code == value or code.startswith(value + "/")


def is_strictly_above(code: str, value: str) -> bool:
    """Whether ``value`` lies beneath ``code`` and is not it: too coarse a code to tell."""
    return value.startswith(code + "/")


def enum_symbol(code: str) -> str:
    """A closed code as an Avro enum writes it: stand-down → STAND_DOWN."""
    return code.upper().replace("-", "_")


def enum_code(symbol: str) -> str:
    """An Avro enum symbol as everything else writes it: STAND_DOWN → stand-down."""
    return symbol.lower().replace("_", "-")
