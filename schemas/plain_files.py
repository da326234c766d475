"""Files that people hand us: read up to a size, and only if they are files."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_at_most(path: Path, most_bytes: int) -> bytes:
    """The first bytes of a file, never more than this.

    What is no regular file is refused: to open a named pipe would wait for ever, and a device never ends.

    Raises:
        OSError: it cannot be read; ``strerror`` says why.
    """
    # A pipe that nobody writes to is open at once this way; a file is read as ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        return file.read(most_bytes)
