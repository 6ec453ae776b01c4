"""A run in a process of its own, cut short or not heard: what it has to say is written all the same."""

import io
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from redeploy.github.runner import Runner
from tests.adapters.github.test_runner import parsed

ROOT = Path(__file__).resolve().parents[2]
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def silent() -> Iterator[tuple[str, socket.socket]]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        yield f"http://127.0.0.1:{server.getsockname()[1]}", server


def start(
    folder: Path,
    inputs: dict[str, str],
    stdout: int = subprocess.PIPE,
    before: Callable[[], object] | None = None,
    program: Sequence[str] = (),
) -> "subprocess.Popen[bytes]":
    environment = {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        path = folder / name
        path.touch()
        environment[name] = str(path)
    covered = os.environ.get("COVERAGE_PROCESS_CONFIG")
    environment |= {"COVERAGE_PROCESS_CONFIG": covered} if covered else {}
    return subprocess.Popen(
        [sys.executable, "-I", "-u", *(program or [str(ROOT / "entrypoint.py")])],
        env=environment,
        cwd=folder,
        stdout=stdout,
        stderr=subprocess.PIPE,
        preexec_fn=before,  # noqa: PLW1509 - what it does is async-signal-safe
    )


def outputs(folder: Path) -> dict[str, str]:
    return parsed((folder / "GITHUB_OUTPUT").read_text())


VERIFY = {"mode": "verify", "openapi-path": "off", "timeout": "60s", "request-timeout": "60s"}


@pytest.mark.parametrize("pair", [SIGNALS, SIGNALS[::-1], (*SIGNALS, *SIGNALS)], ids=["int-term", "term-int", "four"])
def test_signals_that_come_together_end_a_run_with_its_outputs(
    pair: tuple[signal.Signals, ...], tmp_path: Path
) -> None:
    with silent() as (url, server):
        run = start(tmp_path, VERIFY | {"base-url": url})
        connection, _ = server.accept()
        run.send_signal(signal.SIGSTOP)  # so that all of them wait for the process when it goes on
        for each in pair:
            run.send_signal(each)
        run.send_signal(signal.SIGCONT)
        _, errors = run.communicate(timeout=30)
        connection.close()
    assert run.returncode in (130, 143)
    assert errors == b""
    assert outputs(tmp_path)["verdict"] == "cancelled"
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text()


STRUCK = f"""
import os, runpy, signal, sys
class Strike:
    def find_spec(self, name, *_):
        if name == "redeploy":
            for each in (signal.SIGINT, signal.SIGTERM):
                os.kill(os.getpid(), each)
sys.meta_path.insert(0, Strike())
runpy.run_path({str(ROOT / "entrypoint.py")!r}, run_name="__main__")
"""
"""An entry point that is struck by both signals while it loads the first module of ours."""


@pytest.mark.parametrize("waits", [False, True], ids=["while-it-loads", "before-it-starts"])
def test_signals_that_come_before_their_handler_end_a_run_with_its_outputs(waits: bool, tmp_path: Path) -> None:
    def strike_early() -> None:
        """Leave both signals to the program that this process becomes: what is blocked stays so, and waits."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for each in SIGNALS:
            os.kill(os.getpid(), each)

    with silent() as (url, _):
        program = () if waits else ("-c", STRUCK)
        run = start(tmp_path, VERIFY | {"base-url": url}, program=program, before=strike_early if waits else None)
        _, errors = run.communicate(timeout=30)
    assert (run.returncode in (130, 143), errors) == (True, b"")
    assert outputs(tmp_path)["verdict"] == "cancelled"
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text()


def test_without_a_standard_output_a_run_still_writes_its_outputs(tmp_path: Path) -> None:
    run = start(tmp_path, {"mode": "verify"}, before=lambda: os.close(1))
    _, errors = run.communicate(timeout=30)
    assert (run.returncode, errors) == (2, b"")
    assert outputs(tmp_path)["verdict"] == "invalid-config"


def test_a_standard_output_that_takes_nothing_changes_no_exit_code(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        run = start(tmp_path, {"mode": "verify"}, stdout=full.fileno())
        _, errors = run.communicate(timeout=30)
    assert (run.returncode, errors) == (2, b"")
    assert outputs(tmp_path)["verdict"] == "invalid-config"


def test_a_reader_of_the_log_who_leaves_does_not_end_a_run(tmp_path: Path) -> None:
    with silent() as (url, server):
        run = start(tmp_path, VERIFY | {"base-url": url, "timeout": "2s"})
        connection, _ = server.accept()
        assert run.stdout is not None
        run.stdout.close()
        connection.close()
        assert run.wait(timeout=30) == 1
        assert run.stderr is not None
        run.stderr.close()
    assert outputs(tmp_path)["verdict"] == "unhealthy"


def test_outputs_that_do_not_fit_leave_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "output"
    path.write_text("earlier=1\n")
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        Runner({"GITHUB_OUTPUT": str(path)}, io.StringIO()).set_outputs({"report": "x" * 5000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert path.read_text() == "earlier=1\n"
