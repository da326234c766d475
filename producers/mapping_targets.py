"""Which fields of an event a mapping may fill, by path, and what each takes; read from the models of the event.

A path is as an integrator writes it: ``classification.category``, ``locations[0].point``, ``victims[0].names.family``.
"""

from __future__ import annotations

import datetime as dt
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from schemas.event import (
    Change,
    Classification,
    Control,
    Hazard,
    IncidentEvent,
    Location,
    LogLine,
    Person,
    Point,
    Quality,
    Vehicle,
)
from schemas.sections import CONTROL, SECTIONS

Step = str | int
Path = tuple[Step, ...]

SINGLE: Final = (CONTROL, "classification")
"""Sections of one element: written without an index."""
NOT_MAPPED: Final = {
    "origin": "it is the force named with --force",
    "incident_id": "it is made from incident_key",
    "event_id": "the spool makes it from event_key",
    "sent_at": "it is the time at which the event is made",
    "category": "it is the first level of classification.category",
    "contact": "it is the member's contact in the exchange file",
    "control.sequence": "the spool counts it",
}
_CODE_LISTS: Final[dict[tuple[type[BaseModel], str], str]] = {
    **{(IncidentEvent, name): name for name in ("kind", "mode", "grade", "status", "marking", "handling")},
    **{(Quality, name): name for name in ("accuracy", "completeness", "reliability")},
    **{(Classification, name): "category" for name in ("category", "opening_category", "closing_category")},
    **{(Classification, name): name for name in ("qualifiers", "flags")},
    (Control, "caveats"): "caveats",
    (Change, "reason"): "change-reason",
    (Location, "kind"): "location-kind",
    (Location, "source"): "location-source",
    (Person, "state"): "person-state",
    (Person, "identified_by"): "identified-by",
    (Vehicle, "role"): "vehicle-role",
    (Vehicle, "vrm_certainty"): "vrm-certainty",
    (LogLine, "line_class"): "log-class",
    (Hazard, "kind"): "hazard",
}
_SETS: Final = ("handling", "qualifiers", "flags", "caveats")
_STEP: Final = re.compile(r"([a-z][a-z0-9_]*)((?:\[\d{1,3}\])?)")


class Takes(StrEnum):
    """What a field takes, in an integrator's words."""

    TEXT = "text"
    WHOLE_NUMBER = "a whole number"
    NUMBER = "a number"
    YES_OR_NO = "yes or no"
    TIME = "a time"
    DATE = "a date"
    POINT = "a latitude and a longitude"
    TEXTS = "several texts"
    SET = "a set of codes"


@dataclass(frozen=True, slots=True)
class Target:
    """One field that a mapping may fill."""

    path: Path
    takes: Takes
    code_list: str | None = None

    def __str__(self) -> str:
        return written(self.path)


class NoTarget(Exception):
    """A path leads nowhere: at which word, and what is allowed there."""

    def __init__(self, word: str, allowed: tuple[str, ...] = (), why: str = "") -> None:
        super().__init__(why)
        self.word, self.allowed, self.why = word, allowed, why


def written(path: Path) -> str:
    """A path as an integrator writes it."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
    for section in SINGLE:
        text = text.replace(f"{section}[0]", section)
    return text


def target(path: str, model: type[BaseModel] = IncidentEvent, section: str = "") -> Target:
    """The field a path leads to, from an event, or from ``model``, an element of ``section``.

    Raises:
        NoTarget: there is none, or it is not a mapping's to fill.
    """
    if model is IncidentEvent and path in NOT_MAPPED:
        raise NoTarget(path, why=f"{path} cannot be mapped: {NOT_MAPPED[path]}")
    steps: list[Step] = []
    here: type[BaseModel] | None = model
    words = path.split(".")
    for word in words:
        matched = _STEP.fullmatch(word)
        if here is None or matched is None:
            raise NoTarget(word, why=f"expected a path such as victims[0].names.family, and {path!r} is none")
        name, index = matched.groups()
        if name not in here.model_fields:
            raise NoTarget(name, tuple(_names(here)))
        section = section or name
        repeated, inner = _shape(here, name)
        _check_index(name, index, repeated=repeated, inner=inner)
        steps.append(name)
        if repeated and inner is not None:
            steps.append(int(index[1:-1]) if index else 0)
        owner, here = here, inner
    if here is not None:
        raise NoTarget(name, tuple(_names(here)), f"{path} holds several fields: name one of {', '.join(_names(here))}")
    return _leaf(tuple(steps), owner, name, section)


def element_of(section: str) -> type[BaseModel]:
    """The model of a section's elements."""
    inner = _shape(IncidentEvent, section)[1]
    assert inner is not None  # noqa: S101  every section holds records
    return inner


def required_beside(path: Path) -> Iterator[Path]:
    """The fields without which an element on this path cannot be: a hazard has its kind, an identifier its value."""
    model: type[BaseModel] = IncidentEvent
    for at, step in enumerate(path[:-1]):
        if isinstance(step, int):
            for name, field in model.model_fields.items():
                # A line's entry_id is made from its place where the mapping has none.
                if field.is_required() and (model, name) != (LogLine, "entry_id"):
                    yield (*path[: at + 1], name)
        else:
            inner = _shape(model, step)[1]
            if inner is None:
                return
            model = inner


def _names(model: type[BaseModel]) -> Iterator[str]:
    for name in model.model_fields:
        if model is not IncidentEvent or name not in NOT_MAPPED:
            yield name


def _check_index(name: str, index: str, *, repeated: bool, inner: type[BaseModel] | None) -> None:
    listed = repeated and inner is not None
    if name in SINGLE:
        if index not in ("", "[0]"):
            raise NoTarget(name + index, why=f"{name} has one element: write {name}.field")
    elif listed and not index:
        raise NoTarget(name, why=f"{name} holds several: say which, as in {name}[0].field")
    elif index and not listed:
        raise NoTarget(name + index, why=f"{name} is no list of elements: write it without {index}")


@cache
def _shape(model: type[BaseModel], name: str) -> tuple[bool, type[BaseModel] | None]:
    """Whether a field repeats, and the model it leads into; a point is taken whole."""
    kind = _without_none(model.model_fields[name].annotation)
    repeated = get_origin(kind) is tuple
    if repeated:
        kind = get_args(kind)[0]
    inner = kind if isinstance(kind, type) and issubclass(kind, BaseModel) and kind is not Point else None
    return repeated, inner


def _without_none(kind: Any) -> Any:  # noqa: ANN401  a type's annotation
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (part for part in get_args(kind) if part is not type(None))
    return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind


def _leaf(path: Path, owner: type[BaseModel], name: str, section: str) -> Target:
    kind = _without_none(owner.model_fields[name].annotation)
    code_list = _CODE_LISTS.get((owner, name))
    if owner is Person and name == "role":
        code_list = f"{section}-role"
    if get_origin(kind) is tuple:
        return Target(path, Takes.SET if name in _SETS else Takes.TEXTS, code_list)
    by_type: dict[Any, Takes] = {
        str: Takes.TEXT,
        int: Takes.WHOLE_NUMBER,
        float: Takes.NUMBER,
        bool: Takes.YES_OR_NO,
        AwareDatetime: Takes.TIME,
        dt.date: Takes.DATE,
        Point: Takes.POINT,
    }
    return Target(path, by_type[kind], code_list)


def is_section(name: str) -> bool:
    """Whether several elements may stand under this name."""
    return name in SECTIONS and name not in SINGLE
