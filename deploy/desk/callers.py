"""Who runs a command: a user of the operating system, or whoever holds a token."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from schemas.errors import Rejected

TOKEN_VARIABLE: Final = "HUECRY_TOKEN"  # noqa: S105  the name of a variable
"""The environment variable that may hold a token in place of a file."""
_LEAST_CHARACTERS: Final = 32
"""The digest of a token stands in the policy, where a short one could be found by trying."""
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Caller:
    """Who runs a command, as far as the machine and a token tell."""

    user: str
    """Of the operating system; of a token's holder too, for the access log."""
    token_sha256: str = ""
    """In hexadecimal; empty: no token was shown, and the user is the proof."""

    @property
    def authenticated_by(self) -> Literal["os-user", "token"]:
        """What the person is known by."""
        return "token" if self.token_sha256 else "os-user"

    @property
    def reader(self) -> str:
        """How the access log names who looks, and under which name is kept what they have seen."""
        return f"{self.user} (token {self.token_sha256[:_SHOWN]})" if self.token_sha256 else self.user


def caller(token_file: Path | None, environment: Mapping[str, str] = os.environ) -> Caller:
    """Who runs this: the holder of a token if one is shown, else the operating system's user.

    Args:
        token_file: holds a token.
        environment: may hold one in `TOKEN_VARIABLE`. Nothing else in it is believed.

    Raises:
        Rejected: the file cannot be read or others may read it; the token is too short to be one; the operating system
            has no name for this user.
    """
    token = _token_of(token_file) if token_file else environment.get(TOKEN_VARIABLE, "").strip()
    if not token and not token_file and TOKEN_VARIABLE not in environment:
        return Caller(system_user())
    if len(token) < _LEAST_CHARACTERS:
        raise Rejected(
            "bad-token",
            f"expected a token of at least {_LEAST_CHARACTERS} characters in {token_file or TOKEN_VARIABLE}, got "
            f"{len(token)}",
            remedy="make one with: openssl rand -hex 32",
        )
    return Caller(system_user(), hashlib.sha256(token.encode()).hexdigest())


def system_user() -> str:
    """The operating system's name for the user that this process runs as; the environment has no say.

    Raises:
        Rejected: it has none.
    """
    try:
        import pwd  # noqa: PLC0415  not on every system

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        raise Rejected(
            "no-user",
            "the operating system has no name for the user that runs this",
            remedy="run it as a user with a name, or on a system that tells it",
        ) from None


def _token_of(file: Path) -> str:
    try:
        if file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            raise Rejected(
                "bad-token", f"{file}: everybody may read or write this file", remedy=f"chmod 600 {file}, or new tokens"
            )
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Rejected("bad-token", f"{file}: expected a file with a token: {type(error).__name__}") from None
