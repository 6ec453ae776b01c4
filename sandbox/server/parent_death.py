"""Ties a process to the one that started it, so that a sandbox killed with SIGKILL leaves nothing behind.

The process gets every signal, as one that a runner starts does, even where the sandbox was started to ignore some.

As a script it becomes the command that follows: `python -I -S parent_death.py PARENT COMMAND ...` keeps its process id, its
environment and its streams.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with(parent: int) -> None:
    """Has the kernel kill this process once `parent`, the process that started it, is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have gone before the call above: then no one would ever send the signal.
    if os.getppid() != parent:
        os._exit(1)


def heed_every_signal() -> None:
    """Restores the dispositions that a process has by default; an ignored signal would stay ignored in a new program."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    heed_every_signal()
    die_with(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606  the command is ours, and no shell must come between
