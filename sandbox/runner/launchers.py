"""Two ways to start the action as the runner does: from a checkout, and as the container of its image."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Room:
    """The folders that the runner shares with a step."""

    temp: Path
    workspace: Path

    @property
    def home(self) -> Path:
        """The HOME that the container steps of a job share."""
        return self.temp / "_github_home"

    @property
    def workflow(self) -> Path:
        """The folder of the event."""
        return self.temp / "_github_workflow"

    @property
    def commands(self) -> Path:
        """The folder of the files for outputs, summary and the like."""
        return self.temp / "_runner_file_commands"


@dataclass(frozen=True)
class Launch:
    """A process to start."""

    command: list[str]
    environment: dict[str, str]
    folder: Path
    name: str


class Launcher(Protocol):
    """How a step's process is started, and how it sees the runner's folders."""

    def inside(self, path: Path, room: Room) -> str:
        """Return a path of the runner as the step sees it."""

    def launch(self, project: Path, room: Room, environment: Mapping[str, str]) -> Launch:
        """Return the process of a step with that environment."""

    def left_behind(self, launch: Launch) -> list[str]:
        """Return what is left of the step after its process has ended."""


@dataclass(frozen=True)
class FromCheckout:
    """Runs the project's `entrypoint.py` with an interpreter of the host."""

    python: Path

    def inside(self, path: Path, room: Room) -> str:  # noqa: ARG002  the host's own paths
        """Return the path itself."""
        return str(path)

    def launch(self, project: Path, room: Room, environment: Mapping[str, str]) -> Launch:
        """Return the interpreter, isolated and unbuffered as in the image."""
        # The image's variables come first; a step's own environment may override them.
        given = {"PATH": "/usr/local/bin:/usr/bin:/bin", **environment}
        command = [str(self.python), "-I", "-u", str(project / "entrypoint.py")]
        return Launch(command, given, room.workspace, "")

    def left_behind(self, launch: Launch) -> list[str]:  # noqa: ARG002  a process leaves no container
        """Return nothing."""
        return []


@dataclass(frozen=True)
class FromImage:
    """Runs an image with the flags of actions/runner (src/Runner.Worker/Container/DockerCommandManager.cs).

    `--network host` is added by us: the sandbox listens on the host's loopback.
    """

    tag: str

    def inside(self, path: Path, room: Room) -> str:
        """Return the path at which the folder is mounted."""
        for outside, mounted in self._mounts(room):
            if path == outside or outside in path.parents:
                return str(mounted / path.relative_to(outside))
        return str(path)

    def launch(self, project: Path, room: Room, environment: Mapping[str, str]) -> Launch:  # noqa: ARG002  it is in the image
        """Return `docker run`, with values in the client's own environment and only names on its command line."""
        docker = shutil.which("docker")
        if docker is None:
            message = "there is no docker command on this machine"
            raise FileNotFoundError(message)
        name = f"redeploy_{secrets.token_hex(3)}"
        command = [
            docker,
            "run",
            "--name",
            name,
            "--label",
            secrets.token_hex(3),
            "--workdir",
            "/github/workspace",
            "--rm",
        ]
        for key in environment:
            command += ["-e", key]
        command += ["-e", "GITHUB_ACTIONS=true", "-e", "CI=true", "--network", "host"]
        command += ["-v", "/var/run/docker.sock:/var/run/docker.sock"]
        for outside, mounted in self._mounts(room):
            command += ["-v", f"{outside}:{mounted}"]
        own = {key: os.environ[key] for key in ("PATH", "DOCKER_HOST", "DOCKER_CONTEXT") if key in os.environ}
        return Launch([*command, self.tag], {**own, **environment}, room.workspace, name)

    def left_behind(self, launch: Launch) -> list[str]:
        """Return the container, if it outlived its client."""
        asked = [launch.command[0], "ps", "--all", "--quiet", "--filter", f"name=^{launch.name}$"]
        found = subprocess.run(asked, check=True, capture_output=True, text=True)
        return found.stdout.split()

    def _mounts(self, room: Room) -> list[tuple[Path, Path]]:
        github = Path("/github")
        return [
            (room.home, github / "home"),
            (room.workflow, github / "workflow"),
            (room.commands, github / "file_commands"),
            (room.workspace, github / "workspace"),
            (room.temp, github / "runner_temp"),
        ]
