"""A run in its own process, disturbed at every phase: it still writes everything that can be written.

`PHASES` says how far a run gets before it is disturbed, `DISTURBANCES` what happens to it, and what it can still write.
"""

import contextlib
import io
import itertools
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from redeploy.github.runner import Runner
from tests.adapters.github.test_runner import parsed

ROOT = Path(__file__).resolve().parents[2]
SIGNALS = (signal.SIGINT, signal.SIGTERM)
TERM = 128 + signal.SIGTERM
INTERRUPTED = 128 + signal.SIGINT


class Server:
    """A service with a Watchtower. It never responds to the path `silent`; a request for it sets `reached`."""

    def __init__(self, silent: str, *, sick: bool = False) -> None:
        self.silent, self.sick = silent, sick
        self.reached = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._triggered = False
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        for each in [self._socket, *self._open]:
            each.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self._open.append(connection)
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (part := connection.recv(65536)):
                    return
                head += part
            path = head.split()[1].decode().partition("?")[0]
            if path == self.silent:
                self.reached.set()
                return  # and the connection stays open
            after = self._triggered
            self._triggered = after or path == "/update"
            if after and self.sick:
                self.reached.set()
            status = b"503 Service Unavailable" if after and self.sick else b"200 OK"
            body = b"" if path == "/update" else b'{"status": "ready"}'
            kind = b"Content-Type: application/json\r\nConnection: close"
            connection.sendall(b"HTTP/1.1 %b\r\n%b\r\nContent-Length: %d\r\n\r\n%b" % (status, kind, len(body), body))
            connection.close()


@dataclass(frozen=True)
class Phase:
    """How far a run gets."""

    inputs: Mapping[str, str]
    silent: str = ""
    sick: bool = False
    """Whether the service is not ready any more after the trigger."""
    says: str = ""
    """What the summary of a run that is cancelled here says."""


VERIFY = {"mode": "verify", "base-url": "{origin}", "openapi-path": "off", "timeout": "60s", "request-timeout": "60s"}
DEPLOY = {
    **VERIFY,
    "mode": "deploy",
    "watchtower-url": "{origin}/update",
    "watchtower-token": "tok-8d1f0c6b2a",
    "request-rate": "30/s",
}
PHASES = {
    "before the trigger": Phase(DEPLOY, "/api/ready", says="before anything was triggered"),
    "the trigger is out": Phase(DEPLOY, "/update", says="after the trigger: the update may continue"),
    "the service is watched": Phase(DEPLOY, sick=True, says="after the trigger: the update may continue"),
    "a check is out": Phase(
        {**VERIFY, "stable-for": "1s", "smoke": "GET /smoke"}, "/smoke", says="before anything was triggered"
    ),
    "an image is put back": Phase(
        {**DEPLOY, "mode": "rollback", "image": "{registry}/o/api:latest", "rollback-to": "stable"},
        "/v2/o/api/manifests/latest",
        says="during the rollback",
    ),
    "inputs are refused": Phase({"mode": "verify"}),
}
REFUSED = "inputs are refused"
"""The phase that ends by itself, before a signal can arrive."""


@dataclass
class Setting:
    """Settings of the process that is about to start, and where its results go."""

    folder: Path
    environment: dict[str, str] = field(default_factory=lambda: {"GITHUB_ACTIONS": "true"})
    stdout: int = subprocess.PIPE
    before: Callable[[], object] | None = None
    """Runs in the child process before the action starts; must be safe after a fork."""
    undo: list[Callable[[], object]] = field(default_factory=list)


def _closed(number: int) -> Callable[[Setting], None]:
    def disturb(setting: Setting) -> None:
        setting.before = lambda: os.close(number)

    return disturb


def _full_log(setting: Setting) -> None:
    setting.stdout = os.open("/dev/full", os.O_WRONLY)
    setting.undo.append(lambda: os.close(setting.stdout))


def _full_disk(name: str) -> Callable[[Setting], None]:
    """Put the file on a full disk: a tiny file system where mounting is allowed, `/dev/full` otherwise."""

    def disturb(setting: Setting) -> None:
        disk = setting.folder / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "none", str(disk)]
        if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
            setting.environment[name] = "/dev/full"
            return
        setting.undo.append(lambda: subprocess.run(["umount", str(disk)], check=True))
        (disk / name).touch()
        (disk / "others").write_bytes(b"x" * 4096)
        setting.environment[name] = str(disk / name)

    return disturb


def _unset(name: str) -> Callable[[Setting], None]:
    return lambda setting: setting.environment.update({name: ""})


def _nothing(_: Setting) -> None: ...


def _leave(run: "subprocess.Popen[bytes]", _: Setting) -> None:
    assert run.stdout is not None
    run.stdout.close()


def _remove(name: str) -> Callable[["subprocess.Popen[bytes]", Setting], None]:
    """Remove the file's folder during the run."""

    def disturb(_: "subprocess.Popen[bytes]", setting: Setting) -> None:
        shutil.rmtree(Path(setting.environment[name]).parent)

    return disturb


def _remove_all(_: "subprocess.Popen[bytes]", setting: Setting) -> None:
    shutil.rmtree(setting.folder / "workspace")


@dataclass(frozen=True)
class Disturbance:
    """What happens to a run before it starts or at a phase, and what it can still write."""

    first: Callable[[Setting], None] = _nothing
    then: Callable[["subprocess.Popen[bytes]", Setting], object] = lambda _, __: None
    signals: tuple[signal.Signals, ...] = (signal.SIGTERM,)
    codes: tuple[int, ...] = (TERM,)
    outputs: bool = True
    """Whether the outputs are written."""
    summary: bool = True
    says: str = ""
    """What the log must contain."""
    readable: bool = True
    """Whether the log can be read."""


FULL = "cannot be written: No space left on device"
GONE = "cannot be written: No such file or directory"
DISTURBANCES = {
    "SIGINT": Disturbance(signals=(signal.SIGINT,), codes=(INTERRUPTED,)),
    "SIGTERM": Disturbance(),
    "SIGINT, then SIGTERM": Disturbance(signals=SIGNALS, codes=(INTERRUPTED, TERM)),
    "SIGTERM, then SIGINT": Disturbance(signals=SIGNALS[::-1], codes=(INTERRUPTED, TERM)),
    "two of each": Disturbance(signals=(*SIGNALS, *SIGNALS), codes=(INTERRUPTED, TERM)),
    "no standard input": Disturbance(_closed(0)),
    "no standard output": Disturbance(_closed(1), readable=False),
    "no standard error": Disturbance(_closed(2)),
    "the log's disk is full": Disturbance(_full_log, readable=False),
    "the reader of the log leaves": Disturbance(then=_leave, readable=False),
    "the outputs' disk is full": Disturbance(_full_disk("GITHUB_OUTPUT"), outputs=False, says=f"GITHUB_OUTPUT {FULL}"),
    "the summary's disk is full": Disturbance(
        _full_disk("GITHUB_STEP_SUMMARY"), summary=False, says=f"GITHUB_STEP_SUMMARY {FULL}"
    ),
    "the outputs' folder goes away": Disturbance(
        then=_remove("GITHUB_OUTPUT"), outputs=False, says=f"GITHUB_OUTPUT {GONE}"
    ),
    "the summary's folder goes away": Disturbance(
        then=_remove("GITHUB_STEP_SUMMARY"), summary=False, says=f"GITHUB_STEP_SUMMARY {GONE}"
    ),
    "the workspace goes away": Disturbance(then=_remove_all),
    "no file for outputs is named": Disturbance(
        _unset("GITHUB_OUTPUT"), outputs=False, says="GITHUB_OUTPUT is not set"
    ),
    "no file for a summary is named": Disturbance(
        _unset("GITHUB_STEP_SUMMARY"), summary=False, says="GITHUB_STEP_SUMMARY is not set"
    ),
}


def _rows() -> Iterator[tuple[str, str]]:
    """Every phase with every disturbance, except those during a run for the phase that ends by itself."""
    for phase, name in itertools.product(PHASES, DISTURBANCES):
        one = DISTURBANCES[name]
        during_the_run = one.then is not Disturbance.then or one.signals != (signal.SIGTERM,) or name == "SIGTERM"
        if phase != REFUSED or not during_the_run:
            yield phase, name


@contextlib.contextmanager
def _started(setting: Setting, program: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the action in its own process, which is ended after the test.

    It runs without coverage: a signal that arrives while coverage holds its lock would deadlock it.
    """
    with subprocess.Popen(
        [sys.executable, "-I", "-u", *program],
        env=setting.environment,
        cwd=setting.folder / "workspace",
        stdin=subprocess.DEVNULL,
        stdout=setting.stdout,
        stderr=subprocess.PIPE,
        preexec_fn=setting.before,  # noqa: PLW1509 - what it does is async-signal-safe
    ) as run:
        try:
            yield run
        finally:
            run.kill()


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    made = Setting(tmp_path)
    (tmp_path / "workspace").mkdir()
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        file = tmp_path / f"files of {name}" / name
        file.parent.mkdir()
        file.touch()
        made.environment[name] = str(file)
    yield made
    for undo in made.undo:
        undo()


def _read(setting: Setting, name: str) -> str:
    """The content of the file that an environment variable names; empty without a file."""
    path = Path(setting.environment[name] or os.devnull)
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _inputs(phase: Phase, origin: str) -> dict[str, str]:
    registry = origin.removeprefix("http://")
    filled = {name: text.format(origin=origin, registry=registry) for name, text in phase.inputs.items()}
    return {f"INPUT_{name.upper()}": text for name, text in filled.items()}


@pytest.mark.parametrize(("phase", "disturbance"), list(_rows()))
def test_a_disturbed_run_keeps_its_exit_code_and_writes_everything_that_can_be_written(
    phase: str, disturbance: str, setting: Setting
) -> None:
    at, what = PHASES[phase], DISTURBANCES[disturbance]
    what.first(setting)
    with contextlib.closing(Server(at.silent, sick=at.sick)) as server:
        setting.environment |= _inputs(at, server.origin)
        with _started(setting, [str(ROOT / "entrypoint.py")]) as run:
            if phase != REFUSED:
                assert server.reached.wait(30)
                what.then(run, setting)
                run.send_signal(signal.SIGSTOP)  # so that all signals are pending when the process continues
                for each in what.signals:
                    run.send_signal(each)
                run.send_signal(signal.SIGCONT)
            left = disturbance == "the reader of the log leaves"
            log, errors = (b"", _end(run)) if left else run.communicate(timeout=30)
    assert run.returncode in ((2,) if phase == REFUSED else what.codes)
    assert errors == b""
    written, summary = _read(setting, "GITHUB_OUTPUT"), _read(setting, "GITHUB_STEP_SUMMARY")
    assert bool(written) is what.outputs, log
    assert bool(summary) is what.summary, log
    if what.outputs:
        assert parsed(written)["verdict"] == ("invalid-config" if phase == REFUSED else "cancelled")
    if what.summary:
        assert at.says in summary
    if what.readable:
        assert what.says in log.decode()


def _end(run: "subprocess.Popen[bytes]") -> bytes:
    """Wait for a run whose log is not read, and return what it wrote to standard error."""
    assert run.stderr is not None
    with run.stderr as errors:
        written = errors.read()
    run.wait(timeout=30)
    return written


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
"""An entry point that gets both signals while it imports the action's first module."""


@pytest.mark.parametrize("waits", [False, True], ids=["while-it-loads", "before-it-starts"])
def test_a_run_that_gets_signals_before_its_handlers_are_set_still_writes_its_outputs(
    waits: bool, setting: Setting
) -> None:
    def strike_early() -> None:
        """Leave both signals pending for the program that replaces this process: blocked signals stay blocked."""
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        for each in SIGNALS:
            os.kill(os.getpid(), each)

    setting.before = strike_early if waits else None
    with contextlib.closing(Server("/api/ready")) as server:
        setting.environment |= _inputs(Phase(VERIFY), server.origin)
        with _started(setting, [str(ROOT / "entrypoint.py")] if waits else ["-c", STRUCK]) as run:
            _, errors = run.communicate(timeout=30)
    assert (run.returncode in (INTERRUPTED, TERM), errors) == (True, b"")
    assert parsed(_read(setting, "GITHUB_OUTPUT"))["verdict"] == "cancelled"
    assert _read(setting, "GITHUB_STEP_SUMMARY")


def test_a_run_continues_when_the_reader_of_the_log_leaves(setting: Setting) -> None:
    with contextlib.closing(Server("/api/ready")) as server:
        setting.environment |= _inputs(Phase({**VERIFY, "timeout": "2s"}), server.origin)
        with _started(setting, [str(ROOT / "entrypoint.py")]) as run:
            assert server.reached.wait(30)
            assert run.stdout is not None
            run.stdout.close()
            assert _end(run) == b""
    assert run.returncode == 1
    assert parsed(_read(setting, "GITHUB_OUTPUT"))["verdict"] == "unhealthy"


def test_outputs_that_do_not_fit_leave_the_file_as_it_was(tmp_path: Path) -> None:
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
