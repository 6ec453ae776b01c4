"""The entry: signals first, then everything else. Only here, exceptions become exit codes."""

import os
import signal
import sys

TYPE_CHECKING = False  # typing takes a while to load, and a signal must find its handler at once
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import TextIO

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class CancelledError(BaseException):
    """The runner cancels the job. Not an `Exception`, so that no other code catches it as a failure."""


def main() -> int:
    """Run the action in this process's environment and return its exit code."""
    received: list[int] = []
    ending = False

    def cancel(number: int, _frame: "FrameType | None") -> None:
        received.append(number)
        if not ending:  # nothing interrupts the end: a signal would lose the outputs
            raise CancelledError

    _on_signals(cancel)
    stream = _standard_output()
    run = outcome = failure = None
    try:
        try:
            if sys.platform != "win32":  # the entry point has blocked those that came so far
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            from redeploy.app import Run

            run = Run(os.environ, stream)
            outcome = run.run()
        finally:
            ending = True  # before anything is called: Python looks for a second signal at every call
    except (CancelledError, Exception) as error:  # noqa: BLE001 - shown without its traceback, which may quote a secret
        ending = True  # again, if a second signal came between the first one and the line above
        failure = error
    if run is None:
        from redeploy.app import Run  # what was cut short is loaded again

        run = Run(os.environ, stream)
    if outcome is None:  # a signal may have come out as another exception: Python wraps some of them
        outcome = run.cancelled(received[0]) if received else run.defective(failure or RuntimeError())
    try:
        code = run.close(outcome, hurried=lambda: bool(received))
    except Exception as error:  # noqa: BLE001 - as above
        code = run.close(run.defective(error, bare=True), hurried=lambda: True)
    _on_signals(signal.SIG_IGN)
    _flush(stream)
    return code


def _on_signals(handler: "Callable[[int, FrameType | None], None] | signal.Handlers") -> None:
    for each in _SIGNALS:
        signal.signal(each, handler)


def _standard_output() -> "TextIO":
    """Return standard output; if it is closed, a stand-in, so that no file or socket gets its number."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    return sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - it stays open to the end, as standard output does


def _flush(stream: "TextIO") -> None:
    """Write what is left; if that fails, keep Python from trying again and changing the exit code."""
    try:
        stream.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
