"""What is wrong with a mapping file, told together, with the words that would have been right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from schemas.errors import Rejected
from schemas.strict_yaml import Faults, Place

_SHOWN_MOST: Final = 30
_LONGEST_WORD: Final = 60


class MappingFaults(Faults):
    """The faults of one mapping file."""

    def unknown(self, place: Place, what: str, word: str, allowed: Iterable[str]) -> None:
        """Note a word that is not allowed here: what is, and which of it is nearest."""
        self.add(place, f"{what} {word[:_LONGEST_WORD]!r} is not known here: {expected(word, allowed)}")

    def refuse_any(self) -> None:
        """Raise what was found, in the order of the file.

        Raises:
            Rejected: anything was.
        """
        if self.noted:
            lines = map(str, sorted(set(self.noted)))
            raise Rejected("bad-mapping", "\n".join(lines), remedy="docs/mapping.md describes a mapping file")


def expected(word: str, allowed: Iterable[str]) -> str:
    """``did you mean 'column'? expected one of codes, column, ...``."""
    words = sorted(set(allowed))
    close = get_close_matches(word[:_LONGEST_WORD], words, 1) or [w for w in words if w.endswith("/" + word)][:1]
    hint = f"did you mean {close[0]!r}? " if close else ""
    more = f" and {len(words) - _SHOWN_MOST} more" if len(words) > _SHOWN_MOST else ""
    return f"{hint}expected one of {', '.join(words[:_SHOWN_MOST])}{more}"
