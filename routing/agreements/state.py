"""What deciding must know of an incident besides the present event: its history, who holds what, what people ruled.

A ``State`` is a value. Deciding reads it and changes nothing; whoever keeps incidents alive makes the next one from
events, deliveries and rulings, and drops what has run out. Everything in it is code, name or time: no personal data.

``state_to_dict`` and ``state_from_dict`` are its form as JSON: the names of the fields here, sets as sorted lists,
times in ISO 8601 with their zone. A field left out has its default; one that is not known is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Final, Literal

from pydantic import AwareDatetime, ConfigDict, TypeAdapter, ValidationError

from routing.agreements.model import Locate, Onward
from schemas.errors import Rejected

_STRICT: Final = ConfigDict(extra="forbid")
_NONE: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class RuleRef:
    """A rule by its agreement's id and its own."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    agreement: str
    rule: str


@dataclass(frozen=True, slots=True)
class History:
    """Every code that an earlier event stated and no correction took back, by the field that stated it."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    category: frozenset[str] = _NONE
    opening_category: frozenset[str] = _NONE
    closing_category: frozenset[str] = _NONE
    qualifiers: frozenset[str] = _NONE
    flags: frozenset[str] = _NONE
    caveats: frozenset[str] = _NONE
    handling: frozenset[str] = _NONE


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """What granted a part when it was delivered: a share rule, or a person's ruling."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    agreement: str
    rule: str
    """The rule's id, or the ruling's."""
    by: Literal["rule", "ruling"] = "rule"
    purpose: str = ""
    legal_basis: str = ""
    retain_days: int = 0
    onward: Onward = "forbidden"


@dataclass(frozen=True, slots=True)
class HeldPart:
    """The head or a section that was delivered, and every grant that it was ever delivered under."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    part: str
    grants: tuple[HeldGrant, ...]
    locate: Locate = "exact"
    """As it was last delivered."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A member that was sent something of the incident and has not confirmed its removal."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    member: str
    parts: tuple[HeldPart, ...]
    """The head among them."""
    retain_days: int = 0
    """From the closing, as last delivered."""
    restricted: bool = False
    """The last thing it was sent was *restricted*: it is not sent another before something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A person's decision that something may flow."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    id: str
    role: str
    """In which role the person ruled."""
    agreement: str
    """Under which agreement: retention, onward use and legal basis are its."""
    rule: str = ""
    """Under which rule of it, where there is one: what that states goes before what the file states."""
    recipients: frozenset[str]
    parts: frozenset[str]
    """The head, where named, and sections."""
    at: AwareDatetime
    until: AwareDatetime | None = None
    """Until this moment, exclusive; None: without limit (an override always has one)."""
    locate: Locate = "exact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release(Ruling):
    """Discharges refer rules for parts and recipients, later events included."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    rules: tuple[RuleRef, ...]
    """The refer rules of the case when it was ruled; a rule that came to match later is not among them."""
    filled: frozenset[str] = _NONE
    """The sections that were not empty when it was ruled."""
    caveats: frozenset[str] = _NONE
    """Every caveat known when it was ruled, history included; ``unknown`` if there might have been others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Discretion(Ruling):
    """Shares what no rule grants, of one event unless it says otherwise."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    sequence: int | None = None
    """The event it covers; None: it says otherwise, and covers later events until its limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override(Ruling):
    """Lifts forbids that name the role, for at most four hours."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A person's no, or the last deadline passed; what the event said then decides how long it stands.

    When the origin asks again, whoever keeps the state takes it out.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Literal["refusal", "lapse"]
    recipients: frozenset[str]
    parts: frozenset[str]
    rules: tuple[RuleRef, ...] = ()
    """The refer rules of the case that it answered."""
    grade: str = "unknown"
    flags: frozenset[str] = _NONE
    hazards: frozenset[str] = _NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLine:
    """An open line of the incident's case: one recipient, one refer rule."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    recipient: str
    agreement: str
    rule: str
    parts: frozenset[str]


@dataclass(slots=True, kw_only=True, unsafe_hash=True)
class State:
    """All that came before the present event of one incident.

    Not to be changed; not frozen, since one is made for every event, and making a frozen one takes five times as long.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    history: History = History()
    holdings: tuple[Holding, ...] = ()
    barred: frozenset[str] = _NONE
    """Members from whom a retraction took the incident, until a named person lifts the bar."""
    releases: tuple[Release, ...] = ()
    discretions: tuple[Discretion, ...] = ()
    overrides: tuple[Override, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    lines: tuple[CaseLine, ...] = ()
    """Those that are open."""
    closed_at: AwareDatetime | None = None
    """When the first event of kind or status ``closed`` since it last was open was decided; None: it is open."""
    last_event_at: AwareDatetime | None = None
    """When the event before this one was decided."""

    def holding(self, member: str) -> Holding | None:
        """What that member holds of the incident."""
        return next((holding for holding in self.holdings if holding.member == member), None)


FIRST_EVENT: Final = State()
"""Of an incident of which nothing came before."""


def is_ruled(state: State) -> bool:
    """Whether people ruled: what they are yet to rule on is known by the open lines alone."""
    return bool(state.barred or state.releases or state.discretions or state.overrides or state.refusals)


def state_to_dict(state: State) -> dict[str, Any]:
    """The state as plain data for JSON: sets are sorted, times are in ISO 8601."""
    plain: dict[str, Any] = _plain(asdict(state))
    return plain


def _plain(value: Any) -> Any:  # noqa: ANN401  any part of a state
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value


def state_from_dict(data: Mapping[str, Any]) -> State:
    """The inverse of ``state_to_dict``; what is left out has its default.

    Raises:
        Rejected: ``bad-state``: a field is not one of ours, is of the wrong type, or a time has no zone. Nothing is
            passed over: it could be a bar.
    """
    try:
        return _adapter().validate_python(dict(data))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        message = f"expected the state of an incident; at {place or 'start'}: {first['msg']}"
        raise Rejected("bad-state", message) from None


@cache
def _adapter() -> TypeAdapter[State]:
    return TypeAdapter(State)
