"""JSON Schemas of the shapes and structures in which the language of agreements is written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from routing.agreements.bundle import Bundle
from routing.agreements.language import BLOCK, RULES
from routing.agreements.language.conditions import OF_PLACES
from routing.agreements.language.shapes import (
    DAY_PATTERN,
    DIGEST_PATTERN,
    DISTANCE_PATTERN,
    ID_PATTERN,
    MOST_TEXT,
    AllOf,
    ByName,
    Code,
    Day,
    Digest,
    Distance,
    Duration,
    Key,
    Listed,
    Mapping,
    Members,
    Name,
    Named,
    Nothing,
    OneOf,
    OnlyTrue,
    Plain,
    Position,
    Rules,
    Shape,
    Structure,
    Text,
    Whole,
    Word,
    WordList,
)
from schemas.exchange import Exchange

Schema = dict[str, Any]

_MEMBER_PATTERN: Final = "[a-z][a-z0-9]*(-[a-z0-9]+)*"


@dataclass(frozen=True)
class Names:
    """The names that a bundle gives; none known: any that could be one."""

    members: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @classmethod
    def of(cls, bundle: Bundle) -> Names:
        """Those of a bundle."""
        return cls(
            tuple(member.id for member in bundle.members),
            tuple(area.name for area in bundle.areas),
            tuple(sorted({each.role for each in bundle.roles})),
        )

    def schema(self, named: Named) -> Schema:
        """Of one such name."""
        known: dict[Named, tuple[str, ...]] = {"members": self.members, "areas": self.areas, "roles": self.roles}
        if known[named]:
            return {"enum": list(known[named])}
        return _pattern(_MEMBER_PATTERN if named == "members" else ID_PATTERN)


def _pattern(pattern: str) -> Schema:
    return {"type": "string", "pattern": f"^({pattern})$"}


@dataclass
class Schemas:
    """Makes schemas; structures that are used become definitions."""

    names: Names
    definitions: dict[str, Schema] = field(default_factory=dict)

    def structure(self, structure: Structure) -> Schema:
        """A reference to the definition of a structure, which is made when first wanted."""
        name = structure.title.lower().replace(" ", "-").replace(".", "-")
        if name not in self.definitions:
            self.definitions[name] = {}
            self.definitions[name] = self._definition(structure)
        return {"$ref": f"#/definitions/{name}"}

    def _definition(self, structure: Structure) -> Schema:
        needed = [key.name for key in structure.keys if key.needed]
        made: Schema = {
            "title": structure.title,
            "type": "object",
            "additionalProperties": False,
            "properties": {key.name: self._key(key) for key in structure.keys},
        }
        made |= {"required": needed} if needed else {}
        if structure.needs_one_of:
            made["anyOf"] = [{"required": [name]} for name in structure.needs_one_of]
        if structure is BLOCK:
            made |= {"minProperties": 1, "dependencies": {"place": _any_required(*OF_PLACES)}}
        return made

    def _key(self, key: Key) -> Schema:
        default = f". Left out: {key.otherwise}" if key.otherwise else ""
        # Beside a $ref an older reader heeds nothing else, so the description stands around it.
        schema = self.shape(key.takes)
        told = {"description": f"{key.meaning}{default}."}
        return told | ({"allOf": [schema]} if "$ref" in schema else schema)

    def shape(self, shape: Shape) -> Schema:  # noqa: C901, PLR0911, PLR0912  one line for each shape
        """The schema of a shape."""
        match shape:
            case Text():
                return _text(shape)
            case Name():
                return _pattern(ID_PATTERN)
            case Day():
                return _pattern(DAY_PATTERN)
            case Duration():
                return _pattern(f"[1-9][0-9]{{0,4}}[{shape.units}]")
            case Digest():
                return _pattern(DIGEST_PATTERN)
            case Distance():
                return _pattern(DISTANCE_PATTERN)
            case Whole():
                return {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}
            case Position():
                return _POSITION
            case OnlyTrue():
                return {"const": True}
            case Nothing():
                return {"type": "null"}
            case Word():
                return self._word(shape.of)
            case Code():
                return {"anyOf": [self._word(shape.of), {"type": "string", "pattern": "(^|/)unknown$"}]}
            case Listed():
                return self._listed(shape)
            case AllOf():
                inside = {"all": self.shape(shape.of)}
                return {"type": "object", "required": ["all"], "additionalProperties": False, "properties": inside}
            case Mapping():
                return self.structure(shape.of)
            case ByName():
                return self._by_name(shape)
            case Plain():
                return {"type": ["string", "number", "boolean", "null"]}
            case OneOf():
                return {"anyOf": [self._alternative(each) for each in shape.of]}
            case Rules():
                return self._rules(shape)
            case Members():
                return self._members()

    def _alternative(self, shape: Shape) -> Schema:
        """One of several; a block of conditions that stands alone, as `unless` may have it, has but one."""
        schema = self.shape(shape)
        if isinstance(shape, Mapping) and shape.of is BLOCK:
            alone = {"anyOf": [{"maxProperties": 1}, {"maxProperties": 2, "required": ["place"]}]}
            return {"allOf": [schema, alone]}
        return schema

    def _word(self, of: WordList) -> Schema:
        if of.named is None:
            return {"enum": list(of.words)}
        named = self.names.schema(of.named)
        if of.words and "enum" in named:
            return {"enum": [*of.words, *named["enum"]]}
        return {"anyOf": [{"enum": list(of.words)}, named]} if of.words else named

    def _listed(self, shape: Listed) -> Schema:
        schema: Schema = {"type": "array", "items": self.shape(shape.of)}
        schema |= {} if shape.may_be_empty else {"minItems": 1}
        return schema if shape.may_repeat else schema | {"uniqueItems": True}

    def _by_name(self, shape: ByName) -> Schema:
        schema: Schema = {"type": "object", "additionalProperties": self.shape(shape.of)}
        if not isinstance(shape.key, Text):
            schema["propertyNames"] = self.shape(Word(shape.key) if isinstance(shape.key, WordList) else shape.key)
        return schema if shape.may_be_empty else schema | {"minProperties": 1}

    def _rules(self, shape: Rules) -> Schema:
        each: Schema = {
            "type": "object",
            "required": ["id", "outcome"],
            "properties": {"outcome": {"enum": list(shape.outcomes)}},
            "allOf": [
                {"if": {"properties": {"outcome": {"const": outcome}}}, "then": self.structure(RULES[outcome])}
                for outcome in shape.outcomes
            ],
        }
        each |= {"not": _any_required(*shape.without)} if shape.without else {}
        return {"type": "array", "minItems": 1, "items": each}

    def _members(self) -> Schema:
        exchange = exchange_parts()
        self.definitions |= exchange["definitions"]
        members: Schema = exchange["properties"]["members"]
        return members


def _text(shape: Text) -> Schema:
    schema: Schema = {"type": "string", "minLength": 1, "maxLength": MOST_TEXT, "pattern": "\\S"}
    if shape.refused:
        either = "".join(f"[{letter.upper()}{letter}]" for letter in shape.refused)
        schema["not"] = {"pattern": f"^\\s*{either}\\s*$"}
    return schema


def _any_required(*names: str) -> Schema:
    return {"anyOf": [{"required": [name]} for name in names]}


_POSITION: Final[Schema] = {
    "type": "array",
    "items": [
        {"type": "number", "minimum": -90, "maximum": 90},
        {"type": "number", "minimum": -180, "maximum": 180},
    ],
    "minItems": 2,
    "maxItems": 2,
}


def exchange_parts() -> Schema:
    """``exchange.yaml`` as its model has it, with the older name for definitions."""
    schema = Exchange.model_json_schema(ref_template="#/definitions/{model}")
    return {("definitions" if key == "$defs" else key): value for key, value in schema.items()}
