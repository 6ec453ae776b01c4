"""Tests whose outcome does not depend on which signals their caller ignores."""

import signal


def heed() -> None:
    """Have the programs that tests start get every signal, even those that this process was started to ignore.

    A shell starts a command in the background with SIGINT ignored, `nohup` one with SIGHUP, and what is ignored stays so
    in every process started from there. A handler does not: it becomes the default in the program that is started. This
    process still does nothing on such a signal, as its caller wanted.
    """
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
