"""Starts the service's processes from a process that has already imported FastAPI and forks in milliseconds.

A line of JSON on standard input requests a process or a signal; a line of output reports the result. When the input ends,
because its owner closed it or was killed, the pool kills its processes and ends.
"""

import gc
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, Self, cast

from sandbox.server.builds import Build
from sandbox.server.parent_death import die_with


class Process:
    """A service process, as its world sees it."""

    def __init__(
        self, pool: "ProcessPool", number: int, on_listening: Callable[[], None], on_exit: Callable[[], None]
    ) -> None:
        self.listening = threading.Event()
        self.exited = threading.Event()
        self.on_listening = on_listening
        self.on_exit = on_exit
        self._pool = pool
        self._number = number

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; does nothing if the process has ended."""
        self._pool.order(do="signal", number=self._number, signal=int(number))


class ProcessPool:
    """The owner's side: starts the forking process, and tracks all processes."""

    def __init__(self) -> None:
        self._processes: dict[int, Process] = {}
        self._lock = threading.Lock()
        self._child = subprocess.Popen(
            [sys.executable, "-m", "sandbox.server.process_pool"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[2],
            start_new_session=True,  # Ctrl-C in a terminal is for the world's owner, which then closes this
        )
        self._orders = cast("IO[bytes]", self._child.stdin)
        self._news = cast("IO[bytes]", self._child.stdout)
        self._listener = threading.Thread(target=self._listen, name="process-pool", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """Process id of the forking process."""
        return self._child.pid

    def spawn(self, build: Build, port: int, on_listening: Callable[[], None], on_exit: Callable[[], None]) -> Process:
        """Start one build on `port`; the callbacks run in the pool's thread."""
        with self._lock:
            number = len(self._processes)
            process = self._processes[number] = Process(self, number, on_listening, on_exit)
        self.order(do="spawn", number=number, port=port, build=build.dump())
        return process

    def order(self, **order: object) -> None:
        """Write one order."""
        with self._lock:
            if not self._orders.closed:
                self._orders.write(json.dumps(order).encode() + b"\n")
                self._orders.flush()

    def close(self) -> None:
        """Kill every process that was started here."""
        with self._lock:
            self._orders.close()
        self._child.wait()
        self._listener.join()
        self._news.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _listen(self) -> None:
        for line in self._news:
            word, number = line.split()
            process = self._processes[int(number)]
            if word == b"listening":
                process.listening.set()
                process.on_listening()
            else:
                process.exited.set()
                process.on_exit()


def _fork(number: int, build: Build, port: int) -> int:
    """Fork a process that serves `build`, and return its process id."""
    from sandbox.server import backend

    pool = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        die_with(pool)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # an open standard input would hide the owner's death
        backend.serve(build, port, lambda: _report("listening", number))
    except Exception:  # noqa: BLE001  a forked child must not return into its parent's loop
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _report(word: str, number: int) -> None:
    # One write of a few bytes: lines of several processes are not mixed.
    os.write(1, f"{word} {number}\n".encode())


def main() -> None:
    """Carry out orders until standard input ends."""
    from sandbox.server import backend

    backend.warm_up()
    gc.freeze()  # a collection in a forked process would touch, and so copy, every page that it shares with this one
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    numbers: dict[int, int] = {}
    pending = b""
    while True:
        ready, _, _ = select.select([0, wake_read], [], [])
        if wake_read in ready:
            os.read(wake_read, 4096)
            _reap(numbers)
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                break
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                _obey(json.loads(line), numbers)
    for pid in numbers:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _obey(order: dict[str, object], numbers: dict[int, int]) -> None:
    number = int(str(order["number"]))
    if order["do"] == "spawn":
        numbers[_fork(number, Build.load(str(order["build"])), int(str(order["port"])))] = number
        return
    for pid, known in numbers.items():
        if known == number:
            os.kill(pid, int(str(order["signal"])))


def _reap(numbers: dict[int, int]) -> None:
    for pid in list(numbers):
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            _report("exited", numbers.pop(pid))


if __name__ == "__main__":
    main()
