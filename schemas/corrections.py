"""Which corrections a person must accept: those that decide how, armed with what knowledge and where, people are sent.

The router that asks and the receiving side that answers read this one rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_INDEX: Final = re.compile(r"\[\d*\]")
_WHOLE: Final = frozenset({"grade", "hazards", "locations", "classification"})
_WITHIN: Final = ("hazards.", "locations.", "classification.flags", "classification.local_grade")


def asks_acceptance(paths: Iterable[str]) -> bool:
    """Whether a correction of these fields asks for a person's acceptance: grade, hazards, weapon flags, places.

    A path names a set of flags and not the one that changed: of two readings, the one that asks.

    >>> asks_acceptance(["locations[0].point"]), asks_acceptance(["classification.local_text"])
    (True, False)
    """
    plain = (_INDEX.sub("", path) for path in paths)
    return any(path in _WHOLE or path.startswith(_WITHIN) for path in plain)
