"""Who would lose what, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from deploy.desk.case_screen import wrapped
from deploy.retracting.permitted import Lost


def as_lines(found: Sequence[Lost], policy_version: int, *, is_dry_run: bool) -> Iterator[str]:
    """Line by line: by incident and member, then how many of each member."""
    if not found:
        yield f"Members hold nothing that policy version {policy_version} would not let them have."
        return
    yield f"What members hold and policy version {policy_version} would not let them have:"
    for lost in found:
        yield ""
        yield f"{lost.member}  incident {lost.incident_id} (event {lost.sequence})"
        yield from _parts("loses" if lost.parts else "", lost.parts)
        yield from _parts("not certain, and so left", lost.uncertain)
        yield from wrapped(f"keeps: {', '.join(lost.keeps) or 'nothing'}")
    yield ""
    yield from _count(found)
    if is_dry_run:
        yield "Nothing was withdrawn. To withdraw it: the same command with --go --because TEXT"
    if any(lost.uncertain for lost in found):
        yield from wrapped(
            "What is not certain was measured against other areas than this policy looks at: look at the incident, and "
            "withdraw it by name if it must go.",
        )


def _parts(what: str, parts: Mapping[str, str]) -> Iterator[str]:
    by_reason: dict[str, list[str]] = {}
    for part, why in parts.items():
        by_reason.setdefault(why, []).append(part)
    for why, names in by_reason.items():
        yield from wrapped(f"{what}: {', '.join(names)} ({why})")


def _count(found: Sequence[Lost]) -> Iterator[str]:
    incidents = Counter(lost.member for lost in found if lost.parts)
    for member, count in sorted(incidents.items()):
        yield f"{member}: {count} incident{'' if count == 1 else 's'}"
