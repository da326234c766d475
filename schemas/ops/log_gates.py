"""What may stand in a log line: event texts, keys, values and exceptions, each proven harmless or left out."""

from __future__ import annotations

import math
import re
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import PurePath
from types import FrameType
from typing import Final

from schemas.errors import HueCryError

WITHHELD: Final = "withheld"
_MAX_ITEMS: Final = 20
_MAX_FRAMES: Final = 12
_KEY_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_SLUG: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TOPIC: Final = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")
_IDENTIFIER: Final = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9._:/-]*")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9.\-\[\]:]+:[0-9]{1,5}(,[A-Za-z0-9.\-\[\]:]+:[0-9]{1,5})*")
_PLACE: Final = re.compile(r"[A-Za-z0-9_./<>-]+:[0-9]+")
_KAFKA_CODE: Final = re.compile(r"_?[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")

_Shape = Callable[[object], object]


def _number(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    return round(value, 6) if isinstance(value, float) and math.isfinite(value) else WITHHELD


def _text(pattern: re.Pattern[str], longest: int) -> _Shape:
    def fit(value: object) -> object:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, list | tuple | set | frozenset):
            items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
            return [fit(item) for item in items[:_MAX_ITEMS]]
        fits = isinstance(value, str) and len(value) <= longest and pattern.fullmatch(value)
        return str(value) if fits else WITHHELD

    return fit


def _error(value: object) -> object:
    return described(value) if isinstance(value, BaseException) else WITHHELD


def _shapes(shape: _Shape, names: str) -> dict[str, _Shape]:
    return dict.fromkeys(names.split(), shape)


ALLOWED_KEYS: Final[Mapping[str, _Shape]] = {
    **_shapes(
        _number,
        "attempt attempts age_s bytes count deliveries events exit_code interval_s lag_s limit line number offset "
        "partition partitions pid port position records retry_after_s schema_id schema_version seconds seed sequence "
        "signal slot stream_sequence timeout_s total version waited_s workers",
    ),
    **_shapes(
        _text(_SLUG, 60),
        "action agreement category command component database exchange force grade kind mapping member mode "
        "origin outcome phase reason recipient role rule section sections service setting sink source state status",
    ),
    **_shapes(_text(_TOPIC, 249), "group instance topic topics transactional_id worker"),
    **_shapes(
        _text(_IDENTIFIER, 200),
        "delivery_id digest disclosure_id event_id incident_id policy_version quarantine_id receipt_id",
    ),
    **_shapes(_text(_ADDRESS, 500), "address bootstrap broker"),
    **_shapes(_text(_KAFKA_CODE, 80), "kafka_error signal_name"),
    **_shapes(_text(_PLACE, 200), "at"),
    "error": _error,
}
"""Key → what fits its value. Identifiers hold a digit, as names of persons do not."""


def admitted(given: Mapping[str, object]) -> dict[str, object]:
    """The allowed keys with values that fit, sorted; and the names of those that were dropped."""
    kept: dict[str, object] = {key: ALLOWED_KEYS[key](given[key]) for key in sorted(given) if key in ALLOWED_KEYS}
    dropped = sorted(key for key in given if key not in ALLOWED_KEYS)
    if dropped:
        # Even a key may be data, where someone unpacks a row into a log call.
        kept["dropped_keys"] = [key if _KEY_NAME.fullmatch(key) else WITHHELD for key in dropped[:_MAX_ITEMS]]
    return kept


def calling_frame() -> FrameType | None:
    """The frame that made the log call: the first outside structlog and this package's log modules."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  there is no public way that is cheap
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] != "structlog" and module != __name__ and not _is_plumbing(frame, module):
            return frame
        frame = frame.f_back
    return None


def _is_plumbing(frame: FrameType, module: str) -> bool:
    return module == "schemas.ops.logs" and frame.f_code.co_name == "_gate"


def is_literal_of(text: object, frame: FrameType | None) -> bool:
    """Whether the text is written out in the function of this frame, and so was not made from data."""
    return isinstance(text, str) and frame is not None and text in frame.f_code.co_consts


def described(error: BaseException) -> dict[str, object]:
    """An exception's class and frames, the classes that caused it, and the message if it is an error of ours."""
    frames = traceback.extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    description: dict[str, object] = {
        "class": _class_name(error),
        "at": [f"{short_path(frame.filename)}:{frame.lineno}" for frame in frames],
    }
    if isinstance(error, HueCryError):
        description["message"] = str(error)
    causes = [_class_name(cause) for cause in _causes(error)]
    return description | ({"caused_by": causes} if causes else {})


def place(frame: FrameType) -> str:
    """Where a frame is: routing/loop.py:88."""
    return f"{short_path(frame.f_code.co_filename)}:{frame.f_lineno}"


def _causes(error: BaseException) -> list[BaseException]:
    causes: list[BaseException] = []
    following = error.__cause__ or error.__context__
    while following is not None and following not in causes and len(causes) < _MAX_FRAMES:
        causes.append(following)
        following = following.__cause__ or following.__context__
    return causes


def _class_name(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def short_path(file_name: str) -> str:
    """The last two parts of a path: the folders above may carry the name of whoever installed this."""
    return "/".join(PurePath(file_name).parts[-2:])
