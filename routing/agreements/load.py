"""A bundle's directory → a bundle, or every fault it has, each with its file, line and column.

::

    bundle.yaml         version, published_by, members (or the path of an exchange.yaml), areas, roles, people,
                        discretion, never-states, suspended
    agreements/*.yaml   one agreement or standing file each; *.md beside them is documentation
    *.geojson           areas, wherever ``areas`` says

Nothing is skipped: a file that would not be read might hold a protection, so anything else in ``agreements`` is a
fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from routing.agreements.bundle import Bundle, code_lists_digest
from routing.agreements.examples import Example, run_examples
from routing.agreements.known import Known
from routing.agreements.lint import lint
from routing.agreements.measured import geography_of, measured
from routing.agreements.read_agreement import Draft, read_agreement
from routing.agreements.read_members import BundleFile, read_bundle_file
from schemas.errors import Rejected
from schemas.strict_yaml import WHOLE_FILE, Fault, Faults, read_yaml

_MOST_SHOWN = 200
_MOST_FILES = 2000


class BundleRejected(Rejected):
    """A bundle was refused; ``faults`` holds every reason, in the order of files and lines."""

    def __init__(self, directory: Path, faults: tuple[Fault, ...]) -> None:
        listed = "\n".join(f"  {fault}" for fault in faults[:_MOST_SHOWN])
        more = f"\n  and {len(faults) - _MOST_SHOWN} more" if len(faults) > _MOST_SHOWN else ""
        count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''}"
        super().__init__(
            "bad-bundle", f"{directory}: {count}\n{listed}{more}", remedy="correct the files named and load again"
        )
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Reading:
    """A bundle's directory read: the bundle, unless there are faults. Its examples were not run yet."""

    bundle: Bundle | None
    faults: tuple[Fault, ...]
    examples: tuple[Example, ...]
    """Those of every file without a fault, if ``bundle`` is there."""


def load_bundle(directory: Path) -> Bundle:
    """Read, check and try a bundle.

    Raises:
        BundleRejected: ``bad-bundle``, with every fault; a failing example is one.
    """
    reading = read_bundle(directory)
    faults = list(reading.faults)
    if reading.bundle is not None:
        for result in run_examples(reading.bundle, reading.examples):
            example = result.example
            faults += [_at(example, f"{example.name} fails: {failure}") for failure in result.failures]
    if reading.bundle is None or faults:
        raise BundleRejected(directory, tuple(sorted(faults)))
    return reading.bundle


def _at(example: Example, message: str) -> Fault:
    return Fault(example.file, example.place.line, example.place.column, message)


def read_bundle(directory: Path) -> Reading:
    """Read and check a bundle without running its examples."""
    faults = Faults("bundle.yaml")
    root = read_yaml(directory / faults.file, faults)
    head = read_bundle_file(root, directory, faults) if root else None
    if head is None or not head.members:
        faults.add(WHOLE_FILE, "without members, which agreements name, no agreement was read")
        return Reading(None, tuple(faults.noted), ())
    areas, roles = (area.name for area in head.areas), {each.role for each in head.roles}
    known = Known(head.members, tuple(areas), tuple(sorted(roles)))
    drafts, others = _drafts(directory, known)
    _unique_ids(drafts)
    _suspensions_known(head, drafts, faults)
    lint(drafts, head.members)
    noted = [*faults.noted, *others, *(fault for draft in drafts for fault in draft.faults.noted)]
    if noted:
        return Reading(None, tuple(sorted(noted)), ())
    bundle = _bundle(head, drafts)
    return Reading(bundle, (), tuple(_placed(example, bundle) for draft in drafts for example in draft.examples))


def _placed(example: Example, bundle: Bundle) -> Example:
    """The example with its places measured against the bundle's areas."""
    if not any(example.positions):
        return example
    geography = geography_of(bundle)
    places = tuple(
        place if at is None else measured(place, at.longitude, at.latitude, at.radius_m, geography)
        for place, at in zip(example.considered.places, example.positions, strict=True)
    )
    return replace(example, considered=replace(example.considered, places=places, regions=geography.regions))


def _drafts(directory: Path, known: Known) -> tuple[list[Draft], list[Fault]]:
    """Every file read, and the faults of those that could not be."""
    drafts, others = [], Faults("agreements")
    unreadable: list[Fault] = []
    for path in _files(directory / "agreements", others):
        faults = Faults(f"agreements/{path.name}")
        root = read_yaml(path, faults)
        if root is None:
            unreadable += faults.noted
        else:
            drafts.append(read_agreement(root, known, faults))
    return drafts, [*others.noted, *unreadable]


def _files(directory: Path, faults: Faults) -> list[Path]:
    try:
        entries = sorted(islice(directory.iterdir(), _MOST_FILES + 1))
    except OSError as error:
        faults.add(WHOLE_FILE, f"expected a directory of agreements: {error.strerror}")
        return []
    if len(entries) > _MOST_FILES:
        faults.add(WHOLE_FILE, f"more than {_MOST_FILES} files: a bundle is for some hundred agreements")
        return []
    found = [path for path in entries if path.suffix == ".yaml"]
    for path in entries:
        hidden = path.name.startswith(".") and path.suffix not in (".yml", ".yaml")
        if path not in found and path.suffix != ".md" and not hidden:
            faults.add(WHOLE_FILE, f"expected only agreements named *.yaml (and *.md), found {path.name[:80]}")
    if not found:
        faults.add(WHOLE_FILE, "no agreement is here: nothing would be shared or protected")
    return found


def _unique_ids(drafts: Sequence[Draft]) -> None:
    first: dict[str, Draft] = {}
    for draft in drafts:
        name = draft.agreement.id
        if name and (other := first.setdefault(name, draft)) is not draft:
            draft.faults.add(
                draft.place, f"duplicate agreement `{name}`: {other.faults.file}:{other.place.line} has that id too"
            )


def _suspensions_known(head: BundleFile, drafts: Sequence[Draft], faults: Faults) -> None:
    names = {draft.agreement.id for draft in drafts}
    for suspension, place in head.suspended:
        if suspension.agreement and suspension.agreement not in names:
            faults.add(place, f"suspends an agreement that is not in the bundle; these are: {', '.join(sorted(names))}")


def _bundle(head: BundleFile, drafts: Sequence[Draft]) -> Bundle:
    return Bundle(
        version=head.version,
        published_by=head.published_by,
        members=tuple(head.members[name] for name in sorted(head.members)),
        agreements=tuple(sorted((draft.agreement for draft in drafts), key=lambda agreement: agreement.id)),
        areas=head.areas,
        roles=head.roles,
        people=head.people,
        discretion=head.discretion,
        never_states=head.never_states,
        suspended=tuple(sorted((found for found, _ in head.suspended), key=lambda found: found.agreement)),
        code_lists=code_lists_digest(),
    )
