"""A strict version of GitHub's runner: the environment of a container action, and how its output is read.

What the real one silently tolerates, and what our action should never do, is reported in `Run.problems`.
"""

import codecs
import os
import secrets as randomness
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM, Signals
from typing import IO, cast

import yaml

from sandbox.runner.commands import LineSplitter
from sandbox.runner.environment import github_variables, input_variables, step_environment, unexpected_inputs
from sandbox.runner.launchers import Launcher, Room
from sandbox.runner.log import StepLog
from sandbox.runner.masks import Masker
from sandbox.runner.results import Reading, Run
from sandbox.server import parent_death

SECRET_INPUTS = ("watchtower-token", "registry-password", "github-token")
_FILES = {
    "GITHUB_OUTPUT": "set_output",
    "GITHUB_ENV": "set_env",
    "GITHUB_PATH": "add_path",
    "GITHUB_STATE": "save_state",
    "GITHUB_STEP_SUMMARY": "step_summary",
}
# How long the runner waits after each signal of a cancellation before it sends the next.
_PATIENCE = ((SIGINT, 7.5), (SIGTERM, 2.5), (SIGKILL, 10.0))
_CANCELLED_WITHIN = 2.0


@dataclass(frozen=True)
class Interrupt:
    """A cancellation: `after` seconds after `when` holds, send `signal`; then the signals that the runner sends next."""

    after: float = 0.0
    signal: Signals = SIGINT
    when: Callable[[], bool] = lambda: True


@dataclass
class Runner:
    """Runs the action of a project. A runner may be used many times, and from several threads."""

    project: Path
    launcher: Launcher
    patience: float = 180.0
    """Seconds after which a step is killed."""
    github: Mapping[str, str] = field(default_factory=dict)
    """`GITHUB_*` variables that replace the default ones."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """The `env:` of every step."""

    def manifest(self) -> dict[str, dict[str, dict[str, str]]]:
        """Return the content of `action.yml`, with every scalar as text."""
        text = (self.project / "action.yml").read_text()
        return cast("dict[str, dict[str, dict[str, str]]]", yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506  builds strings only

    def run(
        self,
        inputs: Mapping[str, str],
        *,
        environment: Mapping[str, str] | None = None,
        workspace: Path | None = None,
        interrupt: Interrupt | None = None,
        secrets: Iterable[str] = (),
        files: Mapping[str, str] | None = None,
        on_line: Callable[[str], object] | None = None,
    ) -> Run:
        """Run one step.

        `secrets` are the secrets that GitHub knows, `files` the content of the workspace by path; `on_line`
        gets the log's lines as they come.
        """
        temp = Path(tempfile.mkdtemp(prefix="runner-"))
        try:
            place = workspace or temp / "workspace"
            _check_out(files or {}, place)
            step = _Step(
                self,
                Room(temp, place),
                inputs=inputs,
                environment={**self.environment, **(environment or {})},
                known=list(secrets),
                on_line=on_line,
            )
            return step.run(interrupt)
        finally:
            shutil.rmtree(temp)


class _Step:
    """One step, from inputs to a `Run`."""

    def __init__(
        self,
        runner: Runner,
        room: Room,
        *,
        inputs: Mapping[str, str],
        environment: Mapping[str, str],
        known: list[str],
        on_line: Callable[[str], object] | None,
    ) -> None:
        self.runner = runner
        self.room = room
        self.manifest = runner.manifest()
        self.token = f"ghs_{randomness.token_hex(18)}"
        self.runtime_token = randomness.token_urlsafe(48)
        self.secrets = [*known, self.token, self.runtime_token]
        self.files = {name: room.commands / f"{stem}_{uuid.uuid4()}" for name, stem in _FILES.items()}
        self.masker = Masker()
        for value in self.secrets:
            self.masker.add(value)
        given = {name.lower(): value for name, value in inputs.items()}
        must = [given[name].strip() for name in SECRET_INPUTS if len(given.get(name, "").strip()) >= 4]
        must += [line.partition(":")[2].strip() for line in given.get("headers", "").splitlines() if ":" in line]
        debug = environment.get("RUNNER_DEBUG") == "1"
        self.log = StepLog(self.masker, filter(None, must), debug=debug, on_line=on_line)
        declared = {name.lower(): str(mapping.get("default", "")) for name, mapping in self.manifest["inputs"].items()}
        if unexpected := sorted(set(given) - set(declared)):
            self.log.caution(unexpected_inputs(unexpected, declared))
        inside = runner.launcher.inside
        files = {name: inside(file, room) for name, file in self.files.items()}
        github = {**github_variables(room, inside), **files, **runner.github}
        inputs = input_variables(given, declared, github, self.token)
        self.environment = step_environment(
            own=environment, inputs=inputs, github=github, room=room, inside=inside, runtime_token=self.runtime_token
        )

    def run(self, interrupt: Interrupt | None) -> Run:
        for folder in (self.room.home, self.room.workflow, self.room.commands, self.room.workspace):
            folder.mkdir(exist_ok=True)
        (self.room.workflow / "event.json").write_text("{}")
        for file in self.files.values():
            file.touch(mode=0o644)
        before = _listing(self.room.workspace)
        launcher = self.runner.launcher
        launch = launcher.launch(self.runner.project, self.room, self.environment)
        began = time.monotonic()
        tied = [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid())]
        process = subprocess.Popen(
            [*tied, *launch.command],
            env=launch.environment,
            cwd=launch.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is passed on below, once
        )
        self._follow(process, interrupt)
        seconds = time.monotonic() - began
        problems = self.log.problems
        problems += [f"left in the workspace: {name}" for name in sorted(_listing(self.room.workspace) - before)]
        problems += [f"left behind: container {name}" for name in launcher.left_behind(launch)]
        reading = Reading(self.manifest.get("outputs", {}), self.files, self.masker, self.secrets)
        return reading.judge(self.log, process.returncode, seconds)

    def _follow(self, process: "subprocess.Popen[bytes]", interrupt: Interrupt | None) -> None:
        """Read both streams until they end, and send the signals of a cancellation meanwhile."""
        streams = cast("list[IO[bytes]]", [process.stdin, process.stdout, process.stderr])
        streams[0].close()
        readers = [threading.Thread(target=self._read, args=(stream,)) for stream in streams[1:]]
        for reader in readers:
            reader.start()
        over = threading.Event()
        canceller = threading.Thread(target=self._cancel, args=(process, interrupt, over))
        if interrupt is not None:
            canceller.start()
        try:
            process.wait(self.runner.patience)
        except KeyboardInterrupt:
            self._stop(process, SIGINT)
        except subprocess.TimeoutExpired:
            self.log.problems.append(f"still running after {self.runner.patience:g} s")
            process.kill()
            process.wait()
        finally:
            over.set()
            for thread in [*readers, *([canceller] if interrupt is not None else [])]:
                thread.join()
        self.log.end()

    def _read(self, stream: IO[bytes]) -> None:
        file = stream.fileno()  # read unbuffered, so that lines appear as they are written
        decode, splitter = codecs.getincrementaldecoder("utf-8")("replace").decode, LineSplitter()
        while data := os.read(file, 65536):
            for line in splitter.feed(decode(data)):
                self.log.add(line)
        for line in splitter.end():
            self.log.add(line)
        stream.close()

    def _cancel(self, process: "subprocess.Popen[bytes]", interrupt: Interrupt, over: threading.Event) -> None:
        while not interrupt.when():
            if over.wait(0.02):
                return
        if not over.wait(interrupt.after):
            self._stop(process, interrupt.signal)

    def _stop(self, process: "subprocess.Popen[bytes]", first: Signals) -> None:
        """Send the runner's signals from `first` on, each followed by its pause."""
        began = time.monotonic()
        order = [number for number, _ in _PATIENCE]
        for number, pause in _PATIENCE[order.index(first) :]:
            process.send_signal(number)
            try:
                process.wait(pause)
                break
            except subprocess.TimeoutExpired:
                self.log.problems.append(f"{number.name} did not end it within {pause:g} s")
        if (took := time.monotonic() - began) > _CANCELLED_WITHIN:
            self.log.problems.append(f"it took {took:.1f} s to end after {first.name}")


def _check_out(files: Mapping[str, str], workspace: Path) -> None:
    for name, text in files.items():
        file = workspace / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
