"""What setuptools builds besides the Python files: with HUECRY_COMPILE=yes, the hot path of routing as machine code.

mypyc compiles the same source that runs uncompiled everywhere else, so there is one truth. It needs mypy, a C compiler
and Python's headers: docs/compiling.md says how to have them, and how to see which of the two runs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from setuptools import setup

HOT = (
    *("schemas/avro_form", "schemas/codec", "schemas/cut", "schemas/located", "schemas/opened", "schemas/partitioner"),
    *("schemas/parts", "schemas/rewrite", "schemas/steps", "schemas/walk", "schemas/wire"),
    *("routing/account", "routing/arrived", "routing/asked", "routing/circulation", "routing/considering"),
    *("routing/course", "routing/deciding", "routing/disclose", "routing/effects", "routing/following"),
    *("routing/intake", "routing/recollection", "routing/recording", "routing/route", "routing/stating"),
    *("routing/telling", "routing/what_came_before", "routing/state/encoding", "routing/state/holding"),
    *("routing/state/incident", "routing/state/memory", "routing/state/remembering", "routing/state/sequence"),
)
"""What every event passes through. No class among them may be generic, or derived from what is not compiled: mypyc
(2.4) lets the garbage collector count weak references to such objects as strong ones, and so free what is in use."""

_BUILD = "build/compiling"


def _extensions() -> list[Any]:
    if os.environ.get("HUECRY_COMPILE") != "yes":
        return []
    from mypyc.build import mypycify  # noqa: PLC0415  only whoever compiles has it

    files = [_straight(), *(str(Path(module).with_suffix(".py")) for module in HOT)]
    return list(mypycify(["--config-file=pyproject.toml", *files], group_name="huecry", target_dir=_BUILD))


def _straight() -> str:
    """What `schemas.straight` makes of the schemas of events, as a file."""
    sys.path.insert(0, str(Path(__file__).parent))
    from schemas import straight  # noqa: PLC0415  only whoever compiles needs it
    from schemas.catalogue import catalogue  # noqa: PLC0415
    from schemas.cut import EventForm  # noqa: PLC0415

    for entry in catalogue().versions("IncidentEvent"):
        EventForm(entry.schema)
    made = Path(_BUILD, straight.MODULE).with_suffix(".py")
    made.parent.mkdir(parents=True, exist_ok=True)
    made.write_text(straight.as_module(straight.written), "utf-8")
    return str(made)


if __name__ == "__main__":
    # In a folder of its own: what was compiled once must not get into what is built later without it.
    setup(ext_modules=_extensions(), options={"build": {"build_base": _BUILD}})
