"""Make tests independent of the signals that their caller ignores."""

import signal


def heed() -> None:
    """Let programs that tests start receive every signal, even those that this process ignores.

    A shell starts a background command with SIGINT ignored, `nohup` one with SIGHUP, and ignored signals stay ignored
    in child processes. A handler does not: it is reset to the default in the started program. This
    process still ignores such a signal, as its caller intended.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
