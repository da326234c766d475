"""The names that agreements may use: what the bundle file defines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from routing.agreements.model import MemberFacts


@dataclass(frozen=True, slots=True)
class Known:
    """Members, areas and roles of the bundle."""

    members: Mapping[str, MemberFacts]
    areas: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def publishers(self) -> tuple[str, ...]:
        """Members that publish, sorted."""
        return tuple(sorted(name for name, member in self.members.items() if member.publishes))

    @property
    def receivers(self) -> tuple[str, ...]:
        """Members that receive, sorted."""
        return tuple(sorted(name for name, member in self.members.items() if member.receives))
