"""act, a third-party workflow engine: it reads a workflow as GitHub does and runs its jobs in containers.

A job's container uses the host's network, which is act's default, so that 127.0.0.1 is the machine itself.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest

from tests.deploy_files import ROOT

VERSION = "v0.2.82"
ACTION = "leok974/redeploy-action@v1"
BUILT = "act-leok974-redeploy-action-v1-dockeraction:latest"
"""The name that act gives to the image that it builds from our Dockerfile."""
VOLUME = "act-toolcache"
"""The volume that act keeps between runs."""
ON_THIS_MACHINE = "self-hosted=-self-hosted"
"""The value of `--platform` with which jobs run outside containers."""


def program(folder: Path) -> Path:
    """The path of act; if it is not installed, Go installs it into the folder."""
    found = shutil.which("act")
    if found:
        return Path(found)
    get = ["go", "install", f"github.com/nektos/act@{VERSION}"]
    subprocess.run(get, env={**os.environ, "GOBIN": str(folder)}, check=True, timeout=600)
    return folder / "act"


def standing(folders: pytest.TempPathFactory, job_image: str = "") -> "Act":
    """Return a workflow engine in its own folder; skip the test if neither act nor Go is installed."""
    if not shutil.which("act") and not shutil.which("go"):
        pytest.skip("there is neither act nor Go")
    folder = folders.mktemp("act")
    return Act(program(folder), folder, "python:3.12-slim", job_image)


def tidy() -> None:
    """Remove what the runs of all processes share: the action's image, and act's volume."""
    _docker("image", "rm", "--force", BUILT)
    if not _docker(
        "ps", "--all", "--quiet", f"--filter=volume={VOLUME}"
    ):  # else the tests of another checkout are running
        _docker("volume", "rm", "--force", VOLUME)


@dataclass(frozen=True)
class Ended:
    """A finished run of a workflow, as act reports it."""

    exit_code: int
    log: str

    @property
    def lines(self) -> list[str]:
        """The lines that the steps wrote to their standard output."""
        return re.findall(r"^\[.*?\]   \| (.*)$", self.log, re.MULTILINE)

    @property
    def summaries(self) -> list[str]:
        """The headings of the jobs' summaries."""
        return re.findall(r"Summary - ## (.*)", self.log)

    def outputs(self, name: str) -> list[str]:
        """The values that the steps gave to an output, in order."""
        return re.findall(rf"::set-output:: {name}=(.*)", self.log)

    def annotations(self, level: str) -> list[str]:
        """The annotations of a level, with title and message as written."""
        return re.findall(rf"::{level} (.*)", self.log)


class Act:
    """Runs workflows in its own repository, in which the action is this checkout. Several may run concurrently.

    `base` is the image that jobs run in, unless `job_image` names another, and that the action's image is built on: the
    Dockerfile also names its digest, which a stand-in cannot have, so this one line is different here. The
    rest is unchanged.
    """

    def __init__(self, found: Path, folder: Path, base: str, job_image: str = "") -> None:
        self._program = found
        self._base = base
        self._job_image = job_image or base
        self._home = folder / "home"
        self._repository = folder / "repository"
        self._action = folder / "action"
        self._logs = folder / "logs"
        self._workflows = self._repository / ".github" / "workflows"
        self._numbers = itertools.count()
        self._git_is_free = threading.Lock()
        self._home.mkdir()
        self._logs.mkdir()
        self._workflows.mkdir(parents=True)
        self._git("init", "--quiet", "--initial-branch=main")
        self._git(
            "remote", "add", "origin", "https://github.com/leok974/leo-portfolio"
        )  # from which act takes the repository's name
        self._lay_out_action()

    def add(self, name: str, text: str) -> None:
        """Add a workflow to the repository, or replace it.

        Its name is made unique: act names containers after it, and other engines may run a workflow of the same name.
        """
        named, count = re.subn(r"(?m)^name: .*$", rf"\g<0> {token_hex(4)}", text, count=1)
        assert count == 1
        (self._workflows / name).write_text(named, encoding="utf-8")

    def add_file(self, path: str, text: str) -> None:
        """Add another file, or replace it."""
        place = self._repository / path
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def run(
        self,
        workflow: str,
        *,
        event: str = "workflow_dispatch",
        payload: Mapping[str, object] | None = None,
        inputs: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        actions: Mapping[str, Path] | None = None,
        flags: tuple[str, ...] = (),
    ) -> Ended:
        """Run a workflow of the repository.

        Args:
            workflow: its file.
            event: what starts it.
            payload: GitHub's event; `after` is the commit, if `deleted` is false.
            inputs: those of the workflow.
            secrets: by name.
            variables: by name.
            actions: folders that replace other actions (`owner/name@ref`).
            flags: more flags of act.
        """
        with self._git_is_free:
            self._commit()
        log_file = self._logs / f"{next(self._numbers)}"
        secrets, variables = secrets or {}, variables or {}
        command = [str(self._program), event, "--workflows", f".github/workflows/{workflow}"]
        command += ["--platform", f"ubuntu-latest={self._job_image}", "--pull=false", "--rm", "--no-cache-server"]
        for action, folder in {ACTION: self._action, **(actions or {})}.items():
            command += ["--local-repository", f"{action}={folder}"]
        for name, value in (inputs or {}).items():
            command += ["--input", f"{name}={value}"]
        for name in secrets:
            command += ["--secret", name]  # the value is in the environment
        for name in variables:
            command += ["--var", name]
        if payload is not None:
            file = log_file.with_suffix(".json")
            file.write_text(json.dumps(payload), encoding="utf-8")
            command += ["--eventpath", str(file)]
        if ON_THIS_MACHINE in flags:  # where pip installs, and needs this machine's package index
            command += [
                f"--env={name}={text}" for name, text in os.environ.items() if name.startswith(("PIP_", "SSL_"))
            ]
        known = {name: os.environ[name] for name in ("PATH", "DOCKER_HOST") if name in os.environ}
        homes = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), str(self._home))
        try:
            with log_file.open("w", encoding="utf-8") as log:
                ended = subprocess.run(
                    [*command, *flags],
                    cwd=self._repository,
                    env={**known, **homes, **secrets, **variables},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    check=False,
                    timeout=180,
                )
        except subprocess.TimeoutExpired as expired:
            raise AssertionError(f"{expired}\n{log_file.read_text(encoding='utf-8')}") from None
        finally:
            self._remove_containers(workflow)
        return Ended(ended.returncode, log_file.read_text(encoding="utf-8"))

    def _remove_containers(self, workflow: str) -> None:
        """Remove the containers of a workflow's interrupted run, which act names by this prefix."""
        [name] = re.findall(r"(?m)^name: (.*)$", (self._workflows / workflow).read_text(encoding="utf-8"))
        begins = re.sub(r"-+", "-", re.sub(r"[^a-zA-Z0-9]", "-", f"act-{name}-"))
        for left in _docker("ps", "--all", "--format={{.Names}}", f"--filter=name=^{begins}").split():
            _docker("rm", "--force", left)

    def _lay_out_action(self) -> None:
        for name in ("redeploy", "requirements", "slim", "tools/image"):
            shutil.copytree(ROOT / name, self._action / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("action.yml", "entrypoint.py", ".dockerignore"):
            shutil.copy(ROOT / name, self._action)
        dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        written, count = re.subn(r"(?m)^ARG BASE_IMAGE=.*$", f"ARG BASE_IMAGE={self._base}", dockerfile)
        assert count == 1
        (self._action / "Dockerfile").write_text(written, encoding="utf-8")
        # act builds in the engine's network, which may lack internet access: pip's layer is already there, built by the same
        # builder in the host's network.
        _docker("build", "--quiet", "--network", "host", "--tag", BUILT, str(self._action), DOCKER_BUILDKIT="0")

    def _commit(self) -> None:
        """Commit the files of the repository: act takes commit and branch from it."""
        self._git("add", "--all")
        who = ("-c", "user.name=redeploy-action", "-c", "user.email=redeploy-action@localhost")
        self._git(*who, "commit", "--quiet", "--allow-empty", "--no-gpg-sign", "--message", "A commit of the service")

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self._repository, check=True, timeout=60)


def _docker(*arguments: str, **environment: str) -> str:
    """Run a command of the engine's client, and return its output."""
    asked = ["docker", *arguments]
    done = subprocess.run(
        asked, env={**os.environ, **environment}, check=True, capture_output=True, text=True, timeout=600
    )
    return done.stdout
