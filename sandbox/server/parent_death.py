"""Ties a process to its parent, so that a sandbox killed with SIGKILL leaves no process behind.

The process receives every signal, like one that a runner starts, even if the sandbox itself ignores some.

As a script it executes the command that follows: `python -I -S parent_death.py PARENT COMMAND ...` keeps its process id,
environment and its streams.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with(parent: int) -> None:
    """Let the kernel kill this process when `parent`, the process that started it, ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended before the call above: then the signal would never be sent.
    if os.getppid() != parent:
        os._exit(1)


def heed_every_signal() -> None:
    """Restore the default signal handling; an ignored signal would stay ignored in a new program."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    heed_every_signal()
    die_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606  the command is ours, and there must be no shell in between
