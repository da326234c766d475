"""What our pydantic models have in common: frozen, nothing extra, and plain data that Avro takes.

The ``.avsc`` files are the truth; ``tests/schemas/test_conformance.py`` holds every model to its schema.
Closed code lists are Avro enums: a model holds the code (``stand-down``), Avro the symbol (``STAND_DOWN``).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from schemas.codes import UNKNOWN, codes, enum_code, enum_symbol


class Model(BaseModel):
    """A frozen record."""

    # Errors quote no input, which may be personal data; floats are numbers that every reader can hold.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    def to_avro(self) -> dict[str, Any]:
        """Plain data as Avro takes it: enum symbols, datetimes, lists."""
        plain: dict[str, Any] = _with_lists(self.model_dump())
        return plain

    @classmethod
    def from_avro(cls, value: dict[str, Any]) -> Self:
        """The model of a decoded record."""
        return cls.model_validate(value)


def _with_lists(value: Any) -> Any:  # noqa: ANN401  plain data
    """Tuples as lists: fastavro takes a tuple within a union for a branch's name and its value."""
    if isinstance(value, dict):
        return {key: _with_lists(inner) for key, inner in value.items()}
    if isinstance(value, tuple):
        return [_with_lists(inner) for inner in value]
    return value


def _to_ms(moment: datetime) -> datetime:
    """Avro holds milliseconds: a model holds what will be read back."""
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        msg = "expected a time in the years 1 to 9999, in UTC"
        raise ValueError(msg) from None
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


Moment = Annotated[AwareDatetime, AfterValidator(_to_ms)]
"""A time with its zone, kept in UTC to the millisecond."""

Int = Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]
"""A whole number that an Avro int holds."""

Long = Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)]
"""A whole number that an Avro long holds."""


def one_of(*allowed: str) -> tuple[BeforeValidator, AfterValidator, PlainSerializer]:
    """Annotations of a closed list of codes: takes the code or the symbol, serialises to the symbol."""
    known = frozenset((UNKNOWN, *allowed))

    def check(code: str) -> str:
        if code not in known:
            msg = f"expected one of {', '.join(sorted(known))}"
            raise ValueError(msg)
        return code

    def from_symbol(value: object) -> object:
        return enum_code(value) if isinstance(value, str) and value.isupper() else value

    return BeforeValidator(from_symbol), AfterValidator(check), PlainSerializer(enum_symbol)


def code_of(list_name: str) -> tuple[BeforeValidator, AfterValidator, PlainSerializer]:
    """Annotations of a closed code list, by its name in ``codes.yaml``."""
    return one_of(*codes(list_name))
