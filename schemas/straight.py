"""Straight-line Python made from a schema, for bytes as honest writers write them; anything else goes the long way.

`schemas.walk` and fastavro say what bytes mean and what is refused. A function made here agrees with both or raises one
of `GIVEN_UP`: it knows the usual encodings only (texts below 8 KiB, arrays of one plain block of fewer than 64 items,
numbers no longer than needed, times to 2039), and takes nothing that the walk would refuse. So refusals, and all that
is rare, are still said in one place, and what is usual costs a third.

Source is made as text, once for each schema, since a call or a loop for each field costs more than reading it. What
was compiled to machine code from the same text (`as_module`, docs/compiling.md) is run in its stead.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from hashlib import blake2b
from importlib import import_module
from typing import Any, Final

from schemas.avro_form import Schema, named_types, parse
from schemas.walk import MOST_DEGREES, Spot, Watched

_SIX: Final = 0x8080_8080_8080
_LAST_OF_SIX: Final = 0x0080_8080_8080
"""Which of six bytes are followed by another, as an honest number of six bytes has them (little endian)."""

_MOST_FINITE: Final = 1e300
_DAYS_BEFORE_1970: Final = 719_162
"""To the first day of the year 1, the first that readers hold."""

Skip = Callable[[bytes, int, list[Spot]], int]
"""Where the value that starts at a position ends; adds the parts watched for in it. Raises one of `GIVEN_UP`."""
Read = Callable[[bytes, int], tuple[Any, int]]
"""The value that starts at a position, logical types as numbers, and where it ends. Raises one of `GIVEN_UP`."""


class Irregular(Exception):
    """Not as most writers write it: perhaps refused, perhaps only rare."""


GIVEN_UP: Final = (Irregular, IndexError, UnicodeDecodeError)
"""What a function made here raises when the walk must say."""

MODULE: Final = "huecry_straight"
"""What was compiled of the text that is made here, where anything was."""
written: Final[dict[str, str]] = {}
"""The text of every function that this process made, by the function's name, which tells texts apart."""


_MODULE_BEGINS: Final = '''"""Made by `schemas.straight` from the schemas of events, to be compiled."""

from __future__ import annotations

from struct import unpack_from
from typing import Any

from schemas.straight import Irregular
from schemas.walk import Spot


def text_size(body: bytes, at: int) -> tuple[int, int]:
    """Where a text of 64 bytes or more starts and ends, up to 8 KiB."""
    low, high = body[at], body[at + 1]
    if low < 0x80 or low & 1 or not 0 < high < 0x80:
        raise Irregular
    return at + 2, at + 2 + ((low & 0x7F | high << 7) >> 1)

'''


def skipper(schema: Schema, watched: Watched) -> Skip:
    """A function that checks a value of a record's schema and finds parts of it, as `walk.Spotter` does."""
    made: Skip = _made(_Source(parse(schema), watched, reads=False))
    return made


def reader(schema: Schema) -> Read:
    """A function that checks a value of a record's schema and reads it, as fastavro does without logical types."""
    made: Read = _made(_Source(parse(schema), {}, reads=True))
    return made


def as_module(sources: Mapping[str, str]) -> str:
    """One module of the text of functions, by name: what `setup.py` has compiled as `MODULE`."""
    made = "".join(f"    {name!r}: ({name}, {_digest(text)!r}),\n" for name, text in sources.items())
    return "\n".join((_MODULE_BEGINS, *sources.values(), f"MADE = {{\n{made}}}\n"))


def _made(source: _Source) -> Any:  # noqa: ANN401  a Skip or a Read
    name, text = source.name, source.text
    written[name] = text
    function, digest = _compiled().get(name, (None, ""))
    if digest == _digest(text):
        return function
    scope = {**_stands_on()}
    exec(compile(text, f"<{name}>", "exec"), scope)  # noqa: S102  made from our own schemas alone
    return scope[name]


@cache
def _stands_on() -> Mapping[str, Any]:
    """What every text needs."""
    scope: dict[str, Any] = {}
    exec(_MODULE_BEGINS, scope)  # noqa: S102  a constant
    return scope


@cache
def _compiled() -> Mapping[str, tuple[Any, str]]:
    """By name: functions that were compiled, each with the digest of its text; none where nothing was."""
    try:
        made: Mapping[str, tuple[Any, str]] = import_module(MODULE).MADE
    except ModuleNotFoundError:
        return {}
    return made


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


class _Source:
    """The functions of one schema, one for each record in it, as text."""

    def __init__(self, schema: Schema, watched: Watched, *, reads: bool) -> None:
        self._watched = watched
        self._reads = reads
        self._lines: list[str] = []
        self._types = named_types(schema)
        self._names: dict[str, str] = {}
        self._locals: dict[str, str] = {}
        self._symbols: dict[str, tuple[str, ...]] = {}
        self._writers: Mapping[str, Callable[[Schema, str], Iterator[str]]] = {
            "record": self._record,
            "array": self._array,
            "enum": self._enum,
            "string": self._text,
            "boolean": self._boolean,
            "double": self._double,
            "int": self._number,
            "long": self._number,
        }
        told = json.dumps([schema, sorted(map(list, watched.items())), reads], sort_keys=True)
        self._tag = _digest(told)[:8]
        self.name = self._function(schema)
        symbols = [f"{name} = {symbols!r}" for name, symbols in self._symbols.items()]
        self.text = "\n".join((*symbols, *self._lines, ""))

    def _function(self, record: Schema) -> str:
        """Writes the function of a record, and those of the records in it first; its name."""
        if (known := self._names.get(record["name"])) is not None:
            return known
        name = self._names[record["name"]] = f"{record['name'].replace('.', '_')}_{self._tag}"
        outer, self._locals = self._locals, {}
        fields = [line for n, field in enumerate(record["fields"]) for line in self._field(record, field, f"v{n}")]
        body = [*self._noted(fields, record["name"], "", "start")]
        values = ", ".join(f"{field['name']!r}: v{n}" for n, field in enumerate(record["fields"]))
        stated = [f"{local}: {kind}" for local, kind in self._locals.items()]
        if self._reads:
            head, answer = f"def {name}(body: bytes, at: int) -> tuple[dict[str, Any], int]:", f"{{{values}}}, at"
        else:
            head, answer = f"def {name}(body: bytes, at: int, seen: list[Spot]) -> int:", "at"
        self._lines += (head, *_indented([*stated, *body]), f"    return {answer}")
        self._locals = outer
        return name

    def _noted(self, lines: Iterable[str], record: str, field: str, start: str) -> Iterator[str]:
        """The lines, and if what they move over is watched for, where it stands."""
        part = self._watched.get((record, field))
        if part is not None:
            yield f"{start} = at"
        yield from lines
        if part is not None:
            yield f"seen.append(({part!r}, {start}, at))"

    def _field(self, record: Schema, field: Schema, value: str) -> Iterator[str]:
        most = MOST_DEGREES.get((record["name"], field["name"]))
        kind = field["type"]
        lines = self._value(kind, value) if most is None else self._double(kind, value, most)
        return self._noted(lines, record["name"], field["name"], f"start_{value}")

    def _value(self, kind: Any, value: str) -> Iterator[str]:  # noqa: ANN401  a schema is a name, a list or a dict
        """Lines that move ``at`` over a value, and put it under a name if values are read."""
        if isinstance(kind, list):
            return self._optional(kind, value)
        if isinstance(kind, str):
            kind = self._types.get(kind) or {"type": kind}
        if self._reads:
            self._locals[value] = "Any"
        write = self._writers.get(kind["type"])
        if write is None:
            msg = f"expected one of the types that events are made of, got {kind['type']}"
            raise ValueError(msg)
        return write(kind, value)

    def _record(self, kind: Schema, value: str) -> Iterator[str]:
        name = self._function(kind)
        yield f"{value}, at = {name}(body, at)" if self._reads else f"at = {name}(body, at, seen)"

    def _optional(self, branches: list[Any], value: str) -> Iterator[str]:
        """Null first, as all of ours are."""
        null, stated = branches
        if null != "null":
            msg = "expected null as the first branch"
            raise ValueError(msg)
        yield "if body[at] == 0:"
        yield "    at += 1"
        if self._reads:
            yield f"    {value} = None"
        yield "elif body[at] == 2:"
        yield "    at += 1"
        yield from _indented(self._value(stated, value))
        yield "else:"
        yield "    raise Irregular"

    def _array(self, kind: Schema, value: str) -> Iterator[str]:
        """None, or one block of fewer than 64 without a size."""
        if self._reads:
            self._locals[f"l{value}"] = "list[Any]"
            yield f"{value} = l{value} = []"
        yield "if body[at] == 0:"
        yield "    at += 1"
        yield "elif body[at] & 0x81 == 0:"
        yield f"    n{value} = body[at] >> 1"
        yield "    at += 1"
        yield f"    for _ in range(n{value}):"
        yield from _indented(self._value(kind["items"], f"i{value}"), 2)
        if self._reads:
            yield f"        l{value}.append(i{value})"
        yield "    if body[at]:"
        yield "        raise Irregular"
        yield "    at += 1"
        yield "else:"
        yield "    raise Irregular"

    def _enum(self, kind: Schema, value: str) -> Iterator[str]:
        symbols = kind["symbols"]
        yield f"if body[at] & 1 or body[at] > {2 * len(symbols) - 2}:"
        yield "    raise Irregular"
        if self._reads:
            name = f"symbols_{kind['name'].replace('.', '_')}_{self._tag}"
            self._symbols[name] = tuple(symbols)
            yield f"{value} = {name}[body[at] >> 1]"
        yield "at += 1"

    def _text(self, _kind: Schema, value: str) -> Iterator[str]:
        yield "b = body[at]"
        yield "if b & 0x81:"
        yield "    at, b = text_size(body, at)"
        yield "else:"
        yield "    at += 1"
        yield "    b = at + (b >> 1)"
        yield f"{value} = body[at:b].decode()" if self._reads else "body[at:b].decode()"
        yield "at = b"

    def _boolean(self, _kind: Schema, value: str) -> Iterator[str]:
        yield "if body[at] > 1:"
        yield "    raise Irregular"
        if self._reads:
            yield f"{value} = body[at] == 1"
        yield "at += 1"

    def _double(self, _kind: Schema, value: str, most: float = _MOST_FINITE) -> Iterator[str]:
        """A comparison with NaN is false."""
        self._locals[value] = "Any"
        yield "if at + 8 > len(body):"
        yield "    raise Irregular"
        yield f"{value}, = unpack_from('<d', body, at)"
        yield f"if not -{most!r} <= {value} <= {most!r}:"
        yield "    raise Irregular"
        yield "at += 8"

    def _number(self, kind: Schema, value: str) -> Iterator[str]:
        """One byte; or two, then three of an int; of a long the six that a time from July 1970 to 2039 takes."""
        yield "if body[at] < 0x80:"
        yield from self._zigzag(value, "body[at]")
        yield "    at += 1"
        if kind.get("logicalType") != "timestamp-millis":
            # The last byte is not zero, and no byte follows it.
            yield "elif 0 < body[at + 1] < 0x80:"
            yield from self._zigzag(value, "body[at] & 0x7F | body[at + 1] << 7")
            yield "    at += 2"
        yield "else:"
        yield from _indented(self._three_bytes(value) if kind["type"] == "int" else self._six_bytes(value))

    def _zigzag(self, value: str, number: str) -> Iterator[str]:
        if self._reads:
            yield f"    b = {number}"
            yield f"    {value} = (b >> 1) ^ -(b & 1)"

    def _three_bytes(self, value: str) -> Iterator[str]:
        """Of a date these are the days of three thousand years; before 1970, of two thousand."""
        yield "b = body[at] & 0x7F | (body[at + 1] & 0x7F) << 7 | body[at + 2] << 14"
        yield f"if body[at + 1] < 0x80 or not 0 < body[at + 2] < 0x80 or b & 1 and b > {2 * _DAYS_BEFORE_1970}:"
        yield "    raise Irregular"
        if self._reads:
            yield f"{value} = (b >> 1) ^ -(b & 1)"
        yield "at += 3"

    def _six_bytes(self, value: str) -> Iterator[str]:
        yield "b = int.from_bytes(body[at : at + 6], 'little')"
        yield f"if b & {_SIX} != {_LAST_OF_SIX} or b >> 40 == 0 or b & 1:"
        yield "    raise Irregular"
        if self._reads:
            sevens = " | ".join(f"b >> {n + 1} & {0x7F << 7 * n >> 1}" for n in range(6))
            yield f"{value} = {sevens}"
        yield "at += 6"


def _indented(lines: Any, times: int = 1) -> Iterator[str]:  # noqa: ANN401
    return ("    " * times + line for line in lines)
