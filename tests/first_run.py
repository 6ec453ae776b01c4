"""A new user's first run: `init`, then the remaining steps that it printed, as far as they can be done here.

GitHub, the server and the network are provided by the caller, so that the steps can be run both in the sandbox and on a
real engine.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.deploy_files import ROOT


@dataclass
class Newcomer:
    """A repository, the flags given to `init`, and its output."""

    repository: Path
    answers: tuple[str, ...]
    """Flags."""
    output: str = ""

    def init(self, *more: str, path: str = os.environ.get("PATH", "")) -> "subprocess.CompletedProcess[str]":
        """Run `init`, and keep its output; programs are looked up in `path`."""
        self.repository.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "COVERAGE_PROCESS_CONFIG") if name in os.environ}
        ran = subprocess.run(
            [sys.executable, "-m", "redeploy", "init", "--into", str(self.repository), *self.answers, *more],
            cwd=ROOT,
            env=kept | {"PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        self.output = ran.stdout
        return ran

    def step(self, number: int) -> str:
        """The commands of a step, ready to paste; continued lines are joined."""
        text = re.search(rf"(?ms)^{number}\. .*?(?=^\d+\. |\Z)", self.output)
        assert text
        commands = "\n".join(re.findall(r"(?m)^ {5}(.*)$", text[0]))
        return re.sub(r" \\\n *", " ", commands)

    def secrets(self, programs: Path) -> dict[str, str]:
        """The secrets that the first step sets: its commands are run with a `gh` that records them."""
        (programs / "gh").write_text(_GH.format(notes=programs / "notes"))
        (programs / "gh").chmod(0o755)
        subprocess.run(
            ["/bin/sh", "-ec", self.step(1)],
            cwd=self.repository,
            env={"PATH": f"{programs}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            check=True,
            timeout=60,
        )
        return dict(line.split(" ", 1) for line in (programs / "notes").read_text().splitlines() if " " in line)

    def compose(self, folder: Path, *command: str) -> list[str]:
        """The Compose command of the third step, for the files in this folder, with another command than `up -d`."""
        [line] = [each for each in self.step(3).splitlines() if each.startswith("docker compose ")]
        words = line.removesuffix(" up -d").split()[2:]
        return [*(word.replace("deploy/", f"{folder}/deploy/", 1) for word in words), *command]

    @property
    def front(self) -> Path:
        """The nginx file that was written."""
        [variant] = (self.repository / "deploy" / "nginx").glob("*.conf")
        return variant

    def inputs(self, secrets: dict[str, str], workflow: str = "redeploy-backend.yml") -> dict[str, str]:
        """The inputs of a workflow that was written, as GitHub fills them in for `gh workflow run`."""
        text = (self.repository / ".github" / "workflows" / workflow).read_text(encoding="utf-8")
        parsed: dict[Any, Any] = yaml.safe_load(text)
        asked = (parsed[True]["workflow_dispatch"] or {}).get("inputs", {})
        defaults = {name: each["default"] for name, each in asked.items()}
        [job] = parsed["jobs"].values()
        [step] = job["steps"]
        asked_for = re.findall(r"secrets\.(\w+)", text)
        known = {f"secrets.{name}": secrets[name] for name in asked_for}
        known |= {"github.actor": "octocat", "github.token": "t"}
        known |= {f"inputs.{name}": value for name, value in defaults.items()}
        return {
            name: re.sub(r"\$\{\{ (.*?) \}\}", lambda match: known[match[1]], str(value))
            for name, value in step["with"].items()
        }


_GH = """\
#!/bin/sh
[ "$1 $2" = "secret set" ] || exit 0
name=$3
shift 3
value=
while [ "$#" -gt 0 ]; do
  if [ "$1" = --body ]; then value=$2; fi
  shift
done
echo "$name ${{value:-$(cat)}}" >> '{notes}'
"""
"""A stand-in for GitHub's command, with what the first step needs."""
