"""The reference page of agreement files, and their JSON Schemas, from the tables that the loader reads by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from deploy.agreement_tools.schemas import agreement_schema, as_json, bundle_schema, exchange_schema
from deploy.docs_markdown import table
from routing.agreements.language import BLOCK, BUNDLE, RULES, SHARING_FILE, STANDING_FILE
from routing.agreements.language.bundle import AREA_FILE, NEVER_STATED, PERSON, SUSPENSION
from routing.agreements.language.conditions import NEAR
from routing.agreements.language.examples import EXAMPLE, EXPECTATION, GIVEN, PLACE
from routing.agreements.language.files import DOUBT, SIGNATURE
from routing.agreements.language.rules import SENSITIVE
from routing.agreements.language.shapes import (
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
from schemas.strict_yaml import MAX_BYTES

_CHAPTERS: Final = (
    ("Files", (SHARING_FILE, STANDING_FILE, SIGNATURE, SENSITIVE, DOUBT)),
    ("Rules", tuple(RULES.values())),
    ("Conditions", (BLOCK, NEAR)),
    ("Examples", (EXAMPLE, GIVEN, PLACE, EXPECTATION)),
    ("bundle.yaml", (BUNDLE, AREA_FILE, PERSON, NEVER_STATED, SUSPENSION)),
)
_FEW: Final = 10
"""Words that are listed where they are used; of more, the list is named."""
_PLAIN: Final[dict[type, str]] = {
    Text: "a text",
    Name: "a name",
    Day: "a day",
    Digest: "64 hexadecimal digits",
    Distance: "a distance",
    Whole: "a whole number",
    Position: "`[latitude, longitude]`",
    OnlyTrue: "`true`",
    Nothing: "null",
    Plain: "a value",
    Rules: "a list of rules",
    Members: "members",
}


def schema_files() -> dict[str, str]:
    """The JSON Schemas, by file name."""
    made = {"agreement": agreement_schema(), "bundle": bundle_schema(), "exchange": exchange_schema()}
    return {f"{name}.schema.json": as_json(schema) for name, schema in made.items()}


def agreements_page() -> str:
    """Every key of every file of a bundle."""
    page = f"""# Agreement files

Every key of the files of a bundle, what may stand under it, and what holds where it is left out. The guide, with
patterns to copy, is [agreements.md](../agreements.md); the codes are in [codes.md](codes.md).

An editor completes and checks these files with [agreement.schema.json](agreement.schema.json) and
[bundle.schema.json](bundle.schema.json), which are made of the same tables. `huecry agreements check` sees more: what
the bundle names, and what two lines say together.

- A *text* has up to {MOST_TEXT} characters. A *name* is made of letters, digits, dots, underscores and hyphens, at most
  60.
- A *day* is written 2026-02-01, a *distance* 800m or 5km, a *duration* 40s, 15m, 72h or 90d.
- A list may not be empty unless that is said; a list of words names none twice.
- Files are UTF-8 and up to {MAX_BYTES // 1024} KiB. Refused are anchors, aliases, tags, several documents in a file,
  and a key that stands twice.
- What YAML would take for a number, a date or a yes/no value stands in quotes where a text is expected: `"12"`, `"no"`.
"""
    for chapter, structures in _CHAPTERS:
        page += f"\n## {chapter}\n"
        for structure in structures:
            page += f"\n### {structure.title}\n\n{_table(structure)}\n{_needs(structure)}"
        page += _CONDITIONS if chapter == "Conditions" else ""
    return page + _word_lists()


_CONDITIONS: Final = """
A block is true if all its conditions are, false if one is false, else unknown. A condition is unknown where the event
does not say: a set that is null, or holds `unknown`, and whose other codes do not decide; a word that is `unknown`; a
category that is not stated, or strictly above a value.
"""


def _needs(structure: Structure) -> str:
    needed = " or ".join(f"`{name}`" for name in structure.needs_one_of)
    return f"\nIt needs {needed}.\n" if needed else ""


def _table(structure: Structure) -> str:
    return table(["key", "takes", "meaning", "left out"], map(_row, structure.keys))


def _row(key: Key) -> list[str]:
    return [f"`{key.name}`", _takes(key.takes), key.meaning, "**needed**" if key.needed else key.otherwise]


def _takes(shape: Shape) -> str:  # noqa: PLR0911  one line for each shape
    match shape:
        case Duration():
            units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
            return f"a duration in {' or '.join(units[unit] for unit in shape.units)}"
        case Word():
            return _words(shape.of)
        case Code():
            return f"{_words(shape.of)}; `unknown`"
        case Listed():
            return f"a list{', maybe empty,' if shape.may_be_empty else ''} of {_takes(shape.of)}"
        case AllOf():
            return "`{all: […]}`"
        case Mapping():
            return _link(shape.of)
        case ByName():
            key = "name" if not isinstance(shape.key, WordList) else shape.key.name
            return f"for each {key}: {_takes(shape.of)}"
        case OneOf():
            return "; or ".join(_takes(each) for each in shape.of)
        case _:
            return _PLAIN[type(shape)]


def _link(structure: Structure) -> str:
    anchor = "".join(c for c in structure.title.lower() if c.isalnum() or c in "- ").replace(" ", "-")
    return f"[{structure.title[0].lower()}{structure.title[1:]}](#{anchor})"


def _words(of: WordList) -> str:
    if of.is_code_list and len(of.words) > _FEW:
        return f"[{of.name}](codes.md) codes"
    if of.named or len(of.words) > _FEW:
        return f"a {of.name}" if of.name[0] not in "aeiou" else f"an {of.name}"
    return ", ".join(f"`{word}`" for word in of.words)


def _word_lists() -> str:
    """Lists too long for a cell that are no code lists."""
    lines = [f"- {of.name}: {', '.join(f'`{word}`' for word in of.words)}" for of in _long_lists()]
    return "\n## Words\n\n" + "\n".join(lines) + "\n"


def _long_lists() -> list[WordList]:
    keys = (key for _, structures in _CHAPTERS for structure in structures for key in structure.keys)
    found = {of.name: of for key in keys for of in _of(key.takes)}
    return [of for of in found.values() if len(of.words) > _FEW and not of.is_code_list and not of.named]


def _of(shape: Shape) -> Iterator[WordList]:
    match shape:
        case Word() | Code():
            yield shape.of
        case Listed() | AllOf():
            yield from _of(shape.of)
        case OneOf():
            for each in shape.of:
                yield from _of(each)
