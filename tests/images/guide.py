"""docs/deploying.md as tests read it: its commands, heading by heading."""

from __future__ import annotations

import re
from typing import Final

from tests.images.engine import ROOT

GUIDE: Final = (ROOT / "docs" / "deploying.md").read_text("utf-8")


def commands(heading: str) -> str:
    """The shell commands beneath a heading, as a script."""
    part = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    assert part is not None, heading
    return "\n".join(_blocks(part[1]))


def every_line() -> list[str]:
    """Every shell command of the guide in one line each, comments left out."""
    script = re.sub(r"\\\n\s*", "", "\n".join(_blocks(GUIDE)))
    return [line.partition("   #")[0].strip() for line in script.splitlines() if line.strip()]


def _blocks(text: str) -> list[str]:
    found = re.findall(r"^( *)```sh\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return ["\n".join(line.removeprefix(indent) for line in block.splitlines()) for indent, block in found]
