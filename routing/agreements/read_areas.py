"""The areas of a bundle: ``areas`` in ``bundle.yaml`` names the GeoJSON file of each.

::

    areas:
      pennine-corridor: areas/pennine-corridor.geojson
      west-yorkshire: {file: areas/forces.geojson, where: {name: West Yorkshire}}
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from routing.agreements.language.bundle import AREA_FILE
from routing.agreements.model import Area, MemberFacts
from routing.agreements.words import Fields, Vocabulary, id_of, text_of
from routing.geography.area_files import AreaFiles
from schemas.strict_yaml import Faults, Node, Scalar, Table

MOST_BYTES: Final = 24 * 1024 * 1024
"""Of all areas together as the bundle keeps them: the policy topic takes 32 MiB of a bundle."""


def areas_of(node: Node | None, directory: Path, faults: Faults) -> tuple[Area, ...]:
    """Every area of the bundle, sorted by name; of one with a fault a stand-in, so that its name is known."""
    if node is None:
        return ()
    if not isinstance(node, Table) or not node.entries:
        faults.add(node, "expected areas, each name with its GeoJSON file")
        return ()
    files = AreaFiles()
    found = []
    for name, place, value in node.items():
        if id_of(Scalar(place, name, "text"), "an area", faults):
            found.append(Area(name, _geometry(value, directory, files, faults)))
    if sum(len(area.geometry) for area in found) > MOST_BYTES:
        faults.add(node, f"more than {MOST_BYTES // 2**20} MiB of areas: use boundaries generalised to 20 m or coarser")
    return tuple(sorted(found, key=lambda area: area.name))


def _geometry(node: Node, directory: Path, files: AreaFiles, faults: Faults) -> str:
    if isinstance(node, Table):
        stated = Fields(node, AREA_FILE.what, AREA_FILE.names, faults)
        file, where = stated.need("file"), stated.need("where", "the properties of the features that are meant")
        if file is None or where is None:
            return ""
    else:
        file, where = node, None
    name = text_of(file, "the relative path of a GeoJSON file", faults)
    if Path(name).is_absolute():
        faults.add(file, "expected a path relative to the bundle's directory")
        return ""
    wanted = _wanted(where, faults) if where else {}
    if not name or (where and not wanted):
        return ""
    return files.area(directory / name, wanted, lambda message: faults.add(file, f"{name}: {message}")) or ""


def _wanted(node: Node, faults: Faults) -> dict[str, str]:
    """Properties and the values wanted, compared as text."""
    entries = list(node.items()) if isinstance(node, Table) else []
    wanted = {key: value.text for key, _, value in entries if isinstance(value, Scalar)}
    if not wanted or len(wanted) != len(entries):
        faults.add(node, "expected properties of features, each with one value: {name: West Yorkshire}")
        return {}
    return wanted


def check_areas_of_members(
    members: Collection[MemberFacts], areas: Collection[Area], where: Node, faults: Faults
) -> None:
    """Note every member whose area the bundle does not have."""
    known = Vocabulary("an area of the bundle", [area.name for area in areas])
    for member in members:
        if member.area is not None and member.area not in known.words:
            message = f"`{member.area[:60]}` is the area of {member.id}, and `areas` has none of that name"
            faults.add(_where(where, member.id), message + known.hint(member.area, faults))


def _where(members: Node, member: str) -> Node:
    """The member's area in this file; where another file has the members, what names that file."""
    stated = members.get(member) if isinstance(members, Table) else None
    area = stated.get("area") if isinstance(stated, Table) else None
    return area or members
