"""Which processes to ask, and for whom each works: from the file by which Prometheus finds them too.

A targets file is Prometheus' ``file_sd`` form, in JSON or YAML. The label ``job`` names the command a process runs,
``member`` whom it works for; both serve to name a process that does not answer.

    - targets: ["127.0.0.1:9401"]
      labels: {job: consume, member: greater-manchester}
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from schemas.errors import Rejected


@dataclass(frozen=True, slots=True)
class Target:
    """One process to ask: ``job`` and ``member`` are empty where nobody has said."""

    address: str
    """``host:port``."""
    job: str = ""
    member: str = ""


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    targets: list[str]
    labels: dict[str, str] = {}


_GROUPS = TypeAdapter(list[_Group])


def target(address: str, job: str = "", member: str = "") -> Target:
    """A target by its address.

    Raises:
        Rejected: not ``host:port``.
    """
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal() and 0 < int(port) < 1 << 16):
        raise Rejected("bad-target", f"{address!r}: expected host:port, as in 127.0.0.1:9400")
    return Target(address, job, member)


def read_targets(path: Path) -> tuple[Target, ...]:
    """The targets of a ``file_sd`` file.

    Raises:
        Rejected: unreadable, of another form, or an address that is none.
    """
    try:
        groups = _GROUPS.validate_python(yaml.safe_load(path.read_text("utf-8")) or [])
        return tuple(
            target(address, group.labels.get("job", ""), group.labels.get("member", ""))
            for group in groups
            for address in group.targets
        )
    except (OSError, UnicodeDecodeError) as error:
        raise Rejected("bad-targets", f"{path}: cannot be read ({type(error).__name__})") from error
    except yaml.YAMLError as error:
        raise Rejected("bad-targets", f"{path}: expected JSON or YAML") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors())
        raise Rejected("bad-targets", f"{path}: expected a list of targets with labels: {faults}") from error
    except Rejected as error:
        raise Rejected("bad-targets", f"{path}: {error}") from error


def all_targets(named: Iterable[str], files: Iterable[Path]) -> tuple[Target, ...]:
    """Those of the files, and those named; each address once.

    Raises:
        Rejected: as `read_targets` and `target`.
    """
    every = [*(found for path in files for found in read_targets(path)), *(target(address) for address in named)]
    return _each_once(every)


def _each_once(targets: Sequence[Target]) -> tuple[Target, ...]:
    first: dict[str, Target] = {}
    for one in targets:
        first.setdefault(one.address, one)
    return tuple(first.values())


def targets_document(targets: Iterable[Target]) -> list[dict[str, object]]:
    """What `read_targets` and Prometheus read, as plain data."""
    return [
        {
            "targets": [one.address],
            "labels": {key: value for key, value in (("job", one.job), ("member", one.member)) if value},
        }
        for one in targets
    ]
