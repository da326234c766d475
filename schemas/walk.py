"""Checks bytes against a schema, one by one: whatever two decoders could read differently is refused here.

A decoder is lenient where Avro says nothing: it takes index -1 for the last branch, 2 for true, a number written in
more bytes than it needs, a block whose size is not what its items take. And Avro carries values that readers cannot
hold: a 32-bit int beyond 32 bits, the year 300000, a latitude of NaN. A value that was walked has none of these. How
its arrays are cut into blocks is left to the writer, as Avro leaves it.

The schema is compiled to one small function for each type (`schemas.steps`): a fifth of the time of decoding and
encoding again. Nothing is built, so memory is bounded by what came; a schema with a type that holds itself, or with
array items that may take no byte, does not compile, so time is bounded too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, Final, TypeVar

from schemas.avro_form import Schema, parse
from schemas.errors import Rejected
from schemas.steps import Block, Step, array, block, double, index_below, primitive, record, union

REMEDY: Final = "publish what an Avro serialiser writes with this schema"
MOST_DEGREES: Final = {("huecry.event.Point", "latitude"): 90.0, ("huecry.event.Point", "longitude"): 180.0}
_Found = TypeVar("_Found")


class Walker:
    """Checks values of one schema. Immutable."""

    def __init__(self, schema: Schema) -> None:
        self._step = _Compiler({}, []).step(parse(schema))

    def check(self, body: bytes, what: str = "the record") -> None:
        """Walk the whole body.

        Raises:
            Rejected: at the first byte that an honest writer would not write.
        """
        end = self.walk(body, 0, what)
        if end != len(body):
            raise Rejected("trailing", f"{what} ends at byte {end}, and {len(body) - end} more bytes came")

    def walk(self, body: bytes, at: int, what: str) -> int:
        """Where the value that starts at ``at`` ends.

        Raises:
            Rejected: at the first byte that an honest writer would not write.
        """
        return _told(what, self._step, body, at)

    def walk_array(self, body: bytes, at: int, what: str) -> tuple[list[Block], int]:
        """The blocks of an array of such values that starts at ``at``, and where the array ends.

        Raises:
            Rejected: at the first byte that an honest writer would not write.
        """
        return _told(what, self._blocks, body, at)

    def _blocks(self, body: bytes, at: int) -> tuple[list[Block], int]:
        blocks = []
        while body[at]:
            blocks.append(block(body, at, self._step))
            at = blocks[-1][2]
        return blocks, at + 1


Spot = tuple[str, int, int]
"""Where a part that was watched for stands in the bytes walked: what whoever watches calls it, its start, its end."""


Watched = Mapping[tuple[str, str], str]
"""Record and field (empty: the whole record), each with what to call it."""


class Spotter(Walker):
    """Checks arrays of one type, and finds in the same walk the parts that are watched for."""

    def __init__(self, items: Schema, watched: Watched) -> None:
        self._seen: list[Spot] = []
        self._lock = Lock()
        compiler = _Compiler(watched, self._seen)
        self._step = compiler.step(parse(items))
        self.parts: frozenset[str] = frozenset(compiler.parts)
        """What of all that is watched for such values can hold."""

    def spots(self, body: bytes, at: int, what: str) -> list[Spot]:
        """Every part watched for in the array that starts at ``at``, in order.

        Raises:
            Rejected: at the first byte that an honest writer would not write.
        """
        with self._lock:
            self._seen.clear()
            self.walk_array(body, at, what)
            return list(self._seen)


def _told(what: str, check: Callable[[bytes, int], _Found], body: bytes, at: int) -> _Found:
    """The check's answer; a refusal says of what the bytes are, and what to do."""
    try:
        return check(body, at)
    except IndexError:
        raise Rejected("truncated", f"{what} is not over where its data ends", remedy=REMEDY) from None
    except Rejected as error:
        raise Rejected(error.reason, f"{what}: {error}", remedy=error.remedy or REMEDY) from None


class _Compiler:
    """Makes the step of each type once; a named type is defined where it is first used."""

    def __init__(self, watched: Watched, seen: list[Spot]) -> None:
        self._watched = watched
        self._seen = seen
        self.parts: set[str] = set()
        self._named: dict[str, Step] = {}
        self._takes_none: set[str] = {"null"}

    def step(self, schema: Any) -> Step:  # noqa: ANN401  a schema is a name, a list or a dict
        if isinstance(schema, list):
            return union([self.step(branch) for branch in schema], first_is_null=schema[0] == "null")
        if isinstance(schema, str):
            return self._named.get(schema) or primitive(schema)
        match schema["type"]:
            case "record":
                fields = [self._field(schema["name"], field) for field in schema["fields"]]
                step = self._watch(record(fields), schema["name"], "")
                if all(self._is_empty(field["type"]) for field in schema["fields"]):
                    self._takes_none.add(schema["name"])
            case "enum":
                step = index_below(len(schema["symbols"]), "enum")
            case "array":
                return array(self._item(schema["items"]))
            case kind:
                return primitive(kind, schema.get("logicalType"))
        self._named[schema["name"]] = step
        return step

    def _item(self, schema: Any) -> Step:  # noqa: ANN401
        step = self.step(schema)
        if self._is_empty(schema):
            msg = "an array's items must take a byte at least: a few bytes could state millions of them"
            raise ValueError(msg)
        return step

    def _is_empty(self, schema: Any) -> bool:  # noqa: ANN401
        name = schema.get("name", schema["type"]) if isinstance(schema, dict) else schema
        return isinstance(name, str) and name in self._takes_none

    def _field(self, owner: str, field: Schema) -> Step:
        most = MOST_DEGREES.get((owner, field["name"]))
        step = self.step(field["type"]) if most is None else double(most)
        return self._watch(step, owner, field["name"])

    def _watch(self, step: Step, owner: str, field: str) -> Step:
        """The step, noting where what it walked stands if that is watched for."""
        part = self._watched.get((owner, field))
        if part is None:
            return step
        self.parts.add(part)
        seen = self._seen

        def noted_end(body: bytes, at: int) -> int:
            end = step(body, at)
            seen.append((part, at, end))
            return end

        return noted_end
