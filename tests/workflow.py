"""Runs the steps of a workflow as a runner does, as far as the examples need it: commands in bash, and this action.

The only expressions are values of contexts, with a text after `||` for an empty one. Steps of other actions are
skipped.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox.runner.results import Run
from sandbox.runner.runner import Runner

ACTION = re.compile(r"leok974/redeploy-action@v\d+")


@dataclass
class Ended:
    """The steps that ran, by name."""

    runs: dict[str, Run] = field(default_factory=dict)
    """The steps that run this action."""
    commands: dict[str, "subprocess.CompletedProcess[str]"] = field(default_factory=dict)


@dataclass(frozen=True)
class Workflow:
    """A workflow of one job, and the values of its contexts."""

    text: str
    contexts: Mapping[str, str]
    """Values by their name in expressions: `secrets.TOKEN`, `github.sha`."""

    def play(
        self,
        runner: Runner,
        folder: Path,
        programs: Path,
        hurry: Mapping[str, str],
        environment: Mapping[str, str],
    ) -> Ended:
        """Run its steps.

        Args:
            runner: runs this action.
            folder: the home directory of the commands.
            programs: a folder with programs that replace those of a runner.
            hurry: inputs of this action that are added in every step.
            environment: variables that are added for the commands.
        """
        [job] = yaml.safe_load(self.text)["jobs"].values()
        known, ended = dict(self.contexts), Ended()
        event = folder / "event.json"
        event.write_text('{"ref": "refs/heads/main"}')
        own = {
            **environment,
            "HOME": str(folder),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "GITHUB_EVENT_PATH": str(event),
        }
        for step in job["steps"]:
            if "run" in step:
                environment = own | {name: self._filled(text, known) for name, text in step.get("env", {}).items()}
                command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
                ran = subprocess.run(
                    command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False
                )
                ended.commands[step["name"]] = ran
                if ran.returncode:
                    return ended
            elif ACTION.fullmatch(step["uses"]):
                inputs = {name: self._filled(text, known) for name, text in step["with"].items()}
                run = runner.run({**inputs, **hurry})
                ended.runs[step["name"]] = run
                known |= {f"steps.{step.get('id')}.outputs.{name}": value for name, value in run.outputs.items()}
                if run.exit_code and not step.get("continue-on-error"):
                    return ended
        return ended

    def _filled(self, written: Any, known: Mapping[str, str]) -> str:  # noqa: ANN401  a YAML scalar
        text = str(written).lower() if isinstance(written, bool) else str(written)

        def value(found: re.Match[str]) -> str:
            name, _, otherwise = (part.strip() for part in found[1].partition("||"))
            return known.get(name, "") or otherwise.strip("'")

        return re.sub(r"\$\{\{(.*?)\}\}", value, text)
