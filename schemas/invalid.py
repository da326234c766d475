"""What is wrong with a file that a model describes, in words for whoever wrote it, each fault at its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from schemas.strict_yaml import WHOLE_FILE, Faults, Node, Place, Scalar, Table, quoted

_EXPECTED: Final = {
    "missing": "is needed",
    "string_type": "expected a text",
    "bool_type": "expected true or false",
    "int_type": "expected a whole number",
    "model_type": "expected a mapping",
    "dict_type": "expected a mapping",
}
SLUG: Final = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
COUNTRY: Final = "^[A-Z]{2}$"
_PATTERNS: Final = {
    SLUG: "expected lower-case letters and digits, words joined by hyphens, as in west-yorkshire",
    COUNTRY: "expected two capital letters, as in GB",
}
_SAID: Final = "Value error, "


def note_invalid(
    error: ValidationError, model: type[BaseModel] | TypeAdapter[Any], root: Node | None, faults: Faults
) -> None:
    """Note every fault of a model where it stands in the file.

    Args:
        error: what validating the file said.
        model: against what.
        root: of the file, or of the part of it that was validated.
        faults: take them in.
    """
    schema = model.json_schema() if isinstance(model, TypeAdapter) else model.model_json_schema()
    for fault in error.errors(include_url=False, include_input=False):
        steps = tuple(str(step) for step in fault["loc"] if step != "[key]")
        place, found = _at(root, steps)
        where = ".".join(steps)[:120] or "file"
        kind = fault["type"]
        told = _extra(steps[-1], _keys(schema, steps[:-1])) if kind == "extra_forbidden" else _told(fault)
        faults.add(place, f"{where}: {told}{_quotes(kind, found)}")


def _extra(key: str, allowed: Sequence[str]) -> str:
    near = get_close_matches(key[:60], allowed, n=1)
    nearest = f"did you mean {quoted(near[0])}? " if near else ""
    return f"{quoted(key)} is not a key here; {nearest}allowed: {', '.join(allowed)}"


def _told(fault: ErrorDetails) -> str:
    pattern = fault.get("ctx", {}).get("pattern", "")
    return _EXPECTED.get(fault["type"]) or _PATTERNS.get(pattern) or fault["msg"].removeprefix(_SAID)


def _quotes(kind: str, found: Node | None) -> str:
    """Of a text that YAML takes for something else: what to do."""
    mistaken = kind == "string_type" and isinstance(found, Scalar) and found.kind != "null"
    return f': put it in quotes, "{found.text[:60]}"' if mistaken and isinstance(found, Scalar) else ""


def _keys(schema: Mapping[str, Any], steps: Sequence[str]) -> tuple[str, ...]:
    """The keys that the schema allows in the mapping to which these steps lead."""
    here: Any = _followed(schema, schema)
    for step in steps:
        inside = here.get("properties", {}).get(step)
        others = here.get("additionalProperties") or next(iter(here.get("patternProperties", {}).values()), None)
        here = _followed(schema, inside or (others if isinstance(others, dict) else {}))
    return tuple(here.get("properties", ()))


def _followed(root: Mapping[str, Any], here: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definition that a reference names."""
    name = str(here.get("$ref", "")).rpartition("/")[2]
    found: Mapping[str, Any] = root["$defs"][name] if name else here
    return found


def _at(root: Node | None, steps: Sequence[str]) -> tuple[Place, Node | None]:
    """The place of the deepest key on the way to a fault, and what stands there."""
    place, here = (root.place if root else WHOLE_FILE), root
    for step in steps:
        if not isinstance(here, Table) or step not in here.entries:
            return place, None
        place, here = here.entries[step]
    return place, here
