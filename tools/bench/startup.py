"""The cost of the action before its first request, compared with only importing `requests`."""

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROUNDS = 9
ENTRYPOINT = Path(__file__).resolve().parents[2] / "entrypoint.py"


def measure() -> dict[str, float]:
    """Return the time to the first request and the peak memory, as multiples of `python -I -c "import requests"`.

    Also the milliseconds to the first request, and those of an interpreter that does nothing, of that import and of
    one request by `curl`. All times are CPU times, so other work of the machine hardly counts.
    """
    times: dict[str, list[float]] = {"first": [], "nothing": [], "requests": [], "curl": []}
    python = [sys.executable, "-I", "-c"]
    listener = _Listener()
    for _ in range(ROUNDS):  # in turn, so that a machine that slows down slows all
        times["requests"].append(_used([*python, "import requests"]))
        times["first"].append(_first_request())
        times["nothing"].append(_used([*python, "pass"]))
        times["curl"].append(_used(["curl", "-s", "-o", os.devnull, listener.url]))
    listener.close()
    medians = {name: statistics.median(each) for name, each in times.items()}
    memory = statistics.median(
        _peak([sys.executable, "-I", "-u", "-c", "import sys, requests; print(); sys.stdin.read()"]) for _ in range(3)
    )
    whole = statistics.median(_peak_of_a_deploy() for _ in range(3))
    return {
        "time to the first request": medians["first"] / medians["requests"],
        "peak memory": whole / memory,
        **{f"ms: {name}": 1000 * seconds for name, seconds in medians.items()},
        "MiB": whole / 1024,
        "MiB: requests": memory / 1024,
    }


def _used(command: list[str]) -> float:
    """Return the CPU seconds that a command takes."""
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(process, 0)
    assert status == 0, status
    return used.ru_utime + used.ru_stime


def _processor_seconds(process: int) -> float:
    """Return the CPU time that the threads of a process have used (proc_pid_schedstat(5), nanoseconds)."""
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in threads) / 1e9


class _Listener:
    """Responds to every request with an empty 200, which is enough for a service and for containrrr.

    At the first request, it records the CPU time that the sending process has used.
    """

    def __init__(self) -> None:
        self.process: int | None = None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1/update"
        self.first: float | None = None
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            with connection:
                connection.recv(65_536)
                if self.first is None and self.process is not None:
                    self.first = _processor_seconds(self.process)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def close(self) -> None:
        self._socket.close()


def _start(listener: _Listener, folder: str) -> "subprocess.Popen[bytes]":
    environment = {
        "INPUT_WATCHTOWER-URL": listener.url,
        "INPUT_WATCHTOWER-TOKEN": "a" * 32,
        "INPUT_STABLE-FOR": "1s",
        "INPUT_TIMEOUT": "30s",
        "GITHUB_OUTPUT": f"{folder}/output",
        "GITHUB_STEP_SUMMARY": f"{folder}/summary",
        "PATH": os.environ["PATH"],
    }
    process = subprocess.Popen(
        [sys.executable, "-I", "-u", str(ENTRYPOINT)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    listener.process = process.pid
    return process


def _first_request() -> float:
    with tempfile.TemporaryDirectory() as folder:
        listener = _Listener()
        with _start(listener, folder) as process:
            while listener.first is None and process.poll() is None:
                time.sleep(0.001)
            process.kill()
        listener.close()
    if listener.first is None:
        msg = "the action ended without a request"
        raise AssertionError(msg)
    return listener.first


def _peak_of_a_deploy() -> float:
    with tempfile.TemporaryDirectory() as folder:
        listener = _Listener()
        with _start(listener, folder) as process:
            peak = 0.0
            while process.poll() is None:
                peak = max(peak, resident(process.pid))
                time.sleep(0.02)
        listener.close()
    return peak


def _peak(command: list[str]) -> float:
    """Return the peak memory in KiB of a command that writes a line once it has started, and ends with its input."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)  # it has loaded everything
        return resident(process.pid)


def resident(process: int | str, what: str = "VmHWM") -> float:
    """Return a process's resident memory in KiB, by default at its peak; 0 if it has just ended."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    match = re.search(rf"{what}:\s+(\d+)", status)
    return float(match[1]) if match else 0.0
