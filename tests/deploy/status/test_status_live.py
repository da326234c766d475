"""The live screen, on a terminal as a person has it."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

from tests.deploy.status.telling import exposed, serving

PATIENCE_S = 120.0
CONSUMER = exposed("consume", "south", 'delivered_total{recipient="south",outcome="written"} 7')


def test_it_looks_again_and_again_until_ctrl_c_and_then_ends_well():
    shown, terminal = pty.openpty()
    with serving(CONSUMER, {"sink": "the database is away"}) as ill:
        command = [sys.executable, "-c", "from deploy.cli import main; main()", "status", "--target", ill]
        environment = {**os.environ, "COLUMNS": "80", "LINES": "30", "TERM": "xterm", "NO_COLOR": "1"}
        with subprocess.Popen(
            [*command, "--interval", "0.1"], stdin=terminal, stdout=terminal, stderr=terminal, env=environment
        ) as process:
            os.close(terminal)
            try:
                said = heard(shown, looks=3)
                process.send_signal(signal.SIGINT)
                assert drained(shown, process) == 0
            finally:
                process.kill()
    os.close(shown)
    assert "south: nothing delivered: consumer not ready: the database is away" in " ".join(said.split())
    assert "Traceback" not in said


def heard(shown: int, looks: int) -> str:
    """What the terminal got, once the screen was drawn so many times."""
    said, deadline = "", time.monotonic() + PATIENCE_S
    while said.count("Not everything flows") < looks:
        assert time.monotonic() < deadline, said
        if select.select([shown], [], [], 1)[0]:
            said += os.read(shown, 65536).decode()
    return said


def drained(shown: int, process: subprocess.Popen[bytes]) -> int:
    """Its exit code; its last words are read, for a terminal holds few."""
    deadline = time.monotonic() + PATIENCE_S
    while process.poll() is None:
        assert time.monotonic() < deadline, "it does not end"
        if select.select([shown], [], [], 0.05)[0]:
            with suppress(OSError):  # the other end is closed
                os.read(shown, 65536)
    return process.returncode
