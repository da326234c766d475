"""A child process that ends when this one does, however this one ends."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

# PR_SET_PDEATHSIG is 1: the kernel kills this process when the thread that started it ends; then it becomes the program
# wanted. Only Linux has it: elsewhere a killed parent leaves its child behind.
_TIE_AND_BECOME: Final = (
    "import ctypes, os, signal, sys\n"
    "if sys.platform == 'linux': ctypes.CDLL(None).prctl(1, signal.SIGKILL)\n"
    "if os.getppid() != int(sys.argv[1]): sys.exit('the parent is gone')\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


def start_child(command: Sequence[str], log: Path, *, holding: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Run ``command`` (its first word an absolute path) with both outputs appended to ``log``.

    It has a session of its own, so that Ctrl-C reaches only us and we end it when its clients are done. The file
    descriptors ``holding`` stay open in it: a lock on one of them lasts as long as it runs.
    """
    started: queue.SimpleQueue[subprocess.Popen[bytes] | OSError] = queue.SimpleQueue()
    # The kernel watches the thread that starts a process, so one stays for as long as the process does.
    threading.Thread(target=_keep, args=(command, log, holding, started), daemon=True).start()
    try:
        child = started.get()
    except BaseException:  # interrupted: what is being started must not outlive this call
        late = started.get()
        if not isinstance(late, OSError):
            end_child(late, 0)
        raise
    if isinstance(child, OSError):
        raise child
    return child


def _keep(
    command: Sequence[str],
    log: Path,
    holding: Sequence[int],
    started: queue.SimpleQueue[subprocess.Popen[bytes] | OSError],
) -> None:
    tie = [sys.executable, "-I", "-S", "-c", _TIE_AND_BECOME, str(os.getpid())]
    try:
        with log.open("ab") as output:
            child = subprocess.Popen(
                [*tie, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=holding,
            )
    except OSError as error:
        started.put(error)
        return
    started.put(child)
    child.wait()


def end_child(child: subprocess.Popen[bytes], grace_s: float) -> None:
    """Ask it to end (SIGTERM), and make it end if it has not within ``grace_s``."""
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
