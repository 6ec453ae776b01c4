"""The edge: signals first, then everything else. The one place that turns exceptions into exit codes."""

import os
import signal
import sys

TYPE_CHECKING = False  # typing takes a while to load, and a signal must find its handler at once
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class CancelledError(BaseException):
    """The runner cancels the job. Not an `Exception`, so that nothing on the way takes it for a failure of its own."""


def main() -> int:
    """Run the action in this process's environment and return its exit code."""
    received: list[int] = []

    def cancel(number: int, _frame: "FrameType | None") -> None:
        received.append(number)
        raise CancelledError

    def note(number: int, _frame: "FrameType | None") -> None:
        received.append(number)  # nothing interrupts the end: a signal would lose the outputs

    _on_signals(cancel)
    action = failure = None
    try:
        from redeploy.action import Action

        action = Action(os.environ, sys.stdout)
        outcome = action.run()
        _on_signals(note)
    except (CancelledError, Exception) as error:  # noqa: BLE001 - shown without its traceback, which may quote a secret
        _on_signals(note)
        failure = error
    if action is None:
        from redeploy.action import Action  # what was cut short is loaded anew

        action = Action(os.environ, sys.stdout)
    if failure is not None:  # a signal may have come out as another exception: Python wraps what a class body raises
        outcome = action.cancelled(received[0]) if received else action.defective(failure)
    code = action.close(outcome, hurried=lambda: bool(received))
    _on_signals(signal.SIG_IGN)
    return code


def _on_signals(handler: "Callable[[int, FrameType | None], None] | signal.Handlers") -> None:
    for each in _SIGNALS:
        signal.signal(each, handler)
