"""A value with its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Kept(Generic[T]):
    """A part of what is remembered, with its bytes. Compared by identity."""

    value: T
    encoded: bytes
