"""Starts a composite action as the runner does: its steps in bash, one after another.

Sources: actions/runner, `ActionManifestManager.cs` (expressions in the steps of an action), `ScriptHandlerHelpers.cs` (how
bash is called). A composite action gets no `INPUT_*`; `GITHUB_ACTION_PATH` is its folder.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.runner.commands import pairs
from sandbox.runner.launchers import Launch, Room

_BASH = [shutil.which("bash") or "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c"]
_EXPRESSION = re.compile(r"\$\{\{\s*(inputs\.[\w-]+|steps\.[\w-]+\.outputs\.[\w-]+)\s*\}\}")


class StepFailedError(Exception):
    """A step before the last one failed; the message has its output."""


@dataclass(frozen=True)
class FromComposite:
    """Runs the steps of the action in the folder `action`. The last one is the launched process."""

    action: Path
    set_up: Path
    """A folder for what the action installs, as an earlier step of the same job leaves it."""

    def inside(self, path: Path, room: Room) -> str:  # noqa: ARG002  the host's own paths
        """The path itself."""
        return str(path)

    def launch(self, project: Path, room: Room, environment: Mapping[str, str]) -> Launch:  # noqa: ARG002  its folder is known
        """Run all steps but the last, and return the last one.

        Raises:
            StepFailedError: if one of them fails.
        """
        (room.temp / self.set_up.name).symlink_to(self.set_up)
        steps: list[dict[str, Any]] = yaml.safe_load((self.action / "action.yml").read_text())["runs"]["steps"]
        known = {f"inputs.{name[6:].lower()}": text for name, text in environment.items() if name.startswith("INPUT_")}
        given = {name: text for name, text in environment.items() if not name.startswith("INPUT_")}
        given = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin", **given}
        given["GITHUB_ACTION_PATH"] = str(self.action)
        for number, step in enumerate(steps[:-1]):
            outputs = room.temp / f"outputs-of-step-{number}"
            own = {**given, **_environment(step, known), "GITHUB_OUTPUT": str(outputs)}
            ran = subprocess.run(
                [*_BASH, step["run"]], env=own, cwd=room.workspace, check=False, capture_output=True, text=True
            )
            if ran.returncode:
                raise StepFailedError(ran.stdout + ran.stderr)
            written = outputs.read_text() if outputs.exists() else ""
            known |= {f"steps.{step['id']}.outputs.{name}": value for name, value in pairs(written)}
        last = steps[-1]
        return Launch([*_BASH, last["run"]], {**given, **_environment(last, known)}, room.workspace, "")

    def left_behind(self, launch: Launch) -> list[str]:  # noqa: ARG002  a process leaves no container
        """Return nothing."""
        return []


def _environment(step: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    return {
        name: _EXPRESSION.sub(lambda found: known.get(found[1], ""), str(text))
        for name, text in step.get("env", {}).items()
    }
