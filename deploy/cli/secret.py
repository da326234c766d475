"""Secrets that a command is given: in a file, never among its arguments, which others can list."""

from __future__ import annotations

from pathlib import Path

from schemas.errors import Rejected


def secret(path: Path | None) -> str | None:
    """The one line of a file; None without a file.

    Raises:
        Rejected: the file cannot be read, or holds nothing, or more than one line.
    """
    if path is None:
        return None
    try:
        lines = path.read_text("utf-8").strip().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Rejected("bad-secret", f"{path}: cannot be read: {type(error).__name__}") from None
    if len(lines) != 1:
        raise Rejected("bad-secret", f"{path}: expected one line, got {len(lines)}")
    return lines[0].strip()
