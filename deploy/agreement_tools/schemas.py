"""JSON Schemas of agreement files and of `bundle.yaml`, for editors: made of the tables that the loader reads by.

What a schema refuses the loader refuses too; the loader sees more. Of a bundle given, its members, areas and roles are
named, so that an editor completes them.
"""

from __future__ import annotations

import json
from typing import Final

from deploy.agreement_tools.schema_shapes import Names, Schema, Schemas, exchange_parts
from routing.agreements.language import BUNDLE, SHARING_FILE, STANDING_FILE

_DIALECT: Final = "http://json-schema.org/draft-07/schema#"
"""What the YAML language servers of editors understand best."""
_TERMS_OF_SHARE: Final = ("purpose", "regime", "legal_basis", "retain")


def agreement_schema(names: Names | None = None) -> Schema:
    """Of one file in ``agreements/``: an agreement, or standing protections."""
    made = Schemas(names or Names())
    standing = {"properties": {"standing": {"const": True}}, "required": ["standing"]}
    schema = {
        "$schema": _DIALECT,
        "title": "Information sharing agreement",
        "type": "object",
        "if": standing,
        "then": made.structure(STANDING_FILE),
        "else": {"allOf": [made.structure(SHARING_FILE), *_of_sharing()]},
    }
    return schema | {"definitions": dict(sorted(made.definitions.items()))}


def bundle_schema() -> Schema:
    """Of ``bundle.yaml``."""
    made = Schemas(Names())
    root = made.structure(BUNDLE)
    definitions = dict(sorted(made.definitions.items()))
    return {"$schema": _DIALECT, "title": "Policy bundle", "allOf": [root], "definitions": definitions}


def exchange_schema() -> Schema:
    """Of ``exchange.yaml``."""
    return {"$schema": _DIALECT} | exchange_parts()


def as_json(schema: Schema) -> str:
    """As it stands in a file."""
    made = {"$comment": "Made by `huecry agreements schema` from the tables that the loader of huecry reads by"}
    return json.dumps(made | schema, indent=1, ensure_ascii=False) + "\n"


def _of_sharing() -> list[Schema]:
    """What a file needs as soon as one of its rules shares."""
    shares = {"properties": {"outcome": {"const": "share"}}, "required": ["outcome"]}
    some_share = {"properties": {"rules": {"type": "array", "contains": shares}}, "required": ["rules"]}

    def stated_by_each(term: str) -> Schema:
        rules = {"type": "array", "items": {"if": shares, "then": {"required": [term]}}}
        return {"anyOf": [{"required": [term]}, {"properties": {"rules": rules}}]}

    needs = {"required": ["share", "review"], "allOf": [stated_by_each(term) for term in _TERMS_OF_SHARE]}
    return [{"if": some_share, "then": needs}]
